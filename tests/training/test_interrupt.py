"""Ctrl-C keeps what was learnt and says how to go on."""

import signal
import threading

import pytest
import tiny_run
import torch

from lecture10.training import TrainSettings, train
from lecture10.training.interrupts import Interrupts


def press(n, at):
    if n == at:
        raise KeyboardInterrupt


def test_raised_by_a_batch_source_the_last_whole_step_stays(tmp_path, capsys):
    model, history = tiny_run.run("loader", tmp_path, lambda n: press(n, 17))
    out = capsys.readouterr().out
    assert history.interrupted
    assert history.done == 17
    assert "stopped by hand after step 17 of 40" in out
    assert "Run the same line again" in out
    assert not model.training
    assert (tmp_path / "step-000017").is_dir()
    resumed, resumed_history = tiny_run.run("loader", tmp_path)
    whole, _ = tiny_run.run("loader")
    assert not resumed_history.interrupted
    assert tiny_run.same(tiny_run.weights(resumed), tiny_run.weights(whole))


def test_raised_amid_a_step_its_batch_is_drawn_again(tmp_path):
    steps = iter(range(100))

    def broken_off(model, batch):
        if next(steps) == 15:
            raise KeyboardInterrupt
        return tiny_run.tiny_loss(model, batch)

    options = {"seed": 3, "checkpoint": tmp_path, "quiet": True, "device": "cpu"}
    history = train(
        tiny_run.tiny_model(), broken_off, tiny_run.source("loader"), tiny_run.SETTINGS, **options
    )
    assert history.done == 15
    resumed, _ = tiny_run.run("loader", tmp_path)
    whole, _ = tiny_run.run("loader")
    assert tiny_run.same(tiny_run.weights(resumed), tiny_run.weights(whole))


def test_without_a_checkpoint_it_says_how_to_have_one(capsys):
    _, history = tiny_run.run("function", None, lambda n: press(n, 5))
    assert history.interrupted
    assert "checkpoint='runs/NAME'" in capsys.readouterr().out


def test_pressed_during_a_step_the_step_is_finished():
    before = signal.getsignal(signal.SIGINT)
    model = torch.nn.Linear(2, 1)

    def loss(model, batch):
        if len(seen) == 2:
            signal.raise_signal(signal.SIGINT)
        seen.append(1)
        return model(batch).mean()

    seen = []
    history = train(model, loss, [torch.ones(3, 2)], TrainSettings(steps=10), quiet=True, device="cpu")
    assert history.interrupted
    assert history.done == 3
    assert signal.getsignal(signal.SIGINT) is before


def test_pressed_twice_raises_at_once_but_not_amid_an_update():
    with Interrupts() as interrupts:
        signal.raise_signal(signal.SIGINT)
        interrupts.updating = True
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            pytest.fail("raised amid an update")
        assert interrupts.pressed
        interrupts.updating = False
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_training_works_in_another_thread():
    done = []

    def work():
        model = torch.nn.Linear(2, 1)
        history = train(
            model, lambda m, b: m(b).mean(), [torch.ones(3, 2)], TrainSettings(steps=4), quiet=True
        )
        done.append(history.done)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [4]
