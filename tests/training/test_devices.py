"""The two environment variables: obeyed, never silently replaced."""

import subprocess
import sys

import pytest
import torch

from lecture10.devices import budget, pick_device
from lecture10.training import TrainSettings, train


@pytest.fixture(autouse=True)
def unset(monkeypatch):
    for name in ("LECTURE10_DEVICE", "LECTURE10_BUDGET"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def only_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


def test_the_best_device_is_picked_unless_one_is_named(monkeypatch, only_cpu):
    assert pick_device() == torch.device("cpu")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert pick_device() == torch.device("mps")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert pick_device() == torch.device("cuda")
    monkeypatch.setenv("LECTURE10_DEVICE", "CPU")
    assert pick_device() == torch.device("cpu")
    assert pick_device("mps") == torch.device("mps")


def test_a_gpu_that_is_not_there_is_refused_with_the_cure(monkeypatch, only_cpu):
    monkeypatch.setenv("LECTURE10_DEVICE", "cuda")
    with pytest.raises(ValueError, match=r"'cuda' was asked for.*sees none.*Set LECTURE10_DEVICE=cpu"):
        pick_device()
    with pytest.raises(ValueError, match="LECTURE10_DEVICE=cpu"):
        train(torch.nn.Linear(1, 1), None, [], TrainSettings(steps=1))


def test_unknown_devices_are_named(monkeypatch, only_cpu):
    with pytest.raises(ValueError, match="no device 'cudaa'; did you mean 'cuda'"):
        pick_device("cudaa")
    with pytest.raises(ValueError, match="'cpu:x' is not a device"):
        pick_device("cpu:x")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ValueError, match="only 1 CUDA"):
        pick_device("cuda:3")
    assert pick_device("cuda:0").index == 0


@pytest.mark.parametrize(("value", "expected"), [("", "laptop"), ("smoke", "smoke"), (" GPU ", "gpu")])
def test_the_budget(monkeypatch, value, expected):
    assert budget() == "laptop"
    monkeypatch.setenv("LECTURE10_BUDGET", value)
    assert budget() == expected


def test_an_unknown_budget_names_the_nearest(monkeypatch):
    monkeypatch.setenv("LECTURE10_BUDGET", "laptp")
    with pytest.raises(ValueError, match="no budget 'laptp'; did you mean 'laptop'"):
        budget()


def test_the_module_loads_no_torch():
    code = "import sys, lecture10.devices; lecture10.devices.budget(); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
