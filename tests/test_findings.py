"""Post hoc and stale: what a claim may not get away with."""

import dataclasses

import pytest

from lecture10.claims import Claim, MissingRows, Row, difference
from lecture10.findings import LOOKS, find, own_seeds, whole
from lecture10.results import Run, Store, Stored
from lecture10.verdicts import WORDS


def claim(says: str = "New beats old.", **changes) -> Claim:
    given = {
        "slide": "Toys",
        "expects": "shown",
        "does_not_test": "<anything>",
        "minutes": 5,
        "paper": "74.7",
    }
    effect = difference("new", "old", metric="accuracy")
    return Claim("toy.gain", says=says, **(given | {"effect": effect, "margin": 0.02} | changes))


def measure(store: Store, subject: Claim, seeds, code: str = "code") -> None:
    for seed in seeds:
        base = 0.5 + seed / 50
        rows = [Row("new", "accuracy", base + 0.1 + seed / 1000, seed), Row("old", "accuracy", base, seed)]
        store.add("toy", rows, Run("2026", code, 1.0, {subject.name: subject.hash()}), (subject,))


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path)


def judge(subject: Claim, store: Store, code: str = "code"):
    return find(subject, store.load("toy"), code)


def test_a_claim_that_was_there_first_is_judged(store):
    measure(store, claim(), range(5))
    found = judge(claim(), store)
    assert (found.word, found.post_hoc, found.stale, found.marks()) == ("shown", False, (), [])
    assert found.estimate == pytest.approx(0.102)
    assert found.interval[0] < 0.102 < found.interval[1]


def test_curves_are_what_was_measured_at_places(store):
    for seed in range(3):
        rows = [Row("new", "accuracy", 0.6, seed), Row("old", "accuracy", 0.5, seed)]
        rows += [Row("new", "loss", 2.0 + seed, seed, at=at) for at in (1, 10)]
        store.add("toy", rows, Run("2026", "code", 1.0, {claim().name: claim().hash()}), (claim(),))
    found = judge(claim(), store)
    assert found.curves() == {}  # the claim's own metric has no places
    curve = found.curves("loss")["new"]
    assert list(curve) == [1, 10]
    mean, low, high = curve[10]
    assert (mean, high - mean) == (pytest.approx(3), pytest.approx(mean - low))
    assert low == pytest.approx(3 - 4.303 / 3**0.5, abs=1e-3)  # Student's t with two degrees of freedom


REWORDED = {"margin": 0.05}


class TestPostHoc:
    def test_a_later_edit_shows(self, store):
        measure(store, claim(), range(5))
        found = judge(claim(**REWORDED), store)
        assert (found.post_hoc, found.wordings, found.verdict.seeds) == (True, 2, 5)
        assert found.marks() == ["post hoc", "one of 2 wordings"]
        assert not judge(claim(minutes=9, slide="elsewhere"), store).post_hoc

    def test_measuring_the_same_seeds_again_does_not_help(self, store):
        measure(store, claim(), range(5))
        measure(store, claim(**REWORDED), range(5))
        found = judge(claim(**REWORDED), store)
        assert found.post_hoc
        assert found.wordings == 2  # both are kept, each with the time at which it was first measured
        assert len(store.load("toy").wordings["toy.gain"]) == 2

    def test_a_few_fresh_seeds_do_not_help(self, store):
        measure(store, claim(), range(5))
        measure(store, claim(**REWORDED), range(5, 9))
        found = judge(claim(**REWORDED), store)
        assert (found.post_hoc, found.verdict.seeds) == (True, 9)

    def test_as_many_fresh_seeds_as_planned_do_and_only_they_count(self, store):
        measure(store, claim(), range(5))
        measure(store, claim(**REWORDED), range(5, 10))
        found = judge(claim(**REWORDED), store)
        assert (found.post_hoc, {row.seed for row in found.used}) == (False, {5, 6, 7, 8, 9})
        assert found.marks() == ["one of 2 wordings"]  # trying many is no proof
        assert own_seeds(claim(), store.load("toy")) == [0, 1, 2, 3, 4]

    def test_going_back_to_the_first_wording_is_no_edit(self, store):
        measure(store, claim(), range(5))
        measure(store, claim(**REWORDED), range(5))
        assert not judge(claim(), store).post_hoc

    def test_one_seed_under_another_wording_taints_too_few_others(self, store):
        measure(store, claim("Another sentence."), [0])
        measure(store, claim(), range(5))
        assert judge(claim(), store).post_hoc
        measure(store, claim(), [5])
        assert not judge(claim(), store).post_hoc

    def test_a_claim_added_to_an_old_experiment_is_post_hoc(self, store):
        measure(store, claim(), range(5))
        effect = difference("old", 0.5, metric="accuracy")
        late = dataclasses.replace(claim("Old beats chance.", effect=effect), name="toy.late")
        assert judge(late, store).post_hoc

    def test_losing_the_provenance_does_not_launder(self, store, tmp_path):
        measure(store, claim(), range(5))
        (tmp_path / "toy.json").unlink()
        store.set_aside("toy")
        measure(store, claim(**REWORDED), range(5))
        assert judge(claim(**REWORDED), store).post_hoc


def test_other_code_is_stale_until_measured_again(store):
    measure(store, claim(), range(4))
    measure(store, claim(), [4], code="newer")
    assert judge(claim(), store).stale == (4,)
    found = judge(claim(), store, code="newer")
    assert found.stale == (0, 1, 2, 3)
    assert found.marks() == ["stale (seeds 0, 1, 2, 3)"]
    measure(store, claim(), range(4), code="newer")
    assert not judge(claim(), store, code="newer").stale


def test_more_or_fewer_seeds_than_planned_are_mentioned(store):
    measure(store, claim(), range(2))
    assert "2 of 5 planned seeds" in judge(claim(), store).marks()
    measure(store, claim(), range(6))
    assert judge(claim(), store).marks() == ["6 of 5 planned seeds"]


class TestShown:
    def test_as_text(self, store):
        measure(store, claim(), range(5))
        found = judge(claim(), store)
        lines = str(found).splitlines()
        assert lines[0] == "toy.gain: New beats old."
        assert any(line.split()[:2] == ["new", "0.642"] for line in lines)
        assert "  ours: 0.102 [0.1, 0.104] over 5 seeds, margin 0.02: shown, shown was expected" in lines
        assert "  paper: 74.7" in lines
        assert repr(found) == str(found)

    def test_as_html_it_is_escaped_and_names_its_verdict(self, store):
        measure(store, claim(), range(5))
        page = judge(claim(), store)._repr_html_()
        assert "&lt;anything&gt;" in page
        assert "<anything>" not in page
        assert "✓ shown" in page
        assert "<td>0.642 [" in page

    def test_as_a_table_of_pandas(self, store):
        measure(store, claim(), range(3))
        frame = judge(claim(), store).rows
        assert list(frame.columns) == ["variant", "metric", "at", "value", "n", "seed"]
        paired = frame.pivot(index="seed", columns="variant", values="value")
        assert (paired["new"] - paired["old"]).tolist() == pytest.approx([0.1, 0.101, 0.102])

    def test_what_is_not_measured_says_how(self):
        found = find(claim(), Stored("toy"), "code")
        assert found.word == "not measured"
        assert "python -m lecture10 measure toy.gain, about 5 minutes" in str(found)
        assert "Not measured yet" in found._repr_html_()
        assert found.rows.empty

    def test_every_verdict_has_a_sign_and_a_colour_of_its_own(self):
        assert set(LOOKS) == {*WORDS, "not measured"}
        assert len({sign for sign, _ in LOOKS.values()}) == len({colour for _, colour in LOOKS.values()}) == 5


def test_rows_that_a_claim_lacks_are_named():
    with pytest.raises(MissingRows, match=r"toy\.gain, seed 4: there is no variant 'old'"):
        whole([claim()], [Row("new", "accuracy", 0.5, 4)])
