"""A real photograph with a reference to hold masks against: scikit-image's coins, twenty-four of them.

No person has drawn their outlines here. The reference is scikit-image's own textbook segmentation: a
watershed on the Sobel gradient, flooded from what is darker than 30 and brighter than 150 (of 255), holes
filled, pieces under 500 pixels dropped.
"""

from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

DARK, BRIGHT, LEAST = 30, 150, 500


@cache
def coins() -> tuple[np.ndarray, np.ndarray]:
    """The photograph (303, 384) of uint8, and (303, 384) int: 0 the cloth, 1 … 24 the coins."""
    from scipy import ndimage
    from skimage import data, filters, measure, segmentation

    photo = data.coins()
    sources = np.zeros_like(photo, dtype=int)
    sources[photo < DARK], sources[photo > BRIGHT] = 1, 2
    found = segmentation.watershed(filters.sobel(photo), sources) == 2
    labels = measure.label(ndimage.binary_fill_holes(found))
    kept = [region.label for region in measure.regionprops(labels) if region.area >= LEAST]
    return photo, np.searchsorted(kept, labels, side="left") * np.isin(labels, kept) + np.isin(labels, kept)


def windows(window: int, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """A square of `window` pixels around each coin, brought to size × size: (n, 3, size, size) in [0, 1], the
    coin in the middle as (n, size, size) bool, and the click at its middle (n, 2), x and y.

    Where the square reaches beyond the photograph its edge is continued.
    """
    from skimage.measure import regionprops

    photo, labels = coins()
    pad = window // 2 + 1
    wide, named = np.pad(photo, pad, mode="edge"), np.pad(labels, pad)
    images, targets, points = [], [], []
    for region in regionprops(labels):
        y, x = (round(c) for c in region.centroid)
        cut = np.s_[y + pad - window // 2 :, x + pad - window // 2 :]
        square, inside = wide[cut][:window, :window], named[cut][:window, :window] == region.label
        images.append(torch.from_numpy(square.copy()).float() / 255)
        targets.append(torch.from_numpy(inside.copy()).float())
        points.append([size / 2, size / 2])
    image, target = (
        F.interpolate(
            torch.stack(part)[:, None], (size, size), mode="bilinear", antialias=True, align_corners=False
        )
        for part in (images, targets)
    )
    return image.clamp(0, 1).expand(-1, 3, -1, -1).contiguous(), target[:, 0] > 0.5, torch.tensor(points)
