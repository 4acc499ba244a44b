"""The slides' prompts: each has a scene that asserts what the prompt asserts, or a reason."""

import pytest
import yaml

from lecture10 import papers, prompts
from lecture10.world import parse, render
from lecture10.world.facts import facts_of


def test_every_quoted_prompt_is_drawn_or_has_a_reason():
    found = prompts.prompts()
    assert set(found) == {row[0] for row in papers.paper("prompts").rows}
    for prompt in found.values():
        assert bool(prompt.scene) != bool(prompt.missing), prompt.name
    assert len(prompts.drawable()) + len(prompts.undrawable()) == len(found)


READABLE = ["horse_astronaut", "bird_bear", "cat_dogs", "glass_dog", "blue_pizza", "sign_neurips", "books",
            "cube_brick", "glasses_table"]  # fmt: skip


@pytest.mark.parametrize("name", READABLE)
def test_a_prompt_that_the_world_can_read_holds_in_its_scene(name):
    prompt = prompts.prompts()[name]
    asked, true = parse(prompt.text), facts_of(prompt.scene.placed())
    left = list(true.things)
    for said in asked.things:
        fits = [t for t in left if all(s is None or s == getattr(t, f) for f, s in said._asdict().items())]
        assert fits, f"{name}: no {said} among {true.things}"
        left.remove(fits[0])
    assert not left, f"{name}: more things than were asked for"
    assert set(asked.relations) <= set(true.relations)
    assert asked.backdrop in (None, true.backdrop)


def test_the_readable_prompts_are_all_that_parse_accepts():
    def accepted(text):
        try:
            return bool(parse(text).things)
        except ValueError:
            return False

    assert [n for n, p in prompts.prompts().items() if accepted(p.text)] == [
        n for n in prompts.prompts() if n in READABLE
    ]


def test_the_pizza_is_coin_sized_and_the_coin_pizza_sized():
    pizza, coin = prompts.prompts()["quarter_pizza"].scene.things
    assert (pizza.noun, pizza.size, coin.noun, coin.size) == ("pizza", "small", "coin", "large")


def test_the_scenes_can_be_rendered_and_nothing_is_hidden_wholly():
    picture = render([p.scene for p in prompts.drawable().values()], 64)
    there = picture.batch.noun >= 0
    assert (picture.visible[there] > 0.25).all()


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"prompt": "blue_piza", "things": ["a blue pizza"], "lost": ""}, "blue_pizza"),
        ({"prompt": "blue_pizza", "things": ["a blue pizza"], "lost": "", "missing": "?"}, "either"),
        ({"prompt": "blue_pizza"}, "either"),
        ({"prompt": "blue_pizza", "things": ["a blue piza"], "lost": ""}, "pizza"),
    ],
)
def test_a_wrong_entry_is_named(entry, says, monkeypatch):
    monkeypatch.setattr(yaml, "safe_load", lambda text: [entry])
    prompts.prompts.cache_clear()
    with pytest.raises(ValueError, match=says):
        prompts.prompts()
    monkeypatch.undo()
    prompts.prompts.cache_clear()


def test_a_prompt_left_out_is_named(monkeypatch):
    monkeypatch.setattr(yaml, "safe_load", lambda text: [{"prompt": "blue_pizza", "missing": "?"}])
    prompts.prompts.cache_clear()
    with pytest.raises(ValueError, match="lacks bird_bear"):
        prompts.prompts()
    monkeypatch.undo()
    prompts.prompts.cache_clear()
