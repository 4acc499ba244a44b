"""What a history holds, draws and stores; and that its repr does not depend on the machine's speed."""

import re

import matplotlib
import pytest

from lecture10.training import History

matplotlib.use("Agg")


@pytest.fixture
def history():
    made = History("GPT", steps=30, unit="tokens")
    for step, loss in [(1, 4.0), (10, 2.5), (20, 1.23456)]:
        made.add(step, loss=loss, lr=0.1 / step, grad_norm=1.0, per_second=1000.0 + step)
    made.add(20, held_out_loss=1.5)
    made.done, made.seconds, made.interrupted = 20, 90.0, True
    return made


def test_curves_and_last_values(history):
    assert history.curve("loss") == ([1, 10, 20], [4.0, 2.5, 1.23456])
    assert history.curve("held_out_loss") == ([20], [1.5])
    assert history.last() == 1.23456
    assert history.last("per_second") == 1020
    assert history.metrics == ["loss", "lr", "grad_norm", "per_second", "held_out_loss"]
    assert history.minutes == 1.5
    assert len(history) == 3


def test_an_unknown_metric_names_the_nearest(history):
    with pytest.raises(ValueError, match="no metric 'held_out_los'; did you mean 'held_out_loss'"):
        history.last("held_out_los")
    with pytest.raises(ValueError, match="none yet"):
        History().last("loss")


def test_json_there_and_back(history, tmp_path):
    assert History.from_json(history.to_json()) == history
    history.save(tmp_path / "h.json")
    again = History.load(tmp_path / "h.json")
    assert again == history
    again.add(30, loss=1.0)
    assert again != history


@pytest.mark.parametrize("text", ["", "{", "[]", '{"label": "x"}'])
def test_a_damaged_file_is_refused_with_the_cure(tmp_path, text):
    (tmp_path / "h.json").write_text(text)
    with pytest.raises(ValueError, match=r"h\.json holds no history .*train again"):
        History.load(tmp_path / "h.json")


def test_a_frame_has_a_row_a_step(history):
    frame = history.to_frame()
    assert list(frame.columns) == ["step", *history.metrics]
    assert frame["loss"].tolist() == [4.0, 2.5, 1.23456]
    assert frame["held_out_loss"].isna().tolist() == [True, True, False]


def test_reprs_are_short_and_hold_no_times(history):
    text, html = repr(history), history._repr_html_()
    assert text == "GPT: step 20 of 30, interrupted; loss 4 → 1.235; held_out_loss 1.5"
    assert html.count("<tr>") == 2
    slower = History.from_json(history.to_json())
    slower.seconds = 1e6
    for record in slower.records:
        record["per_second"] = 1.0
    assert (repr(slower), slower._repr_html_()) == (text, html)
    assert not re.search("second|minute", html)
    history.label = "<b>"
    assert "<b>" not in history._repr_html_()


def test_the_plot_shows_the_losses_with_labelled_axes(history):
    ax = history.plot(log_x=True)
    assert [line.get_label() for line in ax.get_lines()] == ["loss", "held_out_loss"]
    assert list(ax.get_lines()[0].get_ydata()) == [4.0, 2.5, 1.23456]
    assert (ax.get_xlabel(), ax.get_xscale(), ax.get_title()) == ("training step", "log", "GPT")
    only = history.plot("lr")
    assert only.get_ylabel() == "lr"
    assert only.get_legend() is None
    assert only is not ax
    assert history.plot("lr", ax=ax) is ax
