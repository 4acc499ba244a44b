"""The way back: which steps, what both samplers must do, the bound's weights; and diffusers' whole loops."""

import pytest
import torch
from twins import randomised

from lecture10.models.ddpm import Diffusion, ScheduleConfig
from lecture10.models.denoise import (
    VectorConfig,
    VectorDenoiser,
    back,
    bound_weight,
    chosen_steps,
    path,
    sample,
    understood,
)
from lecture10.pretrained.schedulers import sample_under, scheduler

roll = torch.Generator().manual_seed(0)
X = torch.randn(5, 2, generator=roll)
MEAN, SPREAD = torch.tensor([1.5, -0.5]), 0.3


def gaussian(process, kind):
    """The network that knows: data are N(MEAN, SPREAD²), for which E[x_0 | x_t] is exact."""

    def network(x, t):
        alpha_bar = process.alpha_bar(t, x)
        of_data, of_noise = SPREAD**2 * alpha_bar, 1 - alpha_bar
        x_0 = MEAN + alpha_bar.sqrt() * SPREAD**2 / (of_data + of_noise) * (x - alpha_bar.sqrt() * MEAN)
        if kind == "x0":
            return x_0
        eps = process.eps("x0", x_0, x, t)
        return eps if kind == "eps" else process.target("v", x_0, eps, t)

    return network


@pytest.mark.parametrize(("T", "n"), [(1000, 1), (1000, 7), (1000, 50), (1000, 1000), (10, 3), (1, 1)])
def test_steps_start_where_noise_is_pure_and_fall(T, n):
    times = chosen_steps(T, n)
    assert len(set(times)) == len(times) == n
    assert times[0] == T - 1
    assert times == sorted(times, reverse=True)
    assert times[-1] >= 0
    gaps = [a - b for a, b in zip(times, [*times[1:], -1], strict=True)]
    assert max(gaps) - min(gaps) <= 1 + (T % n > 0)


def test_all_steps_are_the_default():
    assert chosen_steps(20) == list(range(19, -1, -1))


@pytest.mark.parametrize("kind", ["eps", "x0", "v"])
@pytest.mark.parametrize(("method", "eta"), [("ddpm", 0.0), ("ddim", 0.0), ("ddim", 1.0)])
def test_a_network_that_knows_draws_the_data(kind, method, eta):
    process = Diffusion(ScheduleConfig(200))
    x = torch.randn(4000, 2, generator=torch.Generator().manual_seed(3))
    drawn = sample(
        gaussian(process, kind), process, x, method=method, eta=eta, kind=kind,
        generator=torch.Generator().manual_seed(4),
    )  # fmt: skip
    torch.testing.assert_close(drawn.mean(0), MEAN, atol=0.03, rtol=0)
    torch.testing.assert_close(drawn.std(0), torch.full((2,), SPREAD), atol=0.02, rtol=0)


def test_ddim_is_deterministic_and_ddpm_is_not():
    process = Diffusion(ScheduleConfig(50))
    network = gaussian(process, "eps")
    one, other = (torch.Generator().manual_seed(s) for s in (0, 1))
    fixed = [sample(network, process, X, method="ddim", steps=10, generator=g) for g in (one, other)]
    assert torch.equal(*fixed)
    one, again, other = (torch.Generator().manual_seed(s) for s in (0, 0, 1))
    drawn = [sample(network, process, X, method="ddpm", steps=10, generator=g) for g in (one, again, other)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.allclose(drawn[0], drawn[2])


def test_a_path_starts_at_the_noise_and_ends_where_sample_does():
    process = Diffusion(ScheduleConfig(50))
    network = gaussian(process, "eps")
    stops, noisy, guessed = path(network, process, X, steps=5, method="ddim")
    assert stops == [49, 39, 29, 19, 9, -1]
    assert torch.equal(noisy[0], X)
    assert torch.equal(noisy[-1], sample(network, process, X, steps=5, method="ddim"))
    torch.testing.assert_close(guessed[0], understood(network, process, "eps", X, 49)[0])
    torch.testing.assert_close(noisy[-1], guessed[-2])  # the last step goes where x_0 was guessed: no noise


def test_the_last_step_adds_no_noise():
    process = Diffusion(ScheduleConfig(50))
    for method in ("ddpm", "ddim"):
        *_, (_, _, before_last), (_, last, _) = back(
            gaussian(process, "eps"), process, X, steps=7, method=method, eta=1.0
        )
        torch.testing.assert_close(last, before_last, atol=1e-5, rtol=1e-5)


def test_clipping_keeps_what_x_0_is_taken_for():
    process = Diffusion(ScheduleConfig(50))
    network = gaussian(process, "eps")
    for _, x, x_0 in back(network, process, 5 * X, steps=10, method="ddim", clip=1.0):
        if x is not x_0:
            assert x_0.abs().max() <= 1
    assert x.abs().max() <= 1 + 1e-5
    assert sample(network, process, 5 * X, steps=10, method="ddim").abs().max() > 1.2


def test_the_bounds_weight_makes_the_kl_of_two_posteriors():
    """KL between q(x_{t-1} | x_t, x_0) and the network's Gaussian of the same width, by their means."""
    process = Diffusion(ScheduleConfig(60))
    x_0, eps, said = (torch.randn(7, 3, generator=roll) for _ in range(3))
    for t in (1, 5, 30, 59):
        x_t = process.add_noise(x_0, eps, t)
        true = process.posterior_mean(x_0, x_t, t)
        model = process.posterior_mean(process.x_0("eps", said, x_t, t), x_t, t)
        kl = ((true - model) ** 2).sum(1) / (2 * process.posterior_variance(t))
        by_weight = bound_weight(process, t) * ((eps - said) ** 2).sum(1)
        torch.testing.assert_close(by_weight, kl, rtol=1e-3, atol=1e-5)
    weights = bound_weight(Diffusion(), torch.tensor([1, 10, 100, 999]))
    assert (weights.diff() < 0)[:2].all()  # L_simple cares more for much noise than the bound does
    with pytest.raises(ValueError, match="t is 0: the first step's term of the bound is L_0"):
        bound_weight(process, torch.tensor([0, 3]))


def test_the_vector_network_hears_its_time_and_no_neighbour():
    net = randomised(VectorDenoiser(VectorConfig(size=12, width=16, time=8)))
    x, t = torch.randn(3, 3, 2, 2), torch.tensor([0, 17, 999])
    out = net(x, t)
    assert out.shape == x.shape
    torch.testing.assert_close(net(x[1:2], t[1:2]), out[1:2], rtol=1e-4, atol=1e-5)
    for name, parameter in net.named_parameters():
        with torch.no_grad():
            nudge = 0.1 * torch.randn_like(parameter)  # not a constant: a norm would take that away
            parameter.add_(nudge)
            assert not torch.allclose(net(x, t), out, atol=1e-4), name
            parameter.sub_(nudge)
    assert not torch.allclose(net(x, t.flip(0)), out, atol=1e-3)
    with pytest.raises(ValueError, match="x has 2 numbers each, this network reads 12"):
        net(X, torch.zeros(5))


@pytest.mark.parametrize("n", [0, 1001])
def test_numbers_of_steps_that_cannot_be_are_refused(n):
    process = Diffusion()
    says = f"{n} sampling steps: this schedule has 1000, take 1 to 1000"
    with pytest.raises(ValueError, match=says):
        sample(gaussian(process, "eps"), process, X, steps=n)
    with pytest.raises(ValueError, match=says):
        sample_under(scheduler(process, "dpm++"), gaussian(process, "eps"), X, n)


def test_unknown_methods_are_refused():
    process = Diffusion()
    with pytest.raises(ValueError, match="the method is 'euler': it is one of 'ddpm', 'ddim'"):
        sample(gaussian(process, "eps"), process, X, method="euler")
    with pytest.raises(ValueError, match=r"dpm"):
        scheduler(process, "dpm")
    with pytest.raises(ValueError, match="kind of target"):
        scheduler(process, "ddim", kind="noise")


# --- whole loops of one network, under ours and under diffusers' --------------------------------------------

NOISE = torch.randn(64, generator=torch.Generator().manual_seed(9))


@pytest.mark.parametrize("kind", ["eps", "x0", "v"])
@pytest.mark.parametrize("schedule", [ScheduleConfig(), ScheduleConfig(kind="cosine"), ScheduleConfig(100)])
@pytest.mark.parametrize("steps", [1, 10, 100])
def test_ddim_loops_agree_with_diffusers(kind, schedule, steps):
    process, net = Diffusion(schedule), randomised(VectorDenoiser(VectorConfig(width=16)))
    ours = sample(net, process, X, method="ddim", steps=steps, kind=kind)
    theirs = sample_under(scheduler(process, "ddim", kind=kind), net, X, steps)
    scale = float(theirs.abs().max())
    assert float((ours - theirs).abs().max()) <= 1e-4 * scale


def test_another_way_back_is_told_apart_from_diffusers():
    """The negative control of the two tests around it: half the steps, or some fresh noise."""
    process, net = Diffusion(), randomised(VectorDenoiser(VectorConfig(width=16)))
    theirs = sample_under(scheduler(process, "ddim", kind="v"), net, X, 10)
    for how in ({"steps": 5}, {"steps": 10, "eta": 0.3}):
        ours = sample(net, process, X, method="ddim", kind="v", **how)
        assert float((ours - theirs).abs().max()) > 1e-2 * float(theirs.abs().max())


@pytest.mark.parametrize("kind", ["eps", "x0", "v"])
@pytest.mark.parametrize("steps", [10, 100])
def test_ddpm_loops_agree_with_diffusers_given_their_noise(kind, steps):
    process, net = Diffusion(), randomised(VectorDenoiser(VectorConfig(width=16)))
    ours = sample(
        net, process, X, method="ddpm", steps=steps, kind=kind, generator=torch.Generator().manual_seed(5)
    )
    theirs = sample_under(
        scheduler(process, "ddpm", kind=kind), net, X, steps, generator=torch.Generator().manual_seed(5)
    )
    assert float((ours - theirs).abs().max()) <= 1e-4 * float(theirs.abs().max())


def test_their_solver_draws_the_data_of_a_network_that_knows():
    process = Diffusion()
    x = torch.randn(4000, 2, generator=torch.Generator().manual_seed(3))
    drawn = sample_under(scheduler(process, "dpm++"), gaussian(process, "eps"), x, 20)
    torch.testing.assert_close(drawn.mean(0), MEAN, atol=0.02, rtol=0)
    torch.testing.assert_close(drawn.std(0), torch.full((2,), SPREAD), atol=0.05, rtol=0)


@pytest.mark.parametrize("method", ["ddpm", "ddim"])
def test_clipped_loops_agree_with_diffusers(method):
    """Where x_0 is clipped, DDIM's noise is the one that goes with the clipped x_0."""
    process, net = Diffusion(), randomised(VectorDenoiser(VectorConfig(width=16)))
    dice = (torch.Generator().manual_seed(5), torch.Generator().manual_seed(5))
    ours = sample(net, process, X, method=method, steps=10, clip=0.7, generator=dice[0])
    theirs = scheduler(process, method, clip_sample=True, clip_sample_range=0.7)
    how = {"use_clipped_model_output": True} if method == "ddim" else {}
    expected = sample_under(theirs, net, X, 10, generator=dice[1], **how)
    assert float((ours - expected).abs().max()) <= 1e-4 * float(expected.abs().max())
    free = sample(net, process, X, method=method, steps=10, generator=dice[0])
    assert float((free - expected).abs().max()) > 0.01
