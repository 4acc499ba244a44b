"""CLIP's pictures show the numbers that they are given, each where it belongs."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from lecture10.plots.clip import (
    axis_figure,
    floor_figure,
    learning_figure,
    shots_figure,
    similarity_figure,
    space_figure,
    word_map_figure,
    zero_shot_figure,
)
from lecture10.plots.figure import picture

TEXTS = ["a cat", "a dog", "a fish"]


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture
def images():
    return torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def test_rows_sum_to_one_at_the_left_and_columns_at_the_right(images):
    logits = torch.randn(3, 3, generator=torch.Generator().manual_seed(1))
    fig = axis_figure(logits, images, TEXTS)
    left, right = (np.asarray(ax.images[0].get_array()) for ax in fig.axes)
    assert left == pytest.approx(logits.softmax(1).numpy(), abs=1e-6)
    assert right == pytest.approx(logits.softmax(0).numpy(), abs=1e-6)
    assert "axis=1" in fig.axes[0].get_title()
    assert picture(fig, "two tables of shares")


def test_moments_share_one_scale():
    fig = similarity_figure({"early": torch.eye(4) * 0.2, "late": torch.eye(4)})
    limits = {ax.images[0].get_clim() for ax in fig.axes[:2]}
    assert limits == {(0.0, 1.0)}


def test_the_bars_are_the_chances_and_the_truth_stands_out(images):
    fig = zero_shot_figure(images[0], {"a cat": 0.7, "a dog": 0.3}, truth="a cat")
    bars = fig.axes[1].patches
    assert [bar.get_width() for bar in bars] == [0.7, 0.3]
    assert bars[0].get_facecolor() != bars[1].get_facecolor()


def test_each_curve_has_its_floor():
    fig = floor_figure({6: [(1, 4.0), (2, 2.5)], 24: [(1, 4.0), (2, 1.5)]}, {6: 2.3, 24: 1.1})
    dashed = [line for line in fig.axes[0].lines if line.get_linestyle() == "--"]
    assert [line.get_ydata()[0] for line in dashed] == [2.3, 1.1]
    assert picture(fig, "two curves come down to their floors")


def test_shots_stand_at_their_numbers_and_zero_shot_lies_across():
    curve = {1: (0.3, 0.2, 0.4), 4: (0.6, 0.5, 0.7)}
    fig = shots_figure({"probe on CLIP": curve}, (0.5, 0.45, 0.55), "accuracy")
    zero, probe = fig.axes[0].lines[0], fig.axes[0].containers[0].lines[0]
    assert set(zero.get_ydata()) == {0.5}
    assert (list(probe.get_xdata()), list(probe.get_ydata())) == ([1, 4], [0.3, 0.6])


def test_each_vocabulary_has_its_panel_and_its_line():
    curve = {4000: (0.1, 0.0, 0.2), 64000: (0.6, 0.5, 0.7)}
    fig = learning_figure(
        {"clean": {"a": curve, "b": curve}, "noisy": {"a": curve}}, {"clean": 0.4, "noisy": 0.2}
    )
    assert [ax.get_title() for ax in fig.axes] == ["clean captions", "noisy captions"]
    assert [ax.lines[-1].get_ydata()[0] for ax in fig.axes] == [0.4, 0.2]
    assert list(fig.axes[0].lines[0].get_xdata()) == [4, 64]  # thousands
    assert list(fig.axes[0].lines[1].get_ydata()) == [0.1, 0.6]
    assert picture(fig, "two panels of learning curves")


def test_the_two_clouds_lie_apart_along_the_first_direction():
    roll = torch.Generator().manual_seed(2)
    pictures, captions = (torch.randn(20, 8, generator=roll) * 0.1 for _ in range(2))
    captions[:, 3] += 5
    fig = space_figure(pictures, captions, lines=3)
    *joined, left, right = fig.axes[0].lines
    assert len(joined) == 3
    assert abs(np.mean(left.get_xdata()) - np.mean(right.get_xdata())) > 4


def test_a_word_map_lies_over_its_picture(images):
    fig = word_map_figure(images[0], torch.rand(2, 4, 4), ["red", "cat"])
    assert [ax.get_title() for ax in fig.axes] == ["picture", "red", "cat"]
    over = fig.axes[1].images[1]
    assert over.get_array().shape == (4, 4)
    assert over.get_extent() == [-0.5, 15.5, 15.5, -0.5]
