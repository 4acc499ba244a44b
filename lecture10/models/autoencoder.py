"""The autoencoder of latent diffusion: pictures down to a small map, and back; with a KL or with a codebook.

Rombach et al. 2022, "High-Resolution Image Synthesis with Latent Diffusion Models", section 3.1; the codebook
is van den Oord et al. 2017, VQ-VAE. Built like diffusers' AutoencoderKL and VQModel's quantiser, to which
tests hold it. Simplified: trained on pixels alone, without the perceptual and adversarial losses that keep
the original sharp.
B: batch; S: side of a picture; f: how much smaller the map is; z: its channels; h = S / f; K: codes.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lecture10.layers import attend
from lecture10.models.unet import ResidualBlock
from lecture10.models.vae import kl_to_standard_normal, reparameterise

EPS = 1e-6  # of the group norms


@dataclass(frozen=True)
class AutoencoderConfig:
    """Defaults are a laptop's: 64 × 64 × 3 down to 16 × 16 × 4, f = 4."""

    widths: tuple[int, ...] = (32, 64, 64)  # one for each resolution: f = 2^(len - 1)
    latent: int = 4  # z
    blocks: int = 1  # residual blocks a resolution on the way down, one more on the way up
    groups: int = 8
    attention: bool = True  # in the middle, over all places of the map
    codes: int | None = None  # K; None: a Gaussian with a KL, else a codebook of so many vectors

    @property
    def factor(self) -> int:
        """f: pixels along the side of one place."""
        return 2 ** (len(self.widths) - 1)


PRESETS = {
    "tiny": AutoencoderConfig((8, 16), latent=3, groups=4),
    "laptop": AutoencoderConfig(),
    "paper": AutoencoderConfig(
        (128, 256, 512, 512), latent=4, blocks=2, groups=32
    ),  # Stable Diffusion's, f = 8
}


class Gaussian(NamedTuple):
    """A diagonal Gaussian at every place: mean and log of the variance, (B, z, h, h)."""

    mean: Tensor
    log_variance: Tensor

    def sample(self, noise: Tensor) -> Tensor:
        """mean + σ · noise, noise ~ N(0, 1): the draw is outside, so that the gradient reaches both."""
        return reparameterise(self.mean, self.log_variance, noise)

    def kl(self) -> Tensor:
        """KL(q ‖ N(0, 1)) of each picture, summed over its places and channels, in nats: (B,)."""
        return kl_to_standard_normal(self.mean.flatten(1), self.log_variance.flatten(1))


class PlaceAttention(nn.Module):
    """Every place looks at every other, with one head, and adds what it sees."""

    def __init__(self, width: int, groups: int):
        super().__init__()
        self.norm = nn.GroupNorm(groups, width, EPS)
        self.q, self.k, self.v, self.out = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        """(B, D, h, w) -> (B, D, h, w)."""
        y = self.norm(x).flatten(2).transpose(1, 2)[:, None]  # (B, 1, h·w, D)
        y = self.out(attend(self.q(y), self.k(y), self.v(y)))[:, 0]
        return x + y.transpose(1, 2).unflatten(2, x.shape[2:])


class Middle(nn.Sequential):
    """A residual block, attention, a residual block."""

    def __init__(self, width: int, config: AutoencoderConfig):
        blocks = [ResidualBlock(width, width, None, config.groups, EPS) for _ in range(2)]
        between = [PlaceAttention(width, config.groups)] if config.attention else []
        super().__init__(blocks[0], *between, blocks[1])


class Shrink(nn.Module):
    """Half the side: a strided convolution that looks one place to the right and down."""

    def __init__(self, width: int):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, D, h, w) -> (B, D, h / 2, w / 2)."""
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class Grow(nn.Module):
    """Twice the side: every place four times, then a convolution."""

    def __init__(self, width: int):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, D, h, w) -> (B, D, 2h, 2w)."""
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


def _way(config: AutoencoderConfig, widths: list[int], blocks: int, turn: type[nn.Module]) -> nn.Sequential:
    """Residual blocks at each width, a change of resolution between two widths."""
    way, now = nn.Sequential(), widths[0]
    for at, width in enumerate(widths):
        for _ in range(blocks):
            way.append(ResidualBlock(now, width, None, config.groups, EPS))
            now = width
        if at < len(widths) - 1:
            way.append(turn(width))
    return way


class Autoencoder(nn.Module):
    """Encoder ℰ and decoder 𝒟. Pictures go in and come out in [-1, 1]."""

    def __init__(self, config: AutoencoderConfig):
        super().__init__()
        self.config = config
        first, last, z = config.widths[0], config.widths[-1], config.latent
        said = z if config.codes else 2 * z  # a codebook needs no variance
        self.encoder = nn.Sequential(
            nn.Conv2d(3, first, 3, padding=1),
            _way(config, list(config.widths), config.blocks, Shrink),
            Middle(last, config),
            nn.GroupNorm(config.groups, last, EPS), nn.SiLU(), nn.Conv2d(last, said, 3, padding=1),
        )  # fmt: skip
        self.quant, self.post_quant = nn.Conv2d(said, said, 1), nn.Conv2d(z, z, 1)
        self.decoder = nn.Sequential(
            nn.Conv2d(z, last, 3, padding=1),
            Middle(last, config),
            _way(config, list(config.widths)[::-1], config.blocks + 1, Grow),
            nn.GroupNorm(config.groups, first, EPS), nn.SiLU(), nn.Conv2d(first, 3, 3, padding=1),
        )  # fmt: skip
        self.codebook = nn.Embedding(config.codes, z) if config.codes else None
        if self.codebook is not None:
            nn.init.uniform_(self.codebook.weight, -1 / config.codes, 1 / config.codes)

    def check(self, images: Tensor) -> None:
        """Raise ValueError, with the cure, for pictures that this autoencoder cannot read."""
        f = self.config.factor
        if images.ndim != 4 or images.shape[1] != 3:
            raise ValueError(f"images have shape {tuple(images.shape)}; (batch, 3, S, S) is needed")
        if images.shape[2] % f or images.shape[3] % f:
            raise ValueError(
                f"pictures of {images.shape[2]} × {images.shape[3]} do not divide by f = {f}: choose "
                "multiples of it"
            )

    def encode(self, images: Tensor) -> Gaussian:
        """(B, 3, S, S) in [-1, 1] -> a Gaussian a place. Raises ValueError where there is a codebook."""
        self.check(images)
        if self.codebook is not None:
            raise ValueError("this autoencoder has a codebook: use codes_of")
        mean, log_variance = self.quant(self.encoder(images)).chunk(2, 1)
        return Gaussian(mean, log_variance.clamp(-30, 20))

    def decode(self, latents: Tensor) -> Tensor:
        """(B, z, h, h) -> (B, 3, S, S), about [-1, 1]."""
        return self.decoder(self.post_quant(latents))

    def codes_of(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """What the encoder says (B, z, h, h), and the nearest code of each place (B, h, h)."""
        self.check(images)
        said = self.quant(self.encoder(images))
        return said, nearest(said, self.codebook.weight)

    def kl_loss(
        self, images: Tensor, noise: Tensor, weight: float = 1e-6
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Squared error a pixel, and a little KL a pixel, so that latents neither spread nor collapse.

        weight: β of the KL; the paper's is about 1e-6, a regulariser and not a bound on the likelihood.
        """
        gaussian = self.encode(images)
        error = F.mse_loss(self.decode(gaussian.sample(noise)), images)
        kl = gaussian.kl().mean() / images[0].numel()
        return error + weight * kl, {"error": error.detach(), "kl": kl.detach()}

    def vq_loss(self, images: Tensor, commitment: float = 0.25) -> tuple[Tensor, dict[str, Tensor]]:
        """Squared error; codes move to what was said, and what is said is held to its code (VQ-VAE, eq. 3).

        The gradient of the picture passes the choice of a code as if it were not there (straight through).
        """
        said, codes = self.codes_of(images)
        chosen = self.codebook(codes).movedim(-1, 1)  # (B, h, h, z) -> (B, z, h, h)
        error = F.mse_loss(self.decode(said + (chosen - said).detach()), images)
        to_codes = F.mse_loss(chosen, said.detach()) + commitment * F.mse_loss(said, chosen.detach())
        used = perplexity(codes, self.config.codes)
        return error + to_codes, {"error": error.detach(), "perplexity": used}


def nearest(said: Tensor, codebook: Tensor) -> Tensor:
    """(B, z, h, w), (K, z) -> (B, h, w): the code with the least squared distance to each place."""
    flat = said.movedim(1, -1)  # (B, h, w, z)
    distance = flat.pow(2).sum(-1, keepdim=True) - 2 * flat @ codebook.T + codebook.pow(2).sum(1)
    return distance.argmin(-1)


def perplexity(codes: Tensor, K: int) -> Tensor:
    """How many codes are in use: e to the entropy of their shares; 1 (collapse) to K (all alike)."""
    shares = torch.bincount(codes.flatten(), minlength=K) / codes.numel()
    return torch.special.entr(shares).sum().exp()


def latent_scale(latents: Tensor) -> float:
    """1 / standard deviation of latents: multiplied by it they have unit variance, as diffusion assumes.

    Over all channels together, as Rombach et al. do (Stable Diffusion's 0.18215). Raises ValueError where all
    are equal.
    """
    spread = float(latents.std())
    if not spread > 0 or not math.isfinite(spread):
        raise ValueError(f"the latents' spread is {spread}: give those of many different pictures")
    return 1 / spread


def count_parameters(config: AutoencoderConfig) -> int:
    """How many numbers such an autoencoder learns; nothing is allocated (it is built on the meta device)."""
    with torch.device("meta"):
        return sum(p.numel() for p in Autoencoder(config).parameters())
