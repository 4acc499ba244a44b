"""The parser reads exactly what a caption asserts, and the lecture's own prompts."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lecture10.world import vocabulary as v
from lecture10.world.facts import PLACES, Facts, Said, facts_of, place_of, scene_of
from lecture10.world.parse import parse
from lecture10.world.sample import sample
from lecture10.world.scene import Scene, Thing
from lecture10.world.words import KINDS, Habits, captions

STYLES = ("photo", "photo2", "rendition", "staged", "sketch")
LOUD = Habits(wrong=0.3, typos=0.5, junk=0.9, nuisance=0.7)


def test_ten_thousand_random_scenes_are_read_as_written():
    scenes = sample(10_000, 17, things=(1, 6), split="all", styles=STYLES, related=0.8, repeat=0.3)
    for k, kind in enumerate(KINDS):
        for c in captions(scenes[k::3], kind, k, LOUD if k == 0 else None):
            assert parse(c) == c.facts, c.text


things = st.builds(
    Thing,
    noun=st.sampled_from([*v.NOUNS, "bear", "bear", "dog", "dog", "fish", "ball"]),
    colour=st.sampled_from([*v.COLOUR_NAMES, "red", "red", "red"]),
    material=st.sampled_from(v.MATERIALS),
    size=st.sampled_from(v.SIZE_NAMES),
)


@st.composite
def scenes(draw) -> Scene:
    """Scenes with many look-alikes and relations among them, written by hand: without places."""
    drawn = draw(st.lists(things, min_size=1, max_size=6))
    drawn += [Thing("sign", "red", text=t) for t in draw(st.lists(st.sampled_from(v.SIGN_WORDS), max_size=1))]
    drawn, relations = drawn[: v.MAX_THINGS], []
    for i, name in zip(
        range(1, len(drawn)), draw(st.lists(st.sampled_from(v.RELATIONS), max_size=3)), strict=False
    ):
        if name != "riding" or (drawn[i].noun in v.RIDERS and drawn[i - 1].noun in v.MOUNTS):
            relations.append((i, name, i - 1))
    backdrop, style = draw(st.sampled_from(v.BACKDROPS)), draw(st.sampled_from(v.STYLES))
    return Scene(tuple(drawn), backdrop, style, tuple(relations))


@settings(
    derandomize=True, max_examples=80, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
@given(st.data())
def test_any_scene_is_read_as_written(data):
    try:
        scene = data.draw(scenes())
    except ValueError:  # relations that no picture can hold
        return
    for kind in KINDS:
        for c in captions([scene], kind, data.draw(st.integers(0, 10**6)), LOUD):
            assert parse(c) == c.facts, c.text


def said(*things, **more):
    return Facts(tuple(t if isinstance(t, Said) else Said(t) for t in things), **more)


LECTURE = {
    "A horse riding an astronaut": said("horse", "astronaut", relations=((0, "riding", 1),)),
    "an astronaut riding a horse": said("astronaut", "horse", relations=((0, "riding", 1),)),
    "A brown bird and a blue bear.": said(Said("bird", "brown"), Said("bear", "blue")),
    "One cat and two dogs sitting on the grass.": said("cat", "dog", "dog", backdrop="grass"),
    "A wine glass on top of a dog.": said("glass", "dog", relations=((0, "on", 1),)),
    "A blue coloured pizza.": said(Said("pizza", "blue")),
    "A sign that says 'NeurIPS'.": said(Said("sign", text="NeurIPS")),
    "A small blue book sitting on a large red book.": said(
        Said("book", "blue", size="small"), Said("book", "red", size="large"), relations=((0, "on", 1),)
    ),
    "A cube made of brick. A cube with the texture of brick.": said(Said("cube", material="brick")),
    "a teddy bear on a skateboard": said("bear", "skateboard", relations=((0, "on", 1),)),
    "A couple of glasses are sitting on a table.": said(
        "glass", "glass", "table", relations=((0, "on", 2), (1, "on", 2))
    ),
    "a quarter-sized pizza with a pizza-sized quarter": said(
        Said("pizza", size="small"), Said("coin", size="large")
    ),
    "a neon sign that reads “backprop”": said(Said("sign", text="backprop")),
    "A bird scaring a scarecrow.": said("bird", "scarecrow"),
    "A smafml vessel epopoelled on watvewr by ors, sauls, or han engie.": said(
        Said("boat", size="small"), backdrop="sea"
    ),
    "A teddybear on a skateboard in Times Square.": said("bear", "skateboard", relations=((0, "on", 1),)),
}


@pytest.mark.parametrize("prompt", LECTURE)
def test_the_lectures_prompts(prompt):
    assert parse(prompt, strict=False) == LECTURE[prompt]


OTHERS = {
    "a red ball, a cat and a dog on a book": said(
        Said("ball", "red"), "cat", "dog", "book", relations=((2, "on", 3),)
    ),
    "a cat and a dog are on a book": said("cat", "dog", "book", relations=((0, "on", 2), (1, "on", 2))),
    "a ball on a book on a table": said("ball", "book", "table", relations=((0, "on", 1), (1, "on", 2))),
    "The bear is above the cat and the dog. The dog is red.": said(
        "bear", "cat", Said("dog", "red"), relations=((0, "above", 1), (0, "above", 2))
    ),
    "The bear is above the cat and the dog is red.": said(
        "bear", "cat", Said("dog", "red"), relations=((0, "above", 1),)
    ),
    "Two bears, one horse. The second bear is blue and small. It is left of the horse.": said(
        "bear", Said("bear", "blue", size="small"), "horse", relations=((1, "left of", 2),)
    ),
    "a red bear and a blue bear. The blue one is on the left.": said(
        Said("bear", "red"), Said("bear", "blue", place="left")
    ),
    "An astronaut ridden by a horse": said("horse", "astronaut", relations=((0, "riding", 1),)),
    "A large, vibrant bird in a sunlit field": said(Said("bird", size="large"), backdrop="grass"),
    "a bear that is blue, on the left, and a cat": said(Said("bear", "blue", place="left"), "cat"),
    "This is a pencil drawing of three small dogs at night": said(
        *[Said("dog", size="small")] * 3, backdrop="night", style="sketch"
    ),
    "dogs and a cat": said("dog", "dog", "cat"),
    "IMG_2041.jpg: Blue Baer | photo by Anna Keller, 2 Dogs - stock photo": said(
        Said("bear", "blue"), "dog", "dog"
    ),
    "The sign says STOP": said(Said("sign", text="STOP")),
    "At night, a cat is near a tree.": said("cat", "tree", backdrop="night"),
    "a bear that is small and red and a cat": said(Said("bear", "red", size="small"), "cat"),
    "A bear rides a boat, and a green ball floats above it.": said(
        "bear", "boat", Said("ball", "green"), relations=((0, "riding", 1), (2, "above", 0))
    ),
}


@pytest.mark.parametrize("prompt", OTHERS)
def test_attachment_reference_and_noise(prompt):
    assert parse(prompt) == OTHERS[prompt]


@pytest.mark.parametrize(
    ("prompt", "cure"),
    [
        ("", "the prompt is empty: write"),
        ("  ", "the prompt is empty: write"),
        ("a panda and a bear", "no word 'panda'"),
        ("a skatebard and a bananna split", "did you mean|leave it out"),
        ("a xylophone", "nothing like it: leave it out"),
        ("blue", "name a thing after it, for example 'blue ball'"),
        ("It was a quiet morning.", "names no thing"),
        ("on the grass", "names no thing"),
        ("seven dogs", "asks for 7 of dog: the world draws one to 6"),
        ("a red blue ball", "both red and blue"),
        ("a red ball. The ball is blue.", "both red and blue"),
        ("'NeurIPS'", "write a sign that says 'NeurIPS'"),
        ("no dogs", "'no'"),
    ],
)
def test_what_cannot_be_read_is_answered_with_a_cure(prompt, cure):
    with pytest.raises(ValueError, match=cure):
        parse(prompt)


def test_a_tolerant_reader_lists_what_it_passed_over():
    facts = parse("A fluffy panda eats a blue banana", strict=False)
    assert facts.unknown == ("fluffy", "panda", "eats")
    assert facts == said(Said("banana", "blue"))
    assert parse("nothing at all", strict=False).things == ()


def test_facts_are_equal_when_they_assert_the_same():
    one = said("bear", "cat", relations=((0, "left of", 1),))
    assert one == said("cat", "bear", relations=((0, "right of", 1),))
    assert hash(one) == hash(said("cat", "bear", relations=((0, "right of", 1),)))
    assert one != said("bear", "cat", relations=((1, "left of", 0),))
    twins = said("ball", "ball", "cat", relations=((0, "above", 2),))
    assert twins == said("ball", "ball", "cat", relations=((1, "above", 2),))
    assert twins != said("ball", "ball", "cat", relations=((0, "above", 2), (1, "above", 2)))
    assert said("ball", "ball") != said("ball")
    assert twins.counts == {"ball": 2, "cat": 1}


def test_places_are_named_by_thirds_and_drawn_where_they_are_said():
    for place, (x, y) in PLACES.items():
        assert place_of(x, y) == place
        assert place_of(x + 0.1, y - 0.1) == place
    assert scene_of("a small red ball in the top left corner and a small blue cat on the right") == Scene(
        (
            Thing("ball", "red", size="small", x=0.25, y=0.25),
            Thing("cat", "blue", size="small", x=0.75, y=0.5),
        )
    )


@pytest.mark.parametrize("prompt", [p for p in LECTURE])
def test_the_lectures_prompts_become_scenes_that_can_be_drawn(prompt):
    scene = scene_of(LECTURE[prompt])
    true, asked = facts_of(scene.placed()), LECTURE[prompt]
    for have, want in zip(true.things, asked.things, strict=True):
        assert all(value in (None, getattr(have, name)) for name, value in want._asdict().items())
    assert true.relations == asked.relations
    assert scene.backdrop == (asked.backdrop or "studio")


def test_more_than_six_things_are_refused_with_a_cure():
    with pytest.raises(ValueError, match="6 at most: leave some out"):
        scene_of("four red balls and four blue cubes")
    assert [t.size for t in scene_of("five dogs").things] == ["small"] * 5
    assert scene_of("a cat", style="sketch").style == "sketch"
