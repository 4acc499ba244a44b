"""Click on a picture and watch SAM answer: three masks for one click, one for more; or a still picture."""

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lecture10.models.sam import SAM
from lecture10.plots.figure import Picture, picture
from lecture10.plots.sam import answers_figure
from lecture10.widgets.live import Live

OVERLAY = (213, 94, 0, 130)  # vermillion, half see-through
NOTHING = {"points": [], "labels": [], "box": None}


class Clicker:
    """One picture, embedded once, and answers to prompts on it. image: (3, S, S) in [0, 1]."""

    def __init__(self, sam: SAM, image: Tensor):
        self.sam, self.image = sam, image
        with torch.no_grad():
            self.embedding = sam.embed(image[None].to(sam.mean.device))

    @torch.no_grad()
    def answer(
        self, points: Sequence, labels: Sequence[int], box: Sequence[float] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Masks (M, S, S) bool and guessed IoUs (M,), the surest first: three for one click alone, else one.

        points: x and y in pixels; labels: 1 for, 0 against; box: x0, y0, x1, y1. Several clicks are asked for
        one after the other, each with the mask before it as a prompt, as in training. Raises ValueError for
        prompts that cannot be.
        """
        boxes = None if box is None else torch.tensor([list(map(float, box))])
        if not len(points):
            logits, guessed = self.sam.decode(self.embedding, boxes=boxes, several=False)
        else:
            at, what, mask = torch.tensor([points], dtype=torch.float32), torch.tensor([labels]), None
            for k in range(1, len(points) + 1):
                more = k > 1 or box is not None
                logits, guessed = self.sam.decode(
                    self.embedding, at[:, :k], what[:, :k], boxes, mask, several=not more
                )
                mask = logits[:, guessed[0].argmax()]
        order = guessed[0].argsort(descending=True)
        return (self.sam.full_size(logits)[0] > 0)[order].cpu(), guessed[0][order].cpu()

    def picture(self, points: Sequence, labels: Sequence[int], box: Sequence[float] | None = None) -> Picture:
        """The answers side by side; the alternative text says each guess."""
        import matplotlib.pyplot as plt

        masks, guessed = self.answer(points, labels, box)
        titles = [f"guesses IoU {g:.2f}" for g in guessed]
        fig = answers_figure(self.image, masks, titles, points, labels, box=box)
        sizes = ", ".join(
            f"{int(m.sum())} pixels, guessed IoU {g:.2f}" for m, g in zip(masks, guessed, strict=True)
        )
        try:
            return picture(
                fig, f"SAM's answers to {len(points)} clicks{' and a box' if box else ''}: {sizes}"
            )
        finally:
            plt.close(fig)


def png_url(array: np.ndarray) -> str:
    """A uint8 array (S, S, 3 or 4) as a data URL."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def square(data: bytes, size: int) -> Tensor:
    """A picture file's middle square at size × size: (3, size, size) in [0, 1].

    Raises ValueError where the file is no picture.
    """
    from PIL import Image, ImageOps

    try:
        image = ImageOps.fit(Image.open(io.BytesIO(data)).convert("RGB"), (size, size))
    except Exception as error:  # Pillow raises many kinds
        raise ValueError("this file is no picture that can be read: try a PNG or a JPEG") from error
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255


def _canvas_class():
    import anywidget
    import traitlets

    class ClickCanvas(anywidget.AnyWidget):
        """The canvas in the browser; see sam_canvas.js."""

        _esm = Path(__file__).with_suffix(".js")
        size = traitlets.Int().tag(sync=True)
        image = traitlets.Unicode().tag(sync=True)
        prompt = traitlets.Dict().tag(sync=True)
        answers = traitlets.List().tag(sync=True)
        chosen = traitlets.Int(0).tag(sync=True)
        says = traitlets.Unicode("").tag(sync=True)

        def __repr__(self) -> str:
            return "ClickCanvas()"

    return ClickCanvas


def answers_of(clicker: Clicker, prompt: Mapping) -> list[dict]:
    """What the canvas is told: overlays, thumbnails and guesses, the surest first; [] without a prompt."""
    if not prompt["points"] and not prompt["box"]:
        return []
    masks, guessed = clicker.answer(prompt["points"], prompt["labels"], prompt["box"])
    base = (clicker.image.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    found = []
    for mask, guess in zip(masks.numpy(), guessed.tolist(), strict=True):
        overlay = np.zeros((*mask.shape, 4), np.uint8)
        overlay[mask] = OVERLAY
        thumb = np.where(mask[..., None], base, 230).astype(np.uint8)
        found.append({"mask": png_url(overlay), "thumb": png_url(thumb), "guessed": guess})
    return found


def click_canvas(sam: SAM, pictures: Mapping[str, Tensor], *, first: Mapping | None = None) -> Live:
    """A picture to click on, a menu of pictures, and a button for a file of one's own; a still elsewhere.

    pictures: name -> (3, S, S) in [0, 1], the first is shown at first; first: the prompt that is there at the
    start, {"points": [[x, y]], "labels": [1], "box": None} (default: one click in the middle).
    """
    import ipywidgets as widgets

    if not pictures:
        raise ValueError("no picture is given: pass name -> (3, S, S), one at least")
    S = sam.image_size
    prompt = dict(first or {"points": [[S // 2, S // 2]], "labels": [1], "box": None})
    clickers = {"now": Clicker(sam, next(iter(pictures.values())))}
    canvas = _canvas_class()(size=S, prompt=prompt)
    menu = widgets.Dropdown(options=list(pictures), description="picture")
    own = widgets.FileUpload(accept="image/*", description="your own")
    wipe = widgets.Button(description="clear clicks")

    def answer(_=None) -> None:
        try:
            canvas.answers, canvas.says = answers_of(clickers["now"], canvas.prompt), ""
        except ValueError as error:
            canvas.says = str(error)

    def turn_to(image: Tensor) -> None:
        clickers["now"] = Clicker(sam, image)
        canvas.image = png_url((image.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8))
        canvas.chosen, canvas.prompt = 0, dict(NOTHING)
        answer()

    def read(_) -> None:
        try:
            if own.value:
                turn_to(square(bytes(own.value[0]["content"]), S))
        except ValueError as error:
            canvas.says = str(error)

    still = clickers["now"].picture(prompt["points"], prompt["labels"], prompt["box"])
    turn_to(next(iter(pictures.values())))
    canvas.prompt = prompt
    answer()
    canvas.observe(answer, names="prompt")
    menu.observe(lambda change: turn_to(pictures[change["new"]]), names="value")
    own.observe(read, names="value")
    wipe.on_click(lambda _: setattr(canvas, "prompt", dict(NOTHING)))
    return Live(widgets.VBox([widgets.HBox([menu, own, wipe]), canvas]), still)
