"""Targets are nested and large enough, clicks lie where they should, and the ceiling is arithmetic."""

import itertools

import numpy as np
import pytest
import torch

from lecture10.recipes.clicks import (
    LEAST,
    Clicks,
    box_of,
    ceiling,
    central_click,
    large_enough,
    levels_at,
    next_click,
    noisy_boxes,
)
from lecture10.world.render import render
from lecture10.world.scene import scene


@pytest.fixture(scope="module")
def batch():
    return Clicks(12, 4, 96, knobs={"things": (1, 2), "sizes": "large"})(torch.Generator().manual_seed(0))


def test_a_batch_is_drawn_alike_from_the_same_generator():
    draw = Clicks(3, 2, 64)
    one, again = (draw(torch.Generator().manual_seed(5)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one, again, strict=True))
    assert one.image.shape == (3, 3, 64, 64)
    assert len(one.row) == len(one.target) == len(one.point) == 6


def test_levels_are_nested_and_the_click_lies_in_all(batch):
    n = torch.arange(len(batch.row))
    x, y = batch.point.long().unbind(1)
    for level in range(3):
        there = batch.levels[:, level].any((1, 2)) if batch.levels.dtype == torch.bool else None
        assert batch.levels[n, level, y, x][there].all()
    for outer, inner in itertools.pairwise(range(3)):
        assert not (batch.levels[:, inner] & ~batch.levels[:, outer]).any()
    sizes = batch.levels.sum((-2, -1))
    assert (sizes[:, 1] <= 0.9 * sizes[:, 0]).all()
    assert torch.equal(batch.levels[n, batch.level], batch.target)
    assert {0, 1} <= set(batch.level.tolist())


def test_targets_are_six_pixels_wide_and_high(batch):
    for mask in batch.target.numpy():
        x0, y0, x1, y1 = box_of(mask)
        assert min(x1 - x0, y1 - y0) + 1 >= LEAST
    thin = np.zeros((20, 20), bool)
    thin[3, 2:18] = True
    assert not large_enough(thin)
    assert not large_enough(np.zeros((9, 9), bool))


def test_a_part_is_the_piece_that_was_clicked():
    picture = render(scene("a large brown bear"), 128, parts=True)
    feet = picture.part(0, 0, "foot").numpy()
    y, x = (int(c[0]) for c in feet.nonzero())
    whole, foot, *_ = levels_at(picture, 0, 0, y, x)
    assert foot.sum() < 0.7 * feet.sum()
    assert not (foot & ~feet).any()
    assert np.array_equal(whole, picture.masks[0, 0].numpy())


def test_the_ceiling_is_the_best_of_all_answers(batch):
    found = ceiling(batch.levels)
    for levels, value in zip(batch.levels, found.tolist(), strict=True):
        masks = [m for m in levels if m.any()]
        means = [np.mean([float((a & b).sum() / (a | b).sum()) for b in masks]) for a in masks]
        assert value == pytest.approx(max(means), abs=1e-6)
    square = torch.zeros(1, 3, 10, 10, dtype=torch.bool)
    square[0, 0], square[0, 1, :5, :5] = True, True
    assert ceiling(square).item() == pytest.approx((1 + 0.25) / 2)


def test_the_next_click_lies_in_the_error_and_says_what_is_wrong(batch):
    target = batch.target
    wrong = target.roll(9, dims=2)
    for where in (lambda m, t: next_click(m, t, torch.Generator().manual_seed(1)), central_click):
        points, labels = where(wrong, target)
        x, y = points.long().unbind(1)
        n = torch.arange(len(x))
        assert (wrong != target)[n, y, x].all()
        assert torch.equal(labels, target[n, y, x].long())
        assert (where(target, target)[1] == -1).all()
    assert (
        len(
            {
                tuple(p)
                for p in next_click(wrong[:1].expand(40, -1, -1), target[:1].expand(40, -1, -1))[0].tolist()
            }
        )
        > 5
    )


def test_the_central_click_is_as_far_from_the_border_as_can_be():
    target = torch.zeros(1, 21, 21, dtype=torch.bool)
    target[0, 4:17, 2:15] = True
    assert central_click(torch.zeros_like(target), target)[0].tolist() == [[8, 10]]
    whole = torch.ones(1, 9, 9, dtype=torch.bool)  # the picture's edge is a border too
    assert central_click(torch.zeros_like(whole), whole)[0].tolist() == [[4, 4]]


def test_boxes_are_near_and_valid(batch):
    boxes = noisy_boxes(batch.target, torch.Generator().manual_seed(2))
    exact = torch.tensor([box_of(m) for m in batch.target.numpy()]).float()
    assert (boxes[:, 2:] > boxes[:, :2]).all()
    assert boxes.min() >= 0
    assert boxes.max() <= 95
    assert 0 < (boxes - exact).abs().mean() < 8


def test_pictures_without_anything_large_enough_are_said():
    with pytest.raises(ValueError, match="render larger"):
        Clicks(1, 1, 16, knobs={"things": 1, "nouns": "coin", "sizes": "small"})(torch.Generator())
