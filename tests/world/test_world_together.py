"""The whole world at once: scenes are drawn, rendered, described and read again, and all of it agrees."""

from collections import Counter

import pytest
import torch

from lecture10.world import splits
from lecture10.world import vocabulary as v
from lecture10.world.geometry import holds
from lecture10.world.parse import parse
from lecture10.world.render import render
from lecture10.world.sample import sample
from lecture10.world.words import KINDS, captions

N, SIZE = 500, 32
KEPT_BACK = set(splits.pairs("dev")) | set(splits.pairs("test"))


@pytest.fixture(scope="module")
def batch():
    return sample(N, 2026, split="train", things=(1, 4), styles=v.STYLES)


@pytest.fixture(scope="module")
def scenes(batch):
    return list(batch)


@pytest.fixture(scope="module")
def picture(batch):
    return render(batch, SIZE)


def test_no_picture_of_training_shows_what_is_kept_back(scenes):
    """No dev or test pair, and no dev or test relation, stated or by accident."""
    for s in scenes:
        assert KEPT_BACK.isdisjoint((t.noun, t.colour) for t in s.things)
        piles = {frozenset((i, j)) for i, r, j in s.relations if r in v.CONTACTS}
        for i, r, j in s.relations:
            assert splits.split_of_relation(s.things[i].noun, r, s.things[j].noun) == "train"
        for i, a in enumerate(s.things):
            for j, b in enumerate(s.things):
                seen = [r for r in v.DIRECTIONS if i != j and holds(r, a.x - b.x, a.y - b.y)]
                if frozenset((i, j)) not in piles:
                    assert all(splits.split_of_relation(a.noun, r, b.noun) == "train" for r in seen)


@pytest.mark.parametrize("kind", KINDS)
def test_no_caption_of_training_names_what_is_kept_back(batch, kind):
    """As an independent reader understands the text."""
    for c in captions(batch, kind, 1):
        facts = parse(c.text)
        assert KEPT_BACK.isdisjoint((t.noun, t.colour) for t in facts.things), c.text
        for i, r, j in facts.relations:
            nouns = facts.things[i].noun, r, facts.things[j].noun
            assert splits.split_of_relation(*nouns) == "train", c.text
    held_out = sample(100, 1, split="test", things=1)
    named = {(t.noun, t.colour) for c in captions(held_out, "short", 1) for t in parse(c.text).things}
    assert named <= set(splits.pairs("test"))  # the measure can fail
    assert len(named) > 20


def test_boxes_are_tight_and_things_are_seen(batch, picture):
    """Every edge of a box touches its mask, nothing lies outside it, and every thing is in the picture."""
    there = batch.noun >= 0
    assert torch.equal(picture.masks.flatten(2).any(-1), there)
    boxes = (picture.boxes * SIZE).round().long()
    for mask, (x0, y0, x1, y1) in zip(picture.masks[there], boxes[there].tolist(), strict=True):
        inside = mask[y0:y1, x0:x1]
        assert inside.sum() == mask.sum()
        assert all(edge.any() for edge in (inside[0], inside[-1], inside[:, 0], inside[:, -1]))


def test_a_descriptive_caption_read_again_is_the_scene(scenes, batch):
    """Nouns, colours, counts, materials, sizes and relations, from the bare text."""
    for s, c in zip(scenes, captions(batch, "descriptive", 2), strict=True):
        facts = parse(c.text)
        gray = s.style in v.COLOURLESS_STYLES
        assert facts.counts == Counter(t.noun for t in s.things), c.text
        true = Counter((t.noun, None if gray else t.colour, t.material, t.size) for t in s.things)
        assert Counter((t.noun, t.colour, t.material, t.size) for t in facts.things) == true, c.text
        assert len(facts.relations) == len(s.relations), c.text
        assert facts.backdrop == s.backdrop, c.text


def test_the_colour_that_words_name_is_the_colour_in_the_picture(scenes, picture):
    """The pixels of a plain thing in a photo lie nearest to its own colour, body or shade, more often than
    to any other."""
    palette = torch.tensor([v.COLOURS[c] for c in v.COLOUR_NAMES]) / 255
    tones = torch.cat([palette, 0.76 * palette])
    right, seen = 0, 0
    for b, s in enumerate(scenes):
        for k, t in enumerate(s.things):
            if s.style == "photo" and t.material == "plain" and t.noun in ("ball", "star", "heart", "cube"):
                pixels = picture.image[b][:, picture.masks[b, k]].T  # (n, 3)
                nearest = torch.cdist(pixels, tones).argmin(1) % len(palette)
                right += int(nearest.mode().values == v.COLOUR_NAMES.index(t.colour))
                seen += 1
    assert seen > 5
    assert right / seen > 0.85
