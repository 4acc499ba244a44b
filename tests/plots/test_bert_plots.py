"""BERT's pictures draw what they are told, and say so where nothing is measured yet."""

import matplotlib.pyplot as plt
import pytest

from lecture10.claims import Claim, Row, difference
from lecture10.findings import Finding
from lecture10.plots.bert import blank_figure, compared_figure, fate, finding_figure, masking_figure
from lecture10.plots.figure import picture


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def written(fig):
    return [text.get_text() for ax in fig.axes for text in ax.texts]


def test_fates():
    assert [fate("[MASK]", "store"), fate("milk", "store"), fate("store", "store"), fate("store", None)] == [
        "mask", "random", "kept", "",
    ]  # fmt: skip


def test_each_token_is_drawn_and_what_is_asked_stands_below():
    fig = masking_figure([(["[CLS]", "a", "[MASK]"], [None, None, "gallon"], [0, 0, 1])])
    assert written(fig) == ["[CLS]", "a", "[MASK]", "↑ gallon"]
    assert len(picture(fig, "one row of tokens").png) < 40_000


def test_the_right_word_has_the_second_colour():
    fig = blank_figure({"one": {"red": 0.7, "blue": 0.2}, "two": {"blue": 0.6, "red": 0.1}}, "blue")
    colours = [[bar.get_facecolor() for bar in ax.patches] for ax in fig.axes]
    assert colours[0][1] == colours[1][0] != colours[0][0] == colours[1][1]
    assert [ax.get_title() for ax in fig.axes] == ["one", "two"]


def test_means_are_written_beside_their_dots():
    fig = compared_figure(
        {"left": [("A", 0.9, 0.8, 1.0)], "right": [("B", 0.125, 0.1, 0.15)]}, unit="x", line=0.5
    )
    assert written(fig) == ["0.900", "0.125"]
    assert [tick.get_text() for tick in fig.axes[0].get_yticklabels()] == ["A, left", "B, right"]


CLAIM = Claim(
    "bert.test", slide="s", says="s", effect=difference("A", "B", metric="accuracy, left"), margin=0.1,
    expects="shown", does_not_test="d", minutes=1,
)  # fmt: skip


def test_a_finding_is_drawn_by_metric_and_variant():
    rows = tuple(
        Row(name, "accuracy, left", value + seed / 100, seed)
        for seed in range(3)
        for name, value in {"A": 0.8, "B": 0.2}.items()
    )
    fig, alt = finding_figure(Finding(CLAIM, CLAIM.verdict(rows), rows), unit="share")
    assert written(fig) == ["0.810", "0.210"]
    assert alt == "A, left 0.810; B, left 0.210"


def test_what_is_not_measured_says_how_to():
    fig, alt = finding_figure(Finding(CLAIM, CLAIM.verdict([])), unit="share")
    assert alt == "bert.test is not measured yet: python -m lecture10 measure bert.test"
    assert written(fig) == [alt]
