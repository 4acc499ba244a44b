"""Attempts at 04_clip, the losses: RIGHT ones, and WRONG ones with the property each breaks."""

import torch
from torch.nn import functional as F

# --- the loss of n pairs: (I_f, T_f, t) -> nats


def by_cross_entropy(I_f, T_f, t):
    logits = F.normalize(I_f, dim=1) @ F.normalize(T_f, dim=1).T * t.exp()
    labels = torch.arange(len(logits))
    return (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2


def by_log_sum_exp(I_f, T_f, t):
    cosines = torch.einsum("ie,je->ij", I_f, T_f) / I_f.norm(dim=1)[:, None] / T_f.norm(dim=1)
    logits = torch.exp(t) * cosines
    right = logits.diagonal()
    return ((logits.logsumexp(0) - right) + (logits.logsumexp(1) - right)).mean() / 2


def _unit(I_f, T_f):
    return F.normalize(I_f, dim=1), F.normalize(T_f, dim=1)


def _both(logits):
    labels = torch.arange(len(logits))
    return (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2


def no_normalisation(I_f, T_f, t):
    return _both(I_f @ T_f.T * t.exp())


def texts_not_normalised(I_f, T_f, t):
    return _both(F.normalize(I_f, dim=1) @ T_f.T * t.exp())


def normalised_over_the_batch(I_f, T_f, t):
    return _both(F.normalize(I_f, dim=0) @ F.normalize(T_f, dim=0).T * t.exp())


def pictures_only(I_f, T_f, t):
    I_e, T_e = _unit(I_f, T_f)
    return F.cross_entropy(I_e @ T_e.T * t.exp(), torch.arange(len(I_e)))


def texts_only(I_f, T_f, t):
    I_e, T_e = _unit(I_f, T_f)
    return F.cross_entropy(T_e @ I_e.T * t.exp(), torch.arange(len(I_e)))


def not_exponentiated(I_f, T_f, t):
    I_e, T_e = _unit(I_f, T_f)
    return _both(I_e @ T_e.T * t)


def divided(I_f, T_f, t):
    I_e, T_e = _unit(I_f, T_f)
    return _both(I_e @ T_e.T / t.exp())


def scale_twice(I_f, T_f, t):
    I_e, T_e = _unit(I_f, T_f)
    cosines = I_e @ T_e.T * t.exp()
    return _both(cosines * t.exp())


def targets_softmaxed(I_f, T_f, t):
    I_e, T_e = _unit(I_f, T_f)
    alike = (I_e @ I_e.T + T_e @ T_e.T) / 2
    targets = (alike * t.exp()).softmax(-1)
    logits = I_e @ T_e.T * t.exp()
    return (F.cross_entropy(logits, targets) + F.cross_entropy(logits.T, targets)) / 2


def summed(I_f, T_f, t):
    return by_cross_entropy(I_f, T_f, t) * 2


def over_all_cells(I_f, T_f, t):
    I_e, T_e = _unit(I_f, T_f)
    logits = I_e @ T_e.T * t.exp()
    return (logits.flatten().logsumexp(0) - logits.diagonal()).mean()


def softmax_twice(I_f, T_f, t):
    I_e, T_e = _unit(I_f, T_f)
    logits = I_e @ T_e.T * t.exp()
    labels = torch.arange(len(I_e))
    return (F.cross_entropy(logits.softmax(1), labels) + F.cross_entropy(logits.T.softmax(1), labels)) / 2


def unreduced(I_f, T_f, t):
    I_e, T_e = _unit(I_f, T_f)
    return F.cross_entropy(I_e @ T_e.T * t.exp(), torch.arange(len(I_e)), reduction="none")


def cut_off(I_f, T_f, t):
    return by_cross_entropy(I_f, T_f, t).item()


def t_frozen(I_f, T_f, t):
    return by_cross_entropy(I_f, T_f, t.detach())


def one_tower(I_f, T_f, t):
    return by_cross_entropy(I_f, T_f.detach(), t)


LOSS = [
    (unreduced, "one number"),
    (no_normalisation, "lengths do not matter"),
    (texts_not_normalised, "lengths do not matter"),
    (normalised_over_the_batch, "lengths do not matter"),
    (summed, "knowing nothing costs ln n"),
    (over_all_cells, "knowing nothing costs ln n"),
    (pictures_only, "both directions"),
    (texts_only, "both directions"),
    (not_exponentiated, "the scale is e^t"),
    (divided, "the scale is e^t"),
    (scale_twice, "the scale is e^t"),
    (softmax_twice, "the scale is e^t"),
    (targets_softmaxed, "its own caption alone"),
    (cut_off, "it can be trained"),
    (t_frozen, "it can be trained"),
    (one_tower, "it can be trained"),
]

# --- loss_with_negatives: (I_f, T_f, N_f, t) -> nats


def with_all_texts(I_f, T_f, N_f, t):
    I_e, T_e, N_e = (F.normalize(x, dim=1) for x in (I_f, T_f, N_f))
    labels = torch.arange(len(I_e))
    rows = torch.cat([I_e @ T_e.T, I_e @ N_e.T], 1) * t.exp()
    return (F.cross_entropy(rows, labels) + F.cross_entropy(rows[:, : len(I_e)].T, labels)) / 2


def one_table(I_f, T_f, N_f, t):
    logits = torch.exp(t) * F.cosine_similarity(I_f[:, None], torch.cat([T_f, N_f])[None], dim=-1)
    right = logits.diagonal()
    return (logits.logsumexp(1).mean() + logits[:, : len(I_f)].logsumexp(0).mean()) / 2 - right.mean()


def negatives_forgotten(I_f, T_f, N_f, t):
    return by_cross_entropy(I_f, T_f, t) + 0 * N_f.sum()


def one_direction(I_f, T_f, N_f, t):
    I_e, texts = F.normalize(I_f, dim=1), F.normalize(torch.cat([T_f, N_f]), dim=1)
    return F.cross_entropy(I_e @ texts.T * t.exp(), torch.arange(len(I_e)))


def negatives_asked_too(I_f, T_f, N_f, t):
    I_e, texts = F.normalize(I_f, dim=1), F.normalize(torch.cat([T_f, N_f]), dim=1)
    logits = I_e @ texts.T * t.exp()
    labels = torch.arange(len(I_e))
    columns = F.cross_entropy(logits.T, torch.arange(len(texts)) % len(I_e))
    return (F.cross_entropy(logits, labels) + 2 * columns) / 2


def negatives_not_normalised(I_f, T_f, N_f, t):
    I_e, T_e = _unit(I_f, T_f)
    labels = torch.arange(len(I_e))
    rows = torch.cat([I_e @ T_e.T, I_e @ N_f.T], 1) * t.exp()
    return (F.cross_entropy(rows, labels) + F.cross_entropy(T_e @ I_e.T * t.exp(), labels)) / 2


def negatives_t_as_it_is(I_f, T_f, N_f, t):
    return with_all_texts(I_f, T_f, N_f, t.log())


def negatives_scaled_twice(I_f, T_f, N_f, t):
    return with_all_texts(I_f, T_f, N_f, 2 * t)


def negatives_first(I_f, T_f, N_f, t):
    I_e, T_e = _unit(I_f, T_f)
    labels = torch.arange(len(I_e))
    rows = I_e @ F.normalize(torch.cat([N_f, T_f]), dim=1).T * t.exp()
    return (F.cross_entropy(rows, labels) + F.cross_entropy(T_e @ I_e.T * t.exp(), labels)) / 2


def negatives_soft_targets(I_f, T_f, N_f, t):
    I_e, T_e = _unit(I_f, T_f)
    alike = (I_e @ I_e.T * t.exp()).softmax(1)
    rows = I_e @ F.normalize(torch.cat([T_f, N_f]), dim=1).T * t.exp()
    targets = F.pad(alike, (0, len(N_f)))
    return (F.cross_entropy(rows, targets) + F.cross_entropy(T_e @ I_e.T * t.exp(), alike)) / 2


def negatives_frozen(I_f, T_f, N_f, t):
    return with_all_texts(I_f, T_f, N_f.detach(), t)


def negatives_unreduced(I_f, T_f, N_f, t):
    return with_all_texts(I_f, T_f, N_f, t).expand(2)


# --- sigmoid_loss: (I_f, T_f, t, b) -> nats


def as_binary_cross_entropy(I_f, T_f, t, b):
    I_e, T_e = _unit(I_f, T_f)
    logits = I_e @ T_e.T * t.exp() + b
    wanted = torch.eye(len(logits))
    return F.binary_cross_entropy_with_logits(logits, wanted, reduction="sum") / len(logits)


def with_softplus(I_f, T_f, t, b):
    I_e, T_e = _unit(I_f, T_f)
    logits = I_e @ T_e.T * t.exp() + b
    pay = F.softplus(logits).sum() - logits.diagonal().sum()  # softplus(−z) = softplus(z) − z
    return pay / len(logits)


def mean_over_cells(I_f, T_f, t, b):
    return as_binary_cross_entropy(I_f, T_f, t, b) / len(I_f)


def softmax_instead(I_f, T_f, t, b):
    return by_cross_entropy(I_f, T_f, t) + 0 * b


def bias_forgotten(I_f, T_f, t, b):
    return as_binary_cross_entropy(I_f, T_f, t, 0 * b)


def bias_on_the_diagonal(I_f, T_f, t, b):
    I_e, T_e = _unit(I_f, T_f)
    wanted = torch.eye(len(I_e))
    logits = I_e @ T_e.T * t.exp() + b * wanted
    return F.binary_cross_entropy_with_logits(logits, wanted, reduction="sum") / len(I_e)


def diagonal_only(I_f, T_f, t, b):
    logits = F.cosine_similarity(I_f, T_f) * t.exp() + b
    return -F.logsigmoid(logits).mean()


def _each_cell(I_f, T_f, t, b):
    I_e, T_e = _unit(I_f, T_f)
    logits, wanted = I_e @ T_e.T * t.exp() + b, torch.eye(len(I_e))
    return F.binary_cross_entropy_with_logits(logits, wanted, reduction="none"), wanted.bool()


def balanced(I_f, T_f, t, b):
    pay, own = _each_cell(I_f, T_f, t, b)
    return pay[own].mean() + pay[~own].sum() / max(1, (~own).sum())


def one_wrong_text_each(I_f, T_f, t, b):
    pay, own = _each_cell(I_f, T_f, t, b)
    return (pay[own].sum() + (pay[own.roll(1, 1)].sum() if len(pay) > 1 else 0)) / len(pay)


def sigmoid_raw(I_f, T_f, t, b):
    logits = I_f @ T_f.T * t.exp() + b
    return F.binary_cross_entropy_with_logits(logits, torch.eye(len(I_f)), reduction="sum") / len(I_f)


def sigmoid_unreduced(I_f, T_f, t, b):
    I_e, T_e = _unit(I_f, T_f)
    logits = I_e @ T_e.T * t.exp() + b
    return F.binary_cross_entropy_with_logits(logits, torch.eye(len(I_f)), reduction="none")


def sigmoid_frozen(I_f, T_f, t, b):
    return as_binary_cross_entropy(I_f, T_f, t, b.detach())


RIGHT = {
    "repair_targets": [by_cross_entropy, by_log_sum_exp],
    "repair_direction": [by_cross_entropy, by_log_sum_exp],
    "repair_scale": [by_cross_entropy, by_log_sum_exp],
    "loss_with_negatives": [with_all_texts, one_table],
    "sigmoid_loss": [as_binary_cross_entropy, with_softplus],
}

WRONG = {
    "repair_targets": LOSS,
    "repair_direction": LOSS,
    "repair_scale": LOSS,
    "loss_with_negatives": [
        (negatives_unreduced, "one number"),
        (negatives_not_normalised, "lengths do not matter"),
        (negatives_forgotten, "knowing nothing costs ln (n + k) and ln n"),
        (one_direction, "knowing nothing costs ln (n + k) and ln n"),
        (negatives_asked_too, "knowing nothing costs ln (n + k) and ln n"),
        (negatives_t_as_it_is, "the scale is e^t"),
        (negatives_scaled_twice, "the scale is e^t"),
        (negatives_first, "the right answer is the pair's own"),
        (negatives_soft_targets, "the right answer is the pair's own"),
        (negatives_frozen, "it can be trained"),
    ],
    "sigmoid_loss": [
        (sigmoid_unreduced, "one number"),
        (sigmoid_raw, "lengths do not matter"),
        (softmax_instead, "one pair pays too"),
        (bias_forgotten, "one pair pays too"),
        (bias_on_the_diagonal, "the bias is added"),
        (mean_over_cells, "the bias is added"),
        (diagonal_only, "the bias is added"),
        (balanced, "all pairs count"),
        (one_wrong_text_each, "all pairs count"),
        (sigmoid_frozen, "it can be trained"),
    ],
}
