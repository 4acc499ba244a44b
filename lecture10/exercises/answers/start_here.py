"""Model answers to the exercises of 00_start_here. Their docstrings are the tasks that the learner reads."""

import math

import torch


def tight_box(mask: torch.Tensor) -> torch.Tensor:
    """The box around what is seen of a thing, as every detector of this course gives it.

    mask (H, W) bool: True where the thing is seen.
    Returns (4,) float32: x0, y0, x1, y1 as shares of the picture's width and height, the outer edges of the
    outermost pixels (one pixel in the corner of a 4 × 4 picture: 0, 0, 0.25, 0.25). Nothing seen: four zeros.
    """
    if not mask.any():
        return torch.zeros(4)
    height, width = mask.shape
    rows, columns = mask.any(1).nonzero()[:, 0], mask.any(0).nonzero()[:, 0]
    edges = torch.stack(
        [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    )  # a pixel ends where the next begins
    return edges / torch.tensor([width, height, width, height])


def true_share(passed: float, sensitivity: float, specificity: float) -> float:
    """The share of pictures that truly follow their prompt, behind the share that a fallible judge passed.

    passed: the share that it passed; sensitivity: the share of true cases that it passes; specificity: the
    share of false cases that it does not pass. All in [0, 1].
    Solve for the truth p: passed = p · (true ones passed) + (1 − p) · (false ones passed). Where noise leads
    outside [0, 1], return the nearest share there. Of a judge that passes true cases no more often than false
    ones nothing can be learnt: return math.nan.
    """
    youden = sensitivity + specificity - 1  # how much more often it passes true cases than false ones
    if youden <= 0:
        return math.nan
    return min(1.0, max(0.0, (passed + specificity - 1) / youden))


def verdict_word(low: float, high: float, margin: float) -> str:
    """The verdict on an effect, from its 95 % interval [low, high] and the margin > 0, in one of four words.

    "shown": all of the interval lies above the margin; "opposite": all of it lies below the negative margin;
    "no difference": all of it lies between the negative margin and the margin; "can't tell": anything else.
    An end that lies exactly on a margin is neither above nor below it: it belongs to what lies between.
    """
    if low > margin:
        return "shown"
    if high < -margin:
        return "opposite"
    return "no difference" if -margin <= low and high <= margin else "can't tell"
