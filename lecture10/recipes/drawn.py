"""What the judge says of pictures drawn for two-thing prompts: noun, colour, relation, and all together."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from lecture10.judge.following import HOLDS, judge_reading
from lecture10.judge.reading import Reading, read
from lecture10.world.facts import Facts, Said
from lecture10.world.parse import parse


@dataclass(frozen=True)
class Shares:
    """Shares in [0, 1], as the judge reports them, not corrected for its errors; n pictures.

    noun: of things asked for that are there; colour: of those that are there, in the colour asked for;
    relation: of pictures where both are there, standing as asked; joint: of pictures, all of it holds.
    """

    noun: float
    colour: float
    relation: float
    joint: float
    n: int

    @property
    def product(self) -> float:
        """What `joint` would be if each part were right or wrong by itself (as in Okawa et al. 2023)."""
        return (self.noun * self.colour) ** 2 * self.relation


def shares(pictures: Tensor, prompts: Sequence[str]) -> Shares:
    """Of pictures (n, 3, S, S) in [0, 1], each drawn for its prompt of two unlike things and a relation.

    Raises ValueError for a prompt of another form.
    """
    if len(pictures) != len(prompts):
        raise ValueError(f"{len(pictures)} pictures and {len(prompts)} prompts: give one prompt a picture")
    told = [_parts(reading, asked(p)) for reading, p in zip(read(pictures), prompts, strict=True)]
    nouns, colours, relations = zip(*told, strict=True)
    there = [found for pair in nouns for found in pair]
    right = [c for pair in colours for c in pair if c is not None]
    stand = [r for r in relations if r is not None]
    joint = [all(n) and all(c) and bool(r) for n, c, r in told]
    return Shares(_mean(there), _mean(right), _mean(stand), _mean(joint), len(prompts))


def asked(prompt: str) -> Facts:
    """A prompt's facts. Raises ValueError where they are not two unlike coloured things and one relation."""
    facts = parse(prompt)
    if len({said.noun for said in facts.things}) != 2 or len(facts.relations) != 1:
        raise ValueError(f"{prompt!r}: two things of different nouns and one relation are needed")
    if any(said.colour is None for said in facts.things):
        raise ValueError(f"{prompt!r}: each thing needs a colour")
    return facts


Parts = tuple[list[bool], list[bool | None], bool | None]


def _parts(reading: Reading, facts: Facts) -> Parts:
    """Which nouns are there, which of those have their colour, and does the relation hold; None: no case."""
    nouns = [judge_reading(reading, Facts((Said(s.noun),))).nouns == HOLDS for s in facts.things]
    colours = [
        judge_reading(reading, Facts((Said(s.noun, s.colour),))).colours == HOLDS if there else None
        for s, there in zip(facts.things, nouns, strict=True)
    ]
    plain = Facts(tuple(Said(s.noun) for s in facts.things), facts.relations)
    return nouns, colours, judge_reading(reading, plain).relations == HOLDS if all(nouns) else None


def _mean(found: Sequence[bool]) -> float:
    return sum(found) / len(found) if found else 0.0
