"""Pictures to things: the network's maps, read off; what it is not sure of is called unclear."""

from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache

import torch
from torch import Tensor, nn

from lecture10.judge.lessons import to_side
from lecture10.judge.lettering import text_on_sign
from lecture10.judge.model import CELLS, GLOBAL, HEADS, JudgeConfig, JudgeNet
from lecture10.judge.thresholds import Thresholds, shipped_thresholds
from lecture10.paths import data_folder
from lecture10.training import load_weights
from lecture10.world import WORLD_VERSION, Picture, cast
from lecture10.world import vocabulary as v
from lecture10.world.facts import place_of
from lecture10.world.render import SMALLEST

UNCLEAR = "unclear"
NAMES = {
    "noun": v.NOUNS,
    "colour": (*v.COLOUR_NAMES, UNCLEAR),  # the eleventh: no colour can be seen
    "material": v.MATERIALS,
    "size": v.SIZE_NAMES,
    "style": v.STYLES,
    "backdrop": v.BACKDROPS,
}
APART = 1.0  # cells whose refined centres lie nearer than this (in cells) mean one thing
WITHIN = 0.6  # the middle of a thing, as a share of its width and height
FAINT = 0.1  # cells below this are not asked
MOST = 10  # things read from one picture, at most
AT_ONCE = 256  # pictures a forward pass
WEIGHTS = "checkpoints/judge"


@dataclass(frozen=True)
class Found:
    """A thing that the judge sees. noun, colour, material, size: a word, or "unclear".

    x, y: its centre in [0, 1], y down; probability: that something is there; text: what a sign says (None
    where it says nothing or the thing is no sign, "unclear" where letters cannot be read); chances: how sure
    the judge is of each word (its best guess, unclear or not).
    """

    noun: str
    colour: str
    material: str
    size: str
    x: float
    y: float
    probability: float
    text: str | None = None
    chances: dict[str, float] = field(default_factory=dict, compare=False, repr=False)

    @property
    def place(self) -> str:
        """Where it stands: "top left", "middle", …"""
        return place_of(self.x, self.y)

    def __str__(self) -> str:
        words = [self.size, *([self.material] if self.material != "plain" else []), self.colour, self.noun]
        return " ".join(words) + (f" that says {self.text!r}" if self.text else "")


@dataclass(frozen=True)
class Reading:
    """What the judge sees in one picture: things, most certain first, and the style and the backdrop."""

    things: tuple[Found, ...]
    style: str
    backdrop: str

    @property
    def counts(self) -> Counter:
        """How many of each noun; things of unclear noun under "unclear"."""
        return Counter(found.noun for found in self.things)

    def __str__(self) -> str:
        return ", ".join(map(str, self.things)) or "nothing"


@lru_cache(maxsize=1)
def load_judge() -> JudgeNet:
    """The shipped network, in eval mode. Raises WeightsError, with the command that rebuilds it, where it
    cannot be used.
    """
    net = JudgeNet(JudgeConfig())
    load_weights(net, data_folder() / WEIGHTS, architecture="judge", data_version=WORLD_VERSION)
    return net.eval()


def read(
    pictures: Tensor | Picture, *, net: nn.Module | None = None, thresholds: Thresholds | None = None
) -> list[Reading]:
    """What the judge sees in each picture.

    pictures: (B, 3, S, S) or (3, S, S) in [0, 1], S ≥ 16, or what `render` returns; net, thresholds: the
    shipped ones. Raises ValueError, with the cure, for another layout or range, and WeightsError where the
    shipped network is missing or damaged.
    """
    images = checked(pictures)
    net = load_judge() if net is None else net
    thresholds = shipped_thresholds() if thresholds is None else thresholds
    device = next(net.parameters()).device
    out: list[Reading] = []
    for some in images.split(AT_ONCE):
        with torch.inference_mode():
            maps = {name: t.float().cpu() for name, t in net(to_side(some.to(device).float())).items()}
        out += [_reading(maps, b, some[b], thresholds) for b in range(len(some))]
    return out


def checked(pictures: Tensor | Picture) -> Tensor:
    """(B, 3, S, S) pictures in [0, 1]; raises ValueError, with the cure, for anything else."""
    images = pictures.image if isinstance(pictures, Picture) else pictures
    if not isinstance(images, Tensor):
        raise ValueError(f"pictures are a torch tensor or a rendered Picture, not {type(images).__name__}")
    images = images[None] if images.ndim == 3 else images
    shape = tuple(images.shape)
    if images.ndim != 4 or shape[1] != 3:
        cure = ": permute(0, 3, 1, 2) puts the colours first" if shape[-1] == 3 else ""
        raise ValueError(f"pictures have shape (B, 3, S, S), not {tuple(pictures.shape)}{cure}")
    if shape[2] != shape[3] or shape[2] < SMALLEST:
        raise ValueError(
            f"pictures of {shape[2]} × {shape[3]}: the judge reads squares of {SMALLEST} or more"
        )
    if not images.is_floating_point():
        raise ValueError(f"pictures are {images.dtype}; the judge reads floats in [0, 1]: divide by 255")
    if not images.numel():
        return images
    low, high = float(images.min()), float(images.max())
    if not (low >= -1e-3 and high <= 1 + 1e-3):
        cure = "divide by 255" if high > 2 and low >= 0 else "(x + 1) / 2 maps [-1, 1] there, clamp the rest"
        raise ValueError(f"pictures reach from {low:.3g} to {high:.3g}; the judge reads [0, 1]: {cure}")
    return images.clamp(0, 1)


def peaks(centre: Tensor, shift: Tensor, least: float) -> list[tuple[float, int, int]]:
    """(probability, row, column) of each thing, surest first, at most MOST; the cell is its surest.

    centre: (16, 16) logits; shift: (2, 16, 16), x and y. The cells around a thing all point at its centre:
    those that point to one place, within APART, speak of one thing, which is there unless all of them are
    wrong. So two things in neighbouring cells are both found, and one on the corner of four cells, each of
    which is half sure, is not missed. Things less probable than `least` are left out.
    """
    p = centre.sigmoid()
    rows, columns = (p >= FAINT).nonzero(as_tuple=True)
    dx, dy = shift[:, rows, columns]
    cells = zip(
        p[rows, columns].tolist(), rows.tolist(), columns.tolist(), dx.tolist(), dy.tolist(), strict=True
    )
    places: list[tuple[float, float]] = []
    found: list[tuple[float, int, int]] = []
    for chance, row, column, right, down in sorted(cells, reverse=True):
        x, y = column + right, row + down
        same = next((k for k, (a, b) in enumerate(places) if max(abs(x - a), abs(y - b)) < APART), None)
        if same is None:
            places.append((x, y))
            found.append((chance, row, column))
        else:
            found[same] = (1 - (1 - found[same][0]) * (1 - chance), *found[same][1:])
    return sorted((thing for thing in found if thing[0] >= least), reverse=True)[:MOST]


def _reading(maps: dict[str, Tensor], b: int, image: Tensor, thresholds: Thresholds) -> Reading:
    things = []
    for probability, row, column in peaks(maps["centre"][b], maps["shift"][b], thresholds.centre):
        words, chances = {}, {}
        for name in HEADS:
            words[name], chances[name] = _word(name, maps[name][b, :, row, column], thresholds)
        dx, dy = maps["shift"][b, :, row, column].tolist()
        x, y = (column + 0.5 + dx) / CELLS, (row + 0.5 + dy) / CELLS
        text = text_on_sign(image, x, y, words["size"]) if words["noun"] == "sign" else None
        place = (min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0))
        things.append(
            Found(**words, x=place[0], y=place[1], probability=probability, text=text, chances=chances)
        )
    whole = {name: _word(name, maps[name][b], thresholds)[0] for name in GLOBAL}
    return Reading(tuple(_without_ghosts(things)), **whole)


def _without_ghosts(things: list[Found]) -> list[Found]:
    """Without things in the middle of a larger one of the same noun (of equal ones: a surer one), such as the
    words of a large sign: in this world two of a kind overlap by a quarter at most.
    """

    def half(thing: Found) -> tuple[float, float]:
        size = thing.size if thing.size in v.SIZES else "small"
        width, height = cast.footprint(thing.noun, size)
        return WITHIN * width / 2, WITHIN * height / 2

    kept: list[Found] = []
    known = [thing for thing in things if thing.noun in v.NOUNS]
    for thing in sorted(known, key=lambda t: (half(t)[0] * half(t)[1], t.probability), reverse=True):
        boxes = [(k, *half(k)) for k in kept if k.noun == thing.noun]
        if not any(abs(thing.x - k.x) < w and abs(thing.y - k.y) < h for k, w, h in boxes):
            kept.append(thing)
    return [thing for thing in things if thing.noun not in v.NOUNS or thing in kept]


def _word(name: str, logits: Tensor, thresholds: Thresholds) -> tuple[str, float]:
    """The likeliest word, or "unclear" where its probability is below the threshold; and that probability."""
    chance, index = logits.softmax(-1).max(-1)
    sure = float(chance) >= thresholds.of(name)
    return (NAMES[name][int(index)] if sure else UNCLEAR), float(chance)
