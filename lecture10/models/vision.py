"""CLIP's two image towers: a ResNet with three changes, and a vision transformer.

Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision", section 2.4,
after He et al. 2016 and Dosovitskiy et al. 2021. Simplified: the stem's stride and the number of stages are
settings, so that a small picture is not halved down to one place.
B: batch; S: side of a picture; C: channels; h, w: places of a map; D: width; E: width of the embedding.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lecture10.layers import TransformerBlock

GELUS = ("quick", "exact")


@dataclass(frozen=True)
class ResNetConfig:
    """The modified ResNet. Defaults are a laptop's: 64 × 64 pixels down to a map of 4 × 4 places."""

    image_size: int = 64
    width: int = 24  # channels after the stem; each later stage has twice as many
    layers: tuple[int, ...] = (1, 1, 1)  # residual blocks of each stage; the paper has four stages
    heads: int = 6  # of the attention pool
    stem_stride: int = 4  # 4 is the paper's; 2 leaves out the stem's pooling

    @property
    def channels(self) -> int:
        """Channels of the last map."""
        return 4 * self.width * 2 ** (len(self.layers) - 1)

    @property
    def side(self) -> int:
        """Places a side of the last map."""
        return self.image_size // (self.stem_stride * 2 ** (len(self.layers) - 1))


@dataclass(frozen=True)
class ViTConfig:
    """The vision transformer. Defaults are a laptop's: 64 × 64 pixels as 8 × 8 patches."""

    image_size: int = 64
    patch: int = 8
    width: int = 128
    layers: int = 4
    heads: int = 4

    @property
    def side(self) -> int:
        """Patches a side."""
        return self.image_size // self.patch


class QuickGELU(nn.Module):
    """x · σ(1.702 x), the cheap GELU with which OpenAI's CLIP was trained."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape, kept."""
        return x * torch.sigmoid(1.702 * x)


def transformer(width: int, layers: int, heads: int, *, causal: bool, gelu: str) -> nn.ModuleList:
    """CLIP's pre-norm blocks, with its first weights. Raises ValueError for a GELU that is not in GELUS."""
    if gelu not in GELUS:
        raise ValueError(f"gelu is {gelu!r}: it is 'quick' (OpenAI's weights) or 'exact' (LAION's)")
    blocks = nn.ModuleList(TransformerBlock(width, heads, causal=causal, gelu="none") for _ in range(layers))
    for block in blocks:
        if gelu == "quick":
            block.feed_forward.gelu = QuickGELU()
        nn.init.normal_(block.attention.qkv.weight, std=width**-0.5)
        nn.init.normal_(block.attention.out.weight, std=(2 * width * layers) ** -0.5)
        nn.init.normal_(block.feed_forward.up.weight, std=(2 * width) ** -0.5)
        nn.init.normal_(block.feed_forward.down.weight, std=(2 * width * layers) ** -0.5)
    return blocks


class Bottleneck(nn.Module):
    """1 × 1, 3 × 3, 1 × 1 convolutions beside a shortcut; where it halves the map, an average pool does it.

    A strided convolution would skip places and let fine patterns pass as coarse ones (aliasing; Zhang 2019).
    """

    def __init__(self, before: int, inner: int, stride: int):
        super().__init__()
        after = 4 * inner
        self.conv1, self.norm1 = nn.Conv2d(before, inner, 1, bias=False), nn.BatchNorm2d(inner)
        self.conv2, self.norm2 = nn.Conv2d(inner, inner, 3, padding=1, bias=False), nn.BatchNorm2d(inner)
        self.conv3, self.norm3 = nn.Conv2d(inner, after, 1, bias=False), nn.BatchNorm2d(after)
        self.pool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        self.shortcut = None
        if stride > 1 or before != after:
            self.shortcut = nn.Sequential(
                self.pool, nn.Conv2d(before, after, 1, bias=False), nn.BatchNorm2d(after)
            )
        nn.init.zeros_(self.norm3.weight)  # the block begins as its shortcut

    def forward(self, x: Tensor) -> Tensor:
        """(B, before, h, w) -> (B, 4·inner, h / stride, w / stride)."""
        y = F.relu(self.norm1(self.conv1(x)), inplace=True)
        y = F.relu(self.norm2(self.conv2(y)), inplace=True)
        y = self.norm3(self.conv3(self.pool(y)))
        return F.relu_(y + (x if self.shortcut is None else self.shortcut(x)))


class AttentionPool(nn.Module):
    """One attention in place of the average over places: the average asks, all places answer."""

    def __init__(self, side: int, channels: int, heads: int, embed: int):
        super().__init__()
        if channels % heads:
            raise ValueError(
                f"{channels} channels cannot be split into {heads} heads: choose a divisor of {channels}"
            )
        self.heads = heads
        self.positions = nn.Parameter(torch.randn(side * side + 1, channels) / channels**0.5)
        self.q, self.k, self.v = (nn.Linear(channels, channels) for _ in range(3))
        self.out = nn.Linear(channels, embed)  # W_i of the slide
        for linear in (self.q, self.k, self.v, self.out):
            nn.init.normal_(linear.weight, std=channels**-0.5)

    def tokens(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, 1 + h·w, C): the average first, then the places, each with its position."""
        x = x.flatten(2).transpose(1, 2)  # (B, h·w, C)
        return torch.cat([x.mean(1, keepdim=True), x], 1) + self.positions

    def split(self, x: Tensor) -> Tensor:
        """(B, T, C) -> (B, H, T, C / H)."""
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, E)."""
        x = self.tokens(x)
        q, k, v = self.split(self.q(x[:, :1])), self.split(self.k(x)), self.split(self.v(x))
        mixed = F.scaled_dot_product_attention(q, k, v)  # (B, H, 1, C / H)
        return self.out(mixed.flatten(1))  # (B, C) -> (B, E)

    def places(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, h·w, E): what the pool would say if it looked at that place alone."""
        return self.out(self.v(self.tokens(x)[:, 1:]))


class ModifiedResNet(nn.Module):
    """A ResNet with a stem of three convolutions, average pools for strides, and an attention pool."""

    def __init__(self, config: ResNetConfig, embed: int):
        super().__init__()
        _divides(config, config.stem_stride * 2 ** (len(config.layers) - 1))
        if config.stem_stride not in (2, 4):
            raise ValueError(f"stem_stride is {config.stem_stride}: it is 4 (the paper's) or 2")
        self.config, self.embed = config, embed
        width = config.width
        self.stem = nn.Sequential()
        for before, after, stride in (
            (3, width // 2, 2),
            (width // 2, width // 2, 1),
            (width // 2, width, 1),
        ):
            self.stem.append(nn.Conv2d(before, after, 3, stride, padding=1, bias=False))
            self.stem.append(nn.BatchNorm2d(after))
            self.stem.append(nn.ReLU(inplace=True))
        self.stem.append(nn.AvgPool2d(2) if config.stem_stride == 4 else nn.Identity())
        stages, before = [], width
        for stage, blocks in enumerate(config.layers):
            inner = width * 2**stage
            for block in range(blocks):
                stages.append(Bottleneck(before, inner, 2 if stage > 0 and block == 0 else 1))
                before = 4 * inner
        self.blocks = nn.Sequential(*stages)
        self.pool = AttentionPool(config.side, config.channels, config.heads, embed)

    def map(self, images: Tensor) -> Tensor:
        """(B, 3, S, S) -> (B, C, h, w): the last map, before the pool."""
        return self.blocks(self.stem(images.contiguous(memory_format=torch.channels_last)))

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, S, S), normalised -> (B, E)."""
        return self.pool(self.map(images))

    def places(self, images: Tensor) -> Tensor:
        """(B, 3, S, S) -> (B, h, w, E): the embedding, were the last look at that place alone.

        Zhou et al. 2022, "Extract Free Dense Labels from CLIP".
        """
        return self.pool.places(self.map(images)).unflatten(1, (self.config.side, -1))


class ViT(nn.Module):
    """Patches as tokens, a class token in front, pre-norm blocks between two more norms; the class token is
    read.
    """

    def __init__(self, config: ViTConfig, embed: int, gelu: str):
        super().__init__()
        _divides(config, config.patch)
        self.config, self.embed = config, embed
        width, scale = config.width, config.width**-0.5
        self.patches = nn.Conv2d(3, width, config.patch, config.patch, bias=False)
        self.class_token = nn.Parameter(scale * torch.randn(width))
        self.positions = nn.Parameter(scale * torch.randn(config.side**2 + 1, width))
        self.norm_pre = nn.LayerNorm(width)
        self.blocks = transformer(width, config.layers, config.heads, causal=False, gelu=gelu)
        self.norm_post = nn.LayerNorm(width)
        self.projection = nn.Linear(width, embed, bias=False)  # W_i of the slide
        nn.init.normal_(self.projection.weight, std=scale)

    def tokens(self, images: Tensor) -> Tensor:
        """(B, 3, S, S) -> (B, 1 + h·w, D): class token and patches, as the first block reads them."""
        x = self.patches(images).flatten(2).transpose(1, 2)  # (B, h·w, D)
        x = torch.cat([self.class_token.expand(len(x), 1, -1), x], 1) + self.positions
        return self.norm_pre(x)

    def read(self, x: Tensor) -> Tensor:
        """(…, D) -> (…, E)."""
        return self.projection(self.norm_post(x))

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, S, S), normalised -> (B, E)."""
        x = self.tokens(images)
        for block in self.blocks:
            x = block(x)
        return self.read(x[:, 0])

    def places(self, images: Tensor) -> Tensor:
        """(B, 3, S, S) -> (B, h, w, E): the embedding, had the class token's last look been at that patch
        alone.
        """
        x = self.tokens(images)
        *early, last = self.blocks
        for block in early:
            x = block(x)
        _, _, v = last.attention.split(last.norm1(x))  # (B, H, T, d)
        seen = last.attention.out(v.transpose(1, 2).flatten(2))[:, 1:]  # (B, h·w, D)
        x = x[:, :1] + seen
        x = x + last.feed_forward(last.norm2(x))
        return self.read(x).unflatten(1, (self.config.side, -1))


def _divides(config: ResNetConfig | ViTConfig, step: int) -> None:
    if config.image_size % step or config.image_size < step:
        raise ValueError(
            f"pictures of {config.image_size} pixels a side do not divide into steps of {step}: choose a "
            f"multiple of {step}"
        )


def image_tower(config: ResNetConfig | ViTConfig, embed: int, gelu: str) -> ModifiedResNet | ViT:
    """The tower that a config describes."""
    return ModifiedResNet(config, embed) if isinstance(config, ResNetConfig) else ViT(config, embed, gelu)
