"""Diffusion in closed form: what must hold of every schedule, and equality with diffusers' schedulers."""

import math

import pytest
import torch
from torch.nn import functional as F
from twins import agree

from lecture10.models.ddpm import SCHEDULES, TARGETS, Diffusion, ScheduleConfig, betas

roll = torch.Generator().manual_seed(0)
X_0, EPS, Z, SAID = (torch.randn(4, 3, 8, 8, generator=roll) for _ in range(4))


@pytest.fixture(params=SCHEDULES)
def process(request):
    return Diffusion(ScheduleConfig(kind=request.param))


def test_noise_grows_and_the_signal_is_gone_at_the_end(process):
    alpha_bars = process.alpha_bars
    assert (alpha_bars.diff() < 0).all()
    assert alpha_bars[0] > 0.99
    assert alpha_bars[-1].sqrt() < 0.07
    assert ((process.betas > 0) & (process.betas < 1)).all()


def test_noise_in_closed_form_is_noise_step_by_step():
    process = Diffusion(ScheduleConfig(steps=50))
    x = torch.full((20_000,), 2.0)
    for t in range(30):
        x = process.alphas[t].sqrt() * x + process.betas[t].sqrt() * torch.randn(20_000, generator=roll)
    alpha_bar = process.alpha_bar(29)
    assert float(x.mean()) == pytest.approx(2 * float(alpha_bar.sqrt()), abs=0.03)
    assert float(x.var()) == pytest.approx(1 - float(alpha_bar), abs=0.03)


def test_shortened_schedules_keep_signal_unless_their_ends_are_rescaled():
    """The figures of the slide's classic toy bug: √ᾱ_T = .006 at T = 1,000, .36 at 200, .60 at 100."""
    left = {
        T: Diffusion(ScheduleConfig(T, rescale=False)).alpha_bars[-1].sqrt().item() for T in (1000, 200, 100)
    }
    assert left == pytest.approx({1000: 0.00635, 200: 0.364, 100: 0.604}, abs=0.002)
    assert all(Diffusion(ScheduleConfig(T)).alpha_bars[-1].sqrt() < 0.0065 for T in (1000, 200, 100))


@pytest.mark.parametrize("kind", TARGETS)
def test_every_target_says_the_same_of_x_0_and_of_the_noise(process, kind):
    t = torch.tensor([0, 3, 400, 700])
    x_t, said = process.add_noise(X_0, EPS, t), process.target(kind, X_0, EPS, t)
    torch.testing.assert_close(process.x_0(kind, said, x_t, t), X_0, atol=2e-3, rtol=1e-3)
    torch.testing.assert_close(process.eps(kind, said, x_t, t), EPS, atol=2e-3, rtol=1e-3)


def test_the_loss_of_a_network_that_knows_is_zero_and_of_silence_one(process):
    t = torch.tensor([10, 20, 30, 40])
    assert process.loss(lambda x, t: EPS, X_0, t, EPS) == 0
    assert float(process.loss(lambda x, t: torch.zeros_like(x), X_0, t, EPS)) == pytest.approx(1, abs=0.15)


def test_the_last_step_adds_no_noise_and_lands_on_x_0(process):
    x_t = process.add_noise(X_0, EPS, 0)
    torch.testing.assert_close(process.ddpm_step(X_0, x_t, 0, Z), X_0)
    assert torch.equal(process.ddpm_step(X_0, x_t, 0, Z), process.ddpm_step(X_0, x_t, 0, -Z))
    torch.testing.assert_close(process.ddim_step(X_0, EPS, 0, -1, eta=1.0, z=Z), X_0)
    assert process.posterior_variance(0) == 0


def test_the_posterior_is_bayes_rule():
    """In one dimension, by a fine grid: p(x_{t-1} | x_t, x_0) from the two Gaussians that it is made of."""
    process = Diffusion(ScheduleConfig(steps=50))
    t, x_0, x_t = 12, torch.tensor([0.7]), torch.tensor([-0.4])
    grid = torch.linspace(-6, 6, 200_001, dtype=torch.float64)
    a, b, alpha = (float(v) for v in (process.alpha_bar(t - 1), process.betas[t], process.alphas[t]))
    log_p = -((grid - math.sqrt(a) * 0.7) ** 2) / (2 * (1 - a)) - (-0.4 - math.sqrt(alpha) * grid) ** 2 / (
        2 * b
    )
    p = (log_p - log_p.max()).exp()
    p /= p.sum()
    mean = float((grid * p).sum())
    assert float(process.posterior_mean(x_0, x_t, t)) == pytest.approx(mean, abs=1e-5)
    assert float(process.posterior_variance(t)) == pytest.approx(
        float((p * (grid - mean) ** 2).sum()), abs=1e-5
    )


def test_a_deterministic_step_of_the_true_answers_follows_the_path_of_that_noise(process):
    x_t = process.add_noise(X_0, EPS, 300)
    moved = process.ddim_step(process.x_0("eps", EPS, x_t, 300), EPS, 300, 120)
    torch.testing.assert_close(moved, process.add_noise(X_0, EPS, 120), atol=1e-4, rtol=1e-4)


def test_what_cannot_be_is_refused_with_a_cure():
    with pytest.raises(ValueError, match="steps is 0: noise is added in one step or more"):
        betas(ScheduleConfig(steps=0))
    with pytest.raises(ValueError, match="the schedule is 'cosin': it is one of 'linear', 'cosine'"):
        betas(ScheduleConfig(kind="cosin"))
    with pytest.raises(ValueError, match=r"β would run from 0.01 to 2, .* take more steps \(now 10\)"):
        betas(ScheduleConfig(steps=10))
    process = Diffusion(ScheduleConfig(steps=50))
    with pytest.raises(
        ValueError, match=r"t runs from 3 to 50, this schedule from 0 to 49 .*the papers' step t"
    ):
        process.add_noise(X_0[:2], EPS[:2], torch.tensor([3, 50]))
    with pytest.raises(ValueError, match="target is 'noise': it is one of 'eps', 'x0', 'v'"):
        process.target("noise", X_0, EPS, 3)
    with pytest.raises(ValueError, match="variance is 'big': it is 'small'"):
        process.ddpm_step(X_0, X_0, 3, Z, variance="big")
    with pytest.raises(ValueError, match="give fresh noise z, or eta=0"):
        process.ddim_step(X_0, EPS, 3, 2, eta=0.5)
    with pytest.raises(ValueError, match="eta is 2: it lies between 0"):
        process.ddim_step(X_0, EPS, 3, 2, eta=2, z=Z)


# --- the same numbers as diffusers, which computes in the same precision ------------------------------------

THEIRS = {"linear": "linear", "cosine": "squaredcos_cap_v2", "scaled linear": "scaled_linear"}
PREDICTION = {"eps": "epsilon", "x0": "sample", "v": "v_prediction"}


@pytest.mark.parametrize("kind", SCHEDULES)
def test_betas_and_noise_are_diffusers(kind):
    from diffusers import DDPMScheduler

    process, theirs = Diffusion(ScheduleConfig(kind=kind)), DDPMScheduler(beta_schedule=THEIRS[kind])
    assert torch.equal(process.betas, theirs.betas)
    assert torch.equal(process.alpha_bars, theirs.alphas_cumprod)
    t = torch.tensor([0, 1, 500, 999])
    assert torch.equal(process.add_noise(X_0, EPS, t), theirs.add_noise(X_0, EPS, t))
    assert torch.equal(process.target("v", X_0, EPS, t), theirs.get_velocity(X_0, EPS, t))


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("variance", ["small", "large"])
def test_every_ddpm_step_is_diffusers(kind, variance, monkeypatch):
    from diffusers import DDPMScheduler
    from diffusers.schedulers import scheduling_ddpm

    monkeypatch.setattr(scheduling_ddpm, "randn_tensor", lambda *shape, **how: Z)
    process = Diffusion()
    theirs = DDPMScheduler(
        prediction_type=PREDICTION[kind], variance_type=f"fixed_{variance}", clip_sample=False
    )
    for t in range(999, -1, -1):
        x_0 = process.x_0(kind, SAID, X_0, t)
        agree(process.ddpm_step(x_0, X_0, t, Z, variance=variance), theirs.step(SAID, t, X_0).prev_sample)


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("eta", [0.0, 0.7])
@pytest.mark.parametrize("steps", [1000, 20])
def test_every_ddim_step_is_diffusers(kind, eta, steps):
    from diffusers import DDIMScheduler

    process = Diffusion()
    theirs = DDIMScheduler(prediction_type=PREDICTION[kind], clip_sample=False)
    theirs.set_timesteps(steps)
    stride = 1000 // steps
    for t in theirs.timesteps.tolist():
        x_0, eps = process.x_0(kind, SAID, X_0, t), process.eps(kind, SAID, X_0, t)
        ours = process.ddim_step(x_0, eps, t, max(t - stride, -1), eta=eta, z=Z)
        expected = theirs.step(SAID, t, X_0, eta=eta, variance_noise=Z).prev_sample
        agree(ours, expected)
    assert F.mse_loss(process.ddim_step(x_0, eps, 500, 480), expected) > 1e-3  # a negative control
