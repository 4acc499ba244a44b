"""What the judge learns from is the pictures' truth."""

from dataclasses import replace

import pytest
import torch

from lecture10.judge.lessons import (
    HIDDEN,
    Lessons,
    blur,
    draw_scenes,
    hybrids,
    shots,
    spoil,
    to_side,
    truth,
)
from lecture10.judge.model import CELLS, NO_COLOUR
from lecture10.world import Scene, Thing, render, sample, scene, splits
from lecture10.world import vocabulary as v


def test_a_batch_holds_what_was_asked_for_and_its_generator_decides():
    lessons = Lessons(sharp=6, coarse=3, hybrid=3)
    one, again, other = (lessons(torch.Generator().manual_seed(s)) for s in (0, 0, 1))
    assert one["image"].shape == (12, 3, 64, 64)
    assert 0 <= one["image"].min() <= one["image"].max() <= 1
    assert all(len(t) == 12 for t in one.values())
    assert all(torch.equal(one[name], again[name]) for name in one)
    assert not torch.equal(one["image"], other["image"])


def test_truth_is_the_scenes():
    one = scene("a small striped red cat", "a large blue book", relation="left of", backdrop="snow")
    batch = truth(render(one, 64))
    assert batch["there"].tolist() == [[True, True, False, False, False, False]]
    assert [v.NOUNS[n] for n in batch["noun"][0, :2].tolist()] == ["cat", "book"]
    assert [v.COLOUR_NAMES[n] for n in batch["colour"][0, :2].tolist()] == ["red", "blue"]
    assert [v.MATERIALS[n] for n in batch["material"][0, :2].tolist()] == ["striped", "plain"]
    assert [v.SIZE_NAMES[n] for n in batch["size"][0, :2].tolist()] == ["small", "large"]
    assert v.BACKDROPS[int(batch["backdrop"])] == "snow"
    placed = one.placed()
    for k in (0, 1):
        assert batch["x"][0, k] == pytest.approx(placed.things[k].x, abs=1e-4)
        assert int(batch["column"][0, k]) == int(placed.things[k].x * CELLS)


def test_a_sketch_has_no_colour():
    batch = truth(render(scene("a red cat", style="sketch"), 64))
    assert batch["colour"][0, 0] == NO_COLOUR


def test_what_is_covered_is_hidden():
    small = Thing("coin", "red", size="small", x=0.5, y=0.5)
    batch = truth(render(Scene((small, Thing("cube", "blue", x=0.5, y=0.5))), 64))
    assert batch["there"][0, :2].tolist() == [False, True]
    assert batch["hidden"][0, :2].tolist() == [True, False]
    assert HIDDEN > 0


def test_hybrids_hold_two_words_at_the_same_places():
    rng = torch.Generator().manual_seed(2)
    batch = hybrids(draw_scenes(40, rng), rng)
    there = batch["there"]
    changed = {name: (batch[name] != batch[f"{name}2"])[there].float().mean() for name in ("noun", "size")}
    assert 0.3 < changed["noun"] < 0.6
    assert changed["size"] == 0
    assert 0.2 < batch["share"].mean() < 0.8


def test_some_pictures_are_empty():
    rng = torch.Generator().manual_seed(1)
    batch = shots(draw_scenes(300, rng), 32, rng)
    empty = (~(batch["there"] | batch["hidden"])).all(1)
    assert 6 <= empty.sum() <= 40


def test_all_pairs_are_drawn():
    """Dev and test pairs too: the judge alone sees all."""
    rng = torch.Generator().manual_seed(5)
    batch = shots(draw_scenes(400, rng), 32, rng)
    pairs = zip(batch["noun"][batch["there"]].tolist(), batch["colour"][batch["there"]].tolist(), strict=True)
    drawn = {splits.split_of(v.NOUNS[n], v.COLOUR_NAMES[c]) for n, c in pairs if c < NO_COLOUR}
    assert drawn == {"train", "dev", "test"}


def test_blur_keeps_the_mean_and_smooths():
    images = torch.rand(2, 3, 32, 32)
    smooth = blur(images, 1.5)
    assert smooth.mean() == pytest.approx(float(images.mean()), abs=0.01)
    assert smooth.diff().abs().mean() < 0.3 * images.diff().abs().mean()


def test_half_of_the_pictures_stay_as_they_are():
    images = render(sample(40, 1), 32).image
    same = (spoil(images, torch.Generator().manual_seed(0)) == images).flatten(1).all(1)
    assert 18 <= same.sum() <= 22


@pytest.mark.parametrize("size", [16, 32, 64, 128])
def test_pictures_of_any_size_come_to_64(size):
    one = replace(scene("a red cube"), seed=1)
    small = to_side(render(one, size).image)
    assert small.shape == (1, 3, 64, 64)
    assert (small - render(one, 64).image).abs().mean() < 0.06
