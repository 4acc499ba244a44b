"""Attempts at 08_sam: RIGHT ones, and WRONG ones with the property each breaks."""

import torch
from torch.nn import functional as F
from torchvision.ops import sigmoid_focal_loss

# --- best_single: (areas) -> mean IoU


def with_a_table(areas):
    a = torch.tensor(areas, dtype=torch.float64)
    return (torch.minimum(a[:, None], a) / torch.maximum(a[:, None], a)).mean(1).max()


def one_line(areas):
    return max(sum(min(a, m) / max(a, m) for m in areas) / len(areas) for a in areas)


def always_the_whole(areas):
    return sum(a / areas[0] for a in areas) / len(areas)


def as_for_two(areas):
    return (1 + (areas[1] / areas[0] if len(areas) > 1 else 0)) / 2


def an_oracle(areas):
    return 1.0


def mean_of_all_answers(areas):
    table = [[min(a, m) / max(a, m) for m in areas] for a in areas]
    return sum(map(sum, table)) / len(areas) ** 2


def both_as_a_list(areas):
    return [sum(min(a, m) / max(a, m) for m in areas) / len(areas) for a in areas] + [0.0]


def no_overlap(areas):
    return 1 / len(areas)


# --- ambiguous_loss: (losses) -> scalar


def sorted_first(losses):
    return losses.sort(dim=1).values[:, 0].mean()


def gathered(losses):
    return losses.gather(1, losses.argmin(1, keepdim=True)).sum() / len(losses)


def wrong_axis(losses):
    return losses.amin(dim=0).mean()


def best_of_batch(losses):
    return losses.min()


def mean_over_masks(losses):
    return losses.mean()


def summed(losses):
    return losses.amin(1).sum()


def per_prompt(losses):
    return losses.amin(1)


def detached(losses):
    return losses.detach().amin(1).mean()


def a_little_of_all(losses):
    best = losses.amin(1).mean()
    return best + 0.3 * (losses.mean() - losses.mean().detach())


# --- mask_iou: (logits, targets) -> (N,)


def by_counting(logits, targets):
    mask = (logits.sigmoid() > 0.5).flatten(1).float()
    want = targets.flatten(1).float()
    both = (mask * want).sum(1)
    either = mask.sum(1) + want.sum(1) - both
    return torch.where(either > 0, both / either.clamp(min=1), torch.zeros_like(both))


def one_by_one(logits, targets):
    rows = []
    for mask, want in zip(logits > 0, targets, strict=True):
        either = int((mask | want).sum())
        rows.append(int((mask & want).sum()) / either if either else 0.0)
    return torch.tensor(rows)


def on_probabilities(logits, targets):
    p, t = logits.sigmoid().flatten(1), targets.flatten(1).float()
    return (p * t).sum(1) / (p + t - p * t).sum(1)


def above_a_half(logits, targets):
    mask = logits > 0.5
    return (mask & targets).sum((1, 2)) / (mask | targets).sum((1, 2)).clamp(min=1)


def no_union(logits, targets):
    mask = logits > 0
    return 2 * (mask & targets).sum((1, 2)) / (mask.sum((1, 2)) + targets.sum((1, 2))).clamp(min=1)


def sum_of_areas(logits, targets):
    mask = logits > 0
    return (mask & targets).sum((1, 2)) / (mask.sum((1, 2)) + targets.sum((1, 2))).clamp(min=1)


def nan_for_nothing(logits, targets):
    mask = logits > 0
    return (mask & targets).sum((1, 2)) / (mask | targets).sum((1, 2))


def all_masks_together(logits, targets):
    mask = logits > 0
    return (mask & targets).sum() / (mask | targets).sum()


# --- balanced_focal: (logits, targets) -> scalar


def with_torchvision(logits, targets):
    return sigmoid_focal_loss(logits, targets, 0.25, 2, "mean")


def with_bce(logits, targets):
    ce = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    p_t = torch.exp(-ce)
    alpha = torch.where(targets > 0.5, 0.25, 0.75)
    return (alpha * (1 - p_t) ** 2 * ce).mean()


def no_balance(logits, targets):
    return sigmoid_focal_loss(logits, targets, -1, 2, "mean")


def balance_the_other_way(logits, targets):
    return sigmoid_focal_loss(logits, targets, 0.75, 2, "mean")


def object_left_whole(logits, targets):
    ce = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    return (torch.where(targets > 0.5, 1.0, 0.75) * (1 - torch.exp(-ce)) ** 2 * ce).mean()


def no_focus(logits, targets):
    return sigmoid_focal_loss(logits, targets, 0.25, 0, "mean")


def a_sum(logits, targets):
    return sigmoid_focal_loss(logits, targets, 0.25, 2, "sum")


def log_of_sigmoid(logits, targets):
    p = logits.sigmoid()
    return -(targets * 0.25 * (1 - p) ** 2 * p.log() + (1 - targets) * 0.75 * p**2 * (1 - p).log()).mean()


def a_map(logits, targets):
    return sigmoid_focal_loss(logits, targets, 0.25, 2)


def averaged_too_early(logits, targets):
    ce = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    off = (1 - torch.exp(-ce)).mean()  # of the picture, not of each pixel
    return (torch.where(targets > 0.5, 0.25, 0.75) * off**2 * ce).mean()


# --- repair_clicks: (at, labels, kinds, nothing) -> (N, K, C)


def in_steps(at, labels, kinds, nothing):
    tokens = at.clone()
    for label in (0, 1):
        tokens = tokens + kinds[label] * (labels == label)[..., None]
    tokens[labels == -1] = nothing
    return tokens


def with_padding_row(at, labels, kinds, nothing):
    table = torch.cat([kinds, torch.zeros_like(kinds[:1])])  # label -1 picks the last row
    tokens = at + table[labels]
    return torch.where(labels[..., None] < 0, nothing.expand_as(tokens), tokens)


def all_for(at, labels, kinds, nothing):
    return torch.where((labels == -1)[..., None], nothing, at + kinds[1])


def swapped(at, labels, kinds, nothing):
    return torch.where((labels == -1)[..., None], nothing, at + kinds[1 - labels.clamp(min=0)])


def kind_alone(at, labels, kinds, nothing):
    return torch.where(
        (labels == -1)[..., None], nothing, torch.where((labels == 0)[..., None], kinds[0], at + kinds[1])
    )


def nothing_somewhere(at, labels, kinds, nothing):
    return at + torch.where((labels == -1)[..., None], nothing, kinds[labels.clamp(min=0)])


def nothing_is_against(at, labels, kinds, nothing):
    return at + kinds[labels.clamp(min=0)]


def pooled(at, labels, kinds, nothing):
    return torch.where((labels == -1)[..., None], nothing, at + kinds[labels.clamp(min=0)]).mean(1)


RIGHT = {
    "one_mask_ceiling": [0.625, 0.62],
    "best_single": [with_a_table, one_line],
    "ambiguous_loss": [sorted_first, gathered],
    "mask_iou": [by_counting, one_by_one],
    "balanced_focal": [with_torchvision, with_bce],
    "repair_clicks": [in_steps, with_padding_row],
}
WRONG = {
    "one_mask_ceiling": [
        ("five eighths", "one number"),
        (1.0, "no mask is always right"),
        (0.25, "right half of the time"),
        (0.5, "wrong is not worthless"),
        (0.75, "wrong is not worthless"),
    ],
    "best_single": [
        (both_as_a_list, "one number"),
        (as_for_two, "one meaning is no riddle"),
        (no_overlap, "two meanings"),
        (an_oracle, "two meanings"),
        (mean_of_all_answers, "the best answer counts"),
        (always_the_whole, "the best answer counts"),
    ],
    "ambiguous_loss": [
        (per_prompt, "one number"),
        (summed, "one answer is an ordinary loss"),
        (best_of_batch, "one answer is an ordinary loss"),
        (wrong_axis, "one answer is an ordinary loss"),
        (mean_over_masks, "each prompt has its best"),
        (detached, "the others do not learn"),
        (a_little_of_all, "the others do not learn"),
    ],
    "mask_iou": [
        (all_masks_together, "an IoU for each mask"),
        (on_probabilities, "the sign decides"),
        (above_a_half, "the sign decides"),
        (sum_of_areas, "a perfect mask has 1"),
        (no_union, "shared pixels count once"),
        (nan_for_nothing, "nothing is 0"),
    ],
    "balanced_focal": [
        (a_map, "one number"),
        (log_of_sigmoid, "certainty is safe"),
        (a_sum, "a mean over pixels"),
        (no_focus, "easy pixels hardly count"),
        (no_balance, "easy pixels hardly count"),
        (balance_the_other_way, "easy pixels hardly count"),
        (object_left_whole, "the object weighs a quarter"),
        (averaged_too_early, "both together"),
    ],
    "repair_clicks": [
        (pooled, "a token for each click"),
        (swapped, "a click for says so"),
        (all_for, "a click against is a click"),
        (kind_alone, "a click against is a click"),
        (nothing_somewhere, "no click has no place"),
        (nothing_is_against, "no click has no place"),
    ],
}
