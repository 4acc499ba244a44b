"""Diffusion: add Gaussian noise step by step, and learn the way back. Schedules, DDPM, DDIM; any network.

Ho, Jain & Abbeel 2020, "Denoising Diffusion Probabilistic Models"; Song, Meng & Ermon 2021, "Denoising
Diffusion Implicit Models"; Nichol & Dhariwal 2021 (the cosine schedule); Salimans & Ho 2022 (the target v).
The papers count steps 1 … T; here, as in their code, t is 0-based: t = 0 is a picture with one step's noise,
t = T - 1 the last. "Before the first" is t = -1, where ᾱ = 1: no noise at all.
B: batch; …: the shape of one picture, latent or point; T: steps.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

TARGETS = ("eps", "x0", "v")
SCHEDULES = ("linear", "cosine", "scaled linear")


@dataclass(frozen=True)
class ScheduleConfig:
    """How the noise grows. The linear schedule's two ends are the paper's, made for 1,000 steps."""

    steps: int = 1000  # T
    kind: str = "linear"
    first: float = 1e-4  # β of the first step …
    last: float = 0.02  # … and of the last
    rescale: bool = True  # β · 1000 / T where T is not 1,000: else pure noise is never reached (see below)


def betas(config: ScheduleConfig) -> Tensor:
    """(T,) float32 β_t in (0, 1), the variance of the noise that step t adds.

    Raises ValueError for fewer than one step, an unknown kind, or ends outside (0, 1).
    """
    T = config.steps
    if T < 1:
        raise ValueError(f"steps is {T}: noise is added in one step or more, the paper's 1000")
    if config.kind not in SCHEDULES:
        raise ValueError(f"the schedule is {config.kind!r}: it is one of {', '.join(map(repr, SCHEDULES))}")
    if config.kind == "cosine":
        return _cosine(T)
    times = 1000 / T if config.rescale else 1.0
    first, last = config.first * times, config.last * times
    if not 0 < first <= last < 1:
        raise ValueError(
            f"β would run from {first:.3g} to {last:.3g}, and must lie in (0, 1): take more steps (now {T}), "
            "smaller ends, or the cosine schedule"
        )
    if config.kind == "linear":
        return torch.linspace(first, last, T)
    return torch.linspace(first**0.5, last**0.5, T) ** 2  # latent diffusion's: slower at the start


def _cosine(T: int, most: float = 0.999) -> Tensor:
    """β from ᾱ(u) = cos²((u + 0.008) / 1.008 · π/2), u in [0, 1] (Nichol & Dhariwal 2021, eq. 17)."""

    def alpha_bar(u: float) -> float:
        return math.cos((u + 0.008) / 1.008 * math.pi / 2) ** 2

    return torch.tensor([min(1 - alpha_bar((t + 1) / T) / alpha_bar(t / T), most) for t in range(T)])


class Diffusion:
    """A schedule with all that follows from it in closed form; knows no network.

    ᾱ_t = Π (1 - β_s), s <= t. With ends made for 1,000 steps and T = 100, √ᾱ_T is 0.60: sampling starts from
    pure noise, which such a process never reaches, and which its network has never seen.
    """

    def __init__(self, config: ScheduleConfig | None = None):
        self.config = config or ScheduleConfig()
        self.betas = betas(self.config)
        self.alphas = 1 - self.betas
        self.alpha_bars = self.alphas.cumprod(0)

    @property
    def steps(self) -> int:
        """T."""
        return self.config.steps

    def alpha_bar(self, t: Tensor | int, like: Tensor | None = None) -> Tensor:
        """ᾱ_t, and 1 at t = -1; shaped (B, 1, …) to be multiplied with `like` (B, …).

        t: (B,) or one number, in -1 … T - 1; raises ValueError outside.
        """
        t = torch.as_tensor(t)
        if t.numel() and not -1 <= int(t.min()) <= int(t.max()) < self.steps:
            raise ValueError(
                f"t runs from {int(t.min())} to {int(t.max())}, this schedule from 0 to {self.steps - 1} "
                "(-1: no noise); the papers' step t is t - 1 here"
            )
        values = torch.cat([self.alpha_bars, self.alpha_bars.new_ones(1)])[t.cpu()]  # -1 is the last
        if like is None:
            return values
        return values.to(like).reshape(-1, *[1] * (like.ndim - 1))

    # --- the way there --------------------------------------------------------------------------------------

    def add_noise(self, x_0: Tensor, eps: Tensor, t: Tensor | int) -> Tensor:
        """x_t = √ᾱ_t x_0 + √(1 - ᾱ_t) ε: all steps up to t at once (DDPM, eq. 4). (B, …) -> (B, …)."""
        alpha_bar = self.alpha_bar(t, x_0)
        return alpha_bar.sqrt() * x_0 + (1 - alpha_bar).sqrt() * eps

    def signal_to_noise(self, t: Tensor | int) -> Tensor:
        """ᾱ_t / (1 - ᾱ_t)."""
        alpha_bar = self.alpha_bar(t)
        return alpha_bar / (1 - alpha_bar)

    # --- what a network may be asked for: ε, x_0 or v, each a way to say the same ---------------------------

    def target(self, kind: str, x_0: Tensor, eps: Tensor, t: Tensor | int) -> Tensor:
        """What a network should say of x_t; v = √ᾱ ε - √(1 - ᾱ) x_0 (Salimans & Ho 2022, appendix D)."""
        if kind == "v":
            alpha_bar = self.alpha_bar(t, x_0)
            return alpha_bar.sqrt() * eps - (1 - alpha_bar).sqrt() * x_0
        return {"eps": eps, "x0": x_0}[_known(kind)]

    def x_0(self, kind: str, said: Tensor, x_t: Tensor, t: Tensor | int) -> Tensor:
        """The x_0 that a network's answer about x_t amounts to (for ε: DDPM, eq. 15)."""
        alpha_bar = self.alpha_bar(t, x_t)
        if _known(kind) == "eps":
            return (x_t - (1 - alpha_bar).sqrt() * said) / alpha_bar.sqrt()
        return said if kind == "x0" else alpha_bar.sqrt() * x_t - (1 - alpha_bar).sqrt() * said

    def eps(self, kind: str, said: Tensor, x_t: Tensor, t: Tensor | int) -> Tensor:
        """The ε that a network's answer about x_t amounts to."""
        alpha_bar = self.alpha_bar(t, x_t)
        if _known(kind) == "x0":
            return (x_t - alpha_bar.sqrt() * said) / (1 - alpha_bar).sqrt()
        return said if kind == "eps" else alpha_bar.sqrt() * said + (1 - alpha_bar).sqrt() * x_t

    def loss(
        self,
        network: Callable[[Tensor, Tensor], Tensor],
        x_0: Tensor,
        t: Tensor,
        eps: Tensor,
        kind: str = "eps",
    ) -> Tensor:
        """L_simple = E ‖ε - ε_θ(x_t, t)‖², a mean over batch and places (DDPM, eq. 14); or of another target.

        The weights that the variational bound gives each t are left out on purpose: it is not the likelihood.
        """
        return F.mse_loss(network(self.add_noise(x_0, eps, t), t), self.target(kind, x_0, eps, t))

    # --- the way back ---------------------------------------------------------------------------------------

    def posterior_mean(self, x_0: Tensor, x_t: Tensor, t: int, before: int | None = None) -> Tensor:
        """μ̃: the mean of x at step `before` (default t - 1), were x_0 known (DDPM, eq. 7)."""
        before = t - 1 if before is None else before
        alpha_bar, alpha_bar_before = self.alpha_bar(t, x_t), self.alpha_bar(before, x_t)
        alpha = alpha_bar / alpha_bar_before  # α_t, or the product of all α from before + 1 to t
        of_x_0 = alpha_bar_before.sqrt() * (1 - alpha) / (1 - alpha_bar)
        of_x_t = alpha.sqrt() * (1 - alpha_bar_before) / (1 - alpha_bar)
        return of_x_0 * x_0 + of_x_t * x_t

    def posterior_variance(self, t: int, before: int | None = None) -> Tensor:
        """β̃_t = β_t (1 - ᾱ_{t-1}) / (1 - ᾱ_t); 0 where `before` is -1: the last step adds no noise."""
        before = t - 1 if before is None else before
        alpha_bar, alpha_bar_before = self.alpha_bar(t), self.alpha_bar(before)
        return (1 - alpha_bar / alpha_bar_before) * (1 - alpha_bar_before) / (1 - alpha_bar)

    def ddpm_step(
        self,
        x_0: Tensor,
        x_t: Tensor,
        t: int,
        z: Tensor,
        before: int | None = None,
        *,
        variance: str = "small",
    ) -> Tensor:
        """One step back with fresh noise z ~ N(0, 1) (DDPM, algorithm 2). x_0: what the network takes it for.

        variance: "small" is β̃_t, "large" β_t; both are in the paper. Neither adds noise in the last step.
        """
        before = t - 1 if before is None else before
        mean = self.posterior_mean(x_0, x_t, t, before)
        if before < 0:
            return mean
        if variance == "small":
            spread = self.posterior_variance(t, before).clamp(min=1e-20)
        elif variance == "large":
            spread = 1 - self.alpha_bar(t) / self.alpha_bar(before)
        else:
            raise ValueError(f"variance is {variance!r}: it is 'small' (β̃) or 'large' (β)")
        return mean + spread.sqrt().to(x_t) * z

    def ddim_step(
        self, x_0: Tensor, eps: Tensor, t: int, before: int, *, eta: float = 0.0, z: Tensor | None = None
    ) -> Tensor:
        """One step back of any length (DDIM, eq. 12): to √ᾱ x_0 + direction to x_t + noise of step `before`.

        eta: 0 is deterministic; 1 has DDPM's noise, and needs z ~ N(0, 1). Raises ValueError without it.
        """
        if not 0 <= eta <= 1:
            raise ValueError(f"eta is {eta}: it lies between 0 (no fresh noise) and 1 (as much as DDPM)")
        sigma = eta * self.posterior_variance(t, before).sqrt().to(x_0)  # eq. 16
        alpha_bar = self.alpha_bar(before, x_0)
        moved = alpha_bar.sqrt() * x_0 + (1 - alpha_bar - sigma**2).clamp(min=0).sqrt() * eps
        if eta == 0:
            return moved
        if z is None:
            raise ValueError(f"eta is {eta}: give fresh noise z, or eta=0")
        return moved + sigma * z


def _known(kind: str) -> str:
    if kind not in TARGETS:
        raise ValueError(f"the network's target is {kind!r}: it is one of {', '.join(map(repr, TARGETS))}")
    return kind
