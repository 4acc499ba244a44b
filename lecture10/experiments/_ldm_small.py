"""A latent diffusion small enough to be trained many times: 32 × 32 pictures of two things, five nouns."""

from dataclasses import replace
from functools import cache
from types import SimpleNamespace

from torch import Tensor, nn

from lecture10.models.autoencoder import AutoencoderConfig, Gaussian
from lecture10.models.ldm import LatentDiffusion, LDMConfig
from lecture10.models.unet import UNetConfig
from lecture10.recipes import autoencoder, ldm
from lecture10.training import TrainSettings
from lecture10.world.draft import Habits

SIZE, SCENES, ASKED = 32, 6144, 64  # ASKED: prompts, and fresh pictures
KNOBS = autoencoder.SCENES | {
    "things": 2, "related": 1.0, "repeat": 0.0, "backdrops": "studio",
    "nouns": ("ball", "star", "heart", "house", "car"), "colours": ("red", "yellow", "green", "blue"),
}  # fmt: skip
WIDTHS = {2: (16, 32), 4: (16, 32, 64), 8: (16, 32, 64, 64)}  # of the autoencoder with that f
LEARNT = TrainSettings(steps=600, lr=1.2e-3, warmup=0.03, weight_decay=0.01)  # of each autoencoder
UNET = UNetConfig(4, (48, 96), context=128)
CONFIGS = {
    "cross-attention": LDMConfig(UNET),
    "pooled": LDMConfig(replace(UNET, context=None, pooled=128)),
    "none": LDMConfig(replace(UNET, context=None)),
}


class Pixels(nn.Module):
    """The autoencoder that does nothing, f = 1: what is denoised are the pixels."""

    config = SimpleNamespace(factor=1, latent=3)

    def encode(self, images: Tensor) -> Gaussian:
        """The picture itself, without any spread."""
        return Gaussian(images, images.new_full(images.shape, -30.0))

    def decode(self, latents: Tensor) -> Tensor:
        """The picture itself."""
        return latents


@cache
def coder(f: int) -> nn.Module:
    """The autoencoder of that f, trained once (seed 0) and shared by all seeds of a process."""
    if f == 1:
        return Pixels()
    batches = autoencoder.Pictures(32, SIZE, (KNOBS,))
    config = AutoencoderConfig(WIDTHS[f])
    return autoencoder.learn(config, LEARNT, batches=batches, quiet=True, device="cpu")[0]


@cache
def latents(f: int) -> ldm.Latents:
    """The training scenes as that autoencoder's latents, with plain captions; the same for all seeds."""
    plain = (Habits(synonyms=False),) * 3
    return ldm.collect(coder(f), SCENES, 1, size=SIZE, knobs=KNOBS, habits=plain)


def trained(f: int, steps: int, seed: int, condition: str = "cross-attention") -> LatentDiffusion:
    """A fresh diffusion model over those latents."""
    config = CONFIGS[condition]
    config = replace(config, unet=replace(config.unet, channels=coder(f).config.latent))
    settings = TrainSettings(steps=steps, lr=2e-3, warmup=0.1, weight_decay=0.01)
    return ldm.learn(latents(f), config, settings, seed=seed, quiet=True, device="cpu")[0]
