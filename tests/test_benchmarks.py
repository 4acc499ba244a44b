"""The arithmetic of the benchmarks: ratios pair by pair, and an interval that holds what it promises."""

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from pairs import Pairs, alternate, too_slow


def test_the_ratio_says_how_much_faster_ours_is():
    pairs = Pairs("x", ours=(1.0,) * 15, theirs=tuple(1 + i / 10 for i in range(15)), tokens=10)
    assert pairs.median == pytest.approx(1.7)
    assert pairs.bounds() == pytest.approx((1.3, 2.1))  # the 4th smallest and the 4th largest


def test_the_interval_covers_the_true_median():
    draw = random.Random(0)
    held = 0
    for _ in range(1000):
        theirs = tuple(draw.lognormvariate(0, 0.5) for _ in range(15))
        low, high = Pairs("x", (1.0,) * 15, theirs, 1).bounds()
        held += low <= 1.0 <= high
    assert 0.95 <= held / 1000 <= 0.985  # 96.5 % in theory


def test_too_few_pairs_are_refused():
    with pytest.raises(ValueError, match="5 pairs are too few"):
        Pairs("x", (1.0,) * 5, (1.0,) * 5, 1).bounds()


def test_runs_alternate_and_the_first_changes():
    order = []
    pairs = alternate("x", lambda: order.append("a"), lambda: order.append("b"), tokens=1, times=6)
    assert "".join(order) == "ab" + "abba" * 3
    assert len(pairs.ours) == len(pairs.theirs) == 6


def test_a_slow_comparison_ends_in_failure(capsys):
    quick, slow = Pairs("quick", (1.0,) * 15, (1.1,) * 15, 1), Pairs("slow", (1.0,) * 15, (0.9,) * 15, 1)
    assert too_slow([quick]) == 0
    assert too_slow([quick, slow]) == 1
    assert "slow" in capsys.readouterr().out
