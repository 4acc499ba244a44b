"""Five ways to show the same scene, and the luck of each shot: how things are painted, lit, tilted and
grained.

photo: soft volume, a shadow, uneven light, grain. photo2: the same recipe, never the same shots.
rendition: flat tones and an ink outline. staged: photo of things thrown about, by a tilted camera in odd
light. sketch: gray pencil lines.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from lecture10.world import palette
from lecture10.world import vocabulary as v
from lecture10.world.sprites import CHANNELS

PHOTO, PHOTO2, RENDITION, STAGED, SKETCH = range(len(v.STYLES))
_MIX = {"photo": 11, "photo2": 23, "rendition": 37, "staged": 41, "sketch": 53}


@dataclass(frozen=True)
class Coat:
    """How a style turns a sprite's weights into paint: tones by role, and what lines, edges and light add."""

    shadow: float = 0.0
    outline: float = 0.0
    line: float = 0.0
    volume: float = 0.0
    gray: bool = False


COATS = {
    "photo": Coat(shadow=0.4, volume=0.3),
    "photo2": Coat(shadow=0.4, volume=0.3),
    "rendition": Coat(outline=1.0, line=0.6),
    "staged": Coat(shadow=0.6, volume=0.42),
    "sketch": Coat(outline=0.72, line=0.66, gray=True),
}
_PENCIL = {"body": 0.93, "shade": 0.74, "light": 0.98, "dark": 0.2, "accent": 0.84, "pattern": 0.6}


@cache
def paint_table(device: torch.device) -> Tensor:
    """(styles, colours, 5, channels): sprite weights to premultiplied R, G, B, alpha,
    and what lies under (darkening).
    """
    table = np.zeros((len(v.STYLES), len(v.COLOURS), 5, len(CHANNELS)))
    for s, style in enumerate(v.STYLES):
        for c, colour in enumerate(v.COLOURS):
            table[s, c] = _matrix(COATS[style], palette.rgb(colour))
    return torch.from_numpy(table).float().to(device)


def _matrix(coat: Coat, body: np.ndarray) -> np.ndarray:
    """(5, channels) for one coat and one body colour."""
    tones = {"body": body, "shade": palette.shade(body), "pattern": palette.second(body)}
    tones |= {role: np.array(tone) / 255 for role, tone in palette.FIXED_ROLES.items()}
    if coat.gray:
        tones = {role: np.full(3, tone) for role, tone in _PENCIL.items()}
    matrix = np.zeros((5, len(CHANNELS)))
    for role, tone in tones.items():
        matrix[:3, CHANNELS.index(role)] = tone
        matrix[3, CHANNELS.index(role)] = 1
    matrix[:3, CHANNELS.index("line")] = -coat.line
    matrix[:3, CHANNELS.index("relief")] = coat.volume * 0.6
    matrix[4, CHANNELS.index("outline")] = coat.outline
    matrix[4, CHANNELS.index("shadow")] = coat.shadow
    return matrix


def luck(seed: Tensor, style: Tensor, salt: int | Tensor) -> Tensor:
    """Numbers in [0, 1) from a scene's seed and style: the same on every machine.

    seed, style: int64; salt: a number, or a tensor; all of any shapes that go together.
    """
    mix = torch.tensor([_MIX[s] for s in v.STYLES], device=seed.device)[style]
    x = (seed + 0x9E3779B1 * (salt + 1) + 0x85EBCA6B * mix) & 0xFFFFFFFF
    for _ in range(3):
        x = ((x ^ (x >> 16)) * 0x45D9F3B) & 0xFFFFFFFF
    return (x ^ (x >> 16)).float() / 2**32


def tilt(seed: Tensor, style: Tensor, touching: Tensor) -> Tensor:
    """(B, 6) degrees by which a style turns each thing: none, except in staged, where things lie about.

    touching: (B, 6) bool, things on or riding each other, which are turned only a little so that they stay
    together.
    """
    k = torch.arange(touching.shape[1], device=seed.device)
    left, far = (luck(seed[:, None], style[:, None], salt + k) for salt in (20, 30))
    degrees = torch.where(left < 0.5, -1.0, 1.0) * (30 + 60 * far) * (style == STAGED)[:, None]
    return torch.where(touching, 0.15 * degrees, degrees)


@cache
def grain(size: int, device: torch.device) -> Tensor:
    """(16, size, size) noise tiles of unit variance, coarse on large pictures so that it looks the same."""
    rng = np.random.Generator(np.random.PCG64(2024))
    small = torch.from_numpy(rng.random((16, 1, min(size, 128), min(size, 128)))).float()
    if size > 128:
        small = torch.nn.functional.interpolate(small, size=(size, size), mode="bilinear")
    return ((small[:, 0] - 0.5) * 12**0.5).to(device)


@cache
def hatching(size: int, device: torch.device) -> Tensor:
    """(size, size) pencil strokes around 0: how much harder the pencil presses where something is toned."""
    axis = (torch.arange(size) + 0.5) / size
    x, y = axis[None, :], axis[:, None]
    wobble = 0.012 * torch.sin(17 * y) + 0.01 * torch.sin(23 * x)
    return (0.75 * torch.sin(2 * torch.pi * 13 * (x + y + wobble))).to(device)


def develop(canvas: Tensor, seed: Tensor, style: Tensor) -> Tensor:
    """Light, tint, grain and pencil over whole pictures: a new contiguous (B, 3, S, S) in [0, 1].

    canvas: (B, 3, S, S) in any memory format; seed, style: (B,) on its device.
    """
    size, device = canvas.shape[-1], canvas.device
    image = torch.empty(canvas.shape, device=device)
    camera = (style == PHOTO) | (style == PHOTO2) | (style == STAGED)
    angle = 2 * torch.pi * luck(seed, style, 1)
    depth = (0.04 + 0.10 * luck(seed, style, 2)) * camera * torch.where(style == STAGED, 2.0, 1.0)
    axis = (torch.arange(size, device=device) + 0.5) / size - 0.5
    light = (
        1 + (depth * angle.cos())[:, None, None] * axis + (depth * angle.sin())[:, None, None] * axis[:, None]
    )
    warmth = 0.06 * (luck(seed, style, 3) - 0.5) * camera
    noise = grain(size, device)[(luck(seed, style, 4) * 16).long()] * (0.014 * camera)[:, None, None]
    for channel, warmer in enumerate((1, 0, -1)):
        gain = light * (1 + warmer * warmth)[:, None, None] if warmer else light
        torch.addcmul(noise, canvas[:, channel], gain, out=image[:, channel])
    drawn = (style == SKETCH).nonzero()[:, 0]
    if len(drawn):
        dark = 0.975 - image[drawn]
        image[drawn] = 0.975 - dark * (1 + hatching(size, device) * (1 - dark).clamp(min=0) ** 2)
    return image.clamp_(0, 1)


def channels(style: Tensor) -> int:
    """How many of a sprite's first channels the styles (B,) need: cameras draw no lines."""
    inked = ((style == RENDITION) | (style == SKETCH)).any()
    return len(CHANNELS) if bool(inked) else CHANNELS.index("line")
