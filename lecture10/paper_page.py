"""How a table of the slides looks in a notebook and in a terminal, its slips marked in words, not colours."""

from dataclasses import dataclass
from html import escape
from textwrap import fill

from lecture10.papers import Paper, Slip, number

_STYLE = (
    "border-collapse:collapse;margin:0.5em 0",
    "border:1px solid currentColor;padding:0.2em 0.6em;vertical-align:top;text-align:",
    "border-bottom:2px dashed currentColor;font-weight:bold",
)


@dataclass(frozen=True)
class Page:
    """A stored table, ready to be shown. Its HTML is the same in every run: no ids, no times."""

    paper: Paper
    marked: bool = True

    def __repr__(self) -> str:
        """Plain text: columns aligned, slips as "69.1 [1]", the list of slips below."""
        grid = [[self._words(column, "heading", column) for column in self.paper.headings]]
        grid += [
            [self._words(cell, row[0], column) for cell, column in self._cells(row)]
            for row in self.paper.rows
        ]
        wide = any(len(words) > 60 for row in grid for words in row)
        widths = [0 if wide else max(map(len, column)) for column in zip(*grid, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in grid]
        return "\n".join([self.paper.title, "", *lines, *map(_filled, self._below())])

    def _repr_html_(self) -> str:
        """A captioned table with scoped headings; slips are underlined, numbered and listed below."""
        frame, cell, _ = _STYLE
        head = "".join(
            f'<th scope="col" style="{cell}left">{self._html(name, "heading", name)}</th>'
            for name in self.paper.headings
        )
        body = "".join(f"<tr>{self._row(row)}</tr>" for row in self.paper.rows)
        notes = "".join(f"<p>{escape(line)}</p>" for line in self._below() if line)
        return (
            f'<table style="{frame}"><caption style="text-align:left">'
            f"<strong>{escape(self.paper.title)}</strong></caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}"
        )

    def _row(self, row: tuple[str, ...]) -> str:
        parts = []
        for place, (cell, column) in enumerate(self._cells(row)):
            tag = 'th scope="row"' if place == 0 else "td"
            side = "left" if place == 0 or number(cell) is None else "right"
            parts.append(f'<{tag} style="{_STYLE[1]}{side}">{self._html(cell, row[0], column)}</{tag[:2]}>')
        return "".join(parts)

    def _cells(self, row: tuple[str, ...]) -> list[tuple[str, str]]:
        return list(zip(row, self.paper.headings, strict=True))

    def _mark(self, row: str, column: str) -> int | None:
        """The number of the slip in a cell, from 1; None where there is none or marks are off."""
        cells = [tuple(slip.cell) for slip in self.paper.slips] if self.marked else []
        return cells.index((row, column)) + 1 if (row, column) in cells else None

    def _words(self, text: str, row: str, column: str) -> str:
        mark = self._mark(row, column)
        return f"{text} [{mark}]" if mark else text

    def _html(self, text: str, row: str, column: str) -> str:
        mark = self._mark(row, column)
        if not mark:
            return escape(text)
        owner = self.paper.slips[mark - 1].owner
        return f'<span style="{_STYLE[2]}">{escape(text)}</span> <sup>[{mark} {owner}]</sup>'

    def _below(self) -> list[str]:
        """Caption, form notes, source and the slips, one string each."""
        parts = [self.paper.caption, self.paper.notes and f"Form: {self.paper.notes}"]
        parts.append(self.paper.source and f"Source: {self.paper.source}")
        listed = [f"[{i}] {_sentence(slip)}" for i, slip in enumerate(self.paper.slips, start=1)]
        return [part for part in parts if part] + listed * self.marked


def _sentence(slip: Slip) -> str:
    place = {"caption": "the caption", "heading": f"heading {slip.cell.column}"}
    where = place.get(slip.cell.row, f"{slip.cell.row}, {slip.cell.column}")
    right = f"should be “{slip.should_be}”" if slip.should_be else "what is right is not known"
    told = f"{where}: printed “{slip.printed}”, {right}. {slip.why}"
    return f"Slip of the {slip.owner} — {told} [{slip.on_the_quiz}]"


def _filled(line: str) -> str:
    return "\n" + fill(line, width=110)
