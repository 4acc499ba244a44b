"""Attempts at 01_gpt1, mask, loss and counts: RIGHT ones, and WRONG ones with the property each breaks."""

import math

import torch
from torch.nn import functional as F

# --- prefix_mask: (n_prefix, length) -> may_look


def rule_by_rule(n_prefix, length):
    t, s = torch.arange(length)[:, None], torch.arange(length)[None]
    return (s <= t) | ((t < n_prefix) & (s < n_prefix))


def last_visible(n_prefix, length):
    rows = [[s <= max(t, n_prefix - 1) for s in range(length)] for t in range(length)]
    return torch.tensor(rows) if n_prefix <= length else torch.ones(length, length, dtype=torch.bool)


def causal_only(n_prefix, length):
    return torch.ones(length, length, dtype=torch.bool).tril()


def transposed(n_prefix, length):
    return rule_by_rule(n_prefix, length).T


def floats(n_prefix, length):
    return rule_by_rule(n_prefix, length).float()


def additive(n_prefix, length):
    return torch.zeros(length, length).masked_fill(~rule_by_rule(n_prefix, length), -math.inf)


def not_itself(n_prefix, length):
    may_look = torch.ones(length, length, dtype=torch.bool).tril(-1)
    may_look[:n_prefix, :n_prefix] = True
    return may_look


def prefix_one_longer(n_prefix, length):
    return rule_by_rule(n_prefix + 1, length)


def peeks_at_the_next(n_prefix, length):
    return rule_by_rule(n_prefix, length) | torch.ones(length, length, dtype=torch.bool).tril(1)


def all_look_at_prefix_and_more(n_prefix, length):
    may_look = causal_only(n_prefix, length)
    may_look[:n_prefix] = True  # the whole rows, not only the square
    return may_look


def true_means_hidden(n_prefix, length):
    return ~rule_by_rule(n_prefix, length)


def two_islands(n_prefix, length):
    may_look = causal_only(n_prefix, length)
    may_look[:n_prefix, :n_prefix] = True
    may_look[n_prefix:, :n_prefix] = False
    return may_look


# --- tied_loss: (h, W_e, tokens, lengths) -> nats


def with_ignore_index(h, W_e, tokens, lengths):
    padding = torch.arange(tokens.shape[1]) >= lengths[:, None]
    targets = tokens.masked_fill(padding, -100)[:, 1:]
    return F.cross_entropy((h @ W_e.T)[:, :-1].reshape(-1, len(W_e)), targets.reshape(-1))


def text_by_text(h, W_e, tokens, lengths):
    log_p = torch.einsum("btd,vd->btv", h, W_e).log_softmax(-1)
    paid = [-log_p[b, t, tokens[b, t + 1]] for b in range(len(tokens)) for t in range(int(lengths[b]) - 1)]
    return torch.stack(paid).mean()


def _nats(h, W_e, tokens):
    return F.cross_entropy((h[:, :-1] @ W_e.T).mT, tokens[:, 1:], reduction="none")


def _real(tokens, lengths):
    return torch.arange(1, tokens.shape[1]) < lengths[:, None]


def no_shift(h, W_e, tokens, lengths):
    real = torch.arange(tokens.shape[1]) < lengths[:, None]
    return F.cross_entropy((h @ W_e.T).mT, tokens, reduction="none")[real].mean()


def the_token_before(h, W_e, tokens, lengths):
    nats = F.cross_entropy((h[:, 1:] @ W_e.T).mT, tokens[:, :-1], reduction="none")
    return nats[_real(tokens, lengths)].mean()


def summed(h, W_e, tokens, lengths):
    return _nats(h, W_e, tokens)[_real(tokens, lengths)].sum()


def divided_by_tokens(h, W_e, tokens, lengths):
    return (_nats(h, W_e, tokens) * _real(tokens, lengths)).sum() / lengths.sum()


def padding_counted(h, W_e, tokens, lengths):
    return _nats(h, W_e, tokens).mean()


def one_too_many(h, W_e, tokens, lengths):
    real = torch.arange(tokens.shape[1] - 1) < lengths[:, None]  # the end of a text predicts its padding
    return _nats(h, W_e, tokens)[real].mean()


def padding_as_zero(h, W_e, tokens, lengths):
    return (_nats(h, W_e, tokens) * _real(tokens, lengths)).mean()


def mean_of_means(h, W_e, tokens, lengths):
    real = _real(tokens, lengths)
    per_text = (_nats(h, W_e, tokens) * real).sum(1) / real.sum(1).clamp(min=1)
    return per_text.mean()


def softmax_twice(h, W_e, tokens, lengths):
    probs = (h[:, :-1] @ W_e.T).softmax(-1)
    return F.cross_entropy(probs.mT, tokens[:, 1:], reduction="none")[_real(tokens, lengths)].mean()


def in_bits(h, W_e, tokens, lengths):
    return with_ignore_index(h, W_e, tokens, lengths) / math.log(2)


def untransposed(h, W_e, tokens, lengths):
    return F.cross_entropy((h[:, :-1] @ W_e).mT, tokens[:, 1:])


def cut_off(h, W_e, tokens, lengths):
    return with_ignore_index(h, W_e, tokens, lengths).item()


def embedding_frozen(h, W_e, tokens, lengths):
    return with_ignore_index(h, W_e.detach(), tokens, lengths)


def unreduced(h, W_e, tokens, lengths):
    return _nats(h, W_e, tokens)[_real(tokens, lengths)]


# --- gpt_parameters: (layers, width, vocab, context) -> count


def by_formula(layers, width, vocab, context):
    return (vocab + context) * width + layers * (12 * width**2 + 13 * width)


def by_shapes(layers, width, vocab, context):
    d = width
    block = [(d, 3 * d), (3 * d,), (d, d), (d,), (d, 4 * d), (4 * d,), (4 * d, d), (d,), (2, d), (2, d)]
    return sum(math.prod(shape) for shape in [(vocab, d), (context, d), *block * layers])


def untied(layers, width, vocab, context):
    return by_formula(layers, width, vocab, context) + vocab * width


def no_positions(layers, width, vocab, context):
    return by_formula(layers, width, vocab, 0)


def no_biases(layers, width, vocab, context):
    return (vocab + context) * width + layers * 12 * width**2


def no_norms(layers, width, vocab, context):
    return (vocab + context) * width + layers * (12 * width**2 + 9 * width)


def narrow_feed_forward(layers, width, vocab, context):
    return (vocab + context) * width + layers * (8 * width**2 + 11 * width)


def last_norm(layers, width, vocab, context):
    return by_formula(layers, width, vocab, context) + 2 * width


def positions_in_each(layers, width, vocab, context):
    return by_formula(layers, width, vocab, 0) + layers * context * width


def in_millions(layers, width, vocab, context):
    return by_formula(layers, width, vocab, context) / 1e6


RIGHT = {
    "prefix_mask": [rule_by_rule, last_visible],
    "tied_loss": [with_ignore_index, text_by_text],
    "gpt_parameters": [by_formula, by_shapes],
    "first_loss": [10.6, -math.log(1 / 40_478), torch.tensor(10.75)],
}

WRONG = {
    "prefix_mask": [
        (causal_only, "the prefix is open"),
        (transposed, "the past is open"),
        (floats, "a bool table"),
        (additive, "a bool table"),
        (not_itself, "the past is open"),
        (prefix_one_longer, "the future is closed"),
        (peeks_at_the_next, "the future is closed"),
        (all_look_at_prefix_and_more, "the future is closed"),
        (true_means_hidden, "the past is open"),
        (two_islands, "the past is open"),
    ],
    "tied_loss": [
        (no_shift, "the next token"),
        (the_token_before, "the next token"),
        (summed, "knowing nothing costs ln V"),
        (divided_by_tokens, "knowing nothing costs ln V"),
        (in_bits, "knowing nothing costs ln V"),
        (padding_counted, "padding counts for nothing"),
        (one_too_many, "padding counts for nothing"),
        (padding_as_zero, "each prediction weighs the same"),
        (mean_of_means, "each prediction weighs the same"),
        (softmax_twice, "the next token"),
        (untransposed, "runs"),
        (cut_off, "it can be trained"),
        (embedding_frozen, "it can be trained"),
        (unreduced, "one number"),
    ],
    "gpt_parameters": [
        (untied, "one row a token"),
        (no_positions, "one row a position"),
        (positions_in_each, "one row a position"),
        (no_biases, "13 d a block"),
        (no_norms, "13 d a block"),
        (narrow_feed_forward, "12 d² a block"),
        (last_norm, "nothing else outside"),
        (in_millions, "a whole number"),
    ],
    "first_loss": [
        (1 / 40_478, "a cost, not a probability"),
        (0.0, "a cost, not a probability"),
        (math.log2(40_478), "in nats"),
        (math.log10(40_478), "in nats"),
        (40_478, "a logarithm"),
        (7.0, "all tokens alike"),
        ("ln V", "one number"),
        (math.inf, "one number"),
    ],
}
