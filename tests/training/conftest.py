"""A short way to train in tests."""

import pytest
import tiny_run

from lecture10.training import TrainSettings, train


@pytest.fixture
def quick():
    """train on a CPU, without a word, with settings by name."""

    def go(model, loss=tiny_run.squared, batches=tiny_run.draw, *, options=None, **settings):
        options = {"quiet": True, "device": "cpu", "log_every": 1} | (options or {})
        return train(model, loss, batches, TrainSettings(**({"steps": 12, "lr": 1e-2} | settings)), **options)

    return go
