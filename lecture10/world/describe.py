"""The writer of descriptive captions: everything that is true of a scene, in several sentences that refer
back.

The first sentence names every thing, with most of what is true of it. Then, in a random order, relations,
places and attributes not yet told, with "the bear", "the blue bear", "the second bear" or "it" for things
already met; at last the backdrop, the style, and perhaps somewhere a sentence about nothing.
"""

from collections import Counter

from lecture10.world import lexicon
from lecture10.world.draft import (
    BACKDROP,
    COLOUR,
    NOUN,
    SIZE,
    STYLE,
    Caption,
    Dice,
    Draft,
    Habits,
    Row,
    groups,
    mention,
    pick,
    told,
)
from lecture10.world.facts import Said
from lecture10.world.lexicon import NUISANCE, ORDINALS, article, zipf

STYLE_OPENINGS = zipf(("{a} {style} of ", "this is {a} {style} of ", "{a} {style} showing "))
OPENINGS = zipf(
    ("there {are} ", "the picture shows ", "", "in this picture there {are} ", "this image shows ")
)
SETTINGS = zipf(("the scene is set {where}", "everything is {where}", "all of this is {where}"))
STYLES_TOLD = zipf(("this is {a} {style}", "the picture is {a} {style}", "the whole image is {a} {style}"))
CORNERS = zipf(("in the {}", "in the {} corner", "at the {}", "in the {} corner of the picture"))
SIDES = zipf(("on the {}", "on the {} side", "at the {} of the picture", "in the {} part"))
MIDDLES = zipf(("in the middle", "in the centre", "at the centre of the picture", "in the center"))
STANDS = zipf(("is", "stands", "lies", "can be seen"))
FINITE = {r: zipf(w) for r, w in lexicon.finite.items()}
PREDICATES = {  # what can stand after "is"
    m: zipf(
        (
            *lexicon.before[m],
            *(w for w in lexicon.after.get(m, ()) if w.startswith(("made", "built", "covered"))),
        )
    )
    for m in lexicon.before
}
Told = tuple[int, str, str]  # thing, which field of Said, its value


def descriptive(row: Row, u: Dice, habits: Habits) -> Caption:
    """Every thing's size, material, colour and place, every relation, the backdrop and the style."""
    d = Draft()
    said, later = _plan(row, u)
    units = groups(range(len(said)), said)
    _opening(d, row, len(units[0][0]), u, habits)
    for n, (things, s) in enumerate(units):
        if n:
            d.put(" and " if n == len(units) - 1 else ", ")
        mention(d, things, s, u, habits)
        if s.place:
            d.put(f" {_where(s.place, u, habits)}")
    if u() < 0.5:
        d.put(f" {_setting(d, row, u, habits)}")
    d.parts[0] = d.parts[0][0].upper() + d.parts[0][1:]
    d.put(".")
    _tell(d, row, later, u, habits)
    return d.caption("descriptive")


def _plan(row: Row, u: Dice) -> tuple[list[Said], list[Told]]:
    """What the first sentence says of each thing, and what is left for later.

    A thing that shares its noun keeps its attributes, so that they tell it from its twin; twins that
    differ in nothing but their place often go without places, as "two red balls".
    """
    said, later, nouns = [], [], Counter(t.noun for t in row.things)
    twins = Counter(t._replace(place=None) for t in row.things)
    at_once, merge = u() < 0.5, u() < 0.7
    for k, t in enumerate(row.things):
        rest = []
        if t.place and merge and twins[t._replace(place=None)] > 1:
            t = t._replace(place=None)
        elif t.place and not at_once:
            rest.append("place")
        if nouns[t.noun] == 1 and u() < 0.3:
            rest.append(("colour", "material", "size")[int(u() * 3)])
        rest = [name for name in rest if getattr(t, name)]
        later += [(k, name, getattr(t, name)) for name in rest]
        said.append(t._replace(**dict.fromkeys(rest)))
    return said, later


def _opening(d: Draft, row: Row, first: int, u: Dice, habits: Habits) -> None:
    if u() < 0.5:
        d.put(_style(d, row, pick(STYLE_OPENINGS, u), u, habits))
    elif opening := pick(OPENINGS, u).format(are="is" if first == 1 else "are"):
        d.put(opening)


def _style(d: Draft, row: Row, pattern: str, u: Dice, habits: Habits) -> str:
    d.style = lexicon.style_said[row.style]
    word = pick(STYLE[d.style], u, not habits.synonyms)
    return pattern.format(a=article(word), style=word)


def _setting(d: Draft, row: Row, u: Dice, habits: Habits) -> str:
    d.backdrop = row.backdrop
    return " ".join(pick(BACKDROP[row.backdrop], u, not habits.synonyms))


def _where(place: str, u: Dice, habits: Habits) -> str:
    if place == "middle":
        return pick(MIDDLES, u, not habits.synonyms)
    return pick(CORNERS if " " in place else SIDES, u, not habits.synonyms).format(place)


def _tell(d: Draft, row: Row, later: list[Told], u: Dice, habits: Habits) -> None:
    """The sentences after the first."""
    sentences: list = [*row.relations, *later]
    for k in range(len(sentences) - 1, 0, -1):
        j = int(u() * (k + 1))
        sentences[k], sentences[j] = sentences[j], sentences[k]
    sentences += [pick(SETTINGS, u)] * (d.backdrop is None) + [pick(STYLES_TOLD, u)] * (d.style is None)
    if u() < habits.nuisance:
        sentences.insert(int(u() * (len(sentences) + 1)), NUISANCE[int(u() * len(NUISANCE))])
    subject = None
    for sentence in sentences:
        d.put(" ")
        if isinstance(sentence, str):
            subject = None
            _aside(d, row, sentence, u, habits)
        elif isinstance(sentence[2], str):
            subject = _more(d, sentence, subject, u, habits)
        else:
            subject = _relation(d, sentence, subject, u, habits)


def _aside(d: Draft, row: Row, pattern: str, u: Dice, habits: Habits) -> None:
    if "{where}" in pattern:
        pattern = pattern.format(where=_setting(d, row, u, habits)) + "."
    elif "{style}" in pattern:
        pattern = _style(d, row, pattern, u, habits) + "."
    d.put(pattern[0].upper() + pattern[1:])


def _more(d: Draft, told_later: Told, subject: int | None, u: Dice, habits: Habits) -> int:
    k, name, value = told_later
    _refer(d, k, u, habits, start=True, it=subject == k)
    if name == "place":
        d.put(f" {pick(STANDS, u, not habits.synonyms)} {_where(value, u, habits)}.")
    else:
        table = {"colour": COLOUR, "material": PREDICATES, "size": SIZE}[name]
        d.put(f" is {pick(table[value], u, not habits.synonyms)}.")
    d.said[d.slot[k]] = d.said[d.slot[k]]._replace(**{name: value})
    return k


def _relation(d: Draft, relation: tuple[int, str, int], subject: int | None, u: Dice, habits: Habits) -> int:
    i, words, j, named = told(*relation, u, habits)
    _refer(d, i, u, habits, start=True, it=subject == i)
    verb = (
        f" {pick(FINITE[named], u)} "
        if named in FINITE and habits.synonyms and u() < 0.3
        else f" is {words} "
    )
    d.put(verb)
    _refer(d, j, u, habits)
    d.put(".")
    d.relate(i, named, j) if named else d.relate(j, relation[1], i)
    return i


def _refer(d: Draft, k: int, u: Dice, habits: Habits, start: bool = False, it: bool = False) -> None:
    """Name a thing already met so that no other can be meant."""
    if it and u() < 0.6:
        d.name("It" if start else "it", (k,))
        return
    slot = d.slot[k]
    said = d.said[slot]
    same = [n for n, other in enumerate(d.said) if other.noun == said.noun]
    words = pick(NOUN[said.noun], u, not habits.synonyms).words
    alike = sum(d.said[n].colour == said.colour for n in same)
    if said.colour and alike == 1 and u() < (0.2 if len(same) == 1 else 0.7):
        words = f"{pick(COLOUR[said.colour], u, not habits.synonyms)} {words}"
    elif len(same) > 1:
        words = f"{ORDINALS[same.index(slot)]} {words}"
    d.put("The " if start else "the ")
    d.name(words, (k,))
