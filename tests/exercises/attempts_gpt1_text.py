"""Attempts at 01_gpt1, drawing, measuring, writing: RIGHT ones, WRONG ones and the property each breaks."""

import math

import torch
from torch.nn import functional as F

# --- next_token_probs: (logits, temperature, top_p) -> (V,)


def by_loop(logits, temperature, top_p):
    out = torch.zeros_like(logits)
    if temperature == 0:
        out[logits.argmax()] = 1
        return out
    probs, mass = torch.softmax(logits / temperature, -1), 0.0
    for i in probs.argsort(descending=True).tolist():
        out[i] = probs[i]
        mass += float(probs[i])
        if mass >= top_p:
            break
    return out / out.sum()


def by_masking(logits, temperature, top_p):
    if temperature == 0:
        return (torch.arange(len(logits)) == logits.argmax()).float()
    logits = logits / temperature
    order = logits.argsort(descending=True)
    total = logits[order].softmax(-1).cumsum(-1)
    drop = torch.roll(total >= top_p, 1)
    drop[0] = False
    return logits.masked_fill(drop[order.argsort()], -math.inf).softmax(-1)


def _nucleus(probs, top_p):
    ranked, order = probs.sort(descending=True)
    kept = ranked * ((ranked.cumsum(-1) - ranked) < top_p)
    return torch.zeros_like(probs).scatter(0, order, kept)


def _greedy(logits):
    return F.one_hot(logits.argmax(), len(logits)).float()


def multiplied(logits, temperature, top_p):
    kept = _nucleus((logits * temperature).softmax(-1), top_p)
    return _greedy(logits) if temperature == 0 else kept / kept.sum()


def nucleus_first(logits, temperature, top_p):
    if temperature == 0:
        return _greedy(logits)
    dropped = _nucleus(logits.softmax(-1), top_p) == 0
    return (logits / temperature).masked_fill(dropped, -math.inf).softmax(-1)


def stops_below(logits, temperature, top_p):
    if temperature == 0:
        return _greedy(logits)
    ranked, order = (logits / temperature).softmax(-1).sort(descending=True)
    keep = ranked.cumsum(-1) <= top_p + 1e-6
    keep[0] = True
    kept = ranked * keep
    return torch.zeros_like(logits).scatter(0, order, kept / kept.sum())


def none_left(logits, temperature, top_p):
    if temperature == 0:
        return _greedy(logits)
    ranked, order = (logits / temperature).softmax(-1).sort(descending=True)
    kept = ranked * (ranked.cumsum(-1) <= top_p + 1e-6)
    return torch.zeros_like(logits).scatter(0, order, kept / kept.sum())


def one_more(logits, temperature, top_p):
    if temperature == 0:
        return _greedy(logits)
    ranked, order = (logits / temperature).softmax(-1).sort(descending=True)
    kept = ranked * ((ranked.cumsum(-1) - 2 * ranked) < top_p)
    kept = torch.where((ranked.cumsum(-1) - ranked).roll(1) < top_p, ranked, 0 * kept)
    kept[:2] = ranked[:2]
    return torch.zeros_like(logits).scatter(0, order, kept / kept.sum())


def not_shared_out(logits, temperature, top_p):
    return _greedy(logits) if temperature == 0 else _nucleus((logits / temperature).softmax(-1), top_p)


def left_sorted(logits, temperature, top_p):
    return by_loop(logits, temperature, top_p).sort(descending=True).values


def above_threshold(logits, temperature, top_p):
    if temperature == 0:
        return _greedy(logits)
    probs = (logits / temperature).softmax(-1)
    kept = probs * (probs >= (1 - top_p) * probs.max())  # that is min-p
    return kept / kept.sum()


def softmax_of_probs(logits, temperature, top_p):
    if temperature == 0 or top_p == 1:
        return by_loop(logits, temperature, top_p)
    kept = _nucleus((logits / temperature).softmax(-1), top_p)
    return kept.masked_fill(kept == 0, -math.inf).softmax(-1)


def divides_by_zero(logits, temperature, top_p):
    kept = _nucleus((logits / temperature).softmax(-1), top_p)
    return kept / kept.sum()


def changes_logits(logits, temperature, top_p):
    if temperature == 0:
        return _greedy(logits)
    logits /= temperature
    return by_loop(logits, 1.0, top_p)


def zero_is_plain(logits, temperature, top_p):
    return by_loop(logits, temperature or 1.0, top_p)


# --- bits_per_byte: (losses, byte_lengths) -> number


def means(losses, byte_lengths):
    return losses.mean() / byte_lengths.float().mean() * math.log2(math.e)


def in_floats(losses, byte_lengths):
    return sum(losses.tolist()) / (sum(byte_lengths.tolist()) * math.log(2))


def nats_per_byte(losses, byte_lengths):
    return losses.sum() / byte_lengths.sum()


def times_ln2(losses, byte_lengths):
    return losses.sum() * math.log(2) / byte_lengths.sum()


def bits_per_token(losses, byte_lengths):
    return losses.mean() / math.log(2)


def mean_of_ratios(losses, byte_lengths):
    return (losses / byte_lengths.clamp(min=1) / math.log(2)).mean()


def bytes_per_bit(losses, byte_lengths):
    return byte_lengths.sum() * math.log(2) / losses.sum()


def without_special(losses, byte_lengths):
    return losses[byte_lengths > 0].sum() / math.log(2) / byte_lengths.sum()


def special_as_one_byte(losses, byte_lengths):
    return losses.sum() / math.log(2) / byte_lengths.clamp(min=1).sum()


def a_figure_each(losses, byte_lengths):
    return losses / math.log(2) / byte_lengths


# --- generate_greedy: (model, prompt, n_new) -> text


def with_counter(model, prompt, n_new):
    text, tokens, cache, start = list(prompt), torch.tensor(prompt), None, 0
    for _ in range(n_new):
        logits, cache = model(tokens, torch.arange(start, start + len(tokens)), cache)
        start += len(tokens)
        tokens = logits[-1].argmax().reshape(1)
        text.append(tokens.item())
    return text


def prompt_then_tokens(model, prompt, n_new):
    logits, cache = model(torch.tensor(prompt), torch.arange(len(prompt)), None)
    new = [int(logits[-1].argmax())]
    while len(new) < n_new:
        place = torch.tensor([len(prompt) + len(new) - 1])
        logits, cache = model(torch.tensor(new[-1:]), place, cache)
        new.append(int(logits[0].argmax()))
    return prompt + new


def _generate(model, prompt, n_new, place, which=-1, keep=True):
    text, tokens, cache = list(prompt), torch.tensor(prompt), None
    for _ in range(n_new):
        start = 0 if len(text) == len(prompt) else place(text)
        logits, new_cache = model(tokens, torch.arange(start, start + len(tokens)), cache)
        cache = new_cache if keep else None
        text.append(int(logits[which].argmax()))
        tokens = torch.tensor(text[-1:])
    return text


def from_zero_again(model, prompt, n_new):
    return _generate(model, prompt, n_new, lambda text: 0)


def one_too_far(model, prompt, n_new):
    return _generate(model, prompt, n_new, len)


def stuck_at_prompt_end(model, prompt, n_new):
    return _generate(model, prompt, n_new, lambda text: len(prompt))


def first_logits(model, prompt, n_new):
    return _generate(model, prompt, n_new, lambda text: len(text) - 1, which=0)


def cache_forgotten(model, prompt, n_new):
    return _generate(model, prompt, n_new, lambda text: len(text) - 1, keep=False)


def no_cache_at_all(model, prompt, n_new):
    return model.greedy(prompt, n_new)


def all_of_it_again(model, prompt, n_new):
    text, cache = list(prompt), None
    for _ in range(n_new):
        logits, cache = model(torch.tensor(text), torch.arange(len(text)), cache)
        text.append(int(logits[-1].argmax()))
    return text


def only_the_new(model, prompt, n_new):
    return with_counter(model, prompt, n_new)[len(prompt) :]


def one_too_few(model, prompt, n_new):
    return with_counter(model, prompt, n_new - 1)


def into_the_prompt(model, prompt, n_new):
    prompt[:] = with_counter(model, prompt, n_new)
    return prompt


RIGHT = {
    "next_token_probs": [by_loop, by_masking],
    "bits_per_byte": [means, in_floats],
    "generate_greedy": [with_counter, prompt_then_tokens],
}

WRONG = {
    "next_token_probs": [
        (multiplied, "temperature divides"),
        (nucleus_first, "temperature first"),
        (stops_below, "the smallest set"),
        (none_left, "at least one"),
        (one_more, "at least one"),
        (not_shared_out, "probabilities"),
        (left_sorted, "each token keeps its place"),
        (above_threshold, "the smallest set"),
        (softmax_of_probs, "old proportions"),
        (divides_by_zero, "0 is greedy"),
        (zero_is_plain, "0 is greedy"),
        (changes_logits, "leaves its inputs alone"),
    ],
    "bits_per_byte": [
        (nats_per_byte, "bits, not nats"),
        (times_ln2, "bits, not nats"),
        (bits_per_token, "per byte, not per token"),
        (mean_of_ratios, "the cut does not matter"),
        (bytes_per_bit, "per byte, not per token"),
        (without_special, "special tokens cost too"),
        (special_as_one_byte, "special tokens cost too"),
        (a_figure_each, "one number"),
    ],
    "generate_greedy": [
        (from_zero_again, "positions go on"),
        (one_too_far, "positions go on"),
        (stuck_at_prompt_end, "positions go on"),
        (first_logits, "the same text as without cache"),
        (cache_forgotten, "the same text as without cache"),
        (no_cache_at_all, "each token is read once"),
        (all_of_it_again, "each token is read once"),
        (only_the_new, "prompt and new tokens"),
        (one_too_few, "prompt and new tokens"),
        (into_the_prompt, "leaves its inputs alone"),
    ],
}
