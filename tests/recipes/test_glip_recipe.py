"""The recipe behind the shipped GLIP: prompts whose phrases know tokens and things, batches, measures."""

import random

import pytest
import torch

from lecture10.models.glip import GLIP, PRESETS
from lecture10.models.grounding import assign
from lecture10.paths import data_path
from lecture10.recipes import glip as recipe
from lecture10.recipes import grounding as words
from lecture10.recipes.glip_scores import detection
from lecture10.recipes.grounding import Batches, Seen, ask, categories, joined, painted, refers, told
from lecture10.tokenizer import tokenizer
from lecture10.training import TrainSettings
from lecture10.training.cards import load_weights, read_card
from lecture10.world.splits import pairs, split_of

FEW = painted(24, 5, 32, things=(1, 4), repeat=0.4)


def tokens_of(asked, row, phrase):
    return tokenizer("captions").decode(asked.ids[row][asked.phrase_tokens[row, phrase]].tolist()).strip()


def dice(seed=0):
    return random.Random(seed)


# --- prompts and tokens -----------------------------------------------------------------------------------


def test_a_phrases_tokens_spell_the_phrase_in_every_kind_of_prompt():
    for writer in (categories, told, words.referring):
        prompts = writer(FEW, list(range(24)), dice())
        asked = ask(prompts, 96)
        for row, prompt in enumerate(prompts):
            for k, (start, end) in enumerate(prompt.spans):
                assert tokens_of(asked, row, k) == prompt.text[start:end].lower()
            assert not asked.phrase_tokens[row, len(prompt.spans) :].any()
            assert not (asked.phrase_tokens[row].any(0) & ~asked.real[row]).any()


def test_words_of_several_tokens_are_positive_as_a_whole_and_stops_never():
    asked = ask([["a five-pointed star", "hexahedron"]])
    assert int(asked.phrase_tokens[0, 0].sum()) > 4
    assert tokens_of(asked, 0, 1) == "hexahedron"
    outside = asked.ids[0][~asked.phrase_tokens[0].any(0) & asked.real[0]].tolist()
    assert {tokenizer("captions").decode([i]) for i in outside} == {"."}


def test_capitals_and_stops_of_a_learner_are_cleaned():
    prompt = joined(["A  Blue Bear.", "a RED ball"])
    assert prompt.text == "a blue bear. a red ball."
    assert [prompt.text[a:b] for a, b in prompt.spans] == ["a blue bear", "a red ball"]


def test_what_cannot_be_asked_is_said():
    with pytest.raises(ValueError, match="no phrase is asked for"):
        joined([])
    with pytest.raises(ValueError, match=r"phrase 1 is empty \(' . '\)"):
        joined(["a cat", " . "])
    with pytest.raises(ValueError, match="the context is 8: ask fewer phrases"):
        ask([["a blue bear", "a red ball", "a teal cat"]], context=8)
    assert words.strangers("a panda on the left of a blue bear") == ["panda"]
    assert words.strangers("a goblet, a five-pointed star") == []


# --- who is meant -----------------------------------------------------------------------------------------


def test_categories_name_every_thing_once_among_eight_and_absent_ones_speak_of_nobody():
    for row, prompt in enumerate(categories(FEW, list(range(24)), dice())):
        names = [prompt.text[a:b] for a, b in prompt.spans]
        assert len(names) == len(set(names)) == 8
        seen = FEW.things(row)
        for name, numbers in zip(names, prompt.things, strict=True):
            assert numbers == tuple(t.number for t in seen if t.name == name)
            colour, noun = name.split()
            assert split_of(noun, colour) == "train"


def test_captions_phrases_speak_of_the_things_that_they_name():
    for row, prompt in enumerate(told(FEW, list(range(24)), dice())):
        assert prompt.things
        present = {t.number for t in FEW.things(row)}
        for (start, end), numbers in zip(prompt.spans, prompt.things, strict=True):
            assert prompt.text[start:end]
            assert set(numbers) <= present | set(range(int(FEW.scenes.count[row])))


BALLS = [Seen(0, "ball", "red", 0.3, 0.5), Seen(1, "ball", "red", 0.7, 0.5), Seen(2, "cat", "blue", 0.5, 0.5)]


def said(found, kind):
    return {p.text: p.things[0] for p in found[kind]}


def test_sides_of_twins_and_relations_to_a_third():
    found = refers(BALLS)
    assert said(found, "place") == {"the left ball.": (0,), "the right ball.": (1,)}
    assert said(found, "relation") == {"the ball left of the cat.": (0,), "the ball right of the cat.": (1,)}
    assert said(found, "plain") == {"the blue cat.": (2,)}


def test_hard_ones_are_not_the_outermost():
    assert not refers(BALLS, hard=True)["place"]
    further = [*BALLS, Seen(3, "dog", "gray", 0.1, 0.5)]
    found = refers(further, hard=True)
    assert said(found, "place") == {"the left ball.": (0,)}
    assert said(found, "relation") == {"the ball left of the cat.": (0,)}


def test_three_of_a_kind_have_no_left_one_and_near_ones_no_side():
    three = [*BALLS[:2], Seen(2, "ball", "blue", 0.5, 0.2)]
    assert not any(refers(three).values())
    near = [Seen(0, "ball", "red", 0.5, 0.3), Seen(1, "ball", "red", 0.55, 0.7)]
    assert set(said(refers(near), "place")) == {"the upper ball.", "the lower ball."}


# --- batches ----------------------------------------------------------------------------------------------


def test_a_regions_target_are_the_tokens_of_the_phrases_of_its_thing():
    batch = Batches(FEW, (categories, told), 8, 96)(torch.Generator().manual_seed(1))
    owner, target = words.targets(batch, 4)
    assert torch.equal(owner, assign(batch["boxes"], 4))
    assert set(target.unique().tolist()) <= {0.0, 1.0}
    for b in range(8):
        for n in range(16):
            wanted = torch.zeros(target.shape[2], dtype=torch.bool)
            if owner[b, n] >= 0:
                for k in batch["speaks"][b, owner[b, n]].nonzero()[:, 0]:
                    wanted |= batch["phrase_tokens"][b, k]
            assert torch.equal(target[b, n].bool(), wanted)


def test_the_seed_decides_a_batch():
    source = Batches(FEW, (categories, words.referring), 6)
    one, again, other = (source(torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    assert all(torch.equal(one[k], again[k]) for k in one)
    assert not torch.equal(one["image"], other["image"])


# --- the model --------------------------------------------------------------------------------------------


def test_it_learns_and_its_seed_decides():
    settings = TrainSettings(steps=12, lr=5e-3)
    source = Batches(FEW, (categories,), 8, 64)
    runs = [recipe.learn(PRESETS["tiny"], settings, batches=source, seed=s, quiet=True) for s in (0, 0, 1)]
    (one, history), (again, _), (other, _) = runs
    assert history.last("loss") < history.records[0]["loss"]
    assert torch.equal(one.to_word.weight, again.to_word.weight)
    assert not torch.equal(one.to_word.weight, other.to_word.weight)


def test_grounding_returns_a_score_a_phrase_and_the_order_of_pictures_does_not_matter():
    torch.manual_seed(0)
    model = GLIP(PRESETS["tiny"]).eval()
    images = FEW.pictures(torch.arange(3))
    prompts = [["a cat"], ["a dog", "a blue bear", "a cup"], ["a fish", "a hat"]]
    found = recipe.ground(model, images, prompts)
    assert [scores.shape[1] for _, scores in found] == [1, 3, 2]
    back = recipe.ground(model, images.flip(0), prompts[::-1], part=2)[::-1]
    for (boxes, scores), (same, alike) in zip(found, back, strict=True):
        assert torch.allclose(boxes, same, atol=1e-5)
        assert torch.allclose(scores, alike, atol=1e-5)
    assert len(recipe.detect(model, images, ["a cat"], least=0.999)[0].boxes) == 0


def test_the_best_box_is_judged_by_its_overlap():
    class Pointer(torch.nn.Module):
        """Finds one box, the same for every phrase."""

        config = PRESETS["tiny"]

        def __init__(self, box):
            super().__init__()
            self.box = torch.nn.Parameter(torch.tensor(box))

        def forward(self, images, ids, real):
            return torch.zeros(len(images), 1, ids.shape[1]), self.box.expand(len(images), 1, 4)

    boxes = torch.zeros(1, 6, 4)
    boxes[0, 0], boxes[0, 1] = torch.tensor([0.1, 0.1, 0.5, 0.5]), torch.tensor([0.6, 0.6, 0.9, 0.9])
    prompts = [joined(["the cat"], [[0]])]
    image = torch.zeros(1, 3, 32, 32)
    for box, right in (
        ((0.1, 0.1, 0.5, 0.5), True),
        ((0.6, 0.6, 0.9, 0.9), False),
        ((0.1, 0.1, 0.5, 0.28), False),
    ):
        assert recipe.best_is_right(Pointer(box), image, boxes, prompts).tolist() == [right]


# --- what is shipped --------------------------------------------------------------------------------------


def test_shipping_writes_rounded_weights_with_a_card(tmp_path):
    source = Batches(FEW, (categories,), 8, 64)
    how = {"batches": source, "quiet": True}
    model, history = recipe.learn(PRESETS["tiny"], TrainSettings(steps=2), **how)
    card = recipe.ship(model, tmp_path / "glip", seed=0, steps=history.done, minutes=0.1, n=60)
    assert read_card(tmp_path / "glip") == card
    assert {"train_AP50_of_8", "test_AP50_of_8", "place", "relation", "plain"} < card.metrics.keys()
    back = GLIP(PRESETS["tiny"])
    load_weights(back, tmp_path / "glip", architecture="glip", data_version=recipe.DATA)
    assert torch.equal(back.to_word.weight, model.to_word.weight)


def test_an_interrupted_run_ships_nothing(tmp_path, monkeypatch):
    history = recipe.History()
    history.interrupted = True
    monkeypatch.setattr(recipe, "learn", lambda **how: (GLIP(PRESETS["tiny"]), history))
    with pytest.raises(KeyboardInterrupt, match="nothing was shipped"):
        recipe.build(tmp_path / "glip")
    assert not list(tmp_path.iterdir())


def test_the_shipped_glip_finds_pairs_that_it_never_met_as_its_card_says():
    said = read_card(data_path("checkpoints/glip.json")).metrics["dev_AP50_of_8"]
    assert data_path("checkpoints/glip.safetensors").stat().st_size < 3e6
    pool = painted(120, 77_000, things=(1, 3), split="dev")
    names = [f"{colour} {noun}" for noun, colour in pairs("dev")]
    assert abs(detection(recipe.load("cpu"), pool, names)["AP50"] - said) < 0.1
