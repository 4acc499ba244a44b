"""How well a GLIP detects: average precision by pycocotools, over names of categories."""

import random
from collections.abc import Sequence

import torch
from torch import Tensor

from lecture10 import coco
from lecture10.models.glip import GLIP
from lecture10.models.grounding import pick
from lecture10.recipes.glip import ground
from lecture10.recipes.grounding import Painted

LEAST = 0.02  # the least score of a box that is handed to the count of average precision
ASKED = 8  # categories in a prompt: those in the picture, and others that are not


def precision(
    boxes: Tensor, scores: Tensor, pool: Painted, names: Sequence[str], called: Sequence[Sequence[str]]
) -> dict[str, float]:
    """AP and AP50 by pycocotools, over the names that occur. boxes: (B, N, 4); scores: (B, N, names).

    called: for every picture the names of its visible things, in the order of `Painted.things`.
    """
    truth_boxes = [pool.boxes[b][[t.number for t in pool.things(b)]].tolist() for b in range(len(pool))]
    truth = coco.ground_truth(truth_boxes, called, size=pool.image.shape[-1], categories=names)
    found = [pick(b, s, least=LEAST, most=100) for b, s in zip(boxes, scores, strict=True)]
    said = coco.predictions([(f.boxes.tolist(), f.scores.tolist(), f.phrases.tolist()) for f in found],
                            size=pool.image.shape[-1])  # fmt: skip
    return coco.ap(truth, said)


def names_of(pool: Painted, what: str = "name") -> list[list[str]]:
    """For every picture what its visible things are called: "name" (colour and noun) or "noun"."""
    return [[getattr(thing, what) for thing in pool.things(b)] for b in range(len(pool))]


def eight_each(pool: Painted, names: Sequence[str], seed: int = 0) -> list[list[str]]:
    """For every picture the names of what it holds, then others from `names`, eight in all."""
    dice, asked = random.Random(seed), []
    for called in names_of(pool):
        present = list(dict.fromkeys(called))
        asked.append(present + dice.sample([n for n in names if n not in present], ASKED - len(present)))
    return asked


def asked_eight(
    model: GLIP, pool: Painted, prompts: Sequence[Sequence[str]], names: Sequence[str]
) -> tuple[Tensor, Tensor]:
    """Each picture asked for its own few names: boxes (B, N, 4), scores (B, N, names), 0 where not asked."""
    found = ground(model, pool.pictures(torch.arange(len(pool))), prompts)
    scores = torch.zeros(len(pool), found[0][1].shape[0], len(names))
    for b, (asked, (_, said)) in enumerate(zip(prompts, found, strict=True)):
        scores[b][:, [names.index(name) for name in asked]] = said
    return torch.stack([boxes for boxes, _ in found]), scores


def detection(model: GLIP, pool: Painted, names: Sequence[str], seed: int = 0) -> dict[str, float]:
    """AP, AP50 and AP75 of a picture's categories among eight that are asked for."""
    prompts = eight_each(pool, names, seed)
    return precision(*asked_eight(model, pool, prompts, names), pool, names, names_of(pool))
