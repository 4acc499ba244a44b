"""A pen that records a drawing as named parts in colour roles, and rasters it at any size without any
library's quirks.

A drawing is a list of strokes on a square from -1 to 1, y down; a later stroke covers earlier ones. A
part's name is a path, "head.eye.pupil": whatever is drawn as head.eye belongs to head too.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from lecture10.world.vocabulary import ROLES

Box = tuple[float, float, float, float]  # x0, y0, x1, y1
Test = Callable[[np.ndarray, np.ndarray], np.ndarray]  # points -> inside?


@dataclass(frozen=True)
class Stroke:
    """One filled shape: its part, its role, where it lies,
    and (if clipped) the part that it may only cover.
    """

    part: str
    role: str
    box: Box
    covers: Test
    inside: str | None = None


@dataclass
class Pen:
    """Draws; `seat` is where something that stands on or rides the thing touches it (None:
    the top, in the middle).
    """

    strokes: list[Stroke] = field(default_factory=list)
    seat: tuple[float, float] | None = None

    def add(self, part: str, role: str, box: Box, covers: Test, inside: str | None = None) -> None:
        """Record a stroke; raises ValueError for a role that does not exist."""
        if role not in ROLES:
            raise ValueError(f"part {part!r} has the role {role!r}; roles are {', '.join(ROLES)}")
        self.strokes.append(Stroke(part, role, box, covers, inside))

    def disk(self, part, role, x, y, rx, ry=None, turn=0.0, inside=None) -> None:
        """An ellipse around (x, y), turned by `turn` degrees."""
        ry = rx if ry is None else ry
        c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
        w, h = math.hypot(rx * c, ry * s), math.hypot(rx * s, ry * c)

        def covers(px, py):
            u, v = (px - x) * c + (py - y) * s, (py - y) * c - (px - x) * s
            return (u / rx) ** 2 + (v / ry) ** 2 <= 1

        self.add(part, role, (x - w, y - h, x + w, y + h), covers, inside)

    def hoop(self, part, role, x, y, r, hole, inside=None) -> None:
        """A disk of radius r with a round hole."""

        def covers(px, py):
            d = (px - x) ** 2 + (py - y) ** 2
            return (d <= r * r) & (d >= hole * hole)

        self.add(part, role, (x - r, y - r, x + r, y + r), covers, inside)

    def polygon(self, part, role, points, inside=None) -> None:
        """A filled polygon (even-odd rule)."""
        xs, ys = [p[0] for p in points], [p[1] for p in points]

        def covers(px, py):
            odd = np.zeros(np.broadcast_shapes(px.shape, py.shape), dtype=bool)
            for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
                if y0 != y1:
                    odd ^= ((y0 > py) != (y1 > py)) & (px < (x1 - x0) * (py - y0) / (y1 - y0) + x0)
            return odd

        self.add(part, role, (min(xs), min(ys), max(xs), max(ys)), covers, inside)

    def blob(self, part, role, points, inside=None) -> None:
        """A smooth closed curve through the points (Catmull–Rom), filled."""
        n, curve = len(points), []
        for k in range(n):
            p0, p1, p2, p3 = (np.array(points[(k + d) % n], dtype=float) for d in (-1, 0, 1, 2))
            for t in np.arange(6) / 6:
                a, b, c = p2 - p0, 2 * p0 - 5 * p1 + 4 * p2 - p3, 3 * p1 - p0 - 3 * p2 + p3
                curve.append(tuple(p1 + 0.5 * (a * t + b * t**2 + c * t**3)))
        self.polygon(part, role, curve, inside)

    def box(self, part, role, x0, y0, x1, y1, round=0.0, inside=None) -> None:
        """A rectangle with corners rounded by the radius `round`."""
        cx, cy, w, h = (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2 - round, (y1 - y0) / 2 - round

        def covers(px, py):
            dx, dy = np.maximum(abs(px - cx) - w, 0), np.maximum(abs(py - cy) - h, 0)
            return dx**2 + dy**2 <= round**2 + 1e-12

        self.add(part, role, (x0, y0, x1, y1), covers, inside)

    def line(self, part, role, points, width, inside=None) -> None:
        """A polyline with round ends and the given full width."""
        r = width / 2
        xs, ys = [p[0] for p in points], [p[1] for p in points]

        def covers(px, py):
            near = np.zeros(np.broadcast_shapes(px.shape, py.shape), dtype=bool)
            for (x0, y0), (x1, y1) in pairwise(points):
                dx, dy = x1 - x0, y1 - y0
                t = np.clip(((px - x0) * dx + (py - y0) * dy) / (dx * dx + dy * dy), 0, 1)
                near |= (px - x0 - t * dx) ** 2 + (py - y0 - t * dy) ** 2 <= r * r
            return near

        self.add(part, role, (min(xs) - r, min(ys) - r, max(xs) + r, max(ys) + r), covers, inside)

    def arc(self, part, role, x, y, r, start, stop, width, inside=None) -> None:
        """A round-ended arc of a circle from `start` to `stop` degrees (clockwise from the right,
        as y grows down).
        """
        angles = np.radians(np.linspace(start, stop, 13))
        self.line(part, role, [(x + r * math.cos(a), y + r * math.sin(a)) for a in angles], width, inside)

    @property
    def extent(self) -> Box:
        """The box around all strokes that are not clipped to a part."""
        boxes = np.array([s.box for s in self.strokes if s.inside is None])
        return (*boxes[:, :2].min(0).tolist(), *boxes[:, 2:].max(0).tolist())

    def raster(self, side: int, frame: Box) -> np.ndarray:
        """(side, side) uint8: which stroke, counted from 1, covers each sample of the square `frame`;
        0 for none.
        """
        x0, y0, x1, y1 = frame
        xs = x0 + (np.arange(side) + 0.5) / side * (x1 - x0)
        ys = y0 + (np.arange(side) + 0.5) / side * (y1 - y0)
        drawn = np.zeros((side, side), dtype=np.uint8)
        for number, stroke in enumerate(self.strokes, start=1):
            left, right = np.searchsorted(xs, (stroke.box[0], stroke.box[2]))
            top, bottom = np.searchsorted(ys, (stroke.box[1], stroke.box[3]))
            here = drawn[top:bottom, left:right]
            hit = stroke.covers(xs[None, left:right], ys[top:bottom, None])
            if stroke.inside is not None:
                hit = hit & np.isin(here, self.strokes_of(stroke.inside))
            here[hit] = number
        return drawn

    def strokes_of(self, part: str) -> list[int]:
        """The numbers, from 1, of the strokes that belong to a part or to a part of it."""
        return [n for n, s in enumerate(self.strokes, start=1) if f"{s.part}.".startswith(f"{part}.")]

    def parts(self) -> tuple[str, ...]:
        """Every part and subpart, in order of drawing: "head" before "head.eye"."""
        paths = (
            ".".join(s.part.split(".")[: k + 1]) for s in self.strokes for k in range(s.part.count(".") + 1)
        )
        return tuple(dict.fromkeys(paths))
