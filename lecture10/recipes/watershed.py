"""The classical way to cut a thing out by clicks: a watershed, flooded from the clicks (scikit-image).

Needs no training at all: the picture's edges are the only thing it knows. Clicks for the thing and against it
are the sources; the picture's border counts as clicked against, or a single click would flood everything.
"""

from functools import partial

import numpy as np
import torch
from torch import Tensor

from lecture10.models.sam_loss import iou
from lecture10.recipes.clicks import Prompts, central_click

SPOT = 1  # pixels around a click that belong to it


def edges(image: Tensor) -> np.ndarray:
    """(3, S, S) in [0, 1] -> (S, S): the steepest of the three colours' Sobel gradients."""
    from skimage.filters import sobel

    return np.max([sobel(colour) for colour in image.numpy()], axis=0)


def cut_out(steepness: np.ndarray, points: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(S, S) bool: what is flooded from the clicks labelled 1, against those labelled 0 and the border.

    steepness: (S, S), see `edges`; points: (K, 2) x and y; labels: (K,), -1 is no click.
    """
    from skimage.segmentation import watershed

    sources = np.zeros(steepness.shape, dtype=int)
    sources[[0, -1]] = sources[:, [0, -1]] = 1
    for (x, y), label in zip(points.astype(int), labels, strict=True):
        if label >= 0:
            spot = np.s_[max(0, y - SPOT) : y + SPOT + 1, max(0, x - SPOT) : x + SPOT + 1]
            sources[spot] = 1 + label
    return watershed(steepness, sources) == 2


def click_through(
    batch: Prompts, clicks: int, *, where=central_click, first: Tensor | None = None
) -> list[Tensor]:
    """IoUs (N,) after each of `clicks` clicks; as `recipes.sam.click_through` does it with SAM."""
    target = batch.target
    steep = [edges(image) for image in batch.image]
    point = central_click(torch.zeros_like(target), target)[0] if first is None else first
    points, labels = point[:, None], torch.ones(len(point), 1, dtype=torch.long)
    found = []
    for _ in range(clicks):
        cut = partial(map, cut_out, [steep[row] for row in batch.row.tolist()])
        masks = torch.from_numpy(np.stack(list(cut(points.numpy(), labels.numpy()))))
        found.append(iou(masks[:, None], target)[:, 0])
        point, label = where(masks, target)
        points = torch.cat([points, point[:, None]], 1)
        labels = torch.cat([labels, label[:, None]], 1)
    return found
