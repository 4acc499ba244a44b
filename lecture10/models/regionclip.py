"""RegionCLIP: a CLIP that names regions, taught by the names that another CLIP guesses for them.

Zhong et al. 2022, "RegionCLIP: Region-based Language-Image Pretraining", section 3. The student begins as
CLIP's own picture tower, cut before its last stage: RoIAlign there takes a region out of the map, the last
stage and the attention pool make an embedding of it. Texts stay CLIP's, frozen. Simplified: pictures of 64
pixels, a map of stride 8. The class-free proposals are in `models/proposals.py`. No package has the whole to
compare with: RoIAlign is held equal to torchvision's, the losses to torch's and open_clip's.
B: pictures; R: regions of all of them; C: concepts; E: width of the embedding; boxes_xyxy: (R, 4), corners
(x0, y0, x1, y1) as shares of the picture in [0, 1]; of: (R,) which picture a box belongs to.
"""

import torch
import torchvision.ops
from torch import Tensor, nn
from torch.nn import functional as F

from lecture10.models.clip import CLIP, CLIPConfig
from lecture10.models.contrastive import clip_loss
from lecture10.models.vision import ModifiedResNet, ResNetConfig

NO_LABEL = -1  # of a region that no concept is given to

# --- boxes --------------------------------------------------------------------------------------------------


def check_boxes(boxes_xyxy: Tensor, of: Tensor, pictures: int) -> None:
    """Raise ValueError, with the cure, for boxes that are inverted, empty, outside, or of no picture."""
    if boxes_xyxy.ndim != 2 or boxes_xyxy.shape[1] != 4 or of.shape != boxes_xyxy.shape[:1]:
        raise ValueError(
            f"boxes_xyxy has shape {tuple(boxes_xyxy.shape)} and `of` {tuple(of.shape)}: (R, 4) and (R,) are "
            "needed, one row a box; a single box is boxes_xyxy[None]"
        )
    if not len(boxes_xyxy):
        raise ValueError("no box is given: ask for one region or more (proposals may be none; skip those)")
    if not 0 <= int(of.min()) <= int(of.max()) < pictures:
        raise ValueError(
            f"`of` runs from {int(of.min())} to {int(of.max())}, pictures from 0 to {pictures - 1}"
        )
    low, high = boxes_xyxy[:, :2], boxes_xyxy[:, 2:]
    for row in (~(low < high).all(1)).nonzero()[:1, 0].tolist():
        raise ValueError(
            f"boxes_xyxy[{row}] is {_said(boxes_xyxy[row])}: x0 < x1 and y0 < y1 are needed; boxes are "
            "(x0, y0, x1, y1), corners and not sides, and hold something"
        )
    outside = (boxes_xyxy < -1e-4) | (boxes_xyxy > 1 + 1e-4)
    for row in outside.any(1).nonzero()[:1, 0].tolist():
        cure = (
            "divide pixels by the picture's side"
            if boxes_xyxy[row].max() > 2
            else "clamp it, box.clamp(0, 1)"
        )
        raise ValueError(f"boxes_xyxy[{row}] is {_said(boxes_xyxy[row])}, outside of [0, 1]: {cure}")


def _said(box: Tensor) -> str:
    return "(" + ", ".join(f"{x:.3g}" for x in box.tolist()) + ")"


def whole(pictures: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """The box of each whole picture: boxes_xyxy (B, 4) and of (B,)."""
    corners = torch.tensor([0.0, 0.0, 1.0, 1.0], device=like.device)
    return corners.expand(pictures, 4), torch.arange(pictures, device=like.device)


def grown(boxes_xyxy: Tensor, factor: float) -> Tensor:
    """The same centres with sides `factor` times as long, cut off at the picture's edge: (R, 4)."""
    if not factor > 0:
        raise ValueError(f"factor is {factor}: 1 keeps a box as it is, 1.5 adds half of it around")
    centre, half = (boxes_xyxy[:, :2] + boxes_xyxy[:, 2:]) / 2, (boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]) / 2
    return torch.cat([centre - factor * half, centre + factor * half], 1).clamp(0, 1)


# --- RoIAlign -----------------------------------------------------------------------------------------------


def roi_align(maps: Tensor, boxes_xyxy: Tensor, of: Tensor, out: int, samples: int = 1) -> Tensor:
    """The part of a map that lies in a box, as `out` × `out` cells (He et al. 2017, Mask R-CNN, section 3).

    maps: (B, C, h, w). The box is cut into out × out equal bins; each is the mean of samples × samples points
    inside it, and at each point the map is read between its cells (`bilinear`). Nothing is rounded: this is
    all that RoIAlign has over its predecessor RoIPool. Returns (R, C, out, out). See `fast_roi_align`.
    """
    h, w = maps.shape[-2:]
    x0, y0, x1, y1 = boxes_xyxy.T[..., None]  # each (R, 1)
    steps = (torch.arange(out * samples, device=maps.device) + 0.5) / (out * samples)  # of the box, in (0, 1)
    x = (x0 + (x1 - x0) * steps) * w - 0.5  # (R, P) in cells; cell j has its *centre* at j + 0.5 of the map
    y = (y0 + (y1 - y0) * steps) * h - 0.5
    points = bilinear(maps, of, x, y)  # (R, C, P, P)
    return F.avg_pool2d(points, samples)


def bilinear(maps: Tensor, of: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The map of each region's picture at all crossings of its columns x and rows y, both (R, P), in cells.

    Between four cells the nearer ones weigh more; beyond the outermost centres the edge goes on.
    Returns (R, C, P rows, P columns).
    """
    h, w = maps.shape[-2:]
    x, y = x.clamp(0, w - 1), y.clamp(0, h - 1)
    left, top = x.floor().long(), y.floor().long()
    right, bottom = (left + 1).clamp(max=w - 1), (top + 1).clamp(max=h - 1)
    across, down = (x - left)[:, None, None, :], (y - top)[:, None, :, None]

    def at(rows: Tensor, columns: Tensor) -> Tensor:  # (R, P), (R, P) -> (R, C, P, P)
        return maps[of[:, None, None], :, rows[:, :, None], columns[:, None, :]].movedim(-1, 1)

    upper = at(top, left) * (1 - across) + at(top, right) * across
    lower = at(bottom, left) * (1 - across) + at(bottom, right) * across
    return upper * (1 - down) + lower * down


def fast_roi_align(maps: Tensor, boxes_xyxy: Tensor, of: Tensor, out: int, samples: int = 1) -> Tensor:
    """The same by torchvision. `aligned=True` is the half cell that centres are off corners."""
    h, w = maps.shape[-2:]
    sides = torch.tensor([w, h, w, h], device=maps.device)
    rows = torch.cat([of[:, None].to(maps.dtype), boxes_xyxy * sides], 1)  # (R, 5), in cells
    return torchvision.ops.roi_align(maps, rows, out, 1.0, samples, aligned=True)


# --- a frozen CLIP, read at a box in three ways -------------------------------------------------------------


def read_crops(clip: CLIP, images: Tensor, boxes_xyxy: Tensor, of: Tensor) -> Tensor:
    """Crop and resize: each box cut out, blown up to a whole picture (RoIAlign on the pixels), and embedded.

    Returns (R, E) unit vectors, as the other two.
    """
    clip.check_images(images)
    check_boxes(boxes_xyxy, of, len(images))
    crops = fast_roi_align(images, boxes_xyxy, of, clip.config.image.image_size, samples=2)
    return clip.embed_images(crops.clamp(0, 1))


def read_pool(clip: CLIP, images: Tensor, boxes_xyxy: Tensor, of: Tensor) -> Tensor:
    """RoIAlign on the last map, as many cells as a whole picture has, into CLIP's attention pool: (R, E)."""
    check_boxes(boxes_xyxy, of, len(images))
    tower = clip.image_tower
    cells = fast_roi_align(tower.map(clip.pixels(images)), boxes_xyxy, of, tower.config.side, samples=2)
    return F.normalize(tower.pool(cells), dim=-1)


def read_places(clip: CLIP, images: Tensor, boxes_xyxy: Tensor, of: Tensor) -> Tensor:
    """RoIAlign on the embeddings of the map's places (Zhou et al. 2022), one cell a box: (R, E)."""
    check_boxes(boxes_xyxy, of, len(images))
    places = clip.embed_places(images, normalise=False).permute(0, 3, 1, 2).contiguous()  # (B, E, h, w)
    return F.normalize(fast_roi_align(places, boxes_xyxy, of, 1, samples=4).flatten(1), dim=-1)


# --- the student --------------------------------------------------------------------------------------------


class RegionCLIP(nn.Module):
    """CLIP's picture tower with RoIAlign before its last stage: an embedding for every box."""

    def __init__(self, config: CLIPConfig):
        super().__init__()
        if not isinstance(config.image, ResNetConfig):
            raise ValueError("RegionCLIP needs a map: build it on a CLIP with a ResNet, not on a transformer")
        self.config = config
        self.image_tower = ModifiedResNet(config.image, config.embed)
        self.cut = sum(config.image.layers[:-1])  # blocks before the last stage
        for name in ("mean", "std"):
            self.register_buffer(name, torch.tensor(getattr(config, name)).view(3, 1, 1), persistent=False)

    @classmethod
    def beginning_as(cls, clip: CLIP) -> "RegionCLIP":
        """The student before its first lesson: CLIP's own weights, in a copy."""
        student = cls(clip.config)
        student.image_tower.load_state_dict(clip.image_tower.state_dict())
        return student

    def map(self, images: Tensor) -> Tensor:
        """(B, 3, S, S) in [0, 1] -> (B, C, h, w): the map before the last stage."""
        pixels = ((images - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        return self.image_tower.blocks[: self.cut](self.image_tower.stem(pixels))

    def forward(self, images: Tensor, boxes_xyxy: Tensor, of: Tensor) -> Tensor:
        """(B, 3, S, S) in [0, 1] and R boxes -> (R, E) unit vectors.

        A region has as many cells as the whole map: a box of the whole picture is the map itself, so that the
        student begins as CLIP there, exactly. Raises ValueError for pictures of another size and wrong boxes.
        """
        CLIP.check_images(self, images)
        check_boxes(boxes_xyxy, of, len(images))
        maps = self.map(images)  # (B, C, h, w)
        cells = fast_roi_align(maps.contiguous(), boxes_xyxy, of, maps.shape[-1])  # (R, C, h, h)
        cells = cells.contiguous(memory_format=torch.channels_last)
        return F.normalize(self.image_tower.pool(self.image_tower.blocks[self.cut :](cells)), dim=-1)


# --- pseudo-labels and the three losses ---------------------------------------------------------------------


def soft_scores(v: Tensor, l: Tensor, scale: float) -> Tensor:
    """q = softmax over concepts of the scaled cosines: (R, E), (C, E) unit vectors -> (R, C)."""
    return (scale * v @ l.T).softmax(-1)


def pseudo_labels(q: Tensor, threshold: float = 0.0) -> tuple[Tensor, Tensor]:
    """What a teacher's soft scores q (R, C) call each region, and how surely: labels (R,), confidences (R,).

    A label is the likeliest concept; NO_LABEL where its probability is below the threshold, in [0, 1].
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold is {threshold}: a confidence is a probability, from 0 to 1")
    confidence, label = q.max(-1)
    return label.masked_fill(confidence < threshold, NO_LABEL), confidence


def region_text_loss(v: Tensor, l: Tensor, labels: Tensor, scale: float) -> Tensor:
    """L_cntrst: each region picks its concept among those that the batch's regions are called; nats.

    v: (R, E) regions; l: (C, E) concepts, both unit vectors; labels: (R,), NO_LABEL for regions that are left
    out. A concept that several regions share stands there once: it is nobody's wrong answer twice.
    """
    kept = labels != NO_LABEL
    if not kept.any():
        return (v * 0).sum()  # nothing to learn from, and no NaN of an empty mean
    present, target = labels[kept].unique(return_inverse=True)  # (N,) the batch's concepts; (R',)
    return F.cross_entropy(scale * v[kept] @ l[present].T, target)


def distillation_loss(v: Tensor, l: Tensor, q_teacher: Tensor, scale: float) -> Tensor:
    """L_dist: KL(teacher's scores ‖ student's scores) over the whole concept pool, a mean over regions.

    q_teacher: (R, C), rows sum to 1; in nats.
    """
    log_q = (scale * v @ l.T).log_softmax(-1)  # (R, C)
    return (torch.special.xlogy(q_teacher, q_teacher) - q_teacher * log_q).sum(-1).mean()


def image_text_loss(I_f: Tensor, T_f: Tensor, scale: float, groups: Tensor | None = None) -> Tensor:
    """L_cntrst-img: CLIP's own loss of whole pictures and captions, (n, E) each, so that they are kept up.

    groups: equal numbers where captions are equal, see `clip_loss`.
    """
    return clip_loss(I_f, T_f, torch.tensor(scale, device=I_f.device).log(), groups)
