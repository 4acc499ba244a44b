"""Text on signs, pixel for pixel: at 64 pixels "NeurIPS" fills a large sign and can be read."""

import math
from functools import lru_cache

import torch
from torch import Tensor

from lecture10.world import cast, geometry
from lecture10.world import vocabulary as v
from lecture10.world.batch import SceneBatch
from lecture10.world.cast_places import SIGN_BOARD
from lecture10.world.font import glyphs
from lecture10.world.palette import FIXED_ROLES


@lru_cache(maxsize=1024)
def strip(text: str) -> Tensor:
    """(7, 6 n - 1) bool: a line of text in the 5 × 7 font, one empty column between letters."""
    table = glyphs()
    line = torch.cat(
        [torch.cat([table[v.ALPHABET.index(c)], torch.zeros(7, 1, dtype=torch.bool)], 1) for c in text], 1
    )
    return line[:, :-1]


def write(image: Tensor, batch: SceneBatch, masks: Tensor, places: Tensor) -> None:
    """Write every sign's text onto finished pictures (B, 3, S, S), in place, where the sign is seen.

    batch: on the CPU; masks: (B, 6, S, S) bool; places: (3, B, 6) x, y and degrees of every thing.
    """
    size = image.shape[-1]
    signs = (batch.text[..., 0] >= 0).nonzero().tolist()
    if not signs:
        return
    ink = torch.tensor(FIXED_ROLES["dark"], device=image.device)[:, None, None] / 255
    for b, k in signs:
        text = "".join(v.ALPHABET[c] for c in batch.text[b, k].tolist() if c >= 0)
        x, y, degrees = places[:, b, k].tolist()
        side = cast.side("sign", v.SIZE_NAMES[batch.size[b, k]])
        cover, rows, columns = _cover(text, x, y, degrees, side, size)
        cover = cover.to(image.device) * masks[b, k, rows, columns]
        image[b, :, rows, columns] = image[b, :, rows, columns] * (1 - cover) + ink * cover


def _cover(
    text: str, x: float, y: float, degrees: float, side: float, size: int
) -> tuple[Tensor, slice, slice]:
    """How much of each pixel a sign's letters cover, and the rows and columns of pixels that this is about;
    whole pixels a dot where the sign stands upright.
    """
    x0, y0, x1, y1 = cast.figure("sign").box
    unit = side * size / (x1 - x0)  # pixels a drawing unit
    bx0, by0, bx1, by1 = SIGN_BOARD
    letters = strip(text)
    rows, columns = letters.shape
    fit = min((bx1 - bx0) * unit / columns, (by1 - by0) * unit / rows)  # pixels a dot, at most
    crisp = abs(degrees) < 1e-6 and (1 <= fit < 1.5 or fit >= 2)  # whole pixels a dot
    dot = float(int(fit)) if crisp else fit
    cx = ((bx0 + bx1) - (x0 + x1)) / 2 * unit
    cy = ((by0 + by1) - (y0 + y1)) / 2 * unit
    shift_x, shift_y = geometry.spun(cx, cy, degrees)
    left, top = x * size + shift_x - dot * columns / 2, y * size + shift_y - dot * rows / 2
    if crisp:
        left, top = round(left), round(top)
    fine = 1 if crisp else 4  # samples a pixel
    wide, high = (half + 1 for half in geometry.turned(dot * columns / 2, dot * rows / 2, degrees))
    across, px = _axis(left + dot * columns / 2, wide, size, fine)
    down, py = _axis(top + dot * rows / 2, high, size, fine)
    px, py = px[None, :] - left - dot * columns / 2, py[:, None] - top - dot * rows / 2
    u, w = geometry.spun(px, py, -degrees)
    i = torch.floor((w + dot * rows / 2) / dot).long()
    j = torch.floor((u + dot * columns / 2) / dot).long()
    inside = (i >= 0) & (i < rows) & (j >= 0) & (j < columns)
    hit = letters[i.clamp(0, rows - 1), j.clamp(0, columns - 1)] & inside
    return hit.float().view(py.numel() // fine, fine, px.numel() // fine, fine).mean((1, 3)), down, across


def _axis(middle: float, half: float, size: int, fine: int) -> tuple[slice, Tensor]:
    """The pixels within `half` of the middle, as a slice, and the places of their samples, `fine` a pixel."""
    first = min(max(0, math.floor(middle - half)), size)
    last = min(max(first, math.ceil(middle + half)), size)
    return slice(first, last), (torch.arange(first * fine, last * fine) + 0.5) / fine
