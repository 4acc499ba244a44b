"""Model answers to the exercises of 08_sam. Their docstrings are the tasks that the learner reads."""

import torch


def one_mask_ceiling() -> float:
    """Either answer is right half of the time (IoU 1) and otherwise overlaps by 0.25: (1 + 0.25) / 2."""
    return (1 + 0.25) / 2


def best_single(areas: list[float]) -> float:
    """How well ONE mask can do on average, where a click means each of some nested masks equally often.

    areas: of the masks, each lying within the one before, so the numbers fall: [100, 40, 10]. The answer is
    one of these masks. Returns its mean IoU with what was meant, for the best answer.
    """
    means = []
    for answer in areas:
        ious = [min(answer, meant) / max(answer, meant) for meant in areas]  # nested: smaller over larger
        means.append(sum(ious) / len(ious))
    return max(means)


def ambiguous_loss(losses: torch.Tensor) -> torch.Tensor:
    """SAM's loss where each of N prompts got M answers: only the best answer of a prompt learns.

    losses (N, M): what mask m would pay for prompt n. Returns one number, the mean over prompts.
    """
    return losses.amin(dim=1).mean()


def mask_iou(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The true IoU of N masks, each with its own target: what the IoU head has to guess.

    logits (N, S, S): a pixel belongs to the mask where its logit is above 0; targets (N, S, S): bool.
    Returns (N,) in [0, 1]; 0 where both are empty.
    """
    masks = logits > 0
    both = (masks & targets).sum(dim=(1, 2))
    either = (masks | targets).sum(dim=(1, 2))
    return both / either.clamp(min=1)


def balanced_focal(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The focal loss of one mask, as SAM uses it: gamma = 2, and alpha = 0.25 for pixels of the object.

    logits, targets (S, S), targets 0 or 1. With p = sigmoid(logit), a pixel of the object pays
    alpha · (1 − p)² · (−ln p), any other (1 − alpha) · p² · (−ln (1 − p)). Returns the mean over pixels.
    """
    ln = torch.nn.functional.logsigmoid  # ln p; and ln (1 − p) is ln(−logits)
    p = logits.sigmoid()
    inside = 0.25 * (1 - p) ** 2 * -ln(logits)
    outside = 0.75 * p**2 * -ln(-logits)
    return (targets * inside + (1 - targets) * outside).mean()


def repair_clicks(
    at: torch.Tensor, labels: torch.Tensor, kinds: torch.Tensor, nothing: torch.Tensor
) -> torch.Tensor:
    """The prompt encoder's tokens: where a click is, plus what it says.

    at (N, K, C): encoded places; labels (N, K): 1 for the object, 0 against it, -1 no click (it fills up the
    batch); kinds (2, C): what label 0 and label 1 add; nothing (C,): the token of no click, wherever it is.
    Returns (N, K, C).
    """
    tokens = at + kinds[labels.clamp(min=0)]
    return torch.where((labels == -1)[..., None], nothing, tokens)
