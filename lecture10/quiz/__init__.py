"""The quiz: open-book multiple choice, four choices each, every choice explained.

    l10.quiz("01_gpt1")             that notebook's questions, with folded answers
    bank.load("01_gpt1"), bank.all_questions()

This room and the function share a name, so the room itself can be called: `lecture10.quiz("01_gpt1")` works
whether `lecture10.quiz` was reached first as a package or as a function.
"""

import sys
import types

from lecture10.quiz import bank
from lecture10.quiz.bank import Choice, Question, QuizError
from lecture10.quiz.show import Quiz, quiz

__all__ = ["Choice", "Question", "Quiz", "QuizError", "bank", "quiz"]


class _CallableRoom(types.ModuleType):
    def __call__(self, name: str, answers: str = "folded") -> Quiz:
        return quiz(name, answers)


sys.modules[__name__].__class__ = _CallableRoom
