"""Pictures of a language model: what comes next, what heads look at, how loss falls with context and size."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lecture10.plots.figure import figure
from lecture10.plots.style import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def readable(token: str) -> str:
    """A token as a label: a space shows as ␣, a line break as ⏎."""
    return token.replace("\n", "⏎").replace(" ", "␣") or "(nothing)"


def bars(ax: "Axes", values: Mapping[str, float], *, unit: str, highlight: str | None = None) -> None:
    """Horizontal bars, first on top, each with its number; `highlight` names the bar in the second colour."""
    names = list(values)
    colours = [COLOURS["vermillion" if name == highlight else "blue"] for name in names]
    drawn = ax.barh(range(len(names)), list(values.values()), color=colours)
    ax.bar_label(drawn, fmt="%.3g", padding=4, fontsize=11)
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.set_xlabel(unit)
    ax.grid(axis="y", visible=False)
    ax.margins(x=0.15)


def next_token_figure(model_probs: Mapping[str, float], drawn_from: Mapping[str, float]) -> "Figure":
    """The likeliest next tokens twice: as the model has them, and after temperature, top-k and top-p.

    Both: token text -> probability, the same tokens in the same order.
    """
    fig, axes = figure(1, 2, width=9, height=3.6)
    longest = 1.25 * max(*model_probs.values(), *drawn_from.values())
    for ax, probs, name in zip(axes, (model_probs, drawn_from), ("model", "drawn from"), strict=True):
        bars(ax, {readable(token): p for token, p in probs.items()}, unit=f"probability ({name})")
        ax.set_yticks(range(len(probs)), [readable(token) for token in probs], family="DejaVu Sans Mono")
        ax.set_xlim(0, longest)
    return fig


def attention_figure(maps: Mapping[str, Sequence], tokens: Sequence[str]) -> "Figure":
    """What heads look at. maps: title -> (T, T) weights, rows the position that asks; tokens: T labels."""
    fig, axes = figure(1, len(maps), width=4.2 * len(maps), height=4.6)
    labels = [readable(token) for token in tokens]
    for ax, (title, weights) in zip([axes] if len(maps) == 1 else axes, maps.items(), strict=True):
        image = ax.imshow(weights, vmin=0, vmax=1)
        ax.set_title(title)
        ax.set_xticks(range(len(labels)), labels, rotation=90, fontsize=9)
        ax.set_yticks(range(len(labels)), labels, fontsize=9)
        ax.set_xlabel("looks at")
        ax.grid(visible=False)
    fig.colorbar(image, ax=axes, shrink=0.7, label="attention weight")
    return fig


def curve_figure(points: Sequence[tuple[float, float, float, float]], *, x: str, y: str) -> "Figure":
    """One curve with its 95 % band on a doubling axis. points: (at, mean, low, high)."""
    fig, ax = figure(width=7, height=3.6)
    at, mean, low, high = zip(*points, strict=True)
    ax.fill_between(at, low, high, color=COLOURS["sky"], alpha=0.4)
    ax.plot(at, mean, "o-", color=COLOURS["blue"])
    ax.set_xscale("log", base=2)
    ax.set_xticks(at, [f"{place:g}" for place in at])
    ax.set(xlabel=x, ylabel=y)
    return fig


def scaling_figure(
    curves: Mapping[str, Sequence[tuple[float, float, float, float]]], law, tokens: int
) -> "Figure":
    """Loss against parameters, one curve a share of the text, and the fitted law as dashed lines.

    curves: name -> (parameters, mean, low, high) points; law(parameters, tokens) -> loss; names as in
    `experiments.gpt1_scaling.share_name`.
    """
    import numpy as np

    from lecture10.experiments.gpt1_scaling import share_of

    fig, ax = figure(width=9, height=4.2)
    colours = [COLOURS["orange"], COLOURS["green"], COLOURS["blue"]]
    for colour, marker, (name, points) in zip(colours, "^so", curves.items(), strict=True):
        at, mean, low, high = (np.array(column) for column in zip(*points, strict=True))
        ax.errorbar(at, mean, yerr=[mean - low, high - mean], fmt=marker, color=colour, capsize=4, label=name)
        share = share_of(name)
        along = np.geomspace(at[0], at[-1], 50)
        ax.plot(along, [law(n, share * tokens) for n in along], "--", color=colour, linewidth=1.5)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set(xlabel="numbers in the transformer blocks", ylabel="held-out loss (nats per token)")
    ax.yaxis.set_minor_formatter("{x:.1f}")
    ax.legend(title="trained on", loc="center left", bbox_to_anchor=(1, 0.5))
    return fig
