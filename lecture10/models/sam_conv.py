"""A small convolutional image encoder for SAM on a laptop: the paper's ViT needs far more pictures.

It stands where `SamViT` stands and hands on the same thing, a map (B, C, h, h) at a stride of 8. Three
stages of residual blocks (He et al. 2016) at strides 4, 8 and 16; the last one, which sees the most, is added
back to the middle one (Lin et al. 2017, feature pyramids).
"""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from lecture10.models.sam_vit import ChannelNorm

STRIDE = 8


@dataclass(frozen=True)
class SamConvConfig:
    """Channels and residual blocks of the stages at strides 4, 8 and 16."""

    image_size: int = 128
    widths: tuple[int, int, int] = (32, 64, 128)
    blocks: tuple[int, int, int] = (1, 2, 2)

    @property
    def side(self) -> int:
        """Places a side of the map that is handed on."""
        return self.image_size // STRIDE


class Residual(nn.Module):
    """Two 3 × 3 convolutions beside a shortcut; the first may halve the side."""

    def __init__(self, before: int, width: int, stride: int = 1):
        super().__init__()
        self.conv1 = nn.Conv2d(before, width, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        same = stride == 1 and before == width
        self.shortcut = nn.Identity() if same else nn.Conv2d(before, width, stride, stride, bias=False)
        nn.init.zeros_(self.norm2.weight)  # a block starts as its shortcut

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, y, x) -> (B, C', y / stride, x / stride)."""
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.shortcut(x))


class SamConv(nn.Module):
    """Pictures to a map of C channels at a stride of 8."""

    def __init__(self, config: SamConvConfig, channels: int):
        super().__init__()
        if config.image_size % (2 * STRIDE):
            raise ValueError(
                f"pictures of {config.image_size} pixels do not divide into steps of {2 * STRIDE}: "
                f"choose a multiple of {2 * STRIDE}"
            )
        self.config = config
        fine, middle, coarse = config.widths
        self.stem = nn.Sequential(nn.Conv2d(3, fine, 4, 4, bias=False), nn.BatchNorm2d(fine), nn.ReLU())
        self.fine = _stage(fine, fine, config.blocks[0], stride=1)
        self.middle = _stage(fine, middle, config.blocks[1], stride=2)
        self.coarse = _stage(middle, coarse, config.blocks[2], stride=2)
        self.lateral = nn.Conv2d(middle, channels, 1)
        self.top = nn.Conv2d(coarse, channels, 1)
        self.norm = ChannelNorm(channels)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, S, S), normalised -> (B, C, h, h)."""
        middle = self.middle(self.fine(self.stem(images)))
        top = F.interpolate(self.top(self.coarse(middle)), scale_factor=2.0, mode="bilinear")
        return self.norm(self.lateral(middle) + top)


def _stage(before: int, width: int, blocks: int, stride: int) -> nn.Sequential:
    first = Residual(before, width, stride)
    return nn.Sequential(first, *(Residual(width, width) for _ in range(blocks - 1)))
