"""Hand-written scenes are placed tidily, obey their relations, and say when they cannot."""

from dataclasses import replace
from itertools import pairwise

import pytest

from lecture10.world import Scene, render, scene
from lecture10.world import vocabulary as v
from lecture10.world.cast import footprint
from lecture10.world.facts import scene_of
from lecture10.world.layout import _check_relations


@pytest.mark.parametrize("relation", v.RELATIONS)
@pytest.mark.parametrize("sizes", ["large large", "small large", "large small", "small small"])
def test_every_relation_holds_at_every_size(relation, sizes):
    """The places found satisfy the same check that places given by hand must pass."""
    first, second = sizes.split()
    placed = scene(f"{first} blue bear", f"{second} brown horse", relation=relation).placed()
    _check_relations(placed)
    for t in placed.things:
        w, h = footprint(t.noun, t.size)
        assert w / 2 <= t.x <= 1 - w / 2
        assert h / 2 <= t.y <= 1 - h / 2


def test_directions_mean_what_they_say():
    """Left is smaller x, above is smaller y; what is on a thing touches it from above; places are kept."""
    a, b = scene("red ball", "blue cube", relation="left of").placed().things
    assert a.x < b.x
    a, b = scene("red ball", "blue cube", relation="below").placed().things
    assert a.y > b.y
    a, b = scene("small red book", "blue table", relation="on").placed().things
    top_of_table = b.y - footprint("table", "large")[1] / 2
    assert top_of_table < a.y + footprint("book", "small")[1] / 2 < b.y
    fixed = Scene((scene("red ball").placed().things[0], *scene("blue cube").things)).placed()
    assert (fixed.things[0].x, fixed.things[0].y) == (0.5, pytest.approx(0.56, abs=0.05))


def test_a_chain_of_relations_is_laid_out():
    """Several relations at once: a pile beside two others."""
    wanted = [(0, "on", 1), (1, "left of", 2), (3, "above", 2)]
    things = ["small gray cat", "small red table", "small green tree", "small yellow star"]
    placed = Scene.of(*things, relations=wanted).placed()
    _check_relations(placed)
    assert placed == Scene.of(*things, relations=wanted).placed()


@pytest.mark.parametrize(
    ("relations", "says"),
    [
        ([(0, "left of", 1), (1, "left of", 0)], "contradict each other"),
        ([(0, "left of", 1), (1, "left of", 2), (2, "left of", 0)], "contradict each other"),
        ([(0, "on", 1), (1, "on", 0)], "contradict each other"),
        ([(0, "on", 1), (0, "on", 2)], "on or riding two things"),
        ([(0, "on", 1), (0, "below", 1)], "contradict each other"),
    ],
)
def test_contradictions_are_named(relations, says):
    """Cycles and impossible pairs are told with the relations in them."""
    with pytest.raises(ValueError, match=says) as caught:
        Scene.of("small red ball", "small blue cube", "small green star", relations=relations)
    assert "drop" in str(caught.value)


def test_a_pile_taller_than_the_picture_is_refused():
    """Three large things do not stand on each other."""
    with pytest.raises(ValueError, match="larger than the picture: make something in it small"):
        Scene.of("red cube", "blue cube", "green cube", relations=[(0, "on", 1), (1, "on", 2)])


def test_places_that_belie_a_relation_are_refused():
    """A stated relation must be true of the places given."""
    left, right = scene("red ball", "blue cube", relation="left of").placed().things
    with pytest.raises(ValueError, match="is not right of"):
        Scene((left, right), relations=((0, "right of", 1),))


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("bearer", ["table", "dog", "book"])
def test_several_things_on_one_bearer_stand_side_by_side(n, bearer):
    """In order, at one height, apart by most of their width, over the bearer, none hidden."""
    relations = [(k, "on", n) for k in range(n)]
    placed = Scene.of(*["small teal glass"] * n, f"brown {bearer}", relations=relations).placed()
    *glasses, below = placed.things
    assert Scene(placed.things, relations=tuple(relations)) == placed  # passes the check of given places
    gaps = [b.x - a.x for a, b in pairwise(glasses)]
    assert min(gaps) > 0.6 * footprint("glass", "small")[0]
    assert len({g.y for g in glasses}) == 1
    assert all(abs(g.x - below.x) < footprint(bearer, "large")[0] for g in glasses)
    visible = render(placed, 64).visible[0, :n]
    assert visible.min() > 0.6


def test_prompts_with_several_things_are_drawn_tidily():
    """The lecture's "couple of glasses", and three animals in a row on the grass, all whole."""
    for prompt, things in (
        ("A couple of glasses are sitting on a table", 3),
        ("One cat and two dogs sitting on the grass", 3),
        ("three balls on a table", 4),
    ):
        placed = scene_of(prompt).placed()
        assert len({(t.x, t.y) for t in placed.things}) == len(placed.things) == things
        beings = [t for t in placed.things if t.noun != "table"]
        assert max(t.y for t in beings) - min(t.y for t in beings) < 0.12  # they stand, none floats
        assert render(placed, 64).visible[0, : len(beings)].min() > 0.85, prompt


def test_given_places_on_one_bearer_may_be_swapped_but_not_lifted():
    """What stands left and what right is free; standing beside the table is not on it."""
    relations = ((0, "on", 2), (1, "on", 2))
    placed = Scene.of("small red cup", "small blue cup", "brown table", relations=relations).placed()
    a, b, table = placed.things
    swapped = Scene((replace(a, x=b.x), replace(b, x=a.x), table), relations=relations)
    assert swapped.things[0].x == b.x
    with pytest.raises(ValueError, match="is not on the"):
        Scene((replace(a, y=a.y - 0.1), b, table), relations=relations)
