"""Model answers to the exercises of 05_regionclip. Their docstrings are the tasks that the learner reads."""

import torch


def align_places(x0: float, x1: float, cells: int, bins: int) -> torch.Tensor:
    """Where RoIAlign reads a row of a map, one place a bin. Cell j's value stands at place j, its centre.

    x0 < x1: the box's left and right edge, as shares of the picture's width; cells: columns of the map, side
    by side over the whole width. The box is cut into `bins` equal bins, and each is read in its middle.
    Returns (bins,) places, such as 2.25: a quarter of the way from column 2 to column 3.
    """
    middles = (torch.arange(bins) + 0.5) / bins  # shares of the box
    shares = x0 + (x1 - x0) * middles  # shares of the picture
    return shares * cells - 0.5  # cell j reaches from j to j + 1 cell widths: its centre is at j + 0.5


def repair_shared(v: torch.Tensor, texts: torch.Tensor, labels: torch.Tensor, scale: float) -> torch.Tensor:
    """The region–text loss: each region picks its concept among those that occur in the batch. Mean, in nats.

    v (R, E): unit vectors of regions; texts (R, E): the unit vector of each region's own concept; labels
    (R,): the concepts' numbers. Regions with equal labels share one concept (equal rows of texts), which
    stands among the choices once.
    """
    _, first_seen = labels.unique(return_inverse=True)
    first = torch.stack([(first_seen == k).int().argmax() for k in range(int(first_seen.max()) + 1)])
    return torch.nn.functional.cross_entropy(scale * v @ texts[first].T, first_seen)


def distil(student: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    """What it costs to expect a student's scores where the teacher's are true, KL(teacher ‖ student); nats.

    student, teacher (R, C): scaled cosines of R regions with C concepts; a softmax over the concepts makes
    scores of them. A mean over regions. Only the student is to learn from it.
    """
    q = teacher.detach().softmax(dim=-1)
    gap = teacher.detach().log_softmax(dim=-1) - student.log_softmax(dim=-1)
    return (q * gap).sum(dim=-1).mean()


def kept_and_right(q: torch.Tensor, truth: torch.Tensor, threshold: float) -> tuple[float, float]:
    """What a threshold on the confidence does to pseudo-labels: (the share kept, the share of these right).

    q (R, C): a teacher's probabilities; truth (R,): the concept that is really there. A region is called by
    its likeliest concept and kept where that has at least `threshold`. Where none is kept, both shares are 0.
    """
    confidence, label = q.max(dim=-1)
    kept = confidence >= threshold
    if not kept.any():
        return 0.0, 0.0
    return float(kept.float().mean()), float((label == truth)[kept].float().mean())
