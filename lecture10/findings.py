"""A finding: one claim, judged on what is stored of it. A notebook shows it; the report lists them all.

Post hoc. A seed counts for the wording under which it was *first* measured: measuring it again under a new
wording does not help, since its outcome was known. Where all stored seeds were first measured under
today's wording, or at least as many as planned were, those are judged, and the claim was there first. Else
all are, marked *post hoc*.

Stale. A seed whose rows were made by other code than today's (`lecture10.sources`) is listed as stale.
"""

import html
import math
from collections.abc import Iterable
from dataclasses import dataclass

from lecture10.claims import Claim, Row, Verdict
from lecture10.results import Stored
from lecture10.verdicts import interval, interval_text

# Okabe and Ito's colours, which stay apart under colour blindness; the mark and the word say the same.
LOOKS = {
    "shown": ("✓", "#0072B2"),
    "opposite": ("✗", "#D55E00"),
    "no difference": ("=", "#595959"),
    "can't tell": ("?", "#7A5C00"),
    "not measured": ("–", "#767676"),
}


@dataclass(frozen=True, repr=False)
class Finding:
    """One claim, judged on its stored rows.

    used: the rows that the verdict is about.  post_hoc: the wording came after the rows.  wordings: how many
    wordings of the claim were measured.  stale: seeds measured with other code than today's.
    """

    claim: Claim
    verdict: Verdict
    used: tuple[Row, ...] = ()
    post_hoc: bool = False
    wordings: int = 0
    stale: tuple[int, ...] = ()

    @property
    def word(self) -> str:
        """The verdict in a word, or "not measured"."""
        return self.verdict.word if self.used else "not measured"

    @property
    def estimate(self) -> float:
        """The mean effect, positive in the direction of the claim (nan where nothing is measured)."""
        return self.verdict.mean

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the effect."""
        return self.verdict.low, self.verdict.high

    @property
    def rows(self):
        """The rows as a pandas DataFrame: variant, metric, at, value, n, seed."""
        import pandas as pd

        from lecture10.results import COLUMNS

        frame = pd.DataFrame([[getattr(row, name) for name in COLUMNS] for row in self.used], columns=COLUMNS)
        return frame.astype({"at": float})  # nan where a row has no place

    def table(
        self, metric: str | None = None
    ) -> list[tuple[str, str, float | None, float, float, float, int]]:
        """(variant, metric, at, mean, low, high, seeds) for each variant and place.

        metric: which one (default: the claim's).
        """
        found: dict[tuple, list[float]] = {}
        for row in self.used:
            if row.metric == (metric or self.claim.effect.metric):
                found.setdefault((row.variant, row.metric, row.at), []).append(row.value)
        nothing = (math.nan, math.nan)
        return [
            (
                *key,
                sum(values) / len(values),
                *(interval(values) if len(values) > 1 else nothing),
                len(values),
            )
            for key, values in found.items()
        ]

    def curves(self, metric: str | None = None) -> dict[str, dict[float, tuple[float, float, float]]]:
        """variant -> {at: (mean, low, high)} of what was measured at places; metric: as in `table`."""
        found: dict[str, dict[float, tuple[float, float, float]]] = {}
        for variant, _, at, *ends, _ in self.table(metric):
            if at is not None:
                found.setdefault(variant, {})[at] = tuple(ends)
        return found

    def marks(self) -> list[str]:
        """What a reader must know beside the verdict: post hoc, stale, wary notes."""
        marks = ["post hoc"] * self.post_hoc
        if self.used and self.wordings > 1:
            marks.append(f"one of {self.wordings} wordings")
        if self.stale:
            marks.append(f"stale (seed{'s' * (len(self.stale) > 1)} {', '.join(map(str, self.stale))})")
        if self.used and self.verdict.seeds != self.claim.seeds:
            marks.append(f"{self.verdict.seeds} of {self.claim.seeds} planned seeds")
        return marks + ([self.verdict.note] if self.used and self.verdict.note else [])

    def __str__(self) -> str:
        claim = self.claim
        if not self.used:
            return f"{claim.name}: not measured yet ({_how(claim)})"
        lines = [f"{claim.name}: {claim.says}", f"  effect, paired by seed: {claim.effect}"]
        for variant, _, at, mean, low, high, seeds in self.table():
            place = "" if at is None else f" at {at:g}"
            lines.append(f"  {variant + place:<28} {_ends(mean, low, high)}  ({seeds} seeds)")
        lines.append(f"  ours: {self.verdict}, {claim.expects} was expected")
        lines += [f"  paper: {claim.paper}"] if claim.paper is not None else []
        lines += [f"  note: {mark}" for mark in self.marks()]
        return "\n".join([*lines, f"  does not test: {claim.does_not_test}"])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        claim, text = self.claim, html.escape
        sign, colour = LOOKS[self.word]
        where = f"{text(claim.name)} · {text(str(claim.effect))}"
        head = f"<p><b>{text(claim.says)}</b><br><small>{where}</small></p>"
        if not self.used:
            return f"<div>{head}<p>Not measured yet: <code>{text(_how(claim))}</code></p></div>"
        lines = [
            f"<tr><td>{text(variant)}</td><td>{'' if at is None else f'{at:g}'}</td>"
            f"<td>{_ends(mean, low, high)}</td><td>{seeds}</td></tr>"
            for variant, _, at, mean, low, high, seeds in self.table()
        ]
        names = (
            f"<tr><th>variant</th><th>at</th><th>{text(claim.effect.metric)} [95 %]</th><th>seeds</th></tr>"
        )
        paper = f" Paper: {text(str(claim.paper))}." if claim.paper is not None else ""
        badge = f'<b style="color:{colour}">{sign} {text(self.word)}</b>'
        notes = "".join(f"<br>Note: {text(note)}" for note in self.marks())
        return (
            f"<div>{head}<table>{names}{''.join(lines)}</table>"
            f"<p>{badge} — effect {interval_text(self.verdict)}, margin {claim.margin:g}; "
            f"expected: {text(claim.expects)}.{paper}{notes}<br>"
            f"<small>Does not test: {text(claim.does_not_test)}</small></p></div>"
        )


def find(claim: Claim, stored: Stored, code: str) -> Finding:
    """Judge a claim on what is stored of its experiment. code: today's module hash."""
    own = own_seeds(claim, stored)
    post_hoc = len(own) < len(stored.seeds) and len(own) < claim.seeds
    seeds = set(stored.seeds if post_hoc else own)
    return Finding(
        claim,
        claim.verdict(stored.rows(seeds)),
        tuple(stored.rows(seeds)),
        post_hoc,
        len(set(stored.wordings.get(claim.name, {})) | {claim.hash()}),
        tuple(sorted(seed for seed in seeds if stored.seeds[seed].runs[-1].module != code)),
    )


def own_seeds(claim: Claim, stored: Stored) -> list[int]:
    """The seeds that were first measured when the claim was worded as it is now."""
    wording = claim.hash()
    return [seed for seed, one in stored.seeds.items() if one.runs[0].claims.get(claim.name) == wording]


def whole(claims: Iterable[Claim], rows: Iterable[Row]) -> None:
    """Raise MissingRows where one seed's rows lack what one of the claims compares."""
    rows = list(rows)
    for claim in claims:
        claim.effects(rows)


def _how(claim: Claim) -> str:
    return f"python -m lecture10 measure {claim.name}, about {claim.minutes:g} minutes"


def _ends(mean: float, low: float, high: float) -> str:
    return f"{mean:.4g}" if math.isnan(low) else f"{mean:.4g} [{low:.4g}, {high:.4g}]"
