"""Detection as grounding, the arithmetic: targets of tokens, the two losses, scores of phrases, boxes.

Li et al. 2022, "Grounded Language-Image Pre-training" (GLIP), section 3.1; the focal loss is Lin et al. 2017,
eq. 5; GIoU is Rezatofighi et al. 2019. A picture is cut into g × g cells; each is a region with one anchor.
B: batch; N = g²: regions; M: tokens; c: phrases; K: things.  Boxes are xyxy in [0, 1] unless said otherwise.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import batched_nms, generalized_box_iou_loss, sigmoid_focal_loss

ANCHOR = 0.36  # side of the anchor: between a small thing (0.28) and a large one (0.48)
ALPHA, GAMMA = 0.25, 2.0  # of the focal loss
BOX_WEIGHT = 2.0  # of the GIoU loss beside the focal loss, as in GLIP's ATSS head
NOBODY = -1


def expand_target(T: Tensor, phrase_tokens: Tensor) -> Tensor:
    """T′: a region that belongs to a phrase belongs to all of its tokens, and to no other token.

    T: (…, N, c), 1 where a region belongs to a phrase; phrase_tokens: (…, c, M), 1 where a token is part of
    a phrase. Returns (…, N, M) floats, 0 or 1. Tokens of no phrase ("and", ".", padding) are 0 everywhere.
    """
    if T.shape[-1] != phrase_tokens.shape[-2]:
        raise ValueError(
            f"T has {T.shape[-1]} phrases, phrase_tokens {phrase_tokens.shape[-2]}: both need the same ones"
        )
    return (T.float() @ phrase_tokens.float() > 0).float()  # (…, N, c) (…, c, M) -> (…, N, M)


def phrase_scores(S: Tensor, phrase_tokens: Tensor) -> Tensor:
    """How sure each region is of each phrase: the mean of its tokens' probabilities (section 3.1).

    S: (…, N, M) logits; phrase_tokens: (…, c, M). Returns (…, N, c) in [0, 1]. Raises ValueError for a phrase
    without a token.
    """
    tokens = phrase_tokens.to(S.dtype)
    count = tokens.sum(-1)  # (…, c)
    if not (count > 0).all():
        raise ValueError("a phrase has no token: it is empty, or lies outside the text. Write a word or more")
    return S.sigmoid() @ tokens.transpose(-2, -1) / count[..., None, :]  # (…, N, M) (…, M, c) -> (…, N, c)


def focal_loss(logits: Tensor, targets: Tensor, alpha: float = ALPHA, gamma: float = GAMMA) -> Tensor:
    """−α_t (1 − p_t)^γ log p_t of each entry: the sure ones count little, so that empty regions do not drown
    the few that hold something.

    p_t: the probability given to what is right; α_t: α where that is 1, 1 − α where it is 0. Nats.
    """
    p = logits.sigmoid()
    p_t = torch.where(targets > 0, p, 1 - p)
    alpha_t = torch.where(targets > 0, alpha, 1 - alpha)
    log_p_t = torch.where(targets > 0, F.logsigmoid(logits), F.logsigmoid(-logits))
    return -alpha_t * (1 - p_t) ** gamma * log_p_t


def giou_loss(boxes: Tensor, wanted: Tensor) -> Tensor:
    """1 − GIoU of box pairs (n, 4): overlap, less the empty share of the smallest box around both; [0, 2]."""
    corner0 = torch.maximum(boxes[:, :2], wanted[:, :2])
    corner1 = torch.minimum(boxes[:, 2:], wanted[:, 2:])
    overlap = (corner1 - corner0).clamp(min=0).prod(-1)
    union = _area(boxes) + _area(wanted) - overlap
    around = torch.cat([torch.minimum(boxes, wanted)[:, :2], torch.maximum(boxes, wanted)[:, 2:]], -1)
    return 1 - (overlap / union - (_area(around) - union) / _area(around))


def _area(boxes: Tensor) -> Tensor:
    return (boxes[..., 2:] - boxes[..., :2]).prod(-1)


def check_boxes(boxes_xyxy: Tensor) -> None:
    """Raise ValueError, naming the box and the cure, for boxes that are inverted or outside the picture."""
    for row, (x0, y0, x1, y1) in enumerate(boxes_xyxy.reshape(-1, 4).tolist()):
        where = f"boxes_xyxy[{row}]"
        for axis, low, high in (("x", x0, x1), ("y", y0, y1)):
            if high < low:
                raise ValueError(
                    f"{where} has {axis}1 < {axis}0 ({high:.2f} < {low:.2f}): boxes are (x0, y0, x1, y1)"
                )
            if low < -1e-4 or high > 1 + 1e-4:
                raise ValueError(
                    f"{where} runs from {low:.2f} to {high:.2f} in {axis}, outside the picture: boxes lie in "
                    "[0, 1]; divide pixels by the picture's side"
                )


def centres(g: int, device=None) -> Tensor:
    """(g², 2) the centres (x, y) of the cells, row by row, in [0, 1]."""
    line = (torch.arange(g, device=device) + 0.5) / g
    y, x = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([x, y], -1).view(-1, 2)


def assign(boxes: Tensor, g: int) -> Tensor:
    """Which thing each region is to find: the cells around a thing's middle, at most 2 × 2 (FCOS' centre
    sampling); where two things compete the smaller one wins.

    boxes: (B, K, 4), a box without an area is nobody's. Returns (B, N) long in 0 … K − 1, or NOBODY.
    """
    middle = (boxes[..., :2] + boxes[..., 2:]) / 2  # (B, K, 2)
    away = (centres(g, boxes.device)[:, None] - middle[:, None]).abs().amax(-1)  # (B, N, K)
    area = _area(boxes)[:, None].expand_as(away)
    area = area.masked_fill((away >= 1 / g) | (area <= 0), torch.inf)
    least, thing = area.min(-1)
    return thing.masked_fill(least.isinf(), NOBODY)


def decode(deltas: Tensor, anchor: float = ANCHOR) -> Tensor:
    """Each cell's anchor, moved and stretched: (B, N, 4) deltas (δx, δy, δw, δh) -> boxes (B, N, 4)."""
    g = round(deltas.shape[-2] ** 0.5)
    middle = centres(g, deltas.device) + anchor * deltas[..., :2]
    half = anchor / 2 * deltas[..., 2:].clamp(-3, 3).exp()
    return torch.cat([middle - half, middle + half], -1)


def grounding_loss(
    S: Tensor, boxes: Tensor, wanted_boxes: Tensor, owner: Tensor, target: Tensor, real: Tensor
) -> tuple[Tensor, dict[str, Tensor]]:
    """L = L_cls + L_loc: focal loss of every region with every real token, GIoU loss of the owned regions.

    S: (B, N, M) logits; boxes: (B, N, 4); wanted_boxes: (B, K, 4); owner: (B, N) from `assign`; target:
    (B, N, M), T′; real: (B, M) bool, no padding. Both are divided by the number of owned regions.
    Returns the loss and its two parts.
    """
    owned = owner != NOBODY
    count = owned.sum().clamp(min=1)
    each = sigmoid_focal_loss(S, target, ALPHA, GAMMA)
    words = (each * real[:, None]).sum() / count
    row = torch.arange(len(S), device=S.device)[:, None].expand_as(owner)[owned]
    wanted = wanted_boxes[row, owner[owned]]
    place = generalized_box_iou_loss(boxes[owned], wanted, reduction="sum") / count
    return words + BOX_WEIGHT * place, {"words": words.detach(), "boxes": place.detach()}


class Found(NamedTuple):
    """What was found in one picture, surest first: boxes (n, 4) xyxy in [0, 1], scores (n,), phrases (n,)."""

    boxes: Tensor
    scores: Tensor
    phrases: Tensor


def pick(boxes: Tensor, scores: Tensor, *, least: float = 0.05, iou: float = 0.5, most: int = 50) -> Found:
    """One picture's boxes: those above a score, less those that overlap a surer one of the same phrase.

    boxes: (N, 4); scores: (N, c). Zero boxes are a possible answer. iou: of `torchvision.ops.batched_nms`.
    """
    region, phrase = (scores > least).nonzero(as_tuple=True)
    chosen, sure = boxes[region].clamp(0, 1), scores[region, phrase]
    kept = batched_nms(chosen, sure, phrase, iou)[:most]
    return Found(chosen[kept], sure[kept], phrase[kept])
