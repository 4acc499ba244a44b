"""Two gloo processes under torchrun have the loss, the gradients and the steps of one with the full batch."""

import os
import subprocess
import sys

import clip_processes
import pytest
import torch
from safetensors.torch import load_file

from lecture10.training import TrainSettings, train


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*command, clip_processes.__file__, folder],
        env=os.environ | {"OMP_NUM_THREADS": "1", "LECTURE10_PLAIN": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_loss_and_gradients_equal_the_full_batchs(folder):
    clip = clip_processes.model()
    value = clip_processes.loss(clip, clip_processes.batch())
    value.backward()
    ranks = [load_file(folder / f"rank{rank}.safetensors") for rank in range(2)]
    for found in ranks:
        assert found.pop("loss").item() == pytest.approx(value.item(), rel=1e-6)
        for name, parameter in clip.named_parameters():
            torch.testing.assert_close(found[name], parameter.grad, atol=1e-6, rtol=1e-4)
    assert value.item() > 0.5  # a half's own loss would be lower, ln 4 against ln 8


def test_the_courses_own_loop_takes_the_same_steps(folder):
    clip = clip_processes.model()
    settings = TrainSettings(steps=3, lr=1e-2)
    train(
        clip,
        clip_processes.loss,
        lambda generator: clip_processes.batch(),
        settings,
        device="cpu",
        quiet=True,
    )
    for rank in range(2):
        found = load_file(folder / f"trained{rank}.safetensors")
        for name, parameter in clip.named_parameters():
            if not name.endswith(
                "qkv.bias"
            ):  # keys' biases have no gradient but rounding, which Adam scales up
                torch.testing.assert_close(found[name], parameter.detach(), atol=2e-4, rtol=1e-3)
