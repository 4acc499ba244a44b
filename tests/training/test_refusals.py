"""What the loop refuses: losses that are not finite, senseless settings and arguments."""

import math

import pytest
import tiny_run
import torch

from lecture10.training import NonFiniteError, TrainSettings, run
from lecture10.training import settings as settings_module


def bad_at(step, kind):
    """A source whose batch `step` (from 0) holds something that is not finite."""
    calls = iter(range(1000))

    def batches(generator):
        x, y = tiny_run.draw(generator)
        if next(calls) == step:
            x[3, 1] = kind
        return x, y

    return batches


@pytest.mark.parametrize("kind", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_with_step_batch_and_cure(quick, kind):
    model, good = tiny_run.tiny_model(), tiny_run.tiny_model()
    with pytest.raises(NonFiniteError) as caught:
        quick(model, tiny_run.tiny_loss, bad_at(6, kind))
    for part in (
        "the loss is nan at step 7 of 12",
        "(16, 4) float32 in [",
        "1 of 64 not finite",
        "lower lr (now 0.01)",
        "clip (now 1.0)",
        "keeps the weights of step 6",
    ):
        assert part in str(caught.value)
    assert isinstance(caught.value, FloatingPointError)

    def stop_after_six(n):
        if n == 6:
            raise KeyboardInterrupt

    quick(good, tiny_run.tiny_loss, tiny_run.hooked(tiny_run.draw, stop_after_six))
    assert tiny_run.same(tiny_run.weights(model), tiny_run.weights(good))  # the running means too


def test_a_gradient_that_is_not_finite_stops_although_the_loss_is(quick):
    model = tiny_run.regressor()
    with pytest.raises(NonFiniteError, match=r"the gradient is (nan|inf) at step 1 of 12"):
        quick(model, lambda m, b: (m(b[0]) * 0).sqrt().mean())
    assert tiny_run.same(tiny_run.weights(model), tiny_run.weights(tiny_run.regressor()))


def test_where_looking_at_each_loss_would_stall_the_bad_step_is_skipped_on_the_device(quick, monkeypatch):
    monkeypatch.setattr(run, "LAZY", ("cpu",))
    model, good = tiny_run.regressor(), tiny_run.regressor()
    with pytest.raises(NonFiniteError, match="not finite at step 4 of 12"):
        quick(model, batches=bad_at(3, math.nan), options={"log_every": 5})
    quick(good, steps=12, batches=tiny_run.hooked(tiny_run.draw, lambda n: interrupt_at(n, 3)))
    assert tiny_run.same(tiny_run.weights(model), tiny_run.weights(good))


def interrupt_at(n, step):
    if n == step:
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps = 0: .*at least 1"),
        ({"steps": 2.5}, "steps = 2.5: .*whole number"),
        ({"lr": 0}, "lr = 0: .*above 0"),
        ({"lr": math.nan}, "lr = nan"),
        ({"lr": "fast"}, "lr = 'fast'"),
        ({"warmup": 1}, "warmup = 1: .*share"),
        ({"warmup": -0.1}, "warmup = -0.1"),
        ({"floor": 2}, "floor = 2"),
        ({"weight_decay": -1}, "weight_decay = -1"),
        ({"betas": (0.9,)}, "betas = "),
        ({"betas": None}, "betas = None"),
        ({"clip": 0}, "clip = 0: .*None for no clipping"),
        ({"ema": 1}, "ema = 1: .*strictly between 0 and 1"),
        ({"ema": 0}, "ema = 0"),
        ({"precision": "bf61"}, "no precision 'bf61'; did you mean 'bf16'"),
        ({"precision": None}, "no precision 'None'"),
    ],
)
def test_settings_that_make_no_sense_are_refused_with_value_and_cure(change, message):
    with pytest.raises(ValueError, match=message):
        TrainSettings(**({"steps": 10} | change))


def test_arguments_that_make_no_sense_are_refused_with_the_cure(quick):
    with pytest.raises(ValueError, match="log_every = 0"):
        quick(tiny_run.regressor(), options={"log_every": 0})
    with pytest.raises(ValueError, match="batches is a int"):
        quick(tiny_run.regressor(), batches=3)
    with pytest.raises(ValueError, match=r"a tensor of shape \(16, 1\): return one number"):
        quick(tiny_run.regressor(), loss=lambda m, b: m(b[0]))
    with pytest.raises(ValueError, match="returned float"):
        quick(tiny_run.regressor(), loss=lambda m, b: 1.0)
    with pytest.raises(ValueError, match="no parameter to train"):
        quick(tiny_run.regressor().requires_grad_(False))
    with pytest.raises(ValueError, match="'loss' is recorded by the loop itself"):
        quick(tiny_run.regressor(), options={"evaluate": lambda m: {"loss": 1.0}, "evaluate_every": 1})
    with pytest.raises(ValueError, match="ended before step 3 and cannot start again"):
        quick(tiny_run.regressor(), batches=iter([tiny_run.draw(torch.Generator())] * 2))
    with pytest.raises(ValueError, match="ended before step 1"):
        quick(tiny_run.regressor(), batches=[])


def test_seconds_stop_a_run_but_never_in_a_notebook(quick, monkeypatch):
    model = tiny_run.regressor()
    history = quick(model, steps=10**6, options={"seconds": 0.3, "log_every": 1000})
    assert 1 <= history.done < 10**6
    assert history.records[-1]["step"] == history.done
    assert history.last("lr") < 1e-2 / 10
    with pytest.raises(ValueError, match="seconds = -1"):
        quick(model, options={"seconds": -1})
    monkeypatch.setattr(settings_module, "in_notebook", lambda: True)
    with pytest.raises(
        ValueError, match=r"inside a notebook a run is budgeted by steps .*TrainSettings\(steps="
    ):
        quick(model, options={"seconds": 5})
