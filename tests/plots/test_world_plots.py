"""Galleries, overlays and maps show what they say."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from lecture10.claims import verdict
from lecture10.lecture import NOTEBOOKS, course
from lecture10.plots.course import course_map, course_table
from lecture10.plots.figure import picture
from lecture10.plots.verdict import verdict_figure
from lecture10.plots.world import confusion_figure, draw_truth, gallery, part_map, scene_figure
from lecture10.world import render, scene


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def drawn():
    return render(scene("a blue bear", "a red skateboard", relation="riding"), 64, parts=True)


def test_a_gallery_shows_every_picture_under_its_title():
    images = torch.rand(5, 3, 16, 16)
    fig = gallery(images, ["one", "two", "three", "four", "five"], cols=3)
    shown = [ax for ax in fig.axes if ax.images]
    assert [ax.get_title() for ax in shown] == ["one", "two", "three", "four", "five"]
    for ax, image in zip(shown, images, strict=True):
        assert np.allclose(ax.images[0].get_array(), image.permute(1, 2, 0))


def test_boxes_stand_around_the_masks(drawn):
    _fig, ax = plt.subplots()
    draw_truth(ax, drawn)
    assert len(ax.patches) == 2
    for k, box in enumerate(ax.patches):
        rows, columns = drawn.masks[0, k].nonzero(as_tuple=True)
        assert box.get_x() == pytest.approx(int(columns.min()) - 0.5, abs=1e-3)
        assert box.get_y() + box.get_height() == pytest.approx(int(rows.max()) + 0.5, abs=1e-3)


def test_masks_tint_just_their_pixels(drawn):
    _fig, ax = plt.subplots()
    draw_truth(ax, drawn, boxes=False)
    change = np.abs(ax.images[0].get_array() - drawn.image[0].permute(1, 2, 0).numpy()).sum(-1) > 1e-6
    assert not ax.patches
    assert (change == drawn.masks[0].any(0).numpy()).mean() > 0.999


def test_the_part_map_puts_parts_over_their_wholes(drawn):
    names, found = list(drawn.parts(0, 0)), part_map(drawn, 0, 0)
    assert (found[~drawn.masks[0, 0].numpy()] == -1).all()
    eye = next(name for name in names if "eye" in name)
    assert (found == names.index(eye)).any()
    assert len(scene_figure(drawn).axes) == 3


def test_confusions_are_shares_of_what_was_drawn_and_the_right_ones_are_left_out():
    fig = confusion_figure([[8, 1, 0, 1], [0, 4, 0, 0]], ["ball", "cube"])
    shown = np.ma.filled(fig.axes[0].images[0].get_array(), np.nan)
    assert np.allclose(shown, [[np.nan, 0.1, 0, 0.1], [0, np.nan, 0, 0]], equal_nan=True)


def test_the_map_has_every_system_once_and_fills_what_is_written():
    chapters = course()
    fig = course_map(chapters)
    systems = [name for c in chapters for name in c.systems]
    labels = [text.get_text() for text in fig.axes[0].texts if text.get_text()]
    assert sorted(label.split(" ", 1)[1].split(" (")[0] for label in labels) == sorted(systems)
    filled = [line.get_markerfacecolor() != "white" for line in fig.axes[0].lines]
    assert filled == [c.written for c in chapters for _ in c.systems]
    assert picture(fig, "the map of the course")


def test_the_table_lists_the_notebooks_in_order():
    rows = course_table(course()).splitlines()[1:]
    assert [row.split()[0] for row in rows] == list(NOTEBOOKS)
    assert all(row.endswith("planned") != c.written for row, c in zip(rows, course(), strict=True))


def test_a_dropped_seed_is_hollow_and_the_interval_is_the_verdicts():
    effects = {0: 0.1, 1: 0.12, 2: 0.2, 3: 0.11}
    found = verdict([0.1, 0.12, 0.11], 0.05)
    ax = verdict_figure(effects, found, kept=[0, 1, 3]).axes[0]
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert [dot.get_markerfacecolor() == "white" for dot in dots] == [False, False, True, False]
    bar = next(line for line in ax.lines if line.get_linewidth() == 5)
    assert bar.get_xdata() == pytest.approx([found.low, found.high])
