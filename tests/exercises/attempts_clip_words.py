"""Attempts at 04_clip, axis, ensembles, floors: RIGHT ones, and WRONG ones with the property each breaks."""

import math
from collections import Counter

import torch
from torch.nn import functional as F

# --- two_losses: (logits) -> (picture picks, text picks)


def with_transpose(logits):
    labels = torch.arange(len(logits))
    return F.cross_entropy(logits, labels), F.cross_entropy(logits.T, labels)


def by_hand(logits):
    right = logits.diagonal()
    return [(logits.logsumexp(axis) - right).mean() for axis in (1, 0)]


def as_printed(logits):
    return with_transpose(logits)[::-1]  # axis=0 read as the softmax's axis


def the_same_twice(logits):
    loss = F.cross_entropy(logits, torch.arange(len(logits)))
    return loss, loss


def one_mean(logits):
    return sum(with_transpose(logits)) / 2


def bits(logits):
    return tuple(x / math.log(2) for x in with_transpose(logits))


def both_axes_at_once(logits):
    log_p = logits.flatten().log_softmax(0).view_as(logits).diagonal()
    return -log_p.mean(), -log_p.mean()


def columns_twice(logits):
    loss = F.cross_entropy(logits.T, torch.arange(len(logits)))
    return loss, loss


def best_not_own(logits):
    return -logits.log_softmax(1).amax(1).mean(), -logits.log_softmax(0).amax(0).mean()


# --- ensemble_logits: (I_e, P_f, t) -> (B, C)


def normalise_mean_normalise(I_e, P_f, t):
    return t.exp() * torch.einsum("be,ce->bc", I_e, F.normalize(F.normalize(P_f, dim=-1).mean(1), dim=-1))


def sum_is_as_good(I_e, P_f, t):
    return F.cosine_similarity(I_e[:, None], F.normalize(P_f, dim=2).sum(1)[None], dim=2) * t.exp()


def logits_averaged(I_e, P_f, t):
    return (t.exp() * torch.einsum("be,cpe->bcp", I_e, F.normalize(P_f, dim=-1))).mean(-1)


def probabilities_averaged(I_e, P_f, t):
    return (t.exp() * torch.einsum("be,cpe->bcp", I_e, F.normalize(P_f, dim=-1))).softmax(1).mean(-1)


def best_prompt(I_e, P_f, t):
    return (t.exp() * torch.einsum("be,cpe->bcp", I_e, F.normalize(P_f, dim=-1))).amax(-1)


def features_averaged(I_e, P_f, t):
    return t.exp() * I_e @ F.normalize(P_f.mean(1), dim=-1).T


def ensemble_not_exponentiated(I_e, P_f, t):
    return t * I_e @ F.normalize(F.normalize(P_f, dim=-1).mean(1), dim=-1).T


def score_each_prompt(I_e, P_f, t):
    return t.exp() * torch.einsum("be,cpe->bcp", I_e, F.normalize(P_f, dim=-1))


def first_counts_double(I_e, P_f, t):
    P_e = F.normalize(P_f, dim=-1)
    weights = torch.ones(P_f.shape[1])
    weights[0] += P_f.shape[1] > 2
    return t.exp() * I_e @ F.normalize((P_e * weights[:, None]).sum(1), dim=-1).T


# --- loss_floor: (captions) -> nats


def with_counter(captions):
    counts = Counter(captions)
    return sum(m * math.log(m) for m in counts.values()) / len(captions)


def with_tensors(captions):
    groups = torch.tensor([captions.index(c) for c in captions])
    return (groups[:, None] == groups).sum(1).double().log().mean()


def mean_over_captions(captions):
    counts = Counter(captions).values()
    return sum(map(math.log, counts)) / len(counts)


def log_of_mean(captions):
    return math.log(sum(captions.count(c) for c in captions) / len(captions))


def in_bits(captions):
    return with_counter(captions) / math.log(2)


def share_of_copies(captions):
    return 1 - len(set(captions)) / len(captions)


def knowing_nothing(captions):
    return math.log(len(captions))


def neighbours_only(captions):
    total, start = 0.0, 0
    for i in range(1, len(captions) + 1):
        if i == len(captions) or captions[i] != captions[start]:
            total += (i - start) * math.log(i - start)
            start = i
    return total / len(captions)


def largest_group(captions):
    return math.log(max(Counter(captions).values()))


def each_its_own(captions):
    return [math.log(captions.count(c)) for c in captions]


RIGHT = {
    "two_losses": [with_transpose, by_hand],
    "ensemble_logits": [normalise_mean_normalise, sum_is_as_good],
    "loss_floor": [with_counter, with_tensors],
    "perfect_loss": [3.87, math.log(1 + 127 / math.e), torch.tensor(3.9)],
}

WRONG = {
    "two_losses": [
        (one_mean, "two numbers"),
        (bits, "knowing nothing costs ln n"),
        (both_axes_at_once, "knowing nothing costs ln n"),
        (as_printed, "a picture chooses in its row"),
        (columns_twice, "a picture chooses in its row"),
        (the_same_twice, "a text chooses in its column"),
        (best_not_own, "pairs stand on the diagonal"),
    ],
    "ensemble_logits": [
        (score_each_prompt, "a score for each class"),
        (probabilities_averaged, "one prompt is just that prompt"),
        (ensemble_not_exponentiated, "one prompt is just that prompt"),
        (features_averaged, "long prompts weigh no more"),
        (logits_averaged, "a class is a unit vector"),
        (best_prompt, "a class is a unit vector"),
        (first_counts_double, "the mean of the prompts"),
    ],
    "loss_floor": [
        (each_its_own, "one number"),
        (knowing_nothing, "different captions have no floor"),
        (in_bits, "n equal captions cost ln n"),
        (share_of_copies, "n equal captions cost ln n"),
        (neighbours_only, "order does not matter"),
        (mean_over_captions, "each pair weighs the same"),
        (log_of_mean, "each pair weighs the same"),
        (largest_group, "each pair weighs the same"),
    ],
    "perfect_loss": [
        ("ln", "one number"),
        (0.0, "perfection still costs"),
        (math.e / (math.e + 127), "perfection still costs"),
        (math.log(128), "less than knowing nothing"),
        (math.log2(1 + 127 / math.e), "less than knowing nothing"),
        (1.0, "one against 127"),
        (math.log(127), "less than knowing nothing"),
    ],
}
