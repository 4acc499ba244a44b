"""Rows, effects, and the claim that binds them."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lecture10.claims import Claim, MissingRows, Row, by_seed, crossing, difference, ordering, slope

SAYS = {
    "slide": "CLIP: zero-shot against linear probe",
    "says": "Zero-shot equals at least a 4-shot linear probe on the same features.",
    "effect": difference("zero-shot", "4-shot probe", metric="accuracy"),
    "margin": 0.02,
    "expects": "shown",
    "does_not_test": "features learnt from 400 M pairs",
    "minutes": 8,
}


def claim(**changes) -> Claim:
    return Claim(changes.pop("name", "clip.shots"), **(SAYS | changes))


def curve(variant: str, values, places=(1, 2, 4, 8), seed: int = 0) -> list[Row]:
    return [Row(variant, "loss", value, seed, at=at) for at, value in zip(places, values, strict=True)]


def single(seed: int = 0, **values: float) -> list[Row]:
    return [Row(variant, "accuracy", value, seed) for variant, value in values.items()]


class TestRow:
    def test_it_is_frozen_and_keeps_plain_numbers(self):
        row = Row("a", "accuracy", np.float32(0.5), np.int64(3), at=np.float64(2), n=np.int32(100))
        assert [type(x) for x in (row.value, row.seed, row.at, row.n)] == [float, int, float, int]
        with pytest.raises(dataclasses.FrozenInstanceError):
            row.value = 1.0

    @pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
    @pytest.mark.parametrize("field", ["value", "at"])
    def test_a_number_that_is_none_is_refused_by_name(self, bad, field):
        with pytest.raises(ValueError, match=rf"'probe', 'loss'\) of seed 3 has {field} = -?(nan|inf)"):
            Row(**({"variant": "probe", "metric": "loss", "value": 0.5, "seed": 3} | {field: bad}))


class TestDifference:
    def test_it_is_a_minus_b(self):
        assert difference("a", "b", metric="accuracy").parts(single(a=0.9, b=0.7)) == pytest.approx((0.2,))

    def test_b_may_be_a_fixed_figure(self):
        assert difference("a", 0.125, metric="accuracy").parts(single(a=0.625)) == (0.5,)

    def test_a_place_on_the_curve(self):
        rows = curve("a", [1, 2, 3, 4]) + curve("b", [1, 1, 1, 1])
        assert difference("a", "b", metric="loss", at=4).parts(rows) == (2,)

    @pytest.mark.parametrize(
        ("effect", "says"),
        [
            (difference("a", "bb", metric="accuracy"), "no variant 'bb'"),
            (difference("a", "b", metric="acuracy"), "did you mean 'accuracy'"),
            (difference("a", "b", metric="accuracy", at=2), "at 2; it is measured at: no place"),
        ],
    )
    def test_what_is_missing_is_named(self, effect, says):
        with pytest.raises(MissingRows, match=says):
            effect.parts(single(a=1, b=1))

    def test_a_curve_needs_a_place(self):
        with pytest.raises(MissingRows, match=r"say at=….*1, 2, 4, 8"):
            difference("a", "b", metric="loss").parts(curve("a", [1, 2, 3, 4]) + curve("b", [1, 2, 3, 4]))

    def test_the_same_place_twice_is_refused(self):
        with pytest.raises(ValueError, match=r"is there twice \(0.9 and 0.8\)"):
            difference("a", "b", metric="accuracy").parts(single(a=0.9, b=0.5) + single(a=0.8))


class TestOrdering:
    def test_its_parts_are_the_steps_down(self):
        found = ordering("a", "b", "c", metric="accuracy").parts(single(b=0.7, a=0.9, c=0.75))
        assert found == pytest.approx((0.2, -0.05))

    @pytest.mark.parametrize("variants", [("a",), (), ("a", "b", "a")])
    def test_two_different_variants_at_least(self, variants):
        with pytest.raises(ValueError, match="two or more different"):
            ordering(*variants, metric="accuracy")


class TestSlope:
    def test_it_is_numpys_line(self):
        values, places = [3.0, 2.5, 2.6, 1.0], [1, 2, 4, 8]
        rows = curve("gpt", values, places)[::-1]  # in any order
        line = np.polyfit(places, values, 1)[0]
        assert slope("gpt", metric="loss").parts(rows) == pytest.approx((line,))
        assert slope("gpt", metric="loss", falls=True).parts(rows) == pytest.approx((-line,))

    def test_log_log_finds_the_exponent_of_a_power_law(self):
        rows = curve("gpt", [5 * n**-0.34 for n in (1, 2, 4, 8)])
        assert slope("gpt", metric="loss", log="xy", falls=True).parts(rows) == pytest.approx((0.34,))

    @pytest.mark.parametrize(("log", "values"), [("y", [1, 0, 2, 3]), ("xy", [1, -1, 2, 3])])
    def test_no_logarithm_of_zero(self, log, values):
        with pytest.raises(ValueError, match="numbers above 0"):
            slope("gpt", metric="loss", log=log).parts(curve("gpt", values))

    def test_one_point_is_no_line(self):
        with pytest.raises(MissingRows, match="1 places"):
            slope("gpt", metric="loss").parts(curve("gpt", [1], [4]))


class TestCrossing:
    FLAT, RISING = [2, 2, 2, 2], [0, 1, 3, 4]

    def rows(self, a, b) -> list[Row]:
        return curve("a", a) + curve("b", b)

    def test_by_gap_it_starts_below_and_ends_above(self):
        effect = crossing("a", "b", metric="loss")
        assert effect.parts(self.rows(self.RISING, self.FLAT)) == (2, 2)
        assert min(effect.parts(self.rows(self.FLAT, self.RISING))) == -2

    def test_the_range_is_interpolated(self):
        assert crossing("a", "b", metric="loss", within=(1, 3)).parts(self.rows(self.RISING, self.FLAT)) == (
            2,
            0,
        )

    def test_by_place_it_lies_inside_the_range(self):
        rows = self.rows(self.RISING, self.FLAT)  # −2 at 1, −1 at 2, +1 at 4: crosses at 3
        found = crossing("a", "b", metric="loss", within=(1, 8), by="place")
        assert found.parts(rows) == pytest.approx((2, 5))
        assert found.place(rows) == pytest.approx(3)

    def test_on_a_logarithmic_axis_it_counts_in_doublings(self):
        rows = self.rows(self.RISING, self.FLAT)  # half-way from 2 to 4 in doublings: 2^1.5
        found = crossing("a", "b", metric="loss", within=(1, 8), log=True, by="place")
        assert found.parts(rows) == pytest.approx((1.5, 1.5))
        assert found.place(rows) == pytest.approx(2**1.5)

    @pytest.mark.parametrize(("a", "place"), [([0, 0, 0, 0], 8), ([3, 3, 3, 3], 1), ([3, 0, 3, 3], 1)])
    def test_a_curve_that_does_not_cross_counts_at_its_end(self, a, place):
        effect = crossing("a", "b", metric="loss", within=(2, 4), by="place")
        rows = self.rows(a, self.FLAT)
        assert effect.parts(rows) == (place - 2, 4 - place)
        assert effect.place(rows) is None
        assert min(effect.parts(rows)) < 0

    def test_different_places_and_short_curves_are_refused(self):
        with pytest.raises(MissingRows, match=r"measured at .*, but 'b' at"):
            crossing("a", "b", metric="loss").parts(curve("a", [1, 2], [1, 2]) + curve("b", [1, 2], [1, 3]))
        with pytest.raises(MissingRows, match="do not reach"):
            crossing("a", "b", metric="loss", within=(1, 64)).parts(self.rows(self.RISING, self.FLAT))

    @pytest.mark.parametrize("wrong", [{"by": "place"}, {"by": "luck"}, {"within": (4, 2)}])
    def test_what_makes_no_sense_is_refused(self, wrong):
        with pytest.raises(ValueError, match=r"within|by is"):
            crossing("a", "b", metric="loss", **wrong)

    @given(
        st.lists(st.floats(-5, 5), min_size=4, max_size=4), st.lists(st.floats(-5, 5), min_size=4, max_size=4)
    )
    def test_the_place_is_where_the_curves_meet(self, a, b):
        place = crossing("a", "b", metric="loss").place(self.rows(a, b))
        if place is not None:
            x = [1, 2, 4, 8]
            assert np.interp(place, x, a) == pytest.approx(np.interp(place, x, b), abs=1e-6)


class TestClaim:
    def test_the_example_of_the_docstring(self):
        found = claim()
        assert (found.system, found.tier, found.seeds) == ("clip", "quick", 5)
        assert str(found.effect) == "zero-shot − 4-shot probe (accuracy)"

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"margin": 0}, "margin is 0"),
            ({"margin": math.nan}, "margin is nan"),
            ({"expects": "true"}, "expects 'true'"),
            ({"seeds": 2}, "plans 2 seeds"),
            ({"tier": "endless"}, "tier is 'endless'"),
            ({"minutes": 11}, "quick is at most 10"),
            ({"minutes": 61, "tier": "long"}, "long is at most 60"),
            ({"minutes": 0}, "0 minutes"),
            ({"name": "shots"}, "'system.topic'"),
            ({"says": " "}, "says is empty"),
            ({"does_not_test": ""}, "does_not_test is empty"),
            ({"effect": "bigger"}, "effect is 'bigger'"),
        ],
    )
    def test_what_cannot_be_is_refused_by_name(self, change, says):
        with pytest.raises(ValueError, match=says) as refused:
            claim(**change)
        assert str(refused.value).startswith(f"claim {change.get('name', 'clip.shots')!r}: ")

    def test_its_verdict_is_about_paired_seeds(self):
        luck = [0.1, 0.5, 0.9, 0.3, 0.7]
        rows = [
            row for seed, base in enumerate(luck) for row in single(seed, a=base + 0.05 + seed / 1e3, b=base)
        ]
        found = claim(effect=difference("a", "b", metric="accuracy")).verdict(rows)
        assert (found.word, found.seeds) == ("shown", 5)
        assert found.mean == pytest.approx(0.052)
        alone = claim(effect=difference("a", 0.5, metric="accuracy")).verdict(rows)
        assert alone.word == "can't tell"  # the luck that pairing takes away

    def test_the_order_of_the_rows_does_not_matter(self):
        rows = [row for seed in range(5) for row in single(seed, a=0.5 + seed / 100, b=seed / 50)]
        subject = claim(effect=difference("a", "b", metric="accuracy"))
        assert subject.verdict(rows) == subject.verdict(rows[::-1])

    def test_a_seed_without_its_pair_is_left_out_and_noted(self):
        rows = [row for seed in range(3) for row in single(seed, a=0.9 + seed / 100, b=0.5)]
        subject = claim(effect=difference("a", "b", metric="accuracy"))
        assert subject.verdict(rows).word == "shown"
        lacking = subject.verdict(rows[:-1])
        assert (lacking.word, lacking.seeds) == ("can't tell", 2)
        assert "clip.shots, seed 2: there is no variant 'b'" in lacking.note
        with pytest.raises(MissingRows, match="seed 2"):
            subject.effects(rows[:-1])

    def test_rows_by_seed(self):
        assert {seed: len(rows) for seed, rows in by_seed(single(3, a=1) + single(1, a=1, b=2)).items()} == {
            1: 2,
            3: 1,
        }


class TestWording:
    @pytest.mark.parametrize(
        "change",
        [
            {"name": "clip.few"},
            {"says": "Zero-shot equals an 8-shot probe."},
            {"effect": difference("zero-shot", "8-shot probe", metric="accuracy")},
            {"effect": difference("4-shot probe", "zero-shot", metric="accuracy")},
            {"effect": ordering("zero-shot", "4-shot probe", metric="accuracy")},
            {"margin": 0.01},
            {"expects": "can't tell"},
            {"does_not_test": "anything"},
            {"seeds": 3},
            {"table": "clip_shots.csv"},
            {"paper": "0.5"},
        ],
    )
    def test_all_that_could_be_bent_changes_the_hash(self, change):
        assert claim(**change).hash() != claim().hash()

    @pytest.mark.parametrize(
        "change",
        [
            {"slide": "another"},
            {"minutes": 3},
            {"minutes": 30, "tier": "long"},
            {"pixels": 32, "runs": 4},
            {"says": SAYS["says"].replace(" linear", "\n    linear")},
        ],
    )
    def test_costs_and_line_breaks_do_not(self, change):
        assert claim(**change).hash() == claim().hash()

    def test_it_is_the_same_on_every_machine(self):
        assert claim().hash() == "402f067685b8"
