"""Lint rules over a whole notebook: its six parts, its length, its minutes, its first lines, its names."""

import ast
import json
import re
from collections.abc import Iterator

import lecture10
from lecture10.backstage.book import FREE_FORM, Book, is_ignored, tags
from lecture10.backstage.measured import SPREAD, close, read_measured

Says = Iterator[tuple[int | None, str]]

PARTS = [f"part-{n}" for n in range(1, 7)]
MAX_CELLS, MAX_WORDS, MAX_CODE_RUN = 35, 1700, 2
MAX_IGNORED, MAX_MINUTES, MAX_MB, MAX_BYTES = 0.30, 2.0, 2048, 1_500_000
FOLDED = re.compile(r"<details.*?</details>", re.S | re.I)
NOT_PROSE = re.compile(r"```.*?```|\$\$.*?\$\$|\$[^$\n]+\$|<[^>]+>|\]\([^)]*\)", re.S)
WORD = re.compile(r"[^\W\d_][\w'’-]*")


def parts(book: Book) -> Says:
    """The six parts, once each and in order, each on a Markdown cell that opens with a heading."""
    if book.name in FREE_FORM:
        return
    seen = [(n, cell, tag) for n, cell in book.cells for tag in tags(cell) if tag in PARTS]
    for n, cell, tag in seen:
        if cell.cell_type != "markdown" or not cell.source.lstrip().startswith("#"):
            yield n, f"the tag {tag} belongs on a Markdown cell that opens with a heading"
    order = [tag for _, _, tag in seen]
    if order != PARTS:
        missing = [part for part in PARTS if part not in order]
        wrong = f"missing: {', '.join(missing)}" if missing else f"found: {', '.join(order)}"
        yield (
            None,
            f"a notebook has part-1 to part-6, once each and in order ({wrong}): tag their headings",
        )


def first_code(book: Book) -> Says:
    """Prose first; then, within the first three cells, the one line that starts every notebook."""
    line = f'import lecture10 as l10; l10.begin("{book.name}")'
    if not book.code or book.code[0][0] > 3:
        yield None, f"one of the first three cells is code and says: {line}"
        return
    number, _ = book.code[0]
    if number == 1:
        yield number, "a notebook opens with prose: put a Markdown cell before the first code"
    if not _begins(book.trees[number], book.name):
        yield number, f"the first code cell is exactly: {line}"


def _begins(tree: ast.Module | None, name: str) -> bool:
    body = tree.body if tree else []
    if (
        len(body) != 2
        or ast.unparse(body[0]) != "import lecture10 as l10"
        or not isinstance(body[1], ast.Expr)
    ):
        return False
    call = body[1].value
    return (
        isinstance(call, ast.Call)
        and ast.unparse(call.func) == "l10.begin"
        and [ast.unparse(arg) for arg in call.args] == [repr(name)]
    )


def picture(book: Book) -> Says:
    """A picture or a widget by the second code cell."""
    if book.name in FREE_FORM:
        return
    kinds = [kind for _, cell in book.code[:2] for out in cell.outputs for kind in out.get("data", {})]
    if not any(kind.startswith("image/") or "widget-view" in kind for kind in kinds):
        yield (
            None,
            "one of the first two code cells shows a picture or a widget: let the learner see it first",
        )


def cell_count(book: Book) -> Says:
    """At most 35 cells."""
    if len(book.cells) > MAX_CELLS:
        yield None, f"{len(book.cells)} cells, at most {MAX_CELLS}: join or cut some"


def words(book: Book) -> Says:
    """About 1,500 words of prose, 1,700 at the most; folded answers, formulas and code do not count."""
    count = sum(word_count(cell.source) for _, cell in book.cells if cell.cell_type == "markdown")
    if count > MAX_WORDS:
        yield (
            None,
            f"{count} words of prose, aim at 1500 and stay below {MAX_WORDS}: cut, or fold into <details>",
        )


def word_count(markdown: str) -> int:
    """The words a learner has to read in a Markdown cell."""
    return len(WORD.findall(NOT_PROSE.sub(" ", FOLDED.sub(" ", markdown))))


def prose(book: Book) -> Says:
    """No more than two code cells in a row without a word between them."""
    run = 0
    for number, cell in book.cells:
        run = run + 1 if cell.cell_type == "code" else 0
        if run == MAX_CODE_RUN + 1:
            yield (
                number,
                f"more than {MAX_CODE_RUN} code cells in a row: say in a Markdown cell what comes and why",
            )


def ignored_share(book: Book) -> Says:
    """At most 30 % of the code cells are not compared by nbval."""
    code = [cell for _, cell in book.code if cell.source.strip()]
    ignored = sum(map(is_ignored, code))
    if code and ignored / len(code) > MAX_IGNORED:
        yield (
            None,
            f"nbval ignores {ignored} of {len(code)} code cells, at most {MAX_IGNORED:.0%}: let some "
            "work from a checkpoint or exact arithmetic, and drop their tag",
        )


def identity(book: Book) -> Says:
    """The notebook's metadata carry its own name and the package's version, and every cell its own id."""
    for key, wanted in {"name": book.name, "version": lecture10.__version__}.items():
        if book.about.get(key) != wanted:
            yield (
                None,
                f"metadata.lecture10.{key} is {book.about.get(key)!r}, not {wanted!r}: {_refresh(book)}",
            )
    stored = [cell.get("id") for cell in json.loads(book.raw)["cells"]]
    if stored != [cell.id for _, cell in book.cells]:
        yield None, f"some cells have no id, or one that another has: {_refresh(book)}"
    if "widgets" in book.nb.metadata:
        yield None, f"metadata.widgets is stored, and GitHub calls such a notebook invalid: {_refresh(book)}"


def minutes(book: Book) -> Says:
    """The stated minutes: there, within 1.5× of the measured ones, and no more than two."""
    stated, record = book.stated_minutes, read_measured(book.path.parent).get(book.name)
    if stated is None:
        yield (
            None,
            'no minutes stated: write "**Minutes:** 2 on two cores" into one of the first Markdown cells',
        )
    elif book.about.get("minutes") != stated:
        yield (
            None,
            f"states {stated:g} minutes, and its metadata {book.about.get('minutes')}: {_refresh(book)}",
        )
    if record is None:
        yield None, f"its minutes were never measured: {_refresh(book)}"
        return
    measured, peak = record["minutes"], record["peak_mb"]
    if stated is not None and not close(stated, measured):
        yield (
            None,
            f"states {stated:g} minutes and takes {measured:.1f}, over {SPREAD}× apart: correct the prose",
        )
    if measured > MAX_MINUTES:
        yield (
            None,
            f"takes {measured:.1f} minutes, at most {MAX_MINUTES:g}: train fewer steps, ship the longer run",
        )
    if peak > MAX_MB:
        yield None, f"needs {peak} MB, at most {MAX_MB}: use smaller batches or free what is no longer needed"


def stale(book: Book) -> Says:
    """The stored outputs were made by the code that is stored with them."""
    record = read_measured(book.path.parent).get(book.name)
    if record is not None and record["code"] != book.code_hash():
        yield None, f"its code was edited after the last refresh, so outputs may be old: {_refresh(book)}"


def file_size(book: Book) -> Says:
    """At most 1.5 MB, so that it opens at once and a reviewer can read its history."""
    if len(book.raw) > MAX_BYTES:
        yield None, f"{len(book.raw) / 1e6:.1f} MB, at most {MAX_BYTES / 1e6}: fewer or smaller pictures"


def _refresh(book: Book) -> str:
    return f"run python -m lecture10 notebooks refresh {book.name}"


RULES = (
    parts, first_code, picture, cell_count, words, prose, ignored_share, identity, minutes, stale, file_size,
)  # fmt: skip
