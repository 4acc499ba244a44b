"""GLIP's pictures show the numbers that they are given, each where it belongs."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex

from lecture10.plots.figure import picture
from lecture10.plots.glip import bars_of, expansion_figure, found_figure, groups_figure, told_of
from lecture10.plots.world import OUTLINES


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def axes_of(fig):
    return [ax for part in fig.subfigs for ax in part.axes]


def test_boxes_have_their_phrases_colours_and_maps_their_words():
    image, maps = torch.rand(3, 16, 16), torch.rand(2, 4, 4)
    boxes = torch.tensor([[0.0, 0.0, 0.5, 0.5], [0.5, 0.25, 1.0, 1.0]])
    fig = found_figure(image, boxes, [0, 1], ["a cat: 0.90", "a dog: 0.80"], maps, ["cat", "dog"])
    left, right, *below = axes_of(fig)
    outlines = left.patches[1::2]  # each above a white one, the surest last
    assert [to_hex(patch.get_edgecolor()) for patch in outlines] == [
        OUTLINES[1].lower(),
        OUTLINES[0].lower(),
    ]
    assert (outlines[0].get_width(), outlines[0].get_height()) == pytest.approx((8, 12))
    assert [text.get_text() for text in right.texts][1::2] == ["a cat: 0.90", "a dog: 0.80"]
    assert below[0].get_title() == f"cat\n{maps[0].max():.2f}"
    assert np.asarray(below[1].images[1].get_array()) == pytest.approx(maps[1].numpy())
    assert picture(fig, "a cat and a dog")


def test_expansion_shows_the_three_tables():
    T, tokens = np.eye(2), np.array([[1, 1, 0], [0, 0, 1]])
    fig = expansion_figure(
        T, tokens, T @ tokens, ["red ball", "cat"], ["red", "ball", "cat"], ["region 1", "region 2"]
    )
    shown = [np.asarray(ax.images[0].get_array()) for ax in fig.axes]
    for table, wanted in zip(shown, (T, tokens, T @ tokens), strict=True):
        assert np.array_equal(table, wanted)
    assert picture(fig, "T and T prime")


def test_groups_draw_means_and_intervals_and_leave_out_what_is_missing():
    groups = {"new": {"words": (0.8, 0.7, 0.9), "classes": (0.0, 0.0, 0.0)}, "order": {"first": (0.5,) * 3}}
    fig = groups_figure(groups, "AP50", chance=0.5)
    bars = fig.axes[0].patches
    assert [bar.get_height() for bar in bars[:3]] == pytest.approx([0.8, 0.0, 0.5])
    middles = [bar.get_x() + bar.get_width() / 2 for bar in bars[:3]]
    assert middles[0] + middles[1] == pytest.approx(0)  # both around their group's place
    assert middles[2] == pytest.approx(1)
    assert picture(fig, "bars of three")
    once = groups_figure({"a": {"b": (0.4, float("nan"), float("nan"))}}, "AP50")
    assert once.axes[0].patches[0].get_height() == 0.4


def test_a_finding_becomes_bars_and_words():
    class Found:
        def table(self):
            return [("words", "AP50", None, 0.812, 0.7, 0.9, 3), ("classes", "AP50", None, 0.0, 0.0, 0.0, 3)]

    bars = bars_of(Found())
    assert bars == {"words": (0.812, 0.7, 0.9), "classes": (0.0, 0.0, 0.0)}
    assert told_of({"new": bars, "old": {}}) == "new: words 0.81, classes 0.00; old: not measured yet"
    assert not groups_figure({"old": {}}, "AP50").axes[0].patches
