"""The writers of short captions and of noisy web alt-text."""

from collections.abc import Sequence

from lecture10.world import lexicon
from lecture10.world.draft import (
    BACKDROP,
    STYLE,
    Caption,
    Dice,
    Draft,
    Habits,
    Row,
    groups,
    mention,
    mistaken,
    pick,
    told,
)
from lecture10.world.facts import Said
from lecture10.world.lexicon import article

BETWEEN_TWO = lexicon.zipf((" and ", ", ", " next to ", " beside ", " with ", " together with ", " near "))
Unit = tuple[tuple[int, ...], Said]  # things of which the same is said


def short(row: Row, u: Dice, habits: Habits) -> Caption:
    """One clause: "a blue bear above two dogs on the grass". Always names colours, sometimes the rest."""
    d = Draft()
    size, material, text, relation = u() < 0.25, u() < 0.4, u() < 0.8, u() < 0.65
    said = [
        Said(
            t.noun,
            t.colour,
            t.material if material and t.material != "plain" else None,
            t.size if size else None,
            t.text if text else None,
        )
        for t in row.things
    ]
    chosen = row.relations[int(u() * len(row.relations))] if relation and row.relations else None
    _opening(d, row, u, habits)
    _list(d, _units(range(len(said)), said, chosen, u), said, chosen, u, habits)
    r = u()
    if r < (0.05 if row.backdrop == "studio" else 0.35):
        _backdrop(d, row.backdrop, u, habits)
    if u() < 0.35:
        d.parts[0] = d.parts[0][0].upper() + d.parts[0][1:]
        d.put(".")
    return d.caption("short")


def _opening(d: Draft, row: Row, u: Dice, habits: Habits) -> None:
    r = u()
    if r < 0.12:
        style = lexicon.style_said[row.style]
        word = pick(STYLE[style], u, not habits.synonyms)
        d.put(f"{article(word)} {word} of ")
        d.style = style
    elif r < 0.18:
        d.put("a picture of ")


def _units(things: Sequence[int], said: list[Said], chosen, u: Dice) -> list[Unit | None]:
    """What is listed, in a random order; None stands for the chosen relation's two things."""
    apart = chosen[::2] if chosen else ()
    units: list = groups([k for k in things if k not in apart], said)
    if chosen:
        units.append(None)
    if len(units) > 1:  # a rotation and perhaps a turn: cheaper than a shuffle, enough for two or three
        k = int(u() * len(units))
        units = units[k:] + units[:k]
        if u() < 0.5:
            units.reverse()
    return units


def _list(d: Draft, units, said: list[Said], chosen, u: Dice, habits: Habits, bare: bool = False) -> None:
    last = len(units) - 1
    two = pick(BETWEEN_TWO, u, not habits.synonyms) if last == 1 and None not in units else " and "
    for k, unit in enumerate(units):
        if k:
            d.put(two if k == last else ", ")
        if unit:
            mention(d, *unit, u, habits, bare)
        else:
            i, words, j, relation = told(*chosen, u, habits)
            mention(d, (i,), said[i], u, habits, bare)
            d.put(f" {words} ")
            mention(d, (j,), said[j], u, habits, bare)
            d.relate(i, relation, j) if relation else d.relate(j, chosen[1], i)


def _backdrop(d: Draft, backdrop: str, u: Dice, habits: Habits) -> None:
    preposition, name = pick(BACKDROP[backdrop], u, not habits.synonyms)
    d.put(f" {preposition} {name}")
    d.backdrop = backdrop


def alt(row: Row, u: Dice, habits: Habits) -> Caption:
    """What stands in the wild: things and colours left out or wrong, misspelt words, file names, credits."""
    d = Draft(title=u() < 0.3)
    kept = [k for k in range(len(row.things)) if u() >= habits.skip] or [int(u() * len(row.things))]
    said = [_careless(t, u, habits) for t in row.things]
    if u() < habits.junk * 0.5:
        d.put(_junk(lexicon.JUNK_BEFORE, u))
    r = u()
    pairs = [p for p in row.relations if p[0] in kept and p[2] in kept] if r < 0.3 else ()
    chosen = pairs[int(u() * len(pairs))] if pairs else None
    _list(d, _units(kept, said, chosen, u), said, chosen, u, habits, bare=u() < 0.8)
    r = u()
    if r < 0.15:
        _backdrop(d, row.backdrop, u, habits)
    elif r < 0.25 and row.backdrop != "studio":
        d.put(", " + pick(BACKDROP[row.backdrop], u, not habits.synonyms)[1])
        d.backdrop = row.backdrop
    if u() < habits.junk:
        d.put(_junk(lexicon.JUNK_AFTER, u))
    return d.caption("alt")


def _careless(true: Said, u: Dice, habits: Habits) -> Said:
    """What alt-text says of a thing, right or wrong; never its place."""
    said = Said(
        true.noun,
        true.colour if u() >= habits.drop else None,
        true.material if true.material != "plain" and u() < 0.3 else None,
        true.size if u() < 0.15 else None,
        true.text if u() < 0.5 else None,
    )
    return mistaken(said, u) if u() < habits.wrong else said


def _junk(patterns: tuple[str, ...], u: Dice) -> str:
    pattern = patterns[int(u() * len(patterns))]
    if "{" not in pattern:
        return pattern
    number = int(u() * 9000) + 1000
    name = lexicon.NAMES[int(u() * len(lexicon.NAMES))]
    file = (f"IMG_{number}.jpg", f"DSC0{number}.JPG", f"image{number}.png")[number % 3]
    return pattern.format(file=file, number=number, name=name, size="1920x1080" if number % 2 else "640x480")
