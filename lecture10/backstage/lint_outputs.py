"""Lint rules over what is stored below the cells: real, complete, small, and of no particular machine."""

import ast
import base64
import binascii

from lecture10.backstage.book import Book, tags
from lecture10.backstage.lint_book import Says
from lecture10.backstage.lint_cells import INLINE_DATA, paths_in, remote
from lecture10.backstage.normal import ADDRESS, texts

MAX_PICTURE = 40 * 1024  # bytes, decoded
DRAWS = {"plt.show", "plt.figure", "plt.subplots", "l10.show", "l10.figure", "show", "figure"}


def counts(book: Book) -> Says:
    """Run once, from top to bottom, in one go."""
    code = [(n, cell) for n, cell in book.code if cell.source.strip()]
    for expected, (number, cell) in enumerate(code, start=1):
        if cell.execution_count != expected:
            yield (
                number,
                f"execution count {cell.execution_count}, not {expected}: outputs come from one run, "
                f"top to bottom (python -m lecture10 notebooks refresh {book.name})",
            )
            return


def stored_errors(book: Book) -> Says:
    """No stored error but where the cell is tagged raises-exception, and there one."""
    for number, cell in book.code:
        names = [out.ename for out in cell.outputs if out.output_type == "error"]
        if names and "raises-exception" not in tags(cell):
            yield (
                number,
                f"a {names[0]} is stored: mend the cell, or tag it raises-exception where that is the point",
            )
        if not names and "raises-exception" in tags(cell):
            yield number, "tagged raises-exception, and nothing is raised: drop the tag"
        if "raises-exception" not in tags(cell) and any(
            "NotImplementedError" in text for text in _texts(cell)
        ):
            yield (
                number,
                "a NotImplementedError shows in the output: an exercise not yet attempted is not an error",
            )


def stderr(book: Book) -> Says:
    """Nothing on stderr: warnings are cured, not stored."""
    for number, cell in book.code:
        if any(out.get("name") == "stderr" for out in cell.outputs):
            yield number, "stderr is stored: cure the warning, then refresh"


def machine_traces(book: Book) -> Says:
    """No absolute path, memory address or remote picture in an output."""
    for number, cell in book.code:
        for text in _texts(cell):
            if found := ADDRESS.search(text):
                yield number, f"the memory address {found[0]} is shown: use plt.show(), or give it a __repr__"
            for path in paths_in(text):
                yield number, f"the output shows {path}, a path of one machine: print the name only"
            if remote(text):
                yield number, "the output loads something from the net: the course works offline"


def _texts(cell: dict) -> list[str]:
    return [text for output in cell.outputs for text in texts(output)]


def picture_size(book: Book) -> Says:
    """Each stored picture has at most 40 KB."""
    for number, cell in book.cells:
        for size in picture_sizes(cell):
            if size > MAX_PICTURE:
                yield (
                    number,
                    f"a picture of {size / 1024:.0f} KB, at most {MAX_PICTURE // 1024}: use l10.figure, "
                    "fewer points, or less noise in it",
                )


def picture_sizes(cell: dict) -> list[int]:
    """The bytes of every picture in a cell: outputs, pictures inside HTML, attachments."""
    bundles = [out.get("data", {}) for out in cell.get("outputs", [])] + list(
        cell.get("attachments", {}).values()
    )
    sizes = []
    for kind, value in ((kind, value) for bundle in bundles for kind, value in bundle.items()):
        if kind.startswith("image/"):
            sizes.append(len(value.encode()) if kind == "image/svg+xml" else _decoded(value))
        elif kind.startswith("text/"):
            sizes += [_decoded(found.split(",", 1)[1]) for found in INLINE_DATA.findall(value)]
    return sizes + [_decoded(found.split(",", 1)[1]) for found in INLINE_DATA.findall(cell.source)]


def _decoded(text: str) -> int:
    try:
        return len(base64.b64decode(text))
    except binascii.Error:
        return len(text) * 3 // 4


def picture_missing(book: Book) -> Says:
    """Where a cell draws, a picture is stored."""
    for number, cell in book.code:
        kinds = [kind for out in cell.outputs for kind in out.get("data", {})]
        if _draws(book.trees[number]) and not any(
            k.startswith("image/") or "widget-view" in k for k in kinds
        ):
            yield number, "this cell draws, and no picture is stored: end it with plt.show(), then refresh"


def _draws(tree: ast.AST | None) -> bool:
    """True where a drawing call is made when the cell runs (not inside a function it merely defines)."""
    if tree is None or isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
        return False
    if isinstance(tree, ast.Call) and ast.unparse(tree.func) in DRAWS:
        return True
    return any(map(_draws, ast.iter_child_nodes(tree)))


RULES = (counts, stored_errors, stderr, machine_traces, picture_size, picture_missing)
