"""The course on one page: the systems in time, and which notebook builds on which."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lecture10.plots.figure import figure
from lecture10.plots.style import COLOURS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lecture10.lecture import Chapter

LANES = {"language": "blue", "pictures and words": "green", "regions": "purple", "generation": "vermillion"}
ROOM = 0.075  # years that a letter of a name takes
EARLIEST = 2018.0  # what is older stands at the left edge, with its year
STEP, GAP = 0.42, 0.75  # between the steps of a lane, and between lanes


def course_map(chapters: "Sequence[Chapter]") -> "Figure":
    """Every system at the month it appeared, in its lane; arrows from what a notebook needs.

    Filled where the notebook is written, hollow where it is planned.
    """
    fig, ax = figure(width=9.6, height=5.4)
    labels, spots, lanes = _labels(chapters), *_spots(chapters)
    for chapter in chapters:
        colour = COLOURS[LANES.get(chapter.lane, "black")]
        for name in chapter.systems:
            face = colour if chapter.written else "white"
            ax.plot(*spots[name], "o", ms=10, mfc=face, mec=colour, mew=2, zorder=3)
            ax.annotate(
                labels[name], spots[name], (9, 0), textcoords="offset points", va="center", fontsize=10.5,
                zorder=4, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.85},
            )  # fmt: skip
    for start, end in _arrows(chapters):
        ax.annotate(
            "", spots[end], spots[start], zorder=1,
            arrowprops={"arrowstyle": "-|>", "color": "#aaaaaa", "lw": 1.2, "shrinkA": 7, "shrinkB": 7,
                        "connectionstyle": "arc3,rad=0.06"},
        )  # fmt: skip
    ax.set_yticks([lanes[lane] for lane in LANES], list(LANES))
    ax.set_xticks(range(2018, 2025))
    ax.set_xlim(EARLIEST - 0.2, 2024.6)
    ax.set_ylim(min(y for _, y in spots.values()) - 0.4, 0.4)
    ax.set_xlabel("year of the first public version")
    ax.grid(axis="y", visible=False)
    return fig


def _labels(chapters: "Sequence[Chapter]") -> dict[str, str]:
    """System -> its notebook's number and its name, with the year where it is older than the axis."""
    return {
        name: f"{c.notebook[:2]} {name}" + (f" ({date[:4]})" if _year(date) < EARLIEST else "")
        for c in chapters
        for name, date in c.systems.items()
    }


def _year(date: str) -> float:
    return int(date[:4]) + (int(date[5:7]) - 1) / 12


def _spots(chapters: "Sequence[Chapter]") -> tuple[dict[str, tuple[float, float]], dict[str, float]]:
    """System -> (x, y), and lane -> y of its first step: a system stands at its month, in its lane, and a
    step lower where its name would cover an earlier one.
    """
    labels, spots, lanes, top = _labels(chapters), {}, {}, 0.0
    for lane in LANES:
        lanes[lane] = top
        own = [(max(EARLIEST, _year(d)), n) for c in chapters if c.lane == lane for n, d in c.systems.items()]
        ends: list[float] = []  # of each step, the right end of its last name
        for x, name in sorted(own):
            step = next((k for k, end in enumerate(ends) if x - 0.1 > end), len(ends))
            ends[step : step + 1] = [x + 0.2 + ROOM * len(labels[name])]
            spots[name] = (x, top - STEP * step)
        top -= STEP * (len(ends) - 1) + GAP
    return spots, lanes


def _arrows(chapters: "Sequence[Chapter]") -> list[tuple[str, str]]:
    """(system, system): the last one of a needed notebook to the first one of the notebook that needs it."""
    by_name = {c.notebook: c for c in chapters}
    return [
        (list(by_name[need].systems)[-1], next(iter(c.systems)))
        for c in chapters
        for need in c.needs
        if c.systems and by_name[need].systems
    ]


def course_table(chapters: "Sequence[Chapter]") -> str:
    """The same as text: notebook, what it is about, what it needs, minutes on two cores."""
    rows = [("notebook", "about", "needs", "minutes")]
    for c in chapters:
        needs = ", ".join(need[:2] for need in c.needs) or "–"
        rows.append((c.notebook, c.title, needs, f"{c.minutes:g}" if c.written else "planned"))
    widths = [max(len(row[k]) for row in rows) for k in range(3)]
    return "\n".join(
        "  ".join([*(cell.ljust(w) for cell, w in zip(row[:3], widths, strict=True)), row[3]]) for row in rows
    )
