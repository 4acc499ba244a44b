"""The discrete VAE: soft draws, its two costs, its likelihood, its codes."""

import math
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from lecture10.models import dvae
from lecture10.models.dvae import DVAE, PRESETS, DVAEConfig

CONFIG = PRESETS["tiny"]
LEARNT = 0.1  # nats a number, in eighty steps


@pytest.fixture
def net():
    torch.manual_seed(0)
    return DVAE(CONFIG)


@pytest.fixture
def images():
    return torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(1))


# --- the soft draw ------------------------------------------------------------------------------------------


def test_soft_draws_are_torchs_own(monkeypatch):
    logits = torch.randn(4, 6, 3, 3, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(5)
    theirs = F.gumbel_softmax(logits, tau=0.7, dim=1)
    torch.manual_seed(5)
    noise = -torch.empty_like(logits).exponential_().log()  # how torch draws g
    torch.testing.assert_close(dvae.gumbel_softmax(logits, noise, 0.7), theirs)


def test_the_largest_sum_is_a_draw_from_the_softmax():
    logits = torch.tensor([0.5, -1.0, 1.5, 0.0])
    noise = dvae.gumbel_noise(logits.expand(200_000, 4), torch.Generator().manual_seed(0))
    shares = (logits + noise).argmax(1).bincount(minlength=4) / len(noise)
    torch.testing.assert_close(shares, logits.softmax(0), atol=0.005, rtol=0)


def test_cold_draws_are_one_hot_and_hot_ones_a_mean():
    roll = torch.Generator().manual_seed(0)
    logits, noise = torch.randn(2, 5, 3, 3, generator=roll), dvae.gumbel_noise(torch.zeros(2, 5, 3, 3), roll)
    cold, hot = (dvae.gumbel_softmax(logits, noise, tau) for tau in (1e-3, 1e4))
    assert torch.equal(cold.argmax(1), (logits + noise).argmax(1))
    assert cold.amax(1).min() > 0.99
    torch.testing.assert_close(hot, torch.full_like(hot, 0.2), atol=1e-3, rtol=0)


def test_a_hard_draw_is_one_hot_and_has_the_soft_ones_gradient():
    logits, noise = torch.randn(2, 5, 2, 2, requires_grad=True), torch.zeros(2, 5, 2, 2)
    weights = torch.randn(2, 5, 2, 2)
    grads = [
        torch.autograd.grad((dvae.gumbel_softmax(logits, noise, 1.0, hard=hard) * weights).sum(), logits)[0]
        for hard in (False, True)
    ]
    torch.testing.assert_close(*grads)
    hard = dvae.gumbel_softmax(logits, noise, 1.0, hard=True)
    assert torch.equal(hard.detach().round(), F.one_hot(logits.argmax(1), 5).movedim(-1, 1).float())


@pytest.mark.parametrize("tau", [0.0, -1.0, float("nan")])
def test_no_temperature_of_zero_or_less(tau):
    with pytest.raises(ValueError, match="it lies above 0"):
        dvae.gumbel_softmax(torch.zeros(1, 2, 1, 1), torch.zeros(1, 2, 1, 1), tau)


def test_the_temperature_falls_to_its_last_value_and_stays():
    path = [dvae.temperature(done / 10, until=0.6) for done in range(11)]
    assert path[0] == 1
    assert path == sorted(path, reverse=True)
    assert path[6:] == [1 / 16] * 5
    assert dvae.temperature(0.0, until=0.0) == 1 / 16
    quarter = 1 / 16 + 15 / 16 * (1 + math.sqrt(0.5)) / 2  # half a cosine: slow at first
    assert dvae.temperature(0.25) == pytest.approx(quarter)
    with pytest.raises(ValueError, match="until=2"):
        dvae.temperature(0.5, until=2)


# --- what a picture costs -----------------------------------------------------------------------------------


def test_the_kl_is_none_for_the_uniform_and_ln_k_for_one_code():
    K = 7
    even, sure = torch.zeros(1, K, 2, 2), torch.full((1, K, 2, 2), -1e4)
    sure[:, 3] = 1e4
    torch.testing.assert_close(dvae.kl_to_uniform(even), torch.zeros(1, 2, 2), atol=1e-6, rtol=0)
    torch.testing.assert_close(dvae.kl_to_uniform(sure), torch.full((1, 2, 2), math.log(K)))


def test_the_kl_is_that_of_torchs_distributions():
    logits = torch.randn(2, 5, 3, 3)
    q = torch.distributions.Categorical(logits=logits.movedim(1, -1))
    uniform = torch.distributions.Categorical(logits=torch.zeros(2, 3, 3, 5))
    torch.testing.assert_close(dvae.kl_to_uniform(logits), torch.distributions.kl_divergence(q, uniform))


def test_logit_laplace_is_a_density_on_the_open_interval():
    x = (torch.arange(200_000, dtype=torch.float64) + 0.5) / 200_000
    for mu, b in ((0.0, 0.5), (1.2, 0.2), (-2.0, 0.8)):
        at = torch.tensor(mu, dtype=torch.float64), torch.tensor(math.log(b), dtype=torch.float64)
        total = float(dvae.log_logit_laplace(x, *at).exp().mean())
        assert total == pytest.approx(1, abs=2e-3)


def test_pixels_keep_away_from_the_ends_and_come_back():
    x = torch.rand(50)
    assert float(dvae.map_pixels(torch.tensor(0.0))) == pytest.approx(0.1)
    assert float(dvae.map_pixels(torch.tensor(1.0))) == pytest.approx(0.9)
    torch.testing.assert_close(dvae.unmap_pixels(dvae.map_pixels(x)), x)


def test_the_loss_sums_the_kl_over_positions_and_means_over_pictures(net, images):
    noise = torch.zeros(3, CONFIG.codes, 4, 4)
    loss, parts = net.loss(images, noise, 1.0, beta=2.0)
    kl = dvae.kl_to_uniform(net.logits(images))  # (3, 4, 4)
    assert float(parts["kl"]) == pytest.approx(float(kl.detach().sum()) / 3 / (3 * 64), rel=1e-5)
    assert float(loss.detach()) == pytest.approx(float(-parts["likelihood"] + 2 * parts["kl"]), rel=1e-5)
    twice, _ = net.loss(images.repeat(2, 1, 1, 1), noise.repeat(2, 1, 1, 1), 1.0, beta=2.0)
    torch.testing.assert_close(twice, loss)  # whatever the batch


def test_each_tensor_matters_to_the_loss(net, images):
    noise = dvae.gumbel_noise(torch.zeros(3, CONFIG.codes, 4, 4), torch.Generator().manual_seed(0))
    net.loss(images, noise, 1.0)[0].backward()
    assert [name for name, p in net.named_parameters() if not p.grad.abs().sum() > 0] == []


def by_hand(net, images, z):
    """What the decoder says of pixels kept away from 0 and 1: x, μ and ln b."""
    said = net.decoder(z)
    return 0.8 * images + 0.1, said[:, :3], said[:, 3:]


def test_the_likelihood_is_of_mapped_pixels_with_mu_first_and_the_log_of_b_behind(net, images):
    z = net.one_hot(net.codes_of(images))
    x, mu, log_b = by_hand(net, images, z)
    b = log_b.exp()
    density = (-(x.logit() - mu).abs() / b).exp() / (2 * b * x * (1 - x))
    torch.testing.assert_close(net.log_likelihood(images, z), density.log().sum((1, 2, 3)))


def test_the_gaussian_likelihood_is_a_squared_error_of_the_same_pixels(images):
    torch.manual_seed(0)
    net = DVAE(replace(CONFIG, likelihood="gaussian"))
    z = net.one_hot(net.codes_of(images))
    x, mu, _ = by_hand(net, images, z)
    density = torch.distributions.Normal(mu.sigmoid(), dvae.SIGMA).log_prob(x)
    torch.testing.assert_close(net.log_likelihood(images, z), density.sum((1, 2, 3)))


def test_a_decoded_picture_is_mu_alone_unmapped(net, images):
    z = net.one_hot(net.codes_of(images))
    _, mu, _ = by_hand(net, images, z)
    torch.testing.assert_close(net.decode(z), ((mu.sigmoid() - 0.1) / 0.8).clamp(0, 1))


# --- codes --------------------------------------------------------------------------------------------------


def test_codes_are_the_likeliest_and_stand_for_their_column_of_the_codebook(net, images):
    codes = net.codes_of(images)
    assert codes.shape == (3, 4, 4)
    assert torch.equal(codes, net.logits(images).argmax(1))
    first = net.decoder[0](net.one_hot(codes)) - net.decoder[0].bias[:, None, None]
    torch.testing.assert_close(first.movedim(1, -1), net.codebook[codes])
    assert torch.equal(net.picture(codes), net.decode(net.one_hot(codes)))


def test_a_few_steps_bring_the_picture_nearer():
    torch.manual_seed(0)
    net, image = DVAE(CONFIG), torch.rand(4, 3, 8, 8).round() * 0.8 + 0.1
    optimiser, losses = torch.optim.Adam(net.parameters(), 3e-3), []
    for step in range(80):
        noise = dvae.gumbel_noise(torch.zeros(4, CONFIG.codes, 4, 4))
        loss, _ = net.loss(image, noise, dvae.temperature(step / 80), beta=0.1)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert sum(losses[-5:]) / 5 < losses[0] - LEARNT, losses


def test_numbers_and_bits_of_the_papers_sizes():
    found = dvae.bits()
    assert found["numbers"] == 192
    assert found["bits"] == pytest.approx(118.15, abs=0.01)


def test_the_papers_size_is_that_of_the_released_networks():
    assert dvae.count_parameters(PRESETS["paper"]) == 53_786_240 + 43_829_766


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: DVAEConfig(codes=1), "a codebook of one entry can say nothing"),
        (lambda: DVAEConfig(likelihood="l1"), "likelihood"),
        (lambda: DVAE(CONFIG).logits(torch.rand(1, 3, 7, 8)), "do not divide by f = 2"),
        (lambda: DVAE(CONFIG).logits(torch.rand(1, 3, 8, 8) * 2 - 1), r"reads \[0, 1\]"),
        (lambda: DVAE(CONFIG).logits(torch.rand(3, 8, 8)), r"\(batch, 3, S, S\) is needed"),
        (lambda: DVAE(CONFIG).picture(torch.full((1, 4, 4), 8)), "the codebook from 0 to 7"),
    ],
)
def test_what_cannot_be_is_said(make, why):
    with pytest.raises(ValueError, match=why):
        make()
