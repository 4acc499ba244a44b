"""What a run shows: lines, a bar, or nothing."""

import tiny_run

from lecture10.training import History, TrainSettings, loop, train


def test_plain_lines_every_tenth_and_nothing_when_quiet(capsys, monkeypatch):
    monkeypatch.setenv("LECTURE10_PLAIN", "1")
    options = {"device": "cpu", "log_every": 5, "label": "Net"}
    train(tiny_run.regressor(), tiny_run.squared, tiny_run.draw, TrainSettings(steps=100), **options)
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert err == ""
    assert len(lines) == 10
    assert lines[0].startswith("Net: step 10/100  loss ")
    assert lines[-1].startswith("Net: step 100/100  loss ")
    assert all(line.endswith("samples/s") for line in lines)
    train(
        tiny_run.regressor(), tiny_run.squared, tiny_run.draw, TrainSettings(steps=100), quiet=True, **options
    )
    assert capsys.readouterr() == ("", "")


def test_lines_in_a_notebook_hold_no_speed(capsys, monkeypatch):
    monkeypatch.setenv("LECTURE10_PLAIN", "1")
    monkeypatch.setattr("lecture10.training.progress.in_notebook", lambda: True)
    train(tiny_run.regressor(), tiny_run.squared, tiny_run.draw, TrainSettings(steps=20), device="cpu")
    first = capsys.readouterr().out
    train(tiny_run.regressor(), tiny_run.squared, tiny_run.draw, TrainSettings(steps=20), device="cpu")
    assert first == capsys.readouterr().out
    assert "samples/s" not in first
    assert "step 20/20" in first


def test_a_bar_shows_loss_and_throughput(capsys, monkeypatch):
    monkeypatch.setattr("lecture10.training.progress.style", lambda: "bar")
    train(
        tiny_run.regressor(),
        tiny_run.squared,
        tiny_run.draw,
        TrainSettings(steps=30),
        device="cpu",
        label="Net",
    )
    shown = capsys.readouterr().err
    assert "Net: 100%" in shown
    assert "loss=" in shown
    assert "samples/s=" in shown


def test_train_returns_a_history_and_is_the_public_one():
    assert train is loop.train
    assert isinstance(
        train(tiny_run.regressor(), tiny_run.squared, tiny_run.draw, TrainSettings(steps=1), quiet=True),
        History,
    )
