"""How every denoiser is trained, and the cloud of points that shows one at work."""

import math

import torch
from torch import Tensor, nn

from lecture10.models.ddpm import Diffusion
from lecture10.training import BatchSource, History, TrainSettings, train


def spiral(n: int, generator: torch.Generator) -> Tensor:
    """n points (n, 2) on a spiral of two arms, each blurred by 0.06; about unit variance both ways."""
    along = torch.rand(n, generator=generator).sqrt() * 1.5 * math.pi
    arm = torch.randint(2, (n,), generator=generator) * 2.0 - 1  # ±1: the second arm is the first, turned
    on_arm = torch.stack([along.cos(), along.sin()], 1) * (along * arm)[:, None] / 2.3
    return on_arm + 0.06 * torch.randn(n, 2, generator=generator)


def some_points(generator: torch.Generator, n: int = 400) -> Tensor:
    """A batch of the spiral."""
    return spiral(n, generator)


def noise_loss(process: Diffusion, network: nn.Module, x_0: Tensor, *, kind: str = "eps") -> Tensor:
    """L_simple of a batch: a random step and random noise for each datum (DDPM, algorithm 1)."""
    t = torch.randint(process.steps, (len(x_0),), device=x_0.device)
    return process.loss(network, x_0, t, torch.randn_like(x_0), kind)


def learn(
    network: nn.Module,
    process: Diffusion,
    batches: BatchSource,
    settings: TrainSettings,
    *,
    seed: int = 0,
    kind: str = "eps",
    **how,
) -> History:
    """Train a network in place to say `kind` ("eps", "x0", "v") of noisy data; `how` is handed to `train`."""

    def loss(model: nn.Module, batch: Tensor) -> Tensor:
        return noise_loss(process, model, batch, kind=kind)

    network.to(memory_format=torch.channels_last)  # convolutions on a CPU are faster so
    return train(network, loss, batches, settings, seed=seed, **({"label": "denoiser"} | how))
