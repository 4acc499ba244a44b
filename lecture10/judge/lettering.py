"""What a sign says: the font is known, so every text is tried letter by letter where it would stand."""

import torch
from torch import Tensor
from torch.nn import functional as F

from lecture10.world import cast
from lecture10.world import vocabulary as v
from lecture10.world.cast_places import SIGN_BOARD
from lecture10.world.font import COLUMNS, ROWS, glyphs

UNCLEAR = "unclear"
LEAST = 0.82  # likeness of the worst letter to its drawing; below, the text cannot be read
LEAD = 0.02  # by which each letter must be more alike than the second best
BLANK = 0.10  # brightness's spread on a board that says nothing
SMALLEST_DOT = 0.95  # pixels
_NEARBY = torch.arange(-3, 4) / 2  # pixels by which the sign may stand elsewhere than found


def text_on_sign(image: Tensor, x: float, y: float, size: str) -> str | None:
    """The text on an upright sign: None where the board is blank, "unclear" where it cannot be read.

    image: (3, S, S) in [0, 1]; x, y: the sign's centre; size: "small", "large" or "unclear".
    """
    if size not in v.SIZES:
        return UNCLEAR
    gray = image.float().mean(0).cpu()
    left, top, width, height = board(x, y, size, image.shape[-1])
    rows, columns = (
        slice(round(top) + 2, round(top + height) - 2),
        slice(round(left) + 2, round(left + width) - 2),
    )
    patch = gray[max(0, rows.start) : rows.stop, max(0, columns.start) : columns.stop]
    if patch.numel() < 12 or patch.std() < BLANK:
        return None
    tries = [_read(gray, left, top, width, height, n) for n in range(1, v.TEXT_LENGTH + 1)]
    score, lead, text = max(t for t in tries if t is not None) if any(tries) else (0.0, 0.0, "")
    return text.strip() if score >= LEAST and lead >= LEAD and text.strip() else UNCLEAR


def board(x: float, y: float, size: str, pixels: int) -> tuple[float, float, float, float]:
    """(left, top, width, height) in pixels of the board of a sign centred at (x, y)."""
    x0, y0, x1, y1 = cast.figure("sign").box
    unit = cast.side("sign", size) * pixels / max(x1 - x0, y1 - y0)
    bx0, by0, bx1, by1 = SIGN_BOARD
    left = x * pixels + (bx0 - (x0 + x1) / 2) * unit
    top = y * pixels + (by0 - (y0 + y1) / 2) * unit
    return left, top, (bx1 - bx0) * unit, (by1 - by0) * unit


def _read(gray: Tensor, left, top, width, height, n: int) -> tuple[float, float, str] | None:
    """(score, lead, text) of the best text of n letters, at the best of many nearby places; None where a dot
    would be too small.
    """
    columns = (COLUMNS + 1) * n - 1
    fit = min(width / columns, height / ROWS)
    dot = float(int(fit)) if 1 <= fit < 1.5 or fit >= 2 else fit  # as `render` writes
    if dot < SMALLEST_DOT:
        return None
    edge = min(COLUMNS + 1, int((width / dot - columns) / 2))  # columns on either side that must be bare
    x = left + width / 2 - dot * (columns / 2 + edge) + _NEARBY.repeat(len(_NEARBY))  # (P,) corners tried
    y = top + height / 2 - dot * ROWS / 2 + _NEARBY.repeat_interleave(len(_NEARBY))
    ink = _ink(gray, x, y, dot, columns + 2 * edge)  # (P, 7, edge + columns + edge)
    text = F.pad(ink[..., edge : edge + columns], (0, 1))  # a column after the last letter too
    letters = text.view(len(x), ROWS, n, COLUMNS + 1)
    bare = torch.cat([ink[..., :edge], ink[..., edge + columns :], letters[:, :, :-1, COLUMNS]], 2)
    gaps = bare.mean((1, 2)) if bare.shape[2] else torch.zeros(len(x))
    cells = letters[..., :COLUMNS].permute(0, 2, 1, 3).flatten(2)  # (P, n, 35)
    font = glyphs().float().flatten(1)  # (63, 35)
    away = (cells.sum(-1, keepdim=True) + font.sum(-1) - 2 * cells @ font.T) / font.shape[1]  # (P, n, 63)
    near, order = away.topk(2, largest=False)
    space = v.ALPHABET.index(" ")
    ends = (order[:, [0, -1], 0] == space).any(1)  # a text neither begins nor ends with a space
    score = 1 - near[..., 0].amax(1) - gaps - ends.float()
    lead = (near[..., 1] - near[..., 0]).amin(1)
    best = int((score + lead).argmax())
    return float(score[best]), float(lead[best]), "".join(v.ALPHABET[c] for c in order[best, :, 0].tolist())


def _ink(gray: Tensor, x: Tensor, y: Tensor, dot: float, columns: int) -> Tensor:
    """(P, 7, columns) in [0, 1]: how dark the pixel under each dot's middle is, from corners x, y (P,)."""
    most = gray.shape[-1] - 1
    xs = (x[:, None] + (torch.arange(columns) + 0.5) * dot).floor().long().clamp(0, most)
    ys = (y[:, None] + (torch.arange(ROWS) + 0.5) * dot).floor().long().clamp(0, most)
    dark = 1 - gray[ys[:, :, None], xs[:, None, :]]
    low, high = (f(dark.flatten(1), 1)[:, None, None] for f in (torch.amin, torch.amax))
    return (dark - low) / (high - low).clamp(min=1e-6)
