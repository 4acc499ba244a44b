"""The VAE: its bound is a bound, tight where it should be; its KL and its draws are what others compute."""

import math

import pytest
import torch
from torch import nn
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from lecture10.models.vae import (
    VAE,
    VAEConfig,
    bayes_average,
    count_parameters,
    elbo_loss,
    kl_to_standard_normal,
    log_gaussian,
    reparameterise,
)

roll = torch.Generator().manual_seed(0)
TINY = VAEConfig((1, 4, 4), latent=3, width=8)
PICTURES = VAEConfig((3, 8, 8), latent=3, width=4, convolutional=True)


def linear(offset: float = 0.0, wide: float = 1.0):
    """A VAE of known likelihood, x = W z + noise; its encoder is the exact posterior, moved or widened."""
    config = VAEConfig((5,), latent=2, sigma=0.5)
    vae, W = VAE(config), torch.randn(5, 2, generator=torch.Generator().manual_seed(1))
    decoder, encoder = nn.Linear(2, 5), nn.Linear(5, 4)
    posterior = torch.linalg.inv(torch.eye(2) + W.T @ W / 0.25)
    values, turn = torch.linalg.eigh(posterior)
    W = W @ turn  # so that the posterior's covariance is diagonal, as the encoder's is
    with torch.no_grad():
        decoder.weight.copy_(W), decoder.bias.zero_()
        encoder.weight.copy_(torch.cat([torch.diag(values) @ W.T / 0.25, torch.zeros(2, 5)]))
        encoder.bias.copy_(torch.cat([torch.full((2,), offset), (wide * values).log()]))
    vae.encoder, vae.decoder = encoder, decoder
    return vae, MultivariateNormal(torch.zeros(5), W @ W.T + 0.25 * torch.eye(5))


def mean_elbo(vae, x, draws=4000):
    noise = torch.randn(draws, len(x), vae.config.latent, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        return torch.stack([vae.elbo(x, eps) for eps in noise]).mean(0)


def test_the_bound_is_the_likelihood_for_the_exact_posterior():
    vae, truth = linear()
    x = truth.sample((6,))
    torch.testing.assert_close(mean_elbo(vae, x), truth.log_prob(x), atol=0.1, rtol=0)
    one = vae.log_likelihood(x, torch.randn(1, 6, 2))
    torch.testing.assert_close(one, truth.log_prob(x), atol=1e-3, rtol=1e-3)  # every weight is p(x) itself


@pytest.mark.parametrize(("offset", "wide"), [(0.5, 1.0), (0.0, 4.0), (0.0, 0.1)])
def test_elsewhere_the_bound_lies_below_by_the_kl_and_importance_weights_close_the_gap(offset, wide):
    vae, truth = linear(offset, wide)
    exact, _ = linear()
    x = truth.sample((6,))
    with torch.no_grad():
        (m, v), (m_true, v_true) = vae.encode(x), exact.encode(x)
        q, posterior = Normal(m, (v / 2).exp()), Normal(m_true, (v_true / 2).exp())
    gap = kl_divergence(q, posterior).sum(1)
    assert (gap > 0.1).all()
    torch.testing.assert_close(truth.log_prob(x) - mean_elbo(vae, x), gap, atol=0.15, rtol=0.05)
    if wide > 1:  # else a few weights are all of the sum
        many = vae.log_likelihood(x, torch.randn(4000, 6, 2, generator=roll)).detach()
        torch.testing.assert_close(many, truth.log_prob(x), atol=0.15, rtol=0)


def test_kl_is_torchs_and_diffusers():
    mean, log_variance = torch.randn(6, 4, generator=roll), torch.randn(6, 4, generator=roll)
    theirs = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(kl_to_standard_normal(mean, log_variance), theirs)
    assert kl_to_standard_normal(torch.zeros(1, 3), torch.zeros(1, 3)) == 0
    from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

    moments = torch.cat([mean, log_variance], 1)[..., None, None]
    official = DiagonalGaussianDistribution(moments)
    torch.testing.assert_close(kl_to_standard_normal(mean, log_variance), official.kl())
    drawn = official.sample(torch.Generator().manual_seed(3)).squeeze()
    noise = torch.randn(6, 4, 1, 1, generator=torch.Generator().manual_seed(3)).squeeze()
    torch.testing.assert_close(reparameterise(mean, log_variance, noise), drawn)


def test_a_gradient_reaches_mean_and_variance_through_the_draw():
    mean, log_variance = (torch.zeros(1, 3, requires_grad=True) for _ in range(2))
    noise = torch.tensor([[1.0, -2.0, 0.5]])
    reparameterise(mean, log_variance, noise).sum().backward()
    torch.testing.assert_close(mean.grad, torch.ones(1, 3))
    torch.testing.assert_close(log_variance.grad, noise / 2)  # d/dℓ e^{ℓ/2} ε at ℓ = 0


def test_log_gaussian_is_torchs():
    x, mean = torch.randn(4, 3, 2, generator=roll), torch.randn(4, 3, 2, generator=roll)
    theirs = Normal(mean, 0.3).log_prob(x).flatten(1).sum(1)
    torch.testing.assert_close(log_gaussian(x, mean, 0.3), theirs)


@pytest.mark.parametrize("config", [TINY, PICTURES])
def test_every_weight_matters_and_no_neighbour_does(config):
    torch.manual_seed(0)
    vae = VAE(config).eval()
    x, noise = torch.randn(3, *config.shape, generator=roll), torch.randn(3, 3, generator=roll)
    before = vae.elbo(x, noise).detach()
    assert vae.decode(noise).shape == x.shape
    torch.testing.assert_close(vae.elbo(x[1:2], noise[1:2]), before[1:2], rtol=1e-4, atol=1e-3)
    assert float(elbo_loss(vae, x, noise).detach()) == pytest.approx(-float(before.mean()), rel=1e-5)
    for name, parameter in vae.named_parameters():
        with torch.no_grad():
            nudge = 0.1 * torch.randn_like(parameter)  # not a constant: a norm would take that away
            parameter.add_(nudge)
            assert not torch.allclose(vae.elbo(x, noise), before, rtol=0, atol=1e-3), name
            parameter.sub_(nudge)
    assert count_parameters(config) == sum(p.numel() for p in vae.parameters())


def test_the_bayes_average_mixes_by_who_would_be_sent_here():
    vae, truth = linear()
    data = truth.sample((20,))
    with torch.no_grad():  # some data are told precisely, others hardly
        vae.encoder.weight[2:] = 0.5 * torch.randn(2, 5, generator=roll)
    mean, log_variance = vae.encode(data)
    assert log_variance.std(0).min() > 0.1
    z = torch.randn(4, 2, generator=roll)
    shares = torch.stack([Normal(mean, (log_variance / 2).exp()).log_prob(one).sum(1).exp() for one in z])
    expected = shares @ data / shares.sum(1, keepdim=True)
    torch.testing.assert_close(bayes_average(vae, z, data), expected, rtol=1e-4, atol=1e-4)


def test_widths_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match=r"sigma is 0: the width of p\(x\|z\) is above 0"):
        VAEConfig(sigma=0)
    with pytest.raises(ValueError, match=r"shape is \(3, 6, 6\): convolutions take \(C, S, S\)"):
        VAEConfig((3, 6, 6), convolutional=True)
    assert math.isfinite(count_parameters(VAEConfig()))
