"""Which facts of a prompt hold, given what was found."""

import pytest

from lecture10.judge import Found, Reading
from lecture10.judge.following import judge_reading
from lecture10.world import scene
from lecture10.world.parse import parse


def found(noun="cat", colour="red", x=0.5, y=0.5, *, material="plain", size="small", text=None):
    return Found(noun, colour, material, size, x, y, 0.9, text)


def verdict(prompt, *things):
    return judge_reading(Reading(things, "photo", "studio"), parse(prompt))


def test_a_red_cat_is_no_blue_one():
    result = verdict("a blue cat", found("cat", "red"))
    assert (result.nouns, result.counts, result.colours) == ("holds", "holds", "fails")
    assert result.all == "fails"
    assert result.asked.keys() == {"nouns", "counts", "colours"}
    assert result.relations == "not asked"


@pytest.mark.parametrize(
    ("things", "nouns", "counts"),
    [
        (("cat", "dog", "dog"), "holds", "holds"),
        (("cat", "dog"), "holds", "fails"),
        (("cat", "cat", "dog", "dog"), "holds", "fails"),
        (("dog", "dog"), "fails", "fails"),
        (("cat", "dog", "unclear"), "holds", "unclear"),
        (("dog", "dog", "unclear"), "unclear", "unclear"),
        ((), "fails", "fails"),
        (("cat", "dog", "dog", "bird"), "holds", "holds"),
    ],
)
def test_nouns_and_counts(things, nouns, counts):
    result = verdict("one cat and two dogs", *(found(noun) for noun in things))
    assert (result.nouns, result.counts) == (nouns, counts)


def test_colours_are_matched_to_things_the_best_way():
    things = (found("dog", "red", 0.2), found("dog", "blue", 0.8))
    assert verdict("a blue dog and a red dog", *things).colours == "holds"
    assert verdict("a blue dog and a blue dog", *things).colours == "fails"


def test_colours_swapped_between_nouns_fail():
    things = (found("bear", "brown", 0.2), found("bird", "blue", 0.8))
    assert verdict("a blue bear and a brown bird", *things).colours == "fails"


def test_an_unclear_colour_is_unclear():
    assert verdict("a blue bear", found("bear", "unclear")).colours == "unclear"
    assert verdict("a blue bear", found("bear", "unclear")).all == "unclear"


@pytest.mark.parametrize(
    ("prompt", "expected"), [("left of", "holds"), ("right of", "fails"), ("above", "fails")]
)
def test_directions(prompt, expected):
    words = {"left of": "to the left of", "right of": "to the right of", "above": "above"}[prompt]
    things = (found("bear", "blue", 0.2), found("bird", "brown", 0.8))
    assert verdict(f"a blue bear {words} a brown bird", *things).relations == expected


def test_a_relation_chooses_among_equals():
    """Two dogs: one of them is left of the cat."""
    things = (found("dog", x=0.9), found("cat", x=0.5), found("dog", x=0.1))
    assert verdict("a dog to the left of a cat", *things).relations == "holds"
    assert verdict("a dog above a cat", *things).relations == "fails"


def test_riding_needs_the_seat_and_the_right_rider():
    one = scene("a brown horse", "a gray astronaut", relation="riding").placed()  # the horse rides
    things = [found(t.noun, t.colour, t.x, t.y, size=t.size) for t in one.things]
    assert verdict("a horse riding an astronaut", *things).relations == "holds"
    assert verdict("an astronaut riding a horse", *things).relations == "fails"
    far = [things[0], found("astronaut", "gray", 0.95, 0.95, size=things[1].size)]
    assert verdict("a horse riding an astronaut", *far).relations == "fails"


def test_on_holds_where_it_stands():
    one = scene("a teal cup", "a brown table", relation="on").placed()
    things = [found(t.noun, t.colour, t.x, t.y, size=t.size) for t in one.things]
    assert verdict("a cup on a table", *things).relations == "holds"
    assert verdict("a table on a cup", *things).relations == "fails"
    unsure = [found("cup", "teal", one.things[0].x, one.things[0].y, size="unclear"), things[1]]
    assert verdict("a cup on a table", *unsure).relations == "unclear"


@pytest.mark.parametrize(
    ("text", "expected"), [("NeurIPS", "holds"), ("ICML", "fails"), (None, "fails"), ("unclear", "unclear")]
)
def test_text(text, expected):
    assert verdict("a sign that says 'NeurIPS'", found("sign", text=text)).text == expected


def test_missing_things_have_no_colour():
    assert verdict("a red cat and a blue dog", found("cat", "red")).colours == "fails"


def test_an_unknown_word_in_a_prompt_is_named():
    with pytest.raises(ValueError, match="panda"):
        verdict("a panda", found())
