"""What the diffusion experiments share: a small network that learns digits as 64 numbers, and its training.

Not the U-Net of the notebook: digits of 8 × 8 need no convolutions, and this one learns in a quarter of a
minute.
"""

import torch
from torch import Tensor

from lecture10.models.ddpm import Diffusion
from lecture10.models.denoise import VectorConfig, VectorDenoiser
from lecture10.recipes.denoising import learn
from lecture10.recipes.digits import digits, draw
from lecture10.training import TrainSettings

CONFIG = VectorConfig(size=64, width=128)
SETTINGS = TrainSettings(steps=1500, lr=5e-3, weight_decay=0.01, ema=0.998)
ASKED = 597  # samples, as many as there are held-out digits


def batch(generator: torch.Generator) -> Tensor:
    """128 training digits."""
    return draw(generator, 128)[0]


def trained(process: Diffusion, seed: int, kind: str = "eps") -> VectorDenoiser:
    """A fresh network of that seed, trained to say `kind`; on the CPU, where it is as quick as elsewhere."""
    torch.manual_seed(seed)
    network = VectorDenoiser(CONFIG)
    learn(network, process, batch, SETTINGS, seed=seed, kind=kind, quiet=True, device="cpu")
    return network


def noise(seed: int, n: int = ASKED) -> Tensor:
    """(n, 1, 8, 8) pure noise, the same for all variants of a seed."""
    return torch.randn(n, 1, 8, 8, generator=torch.Generator().manual_seed(50_000 + seed))


def real(n: int = ASKED) -> Tensor:
    """As many training digits: what a perfect memory would draw."""
    return digits("train")[0][:n]
