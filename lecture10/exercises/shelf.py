"""Finds every exercise: the tuple EXERCISES of each module of this room, in the order of the notebooks."""

import importlib
import pkgutil
from functools import cache

from lecture10 import names
from lecture10.exercises.exercise import Exercise
from lecture10.paths import notebooks_folder


@cache
def all_exercises() -> tuple[Exercise, ...]:
    """All exercises, by notebook and then in the order in which the notebook asks them. Loads torch."""
    import lecture10.exercises as room

    modules = [m.name for m in pkgutil.iter_modules(room.__path__) if not m.ispkg]
    loaded = [importlib.import_module(f"{room.__name__}.{m}") for m in modules]
    found = [e for module in loaded for e in getattr(module, "EXERCISES", ())]
    return unique(sorted(found, key=lambda e: e.notebook))


def asked() -> tuple[Exercise, ...]:
    """Those that a learner can meet: the exercises of notebooks that are there, not only planned."""
    here = {path.stem for path in notebooks_folder().glob("*.ipynb")}
    return tuple(exercise for exercise in all_exercises() if exercise.notebook in here)


def unique(exercises: list[Exercise]) -> tuple[Exercise, ...]:
    """The same exercises; raises ValueError where two share a name, since `l10.check` finds them by name."""
    seen: dict[str, str] = {}
    for e in exercises:
        if e.name in seen:
            raise ValueError(
                f"two exercises are called {e.name!r} ({seen[e.name]} and {e.notebook}): rename one"
            )
        seen[e.name] = e.notebook
    return tuple(exercises)


def find(name: str) -> Exercise:
    """The exercise of that name. Raises ValueError with the nearest known name."""
    for e in all_exercises():
        if e.name == name:
            return e
    raise ValueError(names.unknown("exercise", str(name), [e.name for e in all_exercises()]))
