"""Type any phrase: boxes, scores, and the region that each word points to; on a scene or an own picture."""

import io
import re
from collections.abc import Sequence

import torch
from torch import Tensor

from lecture10.models.glip import GLIP
from lecture10.models.grounding import Found, pick
from lecture10.plots.figure import Picture, picture
from lecture10.plots.glip import found_figure
from lecture10.recipes.glip import ground
from lecture10.recipes.grounding import Prompt, ask, joined, strangers
from lecture10.tokenizer import tokenizer
from lecture10.widgets.live import Live
from lecture10.world.render import render
from lecture10.world.scene import Scene, scene

MOST_PHRASES = 5
ARTICLE = re.compile(r"^an?\s+", re.I)  # captions' phrases leave it out, so the model never aligned it


def phrases_of(text: str) -> list[str]:
    """The phrases of a line, which are parted by full stops or semicolons, without "a" and "an".

    Raises ValueError, with the cure, for none, for too many, and where no word of a phrase is known.
    """
    parts = (part.strip() for part in text.replace(";", ".").split("."))
    phrases = [ARTICLE.sub("", part) for part in parts if part]
    if not phrases:
        raise ValueError("no phrase: type for example 'a blue bear', several parted by full stops")
    if len(phrases) > MOST_PHRASES:
        raise ValueError(f"{len(phrases)} phrases: ask for {MOST_PHRASES} at most at once")
    joined(phrases)
    for phrase in phrases:
        words = [word for word in phrase.lower().split() if word not in ("a", "an", "the", "of", "to")]
        if words and set(words) <= set(strangers(phrase)):
            raise ValueError(
                f"no training text held a word of {phrase!r}: use this world's words, such as 'a red car'"
            )
    return phrases


def own_picture(data: bytes, size: int) -> Tensor:
    """A learner's file, its middle square: (3, size, size) in [0, 1]. Raises ValueError for what is none."""
    from PIL import Image, ImageOps, UnidentifiedImageError
    from torchvision.transforms.functional import to_tensor

    try:
        image = Image.open(io.BytesIO(data)).convert("RGB")
    except (UnidentifiedImageError, OSError) as error:
        raise ValueError(
            f"this file is no picture that can be read ({error}): choose a PNG or JPEG"
        ) from None
    return to_tensor(ImageOps.fit(image, (size, size)))


class Grounder:
    """What a GLIP finds of some phrases in one picture."""

    def __init__(self, model: GLIP):
        self.model = model

    def find(self, image: Tensor, phrases: Sequence[str], least: float = 0.5) -> Found:
        """Boxes of phrases, surest first. image: (3, S, S) in [0, 1]; least: the lowest score shown."""
        if not 0 <= least < 1:
            raise ValueError(f"the threshold is {least}: give a number from 0 to below 1")
        return pick(*ground(self.model, image[None], [joined(phrases)])[0], least=least)

    @torch.no_grad()
    def maps(self, image: Tensor, prompt: Prompt) -> tuple[Tensor, list[str]]:
        """(words, g, g) probabilities of every token that belongs to a phrase, and the tokens' texts."""
        asked = ask([prompt], self.model.config.context)
        S, _ = self.model(image[None], asked.ids, asked.real)
        chosen = asked.phrase_tokens[0].any(0).nonzero()[:, 0]
        g = self.model.config.grid
        words = tokenizer("captions").pieces(asked.ids[0, chosen].tolist())
        return S[0].sigmoid()[:, chosen].T.unflatten(1, (g, g)), [word.strip() for word in words]

    def picture(self, image: Tensor, phrases: Sequence[str], least: float = 0.5) -> Picture:
        """Boxes, scores and maps as a picture; its alternative text says what was found, and how surely."""
        import matplotlib.pyplot as plt

        found, says = self.find(image, phrases, least), []
        for k, phrase in enumerate(phrases):
            scores = found.scores[found.phrases == k].tolist()
            told = ", ".join(f"{score:.2f}" for score in scores) or f"nothing above {least:g}"
            says.append(f"{phrase}: {told}")
        maps, words = self.maps(image, joined(phrases))
        fig = found_figure(image, found.boxes, found.phrases.tolist(), says, maps, words)
        try:
            return picture(fig, "boxes found: " + "; ".join(says))
        finally:
            plt.close(fig)


def glip_phrases(model: GLIP, scenes: dict[str, Scene], text: str) -> Live:
    """A menu of scenes, a line to draw one's own, a button for an own file, a line for phrases, a threshold.

    scenes: name -> scene, the first is shown at first; text: the first phrases, parted by full stops.
    """
    import ipywidgets as widgets

    grounder, size = Grounder(model), model.config.image_size
    late = {"continuous_update": False, "layout": {"width": "420px"}}
    menu = widgets.Dropdown(options=list(scenes), description="scene")
    own = widgets.Text("", description="or draw", placeholder="a blue bear; a red ball", **late)
    upload = widgets.FileUpload(accept="image/*", description="or your own picture")
    typed = widgets.Text(text, description="phrases", **late)
    least = widgets.FloatSlider(0.5, min=0.05, max=0.9, step=0.05, description="threshold",
                                continuous_update=False)  # fmt: skip
    image, says = widgets.Image(format="png"), widgets.HTML("")

    def shown() -> Tensor:
        if upload.value:
            return own_picture(bytes(upload.value[-1]["content"]), size)
        drawn = [phrase.strip() for phrase in own.value.split(";") if phrase.strip()]
        return render(scene(*drawn) if drawn else scenes[menu.value], size).image[0]

    def current() -> Picture:
        return grounder.picture(shown(), phrases_of(typed.value), least.value)

    first = current()
    image.value = first.png

    def redraw(_=None) -> None:
        try:
            unknown = [word for phrase in phrases_of(typed.value) for word in strangers(phrase)]
            image.value = current().png
            says.value = f"never read in training: {', '.join(unknown)}" if unknown else ""
        except ValueError as error:
            says.value = str(error)

    for control in (menu, own, upload, typed, least):
        control.observe(redraw, names="value")
    return Live(widgets.VBox([widgets.HBox([menu, upload]), own, typed, least, says, image]), first)
