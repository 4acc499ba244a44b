"""The box picker: what it says is what the readings say; wrong boxes are told, not raised, in the widget."""

import pytest
import torch

from lecture10.models.regionclip import RegionCLIP, read_crops, soft_scores
from lecture10.recipes import clip as clip_recipe
from lecture10.recipes.clip import CLASSES
from lecture10.widgets.region_reader import COMPARED, OWN, RegionReader, region_reader, things_in
from lecture10.world import scene

SCENE = scene("a red cat", "a blue ball", "a blue ball")


@pytest.fixture(scope="module")
def clip():
    return clip_recipe.load("cpu")


@pytest.fixture(scope="module")
def student(clip):
    return RegionCLIP.beginning_as(clip).eval()


def test_it_says_what_the_readings_say(clip, student):
    reader = RegionReader(clip, student)
    image, boxes = things_in(SCENE, 64)
    said = reader.says(image, boxes["red cat"])
    assert list(said) == list(COMPARED)
    box, of = torch.tensor([boxes["red cat"]]), torch.tensor([0])
    with torch.no_grad():
        q = soft_scores(read_crops(clip, image[None], box, of), reader.classes, reader.scale)[0]
    best = q.topk(3)
    wanted = [
        (CLASSES[i], pytest.approx(p))
        for i, p in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ]
    assert said["CLIP on the crop"] == wanted
    with pytest.raises(ValueError, match="x0 < x1"):
        reader.says(image, (0.5, 0.1, 0.5, 0.4))
    with pytest.raises(ValueError, match="outside of"):
        reader.says(image, (0.5, 0.1, 1.5, 0.4))


def test_things_of_a_scene_have_their_true_boxes():
    image, boxes = things_in(SCENE, 64)
    assert image.shape == (3, 64, 64)
    assert list(boxes) == ["red cat", "blue ball", "blue ball (2)"]
    assert len(set(boxes.values())) == 3


def test_the_widget_follows_its_controls(clip, student):
    pytest.importorskip("ipywidgets")
    live = region_reader(clip, student, {"one": SCENE, "two": scene("a green tree")})
    assert "red cat: CLIP on the crop says" in live.still.alt
    (controls, sliders), says, image = live.widget.children[0].children, *live.widget.children[1:]
    menu, own, pick = controls.children
    across, down = sliders.children
    before = image.value
    pick.value = "blue ball"
    assert image.value != before
    across.value = (0.1, 0.6)
    assert pick.value == OWN
    menu.value = "two"
    assert pick.options == ("green tree", OWN)
    assert pick.value == "green tree"
    own.value = "a purple bear; a gray hat"
    assert pick.options[:2] == ("purple bear", "gray hat")
    own.value = "a purple dragon"
    assert "dragon" in says.value
    own.value = "a purple bear"
    down.value = (0.3, 0.3)
    assert "x0 < x1 and y0 < y1" in says.value
    down.value = (0.3, 0.9)
    assert says.value == ""
