"""The scene builder draws what its menus say, says why where it cannot, and is a picture elsewhere."""

import html

import pytest

from lecture10.widgets.scene_builder import BESIDE, NOTHING, build, scene_builder
from lecture10.world import parse, scene
from lecture10.world.words import KINDS

widgets = pytest.importorskip("ipywidgets")


def menus(live):
    """The controls by name."""
    first, between, second, whole, image, says = live.widget.children
    a, b = first.children, second.children
    named = {f"{k}{n}": m for n, row in (("0", a), ("1", b))
             for k, m in zip(("size", "material", "colour", "noun"), row, strict=True)}  # fmt: skip
    names = ("backdrop", "style", "text", "boxes", "masks")
    return (
        named | {"relation": between.children[0]} | dict(zip(names, whole.children, strict=True)),
        image,
        says,
    )


def test_what_is_built_has_a_caption_of_each_kind_that_says_the_scene():
    built = build(scene("a blue bear", "a brown bird", relation="left of"))
    assert tuple(built.captions) == KINDS
    assert {(t.noun, t.colour) for t in parse(built.captions["short"]).things} == {
        ("bear", "blue"), ("bird", "brown"),
    }  # fmt: skip
    assert built.captions["short"] in built.picture.alt


def test_menus_change_the_picture_and_the_captions():
    live = scene_builder()
    controls, image, says = menus(live)
    before = image.value
    assert before == live.still.png
    controls["colour0"].value = "purple"
    assert image.value != before
    controls["noun1"].value = NOTHING
    short = html.unescape(says.value.split("<b>short</b>: ")[1].split("</div>")[0])
    assert [(t.noun, t.colour) for t in parse(short).things] == [("bear", "purple")]


def test_boxes_can_be_left_out():
    controls, image, _ = menus(scene_builder())
    before = image.value
    controls["boxes"].value = False
    assert image.value != before


def test_what_cannot_be_drawn_is_said_and_the_last_picture_stays():
    controls, image, says = menus(scene_builder())
    before = image.value
    controls["noun0"].value = "house"  # a house rides nothing
    assert "cannot be drawn" in says.value
    assert "riding" in says.value
    assert image.value == before
    controls["relation"].value = BESIDE
    assert "cannot be drawn" not in says.value
    assert image.value != before


def test_a_sign_says_what_is_typed():
    controls, _image, says = menus(scene_builder(scene("a red sign that says 'open'")))
    controls["text"].value = "hello"
    assert "hello" in says.value
    controls["text"].value = "far too long for a sign"
    assert "cannot be drawn" in says.value


def test_three_things_are_too_many():
    with pytest.raises(ValueError, match="one or two things, not 3"):
        scene_builder(scene("a red ball", "a blue ball", "a teal ball"))
