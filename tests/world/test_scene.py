"""Scenes are written in one line, compared, hashed, stored, and refused with a cure."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture10.world import Scene, SceneBatch, Thing, sample, scene, thing
from lecture10.world import vocabulary as v


def test_one_line_says_it_all():
    """The two ways of writing agree, and a repr can be read."""
    by_hand = scene("a blue bear", "a small striped brown bird", relation="left of")
    same = Scene.of("blue bear", "small striped brown bird", relations=[(0, "left of", 1)])
    assert by_hand == same
    assert hash(by_hand) == hash(same)
    assert (
        repr(by_hand)
        == "Scene('large blue bear', 'small striped brown bird', relations=((0, 'left of', 1),))"
    )
    assert thing("a red sign that says 'NeurIPS'") == Thing("sign", "red", text="NeurIPS")
    assert repr(thing("a red ball", x=0.5, y=0.4)) == "Thing('large red ball', x=0.5, y=0.4)"


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_json_and_tensors_give_the_scene_back(seed):
    """Scene → JSON → Scene and batch → scenes → batch lose nothing."""
    batch = sample(4, seed, things=(1, 6), styles=v.STYLES, split="all")
    scenes = list(batch)
    assert [Scene.from_json(s.to_json()) for s in scenes] == scenes
    again = SceneBatch.from_scenes(scenes)
    for name in (
        "noun",
        "colour",
        "material",
        "size",
        "text",
        "relation",
        "backdrop",
        "style",
        "seed",
        "layer",
    ):
        assert (getattr(again, name) == getattr(batch, name)).all(), name
    for name in ("x", "y", "rotation"):
        assert (getattr(again, name) - getattr(batch, name)).abs().max() < 1e-6
    assert list(again) == scenes


BAD = {
    "did you mean 'bear'": lambda: scene("a blue bera"),
    "did you mean 'purple'": lambda: scene("a purpel ball"),
    "names two of colour": lambda: scene("a red blue ball"),
    "names no noun": lambda: scene("a small blue"),
    "scene is empty": lambda: scene(),
    "7 things; 6 at most": lambda: scene(*["a small red ball"] * 7),
    "did you mean 'left of'": lambda: scene("a red ball", "a blue cube", relation="lef of"),
    "needs two things": lambda: scene("a red ball", relation="on"),
    "cannot be drawn riding": lambda: scene("a red house", "a blue bear", relation="riding"),
    "needs two different things": lambda: Scene.of("red ball", "blue ball", relations=[(0, "on", 0)]),
    "did you mean 'grass'": lambda: scene("a red ball", backdrop="gras"),
    "did you mean 'photo'": lambda: scene("a red ball", style="photos"),
    "would stick out of the picture": lambda: scene(thing("a red ball", x=0.1, y=0.5)),
    "only one of x and y": lambda: thing("a red ball", x=0.5),
    "only a sign can": lambda: thing("a red ball that says 'hi'"),
    "shorten the text": lambda: thing("a red sign that says 'much too long'"),
    "font has no '!'": lambda: thing("a red sign that says 'hi!'"),
    "give degrees": lambda: thing("a red ball", rotation=1000),
    "no scene of world version": lambda: Scene.from_json('{"things": [{"nuon": "ball"}]}'),
    "at least one scene": lambda: SceneBatch.from_scenes([]),
    "seed": lambda: scene("a red ball", seed=-1),
}


@pytest.mark.parametrize("says", BAD)
def test_what_cannot_be_drawn_is_refused_with_a_cure(says):
    """Every bad input is a ValueError that says what is wrong and what to do."""
    with pytest.raises(ValueError, match=re.escape(says)):
        BAD[says]()


def test_a_batch_can_be_cut_and_joined():
    """Slices, lists and cat keep rows as they are."""
    batch = sample(6, 3)
    assert list(SceneBatch.cat([batch[:2], batch[[2, 3, 4, 5]]])) == list(batch)
    assert batch[-1] == batch[5]
    with pytest.raises(IndexError):
        batch[6]
