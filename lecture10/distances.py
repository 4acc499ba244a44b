"""How far two samples are apart: the distances by which generated data are judged, with what biases them.

n, m: how many points a sample has; d: how many numbers a point has.
"""

import math

import numpy as np
import torch
from scipy import linalg
from scipy.stats import wasserstein_distance
from torch import Tensor


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """‖μ_a - μ_b‖² + tr(C_a + C_b - 2 (C_a C_b)^½) of two samples (n, d), (m, d), taken for Gaussians.

    Heusel et al. 2017, eq. 6, in whatever features are given: it is called FID only in those of their
    Inception network. Means and covariances of finite samples are noisy, and every noise adds: too large by
    about 1/n (Chong & Forsyth 2020), so compare at one n alone. Raises ValueError for n <= d or unlike d.
    """
    _check(a, b)
    if min(len(a), len(b)) <= a.shape[1]:
        raise ValueError(
            f"{min(len(a), len(b))} points in {a.shape[1]} dimensions: a covariance needs more points than "
            "dimensions; draw more, or take fewer features"
        )
    (mean_a, cov_a), (mean_b, cov_b) = (
        (x.mean(0), np.cov(x.T).reshape(x.shape[1], -1)) for x in map(_array, (a, b))
    )
    root = linalg.sqrtm(cov_a @ cov_b)  # its imaginary part is rounding alone
    return float(((mean_a - mean_b) ** 2).sum() + np.trace(cov_a + cov_b - 2 * root.real))


def sliced_wasserstein(a: Tensor, b: Tensor, *, directions: int = 64) -> float:
    """How far mass is carried to turn one sample into the other, seen from a direction: the mean of many.

    a, b: (n, d), (m, d). A direction's distance is scipy's exact one in one dimension (Rabin et al. 2011,
    with the first power); directions: equally spaced in a plane, else random ones of a fixed seed. Two
    samples of one distribution are about 1/√n apart. Raises ValueError for unlike d or fewer than one
    direction.
    """
    _check(a, b)
    if directions < 1:
        raise ValueError(f"{directions} directions: look from one or more")
    if a.shape[1] == 2:
        angles = torch.arange(directions) * math.pi / directions
        looks = torch.stack([angles.cos(), angles.sin()])  # (2, directions)
    else:
        looks = torch.randn(a.shape[1], directions, generator=torch.Generator().manual_seed(0))
        looks = looks / looks.norm(dim=0)
    seen_a, seen_b = _array(a) @ looks.numpy(), _array(b) @ looks.numpy()
    return float(np.mean([wasserstein_distance(*pair) for pair in zip(seen_a.T, seen_b.T, strict=True)]))


def _check(a: Tensor, b: Tensor) -> None:
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ValueError(
            f"the samples have shapes {tuple(a.shape)} and {tuple(b.shape)}: give (n, d) and (m, d), a row "
            "for each point"
        )


def _array(x: Tensor) -> np.ndarray:
    return x.detach().cpu().double().numpy()
