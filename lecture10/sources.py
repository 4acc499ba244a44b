"""Has the code behind a result changed since? A hash of the modules that an experiment imports.

The hash is over syntax trees without docstrings, so comments, formatting and documentation do not change it.
Followed are `import` and `from … import` of this package (and of the experiment's own), also inside
functions; not followed are what is imported by a name made at run time, and a package's __init__ where only
a module of it is wanted (a new picture style does not make a language model's results stale).
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

OWN = "lecture10"
# These judge, store or find rows and cannot change them. CLAIMS is left out too: wording has its own hash.
JUDGES = ("claims", "effects", "verdicts", "results", "findings", "sources", "names", "experiments")
JUDGING = {f"{OWN}.{name}" for name in JUDGES}


def module_hash(module: str) -> str:
    """Twelve hexadecimal digits for a module and all it imports of its own package and of lecture10.

    Raises FileNotFoundError where the module has no source file.
    """
    digest = hashlib.sha256()
    for name, path in sorted(imported(module).items()):
        digest.update(f"{name}\n{_shape(path, path.stat().st_mtime_ns)[0]}\n".encode())
    return digest.hexdigest()[:12]


def imported(module: str) -> dict[str, Path]:
    """The modules, by name, that this one takes something from: itself, theirs, and so on."""
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in found or name in JUDGING or not (path := _file(name)):
            continue
        found[name] = path
        waiting += _imports(name, path, {OWN, module.split(".")[0]})
    if module not in found:
        raise FileNotFoundError(f"the module {module!r} has no source file to hash")
    return found


def _imports(name: str, path: Path, packages: set[str]) -> Iterator[str]:
    inside = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for level, base, names in _shape(path, path.stat().st_mtime_ns)[1]:
        if level:
            above = inside.rsplit(".", level - 1)[0] if level > 1 else inside
            base = f"{above}.{base}" if base else above
        if base.split(".")[0] not in packages:
            continue
        inner = [f"{base}.{inner}" for inner in names if _file(f"{base}.{inner}")]
        yield from inner
        # A package's __init__ is read only for a name of its own: what else it offers is another's business.
        if base != OWN and (
            not names or len(inner) < len(names)
        ):  # the top one is lazy, and holds the version
            yield base


def _file(name: str) -> Path | None:
    top, *rest = name.split(".")
    spec = find_spec(top)
    for root in (spec and spec.submodule_search_locations) or []:
        stem = Path(root, *rest)
        for path in (stem.with_suffix(".py") if rest else stem / "__init__.py", stem / "__init__.py"):
            if path.is_file():
                return path
    return None


@lru_cache(maxsize=4096)
def _shape(path: Path, _changed: int) -> tuple[str, list[tuple[int, str, tuple[str, ...]]]]:
    """A module's hash, and its imports as (level, module, names)."""
    tree = ast.parse(path.read_bytes(), str(path))
    imports = []
    for node in _walk(tree):
        if isinstance(node, ast.Import):
            imports += [(0, alias.name, ()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            imports.append((node.level, node.module or "", tuple(alias.name for alias in node.names)))
    tree.body = [node for node in tree.body if not _is_claim(node)]
    return hashlib.sha256(_dump(tree).encode()).hexdigest(), imports


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """Like `ast.walk`, without what is there for type checkers only."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING")):
            yield from _walk(child)


def _is_claim(node: ast.stmt) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return any(isinstance(target, ast.Name) and target.id in ("CLAIM", "CLAIMS") for target in targets)


def _dump(node: object) -> str:
    """Like `ast.dump`, without docstrings and empty fields: those differ between versions of Python."""
    if isinstance(node, list):
        return f"[{','.join(map(_dump, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = []
    for name, value in ast.iter_fields(node):
        if name == "body" and isinstance(value, list) and value and _is_text(value[0]):
            value = value[1:]
        if value not in (None, []) and name not in ("ctx", "kind", "type_comment"):
            fields.append(f"{name}={_dump(value)}")
    return f"{type(node).__name__}({','.join(fields)})"


def _is_text(node: object) -> bool:
    constant = getattr(node, "value", None)
    return (
        isinstance(node, ast.Expr) and isinstance(constant, ast.Constant) and isinstance(constant.value, str)
    )
