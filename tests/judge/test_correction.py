"""Rates corrected for the judge's errors."""

import numpy as np
import pytest

from lecture10.judge import Errors, Following, corrected_rate, rates

GOOD = Errors(hits=950, true=1000, passes=40, false=1000)


def test_a_judge_without_errors_changes_nothing():
    rate = corrected_rate(30, 100, Errors(5000, 5000, 0, 5000))
    assert rate.raw == pytest.approx(0.3)
    assert rate.corrected == pytest.approx(0.3)
    assert rate.low == pytest.approx(rate.raw_low, abs=0.015)
    assert rate.high == pytest.approx(rate.raw_high, abs=0.015)


def test_by_hand():
    """q = 0.5, se = 0.95, sp = 0.96: p = (0.5 + 0.96 - 1) / 0.91."""
    assert corrected_rate(500, 1000, GOOD).corrected == pytest.approx(0.46 / 0.91)


@pytest.mark.parametrize("p", [0.02, 0.3, 0.7, 0.97])
def test_intervals_hold_the_truth_and_raw_ones_need_not(p):
    """Simulated: judges measured on 300 + 300 cases, then 200 pictures with a share p of true ones."""
    rng = np.random.default_rng(1)
    held = {"corrected": 0, "raw": 0}
    for _ in range(100):
        known = Errors(int(rng.binomial(300, 0.85)), 300, int(rng.binomial(300, 0.1)), 300)
        true = rng.binomial(200, p)
        passed = rng.binomial(true, 0.85) + rng.binomial(200 - true, 0.1)
        rate = corrected_rate(int(passed), 200, known)
        held["corrected"] += rate.low <= p <= rate.high
        held["raw"] += rate.raw_low <= p <= rate.raw_high
    assert held["corrected"] / 100 >= 0.9
    assert held["raw"] < held["corrected"]


def test_nothing_passed_and_all_passed_stay_within_bounds():
    none, all_ = corrected_rate(0, 50, GOOD), corrected_rate(50, 50, GOOD)
    assert none.corrected == none.low == none.raw_low == 0 < none.high
    assert all_.corrected == all_.high == all_.raw_high == 1 > all_.low


def test_a_judge_that_guesses_cannot_be_corrected():
    with pytest.raises(ValueError, match="close to guessing"):
        corrected_rate(10, 20, Errors(55, 100, 50, 100))


@pytest.mark.parametrize("counts", [(5, 4), (-1, 4), (0, 0)])
def test_impossible_counts(counts):
    with pytest.raises(ValueError, match="give counts"):
        corrected_rate(*counts, GOOD)


def test_impossible_errors():
    with pytest.raises(ValueError, match="hits and passes"):
        Errors(11, 10, 0, 10)


def test_rates_count_what_was_asked_and_unclear_as_not_holding():
    said = [Following(nouns="holds", colours=word) for word in ("holds", "fails", "unclear", "not asked")]
    found = rates(said, errors={"nouns": GOOD, "colours": GOOD})
    assert found.keys() == {"nouns", "colours"}
    assert (found["nouns"].raw, found["nouns"].n) == (1.0, 4)
    assert (found["colours"].raw, found["colours"].n) == (pytest.approx(1 / 3), 3)
    assert "raw 33.3%" in str(found["colours"])
    assert "corrected" in str(found["colours"])
