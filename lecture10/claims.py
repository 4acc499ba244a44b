"""Claims: what a slide says, written down before it is measured.

    CLAIM = Claim(
        "clip.shots", slide="CLIP: zero-shot against linear probe", table="clip_shots.csv",
        says="Zero-shot equals at least a 4-shot linear probe on the same features.",
        effect=difference("zero-shot", "4-shot probe", metric="accuracy"), margin=0.02, expects="shown",
        does_not_test="features learnt from 400 M pairs; our classes are few and clean", minutes=8,
    )

The *wording* of a claim is everything that could be bent after seeing the result. Its hash is stored with
each seed when that seed is first measured; a claim whose wording is another by now is reported as *post hoc*.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import KW_ONLY, dataclass, fields, replace

from lecture10.effects import (
    Effect,
    MissingRows,
    Row,
    crossing,
    difference,
    ordering,
    slope,
)
from lecture10.verdicts import FEWEST_SEEDS, WORDS, Verdict, holm, verdict

__all__ = [
    "Claim",
    "Effect",
    "MissingRows",
    "Row",
    "Verdict",
    "by_seed",
    "crossing",
    "difference",
    "holm",
    "ordering",
    "slope",
    "verdict",
]

MOST_MINUTES = {"quick": 10, "long": 60}  # for all seeds of a claim, on two cores


@dataclass(frozen=True)
class Claim:
    """One sentence of a slide, and how it will be judged.

    name: "system.topic".  slide: where it stands.  says: the claim, as a sentence.  table: the stored
    table of the paper (data/papers/).  paper: the paper's own figure for the same comparison, as printed.
    effect: what is compared, positive in the direction of `says`.  margin: the smallest effect that would
    matter, > 0. expects: the verdict expected at this scale.  does_not_test: what this toy cannot tell.
    minutes: what all seeds take together on two cores.  tier: "quick" (≤ 10 minutes) or "long" (≤ 60).
    seeds: how many are planned.  pixels: side of the images.  runs: trainings per seed.
    Raises ValueError, naming the claim and the field, where one of them cannot be.
    """

    name: str
    _: KW_ONLY
    slide: str
    says: str
    effect: Effect
    margin: float
    expects: str
    does_not_test: str
    minutes: float
    table: str | None = None
    paper: str | float | None = None
    tier: str = "quick"
    seeds: int = 5
    pixels: int | None = None
    runs: int | None = None

    def __post_init__(self) -> None:
        for wrong in self._wrongs():
            raise ValueError(f"claim {self.name!r}: {wrong}")

    def _wrongs(self) -> Iterator[str]:
        if not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)+", self.name):
            yield "its name is 'system.topic', in small letters"
        for field in ("slide", "says", "does_not_test"):
            if not getattr(self, field).strip():
                yield f"{field} is empty"
        if not isinstance(self.effect, Effect):
            yield f"effect is {self.effect!r}; it is a difference, ordering, crossing or slope"
        if not (self.margin > 0 and math.isfinite(self.margin)):
            yield f"margin is {self.margin}; it is the smallest effect that would matter, above 0"
        if self.expects not in WORDS:
            yield f"expects {self.expects!r}; the verdicts are {', '.join(map(repr, WORDS))}"
        if self.seeds < FEWEST_SEEDS:
            yield f"plans {self.seeds} seeds; below {FEWEST_SEEDS} no verdict can be told"
        if self.tier not in MOST_MINUTES:
            yield f"tier is {self.tier!r}; it is 'quick' or 'long'"
        elif not 0 < self.minutes <= MOST_MINUTES[self.tier]:
            most = MOST_MINUTES[self.tier]
            yield f"takes {self.minutes} minutes; {self.tier} is at most {most} for all seeds together"

    @property
    def system(self) -> str:
        """The system it is about: the first part of its name."""
        return self.name.split(".")[0]

    def wording(self) -> dict:
        """All that could be bent after the result: not where it stands (slide) nor what it costs."""
        spared = {"slide", "minutes", "tier", "pixels", "runs", "effect"}
        words = {name: word for name, word in _said(self).items() if name not in spared}
        words |= {"seeds": self.seeds, "effect": {"kind": type(self.effect).__name__, **_said(self.effect)}}
        return {
            name: " ".join(word.split()) if isinstance(word, str) else word for name, word in words.items()
        }

    def hash(self) -> str:
        """Twelve hexadecimal digits that change with the wording, and not with its line breaks."""
        text = json.dumps(self.wording(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def effects(self, rows: Iterable[Row]) -> dict[int, tuple[float, ...]]:
        """The effect in each seed: its parts, positive in the direction claimed.

        Raises MissingRows, naming the seed and what it lacks.
        """
        found = {}
        for seed, group in by_seed(rows).items():
            try:
                found[seed] = self.effect.parts(group)
            except ValueError as error:
                raise type(error)(f"{self.name}, seed {seed}: {error}") from None
        return found

    def verdict(self, rows: Iterable[Row]) -> Verdict:
        """The verdict over all seeds of the rows; a seed that lacks a needed row is left out, and noted."""
        whole, lacking = {}, []
        for group in by_seed(rows).values():
            try:
                whole |= self.effects(group)
            except MissingRows as error:
                lacking.append(f"left out: {error}")
        result = verdict(list(whole.values()), self.margin)
        return replace(result, note="; ".join(filter(None, [result.note, *lacking])))


def _said(thing: object) -> dict:
    """The fields that are not at their default, so that a new optional field changes no hash."""
    return {f.name: value for f in fields(thing) if (value := getattr(thing, f.name)) != f.default}


def by_seed(rows: Iterable[Row]) -> dict[int, list[Row]]:
    """The rows of each seed, seeds rising."""
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(row.seed, []).append(row)
    return dict(sorted(found.items()))
