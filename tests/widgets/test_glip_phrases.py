"""GLIP's widget: phrases of a line, own pictures, what is found and said."""

import io

import pytest
import torch

from lecture10.models.glip import GLIP, PRESETS
from lecture10.recipes.grounding import joined
from lecture10.widgets.glip_phrases import Grounder, glip_phrases, own_picture, phrases_of
from lecture10.world import render, scene

pytest.importorskip("ipywidgets")


@pytest.fixture(scope="module")
def grounder():
    torch.manual_seed(0)
    return Grounder(GLIP(PRESETS["tiny"]).eval())


@pytest.fixture(scope="module")
def image():
    return render(scene("a blue bear"), 32).image[0]


def test_phrases_are_parted_by_stops():
    assert phrases_of("a blue bear. the left ball;a goblet .") == ["blue bear", "the left ball", "goblet"]


@pytest.mark.parametrize(
    ("text", "says"),
    [("  . ", "no phrase"), ("a cat. " * 6, "6 phrases"), ("a panda", "no training text"),
     ("a cat. !", "empty")],
)  # fmt: skip
def test_what_cannot_be_asked_is_said(text, says):
    with pytest.raises(ValueError, match=says):
        phrases_of(text)


def test_own_pictures_become_squares_and_other_files_are_refused():
    from PIL import Image

    raw = io.BytesIO()
    Image.new("RGB", (50, 30), (255, 0, 0)).save(raw, "png")
    square = own_picture(raw.getvalue(), 32)
    assert square.shape == (3, 32, 32)
    assert square[0].min() == 1
    with pytest.raises(ValueError, match="no picture that can be read"):
        own_picture(b"hello", 32)


def test_maps_are_the_models_probabilities_of_the_phrases_tokens(grounder, image):
    prompt = joined(["a blue bear", "a cat"])
    maps, words = grounder.maps(image, prompt)
    assert words == ["a", "blue", "bear", "a", "cat"]
    assert maps.shape == (5, 4, 4)
    assert 0 <= maps.min() <= maps.max() <= 1


def test_the_still_picture_says_what_was_found(grounder, image):
    low = grounder.picture(image, ["a cat"], least=0.0).alt
    high = grounder.picture(image, ["a cat"], least=0.99).alt
    best = float(grounder.find(image, ["a cat"], 0.0).scores[0])
    assert f"a cat: {best:.2f}" in low
    assert "nothing above 0.99" in high
    with pytest.raises(ValueError, match="the threshold is"):
        grounder.find(image, ["a cat"], 1.5)


def test_the_controls_redraw_and_tell_what_is_wrong(grounder):
    live = glip_phrases(grounder.model, {"a bear": scene("a blue bear")}, "a bear. a cat")
    assert "boxes found: bear" in repr(live)
    top, own, typed, least, says, image = live.widget.children
    first = image.value
    typed.value = "a panda"
    assert "no training text" in says.value
    assert image.value == first
    typed.value = "a red panda"
    assert says.value == "never read in training: panda"
    own.value = "a red ball; a teal cat"
    assert image.value != first
    own.value = "a purple idea"
    assert "idea" in says.value
    own.value, least.value = "", 0.9
    assert says.value == "never read in training: panda"
    assert top.children[1].accept == "image/*"
