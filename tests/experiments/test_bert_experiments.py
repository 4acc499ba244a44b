"""BERT's experiments run end to end at tiny size; their texts hold what the claims say about them."""

from collections import Counter
from dataclasses import replace

import pytest
import torch

from lecture10.experiments import bert_direction, bert_masking, bert_nsp, bert_swag
from lecture10.models.bert import IS_NEXT
from lecture10.recipes.small_stories import small_stories
from lecture10.recipes.world_text import CLS, PAD, SEP, words
from lecture10.training import TrainSettings
from lecture10.world.splits import split_of
from lecture10.world.vocabulary import COLOUR_NAMES, NOUNS

QUICK = TrainSettings(steps=2)
SMALL = {"width": 16, "layers": 1, "heads": 1}


def check(experiment, rows, seed):
    claims = getattr(experiment, "CLAIMS", None) or (experiment.CLAIM,)
    for claim in claims:
        assert claim.effects(rows).keys() == {seed}
        assert claim.minutes <= 10


# --- direction


def test_direction_runs(monkeypatch):
    monkeypatch.setattr(bert_direction, "SIZE", bert_direction.SIZE | SMALL)
    monkeypatch.setattr(bert_direction, "SETTINGS", QUICK)
    monkeypatch.setattr(bert_direction, "TEXTS", 50)
    monkeypatch.setattr(bert_direction, "ASKED", 50)
    rows = bert_direction.run(3)
    check(bert_direction, rows, 3)
    assert len(rows) == 4


def test_both_gaps_stand_in_the_same_texts_and_left_of_the_first_nothing_tells():
    ids, places = bert_direction.texts(4000, seed=5)
    known = words()
    colours = [known.ids[colour] for colour in COLOUR_NAMES]
    said = ids.gather(1, places)
    assert torch.isin(said, torch.tensor(colours)).all()
    assert torch.equal(said[:, :2], said[:, 2:])  # the cue of each gap is the other mention
    by_noun = {}
    for row, place in zip(ids.tolist(), places.tolist(), strict=True):
        by_noun.setdefault(known.words[row[place[0] - 2]], Counter())[known.words[row[place[0]]]] += 1
    assert set(by_noun) == set(NOUNS)
    assert all(len(seen) == bert_direction.COLOURS for seen in by_noun.values())
    for noun, seen in by_noun.items():
        assert all(split_of(noun, colour) == "train" for colour in seen)
        assert max(seen.values()) / sum(seen.values()) < 0.3  # 1/8, give or take


def test_filling_reads_what_each_model_may_read():
    """A model that always says its own input back: BERT must not see the word, GPT only what is before it."""
    ids, places = bert_direction.texts(20, seed=6)

    class Echo(bert_direction.BertPretraining):
        def forward(self, ids, *_):
            assert (ids == 3).sum() == len(ids)  # one [MASK] a row
            return torch.nn.functional.one_hot(ids, words().vocab_size).float(), None

    from lecture10.models.bert import BertConfig

    echo = Echo(BertConfig(**bert_direction.SIZE | SMALL))
    assert bert_direction.filled(echo, ids, places[:, 0]) == 0.0
    right = ids.gather(1, places[:, :1])[:, 0]

    class Copy(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.dummy = torch.nn.Parameter(torch.zeros(1))

        def forward(self, ids):
            return torch.nn.functional.one_hot(ids.roll(-1, 1), words().vocab_size).float()

    assert bert_direction.filled(Copy(), ids, places[:, 0]) == 1.0  # position t - 1 answers for t
    assert len(right) == 20


# --- small stories


def test_small_stories_are_stories():
    from lecture10.world.parse import parse

    for told in small_stories(200, seed=1):
        assert len(told.sentences) == len(told.states) == 4
        nouns = [said.noun for said in told.states[-1].things]
        assert len(set(nouns)) == 2
        assert parse(told.sentences[0], strict=False).things[0].noun == nouns[0]
        for said in told.states[-1].things:
            assert split_of(said.noun, said.colour) == "train"
            assert f"The {said.noun} is still {said.colour}." in told.sentences
    assert [s.text for s in small_stories(5, 1)] == [s.text for s in small_stories(9, 1)][:5]
    first = Counter(
        told.sentences[2].split()[1] == told.sentences[0].split()[1] for told in small_stories(400, 2)
    )
    assert 150 < first[True] < 250


# --- swag


@pytest.fixture(scope="module")
def questions():
    return bert_swag.items(300, seed=7)


def test_swag_runs(monkeypatch):
    monkeypatch.setattr(bert_swag, "SIZE", bert_swag.SIZE | SMALL)
    for name in ("PRETRAIN", "TUNE"):
        monkeypatch.setattr(bert_swag, name, QUICK)
    for name, n in {"TEXTS": 40, "ITEMS": 30, "ASKED": 30}.items():
        monkeypatch.setattr(bert_swag, name, n)
    rows = bert_swag.run(2)
    check(bert_swag, rows, 2)
    assert {row.variant for row in rows} == {"bag of words", "LSTM", "GPT", "BERT", "BERT, ending alone"}


def test_one_ending_is_right_and_all_have_its_form(questions):
    known = words()
    for context, endings, answer in zip(*questions, strict=True):
        assert len({tuple(ending) for ending in endings}) == 4
        story = known.decode(context)
        true = [f"the {s.split()[1]} is still {s.split()[3]}." for s in story.replace(".", " .").split(" . ")]
        told = [known.decode(ending) for ending in endings]
        shapes = {" ".join(w for w in t.split() if w not in NOUNS)[:12] for t in told}
        assert shapes == {"the is still"}
        right = [t in " ".join(true).replace(" .", ".") or _true(t, story) for t in told]
        assert right == [k == answer for k in range(4)]


def _true(ending, story):
    noun, colour = ending.split()[1], ending.split()[4].rstrip(".")
    return f"the {noun} turns {colour}." in story


def test_the_ending_alone_does_not_tell(questions):
    """Nouns and colours are as common in the right endings as in the wrong ones; the place is a fair die."""
    answers = Counter(questions.answers.tolist())
    assert max(answers.values()) < 110
    known, seen = words(), {True: Counter(), False: Counter()}
    for endings, answer in zip(questions.endings, questions.answers.tolist(), strict=True):
        for k, ending in enumerate(endings):
            seen[k == answer].update(set(known.pieces(ending)) & set(COLOUR_NAMES))
    for colour in COLOUR_NAMES:
        shares = [seen[kind][colour] / sum(seen[kind].values()) for kind in (True, False)]
        assert abs(shares[0] - shares[1]) < 0.08, colour


def test_wrong_endings_are_tempting(questions):
    """Most of them use the story's own words, as SWAG's were picked to fool a bag of words."""
    known, names = words(), {*NOUNS, *COLOUR_NAMES}
    shares = []
    for context, endings, answer in zip(*questions, strict=True):
        story = set(known.pieces(context)) & names
        for k, ending in enumerate(endings):
            if k != answer:
                own = set(known.pieces(ending)) & names
                shares.append(len(own & story) / len(own))
    assert sum(shares) / len(shares) >= 0.5


def test_rows_of_a_question_and_of_its_endings_alone(questions):
    ids, segments = bert_swag.item_rows(questions)
    assert ids.shape[:2] == (300, 4)
    row, segment = ids[0, 0].tolist(), segments[0, 0].tolist()
    n = len(questions.contexts[0])
    assert row[: n + 2] == [CLS, *questions.contexts[0], SEP]
    assert segment[: n + 2] == [0] * (n + 2)
    alone, _ = bert_swag.item_rows(questions, alone=True)
    assert alone[0, 0, :2].tolist() == [CLS, SEP]
    assert alone.shape[2] == ids.shape[2] - max(map(len, questions.contexts))


def test_readers_are_of_about_one_size():
    sizes = {
        name: sum(p.numel() for p in model.parameters())
        for name, model in {
            "bag": bert_swag.BagOfWords(bert_swag.SIZE["vocab_size"], bert_swag.SIZE["width"]),
            "lstm": bert_swag.LSTM(bert_swag.SIZE["vocab_size"], bert_swag.SIZE["width"]),
            "gpt": bert_swag.DoubleHeads(bert_swag.GPT(bert_swag.GPTConfig(**bert_swag.SIZE, norm="post"))),
            "bert": bert_swag.BertChoice(bert_swag.Bert(bert_swag.BertConfig(**bert_swag.SIZE))),
        }.items()
    }
    assert max(sizes.values()) / min(sizes.values()) < 1.15, sizes


@pytest.mark.parametrize("kind", ["bag", "lstm", "gpt", "bert"])
def test_scores_do_not_depend_on_padding_or_on_the_other_endings(kind):
    torch.manual_seed(0)
    size = bert_swag.SIZE | SMALL
    model = {
        "bag": lambda: bert_swag.BagOfWords(size["vocab_size"], 16),
        "lstm": lambda: bert_swag.LSTM(size["vocab_size"], 16),
        "gpt": lambda: bert_swag.DoubleHeads(bert_swag.GPT(bert_swag.GPTConfig(**size))),
        "bert": lambda: bert_swag.BertChoice(bert_swag.Bert(bert_swag.BertConfig(**size))),
    }[kind]().eval()
    ids, segments = bert_swag.item_rows(bert_swag.items(3, seed=1))
    before = bert_swag.scores(model, ids, segments)
    assert before.std() > 0
    more = torch.nn.functional.pad(ids, (0, 3), value=PAD), torch.nn.functional.pad(segments, (0, 3))
    torch.testing.assert_close(bert_swag.scores(model, *more), before, atol=1e-5, rtol=1e-4)
    turned = bert_swag.scores(model, ids.flip(1), segments.flip(1)).flip(1)
    torch.testing.assert_close(turned, before, atol=1e-5, rtol=1e-4)


# --- nsp


def test_nsp_runs(monkeypatch):
    monkeypatch.setattr(bert_nsp, "CONFIG", replace(bert_nsp.CONFIG, **SMALL))
    monkeypatch.setattr(bert_nsp, "SETTINGS", QUICK)
    monkeypatch.setattr(bert_nsp, "TEXTS", 200)
    monkeypatch.setattr(bert_nsp, "ASKED", 100)
    rows = bert_nsp.run(1)
    check(bert_nsp, rows, 1)
    values = {row.variant: row.value for row in rows}
    assert values["overlap of nouns and colours"] > 0.9
    assert values["overlap of nouns"] > 0.85


def test_overlap_counts_what_b_shares_with_a():
    ids = torch.tensor([[CLS, 10, 11, SEP, 10, 12, SEP, PAD], [CLS, 10, 11, SEP, 10, 11, SEP, PAD]])
    segments = torch.tensor([[0, 0, 0, 0, 1, 1, 1, 0]] * 2)
    counted = torch.zeros(20, dtype=torch.bool)
    counted[10:13] = True
    assert bert_nsp.overlap(ids, segments, counted).tolist() == [0.5, 1.0]


def test_the_threshold_is_the_best_one_and_may_say_never():
    shares = torch.tensor([0.1, 0.2, 0.8, 0.9])
    assert bert_nsp.best_threshold(shares, torch.tensor([1, 1, 0, 0])) == pytest.approx(0.8)
    assert bert_nsp.best_threshold(shares, torch.tensor([1, 1, 1, 1])) == 2.0


def test_in_nsp_b_has_one_form_and_half_follow():
    ids, segments, follows = bert_nsp.nsp_pairs(500, seed=3)
    known = words()
    for row, segment in zip(ids.tolist(), segments.tolist(), strict=True):
        b = known.pieces(i for i, s in zip(row, segment, strict=True) if s)
        assert b[0] == "the"
        assert b[2:4] == ["is", "still"]
    assert abs(float((follows == IS_NEXT).float().mean()) - 0.5) < 0.08


# --- masking


def test_masking_runs(monkeypatch):
    monkeypatch.setattr(bert_masking, "CONFIG", replace(bert_masking.CONFIG, **SMALL))
    for name in ("SETTINGS", "PROBE", "TUNE"):
        monkeypatch.setattr(bert_masking, name, QUICK)
    for name in ("TEXTS", "LEARNT", "ASKED"):
        monkeypatch.setattr(bert_masking, name, 60)
    rows = bert_masking.run(4)
    check(bert_masking, rows, 4)


def test_the_word_asked_about_stands_where_no_colour_does():
    ids, places, colours = bert_masking.texts(300, seed=2)
    known = words()
    for row, at, colour in zip(ids.tolist(), places.tolist(), colours.tolist(), strict=True):
        sentence = known.decode(row[at - 1 : at + 3])
        noun, name = known.words[row[at]], COLOUR_NAMES[colour]
        assert sentence.split()[2].rstrip(".") in bert_masking.EVENTS
        story = known.decode(row)
        assert f"the {noun} turns {name}." in story
        assert f"the {noun} is still" not in story
    assert max(Counter(colours.tolist()).values()) < 60


def test_a_probe_reads_what_is_there_and_nothing_else():
    torch.manual_seed(0)

    class Reader(torch.nn.Module):
        def states(self, ids, at):
            return torch.nn.functional.one_hot(ids[:, 0], 12).float()

    ids = torch.randint(10, (400, 1))
    at = torch.zeros(400, dtype=torch.long)
    known = (ids[:300], at[:300], ids[:300, 0]), (ids[300:], at[300:], ids[300:, 0])
    assert bert_masking.frozen_accuracy(Reader(), *known, seed=0) == 1.0
    noise = torch.randint(10, (400,))
    blind = (ids[:300], at[:300], noise[:300]), (ids[300:], at[300:], noise[300:])
    assert bert_masking.frozen_accuracy(Reader(), *blind, seed=0) < 0.3
