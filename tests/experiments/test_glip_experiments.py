"""GLIP's experiments measure what they say: pairs never seen, equal data, prompts that need pictures."""

import pytest
import torch

from lecture10.experiments import _glip_small as small
from lecture10.experiments import glip_data, glip_fusion, glip_heads
from lecture10.models.glip import GLIP, GLIPConfig
from lecture10.models.grounding import assign
from lecture10.recipes import glip_scores as scores
from lecture10.recipes.glip import TWINS
from lecture10.recipes.grounding import refers
from lecture10.training import TrainSettings
from lecture10.world.splits import split_of

FEW = TrainSettings(steps=2, lr=1e-3)


@pytest.fixture(scope="module")
def pool():
    return small.drawn(30, 4, things=(1, 4))


def test_training_categories_are_training_pairs_and_new_ones_are_not():
    for name in glip_heads.CLASS_NAMES:
        assert split_of(name.split()[1], name.split()[0]) == "train"
    assert not set(small.names("test")) & set(glip_heads.CLASS_NAMES)
    assert {name.split()[1] for name in small.names("test")} == set(small.NOUNS)


def test_labels_are_the_classes_of_the_things(pool):
    roll = torch.Generator().manual_seed(1)
    _, boxes, labels = glip_heads.Labelled(pool, 10)(roll)
    rows = torch.randint(len(pool), (10,), generator=torch.Generator().manual_seed(1))
    for at, row in enumerate(rows.tolist()):
        assert torch.equal(boxes[at], pool.boxes[row])
        for thing in pool.things(row):
            assert glip_heads.CLASS_NAMES[labels[at, thing.number]] == thing.name


def test_a_perfect_class_head_has_a_small_loss_and_a_wrong_one_a_large(pool):
    class Knows(torch.nn.Module):
        config = GLIPConfig(classes=len(glip_heads.CLASS_NAMES))

        def __init__(self, S, boxes):
            super().__init__()
            self.S, self.boxes = S, boxes

        def forward(self, image):
            return self.S, self.boxes

    batch = glip_heads.Labelled(pool, 6)(torch.Generator().manual_seed(2))
    owner = assign(batch[1], 8)
    S = torch.full((6, 64, len(glip_heads.CLASS_NAMES)), -20.0)
    boxes = torch.zeros(6, 64, 4) + torch.tensor([0.1, 0.1, 0.3, 0.3])
    for b, n in (owner >= 0).nonzero().tolist():
        S[b, n, batch[2][b, owner[b, n]]] = 20.0
        boxes[b, n] = batch[1][b, owner[b, n]]
    assert float(glip_heads.class_loss(Knows(S, boxes), batch)) < 1e-3
    assert float(glip_heads.class_loss(Knows(-S, boxes), batch)) > 10


def test_what_is_not_asked_counts_nothing_for_either_head(pool):
    torch.manual_seed(0)
    names = list(glip_heads.CLASS_NAMES)
    prompts = scores.eight_each(pool, names, 3)
    words = scores.asked_eight(GLIP(small.SEPARATE).eval(), pool, prompts, names)[1]
    heads = GLIP(GLIPConfig(fusion=False, classes=len(names))).eval()
    classes = small.classes_asked(heads, pool, prompts, names)[1]
    for b, prompt in enumerate(prompts):
        asked = torch.tensor([name in prompt for name in names])
        assert asked.sum() == 8
        for found in (words, classes):
            assert (found[b][:, asked] > 0).all()
            assert (found[b][:, ~asked] == 0).all()


def test_precision_is_one_for_the_truth_and_less_where_a_thing_is_missed(pool):
    names = list(glip_heads.CLASS_NAMES)
    called = scores.names_of(pool)
    boxes, found = torch.zeros(len(pool), 6, 4), torch.zeros(len(pool), 6, len(names))
    for b, some in enumerate(called):
        for thing, name in zip(pool.things(b), some, strict=True):
            boxes[b, thing.number] = pool.boxes[b, thing.number]
            found[b, thing.number, names.index(name)] = 0.9
    assert scores.precision(boxes, found, pool, names, called)["AP"] == pytest.approx(1)
    found[:, 0] = 0
    assert scores.precision(boxes, found, pool, names, called)["AP"] < 0.9


def test_rare_nouns_are_rare_in_the_boxes_and_even_in_the_captions(monkeypatch):
    monkeypatch.setattr(glip_data, "SCENES", 320)
    boxes = glip_data.long_tailed(0)
    rare = [any(t.noun in glip_data.RARE for t in boxes.things(b)) for b in range(len(boxes))]
    assert sum(rare) == 10
    assert set(glip_data.RARE) < set(small.NOUNS)


def test_a_mixed_batch_has_as_many_pictures_and_keeps_every_phrase(pool):
    mixed = glip_data.Mixed(pool, pool, 8)(torch.Generator().manual_seed(0))
    assert len(mixed["image"]) == len(mixed["ids"]) == 8
    assert mixed["phrase_tokens"].shape[1:] == (mixed["speaks"].shape[2], mixed["ids"].shape[1])
    assert not (mixed["phrase_tokens"].any(1) & ~mixed["real"]).any()
    assert mixed["speaks"][4:].any()


def test_hard_phrases_cannot_be_told_by_side_or_noun_alone():
    pool = small.drawn(80, 6, **TWINS)
    sides = {"left": min, "right": max, "upper": min, "lower": max}
    asked = 0
    for b in range(len(pool)):
        things = {t.number: t for t in pool.things(b)}
        for prompt in refers(list(things.values()), hard=True)["place"]:
            side, noun = prompt.text.removeprefix("the ").rstrip(".").split()
            meant = things[prompt.things[0][0]]
            alike = [t for t in things.values() if t.noun == noun]
            axis = "x" if side in ("left", "right") else "y"
            assert len(alike) == 2
            assert sides[side](getattr(t, axis) for t in alike) == getattr(meant, axis)
            assert sides[side](getattr(t, axis) for t in things.values()) != getattr(meant, axis)
            asked += 1
    assert asked > 10


def test_a_run_gives_every_row_its_claims_ask_for(monkeypatch):
    sizes = {"SETTINGS": FEW, "LONGER": FEW, "SCENES": 64, "PICTURES": 16, "TEST_PICTURES": 40}
    for module in (small, glip_heads, glip_fusion, glip_data):
        for name, value in sizes.items():
            if hasattr(module, name):
                monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(small.trained, "__defaults__", (FEW,))
    for module in (glip_heads, glip_fusion, glip_data):
        rows = module.run(0)
        for claim in module.CLAIMS:
            assert claim.effects(rows)[0]
    new = {r.value for r in glip_heads.run(0) if (r.variant, r.metric) == ("class head", "AP50, new pairs")}
    assert new == {0.0}
