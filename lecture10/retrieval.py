"""Finding a picture's caption and a caption's picture, and how the two kinds of embedding lie apart."""

from collections.abc import Sequence

import torch
from torch import Tensor

KS = (1, 5, 10)


def recall_at(scores: Tensor, right: Tensor, ks: Sequence[int] = KS) -> dict[int, float]:
    """The share of queries that have a right candidate among their k best, for each k.

    scores: (queries, candidates), higher is better; right: the same shape, bool, True where a candidate
    answers a query. Where scores tie, their order is a random one: what is returned is the exact mean over
    all orders, so that equal embeddings cannot be right by luck of position. Raises ValueError for a query
    without a right candidate and for a k outside 1 … candidates.
    """
    if not right.any(1).all():
        at = int(right.any(1).int().argmin())
        raise ValueError(f"query {at} has no right candidate: every picture needs a caption, and back")
    best = scores.masked_fill(~right, -torch.inf).amax(1, keepdim=True)  # (queries, 1)
    above = (scores > best).sum(1)  # wrong ones, before any right one
    tied = scores == best
    wrong, all_tied = (tied & ~right).sum(1), tied.sum(1)
    return {k: float(_found(k, above, wrong, all_tied, scores.shape[1]).mean()) for k in ks}


def _found(k: int, above: Tensor, wrong: Tensor, tied: Tensor, candidates: int) -> Tensor:
    """P(a right one among the k best): 1 - P(all places left go to wrong ones), drawn without repeats."""
    if not 1 <= k <= candidates:
        raise ValueError(f"k is {k}: among {candidates} candidates it is 1 to {candidates}")
    places = (k - above).clamp(min=0).minimum(tied).double()
    right = (tied - wrong).double()
    # C(wrong, places) / C(tied, places), through logarithms of factorials
    left = (wrong.double() - places).clamp(min=0)
    log_missed = (
        torch.lgamma(wrong.double() + 1) - torch.lgamma(left + 1)
        + torch.lgamma(right + wrong - places + 1) - torch.lgamma(tied.double() + 1)
    )  # fmt: skip
    return 1 - torch.where(places > wrong, 0.0, log_missed.exp())


def retrieval(
    I_e: Tensor, T_e: Tensor, texts: Sequence[str], ks: Sequence[int] = KS
) -> dict[str, dict[int, float]]:
    """Recall in both directions: {"image to text": {k: share}, "text to image": {k: share}}.

    I_e, T_e: (n, E) unit vectors of n pairs; texts: their captions. A caption that occurs twice is one
    candidate and one query, and each of its pictures is a right answer to it.
    """
    if not len(I_e) == len(T_e) == len(texts):
        raise ValueError(f"{len(I_e)} pictures, {len(T_e)} texts and {len(texts)} captions: give n of each")
    at: dict[str, int] = {}
    group = torch.tensor([at.setdefault(text, len(at)) for text in texts])
    first = [texts.index(text) for text in at]
    scores = I_e @ T_e[first].T  # (pictures, distinct captions)
    right = group[:, None] == torch.arange(len(at))
    return {"image to text": recall_at(scores, right, ks), "text to image": recall_at(scores.T, right.T, ks)}


def modality_gap(I_e: Tensor, T_e: Tensor) -> Tensor:
    """(E,): from the texts' mean to the pictures' mean; its length is the gap (Liang et al. 2022, section 2).

    I_e, T_e: (n, E) and (n', E) unit vectors; the length lies in [0, 2].
    """
    return I_e.mean(0) - T_e.mean(0)
