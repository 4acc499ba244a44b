"""A tiny run with all that could differ after a restart: dropout, batch norm, a moving average, both sources.

As a script, tiny_run.py FOLDER AT AT2: one process is killed at batch AT of a run from a function, one at
batch AT2 of a run from a loader; then a third run goes slowly, to be interrupted.
"""

import os
import random
import signal
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from lecture10.training import TrainSettings, train

STEPS = 40
SETTINGS = TrainSettings(steps=STEPS, lr=1e-2, ema=0.9)


def tiny_model():
    """A net whose forward pass draws at random (dropout) and keeps count (batch norm)."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 1))


def tiny_loss(model, batch):
    """Squared error."""
    x, y = batch
    return ((model(x) - y) ** 2).mean(), {"size": float(len(x))}


def regressor(seed=2):
    """A net without chance."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))


def squared(model, batch):
    """Squared error, alone."""
    return tiny_loss(model, batch)[0]


def draw(generator):
    """A batch that is a function of the generator alone."""
    x = torch.randn(16, 4, generator=generator)
    return x, x.sum(-1, keepdim=True)


class Augmented(Dataset):
    """Six batches of eight; every sample is disturbed by three global generators."""

    def __len__(self):
        return 48

    def __getitem__(self, index):
        noise = torch.rand(()) + np.random.rand() + random.random()  # noqa: NPY002 - as datasets do
        x = torch.full((4,), index / 48) + torch.arange(4) + float(noise)
        return x.float(), x.sum(-1, keepdim=True).float()


def source(kind):
    """The batch source of a kind: "function" or "loader"."""
    return draw if kind == "function" else DataLoader(Augmented(), batch_size=8, shuffle=True)


def run(kind, folder=None, steps_hook=None, **options):
    """Train from scratch or from the folder's checkpoint; returns the model and its history."""
    batches = source(kind)
    if steps_hook:
        batches = hooked(batches, steps_hook)
    model = tiny_model()
    options = {"save_every": 7, "log_every": 10, "quiet": True, "device": "cpu"} | options
    history = train(model, tiny_loss, batches, SETTINGS, seed=3, checkpoint=folder, **options)
    return model, history


class hooked:
    """A source that calls hook(n) before handing out its n-th batch of this process."""

    def __new__(cls, batches, hook):
        calls = iter(range(10**9))
        if callable(batches):
            return lambda generator: (hook(next(calls)), batches(generator))[1]
        self = super().__new__(cls)
        self.batches, self.hook, self.calls = batches, hook, calls
        return self

    def __iter__(self):
        return self._go(iter(self.batches))  # opened now, as the loop opens the bare source

    def _go(self, batches):
        for batch in batches:
            self.hook(next(self.calls))
            yield batch


def weights(model):
    """All parameters and buffers in one list."""
    return [t.detach().clone() for t in model.state_dict().values()]


def records(history):
    """What was recorded, without speeds."""
    return [{k: v for k, v in record.items() if k != "per_second"} for record in history.records]


def same(first, second):
    """Bit for bit."""
    return len(first) == len(second) and all(map(torch.equal, first, second))


def killed(kind, folder, at):
    """A copy of this process trains and kills itself as it draws batch `at`; returns its signal."""
    child = os.fork()
    if child == 0:
        run(kind, folder, lambda n: n == at and os.kill(os.getpid(), signal.SIGKILL))
        os._exit(0)
    return os.WTERMSIG(os.waitpid(child, 0)[1])


def wait(n):
    """Draw slowly, and say so, until someone presses Ctrl-C."""
    print("batch", n, flush=True)
    time.sleep(0.05)


if __name__ == "__main__":
    place, *steps = sys.argv[1:]
    run("function")  # loads what the copies would otherwise load three times
    for kind, at in zip(("function", "loader"), steps, strict=True):
        print("killed", kind, killed(kind, f"{place}/{kind}", int(at)), flush=True)
    history = run("function", f"{place}/interrupted", wait)[1]
    print("interrupted", history.interrupted, history.done, flush=True)
