"""`python -m lecture10 report`: every claim, the paper's figure beside ours, and the verdict.

Holm's correction is over all claims that are measured; it shows what would still be said of the whole report.
"""

import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from lecture10 import experiments, files
from lecture10.claims import Claim, holm, verdict
from lecture10.findings import Finding, find
from lecture10.results import Damaged, default_store
from lecture10.sources import module_hash
from lecture10.verdicts import CANT_TELL, corrected_word, interval_text


def report(
    html: Annotated[Path | None, typer.Option(help="Write one self-contained page.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    folder: Annotated[Path | None, typer.Option(help="Where the results are.")] = None,
    package: Annotated[str, typer.Option(help="Another package of experiments.")] = experiments.__name__,
) -> None:
    """Every claim: the paper's figure, ours with its interval, the verdict, and Holm's correction."""
    entries = collect(folder, package)
    if as_json:
        records = [entry.record() for entry in entries]
        print(json.dumps(records, indent=1, ensure_ascii=False, allow_nan=False))
    if html:
        from lecture10.backstage.report_page import page

        files.write_text(html, page(entries))
        print(f"wrote {html}", file=sys.stderr)
    if not as_json and not html:
        print(text(entries))


@dataclass(frozen=True)
class Entry:
    """One line of the report. holm: the adjusted p, or nan.  problem: what is damaged, or ""."""

    finding: Finding
    holm: float = math.nan
    problem: str = ""

    @property
    def claim(self) -> Claim:
        """The claim that the line is about."""
        return self.finding.claim

    @property
    def corrected(self) -> str:
        """The verdict that survives Holm's correction."""
        return corrected_word(self.finding.verdict, self.holm) if self.finding.used else self.finding.word

    def record(self) -> dict:
        """The line as plain JSON: nothing that is not known is a number."""
        claim, result, known = self.claim, self.finding.verdict, bool(self.finding.used)
        return {
            "name": claim.name,
            "system": claim.system,
            "slide": claim.slide,
            "says": claim.says,
            "effect": str(claim.effect),
            "seeds": result.seeds,
            "planned": claim.seeds,
            "paper": claim.paper,
            "ours": _number(result.mean),
            "low": _number(result.low),
            "high": _number(result.high),
            "margin": claim.margin,
            "verdict": self.finding.word,
            "expected": claim.expects,
            "p": _number(result.p),
            "holm_p": _number(self.holm),
            "holm": self.corrected,
            "post_hoc": self.finding.post_hoc if known else None,
            "wordings": self.finding.wordings,
            "stale": list(self.finding.stale),
            "marks": self.finding.marks(),
            "does_not_test": claim.does_not_test,
            "problem": self.problem or None,
        }


def collect(folder: Path | None = None, package: str = experiments.__name__) -> list[Entry]:
    """Every claim of the package, judged; a damaged file becomes a line that says so."""
    store, entries = default_store(folder), []
    for experiment in experiments.everything(package):
        code, problem, stored = module_hash(experiment.module), "", None
        try:
            stored = store.load(experiment.name)
        except Damaged as error:
            problem = str(error)
        for claim in experiment.claims:
            nothing = Finding(claim, verdict([], claim.margin))
            entries.append(Entry(find(claim, stored, code) if stored else nothing, problem=problem))
    measured = [entry for entry in entries if entry.finding.used]
    adjusted = dict(zip(map(id, measured), holm([e.finding.verdict.p for e in measured]), strict=True))
    return [Entry(entry.finding, adjusted.get(id(entry), math.nan), entry.problem) for entry in entries]


def text(entries: list[Entry]) -> str:
    """The report as a table for the terminal, with its footnotes."""
    head = ("claim", "paper", "ours [95 %]", "margin", "seeds", "verdict", "after Holm", "expected", "")
    lines, notes = [head], []
    for entry in entries:
        finding, result = entry.finding, entry.finding.verdict
        marks = [entry.problem] if entry.problem else finding.marks()
        notes += [f"  {entry.claim.name}: {mark}" for mark in marks]
        known = (ours(entry), f"{result.margin:g}", str(result.seeds)) if finding.used else ("—", "", "")
        sign = "*" * bool(marks)
        paper = "" if entry.claim.paper is None else _short(str(entry.claim.paper), 20)
        corrected = entry.corrected if finding.used else ""
        lines.append((entry.claim.name, paper, *known, finding.word, corrected, entry.claim.expects, sign))
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    table = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    return "\n".join([*table, "", *(["*"] if notes else []), *notes, *counted(entries)])


def counted(entries: list[Entry]) -> list[str]:
    """How many claims there are, are measured, and came out as expected."""
    measured = [entry for entry in entries if entry.finding.used]
    met = sum(entry.finding.word == entry.claim.expects for entry in measured)
    decided = [entry for entry in measured if entry.finding.word != CANT_TELL]
    held = sum(entry.corrected == entry.finding.word for entry in decided)
    return [
        f"{len(entries)} claims, {len(measured)} measured; {met} came out as expected; "
        f"{len(decided)} decided, {held} of them still after Holm's correction over the {len(measured)}."
    ]


def ours(entry: Entry) -> str:
    """Our effect with its interval, to three digits."""
    return interval_text(entry.finding.verdict)


def _short(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 1] + "…"


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
