"""Figures for notebooks: `fig, ax = figure()` opens one, `show(fig, alt="…")` ends the cell.

What `show` stores is a PNG of at most 40 KB without time or version stamps, and a text line with the
alternative text. A strict comparison of stored outputs sees that line, and a screen reader reads it:
so it says what the picture shows, numbers included.
"""

import io
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lecture10.plots.style import DPI, STYLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from PIL.Image import Image

MAX_BYTES = 40_000
COLOUR_COUNTS = (256, 128, 64, 32)  # tried in turn until the picture is small enough
MANY_COLOURS = 4_000  # more than a drawing has
SMALLEST_WIDTH = 320  # pixels; a picture below this is no longer readable


@dataclass(frozen=True)
class Picture:
    """A PNG with its alternative text, shown by a notebook as an image, printed as one stable line."""

    png: bytes = field(repr=False)
    alt: str
    width: int  # pixels
    height: int

    def __repr__(self) -> str:
        return f"[picture, {self.width}×{self.height}: {self.alt}]"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> tuple[dict, dict]:
        about = {"alt": self.alt, "width": self.width, "height": self.height}
        return {"image/png": self.png, "text/plain": repr(self)}, {"image/png": about}


def figure(
    rows: int = 1, cols: int = 1, *, width: float = 8.0, height: float | None = None, **options: object
) -> "tuple[Figure, Axes]":
    """A figure in the course's look: (fig, ax), or (fig, array of axes) where rows or cols exceed 1.

    width, height: inches, at 100 pixels an inch; left out, a row is 4 inches high, or less
    where panels are many.
    options go to `plt.subplots` (sharex=True, …). Raises ValueError for a size that no notebook can show.
    """
    import matplotlib.pyplot as plt

    if rows < 1 or cols < 1:
        raise ValueError(f"figure(rows={rows}, cols={cols}): both must be at least 1")
    height = height or min(4.0, max(1.5, width / cols)) * rows
    if not (1 <= width <= 14 and 1 <= height <= 20):
        raise ValueError(
            f"a figure of {width} × {height} inches does not fit a notebook; width 1–14, height 1–20"
        )
    with plt.rc_context(STYLE):
        return plt.subplots(rows, cols, figsize=(width, height), **options)


def show(fig: "Figure", alt: str) -> None:
    """Display a figure as a small PNG with its alternative text, and close it.

    alt: a sentence that says what is to be seen, with the numbers that matter.
    Raises ValueError where alt is missing or an axis with numbers has no label.
    """
    shown = picture(fig, alt)
    import matplotlib.pyplot as plt

    plt.close(fig)
    try:
        from IPython.display import display
    except ImportError:
        print(shown)
    else:
        display(shown)


def picture(fig: "Figure", alt: str) -> Picture:
    """The figure as a `Picture` (see `show`), which neither displays nor closes it."""
    _check_alt(alt)
    with io.BytesIO() as raw:
        fig.savefig(raw, format="png", dpi=DPI)  # also lays the figure out, as the label check needs
        missing = unlabelled(fig)
        if missing:
            raise ValueError(
                f"{'; '.join(missing)}. A reader needs quantity and unit: see the cure named there"
            )
        image, png = _shrink(raw.getvalue())
    return Picture(png, " ".join(alt.split()), *image.size)


def picture_of(image: "Image", alt: str) -> Picture:
    """A PIL image as a `Picture`: the same limit in bytes and the same kind of text line."""
    _check_alt(alt)
    with io.BytesIO() as raw:
        image.convert("RGB").save(raw, "png")
        image, png = _shrink(raw.getvalue())
    return Picture(png, " ".join(alt.split()), *image.size)


def _check_alt(alt: str) -> None:
    if not isinstance(alt, str) or len(alt.split()) < 3:
        raise ValueError(
            f"show(fig, alt={alt!r}): alt must say in a few words what is to be seen, for readers who cannot "
            'see the picture: show(fig, alt="loss falls from 5.5 to 2.1 in 400 steps")'
        )


def unlabelled(fig: "Figure") -> list[str]:
    """One complaint for each axis of a drawn figure that carries numbers but no label, with its cure.

    Axes without numbers (words as ticks, no ticks, `ax.axis("off")`) need none; a shared label counts.
    """
    found = []
    for index, ax in enumerate(fig.axes):
        if not (ax.get_visible() and ax.axison):
            continue
        name = f"panel {index + 1}" + (f" ({ax.get_title()})" if ax.get_title() else "")
        for letter, axis, overall in (
            ("x", ax.xaxis, fig.get_supxlabel()),
            ("y", ax.yaxis, fig.get_supylabel()),
        ):
            if _has_numbers(axis) and not (axis.get_label_text().strip() or overall):
                cure = f'ax.set_{letter}label("loss (nats per token)"), or ax.axis("off") for a mere image'
                found.append(f"{name} has numbers on its {letter} axis and no label: {cure}")
    return found


def _has_numbers(axis: "Axis") -> bool:
    shown = [label for label in axis.get_ticklabels() if label.get_visible()] if axis.get_visible() else []
    return any(_is_number(label.get_text()) for label in shown)


def _is_number(text: str) -> bool:
    text = text.strip().replace("\N{MINUS SIGN}", "-").rstrip("%")
    if text.startswith("$"):  # powers of ten are set as mathematics
        return True
    try:
        float(text)
    except ValueError:
        return False
    return True


def _shrink(png: bytes) -> "tuple[Image, bytes]":
    """(image, PNG bytes) of at most 40 KB: with fewer colours, then smaller. Warns where nothing helps."""
    from PIL import Image

    full = image = Image.open(io.BytesIO(png)).convert("RGB")
    drawn = full.getcolors(MANY_COLOURS) is not None
    while True:
        for colours in COLOUR_COUNTS:
            if drawn:
                small = image.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
            else:
                small = image.quantize(palette=_palette(image, colours), dither=Image.Dither.NONE)
            data = _encode(small)
            if len(data) <= MAX_BYTES:
                return small, data
            if len(data) > 4 * MAX_BYTES:
                break  # fewer colours alone will not do
        width = round(image.width * min(0.9, (MAX_BYTES / len(data)) ** 0.5))  # bytes go with the area
        if width < SMALLEST_WIDTH:
            break
        image = full.resize((width, round(full.height * width / full.width)), Image.Resampling.LANCZOS)
    warnings.warn(
        f"this picture takes {len(data) / 1000:.0f} KB, more than 40: show fewer images, or smaller ones",
        stacklevel=4,
    )
    return small, data


def _palette(image: "Image", colours: int) -> "Image":
    """Colours for a photograph: each that occurs counts once, so that a small purple thing keeps its purple
    before a large gray wall; white and black are kept as they are.
    """
    import numpy as np
    from PIL import Image

    red, green, blue = np.asarray(image).reshape(-1, 3).T.astype(np.int32)
    packed = np.unique(red << 16 | green << 8 | blue)  # whole numbers sort many times faster than rows
    every = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], 1).astype(np.uint8)
    some = Image.fromarray(every[:: len(every) // MANY_COLOURS][None])
    chosen = some.quantize(colours - 2, Image.Quantize.MEDIANCUT, kmeans=3).getpalette()[: 3 * (colours - 2)]
    palette = Image.new("P", (1, 1))
    palette.putpalette([255, 255, 255, 0, 0, 0, *chosen])
    return palette


def _encode(image: "Image") -> bytes:
    with io.BytesIO() as out:
        image.save(out, "png", optimize=True)  # Pillow writes no time, software or resolution
        return out.getvalue()
