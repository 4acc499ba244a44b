"""The distances by which generated data are judged: zero where they must be, known values, and their bias."""

import math

import pytest
import torch

from lecture10.distances import frechet_distance, sliced_wasserstein

roll = torch.Generator().manual_seed(0)


def test_frechet_of_a_sample_with_itself_is_zero_and_order_does_not_matter():
    a, b = torch.randn(200, 3, generator=roll), 2 * torch.randn(300, 3, generator=roll) + 1
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-6)


def test_frechet_of_two_gaussians_is_the_formula():
    a = torch.randn(200_000, 2, generator=roll)
    b = torch.randn(200_000, 2, generator=roll) * torch.tensor([3.0, 1.0]) + torch.tensor([0.0, 2.0])
    assert frechet_distance(a, b) == pytest.approx(4 + (3 - 1) ** 2, rel=0.02)
    turned = b @ torch.tensor([[0.6, -0.8], [0.8, 0.6]])  # a rotation of both changes nothing
    assert frechet_distance(a @ torch.tensor([[0.6, -0.8], [0.8, 0.6]]), turned) == pytest.approx(8, rel=0.02)


def test_frechet_is_torchmetrics_or_scipys_by_hand():
    from scipy.linalg import sqrtm

    a, b = torch.randn(90, 4, generator=roll).double(), torch.randn(80, 4, generator=roll).double() * 1.5
    cov_a, cov_b = torch.cov(a.T).numpy(), torch.cov(b.T).numpy()
    expected = float((a.mean(0) - b.mean(0)).square().sum())
    expected += float((cov_a + cov_b - 2 * sqrtm(cov_a @ cov_b).real).trace())
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)


def test_small_samples_make_it_too_large_as_its_docstring_says():
    def mean(n):
        pairs = [torch.randn(2, n, 8, generator=roll) for _ in range(30)]
        return sum(frechet_distance(*pair) for pair in pairs) / 30

    few, many = mean(50), mean(400)
    assert few > 4 * many > 0
    with pytest.raises(ValueError, match="8 points in 8 dimensions: a covariance needs more points"):
        frechet_distance(torch.randn(8, 8), torch.randn(50, 8))


def test_sliced_wasserstein_of_a_shift_is_its_mean_shadow():
    a = torch.randn(500, 2, generator=roll)
    assert sliced_wasserstein(a, a) == 0
    moved = a + torch.tensor([3.0, 0.0])
    assert sliced_wasserstein(a, moved) == pytest.approx(3 * 2 / math.pi, rel=1e-3)  # mean of |cos|
    assert sliced_wasserstein(a, moved) == pytest.approx(sliced_wasserstein(moved, a))


def test_sliced_wasserstein_sees_what_mean_and_covariance_do_not():
    ring = torch.randn(4000, 2, generator=roll)
    ring = ring / ring.norm(dim=1, keepdim=True) * math.sqrt(2)  # unit variance both ways
    cloud, other = torch.randn(2, 4000, 2, generator=roll)
    assert frechet_distance(ring, cloud) < 0.01
    assert sliced_wasserstein(ring, cloud) > 3 * sliced_wasserstein(other, cloud)
    high = torch.randn(300, 5, generator=roll)
    assert sliced_wasserstein(high, high + 1) > 0.3


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match=r"the samples have shapes \(4, 2\) and \(4, 3\)"):
        sliced_wasserstein(torch.zeros(4, 2), torch.zeros(4, 3))
    with pytest.raises(ValueError, match=r"shapes \(4, 1, 2\)"):
        frechet_distance(torch.zeros(4, 1, 2), torch.zeros(4, 2))
    with pytest.raises(ValueError, match="0 directions"):
        sliced_wasserstein(torch.zeros(4, 2), torch.zeros(4, 2), directions=0)
