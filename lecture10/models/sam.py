"""SAM: a picture is encoded once; a prompt (clicks, a box, a rough mask) then gets masks in milliseconds.

Kirillov et al. 2023, "Segment Anything". Three parts: an image encoder (`sam_vit`, or `sam_conv` on a
laptop), a prompt encoder (below) and a mask decoder (`sam_decoder`). Left out: text prompts, which the
released code lacks as well. Pictures are squares of S × S pixels.
N: prompts; K: clicks and box corners of a prompt; C: channels; h: side of the map; masks have 4 h a side.
"""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lecture10.models.sam_conv import SamConv, SamConvConfig
from lecture10.models.sam_decoder import MaskDecoder
from lecture10.models.sam_vit import ChannelNorm, SamViT, SamViTConfig

AGAINST, FOR, FIRST_CORNER, LAST_CORNER, NOTHING = 0, 1, 2, 3, -1  # labels of a point
IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


@dataclass(frozen=True)
class SAMConfig:
    """Encoder and decoder. Defaults are a laptop's; multimask=0 is a model with the single mask alone."""

    encoder: SamConvConfig | SamViTConfig = field(default_factory=SamConvConfig)
    channels: int = 64
    heads: int = 4
    mlp_dim: int = 128
    blocks: int = 2
    multimask: int = 3
    iou_inner: int = 64
    iou_layers: int = 3
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)  # pixels in [0, 1] become (pixel - mean) / std
    std: tuple[float, float, float] = (0.25, 0.25, 0.25)


def _paper(width: int, layers: int, heads: int, everywhere: tuple[int, ...]) -> SAMConfig:
    encoder = SamViTConfig(1024, 16, width, layers, heads, 4 * width, window=14, everywhere=everywhere)
    return SAMConfig(encoder, 256, heads=8, mlp_dim=2048, iou_inner=256, **IMAGENET)


PRESETS = {
    "tiny": SAMConfig(SamConvConfig(32, (8, 8, 8), (1, 1, 1)), 16, 2, 16, iou_inner=16),
    "tiny-vit": SAMConfig(
        SamViTConfig(32, 4, 16, 2, 2, 32, window=3, everywhere=(1,)), 16, 2, 16, iou_inner=16
    ),
    "laptop": SAMConfig(),
    "laptop-vit": SAMConfig(SamViTConfig()),
    "ViT-B": _paper(768, 12, 12, (2, 5, 8, 11)),
    "ViT-L": _paper(1024, 24, 16, (5, 11, 17, 23)),
    "ViT-H": _paper(1280, 32, 16, (7, 15, 23, 31)),
}


class RandomFourier(nn.Module):
    """Places as sines and cosines of random waves (Tancik et al. 2020), shared by prompts and picture."""

    def __init__(self, channels: int):
        super().__init__()
        self.register_buffer("waves", torch.randn(2, channels // 2))

    def forward(self, xy: Tensor) -> Tensor:
        """(…, 2) x and y in [0, 1] -> (…, C) in [-1, 1]."""
        turns = 2 * math.pi * ((2 * xy - 1) @ self.waves)
        return torch.cat([turns.sin(), turns.cos()], -1)


class PromptEncoder(nn.Module):
    """Clicks and box corners become tokens, a rough mask becomes a map that is added to the picture's."""

    def __init__(self, channels: int, image_size: int, side: int, mask_channels: int = 16):
        super().__init__()
        self.image_size, self.side = image_size, side
        self.places = RandomFourier(channels)
        self.kinds = nn.Parameter(torch.randn(4, channels))  # by label: against, for, a box's two corners
        self.nothing = nn.Parameter(torch.randn(channels))  # label -1: fills up a batch, ends a row of clicks
        self.no_mask = nn.Parameter(torch.randn(channels))
        self.mask = nn.Sequential(
            nn.Conv2d(1, mask_channels // 4, 2, 2), ChannelNorm(mask_channels // 4), nn.GELU(),
            nn.Conv2d(mask_channels // 4, mask_channels, 2, 2), ChannelNorm(mask_channels), nn.GELU(),
            nn.Conv2d(mask_channels, channels, 1),
        )  # fmt: skip

    def sparse(self, points: Tensor, labels: Tensor) -> Tensor:
        """points: (N, K, 2) x and y in pixels, labels: (N, K) of -1 … 3 -> tokens (N, K, C)."""
        at = self.places((points + 0.5) / self.image_size)  # the middle of a pixel
        kind = self.kinds[labels.clamp(min=0)]
        return torch.where((labels == NOTHING)[..., None], self.nothing, at + kind)

    def dense(self, masks: Tensor | None) -> Tensor:
        """masks: (N, 4 h, 4 h) logits, or None -> (N or 1, C, h, h)."""
        if masks is None:
            return self.no_mask.view(1, -1, 1, 1).expand(1, -1, self.side, self.side)
        return self.mask(masks[:, None])

    def everywhere(self) -> Tensor:
        """(C, h, h): the position of each place of the map."""
        middle = (torch.arange(self.side, device=self.no_mask.device) + 0.5) / self.side
        y, x = torch.meshgrid(middle, middle, indexing="ij")
        return self.places(torch.stack([x, y], -1)).permute(2, 0, 1)


class SAM(nn.Module):
    """Encode a picture once with `embed`, then ask `decode` as often as you click."""

    def __init__(self, config: SAMConfig):
        super().__init__()
        self.config = config
        vit = isinstance(config.encoder, SamViTConfig)
        self.encoder = (SamViT if vit else SamConv)(config.encoder, config.channels)
        self.prompts = PromptEncoder(config.channels, config.encoder.image_size, config.encoder.side)
        self.decoder = MaskDecoder(
            config.channels, heads=config.heads, mlp_dim=config.mlp_dim, blocks=config.blocks,
            multimask=config.multimask, iou_inner=config.iou_inner, iou_layers=config.iou_layers,
        )  # fmt: skip
        for name in ("mean", "std"):
            value = torch.tensor(getattr(config, name)).view(3, 1, 1)
            self.register_buffer(name, value, persistent=False)

    @property
    def image_size(self) -> int:
        """S, pixels a side."""
        return self.config.encoder.image_size

    @property
    def mask_size(self) -> int:
        """4 h, pixels a side of the masks that are painted and taken as prompts."""
        return 4 * self.config.encoder.side

    def embed(self, images: Tensor) -> Tensor:
        """(B, 3, S, S) in [0, 1] -> (B, C, h, h). Raises ValueError, with the cure, for other pictures."""
        check_images(images, self.image_size)
        return self.encoder((images - self.mean) / self.std)

    def decode(
        self,
        picture: Tensor,
        points: Tensor | None = None,
        labels: Tensor | None = None,
        boxes: Tensor | None = None,
        masks: Tensor | None = None,
        *,
        several: bool | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Masks for N prompts, each of its own row of `picture` (N, C, h, h).

        points: (N, K, 2) x and y of pixels, 0 … S - 1; labels: (N, K), 1 for, 0 against, -1 no click;
        boxes: (N, 4) x0, y0, x1, y1 in pixels; masks: (N, 4 h, 4 h) logits of an earlier answer.
        several: three masks (default for one click alone), or the single one (default for anything more).
        Returns logits (N, M, 4 h, 4 h) and guessed IoUs (N, M). Raises ValueError, with the cure, for
        prompts that cannot be.
        """
        points, labels = self.check_prompts(len(picture), points, labels, boxes, masks)
        if several is None:
            several = boxes is None and masks is None and bool((labels >= 0).sum(1).eq(1).all())
        if boxes is None:  # as in the released code: a row of clicks ends with "nothing"
            points = torch.cat([points, points.new_zeros(len(points), 1, 2)], 1)
            labels = torch.cat([labels, labels.new_full((len(labels), 1), NOTHING)], 1)
        else:
            corners = labels.new_tensor([FIRST_CORNER, LAST_CORNER]).expand(len(boxes), 2)
            points = torch.cat([points, boxes.to(points).view(-1, 2, 2)], 1)
            labels = torch.cat([labels, corners], 1)
        return self.ask(picture, points, labels, masks, several=several)

    def ask(
        self, picture: Tensor, points: Tensor, labels: Tensor, masks: Tensor | None, *, several: bool
    ) -> tuple[Tensor, Tensor]:
        """`decode` with nothing checked and nothing added; a box is two points of labels 2 and 3."""
        sparse, dense = self.prompts.sparse(points, labels), self.prompts.dense(masks)
        return self.decoder(picture, self.prompts.everywhere(), sparse, dense, several=several)

    def full_size(self, masks: Tensor) -> Tensor:
        """(N, M, 4 h, 4 h) logits -> (N, M, S, S), bilinear; a mask is where they are above 0."""
        return F.interpolate(masks, (self.image_size, self.image_size), mode="bilinear", align_corners=False)

    def check_prompts(self, n, points, labels, boxes, masks) -> tuple[Tensor, Tensor]:
        """The points and labels, (N, 0, …) where none are given; raises ValueError with the cure."""
        device, S = self.prompts.no_mask.device, self.image_size
        if points is None and boxes is None:
            raise ValueError("no prompt is given: click at least once, or draw a box")
        if points is None:
            points, labels = torch.zeros(n, 0, 2, device=device), torch.zeros(n, 0, device=device)
        if labels is None:
            raise ValueError("clicks need labels: 1 where it is the object, 0 where it is not")
        points, labels = points.to(device, torch.float32), labels.to(device).long()
        if points.shape[:2] != labels.shape or points.shape[2:] != (2,) or len(points) != n:
            raise ValueError(
                f"points {tuple(points.shape)} and labels {tuple(labels.shape)} do not go with {n} pictures: "
                f"wanted are ({n}, clicks, 2) and ({n}, clicks)"
            )
        if (bad := (labels < NOTHING) | (labels > FOR)).any():
            raise ValueError(f"a click has label {int(labels[bad][0])}: 1 is for, 0 against, -1 no click")
        outside = ((points < 0) | (points > S - 1)).any(-1) & (labels != NOTHING)
        if outside.any():
            x, y = points[outside][0].tolist()
            raise ValueError(
                f"a click at ({x:g}, {y:g}) lies outside the picture: x and y run from 0 to {S - 1}"
            )
        if boxes is not None:
            check_boxes(boxes, n, S)
        if masks is not None and masks.shape != (n, self.mask_size, self.mask_size):
            raise ValueError(
                f"mask prompts have shape {tuple(masks.shape)}, wanted are logits of "
                f"({n}, {self.mask_size}, {self.mask_size}): hand back what `decode` gave, not its full size"
            )
        return points, labels


def check_boxes(boxes: Tensor, n: int, size: int) -> None:
    """Raise ValueError, with the cure, for boxes that are not (n, 4) x0 < x1, y0 < y1 within the picture."""
    if boxes.shape != (n, 4):
        raise ValueError(f"boxes have shape {tuple(boxes.shape)}, wanted is ({n}, 4): x0, y0, x1, y1")
    for i, (x0, y0, x1, y1) in enumerate(boxes.tolist()):
        if not (x0 < x1 and y0 < y1):
            raise ValueError(
                f"box {i} is ({x0:g}, {y0:g}, {x1:g}, {y1:g}), inverted or empty: give x0 < x1 and y0 < y1"
            )
        if min(x0, y0) < 0 or max(x1, y1) > size:
            raise ValueError(
                f"box {i} is ({x0:g}, {y0:g}, {x1:g}, {y1:g}), partly outside: pixels are 0 to {size - 1}"
            )


def check_images(images: Tensor, size: int) -> None:
    """Raise ValueError, with the cure, for what is not (B, 3, size, size) of floats in [0, 1]."""
    shape = tuple(images.shape)
    if len(shape) == 3:
        raise ValueError(f"images have shape {shape}: one picture is a batch of one, images[None]")
    if shape[1:] != (3, size, size) or not shape[0]:
        raise ValueError(
            f"images have shape {shape}, this model reads (batch, 3, {size}, {size}): resize them"
        )
    if not images.is_floating_point():
        raise ValueError(f"images are {images.dtype}, wanted are floats in [0, 1]: images.float() / 255")
    if images.is_cpu:
        low, high = (float(x) for x in images.detach().aminmax())
        if not (low >= -1e-3 and high <= 1 + 1e-3):
            cure = "divide by 255" if low >= 0 and high <= 255 else "give the pixels themselves"
            raise ValueError(f"images run from {low:.3g} to {high:.3g}, wanted is [0, 1]: {cure}")


def count_parameters(config: SAMConfig) -> int:
    """How many numbers such a SAM learns; nothing is allocated (it is built on the meta device)."""
    with torch.device("meta"):
        return sum(p.numel() for p in SAM(config).parameters())
