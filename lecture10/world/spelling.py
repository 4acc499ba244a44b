"""Misspelt words: which word of the lexicon was meant, and slips that can be undone.

A slip swaps, drops, doubles or replaces a letter after the first. `correct` undoes what is unambiguous:
exactly one known word with the same first letter is nearest, at most one edit away (two from six letters
on, towards words that say something). Words of three letters and words of other worlds (a boot is no
misspelt boat) are left alone.
"""

import random
from collections.abc import Iterable
from itertools import combinations

from lecture10.world.lexicon import foreign

LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Speller:
    """Corrects towards one set of known words.

    >>> Speller(["bear", "small", "astronaut"]).correct("astornaut")
    'astronaut'
    """

    def __init__(self, known: Iterable[str], grammar: Iterable[str] = ()):
        content, self.grammar = (
            frozenset(known),
            frozenset(grammar),
        )  # grammar words: mended over one edit only
        self.known = content | self.grammar
        self.index: dict[str, set[str]] = {}
        for word in self.known:
            if len(word) > 3 and word.isalpha():
                for rest in _rests(word, 2 if word in content else 1):
                    self.index.setdefault(rest, set()).add(word)

    def correct(self, word: str) -> str | None:
        """The known word that `word` is, or was surely meant to be; None where there is no single one."""
        if word in self.known:
            return word
        if len(word) < 4 or not word.isalpha() or word in foreign:
            return None
        most = 2 if len(word) >= 6 else 1
        candidates = set().union(*(self.index.get(rest, ()) for rest in _rests(word, most)))
        near = sorted((distance(word, c, most), c) for c in candidates if c[0] == word[0])
        near = [n for n in near if n[0] <= (1 if n[1] in self.grammar else most)]
        return near[0][1] if near and (len(near) == 1 or near[1][0] > near[0][0]) else None

    def slips(self, word: str, most: int = 6) -> tuple[str, ...]:
        """Up to `most` misspellings of a known word that `correct` undoes; the same ones every time."""
        dice = random.Random(word)
        made = dict.fromkeys(_slip(word, dice) for _ in range(4 * most) if len(word) > 3 and word.isalpha())
        return tuple(s for s in made if s not in self.known and self.correct(s) == word)[:most]


def _rests(word: str, most: int) -> set[str]:
    """What remains of a word when up to `most` letters are left out."""
    return {
        "".join(word[i] for i in range(len(word)) if i not in out)
        for n in range(most + 1)
        for out in combinations(range(len(word)), n)
    }


def _slip(word: str, dice: random.Random) -> str:
    k = 1 + int(dice.random() * (len(word) - 1))  # the first letter stays
    kind = int(dice.random() * 4)
    if kind == 0:
        return word[:k] + word[k + 1 :]
    if kind == 1:
        return word[:k] + word[k] + word[k:]
    if kind == 2 and k + 1 < len(word):
        return word[:k] + word[k + 1] + word[k] + word[k + 2 :]
    return word[:k] + LETTERS[int(dice.random() * 26)] + word[k + 1 :]


def distance(a: str, b: str, most: int = 9) -> int:
    """How many insertions, deletions, replacements and swaps of neighbours turn a into b (Damerau 1964).

    Above `most`, any number above it.

    >>> distance("dgo", "dog"), distance("bear", "beer"), distance("cat", "astronaut")
    (1, 1, 7)
    """
    if abs(len(a) - len(b)) > most:
        return most + 1
    before, above = [], list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            best = min(row[-1] + 1, above[j] + 1, above[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and y == a[i - 2]:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before, above = above, row
    return above[-1]
