"""What an exercise is: a task, its ordered properties, three hints, and a model answer that runs."""

import ast
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

HEADERS = ("math", "torch")  # the modules that model answers use; a stub starts by importing those it needs


class Broken(Exception):
    """An attempt broke a property: the message names the small example, `property` which one where known."""

    def __init__(self, message: str, property: str | None = None):
        super().__init__(message)
        self.message, self.property = message, property


class NotAttempted(Exception):
    """The stub still stands, or the function returns nothing; the message says which."""


@dataclass(frozen=True)
class Property:
    """One thing that is true of every right answer.

    name: a few words; rule: the sentence shown when it breaks; check: takes the attempt, raises `Broken`.
    """

    name: str
    rule: str
    check: Callable[[Any], None]


@dataclass(frozen=True)
class Exercise:
    """One exercise. `stub` and `answer` are source text; `parameters` is None where a value is asked for.

    Raises ValueError where a part is missing, so that no half-written exercise reaches a learner.
    """

    name: str
    notebook: str
    title: str
    stub: str
    properties: tuple[Property, ...]
    hints: tuple[str, str, str]
    answer: str
    teaches: str

    def __post_init__(self) -> None:
        names = [p.name for p in self.properties]
        if not names or len(set(names)) < len(names):
            raise ValueError(
                f"exercise {self.name}: its properties need different names, at least one; got {names}"
            )
        if len(self.hints) != 3 or not all(h.strip() for h in self.hints):
            raise ValueError(f"exercise {self.name}: it needs three hints, got {len(self.hints)}")
        for part in ("title", "stub", "answer", "teaches"):
            if not getattr(self, part).strip():
                raise ValueError(f"exercise {self.name}: its {part} is empty")

    @property
    def parameters(self) -> tuple[str, ...] | None:
        """The names that the learner's function takes; None where the exercise asks for a value."""
        for node in ast.parse(self.stub).body:
            if isinstance(node, ast.FunctionDef) and node.name == self.name:
                return tuple(a.arg for a in node.args.args)
        return None

    @property
    def cell(self) -> str:
        """The whole cell of the notebook: the stub, then the line that checks it."""
        if self.parameters is None:
            return f'{self.stub}\n\nl10.check("{self.name}", {self.name})'
        return f"{self.stub}\n\n\nl10.check({self.name})"


def source(function: Callable) -> str:
    """The text of a model answer, with the imports it needs in front."""
    text = inspect.getsource(function).rstrip()
    used = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    header = "\n".join(f"import {module}" for module in HEADERS if module in used)
    return f"{header}\n\n\n{text}" if header else text


def blank(function: Callable) -> str:
    """The stub of a model answer: imports, signature and docstring, with the body left to the learner."""
    text = source(function)
    tree = ast.parse(text)
    definition = next(node for node in tree.body if isinstance(node, ast.FunctionDef))
    if ast.get_docstring(definition) is None:
        raise ValueError(f"{definition.name} needs a docstring: it is the task that the learner reads")
    kept = text.splitlines()[: definition.body[0].end_lineno]
    return "\n".join([*kept, "    raise NotImplementedError  # your lines instead of this one"])


def written(model_answer: Callable, *, stub: str | None = None, **parts: Any) -> Exercise:
    """An Exercise around its model answer, which gives its name, its answer and (unless given) its stub."""
    return Exercise(
        name=model_answer.__name__,
        stub=stub or blank(model_answer),
        answer=source(model_answer),
        **parts,
    )
