"""Segment everything: SAM asked at every point of a grid, and what is sure, stable and new is kept.

Kirillov et al. 2023, appendix B. The paper's settings are 32 × 32 points, guessed IoU 0.88, stability 0.95
and NMS 0.7, for pictures of 1024 pixels; ours are for small pictures of few things.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torchvision.ops import masks_to_boxes, nms

from lecture10.models.sam import SAM

PAPER = {"points": 32, "sure": 0.88, "stable": 0.95, "overlap": 0.7}


@dataclass(frozen=True)
class Everything:
    """The settings: shares in [0, 1], but for `points` (a side of the grid) and `offset` (of logits)."""

    points: int = 16
    sure: float = 0.45  # least guessed IoU: a guess knows that the prompt is ambiguous
    stable: float = 0.7  # least stability
    overlap: float = 0.7  # of two boxes that share more than this, the surer mask stays
    offset: float = 1.0
    least: int = 20  # pixels

    def __post_init__(self):
        if self.points < 1:
            raise ValueError(f"points={self.points}: the grid needs at least one point a side")
        for name in ("sure", "stable", "overlap"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}={getattr(self, name)} is no share: give a number from 0 to 1")


class Found(NamedTuple):
    """n masks, the surest first: masks (n, S, S) bool, boxes (n, 4) xyxy, guessed and stability (n,)."""

    masks: Tensor
    boxes: Tensor
    guessed: Tensor
    stability: Tensor


def stability(logits: Tensor, offset: float = 1.0) -> Tensor:
    """(…, S, S) logits -> (…): IoU of the masks cut at +offset and at −offset, 0 where both are empty.

    The first lies within the second, so that the IoU is the ratio of their areas.
    """
    small, large = (logits > offset).sum((-2, -1)), (logits > -offset).sum((-2, -1))
    return small / large.clamp(min=1)


def grid(points: int, size: int) -> Tensor:
    """(points², 2): x and y of the middles of points × points squares, in pixels."""
    middle = (torch.arange(points) + 0.5) * size / points - 0.5
    y, x = torch.meshgrid(middle, middle, indexing="ij")
    return torch.stack([x, y], -1).view(-1, 2)


@torch.no_grad()
def everything(sam: SAM, image: Tensor, settings: Everything = Everything()) -> Found:
    """All masks of one picture (3, S, S) in [0, 1] that pass the settings; none passing gives n = 0."""
    points = grid(settings.points, sam.image_size).to(image.device)
    picture = sam.embed(image[None])
    logits, guessed = [], []
    for some in points.split(128):
        many = picture.expand(len(some), -1, -1, -1)
        masks, ious = sam.decode(many, some[:, None], torch.ones(len(some), 1, dtype=torch.long))
        logits.append(sam.full_size(masks).flatten(0, 1))
        guessed.append(ious.flatten())
    logits, guessed = torch.cat(logits), torch.cat(guessed)
    steady = stability(logits, settings.offset)
    masks = logits > 0
    kept = (guessed >= settings.sure) & (steady >= settings.stable) & (masks.sum((-2, -1)) >= settings.least)
    masks, guessed, steady = masks[kept], guessed[kept], steady[kept]
    if not len(masks):
        return Found(masks, torch.zeros(0, 4), guessed, steady)
    boxes = masks_to_boxes(masks)
    boxes[:, 2:] += 1  # the last pixel is inside
    first = nms(boxes, guessed, settings.overlap)
    return Found(masks[first], boxes[first], guessed[first], steady[first])
