"""Build a scene with menus: the picture, its boxes, masks and parts, and three captions, at once."""

from dataclasses import dataclass

from lecture10.plots.figure import Picture, picture
from lecture10.plots.world import scene_figure
from lecture10.widgets.live import Live
from lecture10.world import vocabulary as v
from lecture10.world.render import render
from lecture10.world.scene import Scene, Thing
from lecture10.world.words import KINDS, caption

NOTHING, BESIDE = "(nothing)", "beside, no relation said"
SIZE = 128  # pixels: large enough for parts
RIDE = Scene.of("a brown bear", "a red skateboard", relations=((0, "riding", 1),), backdrop="grass")


@dataclass(frozen=True)
class Built:
    """A scene with its picture and its captions by kind."""

    scene: Scene
    picture: Picture
    captions: dict[str, str]


def build(scene: Scene, *, boxes: bool = True, masks: bool = True, seed: int = 0) -> Built:
    """The scene drawn, with its truth and a caption of each kind; seed: of the captions' words."""
    import matplotlib.pyplot as plt

    drawn = render(scene, SIZE, parts=True)
    captions = {kind: caption(scene.placed(), kind, seed).text for kind in KINDS}
    fig = scene_figure(drawn, boxes=boxes, masks=masks)
    try:
        alt = f"{captions['short']} ({scene.style}): the picture, its boxes and masks, its parts"
        return Built(scene, picture(fig, alt), captions)
    finally:
        plt.close(fig)


def scene_builder(first: Scene = RIDE) -> Live:
    """Menus for two things, their relation, backdrop and style; below them the picture, its truth and three
    captions. A scene that cannot be drawn says why. first: the scene to start from, of one or two things.
    """
    if len(first.things) > 2:
        raise ValueError(f"the builder holds one or two things, not {len(first.things)}: leave some out")
    return _Builder(first).live


class _Builder:
    """The menus, and what they show."""

    def __init__(self, first: Scene):
        import ipywidgets as widgets

        second = first.things[1] if len(first.things) > 1 else None
        self.rows = _menus(first.things[0], v.NOUNS), _menus(second, (NOTHING, *v.NOUNS))
        self.relation = _menu((BESIDE, *v.RELATIONS), first.relations[0][1] if first.relations else BESIDE)
        self.backdrop, self.style = _menu(v.BACKDROPS, first.backdrop), _menu(v.STYLES, first.style)
        self.text = widgets.Text(
            "NeurIPS", layout={"width": "200px"}, description="a sign says", continuous_update=False
        )
        self.boxes, self.masks = (
            widgets.Checkbox(True, description=n, indent=False) for n in ("boxes", "masks")
        )
        whole = [self.backdrop, self.style, self.text, self.boxes, self.masks]
        start = build(first)
        self.image = widgets.Image(value=start.picture.png, format="png")
        self.says = widgets.HTML(_listed(start.captions))
        for control in (*self.rows[0], *self.rows[1], self.relation, *whole):
            control.observe(self.redraw, names="value")
        lines = [self.rows[0], [self.relation], self.rows[1], whole]
        self.live = Live(
            widgets.VBox([*(widgets.HBox(line) for line in lines), self.image, self.says]), start.picture
        )

    def thing(self, row: list) -> Thing | None:
        """What one row of menus asks for."""
        size, material, colour, noun = (menu.value for menu in row)
        if noun == NOTHING:
            return None
        wanted = self.text.value.strip() or None
        return Thing(noun, colour, material, size, text=wanted if noun == "sign" else None)

    def scene(self) -> Scene:
        """What all menus ask for. Raises ValueError where it cannot be drawn."""
        things = tuple(thing for thing in map(self.thing, self.rows) if thing)
        related = len(things) > 1 and self.relation.value != BESIDE
        stated = ((0, self.relation.value, 1),) if related else ()
        return Scene(things, self.backdrop.value, self.style.value, stated)

    def redraw(self, _=None) -> None:
        """Show the scene; where there is none, say why and keep the last picture."""
        try:
            built = build(self.scene(), boxes=self.boxes.value, masks=self.masks.value)
            self.image.value, self.says.value = built.picture.png, _listed(built.captions)
        except ValueError as error:
            self.says.value = f"<b>cannot be drawn:</b> {_safe(str(error))}"


def _menu(options, value):
    import ipywidgets as widgets

    return widgets.Dropdown(options=list(options), value=value, layout={"width": "150px"})


def _menus(thing: Thing | None, nouns: tuple[str, ...]) -> list:
    """Size, material, colour and noun; "(nothing)" where there is no thing."""
    size, material = (thing.size, thing.material) if thing else ("large", "plain")
    colour, noun = (thing.colour, thing.noun) if thing else ("blue", NOTHING)
    names = (v.SIZE_NAMES, v.MATERIALS, v.COLOUR_NAMES, nouns)
    return [
        _menu(options, value) for options, value in zip(names, (size, material, colour, noun), strict=True)
    ]


def _listed(captions: dict[str, str]) -> str:
    return "".join(f"<div><b>{kind}</b>: {_safe(text)}</div>" for kind, text in captions.items())


def _safe(text: str) -> str:
    import html

    return html.escape(text)
