"""SAM's image encoder: a plain vision transformer with windows, relative positions and a small neck.

Li et al. 2022, "Exploring Plain Vision Transformer Backbones for Object Detection" (ViTDet), as Kirillov et
al. 2023 use it. Most blocks look within windows of w × w patches, a few look everywhere.
B: batch; S: side of the picture; h: patches a side; D: width; H: heads; d = D / H; C: channels handed on.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EPS = 1e-6


@dataclass(frozen=True)
class SamViTConfig:
    """A windowed ViT. Defaults are a laptop's; "ViT-B", "ViT-L" and "ViT-H" are in `sam.PRESETS`."""

    image_size: int = 128
    patch: int = 8
    width: int = 96
    layers: int = 4
    heads: int = 4
    mlp_dim: int = 384
    window: int = 8  # patches a side
    everywhere: tuple[int, ...] = (1, 3)  # the blocks that look at the whole picture

    @property
    def side(self) -> int:
        """Patches a side: h."""
        return self.image_size // self.patch


class ChannelNorm(nn.LayerNorm):
    """LayerNorm over the channels of a map (B, C, h, w), place by place."""

    def __init__(self, channels: int):
        super().__init__(channels, eps=EPS)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> the same shape."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def windows(x: Tensor, w: int) -> Tensor:
    """(B, h, h', D) -> (B · windows, w, w, D), row by row; sides that w does not divide get zeros behind."""
    B, h, across, D = x.shape
    x = F.pad(x, (0, 0, 0, -across % w, 0, -h % w))
    rows, columns = x.shape[1] // w, x.shape[2] // w
    return x.view(B, rows, w, columns, w, D).transpose(2, 3).reshape(-1, w, w, D)


def unwindows(x: Tensor, h: int, across: int) -> Tensor:
    """What `windows` cut, put together and freed of its zeros: (B · windows, w, w, D) -> (B, h, h', D)."""
    w, D = x.shape[1], x.shape[3]
    rows, columns = -(-h // w), -(-across // w)
    x = x.view(-1, rows, columns, w, w, D).transpose(2, 3)  # (B, rows, w, columns, w, D)
    return x.reshape(-1, rows * w, columns * w, D)[:, :h, :across]


def relative(q: Tensor, table: Tensor) -> Tensor:
    """One axis of the decomposed relative positions, q_i · R_{i-j} (Li et al. 2022, eq. of MViTv2).

    q: (…, n, d), the n places of that axis last but one; table: (2 n - 1, d), row n - 1 + (i - j).
    Returns (…, n, n): for each place i, what is added to its scores of the places j.
    """
    n = q.shape[-2]
    place = torch.arange(n, device=q.device)
    return torch.einsum("...id,ijd->...ij", q, table[place[:, None] - place + n - 1])


class WindowAttention(nn.Module):
    """Self-attention on an n × n square, with what a key's row and column distance add to its score."""

    def __init__(self, width: int, heads: int, n: int):
        super().__init__()
        self.heads, self.n = heads, n
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.rows = nn.Parameter(torch.zeros(2 * n - 1, width // heads))
        self.columns = nn.Parameter(torch.zeros(2 * n - 1, width // heads))

    def position_scores(self, q: Tensor) -> Tensor:
        """q: (B, H, n·n, d) -> (B, H, n·n, n·n): q · R_row + q · R_column, not divided by √d."""
        n = self.n
        q = q.unflatten(2, (n, n))  # (B, H, y, x, d)
        rows = relative(q.transpose(2, 3), self.rows).transpose(2, 3)  # (B, H, y, x, y')
        columns = relative(q, self.columns)  # (B, H, y, x, x')
        return (rows[..., None] + columns[..., None, :]).flatten(4).flatten(2, 3)

    def forward(self, x: Tensor) -> Tensor:
        """(B, n, n, D) -> the same shape."""
        B, n, _, D = x.shape
        q, k, v = self.qkv(x).view(B, n * n, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=self.position_scores(q))  # (B, H, n·n, d)
        return self.out(mixed.transpose(1, 2).reshape(B, n, n, D))


class WindowBlock(nn.Module):
    """Pre-norm: attention (window by window where w > 0), then an MLP; each is added to what came in."""

    def __init__(self, config: SamViTConfig, w: int):
        super().__init__()
        self.w = w
        self.norm1 = nn.LayerNorm(config.width, eps=EPS)
        self.attention = WindowAttention(config.width, config.heads, w or config.side)
        self.norm2 = nn.LayerNorm(config.width, eps=EPS)
        self.up = nn.Linear(config.width, config.mlp_dim)
        self.down = nn.Linear(config.mlp_dim, config.width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, h, h, D) -> the same shape."""
        y = self.norm1(x)
        cut = self.w > 0
        y = self.attention(windows(y, self.w) if cut else y)
        x = x + (unwindows(y, *x.shape[1:3]) if cut else y)
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class SamViT(nn.Module):
    """Patches and their places through the blocks, then a neck that brings D channels down to C."""

    def __init__(self, config: SamViTConfig, channels: int):
        super().__init__()
        if config.image_size % config.patch:
            raise ValueError(
                f"pictures of {config.image_size} pixels do not divide into patches of {config.patch}: "
                f"choose a multiple of {config.patch}"
            )
        self.config = config
        self.patches = nn.Conv2d(3, config.width, config.patch, config.patch)
        self.positions = nn.Parameter(torch.zeros(config.side, config.side, config.width))
        self.blocks = nn.ModuleList(
            WindowBlock(config, 0 if i in config.everywhere else config.window) for i in range(config.layers)
        )
        self.neck = nn.Sequential(
            nn.Conv2d(config.width, channels, 1, bias=False),
            ChannelNorm(channels),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            ChannelNorm(channels),
        )

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, S, S), normalised -> (B, C, h, h)."""
        x = self.patches(images).permute(0, 2, 3, 1) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.neck(x.permute(0, 3, 1, 2))
