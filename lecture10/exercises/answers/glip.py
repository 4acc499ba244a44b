"""Model answers of 06_glip."""

import torch


def expand_phrases(T: torch.Tensor, phrase_tokens: torch.Tensor) -> torch.Tensor:
    """GLIP's target, from phrases to tokens: T′ (N, M) of T (N, c).

    T: 1 where a region belongs to a phrase; phrase_tokens (c, M): 1 where a token is part of a phrase.
    A region that belongs to a phrase belongs to all tokens of the phrase. Returns floats, 0 or 1.
    """
    return (T.float() @ phrase_tokens.float() > 0).float()


def score_phrases(S: torch.Tensor, phrase_tokens: torch.Tensor) -> torch.Tensor:
    """The way back, at inference: how sure each region is of each phrase, (N, c).

    S (N, M): logits of every region with every token; phrase_tokens (c, M): 1 where a token is part of a
    phrase. A phrase's score is the mean of its tokens' probabilities.
    """
    tokens = phrase_tokens.float()
    return torch.sigmoid(S) @ tokens.T / tokens.sum(1)


def generalized_iou(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """GIoU of n pairs of boxes: (n, 4), (n, 4) -> (n,).

    Boxes are (x0, y0, x1, y1) with x0 < x1 and y0 < y1. GIoU = IoU − (C − U) / C, where U is the area of the
    union and C that of the smallest box around both.
    """
    low, high = torch.maximum(a, b), torch.minimum(a, b)
    sides = (high[:, 2:] - low[:, :2]).clamp(min=0)
    overlap = sides[:, 0] * sides[:, 1]
    around = (low[:, 2] - high[:, 0]) * (low[:, 3] - high[:, 1])
    area_a = (a[:, 2] - a[:, 0]) * (a[:, 3] - a[:, 1])
    area_b = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    union = area_a + area_b - overlap
    return overlap / union - (around - union) / around


def repair_focal(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The sigmoid focal loss of each entry, with α = 0.25 and γ = 2: −α_t (1 − p_t)² ln p_t.

    p_t is the probability given to what is right: p where the target is 1, 1 − p where it is 0; α_t is α
    where the target is 1, and 1 − α where it is 0. logits, targets: any shape; returns the same shape, nats.
    """
    p = torch.sigmoid(logits)
    p_t = torch.where(targets == 1, p, 1 - p)
    alpha_t = torch.where(targets == 1, 0.25, 0.75)
    return -alpha_t * (1 - p_t) ** 2 * torch.log(p_t)


def repair_fusion(
    scores: torch.Tensor, O_v: torch.Tensor, P_v: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """One head of GLIP's deep fusion: what regions hear from words, and words from regions.

    scores (N, M): region i with word j, scaled; O_v (N, d), P_v (M, d): the values. A region mixes the words'
    values, a word the regions', each with weights that sum to 1. Returns ((N, d), (M, d)).
    """
    to_regions = scores.softmax(dim=1) @ P_v
    to_words = scores.T.softmax(dim=1) @ O_v
    return to_regions, to_words


def empty_share() -> float:
    """At p = 0.5 every entry pays ln 2: the 60 empty regions pay 60 of 64 parts."""
    return 60 / 64
