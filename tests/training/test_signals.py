"""Real signals to real processes: killed or interrupted, a run goes on as if nothing had happened."""

import os
import random
import signal
import subprocess
import sys
from collections import namedtuple

import pytest
import tiny_run
import torch

Stopped = namedtuple("Stopped", "folder kill_at out returncode")


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """Two runs killed at random steps, one interrupted at its tenth batch."""
    folder = tmp_path_factory.mktemp("stopped")
    kill_at = {kind: random.SystemRandom().randrange(8, tiny_run.STEPS) for kind in ("function", "loader")}
    process = subprocess.Popen(
        [sys.executable, tiny_run.__file__, folder, *map(str, kill_at.values())],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    out = ""
    while not out.endswith("batch 9\n"):
        assert process.poll() is None, out
        out += process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out += process.communicate(timeout=600)[0]
    return Stopped(folder, kill_at, out, process.returncode)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("kind", ["function", "loader"])
def test_killed_at_a_random_step_and_resumed_is_bit_identical(stopped, kind):
    assert f"killed {kind} {signal.SIGKILL:d}" in stopped.out
    at = stopped.kill_at[kind]
    latest = sorted((stopped.folder / kind).glob("step-*"))[-1]
    assert latest.name == f"step-{at // 7 * 7:06d}", f"killed at {at}"
    model, history = tiny_run.run(kind, stopped.folder / kind)
    whole, whole_history = tiny_run.run(kind)
    assert tiny_run.same(tiny_run.weights(model), tiny_run.weights(whole)), f"killed at {at}"
    assert tiny_run.records(history) == tiny_run.records(whole_history), f"killed at {at}"


def test_interrupted_it_finishes_the_step_saves_and_goes_on(stopped):
    assert stopped.returncode == 0
    assert "stopped by hand after step" in stopped.out
    done = int(stopped.out.split()[-1])
    assert stopped.out.splitlines()[-1] == f"interrupted True {done}"
    assert 10 <= done < tiny_run.STEPS
    folder = stopped.folder / "interrupted"
    assert (folder / f"step-{done:06d}").is_dir()
    resumed, _ = tiny_run.run("function", folder)
    whole, _ = tiny_run.run("function")
    assert tiny_run.same(tiny_run.weights(resumed), tiny_run.weights(whole))
