"""Model answers to the exercises of 11_diffusion. Their docstrings are the tasks that the learner reads."""

import math

import torch


def signal_left() -> float:
    """√ᾱ_T is the product of √(1 − β_t) over 100 steps, β rising from 0.0001 to 0.02: about exp(−½ Σ β)."""
    return math.prod(math.sqrt(1 - 1e-4 - (0.02 - 1e-4) * t / 99) for t in range(100))


def kl_term(mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """KL(N(μ, σ²) ‖ N(0, 1)), the second term of a VAE's bound, for each datum of a batch, in nats.

    mean, log_variance (B, Z): μ and ln σ² (not ln σ) of each number of the latent. Returns (B,).
    """
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(dim=1)


def draw_latent(mean: torch.Tensor, log_variance: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """A draw z from N(μ, σ²), made so that the loss's gradient reaches both μ and ln σ².

    mean, log_variance (B, Z): μ and ln σ². noise (B, Z): already drawn from N(0, 1). Returns z, (B, Z).
    """
    return mean + (log_variance / 2).exp() * noise


def jump(
    x_s: torch.Tensor, eps: torch.Tensor, alpha_bar_s: torch.Tensor, alpha_bar_t: torch.Tensor
) -> torch.Tensor:
    """Noise data that are noisy already: from step s straight to a later step t, with one draw of noise.

    x_s (B, D): data at step s, √ᾱ_s x_0 and noise of variance 1 − ᾱ_s. eps (B, D): fresh, from N(0, 1).
    alpha_bar_s >= alpha_bar_t: ᾱ of both steps, in (0, 1]. Returns x_t, (B, D).
    """
    kept = alpha_bar_t / alpha_bar_s  # the product of α from s + 1 to t
    return kept.sqrt() * x_s + (1 - kept).sqrt() * eps


def shorter_betas(T: int) -> torch.Tensor:
    """A linear schedule in T steps, T from 50 to 1000, that ends in as pure a noise as the paper's in 1,000.

    The paper's β rise from 0.0001 to 0.02 in 1,000 steps. Returns (T,), each in (0, 1).
    """
    times = 1000 / T  # so that Σ β stays what it was
    return torch.linspace(1e-4 * times, 0.02 * times, T)


def repair_posterior(x_0: torch.Tensor, x_t: torch.Tensor, t: int, betas: torch.Tensor) -> torch.Tensor:
    """The mean of x one step before t, given x_t and x_0 (DDPM, eq. 7). t counts from 0; before 0 is x_0."""
    alpha, alpha_bars = 1 - betas[t], torch.cumprod(1 - betas, 0)
    alpha_bar = alpha_bars[t]
    before = alpha_bars[t - 1] if t > 0 else torch.ones(())
    of_x_0 = before.sqrt() * betas[t] / (1 - alpha_bar)
    of_x_t = alpha.sqrt() * (1 - before) / (1 - alpha_bar)
    return of_x_0 * x_0 + of_x_t * x_t


def repair_step(
    x_t: torch.Tensor, eps: torch.Tensor, z: torch.Tensor, t: int, betas: torch.Tensor
) -> torch.Tensor:
    """One DDPM step back (algorithm 2): from x_t and the noise eps seen in it. z: fresh noise; σ_t = √β_t."""
    alpha_bar = torch.cumprod(1 - betas, 0)[t]
    mean = (x_t - betas[t] / (1 - alpha_bar).sqrt() * eps) / (1 - betas[t]).sqrt()
    return mean + betas[t].sqrt() * z if t > 0 else mean
