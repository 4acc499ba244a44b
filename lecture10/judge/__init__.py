"""The judge: what is in a picture, and does it follow its prompt? With its own errors, measured.

from lecture10.judge import read, follows, rates
read(picture)[0].things                      # Found(noun="bear", colour="blue", …), "unclear" where unsure
follows(picture[0], "a blue bear").colours   # "holds", "fails", "unclear", "not asked"
rates(followings, style="photo")             # by aspect, raw and corrected, each with its interval
"""

from lecture10.judge.correction import Errors, Rate, corrected_rate, measured_errors, rates
from lecture10.judge.following import ASPECTS, Following, follows
from lecture10.judge.model import JudgeConfig, JudgeNet
from lecture10.judge.reading import UNCLEAR, Found, Reading, load_judge, read
from lecture10.judge.thresholds import Thresholds, measured

__all__ = [
    "ASPECTS",
    "UNCLEAR",
    "Errors",
    "Following",
    "Found",
    "JudgeConfig",
    "JudgeNet",
    "Rate",
    "Reading",
    "Thresholds",
    "corrected_rate",
    "follows",
    "load_judge",
    "measured",
    "measured_errors",
    "rates",
    "read",
]
