"""The checks behind the notebooks' exercises, one file per notebook; importing this room does not load torch.

    l10.check(prefix_mask)              tries a function on small random examples, says which property broke
    l10.check("first_loss", 10.6)       a prediction: the exercise's name, then the value
    l10.hint("prefix_mask")             three hints, one more at each call
    l10.answer("prefix_mask")           the model answer; marks the exercise as looked up
    l10.progress()                      a table over all exercises of all notebooks

To add a notebook's exercises: a module here with a tuple EXERCISES, checks in `checks/`, model answers in
`answers/` under the module's name, right and wrong attempts in `tests/exercises/attempts_*.py`.
"""

from lecture10.exercises.engine import Result, check, judge
from lecture10.exercises.exercise import Broken, Exercise, Property, written
from lecture10.exercises.help import Progress, answer, hint, progress
from lecture10.exercises.shelf import all_exercises, find

__all__ = [
    "Broken",
    "Exercise",
    "Progress",
    "Property",
    "Result",
    "all_exercises",
    "answer",
    "check",
    "find",
    "hint",
    "judge",
    "progress",
    "written",
]
