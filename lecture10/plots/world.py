"""Pictures of the little world: galleries, boxes and masks over a scene, and a judge's confusions."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lecture10.plots.figure import figure
from lecture10.plots.style import COLOURS, DPI, STYLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from lecture10.world import Picture

BETWEEN, LINE = 8, 16  # pixels between pictures, and for a line of a title
OUTLINES = [COLOURS[name] for name in ("vermillion", "blue", "green", "purple", "sky", "orange")]


def as_array(image) -> np.ndarray:
    """(3, S, S) in [0, 1], a tensor or an array, as matplotlib wants it: (S, S, 3)."""
    return np.asarray(image.detach().cpu() if hasattr(image, "detach") else image).transpose(1, 2, 0)


def gallery(
    images, titles: Sequence[str] = (), *, cols: int = 4, width: float = 8.0, wrap: int = 22
) -> "Figure":
    """Pictures in rows of `cols`, each under its title, every pixel a square of whole pixels on the screen.

    images: (B, 3, S, S) in [0, 1]; width: inches at most; wrap: letters a line of a title.
    """
    import matplotlib.pyplot as plt

    cols = min(cols, len(images))
    rows = math.ceil(len(images) / cols)
    titled = [_wrapped(title, wrap) for title in titles]
    head = 4 + LINE * max((title.count("\n") + 1 for title in titled), default=0)
    size = images[0].shape[-1]
    side = size * max(1, int((width * DPI / cols - BETWEEN) / size))
    full = (cols * (side + BETWEEN) + BETWEEN, rows * (side + head) + BETWEEN)  # pixels
    with plt.rc_context(STYLE | {"figure.constrained_layout.use": False}):
        fig = plt.figure(figsize=(full[0] / DPI, full[1] / DPI))
        for k, image in enumerate(images):
            left, top = BETWEEN + k % cols * (side + BETWEEN), k // cols * (side + head) + head
            ax = fig.add_axes(
                (left / full[0], 1 - (top + side) / full[1], side / full[0], side / full[1]), frameon=False
            )
            ax.imshow(as_array(image), aspect="auto")
            ax.set_title(titled[k] if titled else "", fontsize=10, pad=3)
            ax.axis("off")
    return fig


def _wrapped(text: str, width: int) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(text, width))


def draw_truth(ax: "Axes", picture: "Picture", b: int = 0, *, boxes: bool = True, masks: bool = True) -> None:
    """Picture b with the boxes of its things and their masks as tints, each thing in its own colour."""
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Rectangle

    shown = as_array(picture.image[b]).copy()
    size = shown.shape[0]
    for k in range(int(picture.batch.count[b])):
        if masks:
            mask = picture.masks[b, k].cpu().numpy()
            shown[mask] = 0.45 * shown[mask] + 0.55 * np.array(to_rgb(OUTLINES[k]))
        if boxes:
            x0, y0, x1, y1 = (size * picture.boxes[b, k] - 0.5).tolist()
            ax.add_patch(
                Rectangle(
                    (x0, y0), x1 - x0, y1 - y0, fill=False, lw=2.2, edgecolor=OUTLINES[k], clip_on=False
                )
            )
    ax.imshow(shown)
    ax.axis("off")


def part_map(picture: "Picture", b: int = 0, k: int = 0) -> np.ndarray:
    """(S, S) whole numbers: the part of thing k at each pixel, -1 outside it; parts cover their wholes."""
    found = np.full(picture.image.shape[-2:], -1)
    for number, mask in enumerate(picture.parts(b, k).values()):
        found[mask.cpu().numpy()] = number
    return found


def scene_figure(picture: "Picture", *, boxes: bool = True, masks: bool = True) -> "Figure":
    """One scene three times: as a model sees it, with boxes and masks, and the parts of all its things."""
    fig, axes = figure(1, 3, width=8.4, height=2.95)
    axes[0].imshow(as_array(picture.image[0]))
    draw_truth(axes[1], picture, boxes=boxes, masks=masks)
    parts = np.full(picture.image.shape[-2:], np.nan)
    offset = 0
    for k in range(int(picture.batch.count[0])):
        own = part_map(picture, 0, k)
        parts[own >= 0] = offset + own[own >= 0]
        offset += own.max() + 1
    axes[2].imshow(parts, cmap="tab20", interpolation="nearest")
    for ax, title in zip(axes, ("picture", "boxes and masks", "parts"), strict=True):
        ax.set_title(title)
        ax.axis("off")
    return fig


def confusion_figure(table, words: Sequence[str], *, title: str = "") -> "Figure":
    """A judge's confusions: rows what was drawn, columns what was read (the words, then unclear, missed).

    table: (n, n + 2) counts; each row is shown as shares, the wrong ones on a scale of their own.
    """
    counts = np.asarray(table, dtype=float)
    share = counts / counts.sum(1, keepdims=True).clip(min=1)
    wrong = np.where(np.eye(*share.shape, dtype=bool), np.nan, share)
    side = max(4.2, 0.27 * len(words) + 1.8)
    fig, ax = figure(width=side + 1.2, height=side)
    ax.set_facecolor("#cccccc")
    drawn = ax.imshow(wrong, cmap="Blues", vmin=0)
    ax.set_xticks(range(share.shape[1]), [*words, "unclear", "missed"], rotation=90, fontsize=9)
    ax.set_yticks(range(len(words)), words, fontsize=9)
    ax.set_xlabel("read as")
    ax.set_ylabel("drawn")
    ax.set_title(title)
    ax.grid(visible=False)
    fig.colorbar(drawn, ax=ax, shrink=0.7, label="share of the things drawn (the right ones gray)")
    return fig
