"""What is true of every right way to draw, to write and to measure text, on small seeded examples."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from lecture10.exercises.exercise import Broken
from lecture10.exercises.expect import agree, dice, number, same, tensor

# --- next_token_probs ---------------------------------------------------------------------------------------


def _probs(fn, logits: Tensor, temperature: float, top_p: float) -> Tensor:
    return tensor(fn(logits, temperature, top_p), tuple(logits.shape))


def _logits(seed: int, vocab: int = 7) -> Tensor:
    return 2 * torch.randn(vocab, generator=dice(seed))


def is_a_distribution(fn):
    """Not negative, sums to 1."""
    for seed, (temperature, top_p) in enumerate([(1.0, 1.0), (0.7, 1.0), (1.0, 0.8), (1.5, 0.9)]):
        got = _probs(fn, _logits(seed), temperature, top_p)
        example = f"temperature {temperature}, top_p {top_p}"
        if not (got >= 0).all():
            raise Broken(f"{example}: the smallest is {got.min():.3g}")
        same(got.sum().item(), 1.0, f"{example}: the sum")


def keeps_its_place(fn):
    """Permuting the logits permutes the probabilities."""
    logits, order = _logits(4), torch.randperm(7, generator=dice(5))
    got, permuted = _probs(fn, logits, 1.0, 0.9), _probs(fn, logits[order], 1.0, 0.9)
    agree(permuted, got[order], "the same logits in another order")


def temperature_divides(fn):
    """With everything kept, softmax(logits / temperature)."""
    for seed, temperature in enumerate([1.0, 0.5, 2.0]):
        wanted = (_logits(seed) / temperature).softmax(-1)
        agree(_probs(fn, _logits(seed), temperature, 1.0), wanted, f"temperature {temperature}, top_p 1")


def at_least_one(fn):
    """A top_p below the best probability keeps just the best."""
    logits = torch.tensor([0.15, 0.5, 0.05, 0.3]).log()
    for top_p in (0.3, 0.01):
        got = _probs(fn, logits, 1.0, top_p)
        agree(got, torch.tensor([0.0, 1.0, 0.0, 0.0]), f"probabilities .15 .5 .05 .3, top_p {top_p}")


def smallest_set(fn):
    """Which tokens are kept, for several top_p."""
    logits = torch.tensor([0.15, 0.5, 0.05, 0.3]).log()
    for top_p, kept in ((0.6, [1, 3]), (0.7, [1, 3]), (0.9, [0, 1, 3]), (0.97, [0, 1, 2, 3])):
        got = _probs(fn, logits, 1.0, top_p).nonzero().flatten().tolist()
        if got != kept:
            raise Broken(f"probabilities .15 .5 .05 .3, top_p {top_p}: tokens {got} are kept, wanted {kept}")


def temperature_first(fn):
    """Heating flattens the distribution, so that the nucleus grows."""
    logits = torch.tensor([0.15, 0.5, 0.05, 0.3]).log()
    for temperature, kept in ((2.0, 3), (0.3, 1)):  # at temperature 1, two are kept
        got = int((_probs(fn, logits, temperature, 0.75) > 0).sum())
        if got != kept:
            example = f"probabilities .15 .5 .05 .3, temperature {temperature}, top_p 0.75"
            raise Broken(f"{example}: {got} tokens kept, wanted {kept}")


def old_proportions(fn):
    """p_i / p_j is the same before and after the cut."""
    got = _probs(fn, torch.tensor([0.15, 0.5, 0.05, 0.3]).log(), 1.0, 0.7)
    agree(got, torch.tensor([0.0, 0.625, 0.0, 0.375]), "probabilities .15 .5 .05 .3, top_p 0.7")


def zero_is_greedy(fn):
    """One-hot at the argmax, whatever top_p."""
    for seed, top_p in enumerate([1.0, 0.5]):
        logits = _logits(seed)
        wanted = F.one_hot(logits.argmax(), len(logits))
        agree(_probs(fn, logits, 0.0, top_p), wanted, f"temperature 0, top_p {top_p}")


# --- bits_per_byte ------------------------------------------------------------------------------------------

BIT = math.log(2)


def _bits(fn, bits: list[float], byte_lengths: list[int]) -> float:
    return number(fn(BIT * torch.tensor(bits), torch.tensor(byte_lengths)))


def bits_is_one_number(fn):
    """A finite scalar."""
    _bits(fn, [3.0, 1.0, 4.0], [2, 1, 5])


def bits_not_nats(fn):
    """Coin tosses."""
    same(_bits(fn, [1.0] * 4, [1] * 4), 1.0, "four tokens of one byte, ln 2 nats each")


def per_byte_not_per_token(fn):
    """Tokens of equal length and cost."""
    same(_bits(fn, [8.0] * 3, [4] * 3), 2.0, "three tokens of 4 bytes, 8 bits each")


def cut_does_not_matter(fn):
    """Merging neighbours, whose costs and bytes add up, changes nothing."""
    for seed in range(3):
        bits = (10 * torch.rand(6, generator=dice(seed))).tolist()
        long = torch.randint(1, 9, (6,), generator=dice(seed)).tolist()
        merged = [sum(bits[:3]), *bits[3:]], [sum(long[:3]), *long[3:]]
        same(_bits(fn, *merged), _bits(fn, bits, long), f"tokens of {long} bytes, the first three merged")


def special_tokens_cost(fn):
    """An end-of-text token has no bytes."""
    same(_bits(fn, [6.0, 4.0, 2.0], [3, 3, 0]), 2.0, "6, 4 and 2 bits for tokens of 3, 3 and 0 bytes")


# --- generate_greedy ----------------------------------------------------------------------------------------


class TinyWriter:
    """One attention layer with learnt positions and a cache, random weights; notes what it was to read."""

    vocab, width, context = 11, 8, 40

    def __init__(self, seed: int):
        roll = dice(seed)
        self.tokens_table, self.positions_table = (
            torch.randn(n, self.width, generator=roll) for n in (self.vocab, self.context)
        )
        self.out = torch.randn(self.width, self.vocab, generator=roll)
        self.read: list[int] = []
        self.at: list[int] = []

    def __call__(self, tokens: Tensor, positions: Tensor, cache: Tensor | None) -> tuple[Tensor, Tensor]:
        tokens, positions = torch.as_tensor(tokens).long(), torch.as_tensor(positions).long()
        if tokens.ndim != 1 or tokens.shape != positions.shape or not len(tokens):
            raise Broken(
                f"tokens {tuple(tokens.shape)} and positions {tuple(positions.shape)} should be (T,), T ≥ 1"
            )
        if not ((positions >= 0) & (positions < self.context)).all():
            raise Broken(f"positions {positions.tolist()} reach outside the text")
        self.read += tokens.tolist()
        self.at += positions.tolist()
        x = self.tokens_table[tokens] + self.positions_table[positions]  # (T, D)
        past = x if cache is None else torch.cat([cache, x])  # (S, D)
        may_look = torch.ones(len(x), len(past), dtype=torch.bool).tril(len(past) - len(x))
        weights = (x @ past.T / self.width**2).masked_fill(~may_look, -math.inf).softmax(-1)  # (T, S), flat
        return (weights @ past) @ self.out, past

    def greedy(self, prompt: list[int], n_new: int) -> list[int]:
        """The text that it writes without a cache."""
        text = list(prompt)
        for _ in range(n_new):
            logits, _ = self(torch.tensor(text), torch.arange(len(text)), None)
            text.append(int(logits[-1].argmax()))
        return text


def _writings(fn):
    """Examples: the model, its prompt, how many tokens are new, and what the answer wrote."""
    for seed, (prompt, n_new) in enumerate([([3, 1, 4], 4), ([7], 5), ([2, 7, 1, 8, 2], 6), ([5, 9], 1)]):
        model = TinyWriter(seed)
        yield model, prompt, n_new, [int(token) for token in fn(model, list(prompt), n_new)]


def prompt_and_new_tokens(fn):
    """Starts with the prompt, has n_new more."""
    for _, prompt, n_new, text in _writings(fn):
        if text[: len(prompt)] != prompt or len(text) != len(prompt) + n_new:
            raise Broken(f"prompt {prompt}, n_new {n_new}: it returned {text}")


def read_once(fn):
    """What the model read is the text itself; the last new token may be left unread."""
    for model, prompt, n_new, text in _writings(fn):
        if model.read not in (text[:-1], text):
            raise Broken(f"prompt {prompt}, n_new {n_new}: the text is {text}, the model read {model.read}")


def positions_go_on(fn):
    """0, 1, 2, … over all calls."""
    for model, prompt, n_new, _ in _writings(fn):
        if model.at != list(range(len(model.at))):
            raise Broken(f"prompt {prompt}, n_new {n_new}: the model was told positions {model.at}")


def same_as_uncached(fn):
    """Greedy text is the same with and without cache."""
    for model, prompt, n_new, text in _writings(fn):
        wanted = model.greedy(prompt, n_new)
        if text != wanted:
            raise Broken(f"prompt {prompt}: with cache {text}, without {wanted}")
