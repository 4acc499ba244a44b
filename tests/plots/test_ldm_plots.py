"""Figures of latent diffusion."""

import matplotlib.pyplot as plt
import pytest
import torch

from lecture10.plots.figure import unlabelled
from lecture10.plots.ldm import bars_figure, film_figure, guidance_figure


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def test_the_curve_goes_through_its_points_in_the_order_of_guidance():
    follows = {"w = 1": (0.4, 0.3, 0.5), "w = 3": (0.7, 0.6, 0.8), "w = 10": (0.65, 0.6, 0.7)}
    diverse = {"w = 1": (0.3, 0.2, 0.4), "w = 3": (0.2, 0.1, 0.3), "w = 10": (0.1, 0.05, 0.15)}
    fig = guidance_figure(follows, diverse)
    x, y = fig.axes[0].lines[0].get_data()
    assert list(x) == [0.3, 0.2, 0.1]
    assert list(y) == [0.4, 0.7, 0.65]
    assert [t.get_text() for t in fig.axes[0].texts] == list(follows)
    assert not unlabelled(fig)


def test_bars_have_their_heights_and_say_them():
    fig = bars_figure({"things": {"pixels": (0.1, 0.0, 0.2), "f = 4": (0.6, 0.5, 0.7)}})
    assert [bar.get_height() for bar in fig.axes[0].patches] == [0.1, 0.6]
    assert [t.get_text() for t in fig.axes[0].texts] == ["0.10", "0.60"]


def test_a_film_shows_each_frame_once_and_the_end_as_drawn():
    rows = {"latent": torch.rand(3, 3, 8, 8), "taken for": torch.rand(3, 3, 8, 8)}
    fig = film_figure(rows, [999, 400, -1], "a red cat")
    assert [len(ax.images) for ax in fig.axes] == [1] * 6
    assert [ax.get_title() for ax in fig.axes[:3]] == ["t = 999", "t = 400", "drawn"]
    shown = torch.tensor(fig.axes[4].images[0].get_array())
    torch.testing.assert_close(shown.float(), rows["taken for"][1].permute(1, 2, 0))
