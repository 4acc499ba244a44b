"""Diffusion's pictures and its widget show what they are given, and say it."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from lecture10.plots.diffusion import (
    as_levels,
    clouds_figure,
    forward_figure,
    sheet,
    steps_figure,
    way_figure,
    weight_figure,
)
from lecture10.plots.figure import picture

roll = torch.Generator().manual_seed(0)
IMAGES = torch.rand(3, 1, 8, 8, generator=roll) * 2 - 1


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_ink_is_dark_and_colours_stay():
    assert as_levels(torch.full((1, 2, 2), 1.0)).max() == 0
    assert as_levels(torch.full((1, 2, 2), -1.0)).min() == 1
    assert as_levels(torch.full((3, 2, 2), 5.0)).shape == (2, 2, 3)
    assert as_levels(torch.full((3, 2, 2), 5.0)).max() == 1


def test_a_sheet_has_a_row_for_each_name():
    fig = sheet({"drawn": IMAGES, "nearest": IMAGES[:2]}, columns=("a", "b", "c"))
    shown = [ax for ax in fig.axes if ax.images]
    assert len(shown) == 5
    assert [ax.get_ylabel() for ax in fig.axes if ax.get_ylabel()] == ["drawn", "nearest"]
    assert np.asarray(shown[0].images[0].get_array()) == pytest.approx(as_levels(IMAGES[0]))
    assert picture(fig, "two rows of pictures")


def test_clouds_lie_where_their_points_are_and_trails_over_the_last():
    points = torch.randn(20, 2, generator=roll)
    fig = clouds_figure({"t = 9": points, "data": points / 2}, trails=torch.zeros(4, 3, 2))
    assert np.asarray(fig.axes[0].collections[0].get_offsets()) == pytest.approx(points.numpy())
    assert [len(ax.lines) for ax in fig.axes] == [0, 3]
    assert picture(fig, "two clouds of points")


def test_the_forward_figure_has_a_curve_for_each_schedule():
    fig = forward_figure([torch.linspace(1, 0, 10), torch.linspace(1, 0.6, 5)], IMAGES, [0, 4, 9], names="ab")
    curves = [line for ax in fig.axes for line in ax.lines]
    assert [list(line.get_ydata())[-1] for line in curves] == pytest.approx([0, 0.6])
    assert [ax.get_title() for ax in fig.axes[:3]] == ["t = 0", "t = 4", "t = 9"]
    assert picture(fig, "a picture drowns in noise")


def test_quality_stands_at_its_steps_with_the_floor_across():
    curve = {2: (1.0, 0.5, 1.5), 10: (0.4, -0.1, 0.9)}
    fig = steps_figure({"distance": {"DDPM": curve, "DDIM": curve}}, {"distance": 0.1})
    assert list(fig.axes[0].containers[0].lines[0].get_xdata()) == [2, 10]
    assert any(list(line.get_ydata()) == [0.1, 0.1] for line in fig.axes[0].lines)
    assert picture(fig, "two curves over sampling steps")


def test_the_weights_start_at_step_one():
    fig = weight_figure(torch.tensor([0.5, 0.1, 0.02]))
    assert list(fig.axes[0].lines[0].get_xdata()) == [1, 2, 3]
    assert picture(fig, "the weight of each step")


def test_a_way_shows_guesses_only_on_the_way_back():
    points = torch.randn(20, 2, generator=roll)
    digits = IMAGES[:1].repeat(4, 1, 1, 1)
    there, back = way_figure(points, digits, None, "there"), way_figure(points, digits, digits, "back")
    assert (sum(bool(ax.images) for ax in there.axes), sum(bool(ax.images) for ax in back.axes)) == (4, 8)
