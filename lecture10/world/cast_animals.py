"""The cast, second family: animals and two who look like people."""

from lecture10.world.pen import Pen


def _eye(pen: Pen, part: str, x: float, y: float, r: float) -> None:
    """A dark eye with a glint: legible at eight pixels, alive at sixty-four."""
    pen.disk(part, "dark", x, y, r, r * 1.15)
    pen.disk(f"{part}.glint", "light", x - 0.3 * r, y - 0.4 * r, 0.36 * r)


def bear(pen: Pen) -> None:
    """A teddy bear, sitting: head with ears, eyes and muzzle; trunk with tummy; arms and feet."""
    pen.disk("trunk", "body", 0, 0.45, 0.52, 0.5)
    pen.disk("trunk.tummy", "light", 0, 0.5, 0.3, 0.32)
    for x in (-1, 1):
        pen.disk("arm", "body", 0.56 * x, 0.28, 0.18, 0.32, turn=-32 * x)
        pen.disk("foot", "body", 0.5 * x, 0.8, 0.26, 0.24)
        pen.disk("foot.sole", "accent", 0.52 * x, 0.82, 0.14, 0.13)
        pen.disk("head.ear", "body", 0.54 * x, -0.78, 0.24)
        pen.disk("head.ear.inside", "accent", 0.54 * x, -0.76, 0.12)
    pen.disk("head", "body", 0, -0.36, 0.7, 0.6)
    pen.disk("head.muzzle", "light", 0, -0.16, 0.32, 0.25)
    pen.disk("head.muzzle.nose", "dark", 0, -0.27, 0.13, 0.09)
    for x in (-0.3, 0.3):
        _eye(pen, "head.eye", x, -0.46, 0.1)


def cat(pen: Pen) -> None:
    """A cat, sitting, tail around: pointed ears, whiskers, a light chest."""
    pen.line("tail", "body", [(0.42, 0.86), (0.78, 0.78), (0.92, 0.5), (0.84, 0.22), (0.92, 0.08)], 0.2)
    pen.blob(
        "trunk", "body", [(-0.3, -0.1), (0.3, -0.1), (0.56, 0.5), (0.5, 0.96), (-0.5, 0.96), (-0.56, 0.5)]
    )
    pen.disk("trunk.chest", "light", 0, 0.38, 0.22, 0.32)
    for x in (-0.2, 0.2):
        pen.disk("trunk.paw", "shade", x, 0.9, 0.17, 0.11)
    for x in (-1, 1):
        pen.polygon("head.ear", "body", [(0.7 * x, -1.05), (0.68 * x, -0.35), (0.12 * x, -0.68)])
        pen.polygon("head.ear.inside", "accent", [(0.6 * x, -0.86), (0.58 * x, -0.5), (0.28 * x, -0.66)])
    pen.disk("head", "body", 0, -0.32, 0.72, 0.52)
    for x in (-1, 1):
        pen.disk("head.eye", "light", 0.3 * x, -0.38, 0.17, 0.19)
        pen.disk("head.eye.pupil", "dark", 0.3 * x, -0.37, 0.09, 0.16)
        pen.line("head.whisker", "dark", [(0.42 * x, -0.08), (0.82 * x, -0.14)], 0.04)
        pen.line("head.whisker", "dark", [(0.42 * x, -0.02), (0.8 * x, 0.06)], 0.04)
    pen.polygon("head.nose", "accent", [(-0.1, -0.16), (0.1, -0.16), (0, -0.04)])
    mouth = [(-0.16, -0.01), (-0.08, 0.05), (0, -0.02), (0.08, 0.05), (0.16, -0.01)]
    pen.line("head.mouth", "dark", mouth, 0.045)


def dog(pen: Pen) -> None:
    """A dog, standing side-on with its tail up: floppy ear, long snout, collar."""
    pen.line("tail", "body", [(-0.72, 0.0), (-0.92, -0.28), (-0.9, -0.5)], 0.17)
    for x, role in ((-0.46, "shade"), (0.24, "shade"), (-0.66, "body"), (0.42, "body")):
        pen.box("leg", role, x - 0.11, 0.3, x + 0.11, 0.98, round=0.1)
    pen.box("trunk", "body", -0.82, -0.16, 0.58, 0.56, round=0.32)
    pen.disk("trunk.tummy", "light", -0.12, 0.6, 0.42, 0.2, inside="trunk")
    pen.polygon("neck", "body", [(0.08, 0.1), (0.2, -0.5), (0.66, -0.4), (0.58, 0.26)])
    pen.line("neck.collar", "accent", [(0.2, -0.06), (0.62, 0.04)], 0.13)
    pen.disk("head", "body", 0.42, -0.54, 0.36, 0.34)
    pen.box("head.snout", "body", 0.42, -0.56, 1.0, -0.2, round=0.17)
    pen.box("head.snout.chin", "light", 0.56, -0.33, 0.98, -0.2, round=0.06)
    pen.disk("head.snout.nose", "dark", 0.93, -0.5, 0.12, 0.1)
    pen.disk("head.ear", "shade", 0.16, -0.44, 0.18, 0.36, turn=12)
    _eye(pen, "head.eye", 0.52, -0.64, 0.09)
    pen.seat = (-0.25, -0.16)


def bird(pen: Pen) -> None:
    """A round bird, side-on: folded wing, short beak, thin legs."""
    for x in (-0.08, 0.2):
        pen.line("leg", "dark", [(x, 0.5), (x, 0.94), (x + 0.18, 0.94)], 0.08)
    pen.polygon("tail", "shade", [(-0.5, 0.0), (-1.02, -0.28), (-0.98, 0.06), (-0.86, 0.3), (-0.4, 0.42)])
    pen.polygon("beak", "accent", [(0.7, -0.62), (1.06, -0.42), (0.7, -0.28)])
    pen.disk("trunk", "body", 0.02, 0.16, 0.64, 0.5, turn=-14)
    pen.disk("head", "body", 0.42, -0.42, 0.42, 0.42)
    pen.disk("trunk.breast", "light", 0.5, 0.22, 0.34, 0.4, turn=20, inside="trunk")
    pen.blob(
        "wing",
        "shade",
        [(0.26, 0.0), (-0.1, -0.16), (-0.66, 0.06), (-0.62, 0.24), (-0.24, 0.44), (0.12, 0.34)],
    )
    _eye(pen, "head.eye", 0.54, -0.5, 0.11)
    pen.seat = (-0.15, -0.2)


def horse(pen: Pen) -> None:
    """A horse, side-on: long neck, mane, tail and four hoofed legs."""
    pen.blob(
        "tail",
        "dark",
        [(-0.66, -0.16), (-0.84, -0.1), (-0.98, 0.24), (-0.96, 0.6), (-0.84, 0.4), (-0.68, 0.1)],
    )
    for x, role in ((-0.38, "shade"), (0.16, "shade"), (-0.58, "body"), (0.36, "body")):
        pen.polygon("leg", role, [(x - 0.12, 0.1), (x + 0.12, 0.1), (x + 0.08, 0.9), (x - 0.08, 0.9)])
        pen.box("leg.hoof", "dark", x - 0.1, 0.84, x + 0.11, 1.0, round=0.03)
    pen.box("trunk", "body", -0.74, -0.2, 0.5, 0.38, round=0.27)
    pen.polygon("neck", "body", [(0.06, -0.04), (0.34, -0.78), (0.64, -0.58), (0.52, 0.2)])
    pen.polygon("head.ear", "body", [(0.34, -0.7), (0.4, -1.02), (0.54, -0.74)])
    pen.blob(
        "head",
        "body",
        [(0.36, -0.8), (0.58, -0.82), (0.98, -0.46), (0.96, -0.28), (0.8, -0.22), (0.5, -0.42)],
    )
    pen.disk("head.muzzle", "light", 0.94, -0.3, 0.2, 0.18, inside="head")
    pen.disk("head.muzzle.nostril", "dark", 0.9, -0.36, 0.04)
    pen.blob(
        "neck.mane",
        "dark",
        [(0.4, -0.88), (0.3, -0.84), (0.1, -0.5), (-0.02, -0.1), (0.14, -0.14), (0.3, -0.5)],
    )
    _eye(pen, "head.eye", 0.6, -0.6, 0.075)
    pen.seat = (-0.16, -0.2)


def fish(pen: Pen) -> None:
    """A fish swimming to the right: fins, tail, scales of light."""
    pen.polygon("tail", "shade", [(-0.42, 0.0), (-1.0, -0.52), (-0.82, 0.0), (-1.0, 0.52)])
    pen.blob("fin", "shade", [(-0.3, -0.42), (-0.1, -0.74), (0.34, -0.7), (0.5, -0.36)])
    pen.blob("fin", "shade", [(-0.1, 0.42), (-0.14, 0.68), (0.14, 0.64), (0.3, 0.42)])
    pen.disk("trunk", "body", 0.16, 0, 0.8, 0.5)
    pen.disk("trunk.belly", "light", 0.2, 0.42, 0.6, 0.2, inside="trunk")
    pen.arc("trunk.gill", "shade", 0.1, 0.0, 0.36, -50, 50, 0.07)
    pen.disk("trunk.fin", "shade", 0.06, 0.12, 0.22, 0.11, turn=24)
    pen.disk("eye", "light", 0.66, -0.12, 0.15)
    pen.disk("eye.pupil", "dark", 0.69, -0.12, 0.085)
    pen.line("mouth", "dark", [(0.84, 0.16), (0.92, 0.1)], 0.05)
    pen.seat = (0.05, -0.46)


def astronaut(pen: Pen) -> None:
    """An astronaut, standing: round helmet, suit in the noun's colour, pack, arms out."""
    pen.box("pack", "shade", -0.46, 0.0, 0.46, 0.6, round=0.1)
    for x in (-1, 1):
        pen.line("arm", "body", [(0.3 * x, 0.2), (0.6 * x, 0.3), (0.68 * x, 0.12)], 0.24)
        pen.disk("arm.glove", "light", 0.69 * x, 0.06, 0.15)
        pen.box("leg", "body", 0.2 * x - 0.16, 0.5, 0.2 * x + 0.16, 0.98, round=0.08)
        pen.box("leg.boot", "light", 0.23 * x - 0.2, 0.82, 0.23 * x + 0.2, 1.0, round=0.08)
    pen.box("suit", "body", -0.36, 0.04, 0.36, 0.68, round=0.16)
    pen.box("suit.panel", "light", -0.2, 0.3, 0.2, 0.5, round=0.04)
    pen.disk("suit.panel.button", "accent", -0.09, 0.4, 0.055)
    pen.disk("suit.panel.button", "dark", 0.09, 0.4, 0.055)
    pen.disk("helmet", "body", 0, -0.42, 0.58)
    pen.disk("helmet.rim", "light", 0, -0.4, 0.46, 0.4)
    pen.disk("helmet.visor", "dark", 0, -0.39, 0.4, 0.33)
    pen.disk("helmet.visor.glint", "light", -0.16, -0.5, 0.12, 0.07, turn=-35)


def scarecrow(pen: Pen) -> None:
    """A scarecrow on a pole: arms wide, straw at the cuffs, pointed hat, stitched smile."""
    pen.line("pole", "dark", [(0, 0.5), (0, 0.98)], 0.13)
    pen.line("pole", "dark", [(-0.86, 0.06), (0.86, 0.06)], 0.08)
    for x in (-1, 1):
        for y in (-0.08, 0.06, 0.2):
            pen.line("straw", "accent", [(0.72 * x, 0.07), (0.97 * x, 0.06 + 1.1 * (y - 0.06))], 0.07)
        pen.line("straw", "accent", [(0.2 * x, 0.7), (0.3 * x, 0.86)], 0.08)
        pen.polygon(
            "coat.sleeve", "body", [(0.2 * x, -0.12), (0.8 * x, -0.08), (0.8 * x, 0.22), (0.2 * x, 0.32)]
        )
    pen.polygon("coat", "body", [(-0.3, -0.14), (0.3, -0.14), (0.44, 0.76), (-0.44, 0.76)])
    pen.box("coat.patch", "shade", 0.06, 0.34, 0.28, 0.58)
    for y in (0.1, 0.3):
        pen.disk("coat.button", "dark", -0.04, y, 0.045)
    pen.disk("head", "accent", 0, -0.36, 0.34, 0.32)
    for x in (-0.13, 0.13):
        pen.disk("head.eye", "dark", x, -0.38, 0.055)
    pen.arc("head.mouth", "dark", 0, -0.34, 0.17, 35, 145, 0.05)
    pen.disk("hat.brim", "shade", 0, -0.56, 0.52, 0.12)
    pen.polygon("hat", "body", [(-0.32, -0.56), (-0.12, -1.0), (0.1, -0.98), (0.32, -0.56)])
    pen.line("hat.band", "light", [(-0.27, -0.62), (0.27, -0.62)], 0.09)
