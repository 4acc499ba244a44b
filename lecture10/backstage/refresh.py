"""Refresh: run a notebook on the CPU and store its outputs so that a second refresh changes no byte."""

from pathlib import Path

import nbformat

import lecture10
from lecture10.backstage.book import Book, BookError, read_book
from lecture10.backstage.kernel import CELL_TIMEOUT, Progress, Ran, execute
from lecture10.backstage.measured import keep_measured
from lecture10.backstage.mechanism import is_mechanism, mechanism_source
from lecture10.backstage.normal import normalise
from lecture10.files import write_bytes


def refresh(
    path: Path, *, timeout: float = CELL_TIMEOUT, progress: Progress | None = None, write: bool = True
) -> tuple[Ran, list[str]]:
    """Write the mechanism cells from the package, run the notebook on the CPU, store its normalised outputs.

    Returns what the run cost and what changed, in words ("cell 7"); where nothing did, the file is untouched.
    With `write=False`, only says what would change. Raises BookError, and changes nothing, where a cell
    fails, writes to stderr or shows a memory address, or where the file was edited meanwhile.
    """
    book, before = read_book(path), read_book(path)
    stamp(book)
    write_mechanisms(book)
    ran = execute(book, cpu=True, timeout=timeout, progress=progress)
    normalise(book)
    data = as_bytes(book)
    changed = differences(before, book) if data != before.raw else []
    if write:
        _store(book, data)
        changed += ["measured minutes"] * keep_measured(book, ran.minutes, ran.peak_mb)
    return ran, changed


def stamp(book: Book) -> None:
    """Write into metadata.lecture10 the file's name, the package's version and the stated minutes."""
    about = book.nb.metadata.setdefault("lecture10", nbformat.NotebookNode())
    about["name"], about["version"] = book.name, lecture10.__version__
    if book.stated_minutes is not None:
        about["minutes"] = book.stated_minutes


def write_mechanisms(book: Book) -> None:
    """Give each mechanism cell the package's source text."""
    for number, cell in book.code:
        if not is_mechanism(cell):
            continue
        try:
            cell.source = mechanism_source(cell)
        except BookError as error:
            raise BookError(f"{book.name}, cell {number}: {error}") from error


def as_bytes(book: Book) -> bytes:
    """The notebook as it is stored: sorted keys, one space of indentation, UTF-8, a newline at the end."""
    return (nbformat.writes(book.nb, version=4).rstrip("\n") + "\n").encode("utf-8")


def differences(before: Book, after: Book) -> list[str]:
    """Which cells (by number) and whether anything else differ between two states of one notebook."""
    pairs = zip(before.nb.cells, after.nb.cells, strict=True)
    cells = [f"cell {n}" for n, (old, new) in enumerate(pairs, start=1) if old != new]
    return cells or ["metadata"]


def _store(book: Book, data: bytes) -> None:
    if book.path.read_bytes() != book.raw:
        raise BookError(
            f"{book.name} was edited while it ran: nothing was written. Save your edits and refresh it again"
        )
    if data != book.raw:
        write_bytes(book.path, data)
