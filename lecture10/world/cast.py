"""The whole cast: who draws each noun, how large it comes out, where others may sit."""

from dataclasses import dataclass
from functools import cache

from lecture10.world import cast_animals, cast_objects, cast_places, cast_shapes
from lecture10.world import vocabulary as v
from lecture10.world.pen import Box, Pen

WIDE = {"sign": 1.9}  # drawn larger than its size says, so that its text can be read


@dataclass(frozen=True)
class Figure:
    """One noun, drawn: its pen, the box of its drawing, and its measures as shares of its longer side.

    width, height: of the box, the longer being 1; seat: (x, y) from the box's centre, y down.
    """

    pen: Pen
    box: Box
    width: float
    height: float
    seat: tuple[float, float]


@cache
def figure(noun: str) -> Figure:
    """The drawing of a noun; raises ValueError for an unknown one."""
    v.index_of("noun", noun, v.NOUNS)
    family = next(f for f in (cast_shapes, cast_animals, cast_objects, cast_places) if hasattr(f, noun))
    pen = Pen()
    getattr(family, noun)(pen)
    x0, y0, x1, y1 = pen.extent
    side = max(x1 - x0, y1 - y0)
    sx, sy = pen.seat or ((x0 + x1) / 2, y0)
    seat = ((sx - (x0 + x1) / 2) / side, (sy - (y0 + y1) / 2) / side)
    return Figure(pen, (x0, y0, x1, y1), (x1 - x0) / side, (y1 - y0) / side, seat)


def parts(noun: str) -> tuple[str, ...]:
    """The named parts of a noun, wholes before their parts: "head", "head.eye", "head.eye.glint"."""
    return figure(noun).pen.parts()


def side(noun: str, size: str) -> float:
    """The longer side of a thing's box, as a share of the picture's side."""
    return v.SIZES[size] * WIDE.get(noun, 1.0)


def footprint(noun: str, size: str) -> tuple[float, float]:
    """Width and height of a thing's box, upright, as shares of the picture's side."""
    drawn = figure(noun)
    return drawn.width * side(noun, size), drawn.height * side(noun, size)
