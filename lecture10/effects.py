"""Rows, and the effects that compare them: what an experiment returns, and what a claim says about it.

Each effect turns the rows of *one* seed into a tuple of numbers, positive in the claimed direction:

    difference("full", "no pre-training", metric="accuracy")     full − no pre-training
    difference("left to right", 0.125, metric="accuracy")        … or minus a fixed figure, such as chance
    ordering("95 %", "80 %", "alt", metric="score")              95 % − 80 %, 80 % − alt: each must hold
    crossing("zero-shot", "probe", metric="error", within=(1, 64))   below at 1 shot, above at 64
    slope("gpt", metric="loss", log="xy", falls=True)            the exponent of a power law, over `at`

Where smaller is better (a loss), name the larger side first: an effect knows nothing of good and bad.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from lecture10.names import unknown


class MissingRows(ValueError):
    """A seed lacks the rows that an effect needs."""


@dataclass(frozen=True)
class Row:
    """One measured number: this variant scored this value in this seed.

    variant: what was varied ("zero-shot").  metric: what was measured ("accuracy").  seed: pairs the
    variants. at: the place on a curve (shots, parameters), where there is one.  n: how many test items the
    value is a mean of. Raises ValueError where the value is not a finite number.
    """

    variant: str
    metric: str
    value: float
    seed: int
    at: float | None = None
    n: int | None = None

    def __post_init__(self) -> None:
        for name in ("value", "at"):
            number = getattr(self, name)
            if number is None and name == "at":
                continue
            number = float(number)  # a 0-d tensor or a numpy number becomes a plain one
            if not math.isfinite(number):
                raise ValueError(f"{self._where()} has {name} = {number}; a row holds a finite number")
            object.__setattr__(self, name, number)
        object.__setattr__(self, "seed", int(self.seed))
        object.__setattr__(self, "n", None if self.n is None else int(self.n))

    def _where(self) -> str:
        return f"the row ({self.variant!r}, {self.metric!r}) of seed {self.seed}"


Curve = dict[float | None, float]  # at -> value; the key None where the variant is one number
Seen = dict[tuple[str, str], Curve]  # (variant, metric) -> curve


def seen(rows: Iterable[Row]) -> Seen:
    """The rows of one seed by variant and metric. Raises ValueError where one place is measured twice."""
    found: Seen = {}
    for row in rows:
        curve = found.setdefault((row.variant, row.metric), {})
        if row.at in curve:
            at = "" if row.at is None else f" at {row.at:g}"
            raise ValueError(f"{row._where()}{at} is there twice ({curve[row.at]:g} and {row.value:g})")
        curve[row.at] = row.value
    return found


def _curve(found: Seen, variant: str, metric: str) -> Curve:
    if (variant, metric) in found:
        return found[variant, metric]
    variants = sorted({v for v, m in found if m == metric})
    if variants:
        raise MissingRows(f"{unknown('variant', variant, variants)} (metric {metric!r})")
    raise MissingRows(unknown("metric", metric, sorted({m for _, m in found})))


def _value(found: Seen, variant: str | float, metric: str, at: float | None) -> float:
    if not isinstance(variant, str):
        return variant
    curve = _curve(found, variant, metric)
    if at in curve:
        return curve[at]
    places = ", ".join("no place" if place is None else f"{place:g}" for place in curve)
    wanted = "without a place (say at=…)" if at is None else f"at {at:g}"
    raise MissingRows(f"{variant!r} has no {metric!r} {wanted}; it is measured at: {places}")


def _points(found: Seen, variant: str, metric: str, least: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """A curve as (places, values), places rising."""
    curve = {at: value for at, value in _curve(found, variant, metric).items() if at is not None}
    if len(curve) < least:
        raise MissingRows(f"{variant!r} has {metric!r} at {len(curve)} places; a curve needs {least} or more")
    places = sorted(curve)
    return np.array(places), np.array([curve[place] for place in places])


@dataclass(frozen=True)
class Difference:
    """a − b in one metric; b may be a fixed number. See `difference`."""

    a: str
    b: str | float
    metric: str
    at: float | None = None

    def parts(self, rows: Iterable[Row]) -> tuple[float, ...]:
        """(a − b,) in one seed. Raises MissingRows."""
        found = seen(rows)
        return (_value(found, self.a, self.metric, self.at) - _value(found, self.b, self.metric, self.at),)

    def __str__(self) -> str:
        b = self.b if isinstance(self.b, str) else f"{self.b:g}"
        return f"{self.a} − {b} ({self.metric}{'' if self.at is None else f' at {self.at:g}'})"


def difference(a: str, b: str | float, *, metric: str, at: float | None = None) -> Difference:
    """The claim that a has more of the metric than b (a variant, or a fixed figure such as chance)."""
    return Difference(a, b, metric, at)


@dataclass(frozen=True)
class Ordering:
    """Every variant has more than the next. See `ordering`."""

    variants: tuple[str, ...]
    metric: str
    at: float | None = None

    def parts(self, rows: Iterable[Row]) -> tuple[float, ...]:
        """The adjacent differences in one seed, first minus second and so on. Raises MissingRows."""
        found = seen(rows)
        values = [_value(found, variant, self.metric, self.at) for variant in self.variants]
        return tuple(more - less for more, less in pairwise(values))

    def __str__(self) -> str:
        return f"{' > '.join(self.variants)} ({self.metric}; the least step)"


def ordering(*variants: str, metric: str, at: float | None = None) -> Ordering:
    """The claim that the variants, as listed, fall in the metric; each step by more than the margin.

    One part per step; the verdict is about the smallest step: "shown" only where every step is shown,
    "opposite" where some step is surely the other way round (`lecture10.verdicts.interval`).
    """
    if len(variants) < 2 or len(set(variants)) < len(variants):
        raise ValueError(f"an ordering needs two or more different variants, not {variants}")
    return Ordering(variants, metric, at)


@dataclass(frozen=True)
class Slope:
    """The least-squares slope of a metric over `at`. See `slope`."""

    variant: str
    metric: str
    log: str = ""
    falls: bool = False

    def parts(self, rows: Iterable[Row]) -> tuple[float, ...]:
        """(the slope,) in one seed, its sign turned where the claim is that it falls. Raises MissingRows."""
        x, y = _points(seen(rows), self.variant, self.metric)
        if "x" in self.log:
            x = _log(x, f"places of {self.variant!r}")
        if "y" in self.log:
            y = _log(y, f"{self.metric!r} of {self.variant!r}")
        x = x - x.mean()
        rise = float(x @ y / (x @ x))
        return (-rise if self.falls else rise,)

    def __str__(self) -> str:
        scale = {"": "", "x": ", per e-fold", "y": ", of the log", "xy": ", log-log"}[self.log]
        return f"{'fall' if self.falls else 'rise'} of {self.metric} ({self.variant}{scale})"


def slope(variant: str, *, metric: str, log: Literal["", "x", "y", "xy"] = "", falls: bool = False) -> Slope:
    """The claim that the metric rises (or falls) with `at`: the slope of a least-squares line.

    log: which axes are logarithmic (natural logarithms); "xy" gives the exponent of a power law.
    """
    if log not in ("", "x", "y", "xy"):
        raise ValueError(f"log is {log!r}; it is '', 'x', 'y' or 'xy'")
    return Slope(variant, metric, log, falls)


@dataclass(frozen=True)
class Crossing:
    """a starts below b and ends above it. See `crossing`."""

    a: str
    b: str
    metric: str
    within: tuple[float, float] | None = None
    log: bool = False
    by: str = "gap"

    def parts(self, rows: Iterable[Row]) -> tuple[float, float]:
        """(b − a at the start, a − b at the end), or how far inside the place lies. Raises MissingRows."""
        x, gap = self._gap(rows)
        low, high = self._axis(np.array(self.within)) if self.within else (x[0], x[-1])
        if low < x[0] or high > x[-1]:
            raise MissingRows(f"the curves of {self.a!r} and {self.b!r} do not reach over {self.within}")
        if self.by == "place":
            place = _overtaking(x, gap)
            return float(place - low), float(high - place)
        return float(-np.interp(low, x, gap)), float(np.interp(high, x, gap))

    def place(self, rows: Iterable[Row]) -> float | None:
        """Where a overtakes b in one seed, in units of `at`; None where it does not, or leads at once."""
        x, gap = self._gap(rows)
        if gap[0] >= 0 or (gap < 0).all():
            return None
        found = _overtaking(x, gap)
        return float(2**found if self.log else found)

    def _gap(self, rows: Iterable[Row]) -> tuple[np.ndarray, np.ndarray]:
        found = seen(rows)
        (x, a), (other, b) = (_points(found, variant, self.metric) for variant in (self.a, self.b))
        if not np.array_equal(x, other):
            raise MissingRows(f"{self.a!r} is measured at {x.tolist()}, but {self.b!r} at {other.tolist()}")
        return self._axis(x), a - b

    def _axis(self, x: np.ndarray) -> np.ndarray:
        return _log(x, f"places of {self.a!r}") / math.log(2) if self.log else x

    def __str__(self) -> str:
        where = f" between {self.within[0]:g} and {self.within[1]:g}" if self.within else ""
        return f"{self.a} overtakes {self.b}{where} ({self.metric}; the lesser {self.by})"


def crossing(
    a: str,
    b: str,
    *,
    metric: str,
    within: tuple[float, float] | None = None,
    log: bool = False,
    by: Literal["gap", "place"] = "gap",
) -> Crossing:
    """The claim that a's curve over `at` starts below b's and overtakes it, within a range (default: all).

    by="gap": a is below b at the range's start and above it at its end, each by more than the margin, in
    units of the metric. Works for every seed, also where no curve crosses.
    by="place": the place of overtaking lies inside the range, away from both ends by more than the margin,
    in units of the axis: `at` itself, or doublings of it (log=True). A seed that never crosses counts as
    crossing at the last place, one where a leads from the start at the first, so keep the range clear of
    the ends. The place is where the first gap ≥ 0 is reached, by linear interpolation on the axis.
    """
    if by not in ("gap", "place") or (by == "place" and within is None):
        raise ValueError(f"by is {by!r}; it is 'gap', or 'place' with within=(from, to)")
    if within is not None and not within[0] < within[1]:
        raise ValueError(f"within is {within}; it is (from, to) with from < to")
    return Crossing(a, b, metric, tuple(map(float, within)) if within else None, log, by)


Effect = Difference | Ordering | Crossing | Slope


def _overtaking(x: np.ndarray, gap: np.ndarray) -> float:
    ahead = np.flatnonzero(gap >= 0)
    if not len(ahead):
        return float(x[-1])
    i = int(ahead[0])
    if i == 0:
        return float(x[0])
    return float(np.interp(0.0, gap[i - 1 : i + 1], x[i - 1 : i + 1]))  # gap rises from below 0 to 0 or more


def _log(numbers: np.ndarray, what: str) -> np.ndarray:
    if (numbers <= 0).any():
        raise ValueError(f"the {what} include {numbers.min():g}; a logarithmic axis needs numbers above 0")
    return np.log(numbers)
