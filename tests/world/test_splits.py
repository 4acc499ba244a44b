"""The splits are balanced, and training never shows what is kept back."""

from collections import Counter

import pytest
import torch

from lecture10.world import pairs, sample, split_of, split_of_relation, triples
from lecture10.world import splits as s
from lecture10.world import vocabulary as v


def test_pairs_are_a_balanced_partition():
    """80/10/10 %: each noun keeps one colour for dev and one for test, each colour three nouns for either."""
    assert [len(pairs(name)) for name in s.SPLITS] == [240, 30, 30]
    assert len(set(pairs("all"))) == 300
    for name in ("dev", "test"):
        nouns, colours = zip(*pairs(name), strict=True)
        assert set(Counter(nouns).values()) == {1}
        assert set(Counter(colours).values()) == {3}
    assert {n for n, _ in pairs("train")} == set(v.NOUNS)
    assert {c for _, c in pairs("train")} == set(v.COLOUR_NAMES)


def test_the_lectures_prompts_are_unseen():
    """What the lecture marvels at is measured, not trained on."""
    assert split_of("bear", "blue") == split_of("pizza", "blue") == "test"
    assert split_of_relation("horse", "riding", "astronaut") == "test"
    assert split_of_relation("astronaut", "riding", "horse") == "train"
    assert split_of_relation("bear", "riding", "skateboard") == "test"
    assert split_of_relation("glass", "on", "dog") == "test"


def test_inverse_relations_share_a_split():
    """'a left of b' and 'b right of a' are one fact; a noun and itself are always allowed."""
    for i in v.NOUNS:
        for relation, inverse in v.INVERSE.items():
            assert split_of_relation(i, relation, i) == "train"
            for j in v.NOUNS:
                assert split_of_relation(i, relation, j) == split_of_relation(j, inverse, i)


def test_triples_are_kept_back_in_the_shares_stated():
    """About a tenth of riding and on, a twenty-fifth of directions;
    every rider and mount stays in training.
    """
    assert (len(triples("riding", "dev")), len(triples("riding", "test"))) == (10, 10)
    for relation, low, high in (("on", 0.08, 0.12), ("left of", 0.03, 0.05), ("above", 0.03, 0.05)):
        for name in ("dev", "test"):
            assert low < len(triples(relation, name)) / 900 < high
    riders, mounts = zip(*triples("riding", "train"), strict=True)
    assert set(riders) == set(v.RIDERS)
    assert set(mounts) == set(v.MOUNTS)


@pytest.mark.parametrize("knobs", [{}, {"things": (2, 6), "related": 1.0}, {"things": 6, "overlap": 0.3}])
def test_training_scenes_show_nothing_kept_back(knobs):
    """No held-out pair is drawn; no two things stand in a held-out direction,
    stated or not (checked by hand).
    """
    batch = sample(400, 5, **knobs)
    for scene in batch:
        assert all(split_of(t.noun, t.colour) == "train" for t in scene.things)
        stated = {(i, j): r for i, r, j in scene.relations}
        assert all(
            split_of_relation(scene.things[i].noun, r, scene.things[j].noun) == "train"
            for (i, j), r in stated.items()
        )
        touching = {frozenset(ij) for ij, r in stated.items() if r in v.CONTACTS}
        for i, a in enumerate(scene.things):
            for j, b in enumerate(scene.things):
                dx, dy = a.x - b.x, a.y - b.y
                if i == j or frozenset((i, j)) in touching or max(abs(dx), abs(dy)) < 0.1:
                    continue
                seen = (
                    ("left of" if dx < 0 else "right of")
                    if abs(dx) >= abs(dy)
                    else "above"
                    if dy < 0
                    else "below"
                )
                assert split_of_relation(a.noun, seen, b.noun) == "train", scene


def test_measuring_draws_what_is_kept_back():
    """split="test" draws test pairs only; relation_split="test" test triples only."""
    batch = sample(200, 6, split="test", relation_split="test", things=2, related=1.0, nouns=v.NOUNS)
    table = s.pair_table()
    assert (table[batch.noun[:, :2], batch.colour[:, :2]] == 2).all()
    i, r, j = batch.relation[:, 0].unbind(-1)
    rows = torch.arange(len(batch))
    assert (s.relation_table()[batch.noun[rows, i], r, batch.noun[rows, j]] == 2).all()
