"""CLIP's widgets: probabilities of prompts, the temperature, one run's moments."""

from functools import partial

import pytest
import torch

from lecture10.models.clip import CLIP, CLIPConfig, TextConfig
from lecture10.models.vision import ViTConfig
from lecture10.recipes.captions import encode
from lecture10.widgets.clip_prompts import PromptPicker, clip_prompts, time_machine
from lecture10.world import render, scene

widgets = pytest.importorskip("ipywidgets")
PROMPTS = ["a blue bear", "a red ball", "a teal cat"]


@pytest.fixture(scope="module")
def picker():
    torch.manual_seed(0)
    clip = CLIP(CLIPConfig(ViTConfig(32, 8, 16, 1, 2), TextConfig(512, 24, 16, 1, 2), embed=16)).eval()
    return PromptPicker(clip, partial(encode, context=24))


@pytest.fixture(scope="module")
def image():
    return render(scene("a blue bear"), 32).image[0]


def test_the_chances_are_the_models_softmax(picker, image):
    with torch.no_grad():
        logits = picker.clip(image[None], picker.encode(PROMPTS))[0]
    assert list(picker.chances(image, PROMPTS).values()) == pytest.approx(
        logits.softmax(0).tolist(), abs=1e-5
    )
    warm = picker.chances(image, PROMPTS, temperature=4.0)
    assert list(warm.values()) == pytest.approx((logits / 4).softmax(0).tolist(), abs=1e-5)


def test_the_still_picture_says_every_probability(picker, image):
    said = picker.picture(image, PROMPTS).alt
    for prompt, p in picker.chances(image, PROMPTS).items():
        assert f"{prompt} {p:.2f}" in said


@pytest.mark.parametrize(
    ("prompts", "temperature", "says"),
    [([], 1.0, "0 prompts"), (["a cat", "a cat"], 1.0, "equal classes"), (["a cat", " "], 1.0, "empty"),
     (["a cat"] * 9, 1.0, "9 prompts"), (["a cat"], 0.0, "above 0")],
)  # fmt: skip
def test_what_cannot_be_asked_is_said(picker, image, prompts, temperature, says):
    with pytest.raises(ValueError, match=says):
        picker.chances(image, prompts, temperature)


def test_the_controls_redraw_and_tell_what_is_wrong(picker):
    live = clip_prompts(picker.clip, picker.encode, {"a bear": scene("a blue bear")}, PROMPTS)
    top, says, image = live.widget.children
    (_, own, slider), box = top.children[0].children, top.children[1]
    first = image.value
    slider.value = 10.0
    warm = image.value
    assert first != warm
    own.value = "a red ball"
    assert image.value != warm
    last = image.value
    own.value = "a red bawl"
    assert "ball" in says.value
    assert image.value == last
    own.value, box.value = "", "a cat"
    assert says.value == ""


def test_the_time_machine_shows_one_moment_and_its_still_all():
    tables = {0: torch.eye(3) * 0.1, 100: torch.eye(3) * 0.5}
    live = time_machine(tables)
    moments, image = live.widget.children
    assert "0.10 at step 0, 0.50 at step 100" in live.still.alt
    before = image.value
    moments.value = 100
    assert image.value != before
    with pytest.raises(ValueError, match="no moment"):
        time_machine({})
