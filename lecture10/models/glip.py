"""GLIP: a detector whose classes are words. Each region of a picture is compared with each token of a prompt.

Li et al. 2022, "Grounded Language-Image Pre-training". Targets, losses, boxes: `models/grounding.py`.
Simplified: one grid of regions instead of a feature pyramid, a plain convolutional tower instead of Swin, a
residual block instead of a DyHead module, no centreness, and no [NoObj] token. The deep fusion is GLIP's own.
B: batch; N = g²: regions; M: tokens; D: width of both; H: heads; d: width of a head; c: classes.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lecture10.models.bert import BertBlock
from lecture10.models.grounding import decode

PRIOR = 0.01  # what every region is sure of at first, so that the many empty ones start with a small loss
FIRST_GAMMA = 1e-4  # the fusion starts almost closed: training begins with two separate towers


@dataclass(frozen=True)
class GLIPConfig:
    """Defaults are a laptop's. fusion=False: two towers that meet only in S. classes > 0: no text, W instead
    of P.
    """

    image_size: int = 64
    width: int = 64
    layers: int = 2  # joint layers: in each a fusion, a block of the picture and a layer of the text
    heads: int = 4
    inner: int = 64  # width inside the fusion's attention, all heads together
    vocab_size: int = 512
    context: int = 96
    fusion: bool = True
    classes: int = 0

    @property
    def grid(self) -> int:
        """g: cells along a side, each of 8 × 8 pixels."""
        return self.image_size // 8


PRESETS = {
    "tiny": GLIPConfig(image_size=32, width=16, layers=1, heads=2, inner=16, vocab_size=512, context=64),
    "laptop": GLIPConfig(),
}


class CrossAttention(nn.Module):
    """X-MHA, GLIP's eq. 4 and 5: one table of scores, read along its rows by the picture, down its columns by
    the text.
    """

    def __init__(self, width: int, inner: int, heads: int):
        super().__init__()
        if inner % heads:
            raise ValueError(f"inner width {inner} cannot be split into {heads} heads: choose a multiple")
        self.heads = heads
        self.q_image, self.q_text = nn.Linear(width, inner), nn.Linear(width, inner)
        self.v_image, self.v_text = nn.Linear(width, inner), nn.Linear(width, inner)
        self.out_image, self.out_text = nn.Linear(inner, width), nn.Linear(inner, width)

    def split(self, x: Tensor) -> Tensor:
        """(B, T, H·d) -> (B, H, T, d)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, O: Tensor, P: Tensor, real: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(B, N, D) regions, (B, M, D) tokens -> what each region heard from the text (B, N, D), and each
        token from the picture (B, M, D). real: (B, M) bool, False where a token is padding.
        """
        O_q, P_q = self.split(self.q_image(O)), self.split(self.q_text(P))  # (B, H, N, d), (B, H, M, d)
        O_v, P_v = self.split(self.v_image(O)), self.split(self.v_text(P))
        scores = O_q @ P_q.transpose(-2, -1) / math.sqrt(O_q.shape[-1])  # (B, H, N, M)
        to_text = scores if real is None else scores.masked_fill(~real[:, None, None], -math.inf)
        O_heard = to_text.softmax(-1) @ P_v  # (B, H, N, M) (B, H, M, d): regions look at real tokens
        P_heard = scores.transpose(-2, -1).softmax(-1) @ O_v  # (B, H, M, N) (B, H, N, d): tokens at regions
        return (
            self.out_image(O_heard.transpose(1, 2).flatten(2)),
            self.out_text(P_heard.transpose(1, 2).flatten(2)),
        )


class Fusion(nn.Module):
    """Both normalised, then each with what it heard from the other, scaled by a gate that starts near 0."""

    def __init__(self, width: int, inner: int, heads: int):
        super().__init__()
        self.norm_image, self.norm_text = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = CrossAttention(width, inner, heads)
        self.gamma_image = nn.Parameter(torch.full((width,), FIRST_GAMMA))
        self.gamma_text = nn.Parameter(torch.full((width,), FIRST_GAMMA))

    def forward(self, O: Tensor, P: Tensor, real: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(B, N, D), (B, M, D) -> the same shapes."""
        O, P = self.norm_image(O), self.norm_text(P)
        O_heard, P_heard = self.attention(O, P, real)
        return O + self.gamma_image * O_heard, P + self.gamma_text * P_heard


def _conv(inside: int, out: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, out, 3, stride, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True)
    )


class Block(nn.Module):
    """A residual block on the grid, whose second convolution is dilated: it sees across the picture."""

    def __init__(self, width: int):
        super().__init__()
        self.near = _conv(width, width)
        self.far = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=2, dilation=2, bias=False), nn.BatchNorm2d(width)
        )

    def forward(self, O: Tensor) -> Tensor:
        """(B, N, D) regions, row by row -> (B, N, D)."""
        g = round(O.shape[1] ** 0.5)
        x = O.transpose(1, 2).unflatten(2, (g, g))  # (B, D, g, g)
        return F.relu(x + self.far(self.near(x))).flatten(2).transpose(1, 2)


class Regions(nn.Module):
    """The picture tower: (B, 3, S, S) in [0, 1] -> (B, N, D), a vector for each cell of 8 × 8 pixels."""

    def __init__(self, config: GLIPConfig):
        super().__init__()
        D = config.width
        self.stem = nn.Sequential(_conv(3, D // 3, 2), _conv(D // 3, 2 * D // 3, 2), _conv(2 * D // 3, D, 2))
        self.places = nn.Parameter(0.02 * torch.randn(config.grid**2, D))
        self.block = Block(D)

    def forward(self, images: Tensor) -> Tensor:
        """See the class."""
        O = self.stem(2 * images - 1).flatten(2).transpose(1, 2)  # (B, D, g, g) -> (B, N, D)
        return self.block(O + self.places)


class Tokens(nn.Module):
    """The text tower's beginning: (B, M) ids -> (B, M, D), one BERT layer above the embeddings."""

    def __init__(self, config: GLIPConfig):
        super().__init__()
        self.words = nn.Embedding(config.vocab_size, config.width)
        self.positions = nn.Embedding(config.context, config.width)
        self.norm = nn.LayerNorm(config.width)
        self.layer = BertBlock(config.width, config.heads)

    def forward(self, ids: Tensor, real: Tensor | None = None) -> Tensor:
        """See the class; real: (B, M) bool, False where there is only padding."""
        where = torch.arange(ids.shape[1], device=ids.device)
        return self.layer(self.norm(self.words(ids) + self.positions(where)), real=real)


class GLIP(nn.Module):
    """Regions and tokens, fused or not, then S = O Pᵀ; or regions alone, then S = O Wᵀ."""

    def __init__(self, config: GLIPConfig):
        super().__init__()
        self.config, D = config, config.width
        self.regions = Regions(config)
        self.blocks = nn.ModuleList(Block(D) for _ in range(config.layers))
        self.box_tower = Block(D)
        self.to_box = nn.Linear(D, 4)
        self.to_word = nn.Linear(D, D)
        self.bias = nn.Parameter(torch.tensor(-math.log((1 - PRIOR) / PRIOR)))
        if config.classes:
            self.W = nn.Parameter(torch.randn(config.classes, D))
        else:
            self.tokens = Tokens(config)
            self.layers = nn.ModuleList(BertBlock(D, config.heads) for _ in range(config.layers))
            fusions = config.layers if config.fusion else 0
            self.fusions = nn.ModuleList(Fusion(D, config.inner, config.heads) for _ in range(fusions))

    def check(self, images: Tensor, ids: Tensor | None, real: Tensor | None) -> None:
        """Raise ValueError, with the cure, for what this model cannot read."""
        side, shape = self.config.image_size, tuple(images.shape)
        if shape[1:] != (3, side, side) or len(shape) != 4:
            raise ValueError(f"images have shape {shape}, this one reads (batch, 3, {side}, {side}): resize")
        if images.is_cpu and not (float(images.min()) >= -1e-3 and float(images.max()) <= 1 + 1e-3):
            low, high = float(images.min()), float(images.max())
            raise ValueError(f"images run from {low:.3g} to {high:.3g}, wanted is [0, 1]: divide by 255?")
        if self.config.classes:
            return
        if ids is None or ids.ndim != 2 or len(ids) != len(images):
            raise ValueError("ids need the shape (batch, tokens): one prompt for each picture")
        if not 1 <= ids.shape[1] <= self.config.context:
            raise ValueError(
                f"the prompt has {ids.shape[1]} tokens, the context is {self.config.context}: ask fewer "
                "phrases at once"
            )
        if real is not None and not real.any(1).all():
            raise ValueError("a prompt is empty: name at least one thing, such as 'a blue bear'")

    def features(self, images: Tensor, ids: Tensor | None = None, real: Tensor | None = None) -> tuple:
        """(B, 3, S, S), (B, M) -> regions O (B, N, D), tokens P (B, M, D), or None for a class head."""
        self.check(images, ids, real)
        O = self.regions(images)
        if self.config.classes:
            for block in self.blocks:
                O = block(O)
            return O, None
        P = self.tokens(ids, real)
        for k, (block, layer) in enumerate(zip(self.blocks, self.layers, strict=True)):
            if self.fusions:
                O, P = self.fusions[k](O, P, real)
            O, P = block(O), layer(P, real=real)
        return O, P

    def align(self, O: Tensor, P: Tensor | None) -> Tensor:
        """S = O Pᵀ, or O Wᵀ: (B, N, D), (B, M, D) -> (B, N, M) logits. The scale 1/√D and the bias keep the
        first ones near the prior.
        """
        P = self.W if P is None else P
        return self.to_word(O) @ P.transpose(-2, -1) / math.sqrt(O.shape[-1]) + self.bias

    def forward(
        self, images: Tensor, ids: Tensor | None = None, real: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Logits S (B, N, M) of every region with every token (or class), and each region's box (B, N, 4)."""
        O, P = self.features(images, ids, real)
        return self.align(O, P), decode(self.to_box(self.box_tower(O)))


def count_parameters(config: GLIPConfig) -> int:
    """How many numbers such a GLIP learns; nothing is allocated (it is built on the meta device)."""
    with torch.device("meta"):
        return sum(p.numel() for p in GLIP(config).parameters())
