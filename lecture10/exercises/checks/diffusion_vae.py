"""What is true of every right KL term and of every draw that lets a gradient through."""

import math

import torch
from torch import Tensor

from lecture10.exercises.exercise import Broken
from lecture10.exercises.expect import agree, dice, number, refuse, tensor

# --- kl_term: (mean, log_variance) -> (B,)


def _latent(seed: int, n: int = 4, width: int = 3) -> tuple[Tensor, Tensor]:
    roll = dice(seed)
    return torch.randn(n, width, generator=roll), torch.randn(n, width, generator=roll)


def kl_for_each_datum(fn):
    """(B,), also for B = 1."""
    for n in (4, 1):
        tensor(fn(*_latent(0, n)), (n,))


def kl_of_the_prior_is_zero(fn):
    """μ = 0, σ = 1."""
    agree(fn(torch.zeros(2, 5), torch.zeros(2, 5)), torch.zeros(2), "μ = 0, ln σ² = 0")


def kl_is_never_negative(fn):
    """Random ones."""
    for seed in range(4):
        mean, log_variance = _latent(seed)
        got = fn(mean, log_variance)
        refuse(got < 0, lambda at, got=got: f"a KL of {float(got[at]):.3f} nats: no divergence is below 0")


def kl_of_a_moved_mean(fn):
    """σ = 1: half the square."""
    mean = torch.tensor([[2.0, 0.0], [-1.0, 3.0]])
    agree(fn(mean, torch.zeros(2, 2)), torch.tensor([2.0, 5.0]), "μ = (2, 0) and (−1, 3), σ = 1")


def kl_of_another_width(fn):
    """μ = 0, σ = 2: ½ (4 − 1 − ln 4)."""
    log_variance = torch.full((1, 1), math.log(4.0))
    wanted = torch.tensor([0.5 * (4 - 1 - math.log(4))])
    agree(fn(torch.zeros(1, 1), log_variance), wanted, "μ = 0, σ = 2, so ln σ² = 1.386")


def kl_can_be_trained(fn):
    """The gradient at μ = 1, ln σ² = 0 is 1 and 0; at ln σ² = ln 4 it is 1.5."""
    mean, log_variance = torch.ones(1, 1, requires_grad=True), torch.full((1, 1), math.log(4.0))
    log_variance.requires_grad_()
    _backward(fn(mean, log_variance).sum())
    for name, leaf, wanted in (("mean", mean, 1.0), ("log_variance", log_variance, 1.5)):
        if leaf.grad is None or abs(float(leaf.grad) - wanted) > 1e-3:
            got = "no gradient" if leaf.grad is None else f"the gradient {float(leaf.grad):.3f}"
            raise Broken(f"μ = 1, ln σ² = 1.386: {name} gets {got}, wanted {wanted:g}")


def _backward(total: Tensor) -> None:
    if not isinstance(total, Tensor) or not total.requires_grad:
        raise Broken("no gradient leaves it: nothing could be learnt")
    total.backward()


# --- draw_latent: (mean, log_variance, noise) -> (B, Z)


def draw_has_the_shape(fn):
    """(B, Z)."""
    mean, log_variance = _latent(1, 5, 2)
    tensor(fn(mean, log_variance, torch.randn(5, 2, generator=dice(2))), (5, 2))


def no_noise_no_chance(fn):
    """noise = 0 gives the mean."""
    mean, log_variance = _latent(3)
    agree(fn(mean, log_variance, torch.zeros(4, 3)), mean, "noise of 0: z is μ")


def noise_is_scaled_by_sigma(fn):
    """σ = 3: a noise of 1 moves z by 3."""
    mean, log_variance = torch.zeros(1, 2), torch.full((1, 2), math.log(9.0))
    wanted = torch.tensor([[3.0, -6.0]])
    agree(fn(mean, log_variance, torch.tensor([[1.0, -2.0]])), wanted, "μ = 0, ln σ² = ln 9, noise (1, −2)")


def gradient_reaches_both(fn):
    """d z / d μ = 1, d z / d ln σ² = σ ε / 2."""
    mean, log_variance = torch.zeros(1, 1, requires_grad=True), torch.full((1, 1), math.log(4.0))
    log_variance.requires_grad_()
    got = fn(mean, log_variance, torch.full((1, 1), 1.5))
    _backward(got.sum())
    for name, leaf, wanted in (("mean", mean, 1.0), ("log_variance", log_variance, 1.5)):
        if leaf.grad is None or abs(float(leaf.grad) - wanted) > 1e-3:
            grad = "no gradient" if leaf.grad is None else f"the gradient {float(leaf.grad):.3f}"
            raise Broken(f"μ = 0, ln σ² = ln 4, noise 1.5: {name} gets {grad}, wanted {wanted:g}")


# --- signal_left: a number


def signal_is_one_number(value):
    """One number."""
    number(value)


def signal_is_a_share(value):
    """Between 0 and 1."""
    if not 0 <= number(value) <= 1:
        raise Broken(f"√ᾱ_T = {number(value):.3g}: it is a share, from 0 (nothing is left) to 1 (all)")


def signal_is_not_gone(value):
    """Far from the 0.006 of a thousand steps."""
    if number(value) < 0.2:
        raise Broken(f"{number(value):.3g} would be almost pure noise: these are a tenth of the steps")


def signal_of_all_steps(value):
    """A product of a hundred factors."""
    if number(value) > 0.9:
        raise Broken(f"{number(value):.3g}: a hundred factors of about 0.995 each come to less")


def signal_is_the_root(value):
    """√ᾱ, not ᾱ; to two places."""
    if abs(number(value) - 0.604) > 0.03:
        raise Broken(f"{number(value):.3g}: exp(−½ · 100 · 0.01) is another number")
