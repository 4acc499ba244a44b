"""Pictures of SAM: masks over what they cut out, clicks, answers side by side, curves over clicks."""

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

MASK = "vermillion"


def _rgb(name: str) -> np.ndarray:
    from matplotlib.colors import to_rgb

    return np.array(to_rgb(COLOURS[name]))


def mask_on(ax: "Axes", image, mask, points=(), labels=(), *, colour: str = MASK, box=None) -> None:
    """A picture (3, S, S) greyed but for its mask (S, S) bool, with clicks (+ for, − against) and a box."""
    picture, mask = as_array(image), np.asarray(mask, dtype=bool)
    faded = 0.55 + 0.3 * picture.mean(-1, keepdims=True).repeat(3, -1)
    shown = np.where(mask[..., None], 0.75 * picture + 0.25 * _rgb(colour), faded)
    ax.imshow(shown)
    if mask.any() and not mask.all():
        ax.contour(mask, levels=[0.5], colors=[COLOURS[colour]], linewidths=2)
    for (x, y), label in zip(np.asarray(points, dtype=float).reshape(-1, 2), np.asarray(labels), strict=True):
        if label >= 0:
            ax.plot(x, y, "o", ms=13, mfc="white", mec="black", mew=1.5)
            ax.plot(x, y, "+" if label else "_", ms=8, mec="black", mew=2.2)
    if box is not None:
        from matplotlib.patches import Rectangle

        x0, y0, x1, y1 = box
        ax.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, ec="black", lw=2, ls="--"))
    ax.axis("off")


def answers_figure(image, masks, titles: Sequence[str], points=(), labels=(), *, box=None) -> "Figure":
    """A picture beside some masks of it, each under its title.

    masks: (M, S, S) bool; points: (K, 2); labels: (K,), or (M, K) where the clicks of each mask say something
    else: then the picture itself shows the first click alone.
    """
    fig, axes = figure(1, len(masks) + 1, width=2.5 * (len(masks) + 1), height=2.95)
    labels = np.asarray(labels)
    each = labels if labels.ndim == 2 else [labels] * len(masks)
    first = slice(1) if labels.ndim == 2 else slice(None)
    whole = np.ones(np.asarray(masks[0]).shape, bool)
    mask_on(axes[0], image, whole, points[first], each[0][first], box=box)
    axes[0].images[0].set_data(as_array(image))
    axes[0].set_title("the prompt", fontsize=12)
    for ax, mask, title, said in zip(axes[1:], masks, titles, each, strict=True):
        mask_on(ax, image, mask, points, said, box=box)
        ax.set_title(title, fontsize=12)
    return fig


def clicks_figure(panels: Mapping[str, Mapping[str, Mapping[int, tuple[float, float, float]]]]) -> "Figure":
    """As on the slide: mean IoU over the number of clicks, a panel each for centre and random points.

    panels: title -> name -> {clicks: (mean, low, high)}.
    """
    fig, axes = figure(1, len(panels), width=9.6, height=3.7, sharey=True)
    marks = {"blue": "o", "vermillion": "s", "green": "^"}
    for ax, (title, curves) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        for (name, curve), (colour, mark) in zip(curves.items(), marks.items(), strict=False):
            clicks = list(curve)
            mean, low, high = (np.array([curve[k][part] for k in clicks]) for part in range(3))
            ax.errorbar(
                range(len(clicks)), mean, [mean - low, high - mean],
                color=COLOURS[colour], marker=mark, ms=7, lw=2, capsize=3, label=name,
            )  # fmt: skip
        ax.set_xticks(range(len(clicks)), [f"{k:g}" for k in clicks])
        ax.set_xlabel("clicks")
        ax.set_title(title, fontsize=12)
    np.atleast_1d(axes)[0].set_ylabel("mean IoU")
    np.atleast_1d(axes)[0].legend(fontsize=10, loc="lower right")
    return fig


def guesses_figure(guessed, true, bins: int = 10) -> tuple["Figure", list[tuple[float, float, int]]]:
    """Guessed against true IoU: each mask a dot, means of bins as a line.

    Returns the figure and (mean guess, mean truth, masks) of each bin that holds at least one.
    """
    guessed, true = np.asarray(guessed).ravel(), np.asarray(true).ravel()
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.digitize(guessed, edges) - 1, 0, bins - 1)
    means = [
        (float(guessed[place == b].mean()), float(true[place == b].mean()), int((place == b).sum()))
        for b in range(bins)
        if (place == b).any()
    ]
    fig, ax = figure(width=5.6, height=4.4)
    ax.plot([0, 1], [0, 1], color="#777777", ls="--", lw=1.4, label="guess = truth")
    ax.plot(guessed, true, ".", ms=4, color=COLOURS["blue"], alpha=0.35)
    ax.plot(
        *zip(*[m[:2] for m in means], strict=True),
        "s-",
        color=COLOURS["vermillion"],
        lw=2,
        label="means of bins",
    )
    ax.set_xlabel("guessed IoU")
    ax.set_ylabel("true IoU")
    ax.set_xlim(0, 1.02)
    ax.set_ylim(0, 1.02)
    ax.legend()
    return fig, means


def everything_figure(pictures: Sequence, found: Sequence) -> "Figure":
    """Pictures, each beside all its masks in colours of their own, small ones on top.

    pictures: (3, S, S) each; found: masks (n, S, S) bool of each.
    """
    fig, axes = figure(1, 2 * len(pictures), width=2.5 * 2 * len(pictures), height=2.8)
    names = [name for name in COLOURS if name != "black"]
    for (left, right), image, masks in zip(np.asarray(axes).reshape(-1, 2), pictures, found, strict=True):
        shown = 0.75 + 0.2 * as_array(image).mean(-1, keepdims=True).repeat(3, -1)
        order = sorted(range(len(masks)), key=lambda k: -int(masks[k].sum()))
        for n, k in enumerate(order):
            shown[np.asarray(masks[k])] = 0.8 * _rgb(names[n % len(names)]) + 0.2
        left.imshow(as_array(image))
        right.imshow(shown)
        right.set_title(f"{len(masks)} masks", fontsize=12)
        for ax in (left, right):
            ax.axis("off")
    return fig


def measured(finding: "Finding", metric: str) -> dict[str, dict[float | None, tuple[float, float, float]]]:
    """variant -> {at: (mean, low, high)} over the seeds of a finding, in one metric; at may be None."""
    found: dict[str, dict[float | None, tuple[float, float, float]]] = {}
    for variant, _, at, *ends, _ in finding.table(metric):
        found.setdefault(variant, {})[at] = tuple(ends)
    return {
        variant: {None: places[None]} if None in places else dict(sorted(places.items()))
        for variant, places in found.items()
    }


def levels_figure(image, levels, point, titles: Sequence[str]) -> "Figure":
    """One click, and each thing that it can mean. image: (3, S, S); levels: (L, S, S) bool; point: x, y."""
    return answers_figure(image, levels, titles, [point], [1])
