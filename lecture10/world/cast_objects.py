"""The cast, third family: things to eat, to hold and to look at."""

import math

from lecture10.world.pen import Pen


def pizza(pen: Pen) -> None:
    """A round pizza with one slice pulled out: crust, cheese, salami and olives."""
    pen.disk("crust", "shade", 0, 0.04, 0.96)
    pen.disk("cheese", "body", 0, 0.04, 0.8)
    cut = [(0.04, 0.0), (0.34, -1.1), (1.2, -1.1), (1.2, -0.2)]
    pen.polygon("gap", "light", cut, inside="crust")
    pen.polygon("gap", "light", cut, inside="cheese")
    pen.polygon(
        "slice.crust", "shade", [(0.34, -0.93), (0.5, -1.0), (0.86, -0.76), (1.06, -0.4), (0.93, -0.29)]
    )
    pen.polygon("slice", "body", [(0.18, -0.14), (0.4, -0.84), (0.7, -0.68), (0.9, -0.32)])
    for x, y, r in (
        (-0.42, -0.34, 0.19),
        (-0.38, 0.38, 0.19),
        (0.3, 0.46, 0.19),
        (-0.02, 0.02, 0.14),
        (0.54, -0.5, 0.15),
    ):
        pen.disk("topping", "accent", x, y, r)
    for x, y in ((0.02, -0.52), (-0.66, 0.04), (0.0, 0.68), (0.56, 0.12), (-0.02, 0.34)):
        pen.disk("topping.olive", "dark", x, y, 0.075)


def coin(pen: Pen) -> None:
    """A coin: milled rim, a cent sign, a gleam."""
    pen.disk("rim", "shade", 0, 0, 1)
    for k in range(24):
        a = math.pi * k / 12
        pen.line(
            "rim.notch",
            "body",
            [(0.9 * math.cos(a), 0.9 * math.sin(a)), (math.cos(a), math.sin(a))],
            0.07,
            "rim",
        )
    pen.disk("face", "body", 0, 0, 0.84)
    pen.hoop("face.line", "shade", 0, 0, 0.72, 0.66)
    pen.arc("face.cent", "dark", 0.03, 0, 0.3, 45, 315, 0.15)
    pen.line("face.cent", "dark", [(0.02, -0.48), (0.02, 0.48)], 0.11)
    pen.arc("face.gleam", "light", 0, 0, 0.55, 195, 245, 0.08)


def banana(pen: Pen) -> None:
    """A banana: a thick crescent with a dark tip and a stalk."""
    outer = [(-0.9, -0.38), (-0.7, 0.2), (-0.26, 0.56), (0.28, 0.58), (0.74, 0.28), (0.96, -0.3)]
    inner = [(0.82, -0.42), (0.5, -0.1), (0.12, 0.04), (-0.26, -0.02), (-0.56, -0.22), (-0.76, -0.48)]
    pen.blob("peel", "body", outer + inner)
    lower = [(-0.84, -0.16), (-0.56, 0.18), (-0.18, 0.36), (0.24, 0.36), (0.6, 0.14), (0.88, -0.28)]
    pen.blob(
        "peel.underside", "shade", [*lower, (1.1, 0.3), (0.4, 0.9), (-0.5, 0.9), (-1.1, 0.3)], inside="peel"
    )
    pen.line("stalk", "dark", [(0.9, -0.38), (0.96, -0.56)], 0.16)
    pen.disk("tip", "dark", -0.85, -0.43, 0.1, 0.08, turn=-30)
    pen.seat = (0.1, -0.02)


def glass(pen: Pen) -> None:
    """A wine glass: bowl in the noun's colour, bright rim, stem and foot."""
    pen.blob(
        "bowl",
        "body",
        [(-0.58, -0.98), (0.58, -0.98), (0.62, -0.5), (0.4, -0.02), (0, 0.12), (-0.4, -0.02), (-0.62, -0.5)],
    )
    pen.disk("bowl", "body", 0, -0.88, 0.59, 0.15)
    pen.disk("bowl.rim", "light", 0, -0.88, 0.49, 0.09)
    pen.line("bowl.gleam", "light", [(-0.4, -0.5), (-0.3, -0.2)], 0.1)
    pen.box("stem", "body", -0.1, 0.06, 0.1, 0.86)
    pen.disk("foot", "body", 0, 0.88, 0.5, 0.14)
    pen.disk("foot.underside", "shade", 0, 0.96, 0.5, 0.1, inside="foot")


def cup(pen: Pen) -> None:
    """A mug with a handle, a saucer and steam."""
    pen.hoop("handle", "shade", 0.58, 0.16, 0.36, 0.17)
    pen.box("mug", "body", -0.72, -0.32, 0.56, 0.74, round=0.22)
    pen.box("mug", "body", -0.72, -0.36, 0.56, 0.2)
    pen.disk("mug.rim", "light", -0.08, -0.36, 0.64, 0.16)
    pen.disk("mug.rim.drink", "dark", -0.08, -0.35, 0.52, 0.1)
    pen.line("mug.gleam", "light", [(-0.52, 0.04), (-0.52, 0.4)], 0.1)
    pen.disk("saucer", "shade", -0.08, 0.8, 0.9, 0.14)
    for x in (-0.3, 0.12):
        pen.line("steam", "light", [(x, -0.56), (x + 0.1, -0.7), (x, -0.84), (x + 0.1, -0.98)], 0.09)
    pen.seat = (-0.08, -0.4)


def book(pen: Pen) -> None:
    """A closed book lying a little open to the eye: cover, pages, title, ribbon."""
    pen.box("cover", "shade", -0.78, -0.98, 0.84, 0.98, round=0.1)
    pen.box("pages", "light", -0.66, 0.66, 0.8, 0.9, round=0.04)
    pen.line("pages.line", "dark", [(-0.6, 0.78), (0.78, 0.78)], 0.04)
    pen.box("cover", "body", -0.78, -0.98, 0.84, 0.7, round=0.1)
    pen.box("cover.spine", "shade", -0.78, -0.98, -0.54, 0.7, round=0.1)
    pen.box("cover.title", "light", -0.3, -0.66, 0.6, -0.26, round=0.06)
    pen.line("cover.title.line", "dark", [(-0.14, -0.46), (0.44, -0.46)], 0.09)
    pen.polygon("ribbon", "accent", [(0.44, 0.62), (0.64, 0.62), (0.64, 1.0), (0.54, 0.9), (0.44, 1.0)])


def hat(pen: Pen) -> None:
    """A top hat with a band and a feather."""
    pen.blob("feather", "accent", [(0.36, 0.3), (0.5, -0.3), (0.86, -0.74), (0.92, -0.3), (0.66, 0.14)])
    pen.polygon("crown", "body", [(-0.54, -0.84), (0.54, -0.84), (0.48, 0.5), (-0.48, 0.5)])
    pen.disk("crown.top", "shade", 0, -0.8, 0.54, 0.14)
    pen.polygon("crown.band", "light", [(-0.51, 0.12), (0.51, 0.12), (0.49, 0.4), (-0.49, 0.4)])
    pen.disk("brim", "body", 0, 0.52, 0.98, 0.2)
    pen.disk("brim.underside", "shade", 0, 0.66, 0.92, 0.14, inside="brim")
    pen.disk("crown", "body", 0, 0.4, 0.48, 0.12)
    pen.seat = (0.0, -0.84)


def flower(pen: Pen) -> None:
    """A flower: six petals around an eye, a stem with two leaves."""
    pen.line("stem", "dark", [(0, 0.1), (0, 0.98)], 0.1)
    pen.disk("stem.leaf", "dark", -0.22, 0.78, 0.24, 0.1, turn=28)
    pen.disk("stem.leaf", "dark", 0.22, 0.64, 0.24, 0.1, turn=-28)
    for k in range(6):
        a = math.pi * (k / 3 + 1 / 6)
        pen.disk("petal", "shade" if k % 2 else "body", 0.4 * math.cos(a), -0.34 + 0.4 * math.sin(a), 0.28)
    pen.disk("eye", "light", 0, -0.34, 0.24)
    pen.disk("eye.middle", "accent", 0, -0.34, 0.14)
