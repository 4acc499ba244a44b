"""Pick a box on a scene, or set one: what CLIP says of the crop, what its map says, what the student says."""

from collections.abc import Mapping

import torch
from torch import Tensor

from lecture10.models.clip import CLIP
from lecture10.models.regionclip import RegionCLIP, check_boxes, soft_scores
from lecture10.plots.figure import Picture, picture
from lecture10.plots.regionclip import cases_figure
from lecture10.recipes.region_cases import top
from lecture10.recipes.regions import concept_embeddings, readings
from lecture10.widgets.live import Live
from lecture10.world.render import render
from lecture10.world.scene import Scene, scene

COMPARED = {"CLIP on the crop": "crop", "CLIP's map": "CLIP's map", "the student": "student"}
OWN = "a box of my own"


class RegionReader:
    """What three readings call a box, among all 300 names, at CLIP's own temperature."""

    def __init__(self, clip: CLIP, student: RegionCLIP):
        self.clip, self.student = clip.eval(), student.eval()
        self.classes = concept_embeddings(clip)
        self.scale = float(clip.held_logit_scale().detach().exp())

    @torch.no_grad()
    def says(self, image: Tensor, box_xyxy: tuple[float, ...]) -> dict[str, list[tuple[str, float]]]:
        """Reading -> its three likeliest names. image: (3, S, S) in [0, 1]; box_xyxy in [0, 1].

        Raises ValueError, with the cure, for a box that is empty, inverted or outside.
        """
        box, of = torch.tensor([box_xyxy]), torch.tensor([0])
        check_boxes(box, of, 1)
        reads = readings(self.clip, self.student)
        return {
            name: top(soft_scores(reads[key](image[None], box, of), self.classes, self.scale))[0]
            for name, key in COMPARED.items()
        }

    def picture(self, image: Tensor, box_xyxy: tuple[float, ...], truth: str = "") -> Picture:
        """The scene with its box beside the three lists; its alternative text says each first name."""
        import matplotlib.pyplot as plt

        found = self.says(image, box_xyxy)
        case = {"title": "in the box:" if truth else "your box", "truth": truth, "image": image}
        fig = cases_figure([case | {"box": box_xyxy, "says": found}])
        first = ", ".join(f"{name} says {said[0][0]} {said[0][1]:.2f}" for name, said in found.items())
        try:
            return picture(fig, f"{truth or 'a box'}: {first}")
        finally:
            plt.close(fig)


def things_in(shown: Scene, size: int) -> tuple[Tensor, dict[str, tuple[float, ...]]]:
    """A scene's picture (3, size, size), and the true box of each thing that can be seen, by its name."""
    painted, boxes = render(shown, size), {}
    for k, thing in enumerate(shown.things):
        if painted.visible[0, k] > 0:
            name = f"{thing.colour} {thing.noun}"
            again = sum(known.startswith(name) for known in boxes)
            boxes[name + (f" ({again + 1})" if again else "")] = tuple(painted.boxes[0, k].tolist())
    return painted.image[0], boxes


class _Panel:
    """The controls: menus of scenes and of their true boxes, a line for a scene, sliders for any box."""

    def __init__(self, reader: RegionReader, scenes: Mapping[str, Scene]):
        import ipywidgets as widgets

        self.reader, self.scenes = reader, scenes
        hint = "a blue bear; a red ball"
        self.menu = widgets.Dropdown(options=list(scenes), description="scene")
        self.own = widgets.Text("", description="or draw", placeholder=hint, continuous_update=False)
        self.paint()
        self.pick = widgets.Dropdown(options=[*self.boxes, OWN], description="box")
        span = {"min": 0.0, "max": 1.0, "step": 0.01, "readout_format": ".2f", "continuous_update": False}
        self.across = widgets.FloatRangeSlider(value=(0.25, 0.75), description="left, right", **span)
        self.down = widgets.FloatRangeSlider(value=(0.25, 0.75), description="top, bottom", **span)
        self.first = self.current()
        self.image, self.says = widgets.Image(value=self.first.png, format="png"), widgets.HTML("")
        left, right = widgets.VBox([self.menu, self.own, self.pick]), widgets.VBox([self.across, self.down])
        self.all = widgets.VBox([widgets.HBox([left, right]), self.says, self.image])
        for control in (self.menu, self.own):
            control.observe(self.repaint, names="value")
        for control in (self.across, self.down):
            control.observe(self.own_box, names="value")
        self.pick.observe(self.redraw, names="value")

    def paint(self) -> None:
        phrases = [phrase.strip() for phrase in self.own.value.split(";") if phrase.strip()]
        shown = scene(*phrases) if phrases else self.scenes[self.menu.value]
        self.shown, self.boxes = things_in(shown, self.reader.clip.config.image.image_size)

    def current(self) -> Picture:
        box = self.boxes.get(self.pick.value)
        if box is not None:
            return self.reader.picture(self.shown, box, self.pick.value.split(" (")[0])
        (x0, x1), (y0, y1) = self.across.value, self.down.value
        return self.reader.picture(self.shown, (x0, y0, x1, y1))

    def redraw(self, _=None) -> None:
        try:
            self.image.value, self.says.value = self.current().png, ""
        except ValueError as error:
            self.says.value = str(error)

    def repaint(self, _=None) -> None:
        try:
            self.paint()
        except ValueError as error:
            self.says.value = str(error)
            return
        self.pick.options = [*self.boxes, OWN]  # picks the first
        self.redraw()

    def own_box(self, _=None) -> None:
        self.pick.value = OWN
        self.redraw()


def region_reader(clip: CLIP, student: RegionCLIP, scenes: Mapping[str, Scene]) -> Live:
    """A menu of scenes, a line to write one's own ("a blue bear; a red ball"), a menu of its true boxes, and
    sliders for a box of one's own; a still picture elsewhere.
    """
    panel = _Panel(RegionReader(clip, student), scenes)
    return Live(panel.all, panel.first)
