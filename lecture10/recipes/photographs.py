"""Real photographs that scikit-image carries, cut to their middle square; nothing is downloaded."""

import torch
from torch import Tensor
from torch.nn import functional as F

NAMES = ("cat", "coffee", "rocket", "astronaut", "camera")


def photograph(name: str, size: int) -> Tensor:
    """(3, size, size) in [0, 1]: the middle square of one of NAMES. Raises ValueError for another name."""
    from skimage import data

    if name not in NAMES:
        raise ValueError(f"there is no photograph {name!r} here: choose one of {', '.join(NAMES)}")
    pixels = torch.from_numpy(getattr(data, name)().copy()).float() / 255
    if pixels.ndim == 2:  # grey
        pixels = pixels[..., None].expand(-1, -1, 3)
    side = min(pixels.shape[:2])
    top, left = ((extent - side) // 2 for extent in pixels.shape[:2])
    middle = pixels[top : top + side, left : left + side].permute(2, 0, 1)[None]
    return F.interpolate(middle, (size, size), mode="bilinear", antialias=True, align_corners=False)[0].clamp(
        0, 1
    )
