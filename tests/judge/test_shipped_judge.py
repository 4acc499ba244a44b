"""The judge that is shipped: how good it is, what it says of wrong, spoilt and empty pictures."""

import json
import random
import shutil

import pytest
import torch

from lecture10.judge import (
    Errors,
    Following,
    corrected_rate,
    follows,
    load_judge,
    measured,
    measured_errors,
    rates,
    read,
)
from lecture10.judge import thresholds as thresholds_module
from lecture10.judge.following import judge_reading
from lecture10.judge.lessons import blur
from lecture10.judge.measuring import WRONG, confusion, prompt_of
from lecture10.paths import data_folder, data_path
from lecture10.training import WeightsError, read_card
from lecture10.world import render, sample, scene
from lecture10.world import vocabulary as v


@pytest.fixture(autouse=True)
def forget():
    yield
    load_judge.cache_clear()
    measured.cache_clear()


def test_it_is_small_and_its_card_says_what_it_reaches():
    assert data_path("checkpoints/judge.safetensors").stat().st_size < 3e6
    card = read_card(data_path("checkpoints/judge.json"))
    for size in (64, 32):
        assert card.metrics[f"photo_{size}_noun"] == measured()["confusion"][str(size)]["photo"]["noun"]


def test_fresh_photos_agree_with_what_the_card_says():
    """Scenes that neither training nor measuring saw; three standard errors of room."""
    card = read_card(data_path("checkpoints/judge.json"))
    picture = render(sample(150, 4242, things=(1, 6), split="all"), 64)
    table = confusion(picture, read(picture))
    for name, n in (("noun", table["things"]), ("colour", table["things"]), ("count", 150)):
        p = min(card.metrics[f"photo_64_{name}"], 0.99)
        assert table[name] > p - 3 * (p * (1 - p) / n) ** 0.5 - 0.01, name


def test_the_matrices_cover_every_style_and_size():
    facts = measured()
    assert facts["confusion"].keys() == facts["following"].keys() == {"64", "32"}
    for styles in facts["confusion"].values():
        assert tuple(styles) == v.STYLES
        for table in styles.values():
            assert len(table["tables"]["noun"]) == len(v.NOUNS)
            assert sum(map(sum, table["tables"]["noun"])) == table["things"]


@pytest.mark.parametrize("noun", ["cat", "ball", "house", "boat"])
def test_a_red_thing_where_blue_was_asked_for(noun):
    picture = render(scene(f"a red {noun}"), 64)
    assert follows(picture, f"a red {noun}").all == "holds"
    wrong = follows(picture, f"a blue {noun}")
    assert (wrong.nouns, wrong.colours) == ("holds", "fails")


@pytest.mark.parametrize(
    ("prompt", "aspect"),
    [
        ("two red cats and a blue book", "counts"),
        ("a red dog and a blue book", "nouns"),
        ("a blue cat and a red book", "colours"),
        ("a striped red cat and a blue book", "materials"),
        ("a red cat to the right of a blue book", "relations"),
    ],
)
def test_one_wrong_word_is_noticed(prompt, aspect):
    one = scene("a red cat", "a blue book", relation="left of")
    picture = render(one, 64)
    assert follows(picture, "a red cat to the left of a blue book").all == "holds"
    assert getattr(follows(picture, prompt), aspect) == "fails"


def test_a_sign_is_read():
    picture = render(scene("a red sign that says 'NeurIPS'"), 64)
    assert follows(picture, "a sign that says 'NeurIPS'").text == "holds"
    assert follows(picture, "a sign that says 'ICML'").text == "fails"


def test_the_more_blurred_the_less_it_claims():
    picture = render(sample(60, 31, things=(1, 3), split="all"), 64)

    def named(images):
        return sum(t.noun != "unclear" for r in read(images) for t in r.things)

    sharp, soft, mush = (
        named(x) for x in (picture.image, blur(picture.image, 4.0), blur(picture.image, 9.0))
    )
    assert sharp > soft > mush
    assert mush < 0.35 * sharp


def test_noise_and_empty_backdrops_hold_nothing():
    rng = torch.Generator().manual_seed(3)
    assert sum(len(r.things) for r in read(torch.rand(40, 3, 64, 64, generator=rng))) <= 2
    empty = sample(60, 77)
    for name in ("noun", "text", "relation"):
        getattr(empty, name).fill_(-1)
    readings = read(render(empty, 64))
    assert sum(len(r.things) > 0 for r in readings) <= 2
    assert follows(readings[0], "a red cat").nouns == "fails"


def test_a_hybrid_is_not_named_with_confidence():
    """Half a cat and half a house in one place."""
    first, second = (render(scene(f"a red {noun}"), 64).image for noun in ("cat", "house"))
    (half,) = read(0.5 * first + 0.5 * second)
    sure = max((t.chances["noun"] for t in half.things), default=0.0)
    assert sure < min(t.chances["noun"] for x in (first, second) for t in read(x)[0].things)


def test_rates_use_the_shipped_matrix():
    picture = render(sample(40, 8, things=1, split="all"), 64)
    said = [follows(image, "a red cat") for image in picture.image]
    found = rates(said, things=(1, 1))
    true = sum(one.things[0].noun == "cat" for one in picture.batch) / 40
    assert found["nouns"].low <= true <= found["nouns"].high
    assert isinstance(measured_errors("nouns"), Errors)
    assert isinstance(said[0], Following)


def test_what_was_not_measured_is_named():
    with pytest.raises(ValueError, match="photo"):
        measured_errors("nouns", style="fotos")
    with pytest.raises(ValueError, match="colours"):
        measured_errors("colour")
    with pytest.raises(ValueError, match=r"things=\(0, 3\): give \(fewest, most\) from 1 to 6"):
        measured_errors("nouns", things=(0, 3))


def test_errors_of_some_numbers_add_up_and_crowds_are_harder():
    parts = [measured_errors("nouns", "staged", 32, (k, k)) for k in range(1, v.MAX_THINGS + 1)]
    whole = measured_errors("nouns", "staged", 32)
    assert (whole.hits, whole.true) == (sum(e.hits for e in parts), sum(e.true for e in parts))
    assert parts[0].sensitivity > parts[-1].sensitivity


def test_a_known_half_is_found_behind_what_the_judge_reports():
    """Half of the prompts have one colour exchanged; small tilted pictures, where the judge errs often."""
    dice, picture = random.Random(1), render(sample(300, 55, styles="staged", split="all"), 32)
    asked = [prompt_of(one) for one in picture.batch]
    asked[150:] = [WRONG["colours"](facts, dice) for facts in asked[150:]]
    said = [judge_reading(seen, facts) for seen, facts in zip(read(picture), asked, strict=True)]
    passed = sum(one.colours == "holds" for one in said)
    found = corrected_rate(passed, 300, measured_errors("colours", "staged", 32, (1, 3)))
    assert found.low <= 0.5 <= found.high
    assert found.raw < 0.5


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A data folder of one's own with the shipped judge in it."""
    (tmp_path / "checkpoints").mkdir()
    for path in (data_folder() / "checkpoints").glob("judge*"):
        shutil.copy(path, tmp_path / "checkpoints")
    monkeypatch.setenv("LECTURE10_DATA", str(tmp_path))
    load_judge.cache_clear()
    measured.cache_clear()
    return tmp_path / "checkpoints"


def test_damaged_weights_are_refused_with_the_command_that_rebuilds_them(copy):
    path = copy / "judge.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match=r"cut short[\s\S]*lecture10.recipes.judge"):
        read(torch.rand(1, 3, 64, 64))


def test_a_matrix_of_other_weights_is_refused(copy):
    path = copy / "judge_confusion.json"
    facts = json.loads(path.read_text())
    path.write_text(json.dumps(facts | {"weights": "0" * 64}))
    with pytest.raises(WeightsError, match="other weights"):
        thresholds_module.shipped_thresholds()


@pytest.mark.parametrize("content", ["{", "[]", "{}"])
def test_a_damaged_matrix_is_refused(copy, content):
    (copy / "judge_confusion.json").write_text(content)
    with pytest.raises(WeightsError, match="is damaged"):
        read(torch.rand(1, 3, 64, 64))
