"""What a learner is told of a prompt's rare words."""

import json

import pytest

from lecture10.paths import data_path
from lecture10.recipes import ldm
from lecture10.recipes import rare_words as rare
from lecture10.world.splits import pairs

KNOWN = {"a": 900, "blue": 300, "bear": 200, "left": 150, "of": 400, "cat": 180, "moggy": 7, "bruin": 1}


def test_words_are_letters_whatever_stands_around_them():
    assert rare.words_of('A  polka-dot "cat", on TOP!') == ["a", "polka-dot", "cat", "on", "top"]
    assert rare.words_of("the cat's çay, 2 of 2") == ["the", "cat's", "çay", "2", "of", "2"]
    assert rare.words_of(" … ") == []


def test_the_sentence_names_what_was_rare_how_often_and_what_was_meant():
    assert rare.note("a blue bear left of a cat", KNOWN) == ""
    assert rare.note("", KNOWN) == ""
    assert (
        rare.note("a blue zebra", KNOWN) == "Training met 'zebra' never: what is drawn for that is a guess."
    )
    assert rare.note("a bluue moggy and a bruin", KNOWN | {"and": 500}) == (
        "Training met 'bluue' never (did you mean 'blue'?), 'moggy' 7 times and 'bruin' once: "
        "what is drawn for that is a guess."
    )


def test_a_word_is_named_once_and_in_order():
    assert rare.unmet("moggy zebra moggy a bruin", KNOWN) == {"moggy": 7, "zebra": 0, "bruin": 1}
    assert rare.unmet("moggy", KNOWN, rare=6) == {}
    assert rare.unmet("moggy", KNOWN, rare=7) == {"moggy": 7}
    assert rare.unmet("Blue", KNOWN) == {}


@pytest.mark.parametrize(("word", "meant"), [("bera", "bear"), ("bluue", "blue"), ("leftt", "left")])
def test_slips_are_understood(word, meant):
    assert rare.guess(word, KNOWN) == meant


@pytest.mark.parametrize("word", ["beer", "hat", "zebra", "volume", "moggies", "xyz"])
def test_words_that_are_spelt_right_are_not_corrected(word):
    assert rare.guess(word, KNOWN) is None


def test_nobody_is_sent_to_a_word_that_is_rare_itself():
    assert rare.guess("mogggy", KNOWN) is None
    assert rare.guess("mogggy", KNOWN | {"moggy": 101}) == "moggy"


def test_the_shipped_counts_are_those_of_the_training_captions():
    facts = json.loads(data_path(rare.NAME).read_text(encoding="utf-8"))
    assert facts["captions"] == ldm.SCENES * len(ldm.HABITS)
    few = rare.count(200)
    assert few == rare.count(200)
    assert set(few) <= set(facts["words"])
    for word in ("a", "large", "bear"):
        assert few[word] / 200 == pytest.approx(facts["words"][word] / ldm.SCENES, rel=0.35)
    ordered = list(facts["words"].values())
    assert ordered == sorted(ordered, reverse=True)


def test_plain_prompts_of_kept_back_pairs_hold_no_rare_word():
    """Only the pair is new: each word by itself was met often."""
    assert [rare.note(p) for p in ldm.prompts_of(40, 9, new=2, split="dev") if rare.note(p)] == []
    nouns = [noun for noun, _ in pairs("dev")]
    taught = ldm.KNOBS["nouns"]
    assert all(rare.unmet(noun) == {} for noun in nouns if noun in taught)
    assert all(rare.unmet(noun) for noun in nouns if noun not in taught)


def test_building_writes_what_was_counted(tmp_path):
    path = rare.build(tmp_path / "words.json", n=30)
    facts = json.loads(path.read_text(encoding="utf-8"))
    assert facts["words"] == dict(rare.count(30))
    assert (facts["scenes"], facts["captions"], facts["data"]) == (30, 120, ldm.DATA)


@pytest.mark.parametrize(
    ("content", "says"),
    [("{", "is damaged"), ("[]", "is damaged"), ('{"words": {}}', "is damaged"),
     ('{"words": {"a": 1}, "data": "old"}', "counts 'old', the model learns from")],
)  # fmt: skip
def test_a_damaged_or_older_table_is_refused_with_the_command(tmp_path, monkeypatch, content, says):
    (tmp_path / "words").mkdir()
    (tmp_path / rare.NAME).write_text(content)
    monkeypatch.setenv("LECTURE10_DATA", str(tmp_path))
    rare.counts.cache_clear()
    with pytest.raises(ValueError, match=rf"{says}[\s\S]*python -m lecture10\.recipes\.rare_words"):
        rare.counts()
    rare.counts.cache_clear()
