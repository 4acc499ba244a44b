"""Model answers to the exercises of 01_gpt1. Their docstrings are the tasks that the learner reads."""

import math

import torch


def prefix_mask(n_prefix: int, length: int) -> torch.Tensor:
    """The mask of a prefix language model: the prefix is read both ways, the rest in order.

    The first n_prefix positions may look at one another, whichever comes first.
    Every later position may look at itself and at all that came before it, as in GPT.
    Returns may_look (length, length) bool, True where position t (row) may look at position s (column).
    """
    may_look = torch.ones(length, length, dtype=torch.bool).tril()  # GPT's own rule: s ≤ t
    may_look[:n_prefix, :n_prefix] = True
    return may_look


def tied_loss(
    h: torch.Tensor, W_e: torch.Tensor, tokens: torch.Tensor, lengths: torch.Tensor
) -> torch.Tensor:
    """L1 as a loss, for texts of different length: the mean of −log P(next token) in nats.

    h (B, T, D): the last block's output, h_n; W_e (V, D): the token embedding, which is the output layer too.
    tokens (B, T); lengths (B,): text b is tokens[b, :lengths[b]], what follows is padding and never counts.
    The mean is over all predictions of all texts; a text of one token asks for none. Returns one number.
    """
    logits = h[:, :-1] @ W_e.T  # (B, T-1, V): the last position has nothing to predict
    nats = torch.nn.functional.cross_entropy(logits.mT, tokens[:, 1:], reduction="none")  # (B, T-1)
    predicts_text = torch.arange(1, tokens.shape[1]) < lengths[:, None]  # (B, T-1)
    return nats[predicts_text].mean()


def next_token_probs(logits: torch.Tensor, temperature: float, top_p: float) -> torch.Tensor:
    """The probabilities from which the next token is drawn: temperature first, then the nucleus (top-p).

    logits (V,); temperature ≥ 0, where 0 means greedy: all probability on the best token; 0 < top_p ≤ 1.
    Keeps the smallest set of most probable tokens whose probabilities sum to top_p or more, at least one,
    and shares all probability among them in their old proportions. Returns (V,), in the order of the logits.
    """
    if temperature == 0:
        return torch.nn.functional.one_hot(logits.argmax(), len(logits)).to(logits.dtype)
    ranked, order = (logits / temperature).softmax(-1).sort(descending=True)  # (V,), (V,)
    mass_before = ranked.cumsum(-1) - ranked  # what the better tokens hold together
    kept = ranked * (mass_before < top_p)
    return torch.zeros_like(kept).scatter(0, order, kept / kept.sum())


def bits_per_byte(losses: torch.Tensor, byte_lengths: torch.Tensor) -> torch.Tensor:
    """How many bits the model needs per byte of text: a figure that does not depend on how the text was cut.

    losses (N,): −log P of each token, in nats; byte_lengths (N,): how many bytes of text each token is
    (0 for a special token, such as the end of a text: it has its cost, but no bytes). Returns one number.
    """
    return losses.sum() / math.log(2) / byte_lengths.sum()


def generate_greedy(model, prompt: list[int], n_new: int) -> list[int]:
    """Continue the prompt by n_new tokens, always the best one; the cache spares reading anything twice.

    model(tokens, positions, cache) -> (logits, cache): tokens (T,) not read before, positions (T,) where they
    stand in the text (from 0), cache None at first; logits (T, V) for what follows each of these tokens.
    Returns the prompt and the new tokens, as one list.
    """
    text, seen, cache = list(prompt), 0, None
    for _ in range(n_new):
        tokens = torch.tensor(text[seen:])
        positions = torch.arange(seen, len(text))
        logits, cache = model(tokens, positions, cache)
        seen = len(text)
        text.append(int(logits[-1].argmax()))
    return text


def gpt_parameters(layers: int, width: int, vocab: int, context: int) -> int:
    """How many numbers does GPT-1 learn? One matrix embeds tokens and predicts them; positions are learnt.

    A block has attention (four width × width matrices with biases), a feed-forward part (width → 4·width
    → width, with biases) and two layer norms (gain and bias). Nothing comes after the last block.
    """
    attention = 4 * (width * width + width)
    feed_forward = (width * 4 * width + 4 * width) + (4 * width * width + width)
    norms = 2 * (width + width)
    return vocab * width + context * width + layers * (attention + feed_forward + norms)


def first_loss() -> float:
    """Before the first step every one of the 40 478 tokens looks about equally likely: P = 1 / 40 478."""
    return math.log(40_478)
