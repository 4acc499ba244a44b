"""The U-Net that denoises: residual blocks that are told the time, attention to the picture and to the words.

Ronneberger et al. 2015, as Ho et al. 2020 and Rombach et al. 2022 use it ("High-Resolution Image Synthesis
with Latent Diffusion Models", section 3.3). Built like diffusers' UNet2DConditionModel, to which a test
holds it equal.
B: batch; C: channels; h, w: places; D: width; H: heads; d: width of a head; L: length of the text.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lecture10.layers import attention_weights


@dataclass(frozen=True)
class UNetConfig:
    """Defaults are a laptop's, for latents of 16 × 16 × 4; widths and attention have one entry a level."""

    channels: int = 4  # of what is denoised
    widths: tuple[int, ...] = (64, 128)
    blocks: int = 1  # residual blocks a level on the way down, one more on the way up
    attention: tuple[bool, ...] = (False, True)
    heads: int = 4
    context: int | None = None  # width of the text's states; None: nothing to attend to but the picture
    pooled: int | None = None  # width of one vector that is added to the time; None: none
    groups: int = 8  # of the group norms

    def __post_init__(self):
        if len(self.attention) != len(self.widths):
            raise ValueError(
                f"attention has {len(self.attention)} entries, widths {len(self.widths)}: one for each level"
            )
        for width in self.widths:
            if width % self.groups or width % self.heads:
                raise ValueError(
                    f"width {width} does not divide into {self.groups} groups and {self.heads} heads: choose "
                    f"a multiple of {math.lcm(self.groups, self.heads)}"
                )


PRESETS = {
    "tiny": UNetConfig(2, (8, 16), 1, (False, True), heads=2, context=12, groups=4),
    "laptop": UNetConfig(context=128),
    "paper": UNetConfig(  # Stable Diffusion 1.x's, 859.5 M
        4, (320, 640, 1280, 1280), 2, (True, True, True, False), heads=8, context=768, groups=32
    ),
}


def timestep_embedding(t: Tensor, width: int) -> Tensor:
    """(B,) -> (B, width): cosines and sines of t at frequencies from 1 down to nearly 1 / 10,000.

    As positions in Vaswani et al. 2017, section 3.5, the cosines in front. Raises ValueError for odd widths.
    """
    if width % 2:
        raise ValueError(f"width {width} is odd: half of it are cosines, half are sines")
    frequencies = torch.exp(-math.log(10_000) * torch.arange(width // 2, device=t.device) / (width // 2))
    angles = t.float()[:, None] * frequencies  # (B, width / 2)
    return torch.cat([angles.cos(), angles.sin()], 1)


class ResidualBlock(nn.Module):
    """Norm, SiLU, convolution, twice; the time is added to every place in between; a shortcut around all.

    time: width of what the block is told; None: an autoencoder's, which is told nothing.
    """

    def __init__(self, before: int, after: int, time: int | None, groups: int, eps: float = 1e-5):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(groups, before, eps), nn.Conv2d(before, after, 3, padding=1)
        self.time = None if time is None else nn.Linear(time, after)
        self.norm2, self.conv2 = nn.GroupNorm(groups, after, eps), nn.Conv2d(after, after, 3, padding=1)
        self.shortcut = nn.Conv2d(before, after, 1) if before != after else nn.Identity()

    def forward(self, x: Tensor, time: Tensor | None = None) -> Tensor:
        """(B, before, h, w), (B, time) -> (B, after, h, w)."""
        y = self.conv1(F.silu(self.norm1(x)))
        if self.time is not None:
            y = y + self.time(F.silu(time))[:, :, None, None]
        return self.shortcut(x) + self.conv2(F.silu(self.norm2(y)))


class Attention(nn.Module):
    """Softmax(Q Kᵀ / √d) V with Q = W_Q φ(z), K = W_K τ(y), V = W_V τ(y) (Rombach et al. 2022, section 3.3).

    With no text given, the picture attends to itself.
    """

    def __init__(self, width: int, heads: int, context: int | None = None):
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(width, width, bias=False)
        self.k, self.v = (nn.Linear(context or width, width, bias=False) for _ in range(2))
        self.out = nn.Linear(width, width)

    def split(self, x: Tensor) -> Tensor:
        """(B, T, D) -> (B, H, T, d)."""
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)

    def weights(self, x: Tensor, context: Tensor | None = None, real: Tensor | None = None) -> Tensor:
        """(B, H, places, L): how much each place looks at each word; rows sum to 1."""
        q, k = self.split(self.q(x)), self.split(self.k(x if context is None else context))
        return attention_weights(q, k, None if real is None else real[:, None, None])

    def forward(self, x: Tensor, context: Tensor | None = None, real: Tensor | None = None) -> Tensor:
        """(B, T, D) places, (B, L, context) words -> (B, T, D). real: (B, L) bool, False: padding."""
        context = x if context is None else context
        q, k, v = self.split(self.q(x)), self.split(self.k(context)), self.split(self.v(context))
        may_look = None if real is None else real[:, None, None]  # (B, 1, 1, L)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=may_look)  # (B, H, T, d)
        return self.out(mixed.transpose(1, 2).flatten(2))


class SpatialTransformer(nn.Module):
    """Places as tokens: they look at each other, then at the words, then each thinks for itself (a GEGLU)."""

    def __init__(self, width: int, heads: int, context: int | None, groups: int):
        super().__init__()
        self.norm, self.into = nn.GroupNorm(groups, width, eps=1e-6), nn.Conv2d(width, width, 1)
        self.norm1, self.attention = nn.LayerNorm(width), Attention(width, heads)
        self.norm2 = self.cross = None
        if context is not None:
            self.norm2, self.cross = nn.LayerNorm(width), Attention(width, heads, context)
        self.norm3 = nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, 8 * width), nn.Linear(4 * width, width)
        self.out = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor, context: Tensor | None = None, real: Tensor | None = None) -> Tensor:
        """(B, D, h, w), (B, L, context) -> (B, D, h, w)."""
        h, w = x.shape[2:]
        y = self.into(self.norm(x)).flatten(2).transpose(1, 2)  # (B, h·w, D)
        y = y + self.attention(self.norm1(y))
        if self.cross is not None:
            y = y + self.cross(self.norm2(y), context, real)
        value, gate = self.up(self.norm3(y)).chunk(2, -1)  # Shazeer 2020, "GLU Variants Improve Transformer"
        y = y + self.down(value * F.gelu(gate))
        return x + self.out(y.transpose(1, 2).unflatten(2, (h, w)))


class Level(nn.Module):
    """The blocks of one resolution: each a residual block and, where the level attends, a transformer."""

    def __init__(self, widths: list[tuple[int, int]], config: UNetConfig, time: int, attends: bool):
        super().__init__()
        self.residual = nn.ModuleList(ResidualBlock(a, b, time, config.groups) for a, b in widths)
        self.attention = nn.ModuleList(
            SpatialTransformer(b, config.heads, config.context, config.groups) for _, b in widths if attends
        )

    def step(self, at: int, x: Tensor, time: Tensor, context: Tensor | None, real: Tensor | None) -> Tensor:
        """Block number `at`."""
        x = self.residual[at](x, time)
        return self.attention[at](x, context, real) if self.attention else x


class UNet(nn.Module):
    """Down to coarse places, up again; on the way up each block also sees what the way down had there."""

    def __init__(self, config: UNetConfig):
        super().__init__()
        self.config = config
        widths, n, time = config.widths, config.blocks, 4 * config.widths[0]
        self.time = nn.Sequential(nn.Linear(widths[0], time), nn.SiLU(), nn.Linear(time, time))
        self.pooled = nn.Linear(config.pooled, time) if config.pooled else None
        self.into = nn.Conv2d(config.channels, widths[0], 3, padding=1)
        skips, now = [widths[0]], widths[0]
        self.down, self.shrink = nn.ModuleList(), nn.ModuleList()
        for at, width in enumerate(widths):
            ways = [(now, width), *[(width, width)] * (n - 1)]
            self.down.append(Level(ways, config, time, config.attention[at]))
            skips, now = [*skips, *[width] * n], width
            if at < len(widths) - 1:
                self.shrink.append(nn.Conv2d(width, width, 3, stride=2, padding=1))
                skips.append(width)
        self.mid = Level([(now, now)], config, time, attends=True)
        self.mid_out = ResidualBlock(now, now, time, config.groups)
        self.up, self.grow = nn.ModuleList(), nn.ModuleList()
        for at in reversed(range(len(widths))):
            ways = []
            for _ in range(n + 1):
                ways.append((now + skips.pop(), widths[at]))
                now = widths[at]
            self.up.append(Level(ways, config, time, config.attention[at]))
            if at:
                self.grow.append(nn.Conv2d(now, now, 3, padding=1))
        self.norm, self.out = nn.GroupNorm(config.groups, now), nn.Conv2d(now, config.channels, 3, padding=1)

    def check(self, x: Tensor, context: Tensor | None, pooled: Tensor | None) -> None:
        """Raise ValueError, with the cure, for what this network cannot read."""
        config, halvings = self.config, 2 ** (len(self.config.widths) - 1)
        if x.ndim != 4 or x.shape[1] != config.channels:
            raise ValueError(f"x has shape {tuple(x.shape)}, this network reads (B, {config.channels}, h, w)")
        if x.shape[2] % halvings or x.shape[3] % halvings:
            raise ValueError(
                f"{x.shape[2]} × {x.shape[3]} places are halved {len(config.widths) - 1} times: choose "
                f"multiples of {halvings}"
            )
        for name, given, width in (("context", context, config.context), ("pooled", pooled, config.pooled)):
            if (given is None) != (width is None) or (given is not None and given.shape[-1] != width):
                has = "none" if given is None else f"one of width {given.shape[-1]}"
                raise ValueError(f"this network was built for {name} of width {width}, and was given {has}")

    def told(self, t: Tensor, pooled: Tensor | None) -> Tensor:
        """(B,) steps, (B, pooled) -> (B, time): what every residual block is told."""
        time = self.time(timestep_embedding(t, self.config.widths[0]))
        return time if self.pooled is None else time + self.pooled(pooled)

    def forward(
        self,
        x: Tensor,
        t: Tensor | int,
        context: Tensor | None = None,
        *,
        pooled: Tensor | None = None,
        real: Tensor | None = None,
    ) -> Tensor:
        """(B, C, h, w) noisy, (B,) or one step t, (B, L, context) words -> (B, C, h, w).

        pooled: (B, pooled), one vector for all; real: (B, L) bool, False where a word is padding.
        """
        self.check(x, context, pooled)
        time = self.told(torch.as_tensor(t, device=x.device).expand(len(x)), pooled)
        x = self.into(x)
        skips = [x]
        for at, level in enumerate(self.down):
            for block in range(self.config.blocks):
                x = level.step(block, x, time, context, real)
                skips.append(x)
            if at < len(self.shrink):
                x = self.shrink[at](x)
                skips.append(x)
        x = self.mid_out(self.mid.step(0, x, time, context, real), time)
        for at, level in enumerate(self.up):
            for block in range(self.config.blocks + 1):
                x = level.step(block, torch.cat([x, skips.pop()], 1), time, context, real)
            if at < len(self.grow):
                x = self.grow[at](F.interpolate(x, scale_factor=2.0, mode="nearest"))
        return self.out(F.silu(self.norm(x)))


def count_parameters(config: UNetConfig) -> int:
    """How many numbers such a U-Net learns; nothing is allocated (it is built on the meta device)."""
    with torch.device("meta"):
        return sum(p.numel() for p in UNet(config).parameters())
