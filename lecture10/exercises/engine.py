"""`l10.check`: tries an attempt, property by property, and says which one broke first."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lecture10.exercises import record
from lecture10.exercises.exercise import Broken, Exercise, NotAttempted
from lecture10.exercises.probe import INPUTS, RUNS, Probe, untouched
from lecture10.exercises.shelf import find

ABSENT = object()
GENERAL = {
    RUNS: "",  # the message holds all there is: the error, the line, the example
    INPUTS: "Work on a copy: `x = x / 2` makes a new tensor, `x /= 2` changes the caller's.",
}


@dataclass(frozen=True)
class Result:
    """What a check found. `property` names the one that broke; a stub is neither passed nor attempted."""

    name: str
    passed: bool
    message: str
    property: str | None = None
    attempted: bool = True

    def __bool__(self) -> bool:
        return self.passed

    def _ipython_display_(self) -> None:
        """Nothing: `check` has printed the message already."""


def check(attempt: Callable | str, value: Any = ABSENT) -> Result:
    """Check a function, `check(prefix_mask)`, or a prediction, `check("first_loss", 10.6)`; print the result.

    A function under another name is checked by `check("prefix_mask", mine)`. Nothing the learner wrote raises
    here; a name that no exercise has raises ValueError with the nearest one.
    """
    named = isinstance(attempt, str)
    if not named and (not callable(attempt) or not hasattr(attempt, "__name__")):
        raise ValueError(
            "l10.check takes your function, as in l10.check(prefix_mask), or an exercise's name and a value, "
            f'as in l10.check("first_loss", 3.2); it got {type(attempt).__name__} {attempt!r:.40}'
        )
    exercise = find(attempt if named else attempt.__name__)
    if named and value is ABSENT:
        wanted = "a number" if exercise.parameters is None else "your function"
        raise ValueError(f'l10.check("{exercise.name}", …) lacks {wanted} after the name')
    result = judge(exercise, value if named else attempt)
    if result.attempted:
        record.tried(exercise.name, passed=result.passed)
    say(result.message + _pointer(result))
    return result


def judge(exercise: Exercise, attempt: Any) -> Result:
    """The result of an attempt, nothing printed or remembered; the notebook's seed stays as it was."""
    import torch

    wants_function = exercise.parameters is not None
    if attempt is None or attempt is ... or (callable(attempt) and untouched(attempt, exercise.stub)):
        return _waiting(exercise, "")
    if callable(attempt) != wants_function:
        kind = "a function" if wants_function else "a value, not a function"
        return _broken(exercise, RUNS, f"the exercise asks for {kind}", "")
    tried = Probe(attempt, exercise) if wants_function else attempt
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        for p in exercise.properties:
            try:
                p.check(tried)
            except NotAttempted as reason:
                return _waiting(exercise, str(reason))
            except Broken as broken:
                return _broken(exercise, broken.property or p.name, broken.message, p.rule)
            except Exception as error:  # what the attempt returned could not even be compared
                said = f"what it returned could not be used ({type(error).__name__}: {error!s:.80})"
                return _broken(exercise, p.name, said, p.rule)
    return Result(exercise.name, True, f"✓ {exercise.name}: right. {exercise.teaches}")


def _waiting(exercise: Exercise, reason: str) -> Result:
    because = f" ({reason})" if reason else ""
    text = f"· {exercise.name}: not attempted yet{because}. {exercise.title}"
    return Result(exercise.name, False, text, attempted=False)


def _broken(exercise: Exercise, name: str, message: str, rule: str) -> Result:
    rule = GENERAL.get(name, rule)
    text = f"✗ {exercise.name}: {message.rstrip('.')}." + (f"\n  {rule}" if rule else "")
    return Result(exercise.name, False, text, name)


def _pointer(result: Result) -> str:
    """Where help is. Before the first attempt it does not depend on hints seen: stored outputs stay."""
    if result.passed:
        return ""
    if not result.attempted:
        return f'   [help: l10.hint("{result.name}")]'
    given = record.read().get(result.name, record.Entry()).hints
    if given < 3:
        return f'   [hint {given + 1} of 3: l10.hint("{result.name}")]'
    return f'   [the model answer: l10.answer("{result.name}")]'


def say(text: str) -> None:
    """Print, also to a console that knows no ✓ (some Windows code pages)."""
    try:
        print(text)
    except UnicodeEncodeError:
        encoding = sys.stdout.encoding or "ascii"
        print(text.encode(encoding, "replace").decode(encoding))
