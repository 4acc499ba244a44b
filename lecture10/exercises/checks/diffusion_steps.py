"""What is true of every right way to add noise in fewer steps, and of every right step back."""

import math

import torch
from torch import Tensor

from lecture10.exercises.exercise import Broken
from lecture10.exercises.expect import agree, dice, refuse, tensor

# --- jump: (x_s, eps, ᾱ_s, ᾱ_t) -> x_t


def _bar(value: float) -> Tensor:
    return torch.tensor(value)


def _data(seed: int, n: int = 4, width: int = 3) -> tuple[Tensor, Tensor]:
    roll = dice(seed)
    return torch.randn(n, width, generator=roll), torch.randn(n, width, generator=roll)


def jump_has_the_shape(fn):
    """(B, D)."""
    tensor(fn(*_data(0), _bar(0.9), _bar(0.3)), (4, 3))


def no_step_no_change(fn):
    """ᾱ_s = ᾱ_t."""
    x, eps = _data(1)
    for value in (1.0, 0.36):
        agree(fn(x, eps, _bar(value), _bar(value)), x, f"ᾱ_s = ᾱ_t = {value:g}: nothing happens to x_s")


def from_clean_data(fn):
    """ᾱ_s = 1: the closed form."""
    x, eps = _data(2)
    agree(fn(x, eps, _bar(1.0), _bar(0.64)), 0.8 * x + 0.6 * eps, "ᾱ_s = 1, ᾱ_t = 0.64")


def the_signal_shrinks_as_much(fn):
    """A jump keeps √(ᾱ_t / ᾱ_s) of what there was."""
    x, none = torch.ones(1, 2), torch.zeros(1, 2)
    agree(fn(x, none, _bar(0.64), _bar(0.16)), x / 2, "x_s = 1, noise 0, ᾱ from 0.64 to 0.16")


def two_jumps_are_one(fn):
    """Variances: 1 − ᾱ_s, then on to 1 − ᾱ_t."""
    none, one = torch.zeros(1, 1), torch.ones(1, 1)
    for s, t in ((0.9, 0.5), (0.5, 0.05)):
        of_old = float(fn(one, none, _bar(s), _bar(t)))
        fresh = float(fn(none, one, _bar(s), _bar(t)))
        variance = of_old**2 * (1 - s) + fresh**2
        if abs(variance - (1 - t)) > 1e-4:
            raise Broken(
                f"ᾱ from {s:g} to {t:g}: old and fresh noise together have the variance {variance:.3f}, "
                f"wanted 1 − ᾱ_t = {1 - t:.3f}"
            )


# --- shorter_betas: T -> (T,)


def betas_one_for_each_step(fn):
    """(T,)."""
    for T in (50, 200):
        tensor(fn(T), (T,))


def betas_are_variances(fn):
    """In (0, 1), and rising."""
    for T in (50, 400):
        got = fn(T)
        refuse(
            (got <= 0) | (got >= 1),
            lambda at, got=got, T=T: (
                f"T = {T}: β[{at[0]}] is {float(got[at]):.3g}, a share of variance in (0, 1)"
            ),
        )
        refuse(
            got.diff() <= 0,
            lambda at, got=got, T=T: (
                f"T = {T}: β does not rise at step {at[0]}: {float(got[at[0]]):.4g} twice or more"
            ),
        )


def betas_of_a_thousand(fn):
    """The paper's."""
    agree(fn(1000), torch.linspace(1e-4, 0.02, 1000), "T = 1000")


def betas_reach_noise(fn):
    """√ᾱ_T about 0.006."""
    for T in (500, 200, 100):
        left = float((1 - fn(T)).log().sum() / 2)
        if math.exp(left) > 0.01:
            raise Broken(
                f"T = {T}: √ᾱ_T is {math.exp(left):.3f}, so that much of a picture is left; at 1000, 0.006"
            )


def betas_keep_their_sum(fn):
    """Σ β = 10.05, from both ends."""
    for T in (100, 250):
        got = fn(T)
        wanted = torch.tensor([0.1 / T, 20 / T])
        agree(torch.stack([got[0], got[-1]]), wanted, f"T = {T}: the first and the last β")


# --- repair_posterior: (x_0, x_t, t, betas) -> mean

BETAS = torch.linspace(0.01, 0.3, 12)
ALPHA_BARS = torch.cumprod(1 - BETAS, 0)


def posterior_has_the_shape(fn):
    """As x_0."""
    tensor(fn(*_data(3), 5, BETAS), (4, 3))


def before_the_first_step_is_the_data(fn):
    """t = 0: x_0."""
    x_0, x_t = _data(4)
    agree(fn(x_0, x_t, 0, BETAS), x_0, "t = 0: one step before it there is no noise, so the mean is x_0")


def what_is_sure_stays_sure(fn):
    """x_t = √ᾱ_t x_0 exactly: the mean is √ᾱ_{t−1} x_0."""
    x_0, _ = _data(5)
    for t in (1, 4, 11):
        got = fn(x_0, ALPHA_BARS[t].sqrt() * x_0, t, BETAS)
        agree(got, ALPHA_BARS[t - 1].sqrt() * x_0, f"t = {t}, x_t = √ᾱ_t x_0", tolerance=1e-4)


def posterior_is_bayes_rule(fn):
    """On a fine grid, in one dimension."""
    grid = torch.linspace(-6, 6, 40_001, dtype=torch.float64)
    for t, x_0, x_t in ((1, 0.7, -0.4), (6, -1.0, 1.2), (11, 0.3, 2.0)):
        a, alpha = ALPHA_BARS[t - 1].double(), (1 - BETAS[t]).double()
        log_p = -((grid - a.sqrt() * x_0) ** 2) / (2 * (1 - a)) - (x_t - alpha.sqrt() * grid) ** 2 / (
            2 * (1 - alpha)
        )
        wanted = float((grid * log_p.softmax(0)).sum())
        got = fn(torch.tensor([[x_0]]), torch.tensor([[x_t]]), t, BETAS)
        agree(
            got,
            torch.tensor([[wanted]]),
            f"t = {t}, x_0 = {x_0}, x_t = {x_t}, by Bayes' rule",
            tolerance=1e-3,
        )


# --- repair_step: (x_t, eps, z, t, betas) -> x one step before


def step_has_the_shape(fn):
    """As x_t."""
    x, eps = _data(6)
    tensor(fn(x, eps, torch.zeros(4, 3), 5, BETAS), (4, 3))


def the_last_step_is_quiet(fn):
    """t = 0: z does not matter."""
    x, eps = _data(7)
    quiet, loud = fn(x, eps, torch.zeros(4, 3), 0, BETAS), fn(x, eps, torch.ones(4, 3), 0, BETAS)
    agree(loud, quiet, "t = 0, with z = 1 instead of 0")


def earlier_steps_are_not(fn):
    """t >= 1: z moves x by √β_t."""
    x, eps = _data(8)
    for t in (1, 2, 11):
        moved = fn(x, eps, torch.ones(4, 3), t, BETAS) - fn(x, eps, torch.zeros(4, 3), t, BETAS)
        if float(moved.abs().max()) < 1e-6:
            raise Broken(f"t = {t}: z does nothing, and without fresh noise the samples lose their variety")


def noise_has_the_width_sigma(fn):
    """σ = √β."""
    x, eps = _data(9)
    for t in (1, 6):
        moved = fn(x, eps, torch.ones(4, 3), t, BETAS) - fn(x, eps, torch.zeros(4, 3), t, BETAS)
        agree(moved, BETAS[t].sqrt().expand(4, 3), f"t = {t}: what z = 1 adds", tolerance=1e-4)


def the_mean_is_the_posteriors(fn):
    """With the true ε the mean is that of the posterior, and x_0 at t = 0."""
    x_0, eps = _data(10)
    for t in (0, 3, 11):
        a, before = ALPHA_BARS[t], ALPHA_BARS[t - 1] if t else torch.ones(())
        x_t = a.sqrt() * x_0 + (1 - a).sqrt() * eps
        wanted = (before.sqrt() * BETAS[t] * x_0 + (1 - BETAS[t]).sqrt() * (1 - before) * x_t) / (1 - a)
        got = fn(x_t, eps, torch.zeros(4, 3), t, BETAS)
        agree(got, wanted, f"t = {t}, z = 0, eps the noise that x_t was made with", tolerance=1e-4)
