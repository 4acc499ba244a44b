"""Texts on signs are read with the font alone."""

import pytest
import torch

from lecture10.judge.lettering import UNCLEAR, text_on_sign
from lecture10.world import Scene, Thing, render

READABLE = ("NeurIPS", "STOP", "GPT", "42", "Zoo", "Bus 7")


def sign(text, size=64, style="photo", scale="large", seed=0, shift=0.0):
    picture = render(
        Scene((Thing("sign", "red", size=scale, x=0.5, y=0.5, text=text),), style=style, seed=seed), size
    )
    return text_on_sign(picture.image[0], 0.5 + shift, 0.5, scale)


@pytest.mark.parametrize("text", READABLE)
@pytest.mark.parametrize("style", ["photo", "rendition"])
def test_large_signs_are_read(text, style):
    assert sign(text, style=style) == text


def test_a_place_that_is_a_pixel_off_does_not_matter():
    assert sign("STOP", shift=1 / 64) == "STOP"


def test_a_bare_board_says_nothing():
    assert sign(None) is None


def test_what_is_too_small_is_unclear():
    assert sign("NeurIPS", size=32) == UNCLEAR
    assert text_on_sign(torch.rand(3, 64, 64), 0.5, 0.5, "unclear") == UNCLEAR


def test_noise_is_no_text():
    rng = torch.Generator().manual_seed(0)
    assert text_on_sign(torch.rand(3, 64, 64, generator=rng), 0.5, 0.5, "large") == UNCLEAR
