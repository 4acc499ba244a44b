"""A verdict as a picture: the effect of each seed, their interval, and the margin that decides."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lecture10.plots.figure import figure
from lecture10.plots.style import COLOURS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lecture10.verdicts import Verdict


def verdict_figure(
    effects: Mapping[int, float], found: "Verdict", *, kept=None, unit: str = "effect"
) -> "Figure":
    """Each seed's effect as a dot (hollow where it was dropped), the 95 % interval as a bar, ± margin shaded.

    effects: seed -> effect; found: the verdict on the kept ones; kept: seeds (default: all).
    """
    kept = set(effects) if kept is None else set(kept)
    fig, ax = figure(width=8, height=2.5)
    ax.axvspan(-found.margin, found.margin, color="#eeeeee", zorder=0)
    ax.axvline(0, color="#888888", lw=1)
    for edge in (-found.margin, found.margin):
        ax.axvline(edge, color="#888888", lw=1, ls="--")
    for row, (seed, effect) in enumerate(effects.items()):
        face = COLOURS["blue"] if seed in kept else "white"
        ax.plot(effect, 1 + 0.25 * row, "o", ms=8, mfc=face, mec=COLOURS["blue"], mew=1.6)
    if not math.isnan(found.low):
        ax.plot([found.low, found.high], [0, 0], lw=5, color=COLOURS["vermillion"], solid_capstyle="butt")
    if not math.isnan(found.mean):
        ax.plot(found.mean, 0, "|", ms=18, mew=3, color="black")
    ax.set_yticks([0, 1 + 0.125 * (len(effects) - 1)], ["mean, interval", "seeds"])
    ax.set_ylim(-0.6, 1.4 + 0.25 * (len(effects) - 1))
    ax.set_xlabel(unit)
    ax.set_title(str(found))
    ax.grid(axis="y", visible=False)
    return fig
