"""Lint: has a stored notebook the form of the course? Every finding says where, which rule, and the cure."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lecture10.backstage import lint_book, lint_cells, lint_outputs
from lecture10.backstage.book import BookError, read_book
from lecture10.backstage.measured import read_measured
from lecture10.lecture import check_slides, course

ALL_MINUTES = 20  # the whole course, one notebook after the other
RULES = {
    rule.__name__.replace("_", "-"): rule
    for rule in (*lint_book.RULES, *lint_cells.RULES, *lint_outputs.RULES)
}


@dataclass(frozen=True)
class Finding:
    """One thing to mend. `cell` counts all cells from 1; None where it is about the whole notebook."""

    notebook: str
    cell: int | None
    rule: str
    says: str

    def __str__(self) -> str:
        where = self.notebook if self.cell is None else f"{self.notebook}, cell {self.cell}"
        return f"{where}: {self.says}  [{self.rule}]"

    def as_dict(self) -> dict[str, Any]:
        """The finding as plain JSON."""
        return asdict(self)


def lint(path: Path) -> list[Finding]:
    """All findings of one notebook, in the order of its cells; a damaged one is a finding, not an error."""
    path = Path(path)
    try:
        book = read_book(path)
    except BookError as error:
        return [Finding(path.stem, None, "readable", str(error))]
    found = [
        Finding(book.name, number, name, says) for name, rule in RULES.items() for number, says in rule(book)
    ]
    return sorted(found, key=lambda finding: (finding.cell or 0, finding.rule))


def lint_all(paths: list[Path]) -> list[Finding]:
    """All findings of several notebooks of one folder, and whether together they take too long; where all of
    the course's are asked for, also whether each slide that is called written has its part.
    """
    found = [finding for path in paths for finding in lint(path)]
    if {path.stem for path in paths} == {chapter.notebook for chapter in course() if chapter.written}:
        found += [Finding("slides.yaml", None, "slides", says) for says in check_slides(paths[0].parent)]
    record = read_measured(paths[0].parent) if paths else {}
    minutes = sum(record[path.stem]["minutes"] for path in paths if path.stem in record)
    if minutes > ALL_MINUTES:
        says = f"together they take {minutes:.0f} minutes, the course has {ALL_MINUTES}: train fewer steps"
        found.append(Finding("all notebooks", None, "all-minutes", says))
    return found
