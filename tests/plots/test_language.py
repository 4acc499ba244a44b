"""The pictures of language models show the numbers they are given, labelled, in their order."""

import matplotlib.pyplot as plt
import pytest

from lecture10.experiments.gpt1_scaling import PowerLaw
from lecture10.plots import language
from lecture10.plots.figure import picture


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def test_a_token_can_be_read():
    assert language.readable(" the") == "␣the"
    assert language.readable("\n\n") == "⏎⏎"
    assert language.readable("") == "(nothing)"


def test_bars_have_the_lengths_and_the_order_given():
    fig, ax = language.figure()
    language.bars(ax, {"GPT": 1.5, "5-gram": 2.5}, unit="bits per byte", highlight="GPT")
    assert [bar.get_width() for bar in ax.patches] == [1.5, 2.5]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["GPT", "5-gram"]
    assert ax.yaxis_inverted()  # the first is on top
    assert ax.patches[0].get_facecolor() != ax.patches[1].get_facecolor()
    assert picture(fig, "two bars with their lengths").width > 300


def test_both_distributions_stand_side_by_side():
    fig = language.next_token_figure({" a": 0.6, " b": 0.3}, {" a": 1.0, " b": 0.0})
    left, right = fig.axes
    assert [bar.get_width() for bar in left.patches] == [0.6, 0.3]
    assert [bar.get_width() for bar in right.patches] == [1.0, 0.0]
    for ax in (left, right):
        assert [label.get_text() for label in ax.get_yticklabels()] == ["␣a", "␣b"]
        assert ax.yaxis_inverted()  # the likeliest on top
    assert left.get_xlim() == right.get_xlim()
    assert picture(fig, "two distributions side by side")


@pytest.mark.parametrize("heads", [1, 2])
def test_attention_is_shown_as_it_is(heads):
    weights = [[1.0, 0.0], [0.3, 0.7]]
    fig = language.attention_figure({f"head {n}": weights for n in range(heads)}, ["The", " end"])
    shown = [ax for ax in fig.axes if ax.images]
    assert len(shown) == heads
    assert shown[0].images[0].get_array().tolist() == weights
    assert shown[0].images[0].get_clim() == (0, 1)
    assert picture(fig, "one or two attention maps")


def test_a_curve_carries_its_band():
    fig = language.curve_figure([(1, 4.0, 3.9, 4.1), (2, 3.5, 3.4, 3.6)], x="tokens", y="nats per token")
    ax = fig.axes[0]
    assert ax.lines[0].get_xydata().tolist() == [[1, 4.0], [2, 3.5]]
    assert ax.get_xscale() == "log"
    heights = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (3.4, 4.1)


def test_the_law_is_drawn_beside_what_was_measured():
    law = PowerLaw(n=50, alpha_n=0.3, d=3e3, alpha_d=0.4, floor=1.5)
    points = [(3e3, 4.4, 4.3, 4.5), (6e5, 3.4, 3.3, 3.5)]
    names = ["1/16 of the text", "1/4 of the text", "all of the text"]
    fig = language.scaling_figure(dict.fromkeys(names, points), law, tokens=100_000)
    ax = fig.axes[0]
    dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert [line.get_ydata()[0] for line in dashed] == pytest.approx(
        [law(3e3, share * 100_000) for share in (1 / 16, 1 / 4, 1)]
    )
    assert [text.get_text() for text in ax.get_legend().get_texts()] == names
    assert picture(fig, "three curves and a law")
