"""Pictures of latent diffusion: guidance as a curve, equal cost as bars, a prompt's film."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lecture10.plots.diffusion import sheet
from lecture10.plots.figure import figure
from lecture10.plots.style import COLOURS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lecture10.findings import Finding

Measured = tuple[float, float, float]  # mean, and the ends of its interval


def measured(finding: "Finding", metric: str) -> dict[str, Measured]:
    """variant -> (mean, low, high) over the seeds of a finding, in one metric."""
    return {variant: tuple(ends) for variant, _, _, *ends, _ in finding.table(metric)}


def guidance_figure(follows: Mapping[str, Measured], diverse: Mapping[str, Measured]) -> "Figure":
    """Prompt following over diversity, one dot for each guidance scale, joined in their order.

    follows, diverse: "w = 3" -> (mean, low, high).
    """
    fig, ax = figure(width=7.2, height=4.2)
    x, y = (np.array([table[name] for name in follows]) for table in (diverse, follows))
    ax.errorbar(
        x[:, 0], y[:, 0], yerr=np.abs(y[:, 1:] - y[:, :1]).T, xerr=np.abs(x[:, 1:] - x[:, :1]).T,
        color=COLOURS["blue"], marker="o", lw=1.6, elinewidth=0.8, capsize=2,
    )  # fmt: skip
    best = int(y[:, 0].argmax())  # up to here names stand at the right, then at the left: the curve turns
    for at, (name, (across, *_), (up, *_)) in enumerate(zip(follows, x, y, strict=True)):
        place, side = ((6, 7), "left") if at <= best else ((-6, -14), "right")
        ax.annotate(name, (across, up), xytext=place, textcoords="offset points", ha=side, fontsize=11)
    ax.set_xlabel("diversity: 1 − mean cosine of four pictures of a prompt")
    ax.set_ylabel("prompts followed as a whole")
    ax.margins(0.12)
    return fig


def bars_figure(panels: Mapping[str, Mapping[str, Measured]]) -> "Figure":
    """Bars with intervals, a panel for each measure. panels: measure -> variant -> (mean, low, high)."""
    fig, axes = figure(1, len(panels), width=min(12, 4.4 * len(panels)), height=3.4, squeeze=False)
    for ax, (measure, bars) in zip(axes[0], panels.items(), strict=True):
        mean, low, high = np.array(list(bars.values())).T
        ax.bar(range(len(bars)), mean, 0.62, color=COLOURS["sky"])
        ax.errorbar(
            range(len(bars)), mean, [mean - low, high - mean], fmt="none", ecolor="#222222", capsize=4
        )
        for at, (value, top) in enumerate(zip(mean, high, strict=True)):
            ax.annotate(f"{value:.2f}", (at, max(value, top)), xytext=(0, 4), textcoords="offset points",
                        ha="center", fontsize=11)  # fmt: skip
        ax.set_xticks(range(len(bars)), list(bars), fontsize=10)
        ax.set_ylim(min(0, low.min()), max(mean.max(), high.max()) * 1.12)
        ax.set_ylabel(measure)
    return fig


def film_figure(rows: Mapping[str, Sequence], stops: Sequence[int], prompt: str) -> "Figure":
    """A prompt's way back, frame by frame. rows: name -> pictures (frames, 3, S, S) in [0, 1]."""
    frames = {name: [2 * image - 1 for image in images] for name, images in rows.items()}
    times = ["drawn" if stop < 0 else f"t = {stop}" for stop in stops]
    fig = sheet(frames, columns=times, side=1.6)
    fig.suptitle(prompt, fontsize=12)
    return fig
