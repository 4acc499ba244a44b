"""SAM's pictures show what they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from lecture10.plots import sam as plots


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def test_a_mask_is_coloured_and_the_rest_is_grey():
    image, mask = torch.rand(3, 8, 8), torch.zeros(8, 8, dtype=torch.bool)
    mask[2:5, 2:5] = True
    _, ax = plt.subplots()
    plots.mask_on(ax, image, mask, [[3, 3], [6, 6]], [1, 0])
    shown = np.asarray(ax.images[0].get_array())
    assert np.ptp(shown[0, 0]) < 1e-6
    assert np.ptp(shown[3, 3]) > 0.05
    assert [line.get_marker() for line in ax.lines] == ["o", "+", "o", "_"]


def test_answers_have_a_panel_each():
    fig = plots.answers_figure(
        torch.rand(3, 8, 8), torch.ones(3, 8, 8, dtype=torch.bool), "abc", [[1, 2]], [1]
    )
    assert [ax.get_title() for ax in fig.axes] == ["the prompt", "a", "b", "c"]


def test_clicks_are_drawn_from_what_was_measured():
    curve = {1.0: (0.5, 0.4, 0.6), 9.0: (0.8, 0.7, 0.9)}
    fig = plots.clicks_figure({"center": {"SAM": curve}, "random": {"SAM": curve}})
    assert [t.get_text() for t in fig.axes[0].get_xticklabels()] == ["1", "9"]
    assert fig.axes[0].lines[0].get_ydata().tolist() == [0.5, 0.8]


def test_bins_hold_all_masks():
    guessed, true = torch.tensor([0.05, 0.95, 0.97, 1.2]), torch.tensor([0.2, 0.9, 0.7, 0.8])
    _, bins = plots.guesses_figure(guessed, true)
    assert sum(n for *_, n in bins) == 4
    assert bins[0] == (pytest.approx(0.05), pytest.approx(0.2), 1)
    assert bins[-1][1] == pytest.approx(0.8)


def test_small_masks_lie_on_large_ones():
    masks = torch.zeros(2, 8, 8, dtype=torch.bool)
    masks[0, 3:5, 3:5] = True
    masks[1] = True
    fig = plots.everything_figure([torch.rand(3, 8, 8)], [masks])
    shown = np.asarray(fig.axes[1].images[0].get_array())
    assert not np.allclose(shown[0, 0], shown[4, 4])
