"""The denoising widget: both ways, any place on them, and what cannot be asked."""

import pytest
import torch

from lecture10.models.denoise import VectorConfig, VectorDenoiser
from lecture10.widgets.denoising import COUNTS, Way, denoising_widget

widgets = pytest.importorskip("ipywidgets")
pytest.importorskip("sklearn")


@pytest.fixture(scope="module")
def networks():
    torch.manual_seed(0)
    return tuple(VectorDenoiser(VectorConfig(size, 16)).eval() for size in (2, 64))


@pytest.fixture(scope="module")
def way(networks):
    return Way(*networks)


def test_the_way_begins_with_data_passes_noise_and_ends_with_data(way):
    t, data, guesses = way.moment(-1)
    assert (t, guesses) == (-1, None)
    assert torch.equal(data["points"], way.data["points"])
    almost, noisy, _ = way.moment(-1e-9)
    assert almost == 999
    torch.testing.assert_close(noisy["digits"], way.noise["digits"], atol=0.02, rtol=0.01)
    t, data, guesses = way.moment(0, steps=10)
    assert t == 999
    assert torch.equal(data["points"], way.noise["points"])
    t, data, guesses = way.moment(1, steps=10)
    assert t == -1
    assert torch.equal(data["digits"], guesses["digits"])


@pytest.mark.parametrize("steps", COUNTS)
def test_half_way_is_half_of_the_steps(way, steps):
    t, _, _ = way.moment(0.5, steps=steps)
    assert t == way.back("points", steps, "ddim")[0][round(steps / 2)]


def test_ways_differ_by_method(way):
    ddim, ddpm = (way.moment(1, steps=5, method=m)[1]["points"] for m in ("ddim", "ddpm"))
    assert not torch.allclose(ddim, ddpm)
    assert torch.equal(way.moment(1, steps=5, method="ddpm")[1]["points"], ddpm)  # the same each time


def test_what_cannot_be_asked_is_said(way):
    with pytest.raises(ValueError, match="the place is 2: it runs from -1"):
        way.moment(2)
    with pytest.raises(ValueError, match="the method is 'euler'"):
        way.moment(0.5, method="euler")


def test_the_controls_redraw(networks):
    live = denoising_widget(*networks)
    controls, _, image = live.widget.children
    where, steps, method = controls.children
    seen = [image.value]
    for control, value in ((where, -0.5), (where, 1.0), (steps, 5), (method, "ddpm")):
        control.value = value
        seen.append(image.value)
    assert len(set(seen)) == 5
    assert "sliced Wasserstein" in live.still.alt
