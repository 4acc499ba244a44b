"""What a neural network has to beat: language models that only count."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

import torch
from torch import Tensor


def _two_or_more(ids: Sequence[int]) -> None:
    if len(ids) < 2:
        raise ValueError(f"a text of {len(ids)} tokens holds nothing to predict: give two or more")


class Uniform:
    """Every token is equally likely."""

    def __init__(self, vocab_size: int):
        self.vocab_size = vocab_size

    def losses(self, ids: Sequence[int]) -> Tensor:
        """-log P of every token but the first, in nats: (len(ids) - 1,). ValueError for under two ids."""
        _two_or_more(ids)
        return torch.full((len(ids) - 1,), math.log(self.vocab_size))


class KneserNey:
    """An n-gram model with interpolated Kneser–Ney smoothing (Chen & Goodman 1999, §2.7); order 1 is the
    unigram.

    A context that was seen keeps all its counts but a discount; what is set aside goes to the shorter
    context, which counts in how many *different* contexts a token was met rather than how often. The shortest
    one is uniform.
    """

    def __init__(self, ids: Sequence[int], vocab_size: int, order: int = 5):
        if order < 1:
            raise ValueError(f"order is {order}: 1 is the unigram, 5 looks back four tokens")
        if len(ids) < order:
            raise ValueError(
                f"{len(ids)} tokens hold no run of {order}: train on more text, or take a lower order"
            )
        self.vocab_size, self.order = vocab_size, order
        self.counts: list[dict[tuple, Counter]] = [defaultdict(Counter) for _ in range(order)]
        ids = tuple(ids)
        for i in range(len(ids)):
            if i >= order - 1:
                self.counts[-1][ids[i - order + 1 : i]][ids[i]] += 1
        for longer, shorter in zip(self.counts[:0:-1], self.counts[-2::-1], strict=True):
            for context, nexts in longer.items():
                for token in nexts:
                    shorter[context[1:]][token] += 1  # one more different context in which the token was met
        self.totals = [
            {context: sum(nexts.values()) for context, nexts in level.items()} for level in self.counts
        ]
        self.discounts = [self._discount(level) for level in self.counts]

    @staticmethod
    def _discount(level: dict[tuple, Counter]) -> float:
        """n1 / (n1 + 2 n2): from how many were met once and twice (Ney et al. 1994)."""
        times = Counter(count for nexts in level.values() for count in nexts.values())
        return times[1] / (times[1] + 2 * times[2]) if times[1] else 0.5

    def prob(self, context: tuple[int, ...], token: int) -> float:
        """P(token | context), of which only the last order - 1 tokens count; over the vocabulary it sums to
        1.
        """
        prob = 1 / self.vocab_size
        for n in range(min(self.order - 1, len(context)) + 1):
            suffix = context[len(context) - n :]
            total = self.totals[n].get(suffix)
            if not total:
                break  # a longer context cannot have been seen either
            nexts, discount = self.counts[n][suffix], self.discounts[n]
            kept = max(nexts.get(token, 0) - discount, 0.0)  # of Counter only `get` adds no entry
            prob = (kept + discount * len(nexts) * prob) / total
        return prob

    def losses(self, ids: Sequence[int]) -> Tensor:
        """-log P of every token but the first, in nats: (len(ids) - 1,). ValueError for under two ids."""
        _two_or_more(ids)
        ids = tuple(ids)
        reach = self.order - 1
        return torch.tensor(
            [-math.log(self.prob(ids[max(0, i - reach) : i], ids[i])) for i in range(1, len(ids))]
        )
