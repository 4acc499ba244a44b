"""The cast is made of named parts, told apart when small, and shows its material everywhere."""

import numpy as np
import pytest
import torch

from lecture10.world import Scene, Thing, render
from lecture10.world import vocabulary as v
from lecture10.world.cast import figure, footprint, parts, side
from lecture10.world.pen import Pen
from lecture10.world.sprites import CHANNELS, bank, sprite


@pytest.mark.parametrize("noun", v.NOUNS)
def test_every_noun_is_whole_parts_and_roles(noun):
    """Parts are nested by name, most of the thing is in its own colour,
    and its box is as large as its size says.
    """
    drawn = figure(noun)
    names = parts(noun)
    assert len(names) >= 2
    assert all(".".join(p.split(".")[:-1]) in ("", *names) for p in names)
    weights = sprite(noun, 40)[0]
    own = weights[CHANNELS.index("body")] + weights[CHANNELS.index("shade")]
    whole = weights[: len(v.ROLES) + 1].sum(0)
    least = 0.2 if noun == "sign" else 0.4  # a sign is mostly the board for its text
    assert own.sum() / whole.sum() > least
    assert whole.max() <= 1 + 1e-5
    assert max(drawn.width, drawn.height) == 1
    assert max(footprint(noun, "large")) == pytest.approx(side(noun, "large"))


def test_no_two_nouns_look_alike_at_24_pixels():
    """Every noun's sprite differs from every other's, even mirrored, by a good part of its ink."""
    weights = torch.stack([sprite(n, 24)[0][: len(v.ROLES)] for n in v.NOUNS])  # (nouns, roles, 24, 24)
    for k, noun in enumerate(v.NOUNS):
        for other in (weights, weights.flip(-1)):
            apart = (other - weights[k]).abs().sum((1, 2, 3)) / weights[k].sum()
            apart[k] = 9
            nearest = apart.argmin()
            assert apart[nearest] > 0.4, (noun, v.NOUNS[nearest], float(apart[nearest]))


@pytest.mark.parametrize("size", [32, 64])
def test_materials_show_on_every_noun(size):
    """At 64 pixels (and on large things at 32) each material changes a fair share of what is seen of a
    thing.
    """
    plain = render([Scene((Thing(n, "blue"),)) for n in v.NOUNS], size)
    for material in v.MATERIALS[1:]:
        other = render([Scene((Thing(n, "blue", material),)) for n in v.NOUNS], size)
        changed = ((other.image - plain.image).abs().amax(1) > 0.12) & plain.masks[:, 0]
        share = changed.sum((1, 2)) / plain.masks[:, 0].sum((1, 2))
        worst = int(share.argmin())
        assert share[worst] > 0.06, (material, v.NOUNS[worst], float(share[worst]))


def test_shapes_are_filled_where_they_should_be():
    """The pen's primitives cover the areas that geometry says."""
    pen = Pen()
    pen.disk("disk", "body", 0, 0, 0.5)
    pen.box("box", "shade", -0.9, -0.9, -0.6, -0.6)
    pen.polygon("triangle", "light", [(0.6, 0.6), (0.9, 0.6), (0.9, 0.9)])
    pen.line("line", "dark", [(-0.9, 0.8), (-0.5, 0.8)], 0.1)
    pen.hoop("hoop", "accent", 0.7, -0.7, 0.2, 0.1)
    areas = [np.pi / 4, 0.09, 0.045, 0.04 + np.pi * 0.0025, np.pi * 0.03]
    drawn = pen.raster(400, (-1, -1, 1, 1))
    for number, area in enumerate(areas, start=1):
        assert (drawn == number).mean() * 4 == pytest.approx(area, rel=0.02), number
    with pytest.raises(ValueError, match="roles are body"):
        pen.disk("disk", "green", 0, 0, 1)


def test_a_bank_fills_only_what_is_asked():
    """Sprites are made at first use, once."""
    kept = bank(33, torch.device("cpu"))
    kept.need([3])
    assert kept.made == [k == 3 for k in range(len(v.NOUNS))]
    assert bank(33, torch.device("cpu")) is kept
    assert torch.equal(kept.sprites[3], sprite(v.NOUNS[3], 33))
