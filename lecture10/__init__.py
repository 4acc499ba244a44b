"""lecture10: the companion package of the course.

The names below are all that a notebook's first cell needs; each is loaded when it is first used, so that
`import lecture10 as l10` stays quick and loads neither torch nor matplotlib.
"""

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_HOME_OF = {
    "answer": "exercises",
    "begin": "session",
    "check": "exercises",
    "data_path": "paths",
    "figure": "plots.figure",
    "finding": "experiments",
    "hint": "exercises",
    "progress": "exercises",
    "quiz": "quiz",
    "show": "plots.figure",
}
_ALSO_CALLED = {"finding": "summary"}  # the name inside its module, where it differs

__all__ = [
    "__version__",
    "answer",
    "begin",
    "check",
    "data_path",
    "figure",
    "finding",
    "hint",
    "progress",
    "quiz",
    "show",
]

if TYPE_CHECKING:
    from lecture10.exercises import answer, check, hint, progress
    from lecture10.experiments import summary as finding
    from lecture10.paths import data_path
    from lecture10.plots.figure import figure, show
    from lecture10.quiz import quiz
    from lecture10.session import begin


def __getattr__(name: str) -> object:
    """Load one of the course's names when it is first used (PEP 562).

    Raises AttributeError, with the nearest name, where there is no such name.
    """
    if name.startswith("__") or name not in _HOME_OF:
        raise AttributeError(f"lecture10 has no {name!r}{_nearest(name)}", name=name, obj=None)
    module = importlib.import_module(f"lecture10.{_HOME_OF[name]}")
    value = getattr(module, _ALSO_CALLED.get(name, name))
    globals()[name] = value
    return value


def _nearest(name: str) -> str:
    from lecture10.names import nearest

    near = [] if name.startswith("_") else nearest(name, _HOME_OF, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(_HOME_OF)}"


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME_OF})
