"""The learner's function, wrapped: its errors get their line and example, and changed inputs are noticed."""

import ast
import copy
import inspect
import linecache
import textwrap
from collections.abc import Callable
from typing import Any

from lecture10.exercises.exercise import Broken, Exercise, NotAttempted

RUNS, INPUTS = "runs", "leaves its inputs alone"  # the two properties that every exercise has


def is_tensor(value: Any) -> bool:
    """True for tensors and arrays, without importing torch or numpy."""
    return hasattr(value, "dtype") and hasattr(value, "shape")


def describe(value: Any) -> str:
    """A value in a few words: a tensor by shape and type, a function by name, other things by their repr."""
    if is_tensor(value):
        kind = str(value.dtype).removeprefix("torch.")
        return f"{tuple(value.shape)} {kind}" if len(value.shape) else f"{value.tolist()} ({kind})"
    if callable(value):
        return "a function"
    text = repr(value)
    return text if len(text) <= 60 else f"{type(value).__name__} {text[:50]}…"


def snapshot(value: Any) -> Any:
    """A copy that later changes of `value` cannot reach; functions are kept as they are."""
    if is_tensor(value):
        return value.detach().clone() if hasattr(value, "detach") else value.copy()
    if isinstance(value, list | tuple):
        return type(value)(snapshot(v) for v in value)
    if isinstance(value, dict):
        return {k: snapshot(v) for k, v in value.items()}
    return value if callable(value) else copy.deepcopy(value)


def unchanged(value: Any, before: Any) -> bool:
    """Whether `value` still equals its snapshot."""
    if is_tensor(value):
        return value.shape == before.shape and value.tolist() == before.tolist()
    if isinstance(value, list | tuple):
        return len(value) == len(before) and all(map(unchanged, value, before))
    if isinstance(value, dict):
        return value.keys() == before.keys() and all(unchanged(v, before[k]) for k, v in value.items())
    return callable(value) or value == before


class Probe:
    """Calls the learner's function as a check does; raises `Broken` or `NotAttempted`, nothing else."""

    def __init__(self, function: Callable, exercise: Exercise):
        self.function, self.exercise = function, exercise

    def __call__(self, *arguments: Any) -> Any:
        before = [snapshot(a) for a in arguments]
        try:
            got = self.function(*arguments)
        except Broken:  # a tool that the check handed in, such as a model, was used wrongly
            raise
        except Exception as error:
            if isinstance(error, NotImplementedError) and self._raises_it_itself():
                raise NotAttempted("it still raises NotImplementedError") from error
            raise Broken(self._told(error, before), RUNS) from error
        if got is None or got is ...:
            raise NotAttempted("it returns nothing: if it is written, it lacks its `return`")
        for name, value, old in zip(self.exercise.parameters, arguments, before, strict=True):
            if not unchanged(value, old):
                raise Broken(f"it changed its input `{name}` ({describe(old)})", INPUTS)
        return got

    def _raises_it_itself(self) -> bool:
        code = getattr(inspect.unwrap(self.function), "__code__", None)
        return code is not None and "NotImplementedError" in code.co_names

    def _told(self, error: Exception, arguments: list[Any]) -> str:
        first = str(error).strip().splitlines()
        said = f"{type(error).__name__}: {first[0]}" if first else type(error).__name__
        called = ", ".join(
            f"{n} = {describe(a)}" for n, a in zip(self.exercise.parameters, arguments, strict=True)
        )
        return "\n  ".join([said, *self._line(error), f"called with {called}"])

    def _line(self, error: Exception) -> list[str]:
        """The last line of the learner's own function on the way to the error; empty where there is none."""
        code = getattr(inspect.unwrap(self.function), "__code__", None)
        lines, at = [], error.__traceback__
        while at is not None:
            if at.tb_frame.f_code is code:
                text = linecache.getline(code.co_filename, at.tb_lineno).strip()
                lines = [
                    f"in line {at.tb_lineno - code.co_firstlineno + 1} of your function: {text}".rstrip(": ")
                ]
            at = at.tb_next
        return lines


def untouched(function: Callable, stub: str) -> bool:
    """Whether the function still says what the stub says; comments, docstrings and layout do not count.

    Compares syntax trees: bytecode differs between a module and the cell of a notebook.
    """
    try:
        written = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):  # typed without a file behind it, or not written in Python
        return False
    given = _body(ast.parse(stub))
    return given is not None and given == _body(written)


def _body(tree: ast.Module) -> str | None:
    """The statements of the function defined in `tree`, without its docstring; None where none is defined."""
    definition = next((node for node in tree.body if isinstance(node, ast.FunctionDef)), None)
    if definition is None:
        return None
    told = ast.get_docstring(definition) is not None
    return "\n".join(ast.dump(node) for node in definition.body[told:])
