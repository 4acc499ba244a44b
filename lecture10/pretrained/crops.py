"""Crops of a real photograph, named by an official CLIP: RegionCLIP's starting point."""

from collections.abc import Mapping, Sequence

import torch

from lecture10.pretrained.clip import OfficialCLIP
from lecture10.zero_shot import TEMPLATE, class_embeddings, class_probabilities, embed_images


@torch.no_grad()
def crop_names(
    official: OfficialCLIP,
    photo,
    boxes_xyxy: Mapping[str, tuple[int, int, int, int]],
    names: Sequence[str],
    templates: Sequence[str] = TEMPLATE,
) -> dict[str, dict[str, float]]:
    """Label of a box -> probability of each name, likeliest first.

    photo: a uint8 array (H, W, 3); boxes_xyxy: corners (x0, y0, x1, y1) in its *pixels*. Raises ValueError,
    with the cure, for boxes that are empty, inverted or outside of the photo.
    """
    height, width = photo.shape[:2]
    crops = []
    for label, (x0, y0, x1, y1) in boxes_xyxy.items():
        if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
            raise ValueError(
                f"the box {label!r} is ({x0}, {y0}, {x1}, {y1}) in pixels; 0 ≤ x0 < x1 ≤ {width} and "
                f"0 ≤ y0 < y1 ≤ {height} are needed in this photo"
            )
        crops.append(photo[y0:y1, x0:x1])
    classes = class_embeddings(official.clip, official.encode, names, templates)
    chances = class_probabilities(
        official.clip, embed_images(official.clip, official.pictures(crops)), classes
    )
    found = {}
    for label, row in zip(boxes_xyxy, chances.tolist(), strict=True):
        order = sorted(zip(names, row, strict=True), key=lambda pair: -pair[1])
        found[label] = dict(order)
    return found
