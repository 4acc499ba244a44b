"""Attempts at 06_glip: RIGHT ones, and WRONG ones with the property each breaks."""

import math

import torch
from torchvision.ops import generalized_box_iou, sigmoid_focal_loss

# --- expand_phrases: (T (N, c), phrase_tokens (c, M)) -> (N, M)


def by_loops(T, phrase_tokens):
    out = torch.zeros(T.shape[0], phrase_tokens.shape[1])
    for i in range(T.shape[0]):
        for k in range(T.shape[1]):
            if T[i, k]:
                out[i] = torch.maximum(out[i], phrase_tokens[k].float())
    return out


def by_largest(T, phrase_tokens):
    return (T[:, :, None] * phrase_tokens[None].float()).amax(1)


def transposed(T, phrase_tokens):
    return by_largest(T, phrase_tokens).T


def still_phrases(T, phrase_tokens):
    return T.float()


def counted(T, phrase_tokens):
    return T.float() @ phrase_tokens.float()


def shared_out(T, phrase_tokens):
    tokens = phrase_tokens.float()
    return T.float() @ (tokens / tokens.sum(1, keepdim=True))


def first_token_only(T, phrase_tokens):
    first = torch.zeros_like(phrase_tokens, dtype=torch.float)
    first[torch.arange(len(phrase_tokens)), phrase_tokens.float().argmax(1)] = 1
    return (T.float() @ first > 0).float()


def last_token_only(T, phrase_tokens):
    return first_token_only(T, phrase_tokens.flip(1)).flip(1)


def whole_text(T, phrase_tokens):
    return (T.sum(1, keepdim=True) > 0).float().expand(-1, phrase_tokens.shape[1])


def negative_elsewhere(T, phrase_tokens):
    right = by_largest(T, phrase_tokens)
    return torch.where(right.sum(1, keepdim=True) > 0, right, -torch.ones_like(right))


# --- score_phrases: (S (N, M), phrase_tokens (c, M)) -> (N, c)


def by_masks(S, phrase_tokens):
    return torch.stack([S.sigmoid()[:, row.bool()].mean(1) for row in phrase_tokens], 1)


def by_einsum(S, phrase_tokens):
    weights = phrase_tokens / phrase_tokens.sum(1, keepdim=True)
    return torch.einsum("nm,cm->nc", 1 / (1 + torch.exp(-S)), weights)


def scores_transposed(S, phrase_tokens):
    return by_masks(S, phrase_tokens).T


def the_most(S, phrase_tokens):
    return torch.stack([S.sigmoid()[:, row.bool()].amax(1) for row in phrase_tokens], 1)


def the_least(S, phrase_tokens):
    return torch.stack([S.sigmoid()[:, row.bool()].amin(1) for row in phrase_tokens], 1)


def the_product(S, phrase_tokens):
    return torch.stack([S.sigmoid()[:, row.bool()].prod(1) for row in phrase_tokens], 1)


def mean_of_logits(S, phrase_tokens):
    return torch.stack([S[:, row.bool()].mean(1).sigmoid() for row in phrase_tokens], 1)


def logits_alone(S, phrase_tokens):
    return torch.stack([S[:, row.bool()].mean(1) for row in phrase_tokens], 1)


def summed(S, phrase_tokens):
    return S.sigmoid() @ phrase_tokens.float().T


def over_all_tokens(S, phrase_tokens):
    return summed(S, phrase_tokens) / phrase_tokens.shape[1]


def whole_prompt(S, phrase_tokens):
    return S.sigmoid().mean(1, keepdim=True).expand(-1, len(phrase_tokens))


# --- generalized_iou: (n, 4), (n, 4) -> (n,)


def by_torchvision(a, b):
    return generalized_box_iou(a, b).diagonal()


def side_by_side(a, b):
    (ax0, ay0, ax1, ay1), (bx0, by0, bx1, by1) = a.T, b.T
    wide = (torch.min(ax1, bx1) - torch.max(ax0, bx0)).clamp(min=0)
    high = (torch.min(ay1, by1) - torch.max(ay0, by0)).clamp(min=0)
    I = wide * high
    U = (ax1 - ax0) * (ay1 - ay0) + (bx1 - bx0) * (by1 - by0) - I
    C = (torch.max(ax1, bx1) - torch.min(ax0, bx0)) * (torch.max(ay1, by1) - torch.min(ay0, by0))
    return I / U - 1 + U / C


def all_pairs(a, b):
    return generalized_box_iou(a, b)


def as_a_loss(a, b):
    return 1 - by_torchvision(a, b)


def iou_only(a, b):
    return _parts(a, b)[0]


def _parts(a, b):
    from torchvision.ops import box_iou

    iou = box_iou(a, b).diagonal()
    around = (torch.maximum(a, b)[:, 2:] - torch.minimum(a, b)[:, :2]).prod(1)
    areas = [(x[:, 2:] - x[:, :2]).prod(1) for x in (a, b)]
    return iou, around, areas


def no_clamp(a, b):
    _, around, (A, B) = _parts(a, b)
    overlap = (torch.minimum(a, b)[:, 2:] - torch.maximum(a, b)[:, :2]).prod(1)
    union = A + B - overlap
    return overlap / union - (around - union) / around


def overlap_counted_twice(a, b):
    iou, around, (A, B) = _parts(a, b)
    union = A + B
    overlap = iou * (A + B) / (1 + iou)
    return overlap / union - (around - union) / around


def over_the_smaller(a, b):
    iou, around, (A, B) = _parts(a, b)
    union = (A + B) / (1 + iou)
    return iou * union / torch.minimum(A, B) - (around - union) / around


def over_the_union(a, b):
    iou, around, (A, B) = _parts(a, b)
    union = (A + B) / (1 + iou)
    return iou - (around - union) / union


def union_as_the_sum(a, b):
    """Right unless boxes share a part."""
    iou, around, (A, B) = _parts(a, b)
    inside = iou > 0.2
    union = torch.where(inside, (A + B) / (1 + iou), A + B)
    return iou - (around - union) / around


# --- repair_focal: (logits, targets) -> the same shape


def by_library(logits, targets):
    return sigmoid_focal_loss(logits, targets)


def by_cases(logits, targets):
    p = 1 / (1 + torch.exp(-logits))
    ones = -0.25 * (1 - p) ** 2 * p.log()
    zeros = -0.75 * p**2 * (1 - p).log()
    return targets * ones + (1 - targets) * zeros


def focal_mean(logits, targets):
    return sigmoid_focal_loss(logits, targets, reduction="mean")


def without_balance(logits, targets):
    return 0.25 * sigmoid_focal_loss(logits, targets, alpha=-1) + 0 * logits


def turned_balance(logits, targets):
    return sigmoid_focal_loss(logits, targets, alpha=0.75)


def balance_is_the_logits(logits, targets):
    alpha = torch.where(logits > 0, 0.25, 0.75)
    return alpha * sigmoid_focal_loss(logits, targets, alpha=-1)


def no_focus(logits, targets):
    return sigmoid_focal_loss(logits, targets, gamma=0)


def focus_once(logits, targets):
    return sigmoid_focal_loss(logits, targets, gamma=1)


def focus_on_the_sure(logits, targets):
    plain = sigmoid_focal_loss(logits, targets, gamma=0)
    p = logits.sigmoid()
    return plain * torch.where(targets == 1, p, 1 - p) ** 2


def easy_zeros_dropped(logits, targets):
    right = sigmoid_focal_loss(logits, targets)
    return torch.where((targets == 0) & (logits < 0), torch.zeros_like(right), right)


def focal_detached(logits, targets):
    return sigmoid_focal_loss(logits, targets).detach()


# --- repair_fusion: (scores (N, M), O_v, P_v) -> ((N, d), (M, d))


def over_dim_zero(scores, O_v, P_v):
    return scores.softmax(1) @ P_v, scores.softmax(0).T @ O_v


def stable(scores, O_v, P_v):
    rows = (scores - scores.amax(1, keepdim=True)).exp()
    columns = (scores - scores.amax(0, keepdim=True)).exp()
    rows, columns = rows / rows.sum(1, keepdim=True), columns / columns.sum(0, keepdim=True)
    return rows @ P_v, columns.T @ O_v


def regions_only(scores, O_v, P_v):
    return scores.softmax(1) @ P_v


def exchanged(scores, O_v, P_v):
    return over_dim_zero(scores, O_v, P_v)[::-1]


def wrong_axis_everywhere(scores, O_v, P_v):
    return scores.softmax(0) @ P_v, scores.softmax(1).T @ O_v


def no_softmax(scores, O_v, P_v):
    return scores @ P_v, scores.T @ O_v


def renormalised_transposed(scores, O_v, P_v):
    """The region's weights, each column made to sum to 1."""
    rows = scores.softmax(1)
    return rows @ P_v, (rows / rows.sum(0, keepdim=True)).T @ O_v


def the_region_means(scores, O_v, P_v):
    return scores.softmax(1) @ P_v, O_v.mean(0).expand(len(P_v), -1)


def the_word_means(scores, O_v, P_v):
    return P_v.mean(0).expand(len(O_v), -1), scores.softmax(0).T @ O_v


def scores_turned(scores, O_v, P_v):
    return (-scores).softmax(1) @ P_v, scores.softmax(0).T @ O_v


RIGHT = {
    "expand_phrases": [by_loops, by_largest],
    "score_phrases": [by_masks, by_einsum],
    "generalized_iou": [by_torchvision, side_by_side],
    "repair_focal": [by_library, by_cases],
    "repair_fusion": [over_dim_zero, stable],
    "empty_share": [0.9375, 60 * math.log(2) / (64 * math.log(2))],
}

WRONG = {
    "expand_phrases": [
        (transposed, "a column a token"),
        (still_phrases, "a column a token"),
        (shared_out, "all tokens of the phrase"),
        (first_token_only, "all tokens of the phrase"),
        (last_token_only, "all tokens of the phrase"),
        (whole_text, "all tokens of the phrase"),
        (negative_elsewhere, "empty regions stay empty"),
        (counted, "zeros and ones"),
    ],
    "score_phrases": [
        (scores_transposed, "a column a phrase"),
        (summed, "alike tokens"),
        (over_all_tokens, "alike tokens"),
        (the_product, "alike tokens"),
        (logits_alone, "alike tokens"),
        (whole_prompt, "other tokens do not count"),
        (the_most, "the mean of probabilities"),
        (the_least, "the mean of probabilities"),
        (mean_of_logits, "the mean of probabilities"),
    ],
    "generalized_iou": [
        (all_pairs, "a number a pair"),
        (as_a_loss, "equal boxes"),
        (overlap_counted_twice, "equal boxes"),
        (over_the_smaller, "a box in a box"),
        (over_the_union, "far boxes"),
        (iou_only, "far boxes"),
        (no_clamp, "far boxes"),
        (union_as_the_sum, "a shared corner"),
    ],
    "repair_focal": [
        (focal_mean, "entry by entry"),
        (without_balance, "ones count a quarter"),
        (turned_balance, "ones count a quarter"),
        (balance_is_the_logits, "ones count a quarter"),
        (no_focus, "sure ones count little"),
        (focus_once, "sure ones count little"),
        (focus_on_the_sure, "sure ones count little"),
        (easy_zeros_dropped, "zeros too"),
        (focal_detached, "mixed"),
    ],
    "repair_fusion": [
        (regions_only, "both are heard"),
        (exchanged, "both are heard"),
        (no_softmax, "weights sum to 1"),
        (wrong_axis_everywhere, "weights sum to 1"),
        (the_word_means, "a sure region hears its word"),
        (scores_turned, "a sure region hears its word"),
        (renormalised_transposed, "a sure word hears its region"),
        (the_region_means, "a sure word hears its region"),
    ],
    "empty_share": [
        ("most of it", "one number"),
        (93.75, "a share"),
        (4 / 64, "the empty ones are most"),
        (0.5, "the empty ones are most"),
        (60 * 0.75 / (60 * 0.75 + 4 * 0.25), "each pays the same"),
        (0.99, "each pays the same"),
    ],
}
