"""The tables of the slides, as printed, with what slips in them and whose slip it is.

One CSV a table in data/papers, every cell as printed; titles, captions, cautions and the slips' reasons in
data/papers/tables.yaml. Pandas is loaded only when a table is asked for.
"""

import csv
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import yaml

from lecture10.names import unknown
from lecture10.paths import data_folder, data_path

if TYPE_CHECKING:
    import pandas

    from lecture10.paper_page import Page

OWNERS = ("paper", "slide", "transcript")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_SCALES = {"": 1.0, "%": 1.0, "M": 1e6, "B": 1e9, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_NUMBER = re.compile(
    r"[~∼]?\s*(?P<value>[+−-]?\d+(?:\.\d+)?)(?:×10(?P<power>[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?\s*"
    r"(?P<scale>%|M|B|million|billion|trillion)?(?:\s*±\s*(?P<half>\d+(?:\.\d+)?)%?)?[ᵃᵇᶜᵈ†]?"
)
_POWER_OF_TEN = re.compile(r"[~∼]?\s*10(?P<power>[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)")


class Cell(NamedTuple):
    """A cell by its row's first entry and its column's heading; row "heading" or "caption" for those."""

    row: str
    column: str


@dataclass(frozen=True)
class Slip:
    """Something printed that is not so. `should_be` is "" where only the wrong is known, not the right."""

    cell: Cell
    owner: str  # "paper": what the slide quotes; "slide": the lecture's words; "transcript": only our text
    printed: str
    should_be: str
    why: str

    @property
    def on_the_quiz(self) -> str:
        """How to answer when a question quotes it; a long print is not repeated."""
        if self.owner == "transcript":
            return "on the quiz: as the slide prints it; only our text of it slips"
        return "on the quiz, as printed" + (f": {self.printed}" if len(self.printed) <= 40 else "")


@dataclass(frozen=True)
class Paper:
    """One stored table: headings and cells as printed, and what tables.yaml says of it."""

    name: str
    title: str
    source: str
    caption: str
    notes: str
    cautions: tuple[str, ...]
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    slips: tuple[Slip, ...]


def names() -> list[str]:
    """The names of all stored tables, in alphabetical order."""
    return sorted(path.stem for path in data_path("papers").glob("*.csv"))


def paper(name: str) -> Paper:
    """Everything stored about one table.

    Raises KeyError, with the nearest name, for an unknown one; ValueError where files contradict each other.
    """
    if name not in names():
        raise KeyError(unknown("table", name, names()))
    return _read(name, str(data_folder()))


def table(name: str) -> "pandas.DataFrame":
    """A table of the slides with its numbers read.

    A column becomes numeric where every cell is a number, empty or "-" (125M -> 1.25e8, 60% -> 60, - -> NaN).
    47.1% ± 3.1% fills two columns, "Photorealism" and "Photorealism ±". `.attrs["printed"]` keeps the cells
    as printed, {heading: [cells]}; `.attrs["name"]`, `["title"]` and `["source"]` say where it is from.
    """
    import pandas

    stored = paper(name)
    columns: dict[str, list] = {}
    for heading, cells in _columns(stored).items():
        columns |= _parsed(heading, cells)
    frame = pandas.DataFrame(columns)
    frame.attrs = {key: getattr(stored, key) for key in ("name", "title", "source")}
    frame.attrs["printed"] = _columns(stored)
    return frame


def printed(name: str) -> "pandas.DataFrame":
    """The same table as strings, every cell exactly as printed."""
    import pandas

    return pandas.DataFrame(_columns(paper(name)))


def slips(name: str) -> list[Slip]:
    """What slips in a table, in the order of its rows; empty where nothing does."""
    return list(paper(name).slips)


def cautions(name: str) -> list[str]:
    """What is printed rightly in a table and easily misread."""
    return list(paper(name).cautions)


def show(name: str, *, slips: bool = True) -> "Page":
    """A table to look at in a notebook or a terminal, its slips marked by a number and listed below.

    `slips=False` leaves marks and list out: finding the slips is an exercise.
    """
    from lecture10.paper_page import Page

    return Page(paper(name), marked=slips)


def number(text: str) -> float | None:
    """The number in a printed cell, None where it holds none: "6.0×10⁻⁴" -> 0.0006, "410 billion" -> 4.1e11.

    Percent signs, footnote letters and "~" are dropped; of an interval, the middle is returned.
    """
    if match := _POWER_OF_TEN.fullmatch(text):
        return float(f"1e{match['power'].translate(_SUPERSCRIPTS)}")
    if not (match := _NUMBER.fullmatch(text)):
        return None
    power = (match["power"] or "⁰").translate(_SUPERSCRIPTS)
    return float(f"{match['value'].replace('−', '-')}e{power}") * _SCALES[match["scale"] or ""]


def _columns(stored: Paper) -> dict[str, list[str]]:
    return {heading: [row[i] for row in stored.rows] for i, heading in enumerate(stored.headings)}


def _parsed(heading: str, cells: list[str]) -> dict[str, list]:
    filled = [cell for cell in cells if cell not in ("", "-")]
    if not filled or any(number(cell) is None for cell in filled):
        return {heading: cells}
    if all(cell.isdigit() for cell in cells):
        return {heading: [int(cell) for cell in cells]}
    read = {heading: [float("nan") if (value := number(cell)) is None else value for cell in cells]}
    halves = [match["half"] if (match := _NUMBER.fullmatch(cell)) else None for cell in cells]
    if any(halves):
        read[f"{heading} ±"] = [float(half or "nan") for half in halves]
    return read


@cache
def _read(name: str, folder: str) -> Paper:  # `folder` is a key of the cache: LECTURE10_DATA may change
    with open(data_path(f"papers/{name}.csv"), newline="", encoding="utf-8") as handle:
        heading, *lines = list(csv.reader(handle))
    about = _about(folder).get(name)
    if about is None or heading[-1] != "slips" or any(len(line) != len(heading) for line in lines):
        raise ValueError(
            f"data/papers/{name}.csv is not a table of ours: it needs an entry in tables.yaml, a last column "
            f"'slips' and {len(heading)} cells in every row"
        )
    headings, rows = tuple(heading[:-1]), tuple(tuple(line[:-1]) for line in lines)
    found = tuple(_slip(name, entry, about, headings, rows) for entry in about["slips"])
    _check_column(name, found, [(line[0], line[-1]) for line in lines])
    words = {key: about[key] for key in ("title", "source", "caption", "notes")}
    return Paper(name, **words, cautions=tuple(about["cautions"]), headings=headings, rows=rows, slips=found)


@cache
def _about(folder: str) -> dict:
    return yaml.safe_load(data_path("papers/tables.yaml").read_text(encoding="utf-8"))


def _slip(name: str, entry: dict, about: dict, headings: tuple, rows: tuple) -> Slip:
    """One entry of tables.yaml as a Slip, its cell looked up."""
    cell, where = Cell(entry["row"], entry["column"]), f"data/papers/tables.yaml, {name}, {entry['row']!r}"
    if entry["owner"] not in OWNERS:
        raise ValueError(f"{where}: owner {entry['owner']!r} is none of {', '.join(OWNERS)}")
    if cell.row == "caption":
        good, words = entry["printed"] in about["caption"], entry["printed"]
    elif cell.row == "heading":
        good, words = cell.column in headings, entry["printed"]
    else:
        matching = [row for row in rows if row[0] == cell.row and cell.column in headings]
        good = len(matching) == 1 and bool(matching[0][headings.index(cell.column)])
        words = matching[0][headings.index(cell.column)] if good else ""
    if not good:
        raise ValueError(f"{where}: the table has no such cell {tuple(cell)}, or more than one")
    return Slip(cell, entry["owner"], words, entry["should_be"], entry["why"].strip())


def _check_column(name: str, found: tuple[Slip, ...], column: list[tuple[str, str]]) -> None:
    """The CSV's last column and tables.yaml must name the same cells and owners."""
    listed = sorted((row, part) for row, text in column for part in text.split("; ") if part)
    meant = sorted(
        (slip.cell.row, f"{slip.cell.column}: {slip.owner}")
        for slip in found
        if slip.cell.row not in ("heading", "caption")
    )
    if listed != meant:
        raise ValueError(
            f"data/papers/{name}.csv, column 'slips', and tables.yaml differ: "
            f"{sorted(set(listed) ^ set(meant))}; write the same cells and owners in both"
        )
