"""What is true of every right box, every right correction and every right verdict, on small examples."""

import math

import torch
from torch import Tensor

from lecture10.exercises.exercise import Broken
from lecture10.exercises.expect import agree, dice, number, same, tensor

# --- tight_box ----------------------------------------------------------------------------------------------


def _mask(height: int, width: int, *pixels: tuple[int, int]) -> Tensor:
    mask = torch.zeros(height, width, dtype=torch.bool)
    for row, column in pixels:
        mask[row, column] = True
    return mask


def _box(fn, mask: Tensor) -> Tensor:
    return tensor(fn(mask), (4,))


def _wants(fn, mask: Tensor, wanted: tuple, example: str) -> None:
    agree(_box(fn, mask), torch.tensor(wanted), f"{example} (x0, y0, x1, y1)")


def four_shares(fn):
    """(4,), all in [0, 1], whatever the mask."""
    for seed in range(4):
        mask = torch.rand(5, 8, generator=dice(seed)) > 0.8
        got = _box(fn, mask)
        if not ((got >= 0) & (got <= 1)).all():
            raise Broken(f"a 5 × 8 picture: {got.tolist()} is not all in [0, 1]")


def x_before_y(fn):
    """A wide, flat thing in a square picture."""
    got = _box(fn, _mask(8, 8, (2, 1), (2, 2), (2, 3), (2, 4), (2, 5)))
    if not got[2] - got[0] > got[3] - got[1]:
        raise Broken(f"five pixels side by side in a row: x0, y0, x1, y1 = {got.tolist()} is no wide box")


def outer_edges(fn):
    """One pixel has a width; the last column ends at 1."""
    _wants(fn, _mask(4, 4, (0, 0)), (0.0, 0.0, 0.25, 0.25), "one pixel in the upper left corner of 4 × 4")
    _wants(fn, _mask(4, 4, (3, 3)), (0.75, 0.75, 1.0, 1.0), "one pixel in the lower right corner of 4 × 4")


def own_side(fn):
    """x is a share of the width, y of the height."""
    _wants(
        fn,
        _mask(2, 8, (0, 2), (1, 5)),
        (0.25, 0.0, 0.75, 1.0),
        "a 2 × 8 picture, columns 2 to 5 of both rows",
    )


def all_of_it(fn):
    """A thing in two pieces has one box."""
    _wants(fn, _mask(4, 4, (0, 3), (2, 1)), (0.25, 0.0, 1.0, 0.75), "two pixels, apart")


def nothing_seen(fn):
    """An empty mask has the box of zeros."""
    _wants(fn, _mask(4, 4), (0.0, 0.0, 0.0, 0.0), "an empty mask")


# --- true_share ---------------------------------------------------------------------------------------------


def _share(fn, *arguments: float) -> float:
    return number(fn(*arguments))


def perfect_judge(fn):
    """A judge without errors reports the truth."""
    for p in (0.0, 0.3, 1.0):
        same(_share(fn, p, 1.0, 1.0), p, f"a perfect judge that passed {p:.0%}")


def misses_count(fn):
    """A judge that misses a tenth of the true ones, and passes nothing false."""
    same(_share(fn, 0.45, 0.9, 1.0), 0.5, "passed 45 %, sensitivity 90 %, specificity 100 %")


def false_passes_count(fn):
    """A judge that passes a fifth of the false ones, and misses nothing."""
    same(_share(fn, 0.2, 1.0, 0.8), 0.0, "passed 20 %, sensitivity 100 %, specificity 80 %")
    same(_share(fn, 0.6, 1.0, 0.8), 0.5, "passed 60 %, sensitivity 100 %, specificity 80 %")


def there_and_back(fn):
    """Any truth comes back from what the judge would report of it."""
    for p, se, sp in ((0.7, 0.9, 0.8), (0.25, 0.6, 0.95), (0.5, 0.75, 0.5)):
        passed = p * se + (1 - p) * (1 - sp)
        same(_share(fn, passed, se, sp), p, f"truth {p:.0%} seen by a judge with {se:.0%} and {sp:.0%}")


def stays_a_share(fn):
    """Noise below the false passes, or above the sensitivity."""
    same(_share(fn, 0.05, 0.9, 0.8), 0.0, "passed 5 %, although 20 % of false ones pass")
    same(_share(fn, 0.95, 0.9, 0.8), 1.0, "passed 95 %, although 90 % of true ones pass")


def guessing_is_refused(fn):
    """No correction where the judge is no better than a coin."""
    for se, sp in ((0.5, 0.5), (0.3, 0.6)):
        got = fn(0.5, se, sp)
        if not (isinstance(got, float) and math.isnan(got)):
            raise Broken(f"sensitivity {se:.0%}, specificity {sp:.0%}: wanted nan, got {got}")


# --- verdict_word -------------------------------------------------------------------------------------------

WORDS = ("shown", "opposite", "no difference", "can't tell")


def _says(fn, low: float, high: float, margin: float, wanted: str) -> None:
    got = fn(low, high, margin)
    if got != wanted:
        raise Broken(f"interval [{low:g}, {high:g}], margin {margin:g}: it says {got!r}, wanted {wanted!r}")


def one_of_four(fn):
    """Always one of the four words, letter by letter."""
    for low, high in ((0.1, 0.2), (-0.2, -0.1), (-0.01, 0.01), (-0.3, 0.3)):
        got = fn(low, high, 0.05)
        if got not in WORDS:
            raise Broken(f"interval [{low}, {high}]: {got!r} is none of {', '.join(map(repr, WORDS))}")


def above_the_margin(fn):
    """Shown needs more than an interval above 0."""
    _says(fn, 0.06, 0.2, 0.05, "shown")
    _says(fn, 0.01, 0.2, 0.05, "can't tell")


def mirrored(fn):
    """The opposite is the same with the sign turned."""
    _says(fn, -0.2, -0.06, 0.05, "opposite")
    _says(fn, -0.2, -0.01, 0.05, "can't tell")


def small_is_a_finding(fn):
    """An interval inside ± margin, even one without 0."""
    _says(fn, -0.02, 0.03, 0.05, "no difference")
    _says(fn, 0.01, 0.03, 0.05, "no difference")
    _says(fn, -0.03, -0.01, 0.05, "no difference")


def wide_says_nothing(fn):
    """A wide interval around 0 is not "no difference"."""
    _says(fn, -0.02, 0.3, 0.05, "can't tell")
    _says(fn, -0.3, 0.3, 0.05, "can't tell")


def on_the_edge(fn):
    """Exactly on the margin is inside."""
    _says(fn, 0.05, 0.2, 0.05, "can't tell")
    _says(fn, -0.05, 0.05, 0.05, "no difference")
