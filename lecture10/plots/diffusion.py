"""Pictures of diffusion: clouds and digits on their way to noise and back, schedules, quality over steps."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lecture10.plots.figure import figure
from lecture10.plots.style import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOOKS = (("blue", "o", "-"), ("vermillion", "s", "--"), ("green", "^", "-."), ("purple", "D", ":"))
REACH = 3.0  # of the axes around a cloud of about unit variance


def _numbers(x) -> np.ndarray:
    return np.asarray(x.detach().cpu() if hasattr(x, "detach") else x, dtype=float)


def as_levels(image) -> np.ndarray:
    """(1 or 3, S, S) in [-1, 1] -> what matplotlib draws: ink dark on light paper, or RGB."""
    image = (_numbers(image).clip(-1, 1) + 1) / 2
    return 1 - image[0] if len(image) == 1 else image.transpose(1, 2, 0)


def _show(ax: "Axes", image) -> None:
    ax.imshow(as_levels(image), cmap="gray", vmin=0, vmax=1)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)


def sheet(rows: Mapping[str, Sequence], *, columns: Sequence[str] = (), side: float = 0.85) -> "Figure":
    """Rows of small pictures, their names at the left. rows: name -> pictures (n, C, S, S) in [-1, 1]."""
    n = max(map(len, rows.values()))
    names = list(rows)
    fig, axes = figure(
        len(names), n, width=min(12, side * n + 0.11 * max(map(len, names)) + 0.4),
        height=max(1.0, side * len(names) + 0.35 * bool(columns)), squeeze=False,
    )  # fmt: skip
    for line, (name, images) in zip(axes, rows.items(), strict=True):
        for ax, image in zip(line, images, strict=False):
            _show(ax, image)
        for ax in line[len(images) :]:
            ax.axis("off")
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=12)
    for ax, title in zip(axes[0], columns, strict=False):
        ax.set_title(title, fontsize=11)
    return fig


def cloud(ax: "Axes", points, *, colours=None, title: str = "") -> None:
    """A cloud of points (n, 2) in a square of fixed size."""
    points = _numbers(points)
    shades = {"color": COLOURS["blue"]} if colours is None else {"c": colours, "cmap": "cividis"}
    ax.scatter(*points.T, s=5, linewidths=0, alpha=0.8, **shades)
    ax.set_xlim(-REACH, REACH)
    ax.set_ylim(-REACH, REACH)
    ax.set_aspect("equal")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_title(title, fontsize=12)


def clouds_figure(clouds: Mapping[str, object], *, colours=None, trails=None) -> "Figure":
    """One cloud at several moments, side by side. clouds: title -> (n, 2).

    colours: (n,) a number for each point, the same in all panels. trails: (stops, k, 2), drawn over the last
    panel.
    """
    fig, axes = figure(1, len(clouds), width=min(11.5, 2.3 * len(clouds)), height=2.6, squeeze=False)
    for ax, (title, points) in zip(axes[0], clouds.items(), strict=True):
        cloud(ax, points, colours=colours, title=title)
    if trails is not None:
        for k in range(trails.shape[1]):
            axes[0, -1].plot(*_numbers(trails[:, k]).T, color=COLOURS["vermillion"], lw=1.3)
    return fig


def forward_figure(signal, images: Sequence, stops: Sequence[int], *, names=("linear",)) -> "Figure":
    """Pictures at several steps, over the curves √ᾱ of some schedules.

    signal: one (T,) of √ᾱ for each name; images: a picture for each stop, in [-1, 1].
    """
    fig, axes = figure(2, len(images), width=9.6, height=3.9, height_ratios=(1, 1.5))
    grid = axes[1, 0].get_gridspec()
    for ax in axes[1]:
        ax.remove()
    for ax, image, stop in zip(axes[0], images, stops, strict=True):
        _show(ax, image)
        ax.set_title(f"t = {stop}", fontsize=12)
    ax = fig.add_subplot(grid[1, :])
    for curve, name, (colour, _, line) in zip(signal, names, LOOKS, strict=False):
        curve = _numbers(curve)
        ax.plot(np.arange(len(curve)) / len(curve), curve, line, color=COLOURS[colour], label=name)
    ax.set_xlabel("t / T")
    ax.set_ylabel("√ᾱ: picture left")
    ax.set_ylim(-0.03, 1.03)
    ax.legend(fontsize=11, loc="center left", bbox_to_anchor=(1, 0.5))
    return fig


def steps_figure(
    panels: Mapping[str, Mapping[str, Mapping[float, tuple[float, float, float]]]],
    floors: Mapping[str, float],
) -> "Figure":
    """Distance to the data over sampling steps, a panel for each measure, both axes logarithmic.

    panels: measure -> method -> {steps: (mean, low, high)}; floors: measure -> what real data have.
    """
    fig, axes = figure(1, len(panels), width=10, height=4.0, squeeze=False)
    for ax, (measure, methods) in zip(axes[0], panels.items(), strict=True):
        for (method, curve), (colour, mark, line) in zip(methods.items(), LOOKS, strict=False):
            at = list(curve)
            mean, low, high = np.array(list(curve.values())).T
            low = np.maximum(low, mean / 10)  # an interval may reach below 0, a logarithmic axis not
            ax.errorbar(at, mean, [mean - low, high - mean], color=COLOURS[colour], marker=mark, ls=line,
                        capsize=3, lw=2, label=method)  # fmt: skip
        ax.axhline(floors[measure], color="#595959", ls=":", lw=1.6, label="real data")
        ax.set_xscale("log")
        ax.set_yscale("log")
        places = sorted({at for curve in methods.values() for at in curve})
        ax.set_xticks(places, [f"{place:g}" for place in places])
        low, high = ax.get_ylim()
        levels = [k * 10.0**e for e in range(-3, 3) for k in (1, 2, 5) if low <= k * 10.0**e <= high]
        ax.set_yticks(levels, [f"{level:g}" for level in levels])
        ax.minorticks_off()
        ax.set_xlabel("sampling steps")
        ax.set_ylabel(measure)
    axes[0, 0].legend(fontsize=11)
    return fig


def weight_figure(weights) -> "Figure":
    """The bound's weight of each step, beside the 1 of L_simple. weights: (T - 1,), from t = 1."""
    weights = _numbers(weights)
    fig, ax = figure(width=8, height=3.2)
    ax.plot(np.arange(1, len(weights) + 1), weights, color=COLOURS["blue"], label="the bound's weight")
    ax.axhline(1, color=COLOURS["vermillion"], ls="--", label="L_simple's")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("step t (from 0)")
    ax.set_ylabel("weight of ‖ε − ε_θ‖²")
    ax.legend()
    return fig


def way_figure(points, digits, guesses, title: str, *, colours=None) -> "Figure":
    """One moment of the way: the cloud at the left; digits, and what they are taken for, at the right.

    points: (n, 2); digits, guesses: (8, 1, 8, 8) in [-1, 1] (guesses: None on the way to noise).
    """
    fig, axes = figure(2, 5, width=9.0, height=3.6, width_ratios=(2.1, 1, 1, 1, 1))
    grid = axes[0, 0].get_gridspec()
    for ax in axes[:, 0]:
        ax.remove()
    cloud(fig.add_subplot(grid[:, 0]), points, colours=colours, title=title)
    for line, images, name in ((axes[0], digits, "x at t"), (axes[1], guesses, "taken for x₀")):
        for k, ax in enumerate(line[1:]):
            if images is None:
                ax.axis("off")
            else:
                _show(ax, images[k])
        if images is not None:
            line[1].set_title(name, fontsize=12, loc="left")
    return fig
