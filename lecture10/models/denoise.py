"""From noise to data with a trained network: which steps to take, the loop over them; a network for vectors.

Ho, Jain & Abbeel 2020 (DDPM, algorithm 2); Song, Meng & Ermon 2021 (DDIM); Lin et al. 2024, "Common
Diffusion Noise Schedules and Sample Steps Are Flawed" (why the first step has to be T - 1). As everywhere
here t is 0-based, and t = -1 means data without noise.
B: batch; …: the shape of one picture, vector or point; T: steps of the schedule; n: steps that are taken.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lecture10.models.ddpm import Diffusion
from lecture10.models.unet import timestep_embedding

Network = Callable[[Tensor, Tensor], Tensor]  # (B, …) noisy, (B,) t -> (B, …) what it says of them
METHODS = ("ddpm", "ddim")


def chosen_steps(T: int, n: int | None = None) -> list[int]:
    """n of the T steps, evenly spaced from T - 1 down: [T - 1, …]; after the last of them comes t = -1.

    The spacing is diffusers' "trailing": it always starts where the noise is pure. n: None takes all.
    Raises ValueError for fewer than one or more than T.
    """
    n = T if n is None else n
    if not 1 <= n <= T:
        raise ValueError(f"{n} sampling steps: this schedule has {T}, take 1 to {T} of them")
    return [round(T - i * T / n) - 1 for i in range(n)]


def understood(network: Network, process: Diffusion, kind: str, x_t: Tensor, t: int) -> tuple[Tensor, Tensor]:
    """What a network takes x_t for: (x_0, ε), both (B, …), whichever of them (or v) it was trained to say."""
    said = network(x_t, torch.full((len(x_t),), t, device=x_t.device))
    return process.x_0(kind, said, x_t, t), process.eps(kind, said, x_t, t)


def back(
    network: Network,
    process: Diffusion,
    x: Tensor,
    *,
    steps: int | None = None,
    method: str = "ddpm",
    kind: str = "eps",
    eta: float = 0.0,
    clip: float | None = None,
    generator: torch.Generator | None = None,
) -> Iterator[tuple[int, Tensor, Tensor]]:
    """The way back, step by step: yields (t, x before step t, the x_0 it is taken for), at last (-1, x, x).

    x: (B, …) pure noise N(0, 1). method: "ddpm" (variance β̃, of the n steps that are taken) or "ddim" (eta:
    0 deterministic … 1). kind: what the network says. clip: keep each x_0 in ±clip, as the papers' code does
    for pictures. Raises ValueError for an unknown method and as `chosen_steps` does.
    """
    if method not in METHODS:
        raise ValueError(f"the method is {method!r}: it is one of {', '.join(map(repr, METHODS))}")
    times = chosen_steps(process.steps, steps)
    for t, before in zip(times, [*times[1:], -1], strict=True):
        x_0, eps = understood(network, process, kind, x, t)
        if clip is not None:
            x_0 = x_0.clamp(-clip, clip)
            eps = process.eps("x0", x_0, x, t)  # the noise that goes with it
        yield t, x, x_0
        z = torch.randn(x.shape, generator=generator).to(x)
        if method == "ddpm":
            x = process.ddpm_step(x_0, x, t, z, before)
        else:
            x = process.ddim_step(x_0, eps, t, before, eta=eta, z=z)
    yield -1, x, x


@torch.no_grad()
def sample(network: Network, process: Diffusion, x: Tensor, **how) -> Tensor:
    """The end of the way back: (B, …) pure noise -> (B, …) samples. `how`: see `back`."""
    *_, (_, samples, _) = back(network, process, x, **how)
    return samples


@torch.no_grad()
def path(network: Network, process: Diffusion, x: Tensor, **how) -> tuple[list[int], Tensor, Tensor]:
    """All of the way back: t of each stop (the last is -1), x and the x_0 it is taken for, (n + 1, B, …)."""
    stops, noisy, guessed = zip(*back(network, process, x, **how), strict=True)
    return list(stops), torch.stack(noisy), torch.stack(guessed)


def bound_weight(process: Diffusion, t: Tensor | int) -> Tensor:
    """The factor of ‖ε - ε_θ‖² in the variational bound, for t >= 1, which L_simple replaces by 1.

    β_t² / (2 σ_t² α_t (1 - ᾱ_t)) with σ_t² = β̃_t (DDPM, eq. 12). Raises ValueError for t = 0, where the
    bound has another term, L_0.
    """
    t = torch.as_tensor(t)
    if int(t.min()) < 1:
        raise ValueError(f"t is {int(t.min())}: the first step's term of the bound is L_0, take t from 1")
    beta, alpha_bar, before = process.betas[t], process.alpha_bar(t), process.alpha_bar(t - 1)
    variance = beta * (1 - before) / (1 - alpha_bar)  # β̃_t
    return beta**2 / (2 * variance * (1 - beta) * (1 - alpha_bar))


@dataclass(frozen=True)
class VectorConfig:
    """A network for points and other small vectors; the defaults are for points in a plane."""

    size: int = 2  # numbers in one datum
    width: int = 128
    blocks: int = 2
    time: int = 32  # width of the time's cosines and sines


class VectorDenoiser(nn.Module):
    """Residual blocks of two layers; each is told the time. Knows nothing of pictures, and needs not."""

    def __init__(self, config: VectorConfig):
        super().__init__()
        self.config = config
        width = config.width
        self.into = nn.Linear(config.size, width)
        self.time = nn.Sequential(nn.Linear(config.time, width), nn.SiLU(), nn.Linear(width, width))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(config.blocks))
        self.up = nn.ModuleList(nn.Linear(width, 2 * width) for _ in range(config.blocks))
        self.down = nn.ModuleList(nn.Linear(2 * width, width) for _ in range(config.blocks))
        self.out = nn.Linear(width, config.size)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """(B, …) of `size` numbers each, (B,) -> (B, …). Raises ValueError for another size."""
        if x[0].numel() != self.config.size:
            raise ValueError(f"x has {x[0].numel()} numbers each, this network reads {self.config.size}")
        time = self.time(timestep_embedding(t, self.config.time))  # (B, width)
        h = self.into(x.flatten(1))
        for norm, up, down in zip(self.norms, self.up, self.down, strict=True):
            h = h + down(F.silu(up(norm(h) + time)))
        return self.out(h).view_as(x)  # no norm here: an answer must be able to grow with x
