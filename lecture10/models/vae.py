"""The variational autoencoder: a bound on log p(x), written out, and maximised by gradient.

Kingma & Welling 2014, "Auto-Encoding Variational Bayes". Simplified: p(x|z) is a Gaussian of one fixed width.

    log p(x)  >=  E_q(z|x) [log p(x|z)]  -  KL(q(z|x) ‖ p(z))    the bound (eq. 3); the gap: KL(q ‖ p(z|x))

B: batch; …: the shape of one datum; Z: numbers in the latent z.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(μ, σ²) ‖ N(0, 1)) = ½ Σ (μ² + σ² - 1 - ln σ²) over Z (appendix B). (B, Z) -> (B,), nats."""
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1)


def reparameterise(mean: Tensor, log_variance: Tensor, noise: Tensor) -> Tensor:
    """z = μ + σ ε: chance comes from outside, so that a gradient reaches μ and σ (section 2.4). (B, Z)."""
    return mean + (0.5 * log_variance).exp() * noise


def log_gaussian(x: Tensor, mean: Tensor, sigma: float) -> Tensor:
    """log N(x; mean, σ²), summed over all of a datum. (B, …) -> (B,), nats."""
    squares = ((x - mean) / sigma) ** 2
    return -0.5 * (squares + math.log(2 * math.pi) + 2 * math.log(sigma)).flatten(1).sum(1)


@dataclass(frozen=True)
class VAEConfig:
    """Defaults are for handwritten digits of 8 × 8. shape: of one datum; convolutional: for pictures
    (C, S, S) whose S is a multiple of 4.
    """

    shape: tuple[int, ...] = (1, 8, 8)
    latent: int = 8
    width: int = 256
    sigma: float = 0.3  # of p(x|z): what it blames on chance; the larger, the less z has to say
    convolutional: bool = False

    def __post_init__(self):
        if not self.sigma > 0:
            raise ValueError(f"sigma is {self.sigma}: the width of p(x|z) is above 0, such as 0.3")
        if self.convolutional and (
            len(self.shape) != 3 or self.shape[1] % 4 or self.shape[1:2] != self.shape[2:]
        ):
            raise ValueError(f"shape is {self.shape}: convolutions take (C, S, S) with S a multiple of 4")


class VAE(nn.Module):
    """An encoder q(z|x), a decoder p(x|z), and the bound that trains both."""

    def __init__(self, config: VAEConfig):
        super().__init__()
        self.config = config
        build = _convolutional if config.convolutional else _dense
        self.encoder, self.decoder = build(config)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, …) -> mean and log variance of q(z|x), both (B, Z)."""
        mean, log_variance = self.encoder(x).chunk(2, 1)
        return mean, log_variance

    def decode(self, z: Tensor) -> Tensor:
        """(B, Z) -> the mean of p(x|z), (B, …)."""
        return self.decoder(z).view(len(z), *self.config.shape)

    def parts(self, x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """(log p(x|z) of one z from q, KL(q ‖ p(z))), both (B,), nats. noise: (B, Z) ~ N(0, 1)."""
        mean, log_variance = self.encode(x)
        z = reparameterise(mean, log_variance, noise)
        return log_gaussian(x, self.decode(z), self.config.sigma), kl_to_standard_normal(mean, log_variance)

    def elbo(self, x: Tensor, noise: Tensor) -> Tensor:
        """An unbiased estimate of the bound, (B,), nats: to be maximised, so its negative is the loss."""
        said, kl = self.parts(x, noise)
        return said - kl

    def log_likelihood(self, x: Tensor, noise: Tensor) -> Tensor:
        """An estimate of log p(x) itself, (B,), by K importance weights: ln 1/K Σ p(x|z) p(z) / q(z|x).

        noise: (K, B, Z). In expectation still below log p(x), and nearer to it as K grows (Burda, Grosse &
        Salakhutdinov 2016). K = 1 is the bound.
        """
        mean, log_variance = self.encode(x)
        weights = []
        for eps in noise:
            z = reparameterise(mean, log_variance, eps)
            log_prior = log_gaussian(z, torch.zeros_like(z), 1.0)
            log_q = log_gaussian(eps, torch.zeros_like(eps), 1.0) - 0.5 * log_variance.sum(1)
            weights.append(log_gaussian(x, self.decode(z), self.config.sigma) + log_prior - log_q)
        return torch.stack(weights).logsumexp(0) - math.log(len(weights))


def elbo_loss(vae: VAE, x: Tensor, noise: Tensor) -> Tensor:
    """-ELBO, a mean over the batch, in nats a datum: what is minimised."""
    return -vae.elbo(x, noise).mean()


def bayes_average(vae: VAE, z: Tensor, data: Tensor) -> Tensor:
    """The best that any decoder can say of z, were the world only `data`, each datum as likely as the others.

    E[x|z] = Σ_x q(z|x) x / Σ_x q(z|x): the mean of all data, by how likely each would have been sent here.
    z: (B, Z); data: (N, …). Returns (B, …).
    """
    mean, log_variance = vae.encode(data)  # (N, Z)
    apart = (z[:, None] - mean) ** 2 / log_variance.exp()  # (B, N, Z)
    shares = (-0.5 * (apart + log_variance)).sum(2).softmax(1)  # (B, N)
    return (shares @ data.flatten(1)).view(len(z), *data.shape[1:])


def _dense(config: VAEConfig) -> tuple[nn.Module, nn.Module]:
    size, width = math.prod(config.shape), config.width
    encoder = nn.Sequential(
        nn.Flatten(), nn.Linear(size, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(),
        nn.Linear(width, 2 * config.latent),
    )  # fmt: skip
    decoder = nn.Sequential(
        nn.Linear(config.latent, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, size)
    )
    return encoder, decoder


class _Grow(nn.Module):
    """Twice the size, each pixel four times."""

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2.0, mode="nearest")


def _convolutional(config: VAEConfig) -> tuple[nn.Module, nn.Module]:
    channels = config.shape[0]
    width, small = config.width, config.shape[1] // 4
    encoder = nn.Sequential(
        nn.Conv2d(channels, width, 3, padding=1), nn.SiLU(),
        nn.Conv2d(width, width, 3, stride=2, padding=1), nn.SiLU(),  # S / 2
        nn.Conv2d(width, 2 * width, 3, stride=2, padding=1), nn.SiLU(),  # S / 4
        nn.Flatten(), nn.Linear(2 * width * small**2, 2 * config.latent),
    )  # fmt: skip
    decoder = nn.Sequential(
        nn.Linear(config.latent, 2 * width * small**2), nn.Unflatten(1, (2 * width, small, small)), nn.SiLU(),
        _Grow(), nn.Conv2d(2 * width, width, 3, padding=1), nn.SiLU(),
        _Grow(), nn.Conv2d(width, width, 3, padding=1), nn.SiLU(),
        nn.Conv2d(width, channels, 3, padding=1),
    )  # fmt: skip
    return encoder, decoder


def count_parameters(config: VAEConfig) -> int:
    """How many numbers such a VAE learns; nothing is allocated (it is built on the meta device)."""
    with torch.device("meta"):
        return sum(p.numel() for p in VAE(config).parameters())
