"""The judge's network: a small dense detector that says, for every 4 × 4 pixels, whether a thing is centred
there, and which.

After "Objects as Points" (Zhou et al. 2019), simplified: a trunk of plain convolutions to an 8 × 8 map, of
which every cell answers for its four quarters (pixel shuffle), so that no decoder is needed.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lecture10.world import vocabulary as v

SIDE = 64  # pixels; other pictures are brought to this size
CELLS = 16  # cells a side, of 4 × 4 pixels
NO_COLOUR = len(v.COLOUR_NAMES)  # the eleventh colour: none can be seen (a sketch)
HEADS = {
    "noun": len(v.NOUNS),
    "colour": len(v.COLOUR_NAMES) + 1,
    "material": len(v.MATERIALS),
    "size": len(v.SIZE_NAMES),
}
GLOBAL = {"style": len(v.STYLES), "backdrop": len(v.BACKDROPS)}
OUT = 1 + 2 + sum(HEADS.values())  # a centre, where in its cell, and what


@dataclass(frozen=True)
class JudgeConfig:
    """How wide and deep the network is."""

    width: int = 96  # channels of the 8 × 8 map; half as many at 16 × 16, a quarter at 32 × 32
    blocks: int = 2  # residual blocks on the 8 × 8 map: two let a cell see the whole picture


class Block(nn.Module):
    """x + conv(relu(conv(x))), each convolution with its batch norm."""

    def __init__(self, width: int):
        super().__init__()
        self.conv1, self.norm1 = _conv(width, width), nn.BatchNorm2d(width)
        self.conv2, self.norm2 = _conv(width, width), nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, C, h, w)."""
        return F.relu(x + self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x))))))


def _conv(before: int, after: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(before, after, 3, stride, padding=1, bias=False)


class JudgeNet(nn.Module):
    """Pictures to maps of things."""

    def __init__(self, config: JudgeConfig = JudgeConfig()):
        super().__init__()
        self.config = config
        w = config.width
        layers, before = [], 3
        for after in (w // 4, w // 2, w):  # 64 -> 32 -> 16 -> 8
            layers += [_conv(before, after, 2), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
            layers += [Block(after)] if after == w // 2 else []
            before = after
        self.trunk = nn.Sequential(*layers, *(Block(w) for _ in range(config.blocks)))
        self.things = nn.Conv2d(w, 4 * OUT, 1)
        self.whole = nn.Linear(w, sum(GLOBAL.values()))
        nn.init.constant_(self.things.bias[:4], -4.0)  # few cells are centres

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """(B, 3, 64, 64) in [0, 1] -> logits.

        centre: (B, 16, 16); shift: (B, 2, 16, 16), from a cell's middle to the thing's centre, in cells;
        noun, colour, material, size: (B, classes, 16, 16); style, backdrop: (B, classes).
        """
        x = (2 * images - 1).contiguous(memory_format=torch.channels_last)
        x = self.trunk(x)  # (B, C, 8, 8)
        maps = F.pixel_shuffle(self.things(x).contiguous(), 2)  # (B, OUT, 16, 16)
        centre, shift, *whats = maps.split([1, 2, *HEADS.values()], 1)
        whole = self.whole(x.mean((2, 3))).split(list(GLOBAL.values()), 1)
        found = {"centre": centre[:, 0], "shift": shift}
        return found | dict(zip(HEADS, whats, strict=True)) | dict(zip(GLOBAL, whole, strict=True))


def judge_loss(net: nn.Module, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    """The centre map's focal loss, cross-entropies at the centres, and the distance in cells; and its parts.

    batch: see `lessons.Lessons`.
    """
    out = net(batch["image"])
    b, k = batch["there"].nonzero(as_tuple=True)  # (T,) picture, slot
    x, y = (batch[name][b, k] * CELLS for name in ("x", "y"))
    column, row = (batch[name][b, k] for name in ("column", "row"))
    parts = {"centre": centre_loss(out["centre"], batch)}
    share = batch["share"][b]
    for name in HEADS:
        logits = out[name][b, :, row, column].log_softmax(-1)  # (T, classes)
        one, other = (logits.gather(1, batch[key][b, k, None])[:, 0] for key in (name, f"{name}2"))
        parts[name] = -(share * one + (1 - share) * other).sum() / max(1, len(b))
    aim = torch.stack([x - column - 0.5, y - row - 0.5], 1)
    parts["shift"] = F.smooth_l1_loss(out["shift"][b, :, row, column], aim, beta=0.1, reduction="sum")
    parts["shift"] = parts["shift"] / max(1, len(b))
    for name in GLOBAL:
        parts[name] = 0.2 * F.cross_entropy(out[name], batch[name], ignore_index=-1)
    return sum(parts.values()), {name: part.detach() for name, part in parts.items()}


def centre_loss(logits: Tensor, batch: dict[str, Tensor]) -> Tensor:
    """Focal loss of the centre map, a thing (Zhou et al. 2019, eq. 1, with α = 2, β = 4).

    logits: (B, 16, 16). A cell that holds a centre should say 1; the nearer a cell is to one, the less it is
    blamed; around things that are almost hidden nothing is asked.
    """
    middle = torch.arange(CELLS, device=logits.device) + 0.5
    x, y = (batch[name] * CELLS for name in ("x", "y"))  # (B, 6)
    d2 = (middle - x[..., None])[:, :, None, :] ** 2 + (middle - y[..., None])[:, :, :, None] ** 2
    near = torch.exp(-d2 / (2 * 0.6**2))  # (B, 6, 16, 16)
    bump = (near * batch["there"][..., None, None]).amax(1)
    asked = 1 - ((d2 < 4) & batch["hidden"][..., None, None]).any(1).float()
    is_centre = torch.zeros_like(logits)
    b, k = batch["there"].nonzero(as_tuple=True)
    is_centre[b, y[b, k].long().clamp(0, CELLS - 1), x[b, k].long().clamp(0, CELLS - 1)] = 1.0
    p = logits.sigmoid()
    hit = is_centre * (1 - p) ** 2 * F.logsigmoid(logits)
    miss = asked * (1 - is_centre) * (1 - bump) ** 4 * p**2 * F.logsigmoid(-logits)
    return -(hit + miss).sum() / max(1, len(b))
