"""Regions of the little world with the truth about them, the concept pool, and how a reading is scored."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import torch
from torch import Tensor

from lecture10.models.clip import CLIP
from lecture10.models.regionclip import RegionCLIP, grown, read_crops, read_places, read_pool
from lecture10.recipes.captions import encode
from lecture10.recipes.clip import CLASSES
from lecture10.recipes.proposals import SCENES, things_seen
from lecture10.world import vocabulary as v
from lecture10.world.parse import parse
from lecture10.world.render import render
from lecture10.world.sample import sample
from lecture10.world.words import captions
from lecture10.zero_shot import TEMPLATES, class_embeddings

Read = Callable[[Tensor, Tensor, Tensor], Tensor]  # images, boxes_xyxy, of -> (R, E) unit vectors
TEXTS = 2000  # scenes whose captions the concept pool is read from


@dataclass(frozen=True, eq=False)
class Regions:
    """True boxes of scenes, and what is in them.

    images: (B, 3, S, S); boxes_xyxy: (R, 4) in [0, 1]; of: (R,) whose box; labels: (R,) positions in CLASSES.
    """

    images: Tensor
    boxes_xyxy: Tensor
    of: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


def regions(split: str = "dev", n: int = 300, seed: int = 3000, size: int = 64, **knobs) -> Regions:
    """All things that can be seen in n scenes of two to four things, of a split's noun × colour pairs."""
    picture = render(sample(n, seed, split=split, **(SCENES | knobs)), size)
    of, k = things_seen(picture).nonzero(as_tuple=True)
    labels = label_of(picture.batch.noun[of, k], picture.batch.colour[of, k])
    return Regions(picture.image, picture.boxes[of, k], of, labels)


def label_of(noun: Tensor, colour: Tensor) -> Tensor:
    """The positions in CLASSES of nouns and colours."""
    return noun * len(v.COLOUR_NAMES) + colour


@cache
def concept_pool(texts: int = TEXTS) -> tuple[str, ...]:
    """Every "colour noun" that training captions speak of: what is in a region is guessed among these.

    RegionCLIP parses a web corpus for its concepts; here the world's own parser reads the captions. The pairs
    that are kept for measuring are not among them, as they stand in no training caption.
    """
    said = captions(sample(texts, 17, **SCENES), "short", 17)
    found = {f"{t.colour} {t.noun}" for c in said for t in parse(c.text).things if t.noun and t.colour}
    return tuple(name for name in CLASSES if name in found)


def concept_embeddings(clip: CLIP, names=CLASSES, templates=TEMPLATES) -> Tensor:
    """(C, E) unit vectors of "colour noun" names, each in eight templates: the prompts of `zero_shot`."""
    return class_embeddings(clip, partial(encode, context=clip.config.text.context), names, templates)


def readings(clip: CLIP, student: RegionCLIP | None = None) -> dict[str, Read]:
    """The ways to read a box: a frozen CLIP's four, and the student's."""

    def wide(images: Tensor, boxes_xyxy: Tensor, of: Tensor) -> Tensor:
        return read_crops(clip, images, grown(boxes_xyxy, 1.5), of)

    found: dict[str, Read] = {
        "crop": partial(read_crops, clip),
        "crop, half more around": wide,
        "CLIP's map": partial(read_pool, clip),
        "CLIP's places": partial(read_places, clip),
    }
    return found if student is None else found | {"student": student}


@torch.no_grad()
def embed_regions(read: Read, found: Regions, *, pictures: int = 64) -> Tensor:
    """(R, E) unit vectors of all regions, some pictures at a time. A network must be in eval mode."""
    parts = []
    for first in range(0, len(found.images), pictures):
        mine = (found.of >= first) & (found.of < first + pictures)
        if mine.any():
            images = found.images[first : first + pictures]
            parts.append(read(images, found.boxes_xyxy[mine], found.of[mine] - first))
    return torch.cat(parts)


def shares(v_regions: Tensor, classes: Tensor, labels: Tensor) -> dict[str, float]:
    """How often the nearest class is right: "both", and its noun and its colour alone.

    v_regions: (R, E); classes: (300, E) in the order of CLASSES; labels: (R,).
    """
    named, colours = (v_regions @ classes.T).argmax(1), len(v.COLOUR_NAMES)
    right = {
        "both": named == labels,
        "noun": named // colours == labels // colours,
        "colour": named % colours == labels % colours,
    }
    return {name: float(share.float().mean()) for name, share in right.items()}
