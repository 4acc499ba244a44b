"""Attempts at 05_regionclip: RIGHT ones, and WRONG ones with the property each breaks."""

import torch
from torch.nn import functional as F

# --- align_places: (x0, x1, cells, bins) -> (bins,)


def by_edges(x0, x1, cells, bins):
    edges = torch.linspace(x0, x1, bins + 1) * cells
    return (edges[:-1] + edges[1:]) / 2 - 0.5


def one_by_one(x0, x1, cells, bins):
    width = (x1 - x0) * cells / bins
    return torch.tensor([x0 * cells + (k + 0.5) * width - 0.5 for k in range(bins)])


def without_the_half_cell(x0, x1, cells, bins):
    return by_edges(x0, x1, cells, bins) + 0.5


def left_edges(x0, x1, cells, bins):
    return torch.linspace(x0, x1, bins + 1)[:-1] * cells - 0.5


def from_edge_to_edge(x0, x1, cells, bins):
    return torch.linspace(x0, x1, bins) * cells - 0.5


def corners_on_corners(x0, x1, cells, bins):
    return torch.linspace(x0, x1, bins) * (cells - 1)


def rounded(x0, x1, cells, bins):
    return by_edges(x0, x1, cells, bins).round()


def rounded_box(x0, x1, cells, bins):
    return by_edges(round(x0 * cells) / cells, round(x1 * cells) / cells, cells, bins)


def the_middle_alone(x0, x1, cells, bins):
    return torch.tensor((x0 + x1) / 2 * cells - 0.5)


def half_a_picture(x0, x1, cells, bins):
    return (x0 + (x1 - x0) * torch.arange(bins) / bins) * cells


# --- repair_shared: (v, texts, labels, scale) -> loss


def with_a_dictionary(v, texts, labels, scale):
    seen = {}
    for at, name in enumerate(labels.tolist()):
        seen.setdefault(name, at)
    names = list(seen)
    target = torch.tensor([names.index(name) for name in labels.tolist()])
    return F.cross_entropy(scale * v @ texts[list(seen.values())].T, target)


def copies_hidden(v, texts, labels, scale):
    logits = scale * v @ texts.T
    again = (labels[:, None] == labels).tril(-1).any(1)  # not the first of its concept
    own = (v * texts).sum(1) * scale
    return (logits.masked_fill(again, -torch.inf).logsumexp(1) - own).mean()


def as_given(v, texts, labels, scale):
    return F.cross_entropy(scale * v @ texts.T, torch.arange(len(v)))


def shared_targets(v, texts, labels, scale):
    target = (labels[:, None] == labels).float()
    return F.cross_entropy(scale * v @ texts.T, target / target.sum(1, keepdim=True))


def any_copy_will_do(v, texts, labels, scale):
    log_p = (scale * v @ texts.T).log_softmax(1)
    return -log_p.masked_fill(labels[:, None] != labels, -torch.inf).logsumexp(1).mean()


def first_regions_only(v, texts, labels, scale):
    first = [k for k, name in enumerate(labels.tolist()) if name not in labels[:k].tolist()]
    return as_given(v[first], texts[first], labels[first], scale)


def concepts_weigh_the_same(v, texts, labels, scale):
    names, target = labels.unique(return_inverse=True)
    l = torch.stack([texts[labels == name][0] for name in names])
    loss = F.cross_entropy(scale * v @ l.T, target, reduction="none")
    return torch.stack([loss[target == k].mean() for k in range(len(names))]).mean()


def a_sum(v, texts, labels, scale):
    return with_a_dictionary(v, texts, labels, scale) * len(v)


def without_scale(v, texts, labels, scale):
    return with_a_dictionary(v, texts, labels, 1.0)


def one_loss_a_region(v, texts, labels, scale):
    return F.cross_entropy(scale * v @ texts.T, torch.arange(len(v)), reduction="none")


def as_a_float(v, texts, labels, scale):
    return with_a_dictionary(v, texts, labels, scale).item()


# --- distil: (student, teacher) -> loss


def by_torch(student, teacher):
    log_q = student.log_softmax(-1)
    return F.kl_div(log_q, teacher.detach().softmax(-1), reduction="batchmean")


def cross_entropy_less_entropy(student, teacher):
    q = teacher.detach().softmax(-1)
    return F.cross_entropy(student, q) - (-(q * q.log()).sum(-1)).mean()


def backwards(student, teacher):
    return F.kl_div(teacher.detach().log_softmax(-1), student.softmax(-1), reduction="batchmean")


def soft_cross_entropy(student, teacher):
    return F.cross_entropy(student, teacher.detach().softmax(-1))


def the_label_alone(student, teacher):
    return F.cross_entropy(student, teacher.argmax(-1))


def over_all_numbers(student, teacher):
    return F.kl_div(student.log_softmax(-1), teacher.detach().softmax(-1), reduction="none").mean()


def summed(student, teacher):
    return by_torch(student, teacher) * len(student)


def squared(student, teacher):
    return (student - teacher.detach()).square().mean()


def teacher_learns_too(student, teacher):
    return F.kl_div(student.log_softmax(-1), teacher.softmax(-1), reduction="batchmean")


def over_regions(student, teacher):
    q = teacher.detach().softmax(0)
    return (q * (teacher.detach().log_softmax(0) - student.log_softmax(0))).sum(-1).mean()


def each_region(student, teacher):
    return F.kl_div(student.log_softmax(-1), teacher.detach().softmax(-1), reduction="none").sum(-1)


# --- kept_and_right: (q, truth, threshold) -> (kept, right)


def counted(q, truth, threshold):
    kept = right = 0
    for row, name in zip(q.tolist(), truth.tolist(), strict=True):
        if max(row) >= threshold:
            kept += 1
            right += row.index(max(row)) == name
    return kept / len(q), right / max(1, kept)


def with_masks(q, truth, threshold):
    kept = q.amax(1) >= threshold
    right = kept & (q.argmax(1) == truth)
    return kept.float().mean(), right.sum() / kept.sum().clamp(min=1)


def among_all(q, truth, threshold):
    kept = q.amax(1) >= threshold
    return kept.float().mean(), (kept & (q.argmax(1) == truth)).float().mean()


def more_than(q, truth, threshold):
    kept = q.amax(1) > threshold
    right = kept & (q.argmax(1) == truth)
    return kept.float().mean(), right.sum() / kept.sum().clamp(min=1)


def confidence_of_the_truth(q, truth, threshold):
    kept = q.gather(1, truth[:, None])[:, 0] >= threshold
    right = kept & (q.argmax(1) == truth)
    return kept.float().mean(), right.sum() / kept.sum().clamp(min=1)


def nan_of_none(q, truth, threshold):
    kept = q.amax(1) >= threshold
    return kept.float().mean(), (q.argmax(1) == truth)[kept].float().mean()


def errors(q, truth, threshold):
    kept, right = counted(q, truth, threshold)
    return kept, (1 - right) if kept else 0.0


def accuracy_of_all(q, truth, threshold):
    kept, _ = counted(q, truth, threshold)
    return kept, (q.argmax(1) == truth).float().mean() if kept else 0.0


def accuracy_alone(q, truth, threshold):
    return counted(q, truth, threshold)[1]


def swapped(q, truth, threshold):
    return counted(q, truth, threshold)[::-1]


RIGHT = {
    "align_places": [by_edges, one_by_one],
    "repair_shared": [with_a_dictionary, copies_hidden],
    "distil": [by_torch, cross_entropy_less_entropy],
    "kept_and_right": [counted, with_masks],
}

WRONG = {
    "align_places": [
        (the_middle_alone, "a place for each bin"),
        (without_the_half_cell, "the whole row is read cell by cell"),
        (left_edges, "the whole row is read cell by cell"),
        (from_edge_to_edge, "the whole row is read cell by cell"),
        (rounded, "nothing is rounded"),
        (rounded_box, "nothing is rounded"),
        (corners_on_corners, "nothing is rounded"),
        (half_a_picture, "bins are read in their middle"),
    ],
    "repair_shared": [
        (one_loss_a_region, "one number"),
        (without_scale, "different concepts as before"),
        (a_sum, "different concepts as before"),
        (as_given, "a shared concept is no wrong answer"),
        (shared_targets, "a shared concept is no wrong answer"),
        (any_copy_will_do, "a concept stands once"),
        (concepts_weigh_the_same, "regions weigh the same"),
        (first_regions_only, "regions weigh the same"),
        (as_a_float, "it can be trained"),
    ],
    "distil": [
        (each_region, "one number"),
        (soft_cross_entropy, "agreeing costs nothing"),
        (the_label_alone, "agreeing costs nothing"),
        (squared, "a constant is not noticed"),
        (backwards, "the teacher weighs"),
        (over_regions, "the teacher weighs"),
        (over_all_numbers, "a mean over regions"),
        (summed, "a mean over regions"),
        (teacher_learns_too, "only the student learns"),
    ],
    "kept_and_right": [
        (accuracy_alone, "two shares"),
        (swapped, "no threshold keeps all"),
        (errors, "right among the kept"),
        (confidence_of_the_truth, "the likeliest decides"),
        (among_all, "right among the kept"),
        (accuracy_of_all, "right among the kept"),
        (more_than, "at the threshold is kept"),
        (nan_of_none, "none kept is said"),
    ],
}
