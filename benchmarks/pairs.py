"""Two ways to do the same, timed in turn in one process: A B A B …, and the ratio pair by pair.

A machine's speed drifts; the ratio of two neighbours does not. A ratio above 1 says that ours is faster.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Pairs:
    """What was timed: seconds of each run of ours and theirs, in the order in which they alternated."""

    name: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    tokens: int  # handled by one run

    @property
    def ratios(self) -> list[float]:
        """Their time over ours, pair by pair, sorted."""
        return sorted(theirs / ours for ours, theirs in zip(self.ours, self.theirs, strict=True))

    @property
    def median(self) -> float:
        """The median paired ratio."""
        return statistics.median(self.ratios)

    def bounds(self) -> tuple[float, float]:
        """A 95 % interval of the median ratio, whatever the distribution: order statistics of a sign test.

        With 15 pairs these are the 4th smallest and the 4th largest ratio (coverage 96.5 %).
        """
        from scipy.stats import binom

        n = len(self.ratios)
        rank = int(binom.ppf(0.025, n, 0.5))  # the largest r with P(fewer than r of n fall below) <= 2.5 %
        rank = rank if binom.cdf(rank - 1, n, 0.5) <= 0.025 else rank - 1
        if rank < 1:
            raise ValueError(f"{n} pairs are too few for a 95 % interval of the median: time 6 or more")
        return self.ratios[rank - 1], self.ratios[n - rank]

    def __str__(self) -> str:
        low, high = self.bounds()
        speeds = [self.tokens / statistics.median(seconds) for seconds in (self.ours, self.theirs)]
        return (
            f"{self.name:<42} ours {speeds[0]:9,.0f}  theirs {speeds[1]:9,.0f} tokens/s   "
            f"ratio {self.median:.2f} [{low:.2f}, {high:.2f}]"
        )


LEAST = 0.95  # the lower 95 % bound of the median ratio that we ask of ourselves


def too_slow(found: list[Pairs]) -> int:
    """0 where every comparison keeps the promise, else 1, naming those that do not."""
    slow = [pairs.name for pairs in found if pairs.bounds()[0] < LEAST]
    if slow:
        print(f"slower than {LEAST} of the reference: {', '.join(slow)}")
    return int(bool(slow))


def alternate(
    name: str, ours: Callable[[], object], theirs: Callable[[], object], *, tokens: int, times: int = 15
) -> Pairs:
    """Time both in turn, `times` each after one warm-up; who begins changes from pair to pair."""
    seconds: dict[Callable, list[float]] = {ours: [], theirs: []}
    for run in (ours, theirs):
        run()
    for pair in range(times):
        for run in (ours, theirs) if pair % 2 == 0 else (theirs, ours):
            begin = time.perf_counter()
            run()
            seconds[run].append(time.perf_counter() - begin)
    return Pairs(name, tuple(seconds[ours]), tuple(seconds[theirs]), tokens)
