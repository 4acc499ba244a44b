"""Pictures of GLIP: boxes of phrases, which region each word points to, targets, and what was measured."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lecture10.plots.figure import figure
from lecture10.plots.style import COLOURS
from lecture10.plots.world import OUTLINES, as_array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_WORDS = 12  # maps of a figure


def _numbers(table) -> np.ndarray:
    return np.asarray(table.detach().cpu() if hasattr(table, "detach") else table, dtype=float)


def draw_boxes(ax: "Axes", image, boxes, labels: Sequence[int]) -> None:
    """A picture with boxes (n, 4), xyxy in [0, 1], the first on top, in their phrases' colours."""
    from matplotlib.patches import Rectangle

    size = image.shape[-1]
    ax.imshow(as_array(image))
    for box, k in reversed(list(zip(_numbers(boxes).reshape(-1, 4), labels, strict=True))):
        x0, y0, x1, y1 = size * box - 0.5
        for width, colour in ((4.4, "white"), (2.4, OUTLINES[k % len(OUTLINES)])):
            ax.add_patch(
                Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, lw=width, ec=colour, clip_on=False)
            )
    ax.axis("off")


def found_figure(image, boxes, labels: Sequence[int], says: Sequence[str], maps, words) -> "Figure":
    """A picture with its boxes, what each phrase found, and below, where each word's probability lies.

    boxes: (n, 4), xyxy in [0, 1]; labels: each box's phrase; says: a line for each phrase; maps: (words, g,
    g) in [0, 1]; words: their texts.
    """
    import matplotlib.pyplot as plt

    maps, words = _numbers(maps)[:MOST_WORDS], list(words)[:MOST_WORDS]
    cols = max(6, min(len(words), MOST_WORDS // 2))
    rows = -(-len(words) // cols)
    fig, _ = figure(width=9.0, height=3.3 + 1.55 * rows)
    plt.close(fig)
    fig.clear()
    top, *below = fig.subfigures(1 + rows, 1, height_ratios=(3.3, *(1.55,) * rows))
    left, right = top.subplots(1, 2, width_ratios=(1, 1.3))
    draw_boxes(left, image, boxes, labels)
    right.axis("off")
    for k, line in enumerate(says):
        right.text(0, 0.92 - 0.15 * k, "■", color=OUTLINES[k % len(OUTLINES)], fontsize=20, va="center")
        right.text(0.09, 0.92 - 0.15 * k, line, fontsize=14, va="center")
    for row, part in enumerate(below):
        for k, ax in enumerate(part.subplots(1, cols)):
            at = row * cols + k
            ax.axis("off")
            if at < len(words):
                word_map(ax, image, maps[at], words[at])
    return fig


def word_map(ax: "Axes", image, field: np.ndarray, word: str) -> None:
    """One word over a gray picture: bright cells are the regions that the word is sure of. field: (g, g)."""
    size = image.shape[-1]
    ax.imshow(as_array(image).mean(-1), cmap="gray", vmin=0, vmax=1)
    ax.imshow(field, alpha=0.7, vmin=0, vmax=1, extent=(-0.5, size - 0.5, size - 0.5, -0.5))
    ax.set_title(f"{word}\n{field.max():.2f}", fontsize=11)
    ax.axis("off")


def expansion_figure(T, phrase_tokens, T_prime, phrases, words, regions: Sequence[str]) -> "Figure":
    """T (regions × phrases) and T′ (regions × tokens), one above the other's columns.

    regions: a name for each row.
    """
    tables = (_numbers(T), _numbers(phrase_tokens), _numbers(T_prime))
    labels = ((phrases, regions), (words, phrases), (words, regions))
    titles = ("T: region × phrase", "which token is in which phrase", "T′: region × token")
    fig, axes = figure(1, 3, width=12.5, height=4.0, width_ratios=(1, 2.2, 2.2))
    for ax, table, (columns, rows), title in zip(axes, tables, labels, titles, strict=True):
        ax.imshow(table, vmin=0, vmax=1, aspect="auto")
        ax.set_xticks(range(len(columns)), columns, rotation=50, ha="right", fontsize=11)
        ax.set_yticks(range(len(rows)), rows, fontsize=11)
        ax.tick_params(length=0)
        ax.set_title(title, fontsize=13)
        ax.grid(visible=False)
        for edge in range(1, table.shape[1]):
            ax.axvline(edge - 0.5, color="white", lw=1)
        for edge in range(1, table.shape[0]):
            ax.axhline(edge - 0.5, color="white", lw=1)
    return fig


Bar = tuple[float, float, float]  # mean, and the ends of its interval


def bars_of(finding) -> dict[str, Bar]:
    """Variant -> (mean, low, high) of a finding, in its claim's metric; empty where nothing is measured."""
    return {variant: (mean, low, high) for variant, _, _, mean, low, high, _ in finding.table()}


def told_of(groups: Mapping[str, Mapping[str, Bar]]) -> str:
    """The means in words: "new pairs: word head 0.81, class head 0.00"."""
    return "; ".join(
        f"{kind}: " + (", ".join(f"{v} {bar[0]:.2f}" for v, bar in bars.items()) or "not measured yet")
        for kind, bars in groups.items()
    )


def groups_figure(
    groups: Mapping[str, Mapping[str, Bar]], unit: str, *, chance: float | None = None
) -> "Figure":
    """Bars with intervals in groups: group -> {variant: (mean, low, high)}; each bar says its mean."""
    fig, ax = figure(width=8.4, height=3.4)
    variants = list(dict.fromkeys(name for group in groups.values() for name in group))
    colours, width = dict(zip(variants, COLOURS.values(), strict=False)), 0.36
    for g, group in enumerate(groups.values()):
        for k, (variant, (mean, low, high)) in enumerate(group.items()):
            low, high = (mean if np.isnan(end) else end for end in (low, high))
            x = g + (k - (len(group) - 1) / 2) * width
            error = [[max(0.0, mean - low)], [max(0.0, high - mean)]]
            ax.bar(x, mean, width * 0.92, color=colours[variant], yerr=error, capsize=4)
            ax.text(x, min(high, 1.0) + 0.02, f"{mean:.2f}", ha="center", fontsize=12)
    handles = [ax.bar(0, 0, color=colour, label=name) for name, colour in colours.items()]
    if chance is not None:
        ax.axhline(chance, color="black", ls="--", lw=1.5, label=f"a guess among two: {chance:.2f}")
    ax.set_xticks(range(len(groups)), list(groups))
    ax.set_ylabel(unit)
    ax.set_ylim(0, 1.12)
    ax.grid(axis="x", visible=False)
    if handles:
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=3)
    return fig
