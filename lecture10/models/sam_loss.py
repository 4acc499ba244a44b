"""What SAM learns from: focal and dice loss 20 : 1, of 3 masks the best one alone; and a guess of the IoU.

Kirillov et al. 2023, appendix A; focal loss: Lin et al. 2017; dice loss: Milletari et al. 2016.
N: prompts; M: masks of a prompt; logits (N, M, S, S); targets (N, S, S) of 0 and 1.
"""

import torch
from torch import Tensor
from torchvision.ops import sigmoid_focal_loss

FOCAL, DICE = 20.0, 1.0


def focal_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """(N, M): −α_t (1 − p_t)² ln p_t, α = 0.25 on the object, averaged over the pixels."""
    targets = targets[:, None].expand_as(logits)
    return sigmoid_focal_loss(logits, targets, alpha=0.25, gamma=2).mean((-2, -1))


def dice_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """(N, M): 1 − 2 Σ p y / (Σ p + Σ y), with 1 added above and below."""
    p, y = logits.sigmoid().flatten(2), targets.flatten(1)[:, None]
    return 1 - (2 * (p * y).sum(-1) + 1) / (p.sum(-1) + y.sum(-1) + 1)


def iou(masks: Tensor, targets: Tensor) -> Tensor:
    """(N, M): intersection over union of masks (N, M, S, S), targets (N, S, S), both bool; 0 where empty."""
    targets = targets[:, None]
    both, either = (masks & targets).sum((-2, -1)), (masks | targets).sum((-2, -1))
    return both / either.clamp(min=1)


def mask_losses(logits: Tensor, targets: Tensor) -> Tensor:
    """(N, M): 20 focal + dice of each mask."""
    return FOCAL * focal_loss(logits, targets) + DICE * dice_loss(logits, targets)


def sam_loss(logits: Tensor, guessed: Tensor, targets: Tensor, *, shared: float = 0.0) -> dict[str, Tensor]:
    """The loss of N prompts: each is answered by M masks, and only its best one learns from its target.

    guessed: (N, M) IoUs as the model guesses them; they learn the true ones, of all M masks. shared: how much
    of the mean over all masks is mixed in, so that no mask falls asleep (0: the paper's). Returns "loss",
    "mask", "iou_error" (means over prompts) and "best" (N,), which mask won.
    """
    losses = mask_losses(logits, targets.to(logits))
    least, best = losses.min(1)  # over the masks of a prompt
    mask = ((1 - shared) * least + shared * losses.mean(1)).mean()
    with torch.no_grad():
        true = iou(logits > 0, targets > 0.5)
    iou_error = (guessed - true).square().mean()
    return {"loss": mask + iou_error, "mask": mask, "iou_error": iou_error, "best": best}
