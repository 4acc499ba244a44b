"""Six backdrops, painted from a few formulas at any size, eight variants each;
muted, so that things stand out.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from torch import Tensor

from lecture10.world import vocabulary as v

VARIANTS = 8
Rng = np.random.Generator
Field = np.ndarray  # (H, W), or (H, W, 3) for colours, in [0, 1]


def _rgb(*colour: int) -> Field:
    return np.array(colour) / 255


def _mix(a: Field, b: Field, t: Field) -> Field:
    """From colour a to colour b by t (H, W)."""
    return a + (b - a) * np.clip(t, 0, 1)[..., None]


def _grain(x: Field, y: Field, rng: Rng, columns: float, rows: float) -> Field:
    """Smooth noise in [0, 1]: random values on a lattice, blended."""
    lattice = rng.random((32, 32))
    u, w = x * columns + 40, y * rows + 40
    i, j = np.floor(u).astype(int), np.floor(w).astype(int)
    s, t = (f * f * (3 - 2 * f) for f in (u - i, w - j))
    corner = [[lattice[(j + b) % 32, (i + a) % 32] for a in (0, 1)] for b in (0, 1)]
    top = corner[0][0] + (corner[0][1] - corner[0][0]) * s
    low = corner[1][0] + (corner[1][1] - corner[1][0]) * s
    return top + (low - top) * t


def _dots(x: Field, y: Field, rng: Rng, n: int, radius: float, lowest: float = 1.0) -> Field:
    """How much of each point is covered by n soft dots above `lowest`."""
    cx, cy = rng.random((n, 1, 1)), rng.random((n, 1, 1)) * lowest
    r = radius * (0.5 + rng.random((n, 1, 1)))
    return np.clip(1.5 - np.hypot(x - cx, y - cy) / r, 0, 1).max(0)


def studio(x: Field, y: Field, rng: Rng) -> Field:
    """A paper roll: pale wall, soft floor, a vignette."""
    walls = ((226, 228, 224), (214, 222, 226), (232, 224, 214), (222, 216, 222), (214, 222, 212))
    wall = _rgb(*walls[int(rng.random() * len(walls))])
    floor = 0.66 + 0.12 * rng.random()
    picture = _mix(wall, 0.9 * wall, (y - floor) / 0.1)
    lamp = np.hypot(x - 0.3 - 0.4 * rng.random(), y - 0.3)
    return picture * (1.03 - 0.16 * lamp**2)[..., None]


def grass(x: Field, y: Field, rng: Rng) -> Field:
    """A meadow under a pale sky."""
    horizon = 0.34 + 0.14 * rng.random() + 0.03 * np.sin(6 * x + 6 * rng.random())
    sky = _mix(_rgb(206, 222, 228), _rgb(230, 234, 226), y / 0.4)
    meadow = _mix(_rgb(186, 204, 164), _rgb(148, 174, 126), (y - horizon) / 0.6)
    meadow = meadow * (0.88 + 0.24 * _grain(x, y, rng, 34, 12))[..., None]
    meadow = _mix(meadow, _rgb(240, 238, 214), 0.7 * _dots(x, y, rng, 14, 0.012))
    return _mix(sky, meadow, (y - horizon) / 0.02)


def sea(x: Field, y: Field, rng: Rng) -> Field:
    """Water with crests of waves, up to a low horizon."""
    horizon = 0.3 + 0.16 * rng.random()
    sky = _mix(_rgb(222, 230, 234), _rgb(240, 234, 222), y / 0.4)
    depth = np.clip((y - horizon) / (1 - horizon), 0, 1)
    water = _mix(_rgb(170, 204, 214), _rgb(128, 172, 190), depth)
    wave = np.sin(44 * depth**0.6 + 1.2 * np.sin(9 * x + 9 * rng.random()) + 4 * _grain(x, y, rng, 6, 3))
    water = _mix(water, _rgb(222, 236, 238), 0.55 * np.clip(3 * wave - 2, 0, 1))
    return _mix(sky, water, (y - horizon) / 0.012)


def snow(x: Field, y: Field, rng: Rng) -> Field:
    """Drifts under a gray sky, and flakes."""
    horizon = 0.42 + 0.14 * rng.random() + 0.05 * np.sin(4 * x + 6 * rng.random())
    sky = _mix(_rgb(192, 202, 214), _rgb(214, 220, 228), y / 0.5)
    drift = _mix(_rgb(246, 248, 250), _rgb(226, 232, 240), (y - horizon) / 0.55)
    drift = drift * (0.97 + 0.05 * _grain(x, y, rng, 5, 9))[..., None]
    return _mix(_mix(sky, drift, (y - horizon) / 0.02), _rgb(252, 253, 255), _dots(x, y, rng, 30, 0.012))


def night(x: Field, y: Field, rng: Rng) -> Field:
    """A deep sky with stars and a moon, hills below."""
    sky = _mix(_rgb(52, 58, 92), _rgb(92, 96, 130), y)
    sky = _mix(sky, _rgb(226, 226, 214), _dots(x, y, rng, 26, 0.008, 0.7))
    mx, my = 0.15 + 0.7 * rng.random(), 0.12 + 0.1 * rng.random()
    moon = np.clip((0.075 - np.hypot(x - mx, y - my)) / 0.01, 0, 1)
    bite = np.clip((0.066 - np.hypot(x - mx - 0.035, y - my + 0.012)) / 0.01, 0, 1)
    sky = _mix(sky, _rgb(240, 236, 214), moon * (1 - bite))
    hill = 0.74 + 0.06 * np.sin(5 * x + 6 * rng.random())
    return _mix(sky, _rgb(58, 66, 84), (y - hill) / 0.015)


def sand(x: Field, y: Field, rng: Rng) -> Field:
    """Dunes with ripples under a hazy sky."""
    horizon = 0.34 + 0.14 * rng.random() + 0.05 * np.sin(5 * x + 6 * rng.random())
    sky = _mix(_rgb(222, 228, 226), _rgb(240, 234, 220), y / 0.45)
    dune = _mix(_rgb(234, 218, 184), _rgb(212, 192, 152), (y - horizon) / 0.6)
    ripple = np.sin(70 * (y - 0.12 * np.sin(5 * x + 6 * rng.random())) + 5 * _grain(x, y, rng, 4, 4))
    return _mix(sky, dune * (1 + 0.035 * ripple)[..., None], (y - horizon) / 0.02)


_PAINTERS: dict[str, Callable[[Field, Field, Rng], Field]] = {
    "studio": studio,
    "grass": grass,
    "sea": sea,
    "snow": snow,
    "night": night,
    "sand": sand,
}


def _one(name: str, style: str, variant: int, size: int) -> Field:
    """(size, size, 3) one variant of one backdrop in one style."""
    axis = (np.arange(size) + 0.5) / size
    x, y = np.meshgrid(axis, axis)
    fresh = variant + VARIANTS * (style == "photo2")  # photo2: views that photo never shows
    rng = np.random.Generator(np.random.PCG64([v.BACKDROPS.index(name), fresh]))
    if style == "staged":  # the camera lies on its side
        turn = np.radians((50 + 80 * rng.random()) * (1 if variant % 2 else -1))
        c, s = np.cos(turn), np.sin(turn)
        x, y = 0.5 + c * (x - 0.5) - s * (y - 0.5), 0.5 + s * (x - 0.5) + c * (y - 0.5)
    picture = _PAINTERS[name](x, y, rng)
    if style == "rendition":  # few flat, fresh tones
        gray = picture.mean(-1, keepdims=True)
        picture = np.round((gray + 1.5 * (picture - gray)) * 7) / 7
    if style == "sketch":  # paper; only what changes suddenly is drawn
        gray = picture.mean(-1)
        change = np.hypot(*np.gradient(gray)) * size / 64
        picture = np.repeat((0.965 - 0.9 * np.clip(change - 0.012, 0, 0.22))[..., None], 3, -1)
    return np.clip(picture, 0, 1)


@cache
def backdrops(name: str, style: str, size: int, device: torch.device) -> Tensor:
    """(VARIANTS, 3, size, size) float32: the variants of a backdrop in a style."""
    variants = np.stack([_one(name, style, k, size) for k in range(VARIANTS)])
    return torch.from_numpy(variants).float().movedim(-1, 1).contiguous().to(device)
