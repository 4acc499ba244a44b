"""Pictures of BERT: a row of tokens with what was masked in it, and what two models expect at a blank."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lecture10.plots.figure import figure
from lecture10.plots.language import bars
from lecture10.plots.style import COLOURS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lecture10.findings import Finding

FATES = {  # what is shown at a chosen word -> (colour of the box, what the legend says)
    "mask": (COLOURS["blue"], "chosen, shown as [MASK]"),
    "random": (COLOURS["vermillion"], "chosen, shown as a random word"),
    "kept": (COLOURS["green"], "chosen, shown as it is"),
}


def fate(shown: str, target: str | None) -> str:
    """What became of a token: "" where it was not chosen, else "mask", "kept" or "random"."""
    if target is None:
        return ""
    return "mask" if shown == "[MASK]" else "kept" if shown == target else "random"


def masking_figure(rows: Sequence[tuple[Sequence[str], Sequence[str | None], Sequence[int]]]) -> "Figure":
    """Rows of tokens as the model reads them; below each chosen one the word that it is asked for.

    rows: (tokens shown, targets with None where nothing is asked, segments 0 or 1), of equal length.
    """
    fig, ax = figure(width=11, height=0.6 + 1.0 * len(rows))
    widest = max(sum(_width(token) for token in shown) for shown, _, _ in rows)
    for number, (shown, targets, segments) in enumerate(rows):
        x, y = 0.0, -1.0 * number
        for token, target, segment in zip(shown, targets, segments, strict=True):
            width, what = _width(token), fate(token, target)
            edge = FATES[what][0] if what else "#999999"
            face = "#ffffff" if segment == 0 else "#e6e6e6"
            ax.add_patch(_box(x, y, width, face, edge, 2.8 if what else 0.8))
            ax.text(x + width / 2, y, token, ha="center", va="center", fontsize=10.5)
            if target is not None:
                ax.text(x + width / 2, y - 0.45, f"↑ {target}", ha="center", va="center", fontsize=10.5,
                        color=edge, fontweight="bold")  # fmt: skip
            x += width
    for colour, says in FATES.values():
        ax.plot([], [], color=colour, label=says)
    ax.plot([], [], "s", color="#e6e6e6", markeredgecolor="#999999", label="segment B")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, fontsize=10.5)
    ax.set(xlim=(-0.1, widest + 0.1), ylim=(-1.0 * len(rows) + 0.35, 0.4))
    ax.axis("off")
    return fig


def _width(token: str) -> float:
    return 0.42 + 0.105 * len(token)


def _box(x: float, y: float, width: float, face: str, edge: str, line: float):
    from matplotlib.patches import FancyBboxPatch

    return FancyBboxPatch(
        (x + 0.04, y - 0.22), width - 0.08, 0.44, boxstyle="round,pad=0,rounding_size=0.06",
        facecolor=face, edgecolor=edge, linewidth=line,
    )  # fmt: skip


def blank_figure(expected: Mapping[str, Mapping[str, float]], answer: str) -> "Figure":
    """What models expect at a blank, side by side; the word that stood there in the second colour.

    expected: name of a model -> (word -> probability), likeliest first.
    """
    fig, axes = figure(1, len(expected), width=9, height=3.2)
    for ax, (name, probs) in zip(axes, expected.items(), strict=True):
        bars(ax, probs, unit="probability", highlight=answer)
        ax.set_title(name)
        ax.set(xlim=(0, 1.2), xticks=[0, 0.5, 1])
    return fig


def sureness_figure(pieces: Sequence[str], shares: Mapping[str, Sequence[float]]) -> "Figure":
    """How likely models held each word of a text when it was blotted out. shares: model -> one a word."""
    fig, ax = figure(width=11, height=3.4)
    width = 0.8 / len(shares)
    for number, (name, values) in enumerate(shares.items()):
        places = [k + (number - (len(shares) - 1) / 2) * width for k in range(len(pieces))]
        ax.bar(places, values, width, label=name, color=list(COLOURS.values())[number])
    ax.set_xticks(range(len(pieces)), pieces, rotation=45, ha="right")
    ax.set(ylabel="probability of the word", ylim=(0, 1))
    ax.grid(axis="x", visible=False)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return fig


def compared_figure(
    shares: Mapping[str, Sequence[tuple[str, float, float, float]]],
    *,
    unit: str,
    line: float | None = None,
) -> "Figure":
    """Dots with 95 % intervals, cut off at 0 and 1. shares: group -> (variant, mean, low, high); line: at a
    dashed one.
    """
    fig, ax = figure(width=8.5, height=1.1 + 0.42 * sum(map(len, shares.values())))
    names, y, colours = [], 0.0, list(COLOURS.values())
    for colour, (group, points) in zip(colours, shares.items(), strict=False):
        for variant, mean, low, high in points:
            ax.errorbar(
                mean, y, xerr=[[mean - max(0, low)], [min(1, high) - mean]], fmt="o", capsize=4, color=colour
            )
            ax.text(1.03, y, f"{mean:.3f}", va="center", fontsize=11)
            names.append((y, f"{variant}, {group}" if group else variant))
            y += 1.0
        y += 0.4
    if line is not None:
        ax.axvline(line, ls="--", color="#595959", linewidth=1.5)
    ax.set_yticks([place for place, _ in names], [name for _, name in names])
    ax.set_ylim(y - 0.6, -0.7)  # the first on top
    ax.set(xlabel=unit, xlim=(0, 1.14), xticks=[0, 0.25, 0.5, 0.75, 1.0])
    ax.grid(axis="y", visible=False)
    return fig


def finding_figure(finding: "Finding", *, unit: str, line: float | None = None) -> "tuple[Figure, str]":
    """What was measured for a claim, every metric and variant, and the figure's alternative text.

    Where nothing is measured yet the figure says how to do it.
    """
    from lecture10.verdicts import interval

    groups: dict[str, dict[str, list[float]]] = {}
    for row in finding.used:
        groups.setdefault(row.metric, {}).setdefault(row.variant, []).append(row.value)
    if not groups:
        fig, ax = figure(width=8.5, height=1)
        says = f"{finding.claim.name} is not measured yet: python -m lecture10 measure {finding.claim.name}"
        ax.text(0.5, 0.5, says, ha="center", va="center", fontsize=11)
        ax.axis("off")
        return fig, says
    shares = {
        metric.removeprefix("accuracy").strip(", "): [
            (variant, sum(values) / len(values), *interval(values)) for variant, values in variants.items()
        ]
        for metric, variants in groups.items()
    }
    said = [
        f"{f'{variant}, {group}' if group else variant} {mean:.3f}"
        for group, points in shares.items()
        for variant, mean, *_ in points
    ]
    return compared_figure(shares, unit=unit, line=line), "; ".join(said)
