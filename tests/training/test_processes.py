"""Two processes under torchrun do what one does with the whole batch."""

import os
import subprocess
import sys
from pathlib import Path

import distributed_run
import pytest
from safetensors.torch import load_file

from lecture10.training import History, train


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*command, distributed_run.__file__, folder],
        env=os.environ | {"OMP_NUM_THREADS": "1", "LECTURE10_PLAIN": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    (folder / "stdout").write_text(done.stdout)
    return folder


def test_both_end_with_the_same_weights_as_one_process_with_the_whole_batch(folder: Path):
    ranks = [load_file(folder / f"rank{rank}.safetensors") for rank in range(2)]
    alone = distributed_run.TwoTowers(seed=0)
    options = {"device": "cpu", "quiet": True, "log_every": 1}
    history = train(alone, distributed_run.loss, distributed_run.draw, distributed_run.SETTINGS, **options)
    for name, parameter in alone.named_parameters():
        assert (ranks[0][name] == ranks[1][name]).all(), name
        assert (ranks[0][name] - parameter).abs().max() < 1e-5, name
    together = History.load(folder / "rank0.json")
    assert together.curve("loss")[1] == pytest.approx(history.curve("loss")[1], abs=1e-5)


def test_each_process_draws_its_own_dropout(folder: Path):
    first, second = ((folder / f"rank{rank}.drawn").read_text().strip("[]").split(", ") for rank in range(2))
    assert len(set(first + second)) == 24


def test_one_process_alone_talks_and_saves(folder: Path):
    assert (folder / "stdout").read_text().count("step 12/12") == 1
    assert [p.name for p in sorted((folder / "run").iterdir())] == ["step-000010", "step-000012"]


def test_a_loss_that_is_not_finite_in_one_process_stops_both(folder: Path):
    messages = [(folder / f"rank{rank}.txt").read_text() for rank in range(2)]
    assert all("at step 1 of 12" in message for message in messages)
