"""Captions: the characters of each phrase, seeds, splits, repetitions, the lexicon."""

import random
import time
from collections import Counter

import numpy as np
import pytest
import torch

from lecture10.world import draft, lexicon, splits
from lecture10.world import vocabulary as v
from lecture10.world.facts import facts_of
from lecture10.world.parse import parse
from lecture10.world.sample import sample
from lecture10.world.scene import Scene, scene
from lecture10.world.spelling import distance
from lecture10.world.tokens import chunks, speller
from lecture10.world.words import KINDS, Habits, caption, captions, misspelt

STYLES = ("photo", "photo2", "rendition", "staged", "sketch")


@pytest.fixture(scope="module")
def batch():
    return sample(600, 3, things=(1, 6), split="all", styles=STYLES)


@pytest.mark.parametrize("kind", KINDS)
def test_phrases_hold_exactly_the_characters_of_their_things(batch, kind):
    for truth, c in zip(batch, captions(batch, kind, 1), strict=True):
        for phrase, words in zip(c.phrases, c.words(), strict=True):
            assert words == words.strip()
            assert words
            assert not words.lower().startswith(("a ", "an ", "the ")) or words.lower().startswith("a ")
            assert c.text[phrase.start - 1 : phrase.start] in ("", " ")
            assert c.text[phrase.end : phrase.end + 1] in ("", " ", ",", ".")
            if words.lower() != "it":
                (noun,) = {truth.things[k].noun for k in phrase.things}
                spoken = [chunk.value[0] for chunk in chunks(words) if chunk.kind == "NOUN"]
                assert spoken == [noun], (words, c.text)
                numbers = [chunk.value for chunk in chunks(words) if chunk.kind == "NUMBER"]
                assert (numbers or [1]) == [len(phrase.things)]
        if kind != "alt":
            assert {k for p in c.phrases for k in p.things} == set(range(len(truth.things)))


def test_a_caption_by_hand():
    c = caption(scene("blue bear", "brown bird", relation="left of"), "short", 4, Habits(synonyms=False))
    for phrase, words in zip(c.phrases, c.words(), strict=True):
        assert words.split()[-1] == ("bear", "bird")[phrase.things[0]]
    assert caption(scene("blue bear"), "short", 2).facts.things[0].colour == "blue"


@pytest.mark.parametrize("kind", ["short", "descriptive"])
def test_short_and_descriptive_captions_are_true(batch, kind):
    for truth, c in zip(batch, captions(batch, kind, 2), strict=True):
        whole = facts_of(truth)
        for said, k in zip(c.facts.things, _order(c, len(truth.things)), strict=True):
            true = whole.things[k]
            assert all(value in (None, getattr(true, name)) for name, value in said._asdict().items())
        assert c.facts.backdrop in (None, truth.backdrop)
        assert c.facts.style in (None, whole.style)


def _order(c, n):
    """The things in order of first mention."""
    order = list(dict.fromkeys(k for phrase in c.phrases for k in phrase.things))
    assert len(order) == n
    return order


def test_a_descriptive_caption_leaves_nothing_out():
    truth = scene(
        "small striped blue bear", "large brown bird", relation="left of", backdrop="grass"
    ).placed()
    for seed in range(40):
        assert caption(truth, "descriptive", seed).facts == facts_of(truth)


def test_sketches_are_described_without_colours():
    truth = scene("blue bear", "brown bird", style="sketch").placed()
    for kind in KINDS:
        said = [t.colour for seed in range(60) for t in caption(truth, kind, seed).facts.things]
        assert set(said) == {None}


def test_alt_text_is_noisy_as_its_habits_say():
    truth = sample(2000, 5, things=(2, 2), repeat=0, plain=1)
    read = captions(truth, "alt", 6, Habits(drop=0.35, wrong=0, skip=0, junk=0, typos=0))
    said = [t for c in read for t in c.facts.things]
    assert sum(t.colour is None for t in said) / len(said) == pytest.approx(0.35, abs=0.03)
    wrong = captions(truth, "alt", 6, Habits(wrong=1, drop=0, skip=0))
    true_pairs = [{(t.noun, t.colour) for t in s.things} for s in truth]
    lies = sum(
        (t.noun, t.colour) not in p for c, p in zip(wrong, true_pairs, strict=True) for t in c.facts.things
    )
    assert lies > 500
    quiet = Habits(synonyms=False, wrong=0, junk=0, typos=0, skip=0)
    plain_words = {w for c in captions(truth, "alt", 6, quiet) for p in c.words() for w in p.lower().split()}
    numbers = {"two", "that", "says", *" ".join(v.SIGN_WORDS).lower().split()}
    names = {*v.NOUNS, *map(lexicon.plural, v.NOUNS), *v.COLOUR_NAMES, *v.SIZE_NAMES, "a"}
    assert {w.strip("'\"") for w in plain_words} <= names | numbers


def test_training_text_never_names_a_dev_or_test_pair():
    scenes = sample(10_000, 11, styles=STYLES)
    kept_back = set(splits.pairs("dev")) | set(splits.pairs("test"))
    loud = Habits(wrong=0.5)
    for kind, habits, every in (("alt", loud, 1), ("short", None, 5), ("descriptive", None, 10)):
        for c in captions(scenes[::every], kind, 12, habits):
            assert kept_back.isdisjoint((t.noun, t.colour) for t in c.facts.things), c.text
            for i, relation, j in c.facts.relations:
                told = c.facts.things[i].noun, relation, c.facts.things[j].noun
                assert splits.split_of_relation(*told) == "train", c.text


def test_the_text_itself_names_no_pair_that_is_kept_back():
    """As the parser reads it, not as the writer notes it."""
    kept_back = set(splits.pairs("dev")) | set(splits.pairs("test"))
    for c in captions(sample(1500, 13), "alt", 14, Habits(wrong=1, typos=0.5)):
        assert kept_back.isdisjoint((t.noun, t.colour) for t in parse(c).things), c.text


def test_short_captions_of_two_things_hardly_repeat_within_a_batch():
    repeated = []
    for seed in range(8):
        texts = Counter(c.text for c in captions(sample(256, seed, things=2), "short", seed))
        repeated.append(sum(n - 1 for n in texts.values()) / 256)
    assert max(repeated) <= 0.02
    plain = Counter(c.text for c in captions(sample(256, 0, nouns="bear", colours="brown"), "short", 0))
    assert sum(n - 1 for n in plain.values()) / 256 > 0.02  # the measure can fail


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_the_same_text_whatever_carries_it(batch, kind):
    texts = [c.text for c in captions(batch[:50], kind, 5)]
    assert texts == [c.text for c in captions(list(batch[:50]), kind, 5)]  # tensors and Scenes read alike
    assert texts == [c.text for c in captions(batch[:50], kind, random.Random(5))]
    assert texts != [c.text for c in captions(batch[:50], kind, 6)]
    for make in (np.random.default_rng, lambda s: torch.Generator().manual_seed(s)):
        first, second = make(5), make(5)
        assert captions(batch[:5], kind, first) == captions(batch[:5], kind, second)
        assert captions(batch[:50], kind, first) != captions(batch[:50], kind, make(5))  # it has moved on


def test_captions_are_the_same_on_every_machine():
    truth = Scene.of("small striped blue bear", "brown bird", relations=[(0, "left of", 1)], backdrop="grass")
    assert [caption(truth, kind, 7).text for kind in KINDS] == GOLDEN


GOLDEN = [
    "bird with tedybear on the grass 2626",
    "a brown bird to the right of a blue teddy bear with stripes on the grass",
    "A photo of a small blue bear with stripes and a big brown bird. The brown bird is right of the bear. "
    "It is plain. The scene is set on the grass.",
]


def test_bad_input_is_answered_with_a_cure():
    with pytest.raises(ValueError, match="did you mean 'short'"):
        captions([scene("blue bear")], "shrt")
    with pytest.raises(TypeError, match=r"write caption\(scene\)"):
        captions(scene("blue bear"))
    with pytest.raises(TypeError, match="not str"):
        captions(["blue bear"])
    with pytest.raises(TypeError, match="generator is a seed"):
        captions([scene("blue bear")], generator="seven")
    with pytest.raises(ValueError, match="a probability lies"):
        Habits(wrong=3)


def test_the_lexicon_covers_the_world_and_no_word_means_two_things():
    words = lexicon.vocabulary()
    for kind, names in (("noun", v.NOUNS), ("colour", v.COLOUR_NAMES), ("material", v.MATERIALS)):
        assert tuple(words[kind]) == names
        assert all(len(entries) >= 2 for entries in words[kind].values())
    assert set(words["backdrop"]) == set(v.BACKDROPS)
    assert set(words["relation"]) == set(v.RELATIONS)
    assert lexicon.sizes_of()["noun"] > 100
    names = [
        w for kind in ("noun", "colour", "material", "size", "style") for e in words[kind].values() for w in e
    ]
    assert [w for w, n in Counter(names).items() if n > 1] == []
    for table in (lexicon.NOUN_WORDS, lexicon.COLOUR_WORDS, lexicon.BACKDROP_WORDS):
        assert set(table) <= {*v.NOUNS, *v.COLOUR_NAMES, *v.BACKDROPS}


def test_words_are_rare_by_rank():
    table = lexicon.zipf(("first", "second", "third", "fourth"))
    counts = Counter(table)
    assert len(table) == lexicon.SLOTS
    assert counts["first"] / counts["second"] == pytest.approx(4, rel=0.1)
    assert counts["first"] / counts["fourth"] == pytest.approx(16, rel=0.25)
    spoken = [c.text for c in captions([scene("blue bear")] * 3000, "short", 0)]
    assert 10 <= sum("bruin" in text for text in spoken) <= 200 < sum("blue bear" in text for text in spoken)


def test_misspellings_are_undone_and_real_words_are_left_alone():
    slips = draft.all_slips()
    assert len(slips) > 150
    for word, wrong in slips.items():
        assert all(speller().correct(w) == word for w in wrong)
    assert speller().correct("smafml") == "small"
    assert speller().correct("boak") is None  # a boat or a book
    for stranger in ("panda", "mouse", "boot", "boots", "times", "hat", "bean"):
        assert speller().correct(stranger) in (None, "hat")
    assert distance("kitten", "sitting") == 3
    assert distance("abcd", "") == 4


def test_a_prompt_can_be_misspelt():
    prompt = "a small blue astronaut on top of a red skateboard"
    for seed in range(30):
        wrong = misspelt(prompt, seed, words=3)
        assert sum(a != b for a, b in zip(prompt.split(), wrong.split(), strict=True)) == 3
        assert parse(wrong) == parse(prompt)
    assert misspelt("the car", 0) == "the car"  # too short to be undone


def test_writing_is_quick(batch):
    """Loose: about 30 µs a short caption on a quiet machine, ten times that here."""
    captions(batch, "short", 0)
    start = time.process_time()
    captions(batch, "short", 0)
    assert (time.process_time() - start) / len(batch) < 400e-6
