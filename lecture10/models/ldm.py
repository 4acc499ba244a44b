"""Latent diffusion: a U-Net that removes noise from the latents of pictures, told by words what they show.

Rombach et al. 2022, "High-Resolution Image Synthesis with Latent Diffusion Models", sections 3.2 and 3.3. The
two stages are apart: an autoencoder (`models/autoencoder.py`) turns pictures into latents, and stays as it
is; U-Net and text encoder τ_θ learn together, on latents of variance 1. As in the paper's text-to-picture
model τ_θ is a transformer that reads in both directions; ours is BERT's (`models/bert.py`).
B: batch; T: tokens; D: width of τ_θ; z, h: channels and side of a latent; w: guidance scale.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn

from lecture10.models.bert import Bert, BertConfig
from lecture10.models.ddpm import TARGETS, Diffusion, ScheduleConfig
from lecture10.models.denoise import Network
from lecture10.models.guidance import check_guidance, drop_prompts, guide
from lecture10.models.unet import UNet, UNetConfig
from lecture10.names import unknown

CONDITIONS = ("cross-attention", "pooled", "none")


@dataclass(frozen=True)
class LDMConfig:
    """Defaults are a laptop's. The text's last token, vocab_size - 1, ends a text and fills it up."""

    unet: UNetConfig = field(default_factory=lambda: UNetConfig(4, (48, 96), context=128))
    text: BertConfig = field(default_factory=lambda: BertConfig(512, 32, 128, 2, 4, dropout=0.0))
    schedule: ScheduleConfig = field(default_factory=lambda: ScheduleConfig(kind="cosine"))
    target: str = "v"  # the slide's ε says the same, but leaves x_0 undetermined where the noise is pure
    drop: float = 0.1  # share of prompts that training leaves out, so that guidance is possible

    def __post_init__(self):
        if self.target not in TARGETS:
            raise ValueError(unknown("target", self.target, TARGETS))
        for name in ("context", "pooled"):
            width = getattr(self.unet, name)
            if width not in (None, self.text.width):
                raise ValueError(
                    f"the U-Net's {name} is {width}, the text's states are {self.text.width} wide: make "
                    "them equal"
                )

    @property
    def end(self) -> int:
        """The id of the token that ends a text."""
        return self.text.vocab_size - 1

    @property
    def condition(self) -> str:
        """How the words reach the picture: one of CONDITIONS."""
        if self.unet.context is not None:
            return "cross-attention"
        return "none" if self.unet.pooled is None else "pooled"


class Prompt(NamedTuple):
    """τ_θ(y): what the U-Net is told of n prompts; None where it is not."""

    context: Tensor | None  # (n, T, D), a state a token
    real: Tensor | None  # (n, T) bool, True up to the end of a text
    pooled: Tensor | None  # (n, D), one vector for all


class LatentDiffusion(nn.Module):
    """ε_θ and τ_θ of the slide, with the number that gives latents the variance 1."""

    def __init__(self, config: LDMConfig):
        super().__init__()
        self.config = config
        self.process = Diffusion(config.schedule)
        self.unet, self.text = UNet(config.unet), Bert(config.text)
        self.register_buffer("scale", torch.tensor(1.0))  # Stable Diffusion's is 0.18215

    def real(self, ids: Tensor) -> Tensor:
        """(B, T) bool: True up to and with each text's first end token."""
        ended = (ids == self.config.end).int().cumsum(1)  # (B, T): how many ends up to here
        return (ended == 0) | ((ended == 1) & (ids == self.config.end))

    def nothing(self, like: Tensor) -> Tensor:
        """The prompt without words, as long as `like` (B, T): (T,) end tokens."""
        return torch.full_like(like[0], self.config.end)

    def read(self, ids: Tensor) -> Prompt:
        """(B, T) token ids -> what the U-Net is told. Raises ValueError for ids that τ_θ cannot read."""
        real = self.real(ids)
        states = self.text.hidden(ids, real=real)  # (B, T, D)
        if self.config.condition == "cross-attention":
            return Prompt(states, real, None)
        return Prompt(None, None, self.text.pool(states) if self.config.condition == "pooled" else None)

    def forward(self, z_t: Tensor, t: Tensor | int, ids: Tensor) -> Tensor:
        """ε_θ(z_t, t, τ_θ(y)): (B, z, h, h), (B,) or one step, (B, T) -> (B, z, h, h)."""
        return self.say(z_t, t, self.read(ids))

    def say(self, z_t: Tensor, t: Tensor | int, prompt: Prompt) -> Tensor:
        """The same for prompts that were read before."""
        return self.unet(z_t, t, prompt.context, pooled=prompt.pooled, real=prompt.real)

    def loss(self, z_0: Tensor, ids: Tensor, t: Tensor, eps: Tensor, dropped: torch.Generator) -> Tensor:
        """L_LDM = E ‖ε - ε_θ(z_t, t, τ_θ(y))‖² (eq. 3), or that of another target; some prompts left out.

        z_0: (B, z, h, h) latents as the autoencoder gives them; they are scaled here. The expectation is over
        pictures with their prompts, noise and steps; the gradient reaches U-Net and τ_θ.
        """
        ids = drop_prompts(ids, self.nothing(ids), self.config.drop, dropped)
        prompt = self.read(ids)
        return self.process.loss(
            lambda z_t, t: self.say(z_t, t, prompt), z_0 * self.scale, t, eps, self.config.target
        )

    def guided(self, ids: Tensor, w: float = 1.0) -> Network:
        """A network for `denoise.sample`: answers with and without the prompts, moved apart by w.

        ids: (B, T). At w = 1 the prompt-free answer is not needed, nor asked for. Raises ValueError for a
        w below 0.
        """
        check_guidance(w)
        if w == 1 or self.config.condition == "none":
            prompt = self.read(ids)
            return lambda z_t, t: self.say(z_t, t, prompt)
        both = self.read(torch.cat([self.nothing(ids).expand_as(ids), ids]))

        def network(z_t: Tensor, t: Tensor) -> Tensor:
            said = self.say(torch.cat([z_t, z_t]), torch.cat([t, t]), both)
            return guide(*said.chunk(2), w)

        return network


@contextmanager
def watched(unet: UNet) -> Iterator[list[Tensor]]:
    """While open, the list fills with the cross-attention of each layer that runs: (B, H, places, T)."""
    seen: list[Tensor] = []

    def look(module: nn.Module, given: tuple) -> None:
        seen.append(module.weights(*given).detach())

    layers = [m.cross for m in unet.modules() if getattr(m, "cross", None) is not None]
    handles = [layer.register_forward_pre_hook(look) for layer in layers]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


@torch.no_grad()
def word_maps(model: LatentDiffusion, z_t: Tensor, t: int, ids: Tensor) -> Tensor:
    """Where each word is looked at from: (B, T, h, h), the mean over layers and heads; sums to 1 over T.

    z_t: (B, z, h, h) at step t; coarser layers are repeated up to the latents' side. Raises ValueError for a
    model whose words do not arrive by cross-attention.
    """
    if model.config.condition != "cross-attention":
        raise ValueError(f"this model's words arrive by {model.config.condition!r}: it has no map of them")
    with watched(model.unet) as seen:
        model(z_t, t, ids)
    maps = []
    for weights in seen:
        side = round(weights.shape[2] ** 0.5)
        at = weights.mean(1).transpose(1, 2).unflatten(2, (side, side))  # (B, T, side, side)
        maps.append(nn.functional.interpolate(at, size=z_t.shape[2:], mode="nearest"))
    return torch.stack(maps).mean(0)
