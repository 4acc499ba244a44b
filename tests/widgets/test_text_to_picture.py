"""The widget that draws a prompt: what it shows, what it refuses, and that it is quick."""

import time

import pytest
import torch

from lecture10.models.autoencoder import Autoencoder, AutoencoderConfig
from lecture10.models.bert import BertConfig
from lecture10.models.ldm import LatentDiffusion, LDMConfig
from lecture10.models.unet import UNetConfig
from lecture10.recipes import autoencoder, ldm
from lecture10.widgets.text_to_picture import Painter, text_to_picture

pytest.importorskip("ipywidgets")


@pytest.fixture(scope="module")
def networks():
    torch.manual_seed(0)
    config = LDMConfig(
        UNetConfig(2, (8, 16), 1, (False, True), heads=2, context=16, groups=4),
        BertConfig(512, 32, 16, 1, 2, dropout=0.0),
    )
    return LatentDiffusion(config).eval(), Autoencoder(
        AutoencoderConfig((8, 8, 8), latent=2, groups=4)
    ).eval()


def test_the_film_ends_with_the_picture_that_draw_gives(networks):
    model, decoder = networks
    shot = ldm.film(model, decoder, "a red cat", guidance=2.0, steps=5, seed=7)
    picture = ldm.draw(model, decoder, ["a red cat"], guidance=2.0, steps=5, seed=7)
    assert torch.allclose(shot.noisy[-1], picture[0], atol=1e-5)
    assert shot.stops[0] == 999
    assert shot.stops[-1] == -1
    assert len(shot.stops) == len(shot.noisy) == len(shot.taken_for) == 6


def test_words_of_a_prompt_in_order():
    assert ldm.pieces("A red  cat") == ["a", "red", "cat"]


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"prompt": "  "}, "the prompt is empty"),
        ({"prompt": "a red cat", "guidance": -1.0}, "guidance is -1"),
        ({"prompt": "a red cat", "steps": 0}, "0 sampling steps"),
        ({"prompt": "a red cat", "steps": 1001}, "1001 sampling steps"),
        ({"prompt": "a red cat " * 20}, "shorten"),
    ],
)
def test_what_cannot_be_drawn_is_said(networks, how, why):
    with pytest.raises(ValueError, match=why):
        Painter(*networks).picture(**how)


def test_the_controls_redraw_and_errors_are_shown(networks):
    live = text_to_picture(*networks, note=lambda prompt: f"a note on {prompt}")
    text, (guidance, _, seed), says, image = (
        live.widget.children[0], live.widget.children[1].children, *live.widget.children[2:],
    )  # fmt: skip
    first = image.value
    assert first == live.still.png
    seed.value = 5
    assert image.value != first
    text.value = "a blue zebra"
    assert says.value == "a note on a blue zebra"
    text.value = ""
    assert "the prompt is empty" in says.value
    assert guidance.min == 0


def test_a_prompt_takes_less_than_three_seconds_of_one_core():
    """Seconds of the processor, not of the clock: another load on the machine must not turn this red."""
    painter, threads = Painter(ldm.load("cpu"), autoencoder.load("cpu")), torch.get_num_threads()
    painter.picture("a red cat", steps=1)
    torch.set_num_threads(1)
    try:
        start = time.process_time()
        painter.picture("a blue bear to the left of a red ball", steps=20, seed=1)
        assert time.process_time() - start < 3
    finally:
        torch.set_num_threads(threads)
