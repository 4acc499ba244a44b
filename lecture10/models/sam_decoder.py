"""SAM's mask decoder: a few tokens and a picture's map look at each other twice; tokens then paint masks.

Kirillov et al. 2023, "Segment Anything", section 3 and appendix A. N: prompts, each with its own picture;
T: tokens; P = h · w places of the map; C: channels; M: masks. Of the four mask tokens number 0 is the single
answer.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lecture10.models.sam_vit import ChannelNorm

EPS = 1e-6


class Attention(nn.Module):
    """Multi-head attention whose inner width is C / shrink; who asks and who is looked at may differ."""

    def __init__(self, channels: int, heads: int, shrink: int = 1):
        super().__init__()
        inner = channels // shrink
        if inner % heads:
            raise ValueError(f"{inner} inner channels cannot be split into {heads} heads")
        self.heads = heads
        self.q, self.k, self.v = (nn.Linear(channels, inner) for _ in range(3))
        self.out = nn.Linear(inner, channels)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """q: (N, T, C); k, v: (N, S, C) -> (N, T, C)."""
        q, k, v = (
            part(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (N, H, T or S, d)
            for part, x in ((self.q, q), (self.k, k), (self.v, v))
        )
        mixed = F.scaled_dot_product_attention(q, k, v)
        return self.out(mixed.transpose(1, 2).flatten(2))


class TwoWayBlock(nn.Module):
    """Tokens look at each other, tokens look at the picture, tokens think, the picture looks at the tokens.

    Post-norm. Wherever someone looks, positions are added to what asks and to what is matched, never to what
    is handed over. The first block's tokens are their own positions still, and look without adding them.
    """

    def __init__(self, channels: int, heads: int, mlp_dim: int, *, first: bool):
        super().__init__()
        self.first = first
        self.among_tokens = Attention(channels, heads)
        self.norm1 = nn.LayerNorm(channels, eps=EPS)
        self.to_picture = Attention(channels, heads, shrink=2)
        self.norm2 = nn.LayerNorm(channels, eps=EPS)
        self.up = nn.Linear(channels, mlp_dim)
        self.down = nn.Linear(mlp_dim, channels)
        self.norm3 = nn.LayerNorm(channels, eps=EPS)
        self.to_tokens = Attention(channels, heads, shrink=2)
        self.norm4 = nn.LayerNorm(channels, eps=EPS)

    def forward(
        self, tokens: Tensor, places: Tensor, token_at: Tensor, place_at: Tensor
    ) -> tuple[Tensor, Tensor]:
        """tokens, token_at: (N, T, C); places: (N, P, C), place_at: (1, P, C) -> new tokens and places."""
        if self.first:
            tokens = self.norm1(self.among_tokens(tokens, tokens, tokens))
        else:
            asking = tokens + token_at
            tokens = self.norm1(tokens + self.among_tokens(asking, asking, tokens))
        seen = places + place_at
        tokens = self.norm2(tokens + self.to_picture(tokens + token_at, seen, places))
        tokens = self.norm3(tokens + self.down(F.relu(self.up(tokens))))
        places = self.norm4(places + self.to_tokens(seen, tokens + token_at, tokens))
        return tokens, places


class MLP(nn.Module):
    """Linear layers with ReLUs between them."""

    def __init__(self, before: int, inner: int, after: int, layers: int):
        super().__init__()
        widths = [before, *[inner] * (layers - 1), after]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))

    def forward(self, x: Tensor) -> Tensor:
        """(…, before) -> (…, after)."""
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return self.layers[-1](x)


class MaskDecoder(nn.Module):
    """Map and prompts to masks, each with a guess of its own IoU.

    multimask: how many masks an ambiguous prompt is answered with (3; 0: a model of the single mask alone).
    """

    def __init__(
        self,
        channels: int,
        *,
        heads: int,
        mlp_dim: int,
        blocks: int,
        multimask: int,
        iou_inner: int,
        iou_layers: int,
    ):
        super().__init__()
        self.multimask = multimask
        masks = multimask + 1
        self.iou_token = nn.Parameter(torch.randn(1, channels))
        self.mask_tokens = nn.Parameter(torch.randn(masks, channels))
        self.blocks = nn.ModuleList(
            TwoWayBlock(channels, heads, mlp_dim, first=i == 0) for i in range(blocks)
        )
        self.last_look = Attention(channels, heads, shrink=2)
        self.last_norm = nn.LayerNorm(channels)
        self.up1 = nn.ConvTranspose2d(channels, channels // 4, 2, 2)
        self.up_norm = ChannelNorm(channels // 4)
        self.up2 = nn.ConvTranspose2d(channels // 4, channels // 8, 2, 2)
        self.hyper = nn.ModuleList(MLP(channels, channels, channels // 8, 3) for _ in range(masks))
        self.iou = MLP(channels, iou_inner, masks, iou_layers)

    def look(self, tokens: Tensor, picture: Tensor, place_at: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens (N, T, C) and map (N, C, h, w) after the two-way blocks; place_at: (C, h, w)."""
        places, place_at = picture.flatten(2).transpose(1, 2), place_at.flatten(1).T[None]  # (·, P, C)
        token_at = tokens
        for block in self.blocks:
            tokens, places = block(tokens, places, token_at, place_at)
        tokens = tokens + self.last_look(tokens + token_at, places + place_at, places)
        return self.last_norm(tokens), places.transpose(1, 2).unflatten(2, picture.shape[2:])

    def upscaled(self, picture: Tensor) -> Tensor:
        """(N, C, h, w) -> (N, C / 8, 4 h, 4 w)."""
        return F.gelu(self.up2(F.gelu(self.up_norm(self.up1(picture)))))

    def forward(
        self, picture: Tensor, place_at: Tensor, sparse: Tensor, dense: Tensor, *, several: bool
    ) -> tuple[Tensor, Tensor]:
        """Masks as logits (N, M, 4 h, 4 w) and guessed IoUs (N, M), no sigmoid on either.

        picture: (N, C, h, w); place_at: (C, h, w); sparse: (N, T, C); dense: (N or 1, C, h, w), added to the
        map. several: masks 1 to 3, one for each reading of the prompt; else mask 0 alone.
        """
        chosen = range(1, self.multimask + 1) if several and self.multimask else range(1)
        own = torch.cat([self.iou_token, self.mask_tokens])  # (1 + masks, C)
        tokens = torch.cat([own.expand(len(sparse), -1, -1), sparse], 1)
        tokens, picture = self.look(tokens, picture + dense, place_at)
        kernels = torch.stack([self.hyper[m](tokens[:, 1 + m]) for m in chosen], 1)  # (N, M, C / 8)
        painted = self.upscaled(picture)
        masks = (kernels @ painted.flatten(2)).unflatten(2, painted.shape[2:])  # (N, M, 4 h, 4 w)
        return masks, self.iou(tokens[:, 0])[:, list(chosen)]
