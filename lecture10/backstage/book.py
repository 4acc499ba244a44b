"""A notebook as a file: found by name, read with kindness, its cells asked simple questions."""

import ast
import hashlib
import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4.rwbase import rejoin_lines
from nbformat.validator import iter_validate

from lecture10.names import unknown
from lecture10.paths import notebooks_folder

FREE_FORM = frozenset(
    {"00_start_here", "16_quiz"}
)  # the first and the last notebook have a form of their own
STATED = re.compile(r"\*\*Minutes:\*\*\s*(?:about\s+)?(\d+(?:\.\d+)?)")  # **Minutes:** about 2 on two cores
IGNORED = {"nbval-ignore-output", "nbval-skip"}
IGNORED_COMMENTS = re.compile(
    r"^\s*#\s*(NBVAL_IGNORE_OUTPUT|NBVAL_SKIP|PYTEST_VALIDATE_IGNORE_OUTPUT)\s*$", re.M
)


class BookError(ValueError):
    """A notebook that cannot be found, read, run or refreshed; the message says which, why, and the cure."""


@dataclass
class Book:
    """One notebook read from disk. Cells are numbered from 1, in the order of the file."""

    path: Path
    raw: bytes = field(repr=False)
    nb: NotebookNode = field(repr=False)

    @property
    def name(self) -> str:
        """The notebook's name: its file name without `.ipynb`."""
        return self.path.stem

    @property
    def cells(self) -> list[tuple[int, NotebookNode]]:
        """All cells with their numbers."""
        return list(enumerate(self.nb.cells, start=1))

    @property
    def code(self) -> list[tuple[int, NotebookNode]]:
        """The code cells with their numbers (numbers count every cell)."""
        return [(n, cell) for n, cell in self.cells if cell.cell_type == "code"]

    @property
    def about(self) -> dict[str, Any]:
        """What the notebook says about itself: metadata.lecture10, empty where there is none."""
        return self.nb.metadata.get("lecture10", {})

    @property
    def stated_minutes(self) -> float | None:
        """The minutes stated in the first three Markdown cells (`**Minutes:** 2 on two cores`), or None."""
        texts = [cell.source for _, cell in self.cells if cell.cell_type == "markdown"][:3]
        found = next(filter(None, map(STATED.search, texts)), None)
        return float(found[1]) if found else None

    @cached_property
    def trees(self) -> dict[int, ast.Module | None]:
        """The syntax tree of every code cell by number; None where the cell is not plain Python."""
        return {number: parse(cell.source) for number, cell in self.code}

    def code_hash(self) -> str:
        """A short hash of all code, in order: it changes when any code cell is edited."""
        text = "\0".join(cell.source for _, cell in self.code)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def parse(source: str) -> ast.Module | None:
    """The syntax tree of a cell (top-level `await` allowed); None where it is not plain Python."""
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        return compile(source, "<cell>", "exec", flags=flags, dont_inherit=True)
    except (SyntaxError, ValueError):
        return None


def tags(cell: NotebookNode) -> list[str]:
    """The cell's tags, in order."""
    return list(cell.metadata.get("tags", []))


def is_ignored(cell: NotebookNode) -> bool:
    """True where nbval would not compare this cell's output (by tag or by comment)."""
    return bool(IGNORED & set(tags(cell))) or bool(IGNORED_COMMENTS.search(cell.source))


def first_line(source: str, width: int = 60) -> str:
    """The first line of a cell that says something, shortened to `width` characters."""
    line = next((line.strip() for line in source.splitlines() if line.strip()), "(empty)")
    return line if len(line) <= width else line[: width - 1] + "…"


def read_book(path: Path) -> Book:
    """Read one notebook. Cells without an identifier of their own get one (in memory).

    Raises BookError, with the cure, where the file is missing, is not JSON, or is not a notebook of format 4.
    """
    path = Path(path)
    cure = f"take back the last good one (git checkout -- {path.name}), or download the course again"
    try:
        raw = path.read_bytes()
        nb = _as_notebook(json.loads(raw.decode("utf-8")))
    except OSError as error:
        raise BookError(f"{path.name} cannot be read ({error.strerror}); {cure}") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}: {error.msg}"
        raise BookError(f"{path.name} is damaged: not JSON, {where}; {cure}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise BookError(f"{path.name} is damaged: not a notebook of format 4 ({reason}); {cure}") from error
    return Book(path, raw, nb)


def _as_notebook(data: dict[str, Any]) -> NotebookNode:
    if data["nbformat"] != 4:
        raise ValueError(f"it is of format {data['nbformat']}")
    nb = rejoin_lines(nbformat.from_dict(data))
    nb.nbformat_minor = 5
    settle_ids(nb)
    for error in iter_validate(nb, version=4, version_minor=5, relax_add_props=True):
        raise ValueError(error.message[:200])
    return nb


def settle_ids(nb: NotebookNode) -> None:
    """Give every cell an identifier: its own where no earlier cell has it, else one of place and content."""
    taken: set[str] = set()
    for number, cell in enumerate(nb.cells, start=1):
        own = cell.get("id")
        if not own or own in taken:
            own = hashlib.sha256(f"{number}:{cell.source}".encode()).hexdigest()[:8]
        taken.add(own)
        cell["id"] = own


def find_books(names: list[str] | None = None, folder: Path | None = None) -> list[Path]:
    """The paths of the named notebooks, in the order asked for; all of them, sorted, where no name is given.

    A name may end in .ipynb or carry its folder. Raises BookError that suggests the nearest name.
    """
    folder = folder or notebooks_folder()
    known = {path.stem: path for path in sorted(folder.glob("*.ipynb"))}
    if not known:
        raise BookError(f"there are no notebooks in {folder}; say where they are with --folder")
    wanted = [Path(name).name.removesuffix(".ipynb") for name in names or known]
    for name in wanted:
        if name not in known:
            raise BookError(unknown("notebook", name, known))
    return [known[name] for name in dict.fromkeys(wanted)]
