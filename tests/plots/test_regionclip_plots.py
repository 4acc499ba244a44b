"""RegionCLIP's pictures: boxes where they belong, right names in the right colour, labelled axes."""

import matplotlib.pyplot as plt
import pytest
import torch

from lecture10.claims import Row, verdict
from lecture10.experiments.regionclip_regions import BOXES
from lecture10.findings import Finding
from lecture10.plots import regionclip as plots
from lecture10.plots.figure import picture

IMAGE = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_a_box_is_drawn_at_its_pixels_edges():
    _, ax = plt.subplots()
    plots.draw_box(ax, (0.25, 0.5, 0.75, 1.0), 64, label="cat")
    for patch in ax.patches:
        assert (patch.get_x(), patch.get_y(), patch.get_width(), patch.get_height()) == (15.5, 31.5, 32, 32)
    assert [text.get_text() for text in ax.texts] == ["cat"]


def test_crops_stand_beside_their_scene():
    fig = plots.crops_figure(IMAGE, {"1": (0.1, 0.1, 0.4, 0.4)}, IMAGE[None], ["1: cat"])
    assert [ax.get_title() for ax in fig.axes] == ["the scene", "1: cat"]
    assert picture(fig, "a scene and one crop").png


def test_roi_align_reads_where_the_mechanism_reads():
    fig = plots.align_figure(IMAGE, (0.25, 0.25, 0.75, 0.75), 8, 2)
    (dots,) = [line for line in fig.axes[0].lines if line.get_marker() == "o"]
    assert sorted(set(dots.get_xdata().tolist())) == [3.0, 5.0]  # in cell widths; 2.5 and 4.5 as places
    rounded = plots.align_figure(IMAGE, (0.3, 0.3, 0.7, 0.7), 8, 2).axes[1].patches[-1]
    assert (rounded.get_x(), rounded.get_width()) == (2, 4)


def test_the_true_name_is_marked_and_blue():
    said = {"CLIP": [("red cat", 0.5), ("red dog", 0.3), ("red ball", 0.1)], "student": [("red dog", 0.9)]}
    case = {"title": "a case", "image": IMAGE, "box": (0.1, 0.1, 0.5, 0.5), "truth": "red cat", "says": said}
    fig = plots.cases_figure([case, case])
    assert len(fig.axes) == 6
    clip = fig.axes[1]
    assert [text.get_text() for text in clip.texts] == [
        "✓ red cat  50.0%",
        "red dog  30.0%",
        "red ball  10.0%",
    ]
    colours = [plt.matplotlib.colors.to_hex(bar.get_facecolor()).upper() for bar in clip.patches]
    assert colours == [plots.RIGHT, plots.WRONG, plots.WRONG]
    assert [bar.get_width() for bar in clip.patches] == [0.5, 0.3, 0.1]
    assert clip.get_title() == "CLIP"


def test_curves_and_printed_bars_are_labelled():
    fig = plots.kept_figure(
        {"kept": [(0.0, 1.0, 1.0, 1.0), (0.9, 0.5, 0.4, 0.6)], "right": [(0.0, 0.6, 0.5, 0.7)]}
    )
    assert picture(fig, "two curves with bars").png
    fig = plots.printed_figure({"Picture 1": {"Ours": [("bear", 99.5)], "CLIP": [("fleece", 11.2)]}})
    assert [ax.get_title(loc="left") for ax in fig.axes] == ["Picture 1 — Ours", "Picture 1 — CLIP"]
    assert fig.axes[0].texts[0].get_text() == "bear  99.5 %"


def test_nouns_that_are_missed_are_named_and_lessons_are_numbered():
    fig = plots.nouns_figure({"cube": 0.1, "ball": 0.9, "cat": 0.5}, {"cube": 0.0, "ball": 0.95, "cat": 0.9})
    assert [text.get_text() for text in fig.axes[0].texts] == ["cube", "cat"]
    assert picture(fig, "three nouns as dots").png
    fig = plots.lesson_figure([IMAGE, IMAGE], [{"1": (0.1, 0.1, 0.5, 0.5)}, {}], ["one", "two"])
    assert [[text.get_text() for text in ax.texts] for ax in fig.axes] == [["1"], [], ["one"], ["two"]]


def test_shares_and_curves_come_from_the_findings_rows():
    assert "is not measured yet" in plots.shares_figure(finding(()), unit="share")[1]
    rows = [
        Row(name, metric, value + seed / 100, seed)
        for name, value in (("student", 0.6), ("crop", 0.1))
        for metric in ("top-1, seen pairs", "top-1, test pairs", "noun, test pairs")
        for seed in (0, 1, 2)
    ]
    rows += [Row("pseudo-labels", "share kept", 1 - at, seed, at) for at in (0.0, 0.5) for seed in (0, 1, 2)]
    fig, alt = plots.shares_figure(finding(tuple(rows)), unit="share")
    assert alt == "test pairs: student 0.610; crop 0.110"
    assert [text.get_text() for text in fig.axes[0].texts] == ["0.610", "0.110"]
    assert picture(fig, alt).png
    curves = plots.kept_curves(finding(tuple(rows)))
    assert curves == {"share kept": [(0.0, 1.0, 1.0, 1.0), (0.5, 0.5, 0.5, 0.5)]}
    assert plots.kept_figure({}).axes


def finding(rows):
    return Finding(BOXES, verdict([], 0.1), rows)
