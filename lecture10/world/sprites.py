"""Drawings become sprites: for every pixel, how much of each role, line, shadow and light it holds.

A sprite is not painted yet. Painting is one small matrix per thing (`styles.paint_table`), so that thirty
drawings serve ten colours, four materials and five styles. Sprites are made at the very size at which they
are shown, when first needed.
"""

import math
from functools import cache

import numpy as np
import torch
from torch import Tensor

from lecture10.world import vocabulary as v
from lecture10.world.cast import figure

# relief: light (+) or shade (-) on a volume; cameras need no line and no outline, so these come last
CHANNELS = (*v.ROLES, "pattern", "shadow", "relief", "line", "outline")
PAD = 0.1  # room around a drawing, as a share of its longer side, for outline and shadow
FRAME = 1 + 2 * PAD


@cache
def drawing(noun: str, samples: int) -> np.ndarray:
    """(samples, samples) uint8: the stroke at each sample of a noun's square frame, 0 outside."""
    drawn = figure(noun)
    x0, y0, x1, y1 = drawn.box
    half = max(x1 - x0, y1 - y0) / 2 * FRAME
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    return drawn.pen.raster(samples, (cx - half, cy - half, cx + half, cy + half))


@cache
def pattern(material: str, samples: int) -> Tensor:
    """(samples, samples) bool: where a material shows its second colour, in a noun's square frame."""
    axis = (torch.arange(samples) + 0.5) / samples
    x, y = axis[None, :], axis[:, None]
    if material == "striped":
        return ((5.5 * (x + 0.6 * y)) % 1) < 0.42
    if material == "dotted":
        row = torch.floor(7 * y)
        u, w = (5.5 * x + 0.5 * (row % 2)) % 1 - 0.5, (7 * y) % 1 - 0.5
        return (u / 5.5) ** 2 + (w / 7) ** 2 < 0.052**2
    if material == "brick":
        course = 6.5 * y + 0.5  # half a brick down, so that a sign's narrow frame is not all mortar
        row = torch.floor(course)
        mortar = (course % 1 < 0.22) | ((3.5 * x + 0.5 * (row % 2)) % 1 < 0.13)
        return mortar
    return torch.zeros(samples, samples, dtype=torch.bool)


def shrinker(side: int, samples: int) -> Tensor:
    """(side, samples): rows average the samples under each pixel (exact area weights)."""
    edges = torch.arange(side + 1, dtype=torch.float64) * samples / side
    low, high = edges[:-1, None], edges[1:, None]
    cell = torch.arange(samples, dtype=torch.float64)[None]
    return ((torch.minimum(high, cell + 1) - torch.maximum(low, cell)).clamp(min=0) * side / samples).float()


def _blur(field: Tensor, sigma: float, shift: float = 0.0) -> Tensor:
    """A (…, s, s) field blurred by a Gaussian and moved right and down;
    sigma and shift are shares of the side.
    """
    s = field.shape[-1]
    position = (torch.arange(s, dtype=torch.float64) + 0.5) / s
    kernel = torch.exp(-((position[:, None] - position[None] - shift) ** 2) / (2 * sigma**2))
    kernel = (kernel / (sigma * math.sqrt(2 * math.pi) * s)).float()  # zero beyond the frame
    return kernel @ field @ kernel.T


def _grow(mask: Tensor, radius: int) -> Tensor:
    """A (h, w) bool mask grown by `radius` samples, with cut corners: a cross and a square in turn."""
    for step in range(radius):
        wide = mask.clone()
        wide[:, 1:] |= mask[:, :-1]
        wide[:, :-1] |= mask[:, 1:]
        across = wide if step % 2 else mask
        grown = wide.clone()
        grown[1:] |= across[:-1]
        grown[:-1] |= across[1:]
        mask = grown
    return mask


def sprite(noun: str, side: int) -> Tensor:
    """(materials, channels, side, side) float32:
    the weights of CHANNELS in a noun's frame, one set a material.
    """
    samples = min(max(128, 32 * math.ceil(side / 7)), 1024)  # about 4.5 a pixel each way
    strokes = torch.from_numpy(drawing(noun, samples)).long()
    roles = torch.tensor([-1] + [v.ROLES.index(s.role) for s in figure(noun).pen.strokes])[strokes]
    shrink = shrinker(side, samples)
    solid = roles >= 0
    pen_width = max(1, round(samples / side * (0.45 if side < 48 else 0.011 * side)))
    edge = _edges(strokes, noun)
    maps = [roles == r for r in range(len(v.ROLES))]
    shared = torch.stack(
        [*maps[2:], _grow(edge, pen_width) & solid, _grow(solid, 2 * pen_width) & ~solid]
    ).float()
    shared = shrink @ shared @ shrink.T
    alpha = shrink @ solid.float() @ shrink.T
    lit = _blur(alpha, 0.07, -0.05) - _blur(alpha, 0.07, 0.05)
    soft = torch.stack([_blur(alpha, 0.035, 0.035), alpha * lit])
    rows = []
    for material in v.MATERIALS:
        second = pattern(material, samples)
        own = torch.stack([maps[0] & ~second, maps[1] & ~second, (maps[0] | maps[1]) & second]).float()
        own = shrink @ own @ shrink.T
        rows.append(torch.cat([own[:2], shared[:3], own[2:], soft, shared[3:]]))
    return torch.stack(rows)


def _edges(strokes: Tensor, noun: str) -> Tensor:
    """(samples, samples) bool: samples inside whose right or lower neighbour belongs to another part or
    role.
    """
    kinds = [("", ""), *((s.part, s.role) for s in figure(noun).pen.strokes)]
    kind = torch.tensor([kinds.index(k) for k in kinds])[strokes]
    kind = kind.masked_fill(torch.tensor([r == "dark" for _, r in kinds])[strokes], 0)  # ink needs no line
    edge = torch.zeros_like(kind, dtype=torch.bool)
    for a, b in ((kind[:, 1:], kind[:, :-1]), (kind[1:], kind[:-1])):
        here = edge[: b.shape[0], : b.shape[1]]
        here |= (a != b) & (a > 0) & (b > 0)  # the silhouette is the outline's
    return edge


class Bank:
    """All sprites of one size on one device, each made when first asked for."""

    def __init__(self, side: int, device: torch.device):
        self.side = side
        shape = (len(v.NOUNS), len(v.MATERIALS), len(CHANNELS), side, side)
        self.sprites = torch.empty(shape, device=device)  # pages are only taken up when filled
        self.strokes = torch.zeros(len(v.NOUNS), 2 * side, 2 * side, dtype=torch.uint8, device=device)
        self.made = [False] * len(v.NOUNS)

    def need(self, nouns: list[int]) -> None:
        """Make sure that the sprites of these nouns are there."""
        for n in nouns:
            if not self.made[n]:
                self.sprites[n] = sprite(v.NOUNS[n], self.side)
                self.strokes[n] = torch.from_numpy(drawing(v.NOUNS[n], 2 * self.side))
                self.made[n] = True


@cache
def bank(side: int, device: torch.device) -> Bank:
    """The bank of sprites that are `side` pixels wide, frame included."""
    return Bank(side, device)
