"""The cast, fourth family: what travels and what stands."""

from lecture10.world.pen import Pen


def boat(pen: Pen) -> None:
    """A sailing boat: hull, mast, mainsail, jib, pennant."""
    pen.line("mast", "dark", [(0, -0.94), (0, 0.4)], 0.09)
    pen.polygon("sail", "light", [(0.1, -0.84), (0.78, 0.22), (0.1, 0.22)])
    pen.line("sail.seam", "body", [(0.1, -0.12), (0.64, -0.12)], 0.1, inside="sail")
    pen.polygon("jib", "body", [(-0.1, -0.7), (-0.1, 0.22), (-0.66, 0.22)])
    pen.polygon("pennant", "accent", [(0.02, -1.0), (0.36, -0.9), (0.02, -0.8)])
    pen.blob(
        "hull",
        "body",
        [(-0.96, 0.36), (0.0, 0.4), (0.98, 0.34), (0.72, 0.86), (0.3, 0.94), (-0.44, 0.92), (-0.78, 0.74)],
    )
    pen.box("hull.keel", "shade", -1.1, 0.72, 1.1, 1.0, inside="hull")
    for x in (-0.4, 0.0, 0.4):
        pen.disk("hull.porthole", "light", x, 0.58, 0.085)
    pen.seat = (-0.3, 0.34)


def skateboard(pen: Pen) -> None:
    """A skateboard: bent deck with a stripe, trucks, two wheels."""
    pen.line("deck", "body", [(-0.84, -0.3), (-0.6, -0.06), (0.6, -0.06), (0.84, -0.3)], 0.36)
    pen.line("deck.edge", "shade", [(-0.86, -0.18), (-0.62, 0.07), (0.62, 0.07), (0.86, -0.18)], 0.1)
    for x in (-0.46, 0.46):
        pen.box("truck", "dark", x - 0.09, 0.06, x + 0.09, 0.26)
        pen.disk("wheel", "dark", x, 0.3, 0.2)
        pen.disk("wheel.hub", "light", x, 0.3, 0.09)
    pen.seat = (0.0, -0.22)


def car(pen: Pen) -> None:
    """A small car driving right: cabin with windows, door, lamps, wheels."""
    pen.blob(
        "cabin",
        "body",
        [(-0.66, -0.04), (-0.44, -0.54), (0.0, -0.62), (0.32, -0.52), (0.62, -0.02), (0.0, 0.1)],
    )
    pen.polygon("cabin.window", "light", [(-0.5, -0.06), (-0.36, -0.42), (-0.06, -0.46), (-0.06, -0.06)])
    pen.polygon("cabin.window", "light", [(0.06, -0.06), (0.06, -0.46), (0.26, -0.4), (0.46, -0.06)])
    pen.box("chassis", "body", -0.98, -0.1, 1.0, 0.4, round=0.18)
    pen.box("chassis.sill", "shade", -0.98, 0.24, 1.0, 0.44, round=0.08, inside="chassis")
    pen.line("chassis.handle", "dark", [(-0.2, 0.06), (-0.06, 0.06)], 0.06)
    pen.disk("chassis.lamp", "accent", 0.9, 0.06, 0.1, 0.12, inside="chassis")
    for x in (-0.52, 0.52):
        pen.disk("wheel", "dark", x, 0.42, 0.26)
        pen.disk("wheel.hub", "light", x, 0.42, 0.12)
    pen.seat = (-0.05, -0.6)


def rocket(pen: Pen) -> None:
    """A rocket taking off: nose cone, porthole, fins, flame."""
    pen.blob("flame", "accent", [(-0.2, 0.6), (0.2, 0.6), (0.18, 0.84), (0, 1.0), (-0.18, 0.84)])
    pen.blob("flame.core", "light", [(-0.1, 0.62), (0.1, 0.62), (0.07, 0.74), (0, 0.84), (-0.07, 0.74)])
    for x in (-1, 1):
        pen.polygon("fin", "shade", [(0.3 * x, 0.1), (0.62 * x, 0.44), (0.62 * x, 0.76), (0.28 * x, 0.58)])
    hull = [(0, -1.0), (0.26, -0.66), (0.38, -0.2), (0.34, 0.3), (0.24, 0.64)]
    pen.blob("hull", "body", hull + [(-x, y) for x, y in hull[:0:-1]])
    pen.box("hull.nose", "shade", -0.5, -1.1, 0.5, -0.6, inside="hull")
    pen.disk("hull.porthole", "light", 0, -0.22, 0.2)
    pen.disk("hull.porthole.pane", "dark", 0, -0.22, 0.13)
    pen.line("hull.belt", "light", [(-0.4, 0.34), (0.4, 0.34)], 0.09, inside="hull")


def house(pen: Pen) -> None:
    """A house: walls, roof, chimney, door with a knob, two windows."""
    pen.box("chimney", "dark", 0.4, -0.88, 0.62, -0.3)
    pen.box("wall", "body", -0.74, -0.16, 0.74, 0.96)
    pen.polygon("roof", "shade", [(0, -0.98), (1.0, -0.06), (-1.0, -0.06)])
    pen.line("roof.eaves", "light", [(-0.94, -0.06), (0.94, -0.06)], 0.09)
    pen.box("door", "dark", -0.19, 0.36, 0.19, 0.96, round=0.04)
    pen.disk("door.knob", "light", 0.1, 0.68, 0.045)
    for x in (-0.47, 0.47):
        pen.box("window", "light", x - 0.17, 0.16, x + 0.17, 0.52)
        pen.line("window.bar", "dark", [(x, 0.16), (x, 0.52)], 0.05)
        pen.line("window.bar", "dark", [(x - 0.17, 0.34), (x + 0.17, 0.34)], 0.05)


def tree(pen: Pen) -> None:
    """A tree: a trunk and a crown of leaves with fruit."""
    pen.polygon("trunk", "dark", [(-0.14, 0.2), (0.14, 0.2), (0.2, 0.98), (-0.2, 0.98)])
    crown = [(0, -0.5, 0.48), (-0.42, -0.16, 0.42), (0.42, -0.16, 0.42), (0, 0.12, 0.46)]
    for x, y, r in crown:
        pen.disk("crown", "body", x, y, r)
    pen.disk("crown.shadow", "shade", 0.5, 0.06, 0.34, inside="crown")
    pen.disk("crown.shadow", "shade", 0.06, 0.34, 0.44, 0.26, inside="crown")
    for x, y in ((-0.44, -0.14), (0.08, -0.56), (0.3, -0.1), (-0.1, 0.16)):
        pen.disk("crown.fruit", "accent", x, y, 0.1)


def table(pen: Pen) -> None:
    """A table with four legs and a cloth's edge."""
    for x, role in ((-0.5, "shade"), (0.5, "shade"), (-0.8, "body"), (0.8, "body")):
        pen.box("leg", role, x - 0.09, -0.2, x + 0.09, 0.62 if role == "body" else 0.5)
    pen.polygon("top", "body", [(-0.72, -0.56), (0.72, -0.56), (1.0, -0.24), (-1.0, -0.24)])
    pen.box("top.edge", "shade", -1.0, -0.26, 1.0, -0.08, round=0.03)
    pen.line("top.gleam", "light", [(-0.6, -0.44), (-0.2, -0.44)], 0.06)
    pen.seat = (0.0, -0.42)


def sign(pen: Pen) -> None:
    """A sign on two posts: a frame in the noun's colour around a light board for the text."""
    for x in (-0.6, 0.6):
        pen.box("post", "dark", x - 0.06, 0.2, x + 0.06, 0.56)
    pen.box("frame", "body", -1.0, -0.46, 1.0, 0.36, round=0.09)
    pen.box("frame.board", "light", *SIGN_BOARD, round=0.03)
    pen.seat = (0.0, -0.46)


SIGN_BOARD = (-0.91, -0.31, 0.91, 0.21)  # where `render` writes
