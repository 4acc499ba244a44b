"""The discrete VAE of DALL·E: a picture becomes a grid of codes, and back. Convolutions only, no transformer.

Ramesh et al. 2021, "Zero-Shot Text-to-Image Generation", section 2.1. The layers are those of the
released package `dall_e` (encoder.py, decoder.py), to which a test holds them. Simplified: fewer groups, one
weight average less.

    ln p(x) ≥ E_q [ln p(x|z)] - KL(q(z|x) ‖ p(z))     the bound; with β ≠ 1 before the KL it is none any more

B: batch; S: side of a picture; f: pixels along the side of one code; h = S / f; K: codes; z: what stands at
one of the h · h positions, one of K.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lecture10.models.vae import log_gaussian
from lecture10.names import unknown

EPS = 0.1  # logit-Laplace: pixels are kept so far from 0 and 1, where a logit is infinite
SIGMA = 0.1  # of the Gaussian that stands beside it: squared error, up to constants
LIKELIHOODS = ("logit-laplace", "gaussian")


@dataclass(frozen=True)
class DVAEConfig:
    """Defaults are a laptop's: 32 × 32 × 3 numbers down to 8 × 8 codes out of 128, f = 4."""

    codes: int = 128  # K
    width: int = 32  # channels of the finest maps, doubled from group to group (the package's n_hid)
    entry: int = 64  # numbers in one entry of the codebook (n_init)
    groups: int = 3  # f = 2^(groups - 1)
    blocks: int = 1  # residual blocks a group
    likelihood: str = "logit-laplace"

    def __post_init__(self):
        if self.codes < 2:
            raise ValueError(
                f"codes is {self.codes}: a codebook of one entry can say nothing; take 2 or more, such as 128"
            )
        if self.likelihood not in LIKELIHOODS:
            raise ValueError(unknown("likelihood", self.likelihood, LIKELIHOODS))
        if self.groups < 1 or self.blocks < 1 or self.width % 4:
            raise ValueError(
                f"groups={self.groups}, blocks={self.blocks}, width={self.width}: give at least one group "
                "and one block, and a width that 4 divides"
            )

    @property
    def factor(self) -> int:
        """f: pixels along the side of one code."""
        return 2 ** (self.groups - 1)


PRESETS = {
    "tiny": DVAEConfig(codes=8, width=8, entry=8, groups=2),
    "laptop": DVAEConfig(),
    "paper": DVAEConfig(codes=8192, width=256, entry=128, groups=4, blocks=2),
}


def map_pixels(x: Tensor) -> Tensor:
    """[0, 1] -> [ε, 1 - ε]: (1 - 2ε) x + ε (appendix A.3)."""
    return (1 - 2 * EPS) * x + EPS


def unmap_pixels(x: Tensor) -> Tensor:
    """The way back, cut to [0, 1]."""
    return ((x - EPS) / (1 - 2 * EPS)).clamp(0, 1)


def log_logit_laplace(x: Tensor, mu: Tensor, log_b: Tensor) -> Tensor:
    """ln of 1 / (2 b x (1 - x)) · exp(-|logit x - μ| / b): a Laplace under a logit (appendix A.3).

    x: in (0, 1); mu, log_b: μ and ln b of each number, same shape. A density on (0, 1), so that no
    probability is spent on values that no pixel has. Returns the same shape, nats.
    """
    return -(math.log(2) + log_b + x.log() + (1 - x).log() + (x.logit() - mu).abs() / log_b.exp())


def gumbel_noise(logits: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """g = -ln(-ln u), u uniform: added to logits, the largest sum is a draw from their softmax."""
    u = torch.rand(logits.shape, generator=generator, device=logits.device)
    tiny = torch.finfo(u.dtype).tiny
    return -(-(u.clamp(min=tiny)).log()).clamp(min=tiny).log()


def gumbel_softmax(logits: Tensor, noise: Tensor, tau: float, *, hard: bool = False) -> Tensor:
    """y_k ∝ exp((ln π_k + g_k) / τ): a draw made soft, so that the gradient reaches π. (B, K, …), sums to 1.

    noise: g, as logits. tau: towards 0 a one-hot draw, far above 1 a mean of all codes. hard: one-hot in the
    forward pass, soft in the backward one (straight through). Raises ValueError for a tau of 0 or less.
    """
    if not tau > 0:
        raise ValueError(f"tau is {tau}: it lies above 0; towards 0 (1/16 in the paper) draws become one-hot")
    soft = ((logits + noise) / tau).softmax(1)
    if not hard:
        return soft
    one_hot = torch.zeros_like(soft).scatter(1, soft.argmax(1, keepdim=True), 1.0)
    return soft + (one_hot - soft).detach()


def kl_to_uniform(logits: Tensor) -> Tensor:
    """KL(q ‖ uniform) = ln K - H(q) at every position: (B, K, h, w) -> (B, h, w), nats, from 0 to ln K."""
    log_q = logits.log_softmax(1)
    return math.log(logits.shape[1]) + (log_q.exp() * log_q).sum(1)


class Block(nn.Module):
    """x + gain · (four times ReLU and convolution); the way in between is a quarter as wide.

    kernels: sides of the four convolutions, (3, 3, 3, 1) in the encoder, (1, 3, 3, 3) in the decoder.
    """

    def __init__(self, before: int, after: int, kernels: Sequence[int], gain: float):
        super().__init__()
        widths = [before, *3 * [after // 4], after]
        self.convs = nn.ModuleList(
            nn.Conv2d(a, b, k, padding=k // 2)
            for a, b, k in zip(widths[:-1], widths[1:], kernels, strict=True)
        )
        self.shortcut = nn.Conv2d(before, after, 1) if before != after else nn.Identity()
        self.gain = gain

    def forward(self, x: Tensor) -> Tensor:
        """(B, before, h, w) -> (B, after, h, w)."""
        y = x
        for conv in self.convs:
            y = conv(F.relu(y))
        return self.shortcut(x) + self.gain * y


def _way(config: DVAEConfig, widths: list[int], kernels: Sequence[int], turn: nn.Module) -> list[nn.Module]:
    """Blocks of each group, from widths[0] on; `turn` changes the side between two groups."""
    gain = 1 / (config.groups * config.blocks) ** 2  # so that depth does not make outputs grow
    way, now = [], widths[0]
    for at, width in enumerate(widths[1:]):
        for _ in range(config.blocks):
            way.append(Block(now, width, kernels, gain))
            now = width
        if at < config.groups - 1:
            way.append(turn)
    return way


class DVAE(nn.Module):
    """An encoder q(z|x) over K codes a position, a codebook, and a decoder p(x|z)."""

    def __init__(self, config: DVAEConfig):
        super().__init__()
        self.config = config
        finest, K = config.width, config.codes
        widths = [finest * 2**group for group in range(config.groups)]
        self.encoder = nn.Sequential(
            nn.Conv2d(3, finest, 7, padding=3),
            *_way(config, [finest, *widths], (3, 3, 3, 1), nn.MaxPool2d(2)),
            nn.ReLU(), nn.Conv2d(widths[-1], K, 1),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.Conv2d(K, config.entry, 1),  # its weight is the codebook: one column for each code
            *_way(config, [config.entry, *widths[::-1]], (1, 3, 3, 3), nn.Upsample(scale_factor=2)),
            nn.ReLU(), nn.Conv2d(finest, 6, 1),  # μ and ln b of three colours
        )  # fmt: skip
        self.apply(_initialise)

    @property
    def codebook(self) -> Tensor:
        """(K, entry): the vector that each code stands for."""
        return self.decoder[0].weight[:, :, 0, 0].T

    def check(self, images: Tensor) -> None:
        """Raise ValueError, with the cure, for pictures that this dVAE cannot read."""
        f = self.config.factor
        if images.ndim != 4 or images.shape[1] != 3:
            raise ValueError(f"images have shape {tuple(images.shape)}; (batch, 3, S, S) is needed")
        if images.shape[2] % f or images.shape[3] % f:
            raise ValueError(
                f"pictures of {images.shape[2]} × {images.shape[3]} do not divide by f = {f}: choose "
                "multiples of it"
            )
        if not (float(images.min()) >= 0 and float(images.max()) <= 1):
            raise ValueError(
                f"pictures reach from {float(images.min()):.3g} to {float(images.max()):.3g}; the dVAE "
                "reads [0, 1]: (x + 1) / 2 maps [-1, 1] there"
            )

    def logits(self, images: Tensor) -> Tensor:
        """ln q(z|x), up to a constant: (B, 3, S, S) in [0, 1] -> (B, K, h, h). Raises as `check`."""
        self.check(images)
        return self.encoder(map_pixels(images))

    def codes_of(self, images: Tensor) -> Tensor:
        """The likeliest code at each position (B, h, h): argmax, no noise. Stage two is trained on these."""
        return self.logits(images).argmax(1)

    def one_hot(self, codes: Tensor) -> Tensor:
        """(B, h, h) -> (B, K, h, h). Raises ValueError for numbers that are no codes."""
        K = self.config.codes
        if codes.numel() and not 0 <= int(codes.min()) <= int(codes.max()) < K:
            raise ValueError(
                f"codes run from {int(codes.min())} to {int(codes.max())}, the codebook from 0 to {K - 1}: "
                "take the text's vocabulary off the tokens first"
            )
        return F.one_hot(codes, K).movedim(-1, 1).to(self.decoder[0].weight.dtype)

    def decode(self, z: Tensor) -> Tensor:
        """The picture that soft or hard codes (B, K, h, h) stand for: (B, 3, S, S) in [0, 1]."""
        return unmap_pixels(self.decoder(z)[:, :3].sigmoid())

    def picture(self, codes: Tensor) -> Tensor:
        """The same for code numbers (B, h, h)."""
        return self.decode(self.one_hot(codes))

    def log_likelihood(self, images: Tensor, z: Tensor) -> Tensor:
        """ln p(x|z), summed over all numbers of a picture: (B,), nats."""
        x, (mu, log_b) = map_pixels(images), self.decoder(z).chunk(2, 1)
        if self.config.likelihood == "gaussian":
            return log_gaussian(x, mu.sigmoid(), SIGMA)
        return log_logit_laplace(x, mu, log_b).flatten(1).sum(1)

    def loss(self, images: Tensor, noise: Tensor, tau: float, beta: float = 1.0) -> tuple[Tensor, dict]:
        """-(E_q ln p(x|z) - β KL) in nats a number of the picture, and its parts; one soft draw a position.

        noise: g (B, K, h, h). The KL is the *sum* over positions, as the bound has it (a picture tells what
        all its codes tell together), here divided by numbers like the other term. A *mean* over positions,
        beside a mean over numbers, would be another β: S²·3 / h² times this one (192 at the paper's sizes).
        """
        logits = self.logits(images)
        numbers = images[0].numel()
        told = self.log_likelihood(images, gumbel_softmax(logits, noise, tau)).mean() / numbers
        kl = kl_to_uniform(logits).flatten(1).sum(1).mean() / numbers
        return -told + beta * kl, {"likelihood": told.detach(), "kl": kl.detach()}


def _initialise(module: nn.Module) -> None:
    """As the package does: N(0, 1 / numbers that a convolution sums), biases 0."""
    if isinstance(module, nn.Conv2d):
        nn.init.normal_(module.weight, std=1 / math.sqrt(module.weight[0].numel()))
        nn.init.zeros_(module.bias)


def temperature(done: float, first: float = 1.0, last: float = 1 / 16, until: float = 1.0) -> float:
    """τ when the share `done` of training is over: from first to last along half a cosine, then last.

    until: the share at which `last` is reached; 0: at once.
    """
    if not (first > 0 and last > 0 and 0 <= until <= 1):
        raise ValueError(f"first={first}, last={last}, until={until}: τ is above 0, until a share in [0, 1]")
    if done >= until:
        return last
    return last + (first - last) * (1 + math.cos(math.pi * done / until)) / 2


def bits(side: int = 256, grid: int = 32, codes: int = 8192) -> dict[str, float]:
    """How much smaller a grid of codes is than a picture of side × side × 3 bytes: in numbers, in bits."""
    numbers, positions = side * side * 3, grid * grid
    return {"numbers": numbers / positions, "bits": 8 * numbers / (positions * math.log2(codes))}


def count_parameters(config: DVAEConfig) -> int:
    """How many numbers such a dVAE learns; nothing is allocated (it is built on the meta device)."""
    with torch.device("meta"):
        return sum(p.numel() for p in DVAE(config).parameters())
