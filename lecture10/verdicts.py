"""The verdict: from one number per seed to one of four words. Pure functions, made to be played with.

    >>> print(verdict([0.05, 0.07, 0.06, 0.08, 0.04], margin=0.02))
    0.06 [0.0404, 0.0796] over 5 seeds, margin 0.02: shown

An *effect* is positive in the direction that the claim says. Its 95 % Student-t interval decides:

    low > margin            shown            the effect is there, and large enough to matter
    high < -margin          opposite         the reverse is there, and large enough to matter
    inside ±margin          no difference    whatever there is, it is too small to matter
    anything else           can't tell       too few seeds, or too much spread between them
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

SHOWN, OPPOSITE, NO_DIFFERENCE, CANT_TELL = WORDS = ("shown", "opposite", "no difference", "can't tell")
FEWEST_SEEDS = 3  # two seeds give an interval of ± 9 standard deviations; one gives none
DUST = 1e-9  # 0.72 - 0.70 is 0.020000000000000018 in floating point: that is not "above 0.02"


@dataclass(frozen=True)
class Verdict:
    """What the seeds say about one claim.

    word: "shown", "opposite", "no difference" or "can't tell".  mean: the mean effect over the seeds.
    low, high: its 95 % interval (nan where there are fewer than two seeds).  seeds: how many were used.
    p: the smallest α at which the (1−α) interval still decides; p ≤ 0.05 exactly when the word is not
    "can't tell" (nan below three seeds).  note: what to be wary of, or "".
    """

    word: str
    mean: float
    low: float
    high: float
    seeds: int
    margin: float
    p: float
    note: str = ""

    def __str__(self) -> str:
        seeds = f"{self.seeds} seed{'s' * (self.seeds != 1)}"
        return f"{interval_text(self)} over {seeds}, margin {self.margin:g}: {self.word}"


def interval_text(result: Verdict) -> str:
    """The mean with its interval to three digits, such as "0.06 [0.0404, 0.0796]"."""
    if math.isnan(result.mean):
        return "—"
    if math.isnan(result.low):
        return f"{result.mean:.3g}"
    return f"{result.mean:.3g} [{result.low:.3g}, {result.high:.3g}]"


def verdict(effects: ArrayLike, margin: float, *, confidence: float = 0.95) -> Verdict:
    """The verdict on per-seed effects: one number per seed, positive in the claimed direction.

    effects: (seeds,), or (seeds, parts) for a claim that says several things at once, such as an ordering
    ("a > b and b > c"); then everything is about the *least* of the parts' means (see `interval`).
    margin: the smallest effect that would matter, > 0. Raises ValueError on nan, on an infinite effect, on a
    margin that is not positive.
    """
    x = _checked(effects, margin)
    n = len(x)
    if n < FEWEST_SEEDS:
        mean = float(x.mean(0).min()) if n else math.nan
        low, high = interval(x, confidence) if n > 1 else (math.nan, math.nan)
        return Verdict(CANT_TELL, mean, low, high, n, margin, math.nan, f"fewer than {FEWEST_SEEDS} seeds")
    low, high = interval(x, confidence)
    word = _word(low, high, margin, _dust(x, margin))
    return Verdict(word, float(x.mean(0).min()), low, high, n, margin, p_value(x, margin), _note(x))


def interval(effects: ArrayLike, confidence: float = 0.95) -> tuple[float, float]:
    """Student's t interval for the mean effect; for several parts, an interval for the least of their means.

    One part: mean ± t · s/√n.  Several parts (n seeds × k parts): θ = min of the k true means.
    Lower end: the least of the k lower ends, uncorrected. It exceeds θ only if the least part's own lower
    end does, so "every part is above the margin" needs no correction (the intersection-union test, Berger
    1982). Upper end: the least of the k upper ends, each at α/2k (Bonferroni), since here we pick the most
    damning of k parts. Together they hold θ in at least 95 % of experiments. The mean of each seed's own
    minimum would not do: with pure noise in every part it is negative, and would call noise "opposite".
    """
    x = _columns(effects)
    n, k = x.shape
    mean, error = x.mean(0), x.std(0, ddof=1) / math.sqrt(n)  # (k,), (k,)
    tail = (1 - confidence) / 2
    low = mean - _quantile(1 - tail, n - 1) * error
    high = mean + _quantile(1 - tail / k, n - 1) * error
    return float(low.min()), float(high.min())


def p_value(effects: ArrayLike, margin: float) -> float:
    """The smallest α at which the (1−α) interval of `interval` decides, whichever way; 1 where none does.

    For one part: twice the one-sided p against the nearest margin that the mean has passed (for "no
    difference", the larger of the two: TOST, Schuirmann 1987). Being wrong with a decided word has
    probability at most α, because the interval then misses the truth.
    """
    x = _columns(effects)
    n, k = x.shape
    mean, error = x.mean(0), x.std(0, ddof=1) / math.sqrt(n)
    dust = _dust(x, margin)

    def above(bound: float) -> float:  # α needed for the lower end to lie above the bound
        return 2 * _tails(mean - bound, error, n - 1, dust).max()

    def below(bound: float) -> float:  # α needed for the upper end to lie below the bound
        return 2 * k * _tails(bound - mean, error, n - 1, dust).min()

    return float(min(1.0, above(margin), below(-margin), max(above(-margin), below(margin))))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction (1979): adjusted p values, in the order given.

    The smallest p is multiplied by m, the next by m−1, …, and no adjusted p is smaller than one before it.
    With all claims judged at adjusted p ≤ 0.05, the chance that *any* of the decided words is wrong is at
    most 5 % (a theorem for one-way tests; for these three-way verdicts the tests check it by simulation).
    nan (too few seeds) stays nan, but counts among the m. Raises ValueError for a p outside [0, 1].
    """
    if bad := [p for p in p_values if not math.isnan(p) and not 0 <= p <= 1]:
        raise ValueError(f"p = {bad[0]} is not in [0, 1]")
    m, least, adjusted = len(p_values), 0.0, [math.nan] * len(p_values)
    known = [i for i, p in enumerate(p_values) if not math.isnan(p)]
    for step, i in enumerate(sorted(known, key=lambda i: p_values[i])):
        least = adjusted[i] = min(1.0, max(least, (m - step) * p_values[i]))
    return adjusted


def corrected_word(result: Verdict, adjusted_p: float) -> str:
    """The verdict's word where it survives Holm's correction, else "can't tell"."""
    return result.word if adjusted_p <= 0.05 else CANT_TELL


def _word(low: float, high: float, margin: float, dust: float) -> str:
    if low - margin > dust:
        return SHOWN
    if -margin - high > dust:
        return OPPOSITE
    if low + margin > dust and margin - high > dust:
        return NO_DIFFERENCE
    return CANT_TELL


def _columns(effects: ArrayLike) -> np.ndarray:
    x = np.asarray(effects, dtype=float)
    if x.ndim > 2:
        raise ValueError(f"effects have the shape {x.shape}; they are (seeds,) or (seeds, parts)")
    return x.reshape(len(x), -1) if x.size else x.reshape(0, 1)  # (seeds, parts)


def _checked(effects: ArrayLike, margin: float) -> np.ndarray:
    if not (margin > 0 and math.isfinite(margin)):
        raise ValueError(f"margin is {margin}; it is the smallest effect that would matter, above 0")
    x = _columns(effects)
    if not np.isfinite(x).all():
        seed = int(np.flatnonzero(~np.isfinite(x).all(1))[0])
        raise ValueError(
            f"effects[{seed}] is {x[seed].tolist()}; leave that seed out, or repair its measurement"
        )
    return x


def _note(x: np.ndarray) -> str:
    if x.std(0).max() > DUST * max(np.abs(x).max(), DUST):
        return ""
    if not x.any():
        return "a tie in every seed: is the metric at its floor or ceiling?"
    return "the same effect in every seed, so the interval has no width: does the experiment use its seed?"


def _dust(x: np.ndarray, margin: float) -> float:
    return DUST * max(margin, float(np.abs(x).max()))


def _quantile(probability: float, degrees: int) -> float:
    from scipy.special import stdtrit  # scipy.stats.t.ppf without the second that importing scipy.stats takes

    return float(stdtrit(degrees, probability))


def _tails(gaps: np.ndarray, errors: np.ndarray, degrees: int, dust: float) -> np.ndarray:
    """P(T > gap / error) for Student's T, part by part; without any spread, 0 or 1."""
    from scipy.special import stdtr

    flat = errors <= dust
    return np.where(flat, gaps <= dust, stdtr(degrees, -gaps / np.where(flat, 1, errors)))
