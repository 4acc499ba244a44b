"""The verdict, tested as a measuring instrument: simulated experiments with a known effect."""

import math

import numpy as np
import pytest
from scipy import stats

from lecture10.verdicts import WORDS, corrected_word, holm, interval, p_value, verdict

MARGIN = 0.02


def simulate(effect, spread: float = 0.02, seeds: int = 5, times: int = 2000, rng: int = 0) -> np.ndarray:
    """(times, seeds, parts) effects around a known one."""
    effect = np.atleast_1d(effect)
    return np.random.default_rng(rng).normal(effect, spread, (times, seeds, len(effect)))


def rates(effects: np.ndarray) -> dict[str, float]:
    words = [verdict(one, MARGIN).word for one in effects]
    return {word: words.count(word) / len(words) for word in WORDS}


@pytest.mark.parametrize(
    ("effects", "word"),
    [
        ([0.05, 0.07, 0.06, 0.08, 0.04], "shown"),
        ([-0.05, -0.07, -0.06, -0.08, -0.04], "opposite"),
        ([0.001, -0.002, 0.003, 0.0, -0.001], "no difference"),
        ([0.05, -0.07, 0.06, -0.08, 0.04], "can't tell"),
        ([0.02, 0.04, 0.03, 0.05, 0.01], "can't tell"),  # above zero for sure, not above the margin
    ],
)
def test_four_words(effects, word):
    assert verdict(effects, MARGIN).word == word


@pytest.mark.parametrize("seeds", [3, 5, 9])
def test_the_interval_is_students(seeds):
    x = simulate(0.03, seeds=seeds, times=1)[0, :, 0]
    theirs = stats.ttest_1samp(x, 0).confidence_interval(0.95)
    assert interval(x) == pytest.approx((theirs.low, theirs.high), rel=1e-9)


@pytest.mark.parametrize("seeds", [3, 5, 8])
def test_an_effect_at_the_margin_is_shown_in_one_experiment_of_forty(seeds):
    found = rates(simulate(MARGIN, seeds=seeds, rng=seeds))
    assert 0.015 <= found["shown"] <= 0.035
    assert found["opposite"] <= 0.005


def test_a_large_effect_is_shown_and_its_mirror_image_opposite():
    large = simulate(0.06, spread=0.01, times=600)
    there, back = rates(large), rates(-large)
    assert there["shown"] >= 0.99
    assert (back["opposite"], back["shown"]) == (there["shown"], there["opposite"])


def test_no_effect_with_little_noise_is_no_difference():
    assert rates(simulate(0.0, spread=0.002))["no difference"] >= 0.95


def test_no_effect_with_much_noise_cannot_be_told():
    found = rates(simulate(0.0, spread=0.2, times=600))
    assert found["can't tell"] >= 0.9
    assert found["shown"] + found["opposite"] <= 0.05


@pytest.mark.parametrize("seeds", [3, 5])
def test_the_interval_holds_the_truth_in_95_of_100_experiments(seeds):
    inside = [low <= 0.03 <= high for low, high in map(interval, simulate(0.03, seeds=seeds))]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.015)


class TestSeveralParts:
    """An ordering a > b > c > d has three parts; the verdict is about the least of their means."""

    def test_it_is_shown_only_where_every_part_is(self):
        good, weak = [0.05, 0.06, 0.07], [0.0, 0.05, -0.05]
        assert verdict(np.transpose([good, good]), MARGIN).word == "shown"
        assert verdict(np.transpose([good, weak]), MARGIN).word == verdict(weak, MARGIN).word == "can't tell"

    def test_one_weak_part_is_shown_no_more_often_than_alone(self):
        assert rates(simulate([0.2, MARGIN, 0.2]))["shown"] == pytest.approx(0.025, abs=0.01)

    def test_noise_in_every_part_is_not_called_opposite(self):
        noise = simulate([-MARGIN] * 3)
        assert rates(noise)["opposite"] <= 0.025 + 0.01
        smallest = noise[:600].min(2, keepdims=True)  # what each seed's own minimum would have said
        assert rates(smallest)["opposite"] > 0.1

    @pytest.mark.parametrize("truth", [[0.03, 0.03, 0.03], [0.03, 0.1, 0.1]])
    def test_the_interval_holds_the_least_mean(self, truth):
        inside = [low <= min(truth) <= high for low, high in map(interval, simulate(truth))]
        assert np.mean(inside) >= 0.95 - 0.015

    def test_a_reversed_step_is_opposite(self):
        assert rates(simulate([0.1, -0.1], spread=0.01, times=600))["opposite"] > 0.98

    def test_the_order_of_the_parts_does_not_matter(self):
        for one in simulate([0.02, 0.03, 0.04], times=20):
            assert verdict(one, MARGIN) == verdict(one[:, ::-1], MARGIN)


class TestTies:
    def test_a_tie_in_every_seed_is_no_difference_and_noted(self):
        found = verdict([0.0] * 5, MARGIN)
        assert (found.word, found.low, found.high) == ("no difference", 0, 0)
        assert "ceiling" in found.note

    def test_one_effect_repeated_is_judged_and_noted(self):
        found = verdict([0.3] * 3, MARGIN)
        assert (found.word, found.p) == ("shown", 0)
        assert "does the experiment use its seed" in found.note

    @pytest.mark.parametrize("sign", [1, -1])
    def test_exactly_the_margin_is_not_beyond_it(self, sign):
        dust = 0.72 - 0.70  # 0.020000000000000018
        assert dust > MARGIN
        assert verdict([sign * dust] * 4, MARGIN).word == "can't tell"

    def test_ties_in_some_seeds_are_ordinary_numbers(self):
        assert verdict([0.0, 0.0, 0.002, 0.0, 0.0], MARGIN).word == "no difference"
        assert verdict([0.0, 0.0, 0.002, 0.0, 0.0], MARGIN).note == ""


class TestTooFewSeeds:
    @pytest.mark.parametrize("effects", [[], [0.9], [0.9, 0.9]])
    def test_below_three_nothing_is_told(self, effects):
        found = verdict(effects, MARGIN)
        assert (found.word, found.seeds) == ("can't tell", len(effects))
        assert math.isnan(found.p)
        assert "fewer than 3" in found.note
        assert math.isnan(found.mean) == (not effects)
        assert math.isnan(found.low) == (len(effects) < 2)
        assert "can't tell" in str(found)

    def test_three_are_enough(self):
        assert verdict([0.9, 0.91, 0.89], MARGIN).word == "shown"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_none_are_refused(bad):
    with pytest.raises(ValueError, match=r"effects\[1\]"):
        verdict([0.1, bad, 0.1], MARGIN)


@pytest.mark.parametrize("margin", [0.0, -0.1, math.nan, math.inf])
def test_the_margin_is_above_zero(margin):
    with pytest.raises(ValueError, match="margin"):
        verdict([0.1, 0.2, 0.3], margin)


def test_p_is_at_most_5_percent_exactly_where_a_verdict_is_told():
    rng = np.random.default_rng(1)
    told = 0
    for _ in range(1000):
        shape = (int(rng.integers(3, 8)), int(rng.integers(1, 4)))
        x = rng.normal(rng.choice([-0.04, 0, 0.04]), rng.choice([0.005, 0.02, 0.05]), shape)
        found = verdict(x, MARGIN)
        assert (found.p <= 0.05) == (found.word != "can't tell"), x
        told += found.p <= 0.05
    assert 200 < told < 800


def test_p_is_the_t_tests():
    x = [0.05, 0.07, 0.06, 0.08, 0.02]
    theirs = stats.ttest_1samp(x, MARGIN, alternative="greater").pvalue
    assert p_value(x, MARGIN) == pytest.approx(2 * theirs)
    assert p_value([-e for e in x], MARGIN) == pytest.approx(2 * theirs)
    near = [0.01, 0.0, -0.01, 0.005]
    tost = max(
        stats.ttest_1samp(near, -MARGIN, alternative="greater").pvalue,
        stats.ttest_1samp(near, MARGIN, alternative="less").pvalue,
    )
    assert p_value(near, MARGIN) == pytest.approx(2 * tost)


class TestHolm:
    def test_by_hand(self):
        # in order: 0.005 × 4 = 0.02, 0.01 × 3 = 0.03, 0.03 × 2 = 0.06, 0.04 × 1 -> 0.06 as well
        assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])

    def test_one_claim_is_not_corrected_and_none_is_none(self):
        assert holm([0.04]) == [0.04]
        assert holm([]) == []

    def test_an_adjusted_p_is_no_more_than_one(self):
        assert holm([0.9, 0.8]) == [1.0, 1.0]

    def test_too_few_seeds_count_among_the_claims(self):
        adjusted = holm([0.01, math.nan, 0.02])
        assert adjusted[0] == pytest.approx(0.03)
        assert adjusted[2] == pytest.approx(0.04)
        assert math.isnan(adjusted[1])

    def test_what_is_no_probability_is_refused(self):
        with pytest.raises(ValueError, match=r"1\.5"):
            holm([0.1, 1.5])

    def test_a_verdict_that_does_not_survive_cannot_be_told(self):
        found = verdict([0.05, 0.07, 0.06, 0.08, 0.04], MARGIN)
        assert corrected_word(found, 0.049) == "shown"
        assert corrected_word(found, 0.051) == corrected_word(found, math.nan) == "can't tell"

    def test_a_report_of_ten_claims_errs_in_at_most_one_of_twenty(self):
        """All effects lie exactly on a margin, where every decided word is wrong: the hardest case."""
        signs = np.where(np.arange(10) % 2, 1, -1)
        effects = simulate(MARGIN * signs, times=600)  # (600, 5, 10)
        ps = [[p_value(report[:, claim], MARGIN) for claim in range(10)] for report in effects]
        assert np.mean([min(holm(p)) <= 0.05 for p in ps]) <= 0.05 + 0.015
        assert np.mean([min(p) <= 0.05 for p in ps]) > 0.2  # and uncorrected it does err
