"""What is true of every right mask, loss and parameter count, on small seeded examples."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from lecture10.exercises.exercise import Broken
from lecture10.exercises.expect import dice, number, refuse, same, tensor

GPT1_VOCAB = 40_478

# --- prefix_mask --------------------------------------------------------------------------------------------

MASKS = ((2, 5), (3, 4), (0, 4), (1, 3), (6, 6), (0, 1), (4, 9))  # (n_prefix, length)


def _masks(fn):
    """Each example: how it reads, the answer's mask, rows t, columns s, and where both are prefix."""
    for n_prefix, length in MASKS:
        t, s = torch.arange(length)[:, None], torch.arange(length)[None, :]
        both = (t < n_prefix) & (s < n_prefix)
        yield f"prefix_mask({n_prefix}, {length})", tensor(fn(n_prefix, length), (length, length)), t, s, both


def bool_table(fn):
    """(length, length), bool."""
    for n_prefix, length in MASKS:
        tensor(fn(n_prefix, length), (length, length), torch.bool)


def past_is_open(fn):
    """may_look[t, s] for every s ≤ t."""
    for example, may_look, t, s, _ in _masks(fn):
        refuse(
            ~may_look & (s <= t), lambda at, e=example: f"in {e}, position {at[0]} may not look at {at[1]}"
        )


def prefix_is_open(fn):
    """may_look[t, s] for every t and s in the prefix."""
    for example, may_look, _, _, both in _masks(fn):
        refuse(
            ~may_look & both,
            lambda at, e=example: f"in {e}, position {at[0]} may not look at {at[1]}, though both are prefix",
        )


def future_is_closed(fn):
    """Not may_look[t, s] for s > t, unless both are in the prefix."""
    for example, may_look, t, s, both in _masks(fn):
        refuse(
            may_look & (s > t) & ~both,
            lambda at, e=example: f"in {e}, position {at[0]} may look ahead at {at[1]}",
        )


# --- tied_loss ----------------------------------------------------------------------------------------------


def _texts(seed: int, lengths: list[int], width: int = 6, vocab: int = 9) -> tuple[Tensor, ...]:
    """h (B, T, D), W_e (V, D), tokens (B, T), lengths (B,), drawn at random."""
    roll, texts, longest = dice(seed), len(lengths), max(lengths)
    h = torch.randn(texts, longest, width, generator=roll)
    W_e = torch.randn(vocab, width, generator=roll)
    return h, W_e, torch.randint(vocab, (texts, longest), generator=roll), torch.tensor(lengths)


def loss_is_one_number(fn):
    """A finite scalar."""
    for seed, lengths in enumerate([[4, 4], [2, 5, 3]]):
        number(fn(*_texts(seed, lengths)))


def knowing_nothing_costs_ln_v(fn):
    """With h = 0 the softmax is uniform."""
    for vocab, lengths in ((9, [4, 4]), (20, [3]), (5, [6, 6, 6])):
        h, W_e, tokens, lengths = _texts(vocab, lengths, vocab=vocab)
        same(
            number(fn(torch.zeros_like(h), W_e, tokens, lengths)),
            math.log(vocab),
            f"h = 0 with {vocab} tokens",
        )


def the_next_token(fn):
    """Belief in token t+1 costs nothing; so that 'the one before' is not as good, tokens do not repeat."""
    W_e = 30 * torch.eye(8)
    tokens = torch.stack([torch.randperm(8, generator=dice(seed))[:5] for seed in range(3)])
    h = torch.eye(8)[tokens.roll(-1, dims=1)]  # h at t points to the embedding of token t+1
    loss = number(fn(h, W_e, tokens, torch.tensor([5, 5, 5])))
    if loss > 0.01:
        raise Broken(f"every position is sure of the right next token, and yet the loss is {loss:.3g}, not 0")


def no_padding(fn):
    """Whatever stands after the end of a text, the loss is the same."""
    h, W_e, tokens, lengths = _texts(3, [2, 6, 4])
    before = number(fn(h, W_e, tokens, lengths))
    padding = torch.arange(tokens.shape[1]) >= lengths[:, None]  # (B, T)
    other = torch.where(padding, (tokens + 1) % len(W_e), tokens)
    after = number(fn(torch.where(padding[..., None], -h, h), W_e, other, lengths))
    same(after, before, f"texts of lengths {lengths.tolist()}, other padding")


def each_weighs_the_same(fn):
    """The mean over predictions, not over texts."""
    for seed, lengths in enumerate([[2, 6], [1, 5, 3], [4, 2, 7]]):
        h, W_e, tokens, lengths = _texts(10 + seed, lengths)
        paid = [
            F.cross_entropy(h[b, t] @ W_e.T, tokens[b, t + 1]).item()
            for b, length in enumerate(lengths.tolist())
            for t in range(length - 1)
        ]
        wanted = sum(paid) / len(paid)
        same(number(fn(h, W_e, tokens, lengths)), wanted, f"texts of lengths {lengths.tolist()}")


def trainable(fn):
    """Backward reaches h and W_e."""
    h, W_e, tokens, lengths = _texts(5, [3, 4])
    loss = fn(h.requires_grad_(), W_e.requires_grad_(), tokens, lengths)
    if not getattr(loss, "requires_grad", False):
        raise Broken("the loss has no gradient: .item(), .detach() or float(...) cut it off")
    for name, gradient in zip(
        ("h", "W_e"), torch.autograd.grad(loss, (h, W_e), allow_unused=True), strict=True
    ):
        if gradient is None or not gradient.any():
            raise Broken(f"no gradient reaches {name}")


# --- gpt_parameters -----------------------------------------------------------------------------------------


def _count(fn, *sizes: int) -> int:
    value = number(fn(*sizes))
    if value != int(value):
        raise Broken(f"gpt_parameters{sizes} is {value}")
    return int(value)


def _block(fn, width: int) -> int:
    """What two blocks cost, halved."""
    return (_count(fn, 2, width, 10, 5) - _count(fn, 0, width, 10, 5)) // 2


def whole_number(fn):
    """An integer."""
    _count(fn, 2, 8, 10, 5)


def one_row_a_token(fn):
    """The difference that one token makes."""
    same(_count(fn, 2, 8, 11, 5) - _count(fn, 2, 8, 10, 5), 8, "one token more, at width 8", 0)


def one_row_a_position(fn):
    """The difference that one position makes."""
    same(_count(fn, 3, 8, 10, 6) - _count(fn, 3, 8, 10, 5), 8, "one position more, at width 8", 0)


def nothing_else_outside(fn):
    """layers = 0."""
    same(_count(fn, 0, 8, 10, 5), 120, "no blocks, width 8, 10 tokens, 5 positions", 0)


def twelve_d_squared(fn):
    """The part of a block that grows with the square of the width."""
    got = (_block(fn, 16) - 2 * _block(fn, 8)) // 2  # terms in d drop out; 16² − 2 · 8² = 2 · 8²
    same(got, 12 * 64, "the matrices of one block of width 8", 0)


def thirteen_d(fn):
    """The part of a block that grows with the width, and GPT-1's own number."""
    got = 2 * _block(fn, 8) - _block(fn, 16) // 2
    same(got, 13 * 8, "the biases and norms of one block of width 8", 0)
    same(_count(fn, 12, 768, GPT1_VOCAB, 512), 116_534_784, "GPT-1", 0)


# --- first_loss ---------------------------------------------------------------------------------------------


def prediction_is_one_number(value):
    """A finite scalar."""
    number(value)


def cost_not_probability(value):
    """Not 1/V, not 0."""
    if number(value) < 1:
        raise Broken(f"a loss of {number(value):.3g} nats would mean that the model is nearly sure")


def a_logarithm(value):
    """Not V itself, the perplexity."""
    if number(value) > 100:
        raise Broken(f"{number(value):.6g} is a perplexity: among how many tokens the model wavers")


def in_nats(value):
    """Not in bits, not to base 10."""
    for base, name in ((2, "bits"), (10, "decimal digits")):
        if abs(number(value) - math.log(GPT1_VOCAB, base)) < 0.1:
            raise Broken(f"{number(value):.4g} is in {name}")


def all_tokens_alike(value):
    """ln V, a little more for the noise of the first weights."""
    if abs(number(value) - math.log(GPT1_VOCAB)) > 0.3:
        raise Broken(
            f"{number(value):.4g} is what {math.exp(number(value)):,.0f} equally likely tokens would cost"
        )
