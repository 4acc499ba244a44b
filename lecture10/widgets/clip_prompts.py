"""Type prompts, pick or draw a scene, and watch which prompt CLIP takes; warm or cold."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lecture10.plots.clip import zero_shot_figure
from lecture10.plots.figure import Picture, picture
from lecture10.widgets.live import Live
from lecture10.world.render import render
from lecture10.world.scene import Scene, scene
from lecture10.zero_shot import Encode, check_classes, embed_images, embed_texts

MOST_PROMPTS = 8


class PromptPicker:
    """The probability of each of some prompts, given one picture.

    clip: a CLIP; encode: texts -> token ids (n, T).
    """

    def __init__(self, clip: nn.Module, encode: Encode):
        self.clip, self.encode = clip, encode

    def chances(self, image: Tensor, prompts: Sequence[str], temperature: float = 1.0) -> dict[str, float]:
        """Prompt -> probability, in the order given. image: (3, S, S) in [0, 1].

        temperature: 1 is the model's own; the cosines are multiplied by e^t / temperature. Raises ValueError
        for an empty or double prompt, more than eight of them, and a temperature that is not positive.
        """
        if not temperature > 0:
            raise ValueError(f"temperature is {temperature}: give a number above 0 (1 is the model's own)")
        if not 1 <= len(prompts) <= MOST_PROMPTS:
            raise ValueError(f"{len(prompts)} prompts: give one to {MOST_PROMPTS}, a line each")
        check_classes(prompts)
        with torch.no_grad():
            cosines = embed_images(self.clip, image[None]) @ embed_texts(self.clip, self.encode, prompts).T
            logits = cosines[0] * self.clip.held_logit_scale().exp() / temperature
        return dict(zip(prompts, logits.softmax(0).tolist(), strict=True))

    def picture(self, image: Tensor, prompts: Sequence[str], temperature: float = 1.0) -> Picture:
        """The picture beside the bars; its alternative text says each probability."""
        import matplotlib.pyplot as plt

        found = self.chances(image, prompts, temperature)
        fig = zero_shot_figure(image, found)
        try:
            return picture(fig, "CLIP says: " + ", ".join(f"{text} {p:.2f}" for text, p in found.items()))
        finally:
            plt.close(fig)


def clip_prompts(
    clip: nn.Module, encode: Encode, scenes: dict[str, Scene], prompts: Sequence[str], *, size: int = 32
) -> Live:
    """A menu of scenes, a line to write one's own ("a blue bear; a red ball"), a box of prompts and a slider
    for the temperature; a still picture elsewhere.

    scenes: name -> scene, the first is shown at first; size: of the pictures, as the model reads them.
    """
    import ipywidgets as widgets

    picker = PromptPicker(clip, encode)
    menu = widgets.Dropdown(options=list(scenes), description="scene")
    own = widgets.Text(
        "", description="or draw", placeholder="a blue bear; a red ball", continuous_update=False
    )
    box = widgets.Textarea("\n".join(prompts), description="prompts", rows=5, continuous_update=False,
                           layout={"width": "360px"})  # fmt: skip
    slider = widgets.FloatLogSlider(1.0, base=10, min=-1, max=2, step=0.1, description="temperature",
                                    continuous_update=False)  # fmt: skip
    image, says = widgets.Image(format="png"), widgets.HTML("")

    def shown() -> Tensor:
        phrases = [phrase.strip() for phrase in own.value.split(";") if phrase.strip()]
        return render(scene(*phrases) if phrases else scenes[menu.value], size).image[0]

    def current() -> Picture:
        lines = [line.strip() for line in box.value.splitlines() if line.strip()]
        return picker.picture(shown(), lines, slider.value)

    first = current()
    image.value = first.png

    def redraw(_=None) -> None:
        try:
            image.value, says.value = current().png, ""
        except ValueError as error:
            says.value = str(error)

    for control in (menu, own, box, slider):
        control.observe(redraw, names="value")
    controls = widgets.VBox([menu, own, slider])
    return Live(widgets.VBox([widgets.HBox([controls, box]), says, image]), first)


def time_machine(tables: dict[int, Tensor]) -> Live:
    """A slider over one run's checkpoints: the cosines of the same pictures and captions at each of them.

    tables: step -> (n, n) cosines, pictures by captions. The still picture shows all of them.
    """
    import ipywidgets as widgets
    import matplotlib.pyplot as plt

    from lecture10.plots.clip import similarity_figure

    if not tables:
        raise ValueError("no moment is given: pass step -> table, one at least")

    def drawn(some: dict[int, Tensor]) -> Picture:
        fig = similarity_figure({f"step {step}": table for step, table in some.items()})
        gaps = [round(float(table.diagonal().mean() - _off(table)), 2) + 0.0 for table in some.values()]
        said = ", ".join(f"{gap:.2f} at step {step}" for step, gap in zip(some, gaps, strict=True))
        try:
            return picture(
                fig, f"cosines of pictures and captions; right pairs lie above wrong ones by {said}"
            )
        finally:
            plt.close(fig)

    first = drawn(tables)
    moments = widgets.SelectionSlider(options=list(tables), description="step", continuous_update=False)
    image = widgets.Image(value=drawn({moments.value: tables[moments.value]}).png, format="png")

    def redraw(_=None) -> None:
        image.value = drawn({moments.value: tables[moments.value]}).png

    moments.observe(redraw, names="value")
    return Live(widgets.VBox([moments, image]), first)


def _off(table: Tensor) -> Tensor:
    """The mean of what lies off the diagonal."""
    n = len(table)
    return (table.sum() - table.diagonal().sum()) / (n * (n - 1))
