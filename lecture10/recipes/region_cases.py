"""Successes and failures chosen by a rule, so that nobody can choose the nice ones."""

from dataclasses import dataclass

import torch
from torch import Tensor

from lecture10.models.regionclip import soft_scores
from lecture10.recipes.clip import CLASSES

RULE = (
    "Success: the student names the region rightly and CLIP wrongly; failure: the other way round. Shown are "
    "the success of which the student is surest, the success in the middle by its confidence, and the "
    "failure in which the student is surest."
)


@dataclass(frozen=True)
class Case:
    """One region of a set: its row, and what kind of case it is."""

    kind: str
    row: int


def top(q: Tensor, k: int = 3, names=CLASSES) -> list[list[tuple[str, float]]]:
    """The k likeliest names of each region with their probabilities; q: (R, C)."""
    best = q.topk(k, dim=-1)
    rows = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    return [[(names[at], p) for at, p in zip(places, chances, strict=True)] for places, chances in rows]


def outcomes(q_clip: Tensor, q_student: Tensor, labels: Tensor) -> dict[str, int]:
    """How many regions there are of each kind, of which the two are the whole story's edges."""
    clip, student = q_clip.argmax(-1) == labels, q_student.argmax(-1) == labels
    kinds = {
        "both right": clip & student,
        "student alone (success)": student & ~clip,
        "CLIP alone (failure)": clip & ~student,
        "both wrong": ~clip & ~student,
    }
    return {kind: int(which.sum()) for kind, which in kinds.items()}


def chosen(q_clip: Tensor, q_student: Tensor, labels: Tensor) -> list[Case]:
    """The cases of RULE; fewer where a kind does not occur. q: (R, C) over classes, labels: (R,)."""
    sure, said = q_student.max(-1)
    clip_right, right = q_clip.argmax(-1) == labels, said == labels
    successes = (right & ~clip_right).nonzero()[:, 0]
    failures = (~right & clip_right).nonzero()[:, 0]
    cases = []
    if len(successes):
        order = successes[sure[successes].argsort(descending=True, stable=True)]
        cases.append(Case("success, the surest", int(order[0])))
        cases.append(Case("success, in the middle", int(order[len(order) // 2])))
    if len(failures):
        cases.append(Case("failure, the surest", int(failures[sure[failures].argmax()])))
    return cases


@torch.no_grad()
def confidences(v: Tensor, classes: Tensor, scale: float) -> Tensor:
    """(R, C): the probabilities of all classes, at CLIP's own temperature."""
    return soft_scores(v, classes, scale)
