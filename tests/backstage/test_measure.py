"""`python -m lecture10 measure`, the real command: resumed, killed, in parallel, reworded, damaged."""

import signal
import sys
import time

import pytest
from fake_lab import Lab

from lecture10.backstage.measure import carry_out, plan
from lecture10.experiments import load
from lecture10.results import Store

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.fixture
def lab(tmp_path) -> Lab:
    return Lab(tmp_path, "toylab")


def stored(lab: Lab):
    return Store(lab.results).load("toy")


def wait_for(what, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)


def test_the_cost_is_told_first_and_the_second_call_has_nothing_to_do(lab):
    code, out, err = lab.run("measure", "toy.gain")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "toy (toy.gain)"
    assert lines[1].split(None, 1)[1] == "quick; 5 seeds planned, 1 minutes each (as declared, on two cores)"
    assert lines[3] == "  to do    seeds 0, 1, 2, 3, 4: about 5 minutes"
    assert lines[5].startswith("  seed 0: 2 rows")
    assert lab.measured() == [0, 1, 2, 3, 4]
    _, out, _ = lab.run("measure", "toy")
    assert "  there    seeds 0, 1, 2, 3, 4" in out
    assert "  to do    nothing: nothing" in out
    assert lab.measured() == [0, 1, 2, 3, 4]


def test_more_seeds_are_added_to_those_that_are_there(lab):
    lab.run("measure", "toy", "--seeds", "2")
    lab.run("measure", "toy", "--seeds", "4")
    assert lab.measured() == [0, 1, 2, 3]
    run = stored(lab).seeds[3].runs[-1]
    assert run.machine["python"] == sys.version.split()[0]
    assert run.machine["budget"] == "laptop"
    assert len(run.module) == 12


def test_the_list_measures_nothing(lab):
    code, out, _ = lab.run("measure", "--list")
    assert code == 0
    assert "toy (toy.gain)" in out
    assert "_helper" not in out
    assert not lab.measured()
    assert not lab.results.exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["toy.gian"], "there is no claim or experiment 'toy.gian'; did you mean 'toy.gain'?"),
        (["toy", "--seeds", "0"], "--seeds 0: it takes at least one seed"),
        ([], "which claim?"),
    ],
)
def test_what_cannot_be_measured_gets_a_sentence(lab, words, says):
    code, _, err = lab.run("measure", *words)
    assert code == 2
    assert err.startswith(says)
    assert not lab.results.exists()


@POSIX
@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT])
def test_stopped_in_the_middle_it_keeps_finished_seeds_and_goes_on(lab, blow):
    process = lab.start("measure", "toy", TOY_HANGS_AT="2")
    wait_for(lambda: lab.measured() == [0, 1, 2])
    process.send_signal(blow)
    _, err = process.communicate(timeout=30)
    if blow == signal.SIGINT:
        assert process.returncode == 130
        assert "stopped. Stored: seeds 0, 1. The same command goes on from there" in err
    assert list(stored(lab).seeds) == [0, 1]
    code, out, _ = lab.run("measure", "toy")
    assert code == 0
    assert "to do    seeds 2, 3, 4" in out
    assert lab.measured() == [0, 1, 2, 2, 3, 4]
    assert list(stored(lab).seeds) == [0, 1, 2, 3, 4]


def test_two_processes_share_the_seeds_and_lose_none(lab):
    both = [lab.start("measure", "toy", "--seeds", "6", TOY_SECONDS="0.4") for _ in range(2)]
    outs = [process.communicate(timeout=90) for process in both]
    assert [process.returncode for process in both] == [0, 0], outs
    assert sorted(lab.measured()) == [0, 1, 2, 3, 4, 5]  # none twice
    assert list(stored(lab).seeds) == [0, 1, 2, 3, 4, 5]
    assert all(out.count(", stored") >= 1 for out, _ in outs)  # both did their share
    assert sum(out.count(", stored") for out, _ in outs) == 6
    assert any("measured by another process" in out for out, _ in outs)


def test_what_an_experiment_raises_costs_its_seed_only(lab):
    lab.toy(broken=("base = luck", "assert seed < 2, 'out of luck'\n    base = luck"))
    process = lab.start("measure", "toy")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "out of luck" in err
    assert "Stored: seeds 0, 1." in err
    assert list(stored(lab).seeds) == [0, 1]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('Row("old", "accuracy", base, seed, n=500)', ""), "toy.gain, seed 0: there is no variant 'old'"),
        (
            ("base, seed, n=500)]", 'float("nan"), seed)]'),
            "the row ('old', 'accuracy') of seed 0 has value = nan",
        ),
        (("base, seed, n=500)]", "base, 7)]"), "run(0) returned rows of seed 7"),
        (("return [", "return None and ["), "run(0) returned NoneType, not a list of Row"),
        (('Row("old"', 'Row("new"'), "is there twice"),
    ],
)
def test_rows_that_cannot_serve_are_refused_before_they_are_stored(lab, change, says):
    lab.toy(change=change)
    code, _, err = lab.run("measure", "toy")
    assert code == 2
    assert says in err
    assert not stored(lab).seeds


def test_a_reworded_claim_is_announced_and_fresh_seeds_answer_it(lab):
    lab.run("measure", "toy")
    lab.toy(margin=0.05)
    _, out, _ = lab.run("measure", "toy")
    assert "reworded since it was first measured: toy.gain; --fresh measures other seeds" in out
    _, out, _ = lab.run("measure", "toy", "--fresh")
    assert "to do    seeds 5, 6, 7, 8, 9" in out
    assert lab.measured() == list(range(10))
    _, out, _ = lab.run("measure", "toy", "--fresh")
    assert "to do    nothing" in out


def test_stale_seeds_are_announced_and_measured_again_on_demand(lab):
    lab.run("measure", "toy", "--seeds", "2")
    lab.helper("GAIN = 0.3")
    _, out, _ = lab.run("measure", "toy", "--seeds", "3")
    assert "there    seeds 0, 1; stale: seeds 0, 1" in out
    assert "--again measures them again" in out
    assert lab.measured() == [0, 1, 2]
    lab.run("measure", "toy", "--seeds", "3", "--again")
    assert lab.measured() == [0, 1, 2, 0, 1]
    gain = {row.variant: row.value for row in stored(lab).rows({0})}
    assert gain["new"] - gain["old"] > 0.25


def test_damaged_results_stop_it_before_it_starts_and_can_be_rebuilt(lab):
    lab.run("measure", "toy")
    path = lab.results / "toy.csv"
    whole = path.read_bytes()
    path.write_bytes(whole[:-30])
    code, _, err = lab.run("measure", "toy", "--seeds", "6")
    assert code == 2
    assert "damaged" in err
    assert "--rebuild" in err
    assert path.read_bytes() == whole[:-30]
    assert lab.measured() == [0, 1, 2, 3, 4]
    code, out, _ = lab.run("measure", "toy", "--rebuild")
    assert code == 0
    assert "set aside" in out
    assert lab.measured() == [0, 1, 2, 3, 4, 4]  # only the seed that was cut
    assert path.read_bytes() == whole


def test_a_smoke_run_is_no_measurement(lab):
    lab.run("measure", "toy", "--seeds", "1", LECTURE10_BUDGET="smoke")
    code, _, err = lab.run("measure", "toy", "--seeds", "2")
    assert code == 2
    assert "was measured with LECTURE10_BUDGET=smoke, not laptop" in err
    assert lab.measured() == [0]


def test_a_seed_that_another_process_finished_meanwhile_is_not_run_again(lab, monkeypatch, capsys):
    monkeypatch.syspath_prepend(lab.folder)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("TOY_LOG", str(lab.log))
    experiment = load("toy", lab.package)
    work = plan(experiment, experiment.claims, Store(lab.results), seeds=3)
    lab.run("measure", "toy", "--seeds", "2")
    carry_out(work)
    assert lab.measured() == [0, 1, 2]
    assert "seeds 0, 1: measured by another process" in capsys.readouterr().out


def test_seeds_whose_rows_were_lost_are_not_fresh(lab):
    lab.run("measure", "toy", "--seeds", "3")
    (lab.results / "toy.json").unlink()
    _, out, _ = lab.run("measure", "toy", "--seeds", "3", "--rebuild", "--fresh")
    assert "to do    seeds 3, 4, 5" in out
    assert list(stored(lab).seeds) == [3, 4, 5]
