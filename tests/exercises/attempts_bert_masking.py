"""Attempts at 02_bert, masking and loss: RIGHT ones, and WRONG ones with the property each breaks."""

import torch
from torch.nn import functional as F

# --- mask_words: (ids, words, mask_id, n_special, vocab_size) -> read, targets


def _recipe(ids, words, mask_id, n_special, vocab_size, *, count=None, fate_of=None, order=None):
    """The right recipe, with places to go wrong."""
    n = int(words.max()) + 1
    k = max(1, round(0.15 * n)) if count is None else count(n)
    chosen = (torch.randperm(n) if order is None else order(n))[:k]
    read, targets = ids.clone(), torch.full_like(ids, -100)
    for word in chosen:
        here = words == word
        targets[here] = ids[here]
        fate = float(torch.rand(())) if fate_of is None else fate_of()
        if fate < 0.8:
            read[here] = mask_id
        elif fate < 0.9:
            read[here] = torch.randint(n_special, vocab_size, (int(here.sum()),))
    return read, targets


def by_loops(ids, words, mask_id, n_special, vocab_size):
    return _recipe(ids, words, mask_id, n_special, vocab_size)


def by_tables(ids, words, mask_id, n_special, vocab_size):
    n = int(words.max()) + 1
    lot = torch.rand(n)
    chosen_word = lot.argsort().argsort() < max(1, round(0.15 * n))
    fate_word = torch.rand(n)
    chosen = chosen_word[words.clamp(min=0)] & (words >= 0)
    fate = fate_word[words.clamp(min=0)]
    read = torch.where(chosen & (fate < 0.8), mask_id, ids)
    random = torch.randint(n_special, vocab_size, ids.shape)
    read = torch.where(chosen & (fate >= 0.8) & (fate < 0.9), random, read)
    return read, torch.where(chosen, ids, -100)


def piece_by_piece(ids, words, mask_id, n_special, vocab_size):
    where = (words >= 0).nonzero()[:, 0]
    chosen = where[torch.randperm(len(where))[: max(1, round(0.15 * len(where)))]]
    read, targets = ids.clone(), torch.full_like(ids, -100)
    targets[chosen] = ids[chosen]
    fate = torch.rand(ids.shape)
    read[chosen] = torch.where(fate[chosen] < 0.8, mask_id, ids[chosen])
    return read, targets


def a_coin_each(ids, words, *rest):
    return _recipe(ids, words, *rest, count=lambda n: int((torch.rand(n) < 0.15).sum()))


def none_of_a_short_text(ids, words, *rest):
    return _recipe(ids, words, *rest, count=lambda n: round(0.15 * n))


def always_the_first(ids, words, *rest):
    return _recipe(ids, words, *rest, order=torch.arange)


def all_masked(ids, words, *rest):
    return _recipe(ids, words, *rest, fate_of=lambda: 0.0)


def no_kept_ones(ids, words, *rest):
    return _recipe(ids, words, *rest, fate_of=lambda: 0.9 * float(torch.rand(())))


def fate_for_each_piece(ids, words, mask_id, n_special, vocab_size):
    read, targets = _recipe(ids, words, mask_id, n_special, vocab_size, fate_of=lambda: 1.0)
    fate = torch.rand(ids.shape)
    asked = targets != -100
    random = torch.randint(n_special, vocab_size, ids.shape)
    read = torch.where(asked & (fate < 0.8), mask_id, read)
    return torch.where(asked & (fate >= 0.8) & (fate < 0.9), random, read), targets


def specials_count_as_a_word(ids, words, mask_id, n_special, vocab_size):
    return by_tables(ids, words - words.min(), mask_id, n_special, vocab_size)


def targets_are_what_is_read(ids, words, *rest):
    read, targets = by_tables(ids, words, *rest)
    return read, torch.where(targets != -100, read, -100)


def asks_for_everything(ids, words, *rest):
    read, _ = by_tables(ids, words, *rest)
    return read, ids.clone()


def asks_for_changed_ones_only(ids, words, *rest):
    read, targets = by_tables(ids, words, *rest)
    return read, torch.where(read != ids, targets, -100)


def in_place(ids, words, *rest):
    read, targets = by_tables(ids, words, *rest)
    ids.copy_(read)
    return ids, targets


def read_alone(ids, words, *rest):
    return by_tables(ids, words, *rest)[0]


# --- whole_batch_loss: parts -> nats


def all_at_once(parts):
    asked = [(logits[targets != -100], targets[targets != -100]) for logits, targets in parts]
    return F.cross_entropy(torch.cat([x for x, _ in asked]), torch.cat([t for _, t in asked]))


def two_totals(parts):
    total = sum(F.cross_entropy(x.flatten(0, 1), t.flatten(), reduction="sum") for x, t in parts)
    return total / sum((t != -100).sum() for _, t in parts)


def mean_of_means(parts):
    return torch.stack([F.cross_entropy(x.mT, t) for x, t in parts]).mean()


def mean_of_rows(parts):
    rows = [F.cross_entropy(x, t) for logits, targets in parts for x, t in zip(logits, targets, strict=True)]
    return torch.stack(rows).mean()


def by_all_positions(parts):
    total = sum(F.cross_entropy(x.mT, t, reduction="sum") for x, t in parts)
    return total / sum(t.numel() for _, t in parts)


def summed(parts):
    return sum(F.cross_entropy(x.mT, t, reduction="sum") for x, t in parts)


def unasked_as_word_0(parts):
    return two_totals([(x, t.clamp(min=0)) for x, t in parts])


def weighted_with_nan(parts):
    counts = [(t != -100).sum() for _, t in parts]
    total = sum(n * F.cross_entropy(x.mT, t) for n, (x, t) in zip(counts, parts, strict=True))
    return total / sum(counts)


def weighted_by_size(parts):
    asked = [(x, t) for x, t in parts if (t != -100).any()]
    total = sum(t.numel() * F.cross_entropy(x.mT, t) for x, t in asked)
    return total / sum(t.numel() for _, t in asked)


def one_too_many(parts):
    total = sum(F.cross_entropy(x.mT, t, reduction="sum") for x, t in parts)
    return total / (1 + sum((t != -100).sum() for _, t in parts))


def a_float(parts):
    return float(two_totals(parts))


def one_part_only(parts):
    return sum(0 * F.cross_entropy(x.mT, t, reduction="sum").detach() for x, t in parts) + all_detached(parts)


def all_detached(parts):
    return two_totals([(x.detach() if p else x, t) for p, (x, t) in enumerate(parts)])


def a_list(parts):
    return [F.cross_entropy(x.mT, t) for x, t in parts]


RIGHT = {
    "mask_words": [by_loops, by_tables],
    "whole_batch_loss": [all_at_once, two_totals],
}

WRONG = {
    "mask_words": [
        (read_alone, "like the ids"),
        (specials_count_as_a_word, "special tokens stay"),
        (targets_are_what_is_read, "the truth is asked"),
        (asks_for_everything, "special tokens stay"),
        (piece_by_piece, "whole words"),
        (a_coin_each, "15 % of the words"),
        (none_of_a_short_text, "15 % of the words"),
        (always_the_first, "all words alike"),
        (fate_for_each_piece, "one fate a word"),
        (all_masked, "80/10/10"),
        (no_kept_ones, "80/10/10"),
        (asks_for_changed_ones_only, "15 % of the words"),
        (in_place, "leaves its inputs alone"),
    ],
    "whole_batch_loss": [
        (a_list, "one number"),
        (by_all_positions, "knowing nothing costs ln V"),
        (summed, "knowing nothing costs ln V"),
        (one_too_many, "knowing nothing costs ln V"),
        (unasked_as_word_0, "what is not asked weighs nothing"),
        (mean_of_means, "each word weighs the same"),
        (mean_of_rows, "each word weighs the same"),
        (weighted_by_size, "each word weighs the same"),
        (weighted_with_nan, "a part without questions"),
        (a_float, "it can be trained"),
        (one_part_only, "it can be trained"),
    ],
}
