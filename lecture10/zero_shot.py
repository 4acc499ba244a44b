"""Told, not trained: a classifier out of class names, and the linear probe that it is compared with.

Radford et al. 2021, sections 3.1.2 to 3.1.5. `encode` is always a function of texts that gives token ids
(n, T), such as a recipe's or `OfficialCLIP.encode`.
B: batch; C: classes; E: width of the embedding.
"""

import re
import warnings
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Encode = Callable[[Sequence[str]], Tensor]

BARE = ("{}",)
TEMPLATE = ("a photo of a {}.",)  # the paper's own
TEMPLATES = (  # eight to average, each a sentence that the little world's captions could hold
    "a photo of a {}.",
    "a picture of a {}.",
    "a photograph of a {}.",
    "a snapshot of a {}.",
    "a {}",
    "a large {}",
    "a small {}",
    "there is a {}.",
)


def prompts(name: str, templates: Sequence[str] = TEMPLATES) -> list[str]:
    """A class's name in each template, with "an" where a vowel follows.

    >>> prompts("orange cup", ("a photo of a {}.", "{}"))
    ['a photo of an orange cup.', 'orange cup']

    Raises ValueError for an empty name, and for templates that are none.
    """
    if not name.strip():
        raise ValueError("a class without a name cannot be told: write its name")
    if isinstance(templates, str) or not len(templates):
        raise ValueError(f'templates are {templates!r}: give a list such as ["a photo of a {{}}."]')
    for template in templates:
        if template.count("{}") != 1:
            raise ValueError(f"the template {template!r} has no single {{}} where the class's name goes")
    an = name.lstrip()[0].lower() in "aeiou"
    return [(re.sub(r"\b([Aa]) \{", r"\1n {", t) if an else t).format(name) for t in templates]


def class_embeddings(
    clip: nn.Module, encode: Encode, names: Sequence[str], templates: Sequence[str] = TEMPLATES
) -> Tensor:
    """(C, E) unit vectors: each class's prompts embedded, normalised, averaged, and normalised again.

    Embeddings are averaged, not logits or probabilities: then an ensemble of eighty prompts costs no more at
    test time than one. Raises ValueError for an empty list and for classes that occur twice.
    """
    check_classes(names)
    texts = [text for name in names for text in prompts(name, templates)]
    each = embed_texts(clip, encode, texts).unflatten(0, (len(names), len(templates)))  # (C, templates, E)
    return F.normalize(each.mean(1), dim=-1)


def check_classes(names: Sequence[str]) -> None:
    """Raise ValueError where names are missing, or the same name stands for two classes."""
    if isinstance(names, str) or not len(names):
        raise ValueError(f"classes are {names!r}: give a list of names, such as ['cat', 'dog']")
    first: dict[str, int] = {}
    for at, name in enumerate(" ".join(name.lower().split()) for name in names):
        if name in first:
            raise ValueError(
                f"class {name!r} stands at {first[name]} and at {at}: equal classes share the probability "
                "and neither can win. Leave one out, or give them names that tell them apart"
            )
        first[name] = at


def class_probabilities(
    clip: nn.Module, I_e: Tensor, classes: Tensor, *, scale: float | None = None
) -> Tensor:
    """Softmax over classes of the scaled cosines: (B, E), (C, E) -> (B, C).

    scale: what the cosines are multiplied by, 1 / temperature (default: e^t, as the model has learnt it).
    """
    factor = clip.held_logit_scale().exp().detach() if scale is None else scale
    return (I_e @ classes.T * factor).softmax(-1)


def accuracy(scores: Tensor, labels: Tensor) -> float:
    """The share of rows whose largest score is the labelled class's; where several share the largest, the
    chance of a random pick among them. scores: (B, C); labels: (B,).
    """
    best = scores == scores.amax(1, keepdim=True)  # (B, C)
    right = best.gather(1, labels[:, None])[:, 0]
    return float((right / best.sum(1)).mean())


@torch.no_grad()
def embed_images(clip: nn.Module, images: Tensor, *, batch: int = 256) -> Tensor:
    """(n, 3, S, S) in [0, 1] -> (n, E) unit vectors, in eval mode, `batch` at a time, without gradients."""
    return _in_eval(clip, lambda: torch.cat([clip.embed_images(part) for part in images.split(batch)]))


@torch.no_grad()
def embed_texts(clip: nn.Module, encode: Encode, texts: Sequence[str], *, batch: int = 512) -> Tensor:
    """n texts -> (n, E) unit vectors, as `embed_images`. Raises ValueError for an empty text."""
    for at, text in enumerate(texts):
        if not text.strip():
            raise ValueError(f"prompt {at} is empty: write a few words")
    device = next(clip.parameters()).device
    parts = [texts[i : i + batch] for i in range(0, len(texts), batch)]
    return _in_eval(clip, lambda: torch.cat([clip.embed_texts(encode(p).to(device)) for p in parts]))


@torch.no_grad()
def word_map(clip: nn.Module, encode: Encode, images: Tensor, words: Sequence[str]) -> Tensor:
    """Which patches carry a word: (B, words, h, w) cosines of each place's embedding with each text's.

    A place's embedding is what the tower would say if its last look were at that place alone (Zhou et al.
    2022). Compare words at one place, or places for one word; the cosines have no absolute meaning.
    """
    T_e = embed_texts(clip, encode, words)
    places = _in_eval(clip, lambda: clip.embed_places(images))  # (B, h, w, E)
    return torch.einsum("bhwe,ce->bchw", places, T_e)


def _in_eval(clip: nn.Module, compute: Callable[[], Tensor]) -> Tensor:
    was_training = clip.training
    clip.eval()
    try:
        return compute()
    finally:
        clip.train(was_training)


# --- the linear probe ---------------------------------------------------------------------------------------


def few_shots(labels: Tensor, shots: int, seed: int = 0) -> Tensor:
    """Positions of `shots` random examples of each class: (classes · shots,).

    Raises ValueError where a class has fewer.
    """
    roll, chosen = torch.Generator().manual_seed(seed), []
    for label in labels.unique().tolist():
        where = (labels == label).nonzero()[:, 0]
        if not 1 <= shots <= len(where):
            raise ValueError(
                f"class {label} has {len(where)} examples, {shots} are asked for: draw more scenes"
            )
        chosen.append(where[torch.randperm(len(where), generator=roll)[:shots]])
    return torch.cat(chosen)


def linear_probe(features: Tensor, labels: Tensor, *, C: float = 1.0):
    """scikit-learn's logistic regression on frozen features (n, E), L-BFGS, at most 1,000 iterations.

    C: the inverse strength of the L2 penalty; the paper sweeps it on validation data. Returns the fitted
    classifier; `probe_accuracy` scores it. Raises ValueError for fewer than two classes.
    """
    from sklearn.linear_model import LogisticRegression

    if len(labels.unique()) < 2:
        raise ValueError("a probe needs examples of at least two classes")
    with warnings.catch_warnings():  # one picture a class is what we mean
        warnings.filterwarnings("ignore", message="The number of unique classes is greater than 50%")
        return LogisticRegression(C=C, max_iter=1000).fit(features.cpu().numpy(), labels.cpu().numpy())


def probe_accuracy(probe, features: Tensor, labels: Tensor) -> float:
    """The share of features (n, E) whose class the probe names."""
    return float(probe.score(features.cpu().numpy(), labels.cpu().numpy()))
