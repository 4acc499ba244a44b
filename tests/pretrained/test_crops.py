"""Crops of a photograph through an official CLIP, here a small one with random weights."""

import numpy as np
import pytest
import torch

from lecture10.models.clip import CLIP, CLIPConfig, TextConfig
from lecture10.models.vision import ResNetConfig
from lecture10.pretrained.clip import OfficialCLIP, picture
from lecture10.pretrained.crops import crop_names
from lecture10.zero_shot import TEMPLATE, class_embeddings, class_probabilities

NAMES = ["cat", "dog", "cup"]
PHOTO = np.random.default_rng(0).integers(0, 255, (60, 90, 3)).astype("uint8")


@pytest.fixture(scope="module")
def official():
    torch.manual_seed(0)
    config = CLIPConfig(ResNetConfig(32, 8, (1, 1), 2), TextConfig(64, 12, 16, 1, 2), embed=16)
    return OfficialCLIP(CLIP(config).eval(), lambda text: [*(ord(c) % 60 for c in text[-8:]), 63])


def test_each_box_is_cut_out_and_named(official):
    boxes = {"left": (0, 0, 45, 60), "corner": (70, 40, 90, 60)}
    found = crop_names(official, PHOTO, boxes, NAMES)
    assert list(found) == ["left", "corner"]
    with torch.no_grad():
        crop = picture(PHOTO[40:60, 70:90], 32)[None]
        classes = class_embeddings(official.clip, official.encode, NAMES, TEMPLATE)
        wanted = class_probabilities(official.clip, official.clip.embed_images(crop), classes)[0]
    assert found["corner"] == {name: pytest.approx(float(wanted[NAMES.index(name)])) for name in NAMES}
    assert list(found["corner"].values()) == sorted(found["corner"].values(), reverse=True)
    assert found["left"] != found["corner"]


def test_boxes_beyond_the_photo_are_refused(official):
    for box in ((0, 0, 91, 60), (50, 0, 40, 60), (0, 30, 40, 30), (-1, 0, 5, 5)):
        with pytest.raises(ValueError, match="are needed in this photo"):
            crop_names(official, PHOTO, {"bad": box}, NAMES)
