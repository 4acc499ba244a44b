"""What happened in a run: numbers by step, which plot themselves and survive as JSON."""

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lecture10.files import write_text
from lecture10.names import unknown

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

MEASURED = ("lr", "grad_norm", "per_second")  # about the run, not about what was learnt
COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
)  # Okabe & Ito: safe for colour blindness


class History:
    """Numbers of a run by step: loss (mean since the line before), lr, grad_norm, per_second, whatever else
    was told.

    label: what was trained. records: one dict a logged step, each with "step". steps: how many were asked
    for. done: how many were made. interrupted: stopped by hand before the last one. seconds: time spent
    training, over all its sittings. unit: what per_second counts. The repr and its HTML show no times, so
    that stored notebooks do not change.
    """

    def __init__(self, label: str = "model", steps: int = 0, unit: str = "samples"):
        self.label, self.steps, self.unit = label, steps, unit
        self.records: list[dict[str, float]] = []
        self.done = 0
        self.interrupted = False
        self.seconds = 0.0

    def add(self, step: int, **values: float) -> None:
        """Record numbers for a step; a second call for the same step adds to the first."""
        if self.records and self.records[-1]["step"] == step:
            self.records[-1].update(values)
        else:
            self.records.append({"step": step, **values})

    @property
    def minutes(self) -> float:
        """Minutes spent training, over all sittings."""
        return self.seconds / 60

    @property
    def metrics(self) -> list[str]:
        """The names of everything recorded, in order of first appearance."""
        return list(dict.fromkeys(key for record in self.records for key in record if key != "step"))

    def curve(self, metric: str = "loss") -> tuple[list[int], list[float]]:
        """The steps at which `metric` was recorded, and its values. Raises ValueError for one that never
        was."""
        pairs = [(int(r["step"]), r[metric]) for r in self.records if metric in r]
        if not pairs:
            raise ValueError(unknown("metric", metric, self.metrics))
        return [step for step, _ in pairs], [value for _, value in pairs]

    def last(self, metric: str = "loss") -> float:
        """The latest value of a metric. Raises ValueError for one that was never recorded."""
        return self.curve(metric)[1][-1]

    def to_frame(self) -> "pandas.DataFrame":
        """One row a logged step, one column a metric; a gap where one was not measured."""
        import pandas as pd

        return pd.DataFrame(self.records, columns=["step", *self.metrics])

    def plot(
        self, *metrics: str, log_x: bool = False, log_y: bool = False, ax: "Axes | None" = None
    ) -> "Axes":
        """Draw metrics over steps: by default the loss and every evaluated loss. Returns the axes.

        One colour and marker a metric, so that the lines can be told apart in grey and on a projector.
        """
        import matplotlib.pyplot as plt

        chosen = metrics or tuple(m for m in self.metrics if m == "loss" or m.endswith(("_loss", " loss")))
        curves = [self.curve(metric) for metric in chosen]
        if ax is None:
            _, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
        for i, (name, (steps, values)) in enumerate(zip(chosen, curves, strict=True)):
            marker = "os^Dv"[i % 5] if len(steps) <= 40 else ""
            ax.plot(steps, values, color=COLOURS[i % 6], marker=marker, markersize=4, linewidth=2, label=name)
        ax.set(xlabel="training step", ylabel=chosen[0] if len(chosen) == 1 else "value", title=self.label)
        ax.set(xscale="log" if log_x else "linear", yscale="log" if log_y else "linear")
        ax.grid(alpha=0.3)
        if len(chosen) > 1:
            ax.legend()
        return ax

    def to_json(self) -> str:
        """Everything, as JSON text."""
        return json.dumps(vars(self))

    @classmethod
    def from_json(cls, text: str) -> "History":
        """Undo `to_json`. Raises ValueError where the text is something else."""
        facts = json.loads(text)
        history = cls()
        if not isinstance(facts, dict) or facts.keys() != vars(history).keys():
            raise ValueError("this is not a stored History: write one with history.save(path)")
        vars(history).update(facts)
        return history

    def save(self, path: str | Path) -> None:
        """Write to a JSON file, atomically."""
        write_text(Path(path), self.to_json())

    @classmethod
    def load(cls, path: str | Path) -> "History":
        """Read what `save` wrote. Raises ValueError where it is damaged."""
        try:
            return cls.from_json(Path(path).read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(
                f"{Path(path).name} holds no history ({error}): delete it and train again"
            ) from error

    def _summary(self) -> list[tuple[str, str]]:
        """First and last value of everything learnt; nothing that depends on the machine's speed."""
        shown = [m for m in self.metrics if m not in MEASURED]
        rows = []
        for metric in shown:
            values = self.curve(metric)[1]
            rows.append(
                (metric, f"{values[0]:.4g} → {values[-1]:.4g}" if len(values) > 1 else f"{values[-1]:.4g}")
            )
        return rows

    def _headline(self) -> str:
        return f"{self.label}: step {self.done} of {self.steps}" + (
            ", interrupted" if self.interrupted else ""
        )

    def __len__(self) -> int:
        return len(self.records)

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, History) and vars(self) == vars(other)

    def __repr__(self) -> str:
        return "; ".join([self._headline(), *(f"{name} {values}" for name, values in self._summary())])

    def _repr_html_(self) -> str:
        rows: Sequence[str] = [
            f"<tr><th style='text-align:left'>{escape(n)}</th><td>{v}</td></tr>" for n, v in self._summary()
        ]
        return f"<table><caption>{escape(self._headline())}</caption>{''.join(rows)}</table>"
