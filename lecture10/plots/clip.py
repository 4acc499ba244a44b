"""Pictures of CLIP: who is compared with whom, what a prompt finds, where both kinds of embedding lie."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lecture10.plots.figure import figure
from lecture10.plots.language import bars
from lecture10.plots.style import COLOURS
from lecture10.plots.world import as_array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def _numbers(table) -> np.ndarray:
    return np.asarray(table.detach().cpu() if hasattr(table, "detach") else table, dtype=float)


def pair_matrix(ax: "Axes", table, images, texts: Sequence[str], *, fmt: str = "", **how) -> object:
    """A table of pictures × texts: pictures at the left, texts below. table: (n, m); images: (n, 3, S, S)."""
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage

    table = _numbers(table)
    drawn = ax.imshow(table, **how)
    for row, image in enumerate(images):
        zoom = 200 / len(images) / image.shape[-1] * (0.72 if len(images) > 1 else 0.3)
        thumb = OffsetImage(as_array(image), zoom=zoom)
        ax.add_artist(
            AnnotationBbox(thumb, (-0.6, row), frameon=False, box_alignment=(1, 0.5), annotation_clip=False)
        )
    if fmt:
        middle = (np.nanmin(table) + np.nanmax(table)) / 2
        for (row, column), value in np.ndenumerate(table):
            light = "white" if value < middle else "black"  # cividis is dark where values are low
            ax.text(column, row, format(value, fmt), ha="center", va="center", fontsize=9, color=light)
    ax.set_yticks([])
    ax.set_xticks(range(len(texts)), texts, rotation=30, ha="right", fontsize=9)
    ax.grid(visible=False)
    return drawn


def axis_figure(logits, images, texts: Sequence[str]) -> "Figure":
    """The same logits, softmax once along the rows and once down the columns: what each of them asks.

    logits: (n, n), row = picture, column = text.
    """
    logits = _numbers(logits)
    fig, axes = figure(1, 2, width=9.4, height=4.6)
    asks = (
        "axis=1: each picture picks its text\n(rows sum to 1)",
        "axis=0: each text picks its picture\n(columns sum to 1)",
    )
    for ax, axis, title in zip(axes, (1, 0), asks, strict=True):
        shares = np.exp(logits - logits.max(axis, keepdims=True))
        shares /= shares.sum(axis, keepdims=True)
        pair_matrix(ax, shares, images, texts, fmt=".2f", vmin=0, vmax=1)
        ax.set_title(title, fontsize=12)
        span = range(len(logits))
        for k in span:  # the right answers
            ax.add_patch(_frame(k, k))
    return fig


def _frame(column: int, row: int):
    from matplotlib.patches import Rectangle

    return Rectangle((column - 0.47, row - 0.47), 0.94, 0.94, fill=False, lw=2.4, ec=COLOURS["vermillion"])


def similarity_figure(tables: Mapping[str, object], *, highlight: bool = True) -> "Figure":
    """Cosines of pictures (rows) and captions (columns) at several moments of training, on one scale."""
    tables = {title: _numbers(table) for title, table in tables.items()}
    low = min(table.min() for table in tables.values())
    fig, axes = figure(1, len(tables), width=min(10.0, 2.1 * len(tables) + 1.2), height=2.9)
    for ax, (title, table) in zip(np.atleast_1d(axes), tables.items(), strict=True):
        drawn = ax.imshow(table, vmin=low, vmax=1)
        ax.set_title(title, fontsize=11)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.grid(visible=False)
    np.atleast_1d(axes)[0].set_ylabel("picture")
    fig.supxlabel("caption", fontsize=12)
    fig.colorbar(drawn, ax=axes, shrink=0.8, label="cosine")
    return fig


def zero_shot_figure(image, chances: Mapping[str, float], *, truth: str | None = None) -> "Figure":
    """A picture beside the probability of each prompt, the true one in the second colour."""
    fig, (left, right) = figure(1, 2, width=8.4, height=2.9, width_ratios=(1, 1.7))
    left.imshow(as_array(image))
    left.axis("off")
    bars(right, {text: round(p, 3) for text, p in chances.items()}, unit="probability", highlight=truth)
    right.set_xlim(0, 1.12)
    return fig


def floor_figure(curves: Mapping[int, Sequence[tuple[int, float]]], floors: Mapping[int, float]) -> "Figure":
    """The loss over the steps for so many different captions, each with the floor that a formula gives it.

    curves: captions -> [(step, nats)]; floors: captions -> nats.
    """
    fig, ax = figure(width=8, height=3.6)
    for (count, curve), colour in zip(curves.items(), COLOURS.values(), strict=False):
        steps, losses = zip(*curve, strict=True)
        ax.plot(steps, losses, color=colour, lw=1.8, label=f"{count} captions")
        ax.axhline(floors[count], color=colour, ls="--", lw=1.4)
    ax.set_xlabel("step")
    ax.set_ylabel("loss (nats)")
    ax.set_ylim(bottom=0)
    ax.legend(title="dashed: the formula", ncols=2)
    return fig


def shots_figure(
    curves: Mapping[str, Mapping[float, tuple[float, float, float]]],
    zero: tuple[float, float, float],
    unit: str,
) -> "Figure":
    """Accuracy over labelled pictures a class; the zero-shot accuracy as a band across.

    curves: name -> {shots: (mean, low, high)}; zero: (mean, low, high).
    """
    fig, ax = figure(width=8, height=3.8)
    ax.axhspan(zero[1], zero[2], color=COLOURS["vermillion"], alpha=0.2, lw=0)
    ax.axhline(zero[0], color=COLOURS["vermillion"], label="zero-shot CLIP: no labelled picture")
    for (name, curve), colour in zip(curves.items(), ("blue", "green", "purple"), strict=False):
        shots = list(curve)
        mean, low, high = (np.array([curve[k][part] for k in shots]) for part in range(3))
        ax.errorbar(
            shots, mean, [mean - low, high - mean], color=COLOURS[colour], marker="o", capsize=3, label=name
        )
    ax.set_xscale("log", base=2)
    ax.set_xticks(shots, [f"{k:g}" for k in shots])
    ax.set_xlabel("labelled pictures a class")
    ax.set_ylabel(unit)
    ax.legend()
    return fig


def learning_figure(
    curves: Mapping[str, Mapping[str, Mapping[float, tuple[float, float, float]]]],
    enough: Mapping[str, float],
) -> "Figure":
    """Accuracy over pairs seen, one panel for each vocabulary, with the accuracy that is to be reached.

    curves: vocabulary -> model -> {pairs: (mean, low, high)}; enough: vocabulary -> accuracy.
    """
    fig, axes = figure(1, len(curves), width=9.4, height=3.8, sharey=True)
    for ax, (vocabulary, models) in zip(np.atleast_1d(axes), curves.items(), strict=True):
        looks = zip(("blue", "vermillion", "green"), ("-", "--", "-."), strict=True)
        for (model, curve), (colour, line) in zip(models.items(), looks, strict=False):
            pairs = np.array(list(curve)) / 1000
            mean, low, high = np.array(list(curve.values())).T
            ax.plot(pairs, mean, line, color=COLOURS[colour], lw=2.2, label=model)
            ax.fill_between(pairs, low, high, color=COLOURS[colour], alpha=0.15, lw=0)
        ax.axhline(enough[vocabulary], color="#595959", lw=1.2, ls=":")
        ax.set_xscale("log", base=2)
        ticks = [4, 8, 16, 32, 64]
        ax.set_xticks(ticks, [str(k) for k in ticks])
        ax.set_title(f"{vocabulary} captions", fontsize=13)
        ax.set_xlabel("thousand pairs seen")
    np.atleast_1d(axes)[0].set_ylabel("right, among 30")
    np.atleast_1d(axes)[0].legend()
    return fig


def space_figure(
    points, other, *, names: tuple[str, str] = ("pictures", "captions"), lines: int = 40
) -> "Figure":
    """Two clouds of unit vectors in the plane of their two main directions, some pairs joined by a line.

    points, other: (n, E), row by row a pair.
    """
    a, b = _numbers(points), _numbers(other)
    both = np.concatenate([a, b]) - np.concatenate([a, b]).mean(0)
    _, sizes, directions = np.linalg.svd(both, full_matrices=False)
    flat = both @ directions[:2].T
    share = sizes[:2] ** 2 / (sizes**2).sum()
    fig, ax = figure(width=6.4, height=4.4)
    for k in range(min(lines, len(a))):
        ax.plot(*np.stack([flat[k], flat[len(a) + k]]).T, color="#bbbbbb", lw=0.7, zorder=1)
    for part, name, colour in ((flat[: len(a)], names[0], "blue"), (flat[len(a) :], names[1], "vermillion")):
        ax.plot(*part.T, "o", ms=4, color=COLOURS[colour], alpha=0.7, label=name)
    ax.set_xlabel(f"first direction ({share[0]:.0%} of the variance)")
    ax.set_ylabel(f"second ({share[1]:.0%})")
    ax.legend()
    return fig


def word_map_figure(image, maps, words: Sequence[str]) -> "Figure":
    """A picture, and over it for each word how near each place's embedding is to the word's.

    image: (3, S, S); maps: (words, h, w) cosines, each shown from its own least to its own most.
    """
    maps = _numbers(maps)
    fig, axes = figure(1, len(words) + 1, width=2.0 * (len(words) + 1), height=2.4)
    axes[0].imshow(as_array(image))
    axes[0].set_title("picture", fontsize=11)
    size = image.shape[-1]
    for ax, field, word in zip(axes[1:], maps, words, strict=True):
        ax.imshow(as_array(image).mean(-1), cmap="gray", vmin=0, vmax=1)
        ax.imshow(field, alpha=0.65, extent=(-0.5, size - 0.5, size - 0.5, -0.5), interpolation="bilinear")
        ax.set_title(word, fontsize=11)
    for ax in axes:
        ax.axis("off")
    return fig
