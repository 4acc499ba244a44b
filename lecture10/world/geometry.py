"""When a relation holds, and where things must stand so that it does: written once, for floats and for
tensors.

Coordinates are shares of the picture's side, y down; a thing's box is upright unless the thing is rotated.
"""

import math
from functools import cache

import torch
from torch import Tensor

from lecture10.world import cast
from lecture10.world import vocabulary as v

APART = 0.1  # directions need the centres at least this far apart, in that direction more than across it
SINK = {"on": 0.05, "riding": 0.3}  # how deep a thing sits, as a share of its own height
FLAT = ("skateboard", "book", "banana")  # ridden standing up: sunk only a third as deep
NEAR = 0.035  # contacts hold within this distance


def holds(relation: str, dx: float, dy: float) -> bool:
    """Does a direction hold for a thing at (dx, dy) from the other one's centre?"""
    along, across = {"left of": (-dx, dy), "right of": (dx, dy), "above": (-dy, dx), "below": (dy, dx)}[
        relation
    ]
    return along >= APART and along >= abs(across)


def rest(height_i, side_j, seat_j: tuple, flip_j, sunk) -> tuple:
    """(dx, dy) from the bearer's centre to the centre of what is on or riding it. Floats, or tensors alike.

    height_i: of the rider; side_j, seat_j, flip_j: the bearer's longer side, seat, and 1 where mirrored;
    sunk: how deep it sits.
    """
    return seat_j[0] * side_j * (1 - 2 * flip_j), seat_j[1] * side_j - height_i / 2 + sunk


def sink(relation: str, bearer: str) -> tuple[float, float]:
    """How deep a thing sits on or in its bearer, at most: as a share of its own height, and of the bearer's
    longer side (no deeper than 0.6 of what lies below the seat).
    """
    drawn = cast.figure(bearer)
    own = SINK[relation] / (3 if relation == "riding" and bearer in FLAT else 1)
    return own, 0.6 * (drawn.height / 2 - drawn.seat[1])


def turned(width: float, height: float, degrees: float) -> tuple[float, float]:
    """Width and height of the upright box around a turned one."""
    c, s = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
    return width * c + height * s, width * s + height * c


@cache
def measures() -> dict[str, Tensor]:
    """The cast's measures as float32 tables: width, height and side (nouns, sizes); seat (nouns, 2);
    sink (nouns, contacts, 2)."""
    boxes = torch.tensor([[cast.footprint(n, s) for s in v.SIZE_NAMES] for n in v.NOUNS])
    return {
        "width": boxes[..., 0],
        "height": boxes[..., 1],
        "side": torch.tensor([[cast.side(n, s) for s in v.SIZE_NAMES] for n in v.NOUNS]),
        "sink": torch.tensor([[sink(r, n) for r in v.CONTACTS] for n in v.NOUNS]),
        "seat": torch.tensor([cast.figure(n).seat for n in v.NOUNS]),
    }


def direction(dx: Tensor, dy: Tensor) -> Tensor:
    """The direction that holds for things at (dx, dy) from others: an index into DIRECTIONS, or -1."""
    wide, far = dx.abs() >= dy.abs(), torch.maximum(dx.abs(), dy.abs()) >= APART
    index = torch.where(wide, (dx > 0).long(), 2 + (dy > 0).long())
    return torch.where(far, index, -1)


def spun(x, y, degrees: float) -> tuple:
    """A vector (x, y), y down, turned anticlockwise as seen; floats or tensors."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return c * x + s * y, c * y - s * x
