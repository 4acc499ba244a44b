"""A caption under way: text, the phrases in it, and what it has asserted so far. The writers' common hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from lecture10.world import lexicon
from lecture10.world.facts import Facts, Said
from lecture10.world.lexicon import SLOTS, Form, article, zipf
from lecture10.world.vocabulary import COLOUR_NAMES, INVERSE, MATERIALS, NOUNS

Dice = Callable[[], float]  # uniform in [0, 1)


class Phrase(NamedTuple):
    """The characters text[start:end] speak of these things (their numbers in the scene).

    A phrase leaves out "a", "an" and "the" but keeps a count: "blue bear", "two dogs", "it".
    """

    start: int
    end: int
    things: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Caption:
    """What was written: the text, its kind ("alt", "short" or "descriptive") and its phrases in order.

    asserted: things (as `Said`, in order of mention), relations, backdrop and style; `facts` wraps them.
    """

    text: str
    kind: str
    phrases: tuple[Phrase, ...]
    asserted: tuple

    @property
    def facts(self) -> Facts:
        """The facts that this caption asserts; noisy alt-text may assert wrong ones."""
        return Facts(*self.asserted)

    def words(self) -> list[str]:
        """The text of every phrase, in order."""
        return [self.text[p.start : p.end] for p in self.phrases]


class Row(NamedTuple):
    """One scene as the writers read it: what is true of each thing, and of the whole."""

    things: list[Said]
    relations: list[tuple[int, str, int]]
    backdrop: str
    style: str


@dataclass(frozen=True)
class Habits:
    """How writers write; the probabilities below `synonyms` are for alt-text only, all in [0, 1]."""

    synonyms: bool = True  # False: only the world's own names
    drop: float = 0.35  # a thing's colour is left out
    wrong: float = 0.06  # one attribute of a thing is told wrongly (never as a dev or test pair)
    skip: float = 0.12  # a thing is not mentioned
    junk: float = 0.6  # file names, credits, shop talk
    typos: float = 0.1  # a noun phrase is misspelt
    nuisance: float = 0.3  # a descriptive caption has a sentence about nothing

    def __post_init__(self):
        for name in ("drop", "wrong", "skip", "junk", "typos", "nuisance"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"Habits: {name} is {getattr(self, name)}; a probability lies in [0, 1]")


NOUN = {n: zipf(forms) for n, forms in lexicon.nouns.items()}
COLOUR = {c: zipf(w) for c, w in lexicon.colours.items()}
SIZE = {s: zipf(w) for s, w in lexicon.sizes.items()}
BEFORE = {m: zipf(w) for m, w in lexicon.before.items()}
AFTER = {m: zipf(w) for m, w in lexicon.after.items()}
RELATION = {r: zipf(w) for r, w in lexicon.relations.items()}
BACKDROP = {b: zipf(w) for b, w in lexicon.backdrops.items()}
STYLE = {s: zipf(w) for s, w in lexicon.styles.items()}
COUNT = {n: zipf(w) for n, w in lexicon.COUNT_PHRASES.items()}
SAYS = zipf(("that says", "that reads", "saying", "with the word", "which says"))
ARTICLE = {w: article(w) for table in (COLOUR, SIZE, BEFORE) for words in table.values() for w in words}


def pick(table: Sequence, u: Dice, plain: bool = False):
    """One entry of a Zipf table; the commonest where `plain`."""
    return table[0 if plain else int(u() * SLOTS)]


class Draft:
    """Collects pieces of text and what they assert. slot: a thing's number in the scene → its mention."""

    __slots__ = ("at", "backdrop", "parts", "phrases", "relations", "said", "slot", "style", "title")

    def __init__(self, title: bool = False):
        self.parts, self.at, self.phrases, self.title = [], 0, [], title
        self.said, self.relations, self.slot = [], [], {}
        self.backdrop = self.style = None

    def put(self, text: str) -> None:
        """Add text that speaks of no thing."""
        self.parts.append(text)
        self.at += len(text)

    def name(self, text: str, things: tuple[int, ...]) -> None:
        """Add a phrase for these things."""
        start = self.at
        self.parts.append(text.title() if self.title and "'" not in text and '"' not in text else text)
        self.at = start + len(text)
        self.phrases.append(Phrase(start, self.at, things))

    def assert_things(self, things: tuple[int, ...], said: Said) -> None:
        """Record that each of these was mentioned as `said`."""
        for k in things:
            self.slot[k] = len(self.said)
            self.said.append(said)

    def relate(self, i: int, relation: str, j: int) -> None:
        """Record a relation between two mentioned things."""
        self.relations.append((self.slot[i], relation, self.slot[j]))

    def caption(self, kind: str) -> Caption:
        """What was written."""
        asserted = (tuple(self.said), tuple(self.relations), self.backdrop, self.style)
        return Caption("".join(self.parts), kind, tuple(self.phrases), asserted)


def adjectives(said: Said, u: Dice, habits: Habits) -> tuple[list[str], str]:
    """The words before the noun (size, material, colour) and those after it (material, text)."""
    _, colour, material, size, text, _ = said
    plain, words, post = not habits.synonyms, [], ""
    if size:
        words.append(pick(SIZE[size], u, plain))
    if colour:
        words.append(pick(COLOUR[colour], u, plain))
    if material:
        r = u()
        if r < 0.25 and not plain and material in AFTER:
            post = " " + pick(AFTER[material], u)
        else:
            words.insert(len(words) if r > 0.8 else bool(size), pick(BEFORE[material], u, plain))
    if text:
        mark = "'" if u() < 0.7 else '"'
        post = f"{post} {pick(SAYS, u, plain)} {mark}{text}{mark}"
    return words, post


def mention(
    d: Draft, things: tuple[int, ...], said: Said, u: Dice, habits: Habits, bare: bool = False
) -> None:
    """Introduce things of which the same is said: "a small blue bear", "two dogs"; bare: no article."""
    words, post = adjectives(said, u, habits)
    form: Form = pick(NOUN[said.noun], u, not habits.synonyms)
    if len(things) == 1:
        if not bare:
            d.put((ARTICLE[words[0]] if words else form.article) + " ")
        words.append(form.words)
    else:
        words = [pick(COUNT[len(things)], u, not habits.synonyms), *words, form.plural]
    if bare and habits.typos and u() < habits.typos:
        misspell(words, u)
    d.name(" ".join(words) + post, things)
    d.assert_things(things, said)


def misspell(words: list[str], u: Dice) -> None:
    """Misspell one of the words, in place, so that a reader can still tell what was meant."""
    k = int(u() * len(words))
    if slips := all_slips().get(words[k]):
        words[k] = slips[int(u() * len(slips))]


def groups(things: Sequence[int], said: Sequence[Said]) -> list[tuple[tuple[int, ...], Said]]:
    """Things of which the same is said, together, in order of first mention."""
    found: dict[Said, list[int]] = {}
    for k in things:
        found.setdefault(said[k], []).append(k)
    return [(tuple(ks), s) for s, ks in found.items()]


def told(i: int, relation: str, j: int, u: Dice, habits: Habits) -> tuple[int, str, int, str]:
    """How a relation is told: first thing, the words, second thing; sometimes turned round. Returns i,
    words, j and the relation that the words name from the first thing to the second ("" for a passive:
    then it is the reverse)."""
    if habits.synonyms:
        r = u()
        if r < 0.12 and relation in INVERSE:
            i, relation, j = j, INVERSE[relation], i
        elif r < 0.08 and relation in lexicon.passive:
            return j, lexicon.passive[relation][0], i, ""
    return i, pick(RELATION[relation], u, not habits.synonyms), j, relation


@cache
def all_slips() -> dict[str, tuple[str, ...]]:
    """word → misspellings of it that a reader undoes, for the nouns and adjectives of one word."""
    from lecture10.world.tokens import speller  # the reader's knowledge of words

    tables = (lexicon.colours, lexicon.sizes, lexicon.before)
    words = {w for table in tables for entries in table.values() for w in entries}
    words |= {w for forms in lexicon.nouns.values() for form in forms for w in (form.words, form.plural)}
    return {w: slips for w in sorted(words) if (slips := speller().slips(w))}


@cache
def train_colours() -> dict[str, tuple[str, ...]]:
    """noun → the colours that training may name it with."""
    from lecture10.world.splits import split_of

    return {n: tuple(c for c in COLOUR_NAMES if split_of(n, c) == "train") for n in NOUNS}


def mistaken(said: Said, u: Dice) -> Said:
    """The same with one attribute told wrongly; its noun and colour stay a pair that training may name."""
    which = int(u() * 3)
    if which == 0 and said.colour:
        others = [c for c in train_colours()[said.noun] if c != said.colour]
        return said._replace(colour=others[int(u() * len(others))])
    if which == 1 and said.material:
        others = [m for m in MATERIALS if m != said.material]
        return said._replace(material=others[int(u() * len(others))])
    return said._replace(size="small" if said.size == "large" else "large") if said.size else said
