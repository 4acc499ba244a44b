"""The arithmetic with which the slides' tables are checked: short enough to be shown beside them.

Nothing here reads a file; numbers come in, numbers go out.
"""

import math
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from statistics import NormalDist, fmean

import numpy as np

Z95 = NormalDist().inv_cdf(0.975)  # 1.95996…: half of a 95 % interval in standard errors

# What the parameter counts need: layers, width, tokens in the vocabulary, positions.
GPT1 = {"layers": 12, "width": 768, "tokens": 40_478, "positions": 512, "final_norm": False}  # post-norm
GPT2_XL = {"layers": 48, "width": 1600, "tokens": 50_257, "positions": 1024}
GPT3_TEXT = {"tokens": 50_257, "positions": 2048}  # the same for all eight sizes of Table 2.1
BERT_BASE = {"layers": 12, "width": 768}
BERT_LARGE = {"layers": 24, "width": 1024}


def rounded(value: float, places: int = 1) -> float:
    """Rounded as tables do, halves up: rounded(69.1625, 3) -> 69.163, where Python's own round gives 69.162.

    The value is first cut to 9 decimals, so that 74.64999999999999 counts as the 74.65 that it stands for.
    """
    exact = Decimal(repr(round(value, 9)))
    return float(exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP))


def could_print(low: float, high: float, printed: str) -> bool:
    """Could a value in [low, high], rounded to as many decimals as `printed` shows, be printed so?"""
    places = len(printed.partition(".")[2])
    half = 0.5 * 10**-places
    return low <= float(printed) + half and high >= float(printed) - half


def block_parameters(width: int, inner: int | None = None) -> int:
    """One Transformer block with biases: q, k, v, output; two layers of 4·width; two layer norms.

    With `inner` = heads · d_head = width (the default) this is 12 d² + 13 d.
    """
    inner = inner or width
    attention = 3 * (width * inner + inner) + inner * width + width
    perceptron = 2 * 4 * width * width + 4 * width + width
    return attention + perceptron + 2 * 2 * width


def gpt_parameters(
    layers: int, width: int, tokens: int, positions: int, *, inner: int | None = None, final_norm: bool = True
) -> int:
    """A GPT: token and position embeddings, blocks, a last layer norm (not GPT-1); output matrix tied."""
    return (tokens + positions) * width + layers * block_parameters(width, inner) + 2 * width * final_norm


def bert_parameters(layers: int, width: int, tokens: int = 30_522, positions: int = 512) -> int:
    """A BERT encoder: embeddings (two segments, layer norm), blocks and the pooler; no pre-training heads."""
    embeddings = (tokens + positions + 2) * width + 2 * width
    return embeddings + layers * block_parameters(width) + width * width + width


def wilson(share: float, n: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's interval for a share p seen in n trials (Wilson 1927).

    (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n).
    Raises ValueError where `share` is outside [0, 1] or n < 1.
    """
    if not 0 <= share <= 1 or n < 1:
        raise ValueError(
            f"a share lies in [0, 1] and n is at least 1, not share={share}, n={n}; 85 % is 0.85"
        )
    middle = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def z_of_difference(a: float, half_a: float, b: float, half_b: float) -> float:
    """How many standard errors b lies above a: two independent means, each ± half of its 95 % interval."""
    return (b - a) * Z95 / math.hypot(half_a, half_b)


def p_value(z: float) -> float:
    """Two-sided: how often chance alone gives a |z| at least as large."""
    return 2 * NormalDist().cdf(-abs(z))


def implied_n(share: float, half: float) -> float:
    """How many independent answers give a share p the 95 % interval ± half: p (1 − p) (1.96 / half)²."""
    return share * (1 - share) * (Z95 / half) ** 2


def epochs(budget: float, weight: float, size: float) -> float:
    """How often a data set of `size` tokens is seen when a share `weight` of `budget` tokens is its."""
    return budget * weight / size


def epochs_range(
    budget: float, weight: float, size: float, d_weight: float, d_size: float
) -> tuple[float, float]:
    """The epochs that rounded figures allow: weight ± d_weight and size ± d_size."""
    return epochs(budget, weight - d_weight, size + d_size), epochs(budget, weight + d_weight, size - d_size)


def probability(perplexity: float) -> float:
    """The geometric mean of the probabilities given to the right words: 1 / perplexity."""
    return 1 / perplexity


def mean_over_tasks(scores: Mapping[str, float]) -> float:
    """The mean over tasks; a task with several scores ("CB Accuracy", "CB F1") is first averaged by itself.

    The task is the first word of a heading.
    """
    tasks: dict[str, list[float]] = {}
    for heading, score in scores.items():
        tasks.setdefault(heading.split()[0], []).append(score)
    return fmean(fmean(task) for task in tasks.values())


def gap_closed(baseline: float, model: float, reference: float) -> float:
    """The share of the way from `baseline` to `reference` that `model` covers; above 1, it passes it."""
    return (model - baseline) / (reference - baseline)


def cross_entropy(logits: np.ndarray, axis: int) -> float:
    """Mean −log softmax of the diagonal of (N, N) logits, the softmax running over `axis`.

    logits[image, text]: over axis 1 each image picks its text, over axis 0 each text its image.
    """
    top = logits.max(axis=axis, keepdims=True)
    log_total = np.log(np.exp(logits - top).sum(axis=axis, keepdims=True)) + top
    return float(-np.diag(logits - log_total).mean())
