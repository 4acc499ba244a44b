"""Model answers to the exercises of 04_clip. Their docstrings are the tasks that the learner reads."""

import math

import torch


def two_losses(logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The two halves of CLIP's loss, told apart: (each picture picks its text, each text picks its picture).

    logits (n, n): scaled cosines, row i = picture i, column j = text j, and the pairs on the diagonal.
    Each half is a mean over n choices, in nats.
    """
    pairs = torch.arange(len(logits))
    picture_picks = -logits.log_softmax(dim=1)[pairs, pairs].mean()  # over the texts of a row
    text_picks = -logits.log_softmax(dim=0)[pairs, pairs].mean()  # over the pictures of a column
    return picture_picks, text_picks


def ensemble_logits(I_e: torch.Tensor, P_f: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """Zero-shot logits (B, C) of classes that are told by P prompts each, as in CLIP's prompt ensembles.

    I_e (B, E): unit vectors of pictures; P_f (C, P, E): the prompts' features, of any length; t: log(1/τ).
    A class is one unit vector, made of its prompts' embeddings, and scores e^t times its cosine.
    """
    P_e = P_f / P_f.norm(dim=-1, keepdim=True)
    classes = P_e.mean(dim=1)  # (C, E)
    classes = classes / classes.norm(dim=-1, keepdim=True)
    return I_e @ classes.T * t.exp()


def loss_with_negatives(
    I_f: torch.Tensor, T_f: torch.Tensor, N_f: torch.Tensor, t: torch.Tensor
) -> torch.Tensor:
    """CLIP's loss with k more captions N_f (k, E) that belong to no picture (such as colours swapped).

    A picture chooses among all n + k texts. Only the n captions are asked for their picture, among n.
    """
    normalize = torch.nn.functional.normalize
    I_e, T_e, N_e = normalize(I_f, dim=1), normalize(T_f, dim=1), normalize(N_f, dim=1)
    to_texts = I_e @ torch.cat([T_e, N_e]).T * t.exp()  # (n, n + k)
    to_pictures = T_e @ I_e.T * t.exp()  # (n, n)
    pairs = torch.arange(len(I_f))
    cross_entropy = torch.nn.functional.cross_entropy
    return (cross_entropy(to_texts, pairs) + cross_entropy(to_pictures, pairs)) / 2


def sigmoid_loss(I_f: torch.Tensor, T_f: torch.Tensor, t: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """SigLIP's variant: each of the n × n pairs is asked by itself whether it belongs together (i = j).

    Its logit is e^t · cosine + b; it pays −log σ(logit) where it does and −log σ(−logit) where not.
    Returns what all pairs pay, divided by n.
    """
    normalize = torch.nn.functional.normalize
    logits = normalize(I_f, dim=1) @ normalize(T_f, dim=1).T * t.exp() + b  # (n, n)
    sign = 2 * torch.eye(len(logits)) - 1  # +1 on the diagonal, −1 elsewhere
    return -torch.nn.functional.logsigmoid(sign * logits).sum() / len(logits)


def loss_floor(captions: list[str]) -> float:
    """The lowest loss that any CLIP can reach on a batch with these captions, some of which may be equal.

    Equal captions have equal embeddings: a picture whose caption stands m times in the batch can give each of
    the m at most 1/m, and they in turn cannot tell their m pictures apart. Returns nats, a mean over pairs.
    """
    return sum(math.log(captions.count(caption)) for caption in captions) / len(captions)


def repair_targets(I_f: torch.Tensor, T_f: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """CLIP's loss of n pairs: each picture picks its caption, each caption its picture; their mean, in nats.

    I_f, T_f (n, E): features of any length, pair by pair; t: log(1/τ), the scale of the cosines being e^t.
    """
    I_e = torch.nn.functional.normalize(I_f, dim=1)
    T_e = torch.nn.functional.normalize(T_f, dim=1)
    logits = I_e @ T_e.T * t.exp()
    targets = torch.eye(len(logits))
    pictures = -(targets * logits.log_softmax(1)).sum(1).mean()
    texts = -(targets * logits.T.log_softmax(1)).sum(1).mean()
    return (pictures + texts) / 2


def repair_direction(I_f: torch.Tensor, T_f: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """CLIP's loss of n pairs: each picture picks its caption, each caption its picture; their mean, in nats.

    I_f, T_f (n, E): features of any length, pair by pair; t: log(1/τ), the scale of the cosines being e^t.
    """
    I_e = torch.nn.functional.normalize(I_f, dim=1)
    T_e = torch.nn.functional.normalize(T_f, dim=1)
    logits_per_image = I_e @ T_e.T * t.exp()
    logits_per_text = logits_per_image.T
    labels = torch.arange(len(I_f))
    loss_i = torch.nn.functional.cross_entropy(logits_per_image, labels)
    loss_t = torch.nn.functional.cross_entropy(logits_per_text, labels)
    return (loss_i + loss_t) / 2


def repair_scale(I_f: torch.Tensor, T_f: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """CLIP's loss of n pairs: each picture picks its caption, each caption its picture; their mean, in nats.

    I_f, T_f (n, E): features of any length, pair by pair; t: log(1/τ), the scale of the cosines being e^t.
    """
    I_e = torch.nn.functional.normalize(I_f, dim=1)
    T_e = torch.nn.functional.normalize(T_f, dim=1)
    logits = I_e @ T_e.T * t.exp()
    labels = torch.arange(len(I_f))
    loss_i = torch.nn.functional.cross_entropy(logits, labels)
    loss_t = torch.nn.functional.cross_entropy(logits.T, labels)
    return (loss_i + loss_t) / 2


def perfect_loss() -> float:
    """The right text has logit 1, each of the 127 others 0: P = e / (e + 127), and the loss is −ln P."""
    return -math.log(math.e / (math.e + 127))
