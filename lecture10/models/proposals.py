"""Class-free proposals: where a thing is, whatever it is. A small dense head in place of RegionCLIP's RPN.

After Tian et al. 2019, "FCOS: Fully Convolutional One-Stage Object Detection", with one class, "a thing":
each place of a map says whether it lies in the middle of a thing, and how far the thing's four edges are. The
focal loss, the GIoU loss and non-maximum suppression are torchvision's. No name of a thing is ever seen here.
B: pictures; S: side in pixels; h, w: places of the map; boxes_xyxy: corners as shares of the picture, [0, 1].
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import batched_nms, generalized_box_iou_loss, sigmoid_focal_loss

MIDDLE = 0.25  # a place within this share of a thing's sides from its centre is to speak for it


@dataclass(frozen=True)
class ProposalConfig:
    """Defaults are a laptop's: 64 × 64 pixels, a place for every 8 × 8."""

    image_size: int = 64
    width: int = 24  # channels after the first convolution; doubled once
    stride: int = 8


def _convolution(before: int, after: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(before, after, 3, stride, padding=dilation, dilation=dilation, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(after), nn.ReLU(inplace=True))


class ProposalNet(nn.Module):
    """A few convolutions down to the map, then five numbers a place."""

    def __init__(self, config: ProposalConfig):
        super().__init__()
        if config.stride != 8 or config.image_size % config.stride:
            raise ValueError(f"{config}: the stride is 8, and the side a multiple of it")
        self.config = config
        w = config.width
        self.body = nn.Sequential(
            _convolution(3, w, 2), _convolution(w, 2 * w, 2), _convolution(2 * w, 2 * w, 2),
            _convolution(2 * w, 2 * w), _convolution(2 * w, 2 * w, dilation=2),
        )  # fmt: skip
        self.head = nn.Conv2d(2 * w, 5, 1)  # is a thing's middle here; left, top, right, bottom
        nn.init.constant_(self.head.bias, 0.0)
        with torch.no_grad():
            self.head.bias[0] = -2.2  # a tenth of the places are things' middles: begin there
            self.head.bias[1:] = -1.5  # edges at about 0.2 of the picture

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, S, S) in [0, 1] -> logits (B, h·w) and boxes_xyxy (B, h·w, 4), in any place of the plane."""
        side = self.config.image_size
        if images.ndim != 4 or tuple(images.shape[1:]) != (3, side, side):
            raise ValueError(
                f"images have shape {tuple(images.shape)}, proposals read (batch, 3, {side}, {side}): resize"
            )
        found = self.head(self.body(2 * images - 1)).flatten(2).transpose(1, 2)  # (B, h·w, 5)
        edges = F.softplus(found[..., 1:])  # positive: distances to left, top, right, bottom
        centre = self.places(images.device)
        return found[..., 0], torch.cat([centre - edges[..., :2], centre + edges[..., 2:]], -1)

    def places(self, device=None) -> Tensor:
        """(h·w, 2) x, y of the middle of each place, in [0, 1]."""
        n = self.config.image_size // self.config.stride
        middle = (torch.arange(n, device=device) + 0.5) / n
        y, x = torch.meshgrid(middle, middle, indexing="ij")
        return torch.stack([x, y], -1).flatten(0, 1)

    @torch.no_grad()
    def propose(
        self, images: Tensor, most: int = 6, *, least: float = 0.1, iou: float = 0.5
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The surest boxes of each picture: boxes_xyxy (R, 4), of (R,) which picture, scores (R,) in [0, 1].

        At most `most` a picture, scores above `least`, none overlapping a surer one by more than `iou`. R may
        be 0.
        """
        was, _ = self.training, self.eval()
        logits, boxes = self(images)
        self.train(was)
        scores = logits.sigmoid()
        of, place = (scores > least).nonzero(as_tuple=True)
        boxes, scores = boxes[of, place].clamp(0, 1), scores[of, place]
        kept = batched_nms(boxes, scores, of, iou)  # surest first
        kept = kept[(boxes[kept, 2:] - boxes[kept, :2]).min(1).values > 0.02]  # slivers hold nothing
        rank = (of[kept] == of[kept][:, None]).tril(-1).sum(1)  # how many surer ones its picture has
        kept = kept[rank < most]
        kept = kept[of[kept].argsort(stable=True)]
        return boxes[kept], of[kept], scores[kept]


def targets(places: Tensor, boxes_xyxy: Tensor, there: Tensor) -> Tensor:
    """Which thing each place speaks for: (B, P) positions among the K things, -1 for none.

    places: (P, 2); boxes_xyxy: (B, K, 4); there: (B, K) bool. Where several things claim a place, the
    smallest gets it (as in FCOS).
    """
    centre, sides = (boxes_xyxy[..., :2] + boxes_xyxy[..., 2:]) / 2, boxes_xyxy[..., 2:] - boxes_xyxy[..., :2]
    away = (places[None, :, None] - centre[:, None]).abs()  # (B, P, K, 2)
    claims = (away <= MIDDLE * sides[:, None]).all(-1) & there[:, None]  # (B, P, K)
    area = sides.prod(-1)[:, None].expand_as(claims).masked_fill(~claims, torch.inf)
    return torch.where(claims.any(-1), area.argmin(-1), -1)


def proposal_loss(net: ProposalNet, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """Focal loss of "a thing's middle is here", over the places; GIoU loss of the boxes of those places.

    batch: images, boxes_xyxy (B, K, 4), there (B, K) bool. Both are divided by the number of such places.
    """
    images, boxes, there = batch
    logits, found = net(images)
    thing = targets(net.places(images.device), boxes, there)  # (B, P)
    b, place = (thing >= 0).nonzero(as_tuple=True)
    middle = sigmoid_focal_loss(logits, (thing >= 0).to(logits.dtype), alpha=0.5, reduction="sum")
    edges = generalized_box_iou_loss(found[b, place], boxes[b, thing[b, place]], reduction="sum")
    return (middle + edges) / max(1, len(b))
