"""Sampling is seeded, obeys every knob, and keeps things apart unless told otherwise."""

import hashlib

import pytest
import torch

from lecture10.world import Knobs, render, sample
from lecture10.world import vocabulary as v
from lecture10.world.cast import footprint
from lecture10.world.geometry import holds

SCENES_OF_SEED_0 = "98a29b474ca9b39c"


def test_the_same_seed_gives_the_same_scenes_everywhere():
    """The JSON of 200 scenes has the stored hash; another seed has not."""

    def digest(seed):
        batch = sample(200, seed, things=(1, 6), styles=v.STYLES, split="all")
        return hashlib.sha256("\n".join(s.to_json() for s in batch).encode()).hexdigest()

    assert digest(0)[:16] == SCENES_OF_SEED_0
    assert digest(1) != digest(0)


def test_knobs_restrict_every_axis():
    """Only what is allowed is drawn, and all of it."""
    knobs = {
        "things": (2, 4),
        "nouns": ("ball", "bear", "sign"),
        "colours": ("red", "blue", "green"),
        "materials": ("brick", "dotted"),
        "sizes": "small",
        "relations": ("above", "on"),
        "backdrops": ("night", "sand"),
        "styles": ("sketch", "rendition"),
        "words": ("Hi",),
        "lettered": 1.0,
    }
    scenes = list(sample(300, 1, split="all", **knobs))
    things = [t for s in scenes for t in s.things]
    assert {t.noun for t in things} == {"ball", "bear", "sign"}
    assert {t.colour for t in things} == {"red", "blue", "green"}
    assert {t.material for t in things} == {"brick", "dotted"}
    assert {t.size for t in things} == {"small"}
    assert {len(s.things) for s in scenes} == {2, 3, 4}
    assert {r for s in scenes for _, r, _ in s.relations} == {"above", "on"}
    assert {s.backdrop for s in scenes} == {"night", "sand"}
    assert {s.style for s in scenes} == {"sketch", "rendition"}
    assert {t.text for t in things if t.noun == "sign"} == {"Hi"}


def test_shares_are_as_asked():
    """Counts are even; plain and related shares are met within sampling error."""
    batch = sample(3000, 2, things=(1, 6), plain=0.7, related=0.4, repeat=0.0)
    counts = torch.bincount(batch.count, minlength=7)[1:] / 3000
    assert (counts - 1 / 6).abs().max() < 0.03
    there = batch.noun >= 0
    assert abs((batch.material[there] == 0).float().mean() - 0.7) < 0.02
    several = batch.count > 1
    assert abs((batch.relation[several, 0, 0] >= 0).float().mean() - 0.4) < 0.03
    pairs_seen = torch.zeros(30, 10).index_put_((batch.noun[there], batch.colour[there]), torch.ones(1))
    assert pairs_seen.sum() == 240


def test_stated_relations_hold():
    """Directions hold by the world's own definition;
    whoever rides is drawn behind its mount, what is on in front.
    """
    for s in sample(400, 3, things=(2, 4), related=1.0):
        for i, r, j in s.relations:
            a, b = s.things[i], s.things[j]
            if r in v.DIRECTIONS:
                assert holds(r, a.x - b.x, a.y - b.y)
            else:
                foot = a.y + footprint(a.noun, a.size)[1] / 2
                half = footprint(b.noun, b.size)[1] / 2
                assert b.y - half <= foot <= b.y + half
                assert abs(a.x - b.x) < footprint(b.noun, b.size)[0] / 2
    batch = sample(200, 4, things=2, related=1.0, relations=("riding", "on"))
    riding = batch.relation[:, 0, 1] == v.RELATIONS.index("riding")
    assert (batch.layer[riding, 1] < batch.layer[riding, 0]).all()
    assert (batch.layer[~riding, 1] > batch.layer[~riding, 0]).all()


def test_overlap_controls_how_much_is_hidden():
    """Without overlap nearly nothing is hidden; the more is asked, the more is."""

    def seen(overlap):
        batch = sample(150, 5, things=3, related=0.0, overlap=overlap, turn=0.0)
        picture = render(batch, 48)
        return picture.visible[:, :3].mean().item(), picture.visible[:, :3].min().item()

    apart, least = seen(0.0)
    assert apart > 0.995
    assert least > 0.8
    some, much = seen(0.25)[0], seen(0.6)[0]
    assert apart - 0.02 > some > much + 0.05


@pytest.mark.parametrize(
    ("knobs", "says"),
    [
        ({"nouns": ("bare",)}, "did you mean 'bear'"),
        ({"things": (0, 3)}, "from 1 to 6"),
        ({"things": (3, 7)}, "from 1 to 6"),
        ({"overlap": 1.5}, "is no share"),
        ({"colours": ()}, "colours is empty"),
        ({"nouns": ("bear",), "colours": ("blue",)}, "no train pair is left"),
        ({"nouns": ("ball",), "relations": ("riding",), "things": 2}, "no allowed nouns stand in riding"),
        ({"split": "tset"}, "did you mean 'test'"),
    ],
)
def test_bad_knobs_are_refused_with_a_cure(knobs, says):
    """A sentence names the knob, the value and what to do."""
    with pytest.raises(ValueError, match=says):
        sample(4, 0, **knobs)


def test_knobs_stand_for_what_sample_takes():
    """A single word will do for a tuple, an int for a fixed number of things."""
    assert Knobs(nouns="bear", things=2) == Knobs(nouns=("bear",), things=(2, 2))
    with pytest.raises(ValueError, match="at least one scene"):
        sample(0)
