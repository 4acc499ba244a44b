"""CLIP's loss, as on the slide; what captions that occur twice do to it; and the loss of many processes.

n: pictures and captions of a batch; E: width of the embedding; m: how often a caption stands in its batch.
"""

import math
import warnings
from collections.abc import Hashable, Sequence

import torch
import torch.distributed
from torch import Tensor
from torch.nn import functional as F

POSITIVES = ("share", "any")


def clip_loss(
    I_f: Tensor, T_f: Tensor, t: Tensor, groups: Tensor | None = None, *, positives: str = "share"
) -> Tensor:
    """The symmetric cross-entropy of a batch of pairs, in nats (Radford et al. 2021, figure 3).

    I_f, T_f: (n, E) features of pictures and of their captions, row by row, normalised here; t: log(1/τ),
    the cosines being multiplied by e^t; groups: (n,) whole numbers, equal where captions mean the same
    (`same_texts`), so that a picture has more than one right caption. positives: "share" aims at equal
    probabilities of all right answers and cannot fall below `batch_floor` (where groups are word for word the
    same captions, it is the loss without groups, value and gradient); "any" asks for their sum and can
    reach 0. A batch of one has the loss 0: a choice among one candidate is always right; it warns.
    Raises ValueError for features of different or wrong shape.
    """
    _check_pairs(I_f, T_f)
    if groups is None:
        return pair_loss(I_f, T_f, t)
    logits = clip_logits(I_f, T_f, t)  # (n, n): row = picture, column = text
    right = groups[:, None] == groups  # (n, n) bool
    pay = {"share": _share, "any": _any}
    if positives not in pay:
        raise ValueError(f"positives is {positives!r}: it is 'share' or 'any'")
    return (pay[positives](logits, right) + pay[positives](logits.T, right)) / 2


def pair_loss(I_f: Tensor, T_f: Tensor, t: Tensor) -> Tensor:
    """The loss of n pairs, line by line as in the paper's figure 3; nats. I_f, T_f: (n, E); t: log(1/τ)."""
    logits = clip_logits(I_f, T_f, t)  # (n, n): row = picture, column = text
    labels = torch.arange(len(logits), device=logits.device)
    loss_i = F.cross_entropy(logits, labels)  # each row: which text belongs to this picture?
    loss_t = F.cross_entropy(logits.T, labels)  # each column: which picture belongs to this text?
    return (loss_i + loss_t) / 2


def clip_logits(I_f: Tensor, T_f: Tensor, t: Tensor) -> Tensor:
    """(n, E), (n', E), t -> (n, n') cosines times e^t."""
    I_e, T_e = F.normalize(I_f, dim=1), F.normalize(T_f, dim=1)
    return I_e @ T_e.T * t.exp()


def _share(logits: Tensor, right: Tensor) -> Tensor:
    """Cross-entropy with 1/m on each of the m right answers (Khosla et al. 2020, eq. 2)."""
    target = right.to(logits.dtype)
    return F.cross_entropy(logits, target / target.sum(1, keepdim=True))


def _any(logits: Tensor, right: Tensor) -> Tensor:
    """-log of the probability that a right answer is given, whichever (Miech et al. 2020, MIL-NCE)."""
    chosen = logits.masked_fill(~right, -math.inf).logsumexp(1)
    return (logits.logsumexp(1) - chosen).mean()


def _check_pairs(I_f: Tensor, T_f: Tensor) -> None:
    if I_f.ndim != 2 or I_f.shape != T_f.shape or not len(I_f):
        raise ValueError(
            f"features have shapes {tuple(I_f.shape)} and {tuple(T_f.shape)}: give (n, E) for pictures and "
            "the same for their captions, pair by pair"
        )
    if len(I_f) == 1:
        warnings.warn(
            "a batch of one pair: the softmax has one candidate, so that the loss is 0 whatever the model "
            "says and nothing is learnt; give two pairs or more",
            stacklevel=3,
        )


# --- captions that occur twice ------------------------------------------------------------------------------


def same_texts(texts: Sequence[Hashable]) -> Tensor:
    """(n,) int64: equal numbers for equal captions, counted from 0 in the order in which they first occur.

    >>> same_texts(["a cat", "a dog", "a cat"]).tolist()
    [0, 1, 0]
    """
    seen: dict[Hashable, int] = {}
    return torch.tensor([seen.setdefault(text, len(seen)) for text in texts], dtype=torch.int64)


def first_of_each(texts: Sequence[Hashable], most: int | None = None) -> list[int]:
    """Positions of captions that did not occur before, at most `most`: a batch without duplicates.

    >>> first_of_each(["a cat", "a dog", "a cat", "a fish"], 3)
    [0, 1, 3]
    """
    first: dict[Hashable, int] = {}
    for at, text in enumerate(texts):
        first.setdefault(text, at)
    return list(first.values())[:most]


def batch_floor(groups: Tensor) -> float:
    """The lowest loss that any model can reach on a batch with equal captions: the mean of ln m, in nats.

    groups: (n,) as of `same_texts`. A picture's caption and its m - 1 copies have one embedding, so that each
    gets at most 1/m; and the m copies, asked for a different picture each, cannot but give one answer.
    """
    _, group, size = groups.unique(return_inverse=True, return_counts=True)
    return float(size[group].double().log().mean())


def expected_floor(captions: int | Sequence[float], batch: int) -> float:
    """E[ln m] of a batch drawn at random: the floor of the loss, in nats.

    captions: how many there are, equally likely, or the probability of each; batch: n pairs. Then
    m = 1 + Binomial(n - 1, p) for a pair whose caption has probability p.

    >>> round(expected_floor(24, 128), 2)
    1.77
    """
    from scipy.stats import binom

    others = torch.arange(batch, dtype=torch.float64)  # how many of the other n - 1 have the same caption
    pay = others.add(1).log().numpy()
    chances = _chances(captions, batch)
    return float(sum(share * p * (binom.pmf(others.numpy(), batch - 1, p) @ pay) for p, share in chances))


def accuracy_ceiling(captions: int | Sequence[float], batch: int) -> float:
    """E[1/m]: how often the best model can pick the very caption of its picture; arguments as above.

    >>> round(accuracy_ceiling(24, 128), 3)
    0.187
    """
    return float(sum(share * (1 - (1 - p) ** batch) / batch for p, share in _chances(captions, batch)))


def _chances(captions: int | Sequence[float], batch: int) -> list[tuple[float, int]]:
    """(probability, how many captions have it)."""
    if batch < 1:
        raise ValueError(f"a batch of {batch} holds nothing: give 1 or more")
    if isinstance(captions, int):
        if captions < 1:
            raise ValueError(f"{captions} captions cannot be drawn from: give 1 or more")
        return [(1 / captions, captions)]
    shares = [float(p) for p in captions]
    if min(shares, default=-1) < 0 or abs(sum(shares) - 1) > 1e-6:
        raise ValueError(f"the captions' probabilities sum to {sum(shares):.4g}: give shares that sum to 1")
    return [(p, 1) for p in shares]


def aligned_loss(n: int, t: float, cosine: float = 0.0) -> float:
    """The loss of a perfect batch, in nats: every right pair at cosine 1, every wrong one at `cosine`.

    At t = 0 (scale 1) even perfection costs 3.87 nats in a batch of 128: why t has to be learnt.

    >>> round(aligned_loss(128, 0.0), 2)
    3.87
    """
    if n < 1:
        raise ValueError(f"a batch of {n} holds nothing: give 1 or more")
    return math.log1p((n - 1) * math.exp((cosine - 1) * math.exp(t)))


# --- many processes -----------------------------------------------------------------------------------------


class _Gather(torch.autograd.Function):
    """All processes' rows, one below the other; backward sums what all of them have to say about ours."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        ctx.rank, ctx.rows = torch.distributed.get_rank(), len(x)
        parts = [torch.empty_like(x) for _ in range(torch.distributed.get_world_size())]
        torch.distributed.all_gather(parts, x.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        gradient = gradient.contiguous()
        torch.distributed.all_reduce(gradient)
        return gradient[ctx.rank * ctx.rows : (ctx.rank + 1) * ctx.rows]


def gather(x: Tensor) -> Tensor:
    """(n / processes, …) of each process -> (n, …) in all of them; x itself where there is one process.

    Each process then has the full batch's loss. Its gradient comes out multiplied by the number of processes,
    which averaging gradients over them, as `training.train` and DistributedDataParallel do, undoes.
    """
    if not torch.distributed.is_available() or not torch.distributed.is_initialized():
        return x
    return _Gather.apply(x)
