"""The cast, first family: plain shapes."""

import math

from lecture10.world.pen import Pen


def ball(pen: Pen) -> None:
    """A beach ball: one seam, a patch and a gleam."""
    pen.disk("ball", "body", 0, 0, 1)
    pen.disk("ball.underside", "shade", 0.35, 0.45, 1.25, inside="ball")
    pen.disk("ball", "body", -0.12, -0.16, 1.02, inside="ball")
    pen.disk("ball.gleam", "light", -0.42, -0.45, 0.24, 0.15, turn=-40)


def cube(pen: Pen) -> None:
    """A cube seen from above its corner: top, front and side."""
    top, low, far = -0.62, 0.98, 0.5
    pen.polygon("cube.front", "body", [(-0.9, -0.45), (0.0, -0.1), (0.0, low), (-0.9, 0.55)])
    pen.polygon("cube.side", "shade", [(0.0, -0.1), (0.9, -0.45), (0.9, 0.55), (0.0, low)])
    pen.polygon("cube.top", "body", [(-0.9, -0.45), (0.0, -0.85), (0.9, -0.45), (0.0, -0.1)])
    for a, b in (((-0.9, -0.45), (0, -0.1)), ((0, -0.1), (0.9, -0.45)), ((0, -0.1), (0, low))):
        pen.line("cube.edge", "light", [a, b], 0.07, inside="cube")
    pen.seat = (0.0, (top - far) / 2 + 0.1)


def triangle(pen: Pen) -> None:
    """A triangle with soft corners and a shaded foot."""
    corners = [(0, -0.82), (0.88, 0.72), (-0.88, 0.72)]
    pen.polygon("triangle", "body", corners)
    pen.line("triangle", "body", [*corners, corners[0]], 0.24)
    pen.box("triangle.foot", "shade", -1.1, 0.52, 1.1, 0.9, inside="triangle")


def star(pen: Pen) -> None:
    """A five-pointed star, its right-hand facets in shade."""
    points = []
    for k in range(10):
        angle, radius = math.pi * (k / 5 - 0.5), (1.0, 0.46)[k % 2]
        points.append((radius * math.cos(angle), radius * math.sin(angle)))
    pen.polygon("star", "body", points)
    pen.line("star", "body", [*points, points[0]], 0.1)
    for k in range(0, 10, 2):
        pen.polygon("star.facet", "shade", [(0, 0), points[k], points[(k + 1) % 10]], inside="star")


def heart(pen: Pen) -> None:
    """A heart with a gleam."""
    curve = []
    for k in range(60):
        t = 2 * math.pi * k / 60
        x, y = (
            16 * math.sin(t) ** 3,
            -(13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)),
        )
        curve.append((x / 16.5, y / 16.5))
    pen.polygon("heart", "body", curve)
    pen.polygon(
        "heart.underside", "shade", [(x * 1.2 + 0.1, y * 1.2 + 0.16) for x, y in curve], inside="heart"
    )
    pen.polygon("heart", "body", [(x * 0.98 - 0.07, y * 0.98 - 0.08) for x, y in curve], inside="heart")
    pen.disk("heart.gleam", "light", -0.5, -0.42, 0.2, 0.12, turn=-45)
    pen.seat = (0.0, -0.3)


def ring(pen: Pen) -> None:
    """A ring with a stone: band, setting, gem."""
    pen.hoop("band", "body", 0, 0.2, 0.8, 0.5)
    pen.hoop("band.inside", "shade", 0, 0.2, 0.59, 0.5)
    pen.polygon("gem", "light", [(-0.36, -0.98), (0.36, -0.98), (0.56, -0.74), (0, -0.28), (-0.56, -0.74)])
    pen.polygon("gem.facet", "accent", [(-0.2, -0.74), (0.2, -0.74), (0, -0.28)])
    pen.polygon("gem.facet", "accent", [(0.36, -0.98), (0.56, -0.74), (0.2, -0.74)])
