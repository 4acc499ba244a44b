"""Pictures of RegionCLIP: boxes on a scene, where RoIAlign reads, who says what of a region."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lecture10.plots.figure import figure
from lecture10.plots.style import COLOURS
from lecture10.plots.world import as_array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lecture10.findings import Finding

RIGHT, WRONG = COLOURS["blue"], COLOURS["vermillion"]


def draw_box(ax: "Axes", box_xyxy, side: int, colour: str = "white", label: str = "", **how) -> None:
    """A box (x0, y0, x1, y1) in [0, 1] on a picture of side pixels, in black and colour: it shows on all."""
    from matplotlib.patches import Rectangle

    x0, y0, x1, y1 = (float(x) * side - 0.5 for x in box_xyxy)
    for width, paint in ((5, "black"), (2.6, colour)):
        ax.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, lw=width, ec=paint, **how))
    if label:
        ax.text(
            x0, y0 - 1, label, fontsize=12, weight="bold", color="white", va="bottom",
            bbox={"facecolor": "black", "pad": 1.5, "lw": 0},
        )  # fmt: skip


def picture_with_boxes(ax: "Axes", image, boxes: Mapping[str, object], colour: str = "white") -> None:
    """A picture (3, S, S) without axes, and boxes by their labels."""
    ax.imshow(as_array(image))
    ax.axis("off")
    for label, box in boxes.items():
        draw_box(ax, box, image.shape[-1], colour, label)


def crops_figure(image, boxes: Mapping[str, object], crops, said: Sequence[str]) -> "Figure":
    """A scene with numbered boxes, and beside it each box as crop-and-resize shows it to CLIP.

    boxes: label -> (x0, y0, x1, y1); crops: (R, 3, S, S), in the same order; said: a title each.
    """
    n = len(crops)
    fig, axes = figure(1, n + 1, width=2.4 * (n + 1), height=2.9)
    picture_with_boxes(axes[0], image, boxes)
    axes[0].set_title("the scene", fontsize=12)
    for ax, crop, text in zip(axes[1:], crops, said, strict=True):
        ax.imshow(as_array(crop))
        ax.axis("off")
        ax.set_title(text, fontsize=12)
    return fig


def align_figure(image, box, cells: int, out: int) -> "Figure":
    """Where RoIAlign and RoIPool read a map: the cells' grid, the box with its bins; and the rounded box.

    box: (x0, y0, x1, y1) in [0, 1]; cells: of the map, a side; out: bins a side.
    """
    from matplotlib.patches import Rectangle

    side = image.shape[-1]
    fig, axes = figure(1, 2, width=8.4, height=4.3)
    for ax, title in zip(
        axes, ("RoIAlign: read between cells", "RoIPool: round to cells first"), strict=True
    ):
        ax.imshow(as_array(image), alpha=0.55, extent=(0, cells, cells, 0))
        ax.set_xticks(range(cells + 1), [""] * (cells + 1))
        ax.set_yticks(range(cells + 1), [""] * (cells + 1))
        ax.tick_params(length=0)
        ax.grid(color="#555555", lw=0.8)
        ax.set_axisbelow(False)
        ax.set_title(title, fontsize=13)
    x0, y0, x1, y1 = (float(x) * cells for x in box)
    axes[0].add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, lw=3, ec=RIGHT))
    for k in range(1, out):
        axes[0].plot([x0 + (x1 - x0) * k / out] * 2, [y0, y1], color=RIGHT, lw=1.2)
        axes[0].plot([x0, x1], [y0 + (y1 - y0) * k / out] * 2, color=RIGHT, lw=1.2)
    middles = (np.arange(out) + 0.5) / out
    at_x, at_y = np.meshgrid(x0 + (x1 - x0) * middles, y0 + (y1 - y0) * middles)
    axes[0].plot(at_x.ravel(), at_y.ravel(), "o", color="black", ms=6)
    for ax in axes:
        ax.set_xlim(0, cells)
        ax.set_ylim(cells, 0)
    r0, s0, r1, s1 = (round(x) for x in (x0, y0, x1, y1))
    axes[1].add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, lw=1.6, ec="black", ls="--"))
    axes[1].add_patch(Rectangle((r0, s0), r1 - r0, s1 - s0, fill=False, lw=3.4, ec=WRONG))
    axes[0].set_xlabel(f"a map of {cells} × {cells} cells over {side} × {side} pixels")
    axes[1].set_xlabel("dashed: the box asked for")
    return fig


def cases_figure(cases: Sequence[Mapping]) -> "Figure":
    """The slide's twin: a row a case, the picture with its box, then each system's three likeliest names.

    cases: dicts with title, image, box, truth, and says: system -> [(name, probability), …]. The true name's
    bar is blue and its name marked, the others are orange: colour is not needed to see which is right.
    """
    systems = list(cases[0]["says"])
    fig, axes = figure(
        len(cases), 1 + len(systems), width=10.4, height=2.3 * len(cases),
        width_ratios=(0.75, *(1 for _ in systems)), squeeze=False,
    )  # fmt: skip
    for row, case in zip(axes, cases, strict=True):
        picture_with_boxes(row[0], case["image"], {"": case["box"]})
        row[0].set_title(f"{case['title']}\n{case['truth']}", fontsize=12)
        for ax, system in zip(row[1:], systems, strict=True):
            _top3(ax, case["says"][system], case["truth"])
    for ax, system in zip(axes[0, 1:], systems, strict=True):
        ax.set_title(system, fontsize=14, weight="bold")
    return fig


def _top3(ax: "Axes", said: Sequence[tuple[str, float]], truth: str) -> None:
    names, chances = zip(*said, strict=True)
    places = range(len(names), 0, -1)
    ax.barh(places, chances, color=[RIGHT if name == truth else WRONG for name in names], height=0.45)
    for place, name, p in zip(places, names, chances, strict=True):
        mark = "✓ " if name == truth else ""
        ax.text(0.0, place + 0.27, f"{mark}{name}  {p:.1%}", fontsize=12, va="bottom")
    ax.set_xlim(0, 1.05)
    ax.set_ylim(0.6, len(names) + 0.95)
    ax.axis("off")


def kept_figure(curves: Mapping[str, Sequence[tuple[float, float, float, float]]]) -> "Figure":
    """Shares over the threshold of the confidence, with their intervals.

    curves: name -> [(threshold, mean, low, high)], two at most.
    """
    fig, ax = figure(width=8, height=3.6)
    looks = zip(("blue", "vermillion"), "os", strict=True)
    for (name, points), (colour, marker) in zip(curves.items(), looks, strict=False):
        at, mean, low, high = map(np.array, zip(*points, strict=True))
        bars = [mean - low.clip(0), high.clip(max=1) - mean]
        ax.errorbar(at, mean, bars, color=COLOURS[colour], marker=marker, capsize=3, label=name)
    ax.set_xlabel("threshold on the teacher's confidence")
    ax.set_ylabel("share of pseudo-labels")
    ax.set_ylim(0, 1.04)
    if curves:
        ax.legend(loc="lower left")
    return fig


def printed_figure(table: Mapping[str, Mapping[str, Sequence[tuple[str, float]]]]) -> "Figure":
    """The slide's own figures as bars: picture -> system -> [(name, per cent)]."""
    systems = list(next(iter(table.values())))
    fig, axes = figure(len(table), len(systems), width=9.6, height=1.75 * len(table), squeeze=False)
    for row, (picture, says) in zip(axes, table.items(), strict=True):
        for ax, system in zip(row, systems, strict=True):
            names, scores = zip(*says[system], strict=True)
            places = range(len(names), 0, -1)
            ax.barh(places, scores, color=COLOURS["blue" if system != "CLIP" else "orange"], height=0.42)
            for place, name, score in zip(places, names, scores, strict=True):
                ax.text(0, place + 0.25, f"{name}  {score:g} %", fontsize=11, va="bottom")
            ax.set_xlim(0, 105)
            ax.set_ylim(0.6, len(names) + 0.95)
            ax.axis("off")
            ax.set_title(f"{picture} — {system}", fontsize=12, loc="left")
    return fig


def lesson_figure(images, boxes: Sequence[Mapping[str, object]], titles: Sequence[str]) -> "Figure":
    """Pictures with numbered boxes, a list of names below each. boxes: a dict a picture, label -> box."""
    fig, axes = figure(
        2, len(images), width=3.5 * len(images), height=4.9, height_ratios=(3.6, 1.2), squeeze=False
    )
    for ax, below, image, some, title in zip(*axes, images, boxes, titles, strict=True):
        picture_with_boxes(ax, image, some)
        below.text(0, 1, title, transform=below.transAxes, va="top", fontsize=11.5)
        below.axis("off")
    return fig


def nouns_figure(teacher: Mapping[str, float], student: Mapping[str, float]) -> "Figure":
    """Each noun's share named rightly, by teacher (across) and student (up); the diagonal is equality.

    Named are the nouns that the teacher mostly misses, and those where the two are far apart.
    """
    fig, ax = figure(width=7.2, height=5.2)
    ax.plot([0, 1], [0, 1], color="#888888", ls="--", lw=1.4)
    x, y = (np.array([side[noun] for noun in teacher]) for side in (teacher, student))
    ax.plot(x, y, "o", color=COLOURS["blue"], ms=8, alpha=0.8)
    marked = [p for p in zip(x, y, teacher, strict=True) if p[0] < 0.35 or abs(p[0] - p[1]) > 0.2]
    for a, b in sorted({(a, b) for a, b, _ in marked}):  # nouns at one place share a line
        names = ", ".join(noun for at_x, at_y, noun in marked if (at_x, at_y) == (a, b))
        near = [(other - b, at_x - a) for at_x, other, _ in marked if abs(other - b) < 0.05]
        near = [gap for gap in near if 0 < abs(gap[1]) < 0.12]
        off = 0 if not near else -0.045 if max(near) > (0, 0) else 0.04  # away from the next dot
        ax.text(a + 0.02, b + off, names, fontsize=11, va="center")
    ax.set_xlabel("teacher: share of a noun's regions named rightly")
    ax.set_ylabel("student")
    ax.set_xlim(-0.03, 1.05)
    ax.set_ylim(-0.09, 1.05)
    return fig


def shares_figure(finding: "Finding", *, unit: str) -> "tuple[Figure, str]":
    """How often each reading is right, seen and test pairs, intervals cut off at 0 and 1; and what it shows.

    Where nothing is measured yet the figure says how to do it.
    """
    from lecture10.verdicts import interval

    shares: dict[str, dict[str, list[float]]] = {}
    for row in finding.used:
        if row.metric.startswith("top-1, "):
            pairs = row.metric.removeprefix("top-1, ")
            shares.setdefault(row.variant, {}).setdefault(pairs, []).append(row.value)
    fig, ax = figure(width=8.5, height=1.3 + 0.42 * max(1, len(shares)))
    if not shares:
        says = f"{finding.claim.name} is not measured yet: python -m lecture10 measure {finding.claim.name}"
        ax.text(0.5, 0.5, says, ha="center", va="center", fontsize=11)
        ax.axis("off")
        return fig, says
    looks = {"seen pairs": ("sky", "o", -0.14), "test pairs": ("blue", "s", 0.14)}
    said = []
    for place, (variant, groups) in enumerate(shares.items()):
        for pairs, values in groups.items():
            colour, marker, off = looks[pairs]
            mean, (low, high) = sum(values) / len(values), interval(values)
            label = pairs if place == 0 else None
            bars = [[mean - max(0, low)], [min(1, high) - mean]]
            look = {"fmt": marker, "capsize": 4, "color": COLOURS[colour]}
            ax.errorbar(mean, place + off, xerr=bars, label=label, **look)
        ax.text(1.04, place, f"{mean:.3f}", va="center", fontsize=11)  # the last: test pairs
        said.append(f"{variant} {mean:.3f}")
    ax.set_yticks(range(len(shares)), list(shares))
    ax.set_ylim(len(shares) - 0.4, -0.6)
    ax.set(xlabel=f"{unit} (figures: test pairs)", xlim=(0, 1.16), xticks=[0, 0.25, 0.5, 0.75, 1.0])
    ax.grid(axis="y", visible=False)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return fig, "test pairs: " + "; ".join(said)


def kept_curves(finding: "Finding") -> dict[str, list[tuple[float, float, float, float]]]:
    """For `kept_figure`: metric -> [(threshold, mean, low, high)] of the pseudo-labels."""
    from lecture10.verdicts import interval

    values: dict[str, dict[float, list[float]]] = {}
    for row in finding.used:
        if row.at is not None:
            values.setdefault(row.metric, {}).setdefault(row.at, []).append(row.value)
    return {
        metric: [(at, sum(some) / len(some), *interval(some)) for at, some in sorted(curve.items())]
        for metric, curve in values.items()
    }
