"""Does a picture follow its prompt? Which of its nouns, colours, counts, relations and texts hold."""

from collections import Counter
from dataclasses import dataclass, fields
from itertools import permutations, product

from torch import Tensor, nn

from lecture10.judge.reading import UNCLEAR, Found, Reading, read
from lecture10.judge.thresholds import Thresholds
from lecture10.world import Picture, cast, geometry
from lecture10.world import vocabulary as v
from lecture10.world.facts import Facts, Said
from lecture10.world.parse import parse

HOLDS, FAILS, NOT_ASKED = "holds", "fails", "not asked"
NEAR = 0.06  # contacts hold within this distance: what is generated stands less exactly than what is drawn
Match = dict[int, Found]


@dataclass(frozen=True)
class Following:
    """For each aspect of a prompt "holds", "fails", "unclear" or "not asked".

    nouns: every noun asked for is there; counts: just as often as asked; colours, materials, sizes, text:
    every thing of which one was said has it; relations: all hold.
    """

    nouns: str = NOT_ASKED
    counts: str = NOT_ASKED
    colours: str = NOT_ASKED
    materials: str = NOT_ASKED
    sizes: str = NOT_ASKED
    relations: str = NOT_ASKED
    text: str = NOT_ASKED

    @property
    def asked(self) -> dict[str, str]:
        """The aspects that the prompt speaks of."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: verdict for name, verdict in found.items() if verdict != NOT_ASKED}

    @property
    def all(self) -> str:
        """The verdict on everything asked: fails where one fails, else unclear where one is."""
        return _worst(self.asked.values())


ASPECTS = tuple(f.name for f in fields(Following))


def follows(
    picture: Tensor | Picture | Reading,
    prompt: str | Facts,
    *,
    net: nn.Module | None = None,
    thresholds: Thresholds | None = None,
) -> Following:
    """Which of the prompt's facts hold in one picture, as far as the judge sees.

    picture: (3, S, S) in [0, 1], or a `Reading` of it; prompt: a caption, parsed strictly, or its facts.
    Raises ValueError, with the cure, for an unknown word and for several pictures at once.
    """
    if not isinstance(picture, Reading):
        readings = read(picture, net=net, thresholds=thresholds)
        if len(readings) != 1:
            raise ValueError(f"follows() takes one picture, not {len(readings)}: zip them with their prompts")
        picture = readings[0]
    return judge_reading(picture, parse(prompt) if isinstance(prompt, str) else prompt)


def judge_reading(reading: Reading, facts: Facts) -> Following:
    """The same for a reading and facts: among all ways to match what was said to what was found, the best."""
    match = max(_matches(reading, facts), key=lambda m: _agreement(m, facts))
    said = {
        "colours": _attribute("colour", match, facts),
        "materials": _attribute("material", match, facts),
        "sizes": _attribute("size", match, facts),
        "text": _attribute("text", match, facts),
        "relations": _worst(_relation(match, relation) for relation in facts.relations),
    }
    return Following(
        nouns=_nouns(reading, facts, exact=False), counts=_nouns(reading, facts, exact=True), **said
    )


def _nouns(reading: Reading, facts: Facts, exact: bool) -> str:
    """Is every noun there (exact: as often as asked)? A thing of unclear noun might be what is missing."""
    found, asked = reading.counts, facts.counts
    spare = found[UNCLEAR]
    if exact:
        missing = sum(max(0, n - found[noun]) for noun, n in asked.items())
        surplus = any(found[noun] > n for noun, n in asked.items())
        return FAILS if surplus else _missing(missing, spare, asked)
    return _missing(sum(found[noun] == 0 for noun in asked), spare, asked)


def _missing(missing: int, spare: int, asked: Counter) -> str:
    if not asked:
        return NOT_ASKED
    return HOLDS if not missing else UNCLEAR if missing <= spare else FAILS


def _matches(reading: Reading, facts: Facts) -> list[Match]:
    """All ways to give each thing said a thing found of its noun; the first found where there are many."""
    ways = []
    for noun in facts.counts:
        said = [i for i, s in enumerate(facts.things) if s.noun == noun]
        found = [t for t in reading.things if t.noun == noun][: v.MAX_THINGS]
        few, many = (said, found) if len(said) <= len(found) else (found, said)
        pairs = [list(zip(few, order, strict=True)) for order in permutations(many, len(few))]
        ways.append([dict(p if few is said else [(i, t) for t, i in p]) for p in pairs])
    return [{i: t for part in way for i, t in part.items()} for way in product(*ways)]


def _agreement(match: Match, facts: Facts) -> tuple[int, float]:
    """How many of the facts a match makes true; of equals, the more certain."""
    hits = 0
    for i, found in match.items():
        asked = facts.things[i]
        names = ("colour", "material", "size", "text", "place")
        hits += sum(getattr(asked, a) is not None and getattr(asked, a) == getattr(found, a) for a in names)
    hits += sum(_relation(match, relation) == HOLDS for relation in facts.relations)
    return hits, sum(found.probability for found in match.values())


def _attribute(name: str, match: Match, facts: Facts) -> str:
    """Does every thing of which this attribute was said have it?"""
    asked = [i for i, said in enumerate(facts.things) if getattr(said, name) is not None]
    return _worst(_same(name, facts.things[i], match.get(i)) for i in asked)


def _same(name: str, said: Said, found: Found | None) -> str:
    value = None if found is None else getattr(found, name)
    if value == UNCLEAR:
        return UNCLEAR
    return HOLDS if value == getattr(said, name) else FAILS


def _relation(match: Match, relation: tuple[int, str, int]) -> str:
    """Does a relation hold between two things found?"""
    i, name, j = relation
    a, b = match.get(i), match.get(j)
    if a is None or b is None:
        return FAILS
    dx, dy = a.x - b.x, a.y - b.y
    if name in v.DIRECTIONS:
        return HOLDS if geometry.holds(name, dx, dy) else FAILS
    if UNCLEAR in (a.size, b.size):
        return UNCLEAR
    return HOLDS if touches(name, a, b, dx, dy) else FAILS


def touches(name: str, a: Found, b: Found, dx: float, dy: float) -> bool:
    """Is thing a, at (dx, dy) from b's centre, where what is on (or riding) b rests, b mirrored or not?

    On holds for riders too ("an astronaut on a horse").
    """
    contacts = v.CONTACTS if name == "on" else (name,)
    height, side = cast.footprint(a.noun, a.size)[1], cast.side(b.noun, b.size)
    for contact in contacts:
        own, bearers = geometry.sink(contact, b.noun)
        sunk = min(own * height, bearers * side)
        for flip in (0, 1):
            x, y = geometry.rest(height, side, cast.figure(b.noun).seat, flip, sunk)
            if abs(dx - x) <= NEAR and abs(dy - y) <= NEAR:
                return True
    return False


def _worst(verdicts) -> str:
    """Fails where one fails, else unclear where one is; not asked where there are none."""
    verdicts = list(verdicts)
    return next((word for word in (FAILS, UNCLEAR, HOLDS) if word in verdicts), NOT_ASKED)
