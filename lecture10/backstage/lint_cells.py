"""Lint rules over what stands in the cells: tags, length, plain Python, mechanisms, asserts, paths."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise

from lecture10.backstage.book import Book, BookError, is_ignored, tags
from lecture10.backstage.lint_book import PARTS, Says
from lecture10.backstage.mechanism import is_mechanism, mechanism_source, same_tree
from lecture10.names import nearest

LEVELS = {"class", "core", "more"}
KNOWN_TAGS = {
    *LEVELS, *PARTS, "mechanism", "training", "exercise", "quiz", "widget", "raises-exception",
    "nbval-ignore-output", "nbval-check-output", "hide-input", "hide-output",
}  # fmt: skip
MAX_LINES = 40
UNSTEADY = {"interact", "interact_manual", "interactive", "interactive_output", "clear_output", "Output"}
MAGIC = re.compile(r"^\s*(?:[\w, ]+=\s*)?(?:%{1,2}[A-Za-z]|!)|^\s*\?{1,2}\w|\w\?{1,2}\s*$", re.M)
HTTP = r"(?:https?:)?//"
REMOTE = re.compile(
    rf"!\[[^\]]*\]\(\s*<?{HTTP}"
    rf"|<(?:img|source|video|iframe|script|embed|object)\b[^>]*?\b(?:src|data)\s*=\s*[\"']?{HTTP}"
    rf"|<(?:image|link)\b[^>]*?href\s*=\s*[\"']?{HTTP}|url\(\s*[\"']?{HTTP}"
    rf"|\b(?:Image|SVG|Video|IFrame)\(\s*(?:url\s*=\s*)?[\"']{HTTP}",
    re.I,
)
REFERENCE = re.compile(r"!\[[^\]]*\]\[([^\]]+)\]|!\[([^\]]+)\](?![\[(:])")
INLINE_DATA = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=\s]+")
ABSOLUTE = re.compile(
    r"(?:^|[\s\"'`(=,:\[>])(/[A-Za-z_][\w.+-]*(?:/[\w.+@-]+)+)|file://\S+|(?<![A-Za-z])[A-Za-z]:\\[\w\\.-]+",
    re.M,
)


def levels(book: Book) -> Says:
    """Each cell says whether it is for class, core or more; no tag is misspelt."""
    for number, cell in book.cells:
        own = [tag for tag in tags(cell) if tag in LEVELS]
        if len(own) != 1:
            has = " and ".join(own) or "none of them"
            yield number, f"tag each cell with exactly one of class, core and more (this one has {has})"
        for tag in set(tags(cell)) - KNOWN_TAGS:
            near = nearest(tag, KNOWN_TAGS, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(KNOWN_TAGS))}"
            yield number, f"unknown tag {tag!r}; {hint}"


def cell_length(book: Book) -> Says:
    """At most 40 lines of code in a cell; no empty code cell."""
    for number, cell in book.code:
        lines = len(cell.source.splitlines())
        if lines > MAX_LINES:
            yield number, f"{lines} lines, at most {MAX_LINES}: show the idea, move the rest to the package"
        if not cell.source.strip():
            yield number, "an empty code cell: delete it"


def plain_python(book: Book) -> Says:
    """Python without magics, shell commands or a trailing semicolon: nbval sees what the learner sees."""
    for number, cell in book.code:
        if book.trees[number] is None:
            if MAGIC.search(cell.source):
                yield number, "a %magic, a !command or a ? runs only in some places: write plain Python"
            else:
                yield (
                    number,
                    "this cell is not Python: correct the syntax (an exercise's stub needs a body: ...)",
                )
        elif any(line.rstrip().endswith(";") for line in _code_lines(book.trees[number], cell.source)):
            yield (
                number,
                "a trailing ; hides the output here and not under nbval: end figures with plt.show()",
            )


def _code_lines(tree: ast.Module, source: str) -> list[str]:
    """What follows each statement on its last line: where a trailing semicolon would stand."""
    lines = source.splitlines()
    ends = {(node.end_lineno, node.end_col_offset) for node in ast.walk(tree) if isinstance(node, ast.stmt)}
    rests = [lines[line - 1].encode()[column:].decode() for line, column in ends]
    return [rest.split("#")[0] for rest in rests]


def steady_output(book: Book) -> Says:
    """No interact, Output or clear_output: the stored outputs and nbval's would differ."""
    for number, tree in book.trees.items():
        for name in _called(tree) & UNSTEADY:
            yield number, f"{name}() gives outputs that nbval cannot compare: use plain widgets and observe()"


def _called(tree: ast.AST | None) -> set[str]:
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree else []
    return {getattr(func, "attr", getattr(func, "id", "")) for func in calls}


def mechanism(book: Book) -> Says:
    """A mechanism cell is the package's own code, by syntax tree."""
    for number, cell in book.code:
        if not is_mechanism(cell):
            continue
        try:
            wanted = mechanism_source(cell)
        except BookError as error:
            yield number, str(error)
            continue
        if not same_tree(cell.source, wanted):
            yield (
                number,
                "this mechanism differs from the package: change it there, and let "
                f"python -m lecture10 notebooks refresh {book.name} write it here",
            )


def training_assert(book: Book) -> Says:
    """A training cell is not compared, and the next code cell asserts something about what it learnt."""
    after = {here: following for (here, _), (following, _) in pairwise(book.code)}
    for number, cell in book.code:
        if "training" not in tags(cell):
            continue
        if not is_ignored(cell):
            yield (
                number,
                "a training cell needs the tag nbval-ignore-output: its numbers differ between machines",
            )
        if not any(_says_something(tree) for tree in [book.trees.get(after.get(number, 0))] if tree):
            yield (
                number,
                "the code cell after training asserts what was learnt (assert loss < 3.0, …): add one",
            )


def _says_something(tree: ast.Module) -> bool:
    return any(isinstance(n, ast.Assert) and not isinstance(n.test, ast.Constant) for n in ast.walk(tree))


def remote_images(book: Book) -> Says:
    """Nothing is loaded from the net: the course works offline."""
    for number, cell in book.cells:
        if remote(cell.source):
            yield number, "this picture is loaded from the net: draw it, or attach it to the cell"


def remote(text: str) -> bool:
    """True where Markdown, HTML or code loads a picture, a script or a frame from another machine."""
    names = {(a or b).lower() for a, b in REFERENCE.findall(text)}
    targets = re.findall(rf"^\s*\[([^\]]+)\]:\s*<?{HTTP}", text, re.M | re.I)
    return bool(REMOTE.search(text)) or any(name.lower() in names for name in targets)


def absolute_paths(book: Book) -> Says:
    """No path that exists on one machine only, in any cell."""
    for number, cell in book.cells:
        for path in paths_in(cell.source):
            yield (
                number,
                f"the path {path} exists on one machine only: use lecture10.paths or a relative path",
            )


def paths_in(text: str) -> Iterator[str]:
    """The absolute paths of a text (/home/ann/x, C:\\Users\\ann, file:///x); links to the web are none."""
    for found in ABSOLUTE.finditer(INLINE_DATA.sub("", text)):
        yield found[1] or found[0].strip()


RULES = (
    levels, cell_length, plain_python, steady_output, mechanism, training_assert, remote_images,
    absolute_paths,
)  # fmt: skip
