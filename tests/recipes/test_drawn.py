"""What the judge says of drawn pictures, part by part; the labels by eye; the nearest training picture."""

import pandas as pd
import pytest
import torch

from lecture10.judge import load_judge
from lecture10.recipes import eye, ldm
from lecture10.recipes.drawn import Shares, asked, shares
from lecture10.recipes.ldm_nearest import nearest
from lecture10.training import WeightsError
from lecture10.world.draft import Habits
from lecture10.world.render import render
from lecture10.world.sample import sample
from lecture10.world.words import captions


@pytest.fixture(scope="module")
def scenes():
    """Pictures whose prompts are true of them, with these prompts."""
    try:
        load_judge()
    except WeightsError as error:
        pytest.skip(f"the judge is not there: {error}")
    drawn = sample(150, 5, **(ldm.KNOBS | {"things": 2, "related": 1.0, "repeat": 0.0}))
    texts = [c.text for c in captions(drawn, "short", 1, Habits(synonyms=False))]
    fine = [at for at, text in enumerate(texts) if ldm.newness(text) == 0]
    return render(drawn[fine], 64).image, [texts[at] for at in fine]


def test_true_pictures_follow_their_prompts(scenes):
    found = shares(*scenes)
    assert min(found.noun, found.colour) > 0.98
    assert found.relation > 0.88  # things that stand nearly at 45 degrees are sometimes read the other way


def test_pictures_of_other_prompts_do_not(scenes):
    images, prompts = scenes
    found = shares(images.roll(1, 0), prompts)
    assert found.noun < 0.5
    assert found.joint < 0.1


def test_mirrored_pictures_fail_by_their_relation_alone(scenes):
    images, prompts = scenes
    sideways = [at for at, p in enumerate(prompts) if {"left of", "right of"} & {asked(p).relations[0][1]}]
    found = shares(images[sideways].flip(-1), [prompts[at] for at in sideways])
    assert found.noun > 0.9
    assert found.colour > 0.9
    assert found.relation < 0.05
    assert found.joint == 0


def test_prompts_with_their_colours_swapped_fail_by_colour_alone(scenes):
    images, prompts = scenes
    swapped, kept = [], []
    for at, prompt in enumerate(prompts):
        one, two = (said.colour for said in asked(prompt).things)
        if one != two and f" {one} " in f" {prompt}" and f" {two} " in prompt:
            swapped.append(
                prompt.replace(f"{one} ", "* ").replace(f"{two} ", f"{one} ").replace("* ", f"{two} ")
            )
            kept.append(at)
    found = shares(images[kept], swapped)
    assert len(kept) > 20
    assert found.noun > 0.98
    assert found.colour < 0.02
    assert found.joint == 0


def test_the_product_is_of_five_parts():
    assert Shares(0.9, 0.8, 0.5, 0.3, 10).product == pytest.approx(0.9**2 * 0.8**2 * 0.5)


@pytest.mark.parametrize(
    ("prompt", "why"),
    [
        ("a red cat", "two things of different nouns"),
        ("a red cat and a blue dog", "two things of different nouns and one relation"),
        ("a red cat to the left of a blue cat", "two things of different nouns"),
        ("a cat to the left of a blue dog", "each thing needs a colour"),
    ],
)
def test_prompts_of_another_form_are_refused(prompt, why):
    with pytest.raises(ValueError, match=why):
        asked(prompt)


def test_a_prompt_a_picture(scenes):
    with pytest.raises(ValueError, match="2 pictures and 1 prompts"):
        shares(scenes[0][:2], scenes[1][:1])


def test_a_training_picture_is_nearest_to_itself_and_a_fresh_one_to_another():
    own = render(ldm.training_scenes(0)[[3, 77]], 64).image
    found, far = nearest(own, 512)
    assert torch.equal(found, own)
    others, farther = nearest(render(sample(2, 99, **ldm.KNOBS), 64).image, 512)
    assert others.shape == own.shape
    assert farther.min() > far.max()
    assert nearest(own, 60)[1][1] > far[1]  # number 77 is not among the first 60
    apart = render(ldm.training_scenes(1)[[5]], 64).image  # of another part than the first
    assert torch.equal(nearest(torch.cat([own, apart]), 1024)[0], torch.cat([own, apart]))
    with pytest.raises(ValueError, match="scenes=0"):
        nearest(own, 0)


def test_agreement_counts_what_eye_and_judge_say():
    rows = [
        {"number": at, "new": new, "prompt": "", **{f"{who}_{aspect}": int(at < most)
         for who, most in (("eye", 80), ("judge", 70)) for aspect in eye.ASPECTS}}
        for new in eye.KINDS for at in range(100)
    ]  # fmt: skip
    table = eye.agreement(pd.DataFrame(rows))
    assert list(table["by eye"]) == ["80%"] * 6
    assert list(table["judge, raw"]) == ["70%"] * 6
    assert list(table["agree"]) == ["90%"] * 6


def test_the_stored_labels_are_of_the_pictures_that_are_asked_for():
    table = eye.eye_table()
    assert list(zip(table.new, table.prompt, strict=True)) == eye.asked()
    names = [f"{who}_{aspect}" for who in ("eye", "judge") for aspect in eye.ASPECTS]
    assert table[names].isin((0, 1)).all().all()
