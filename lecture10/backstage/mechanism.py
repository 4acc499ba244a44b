"""The source text of the package's mechanisms, as notebooks show it: read from the files, never executed."""

import ast
import importlib.util
import textwrap
from functools import lru_cache
from pathlib import Path

from nbformat import NotebookNode

from lecture10.backstage.book import BookError, parse, tags
from lecture10.names import unknown

CURE = "write lecture10.models.gpt:attend (or module:Class.method) in the cell's metadata.lecture10.source"


def is_mechanism(cell: NotebookNode) -> bool:
    """True for a code cell whose source is kept equal to the package."""
    return cell.cell_type == "code" and "mechanism" in tags(cell)


def mechanism_source(cell: NotebookNode) -> str:
    """What a cell tagged `mechanism` must hold.

    The cell's metadata.lecture10 gives `source` ("module:name", "module:Class.method", or a list of such)
    and, where needed, `imports` (lines such as "import math"), which are written on top.
    Raises BookError where the metadata is missing or names what the package does not have.
    """
    about = cell.metadata.get("lecture10", {})
    sources, imports = about.get("source", []), about.get("imports", [])
    sources, imports = _as_list(sources), _as_list(imports)
    if not sources:
        raise BookError(f"a mechanism cell does not say what it shows: {CURE}")
    parts = ["\n".join(imports)] * bool(imports) + [definition(source) for source in sources]
    return "\n\n\n".join(parts)


def same_tree(source: str, other: str) -> bool:
    """True where two sources are the same program: equal syntax trees, docstrings included, comments not."""
    trees = parse(source), parse(other)
    return None not in trees and ast.dump(trees[0]) == ast.dump(trees[1])


def definition(source: str) -> str:
    """The text of one function, class, method or constant, with its decorators, dedented.

    `source` is "module:name" or "module:Class.method". Raises BookError with the nearest known name.
    """
    module, _, name = source.partition(":")
    if not module or not name:
        raise BookError(f"{source!r} is not module:name; {CURE}")
    text = _module_text(module)
    body = ast.parse(text).body
    for step in name.split("."):
        named = {found: node for node in body for found in _names(node)}
        if step not in named:
            raise BookError(unknown(f"definition in {module}", step, named))
        node = named[step]
        body = getattr(node, "body", [])
    start = min([node.lineno, *(line.lineno for line in getattr(node, "decorator_list", []))])
    lines = text.splitlines()[start - 1 : node.end_lineno]
    return textwrap.dedent("\n".join(lines))


@lru_cache(maxsize=64)
def _module_text(module: str) -> str:
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        spec = None
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        raise BookError(f"there is no module {module!r} to take a mechanism from; {CURE}")
    return Path(spec.origin).read_text(encoding="utf-8")


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
