"""Rates that a judge with known errors reports, raw and corrected, with intervals, always together.

A judge that misses true cases and passes false ones reports q = p · se + (1 − p) · (1 − sp), where p is
the truth. Turned round, p = (q + sp − 1) / (se + sp − 1) (Rogan & Gladen 1978). All three are estimates; the
interval carries the uncertainty of all of them.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import beta

from lecture10.judge.following import ASPECTS, HOLDS, NOT_ASKED, Following
from lecture10.judge.thresholds import measured
from lecture10.names import unknown
from lecture10.world import vocabulary as v

DRAWS = 300  # of sensitivity and specificity
GRID = 1001  # values of p that are weighed
LEAST_YOUDEN = 0.2  # below, the judge says next to nothing


@dataclass(frozen=True)
class Errors:
    """How often a judge passed true cases and false ones: hits of `true` true cases, passes of `false` false
    ones."""

    hits: int
    true: int
    passes: int
    false: int

    def __post_init__(self):
        if not (0 <= self.hits <= self.true and 0 <= self.passes <= self.false and self.true and self.false):
            raise ValueError(f"{self}: hits and passes are counts of at least one true and one false case")

    @property
    def sensitivity(self) -> float:
        """The share of true cases that it passes."""
        return self.hits / self.true

    @property
    def specificity(self) -> float:
        """The share of false cases that it does not pass."""
        return 1 - self.passes / self.false


@dataclass(frozen=True)
class Rate:
    """A share as the judge reported it and as corrected for its errors, each with its 95 % interval."""

    raw: float
    raw_low: float
    raw_high: float
    corrected: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return (
            f"raw {self.raw:.1%} [{self.raw_low:.1%}, {self.raw_high:.1%}], "
            f"corrected {self.corrected:.1%} [{self.low:.1%}, {self.high:.1%}] (n = {self.n})"
        )


def corrected_rate(passed: int, n: int, errors: Errors, seed: int = 0) -> Rate:
    """The share of true cases behind `passed` of `n` that the judge passed.

    The raw interval is Jeffreys'; the corrected one also knows that the judge's errors were measured on
    finitely many cases. Raises ValueError for counts that make no sense, and where the judge is close to
    guessing.
    """
    if not 0 <= passed <= n or n < 1:
        raise ValueError(f"{passed} of {n} passed: give counts with 0 ≤ passed ≤ n and n ≥ 1")
    youden = errors.sensitivity + errors.specificity - 1
    if youden < LEAST_YOUDEN:
        raise ValueError(
            f"the judge passes {errors.sensitivity:.0%} of true and {1 - errors.specificity:.0%} of false "
            "cases: that close to guessing nothing can be corrected; use larger pictures or another style"
        )
    raw = passed / n
    low, high = beta.ppf((0.025, 0.975), passed + 0.5, n - passed + 0.5)
    spread = _interval(passed, n, errors, seed)
    best = float(np.clip((raw + errors.specificity - 1) / youden, 0, 1))
    return Rate(
        raw, 0.0 if passed == 0 else float(low), 1.0 if passed == n else float(high),
        best, min(float(spread[0]), best), max(float(spread[1]), best), n,
    )  # fmt: skip


def _interval(passed: int, n: int, errors: Errors, seed: int) -> tuple[float, float]:
    """The middle 95 % of the posterior of p, every p in [0, 1] being as likely before, averaged over
    sensitivities and specificities that agree with what was measured.
    """
    rng = np.random.default_rng(seed)
    se = rng.beta(errors.hits + 0.5, errors.true - errors.hits + 0.5, DRAWS)
    fp = rng.beta(errors.passes + 0.5, errors.false - errors.passes + 0.5, DRAWS)
    p = np.linspace(0, 1, GRID)[:, None]
    q = np.clip(p * se + (1 - p) * fp, 1e-12, 1 - 1e-12)  # (GRID, DRAWS)
    log_likelihood = passed * np.log(q) + (n - passed) * np.log1p(-q)
    posterior = np.exp(log_likelihood - log_likelihood.max()).mean(1).cumsum()
    low, high = np.searchsorted(posterior / posterior[-1], (0.025, 0.975))
    return float(p[low, 0]), float(p[high, 0])


def measured_errors(
    aspect: str, style: str = "photo", size: int = 64, things: tuple[int, int] = (1, v.MAX_THINGS)
) -> Errors:
    """What was measured of the shipped judge on fresh scenes: prompts that are true of their picture, and
    prompts with one wrong word. things: fewest and most in a picture, every number being as frequent.

    Give the things that the judged pictures hold: crowded ones are harder, and errors measured on others
    correct wrongly. Raises ValueError for an aspect, style, size or number that was not measured.
    """
    table = measured()["following"]
    for kind, name, known in (("size", str(size), table), ("style", style, table.get(str(size), {}))):
        if name not in known:
            raise ValueError(unknown(kind, name, known))
    if not 1 <= things[0] <= things[1] <= v.MAX_THINGS:
        raise ValueError(f"things={things}: give (fewest, most) from 1 to {v.MAX_THINGS}")
    by_number = [table[str(size)][style][str(k)] for k in range(things[0], things[1] + 1)]
    found = [counts[aspect] for counts in by_number if aspect in counts]
    if not found:
        raise ValueError(unknown("aspect", aspect, sorted({name for counts in by_number for name in counts})))
    return Errors(**{name: sum(counts[name] for counts in found) for name in found[0]})


def rates(
    followings: list[Following],
    style: str = "photo",
    size: int = 64,
    things: tuple[int, int] = (1, v.MAX_THINGS),
    errors: dict[str, Errors] | None = None,
) -> dict[str, Rate]:
    """By aspect, the share of pictures in which it holds, among those asked; unclear counts as not holding.

    style, size, things: of the pictures, for the error matrix to use (or give `errors` by aspect).
    """
    out = {}
    for aspect in ASPECTS:
        verdicts = [getattr(f, aspect) for f in followings]
        asked = [verdict for verdict in verdicts if verdict != NOT_ASKED]
        if asked:
            known = errors[aspect] if errors else measured_errors(aspect, style, size, things)
            out[aspect] = corrected_rate(asked.count(HOLDS), len(asked), known)
    return out
