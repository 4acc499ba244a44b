"""What the judge learns from: rendered truth in every style, sharp and spoilt, so that generated pictures,
which are blurred, noisy and between two things, can be judged too.

All noun × colour pairs are drawn, dev and test included: the judge measures, it is never measured on them.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from lecture10.judge.model import CELLS, NO_COLOUR, SIDE
from lecture10.world import Picture, SceneBatch, render, sample
from lecture10.world import vocabulary as v
from lecture10.world.render import placed

STYLES = ("photo", "photo", "photo", *v.STYLES[1:])  # photo is what most experiments show
HIDDEN = 0.3  # things of which less is seen are neither asked for nor blamed
_SIGN = v.NOUNS.index("sign")


@dataclass(frozen=True)
class Lessons:
    """A batch source: `Lessons()(generator)` is a dict of tensors for `judge_loss`.

    image: (B, 3, 64, 64); there, hidden: (B, 6) bool; x, y: (B, 6) centres in [0, 1]; row, column: (B, 6) the
    cell that is asked; noun, colour, material, size: (B, 6), and noun2 … of the other half of a hybrid, of
    which the first is `share` (B,); style, backdrop: (B,), -1 where it is not asked.
    """

    sharp: int = 32  # pictures rendered at 64 × 64
    coarse: int = 8  # rendered at 32 × 32 and enlarged
    hybrid: int = 8  # two pictures of the same places shining through each other
    piles: float = 0.0  # share of batches in which things stand on or ride each other, hiding much of them

    def __call__(self, generator: torch.Generator) -> dict[str, Tensor]:
        """One batch."""
        scenes = draw_scenes(self.sharp + self.coarse + self.hybrid, generator, self.piles)
        coarse, hybrid = self.sharp, self.sharp + self.coarse
        parts = [
            shots(scenes[:coarse], SIDE, generator),
            shots(scenes[coarse:hybrid], SIDE // 2, generator),
            hybrids(scenes[hybrid:], generator),
        ]
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def shots(scenes: SceneBatch, size: int, rng: torch.Generator) -> dict[str, Tensor]:
    """Pictures of scenes rendered at `size`, some spoilt, some replaced by noise."""
    picture = render(scenes, size)
    batch = truth(picture, rng)
    batch["image"] = spoil(to_side(picture.image), rng)
    noise = torch.rand(len(scenes), generator=rng) < 0.02
    batch["image"][noise] = torch.rand(batch["image"][noise].shape, generator=rng)
    batch["there"][noise] = batch["hidden"][noise] = False
    batch["style"][noise] = batch["backdrop"][noise] = -1
    return batch


def hybrids(scenes: SceneBatch, rng: torch.Generator) -> dict[str, Tensor]:
    """Pictures in which things are between two nouns, colours or materials."""
    scenes = replace(scenes, text=torch.full_like(scenes.text, -1))
    first, second = render(scenes, SIDE), render(_other(scenes, rng), SIDE)
    batch, other = truth(first, rng), truth(second, rng)
    share = torch.rand(len(scenes), generator=rng)
    weight = share[:, None, None, None]
    batch["image"] = spoil(weight * first.image + (1 - weight) * second.image, rng)
    batch["share"] = share
    for name in ("noun", "colour", "material", "size"):
        batch[f"{name}2"] = other[name]
    both = batch["there"] & other["there"]
    batch["hidden"] |= batch["there"] & ~both
    batch["there"] = both
    return batch


def draw_scenes(n: int, rng: torch.Generator, piles: float = 0.0) -> SceneBatch:
    """n scenes of one to six things (with the probability `piles`: of two to four, the first two in contact),
    a few of them empty.
    """
    crowded, leaning = (torch.rand(2, generator=rng) < 0.25).tolist()
    what = {"things": (1, v.MAX_THINGS)}
    if piles and float(torch.rand((), generator=rng)) < piles:
        what = {"things": (2, 4), "related": 1.0, "relations": v.CONTACTS}
    scenes = sample(
        n, rng, split="all", styles=STYLES,
        overlap=0.25 if crowded else 0.0, turn=25.0 if leaning else 8.0, **what,
    )  # fmt: skip
    empty = torch.rand(n, generator=rng) < 0.04
    scenes.noun[empty] = -1
    scenes.text[empty] = -1
    scenes.relation[empty] = -1
    return scenes


def _other(scenes: SceneBatch, rng: torch.Generator) -> SceneBatch:
    """The same places with some nouns, colours and materials changed (a sign, which is wider, stays one)."""

    def changed(now: Tensor, n: int, share: float, keep: Tensor) -> Tensor:
        new = torch.randint(n, now.shape, generator=rng)
        change = torch.rand(now.shape, generator=rng) < share
        return torch.where(change & ~keep, new, now)

    absent = scenes.noun < 0
    noun = changed(scenes.noun, _SIGN, 0.5, absent | (scenes.noun == _SIGN))
    colour = changed(scenes.colour, len(v.COLOUR_NAMES), 0.5, absent)
    material = changed(scenes.material, len(v.MATERIALS), 0.3, absent)
    return replace(scenes, noun=noun, colour=colour, material=material)


def truth(picture: Picture, rng: torch.Generator | None = None) -> dict[str, Tensor]:
    """What the judge should say of rendered pictures, as `judge_loss` wants it; `image` is as rendered.

    rng: moves the cell that is asked by up to 0.4 of a cell, so that neighbours of a centre answer well too.
    """
    scenes = picture.batch
    x, y, _ = placed(scenes)
    exists = scenes.noun >= 0
    there = exists & (picture.visible >= HIDDEN)
    move = torch.zeros(2, *x.shape) if rng is None else 0.8 * torch.rand(2, *x.shape, generator=rng) - 0.4
    column, row = (
        (place * CELLS + by).long().clamp(0, CELLS - 1) for place, by in zip((x, y), move, strict=True)
    )
    gray = torch.tensor([s in v.COLOURLESS_STYLES for s in v.STYLES])[scenes.style]
    colour = torch.where(gray[:, None], NO_COLOUR, scenes.colour.clamp(min=0))
    what = {"noun": scenes.noun.clamp(min=0), "colour": colour, "material": scenes.material.clamp(min=0),
            "size": scenes.size.clamp(min=0)}  # fmt: skip
    return {
        "image": picture.image, "there": there, "hidden": exists & ~there, "x": x, "y": y,
        "column": column, "row": row, "share": torch.ones(len(scenes)), "style": scenes.style.clone(),
        "backdrop": scenes.backdrop.clone(), **what, **{f"{name}2": value for name, value in what.items()},
    }  # fmt: skip


def to_side(images: Tensor) -> Tensor:
    """(B, 3, S, S) brought to 64 × 64: enlarged smoothly, or averaged down."""
    if images.shape[-2:] == (SIDE, SIDE):
        return images
    return F.interpolate(
        images, size=(SIDE, SIDE), mode="bilinear", align_corners=False, antialias=images.shape[-1] > SIDE
    )


def blur(images: Tensor, sigma: float) -> Tensor:
    """(B, 3, S, S) blurred by a Gaussian of `sigma` pixels."""
    reach = max(1, round(2.5 * sigma))
    line = torch.exp(-(torch.arange(-reach, reach + 1.0) ** 2) / (2 * sigma**2))
    line = (line / line.sum()).to(images)
    padded = F.pad(images, (reach,) * 4, mode="replicate")
    wide = F.conv2d(padded, line.view(1, 1, 1, -1).expand(3, 1, 1, -1), groups=3)
    return F.conv2d(wide, line.view(1, 1, -1, 1).expand(3, 1, -1, 1), groups=3)


def spoil(images: Tensor, rng: torch.Generator) -> Tensor:
    """About half of the pictures blurred (σ up to 2 pixels), noised (up to 0.12) or of another contrast."""
    n = len(images)
    order = torch.randperm(n, generator=rng)
    softness, *_ = torch.rand(2, generator=rng).tolist()
    out = images.clone()
    blurred, noised, faded = order[: n // 5], order[n // 8 : n // 3], order[n // 4 : n // 2]
    if len(blurred):
        out[blurred] = blur(out[blurred], 0.4 + 1.6 * softness)
    contrast = 0.75 + 0.4 * torch.rand(len(faded), 1, 1, 1, generator=rng)
    lift = 0.16 * torch.rand(len(faded), 1, 1, 1, generator=rng) - 0.08
    out[faded] = (out[faded] - 0.5) * contrast + 0.5 + lift
    level = 0.12 * torch.rand(len(noised), 1, 1, 1, generator=rng)
    out[noised] += level * torch.randn(out[noised].shape, generator=rng)
    return out.clamp_(0, 1)
