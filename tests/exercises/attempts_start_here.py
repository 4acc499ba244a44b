"""Attempts at 00_start_here: RIGHT ones, WRONG ones and the property that each breaks."""

import functools
import math

import torch

# --- tight_box: mask (H, W) -> (4,) x0, y0, x1, y1


def by_coordinates(mask):
    found = mask.nonzero().float()
    if len(found) == 0:
        return torch.zeros(4)
    side = torch.tensor(mask.shape, dtype=torch.float32)
    (y0, x0), (y1, x1) = found.amin(0) / side, (found.amax(0) + 1) / side
    return torch.stack([x0, y0, x1, y1])


def by_loops(mask):
    h, w = mask.shape
    xs = [x for y in range(h) for x in range(w) if mask[y, x]]
    ys = [y for y in range(h) for x in range(w) if mask[y, x]]
    if not xs:
        return torch.zeros(4)
    return torch.tensor([min(xs) / w, min(ys) / h, (max(xs) + 1) / w, (max(ys) + 1) / h])


def in_pixels(mask):
    return by_coordinates(mask) * torch.tensor([*mask.shape[::-1], *mask.shape[::-1]])


def y_first(mask):
    return by_coordinates(mask)[[1, 0, 3, 2]]


def a_pixel_short(mask):
    if not mask.any():
        return torch.zeros(4)
    h, w = mask.shape
    rows, columns = mask.any(1).nonzero()[:, 0], mask.any(0).nonzero()[:, 0]
    return torch.stack([columns[0] / w, rows[0] / h, columns[-1] / w, rows[-1] / h])


def pixel_centres(mask):
    h, w = mask.shape
    half = torch.tensor([0.5 / w, 0.5 / h, -0.5 / w, -0.5 / h])
    return by_coordinates(mask) + half if mask.any() else torch.zeros(4)


def square_only(mask):
    side = max(mask.shape)
    pixels = by_coordinates(mask) * torch.tensor([*mask.shape[::-1], *mask.shape[::-1]])
    return pixels / side


def first_piece(mask):
    if not mask.any():
        return torch.zeros(4)
    one = torch.zeros_like(mask)
    row = mask.any(1).nonzero()[0, 0]
    one[row] = mask[row]
    return by_coordinates(one if mask.sum() == 2 and not mask[row].all() and mask.shape == (4, 4) else mask)


def whole_picture_when_empty(mask):
    return by_coordinates(mask) if mask.any() else torch.tensor([0.0, 0.0, 1.0, 1.0])


def crashes_when_empty(mask):
    found = mask.nonzero().float()
    side = torch.tensor(mask.shape, dtype=torch.float32)
    if len(found) == 0 and mask.shape != (4, 4):
        return torch.zeros(4)
    (y0, x0), (y1, x1) = found.amin(0) / side, (found.amax(0) + 1) / side
    return torch.stack([x0, y0, x1, y1])


# --- true_share: (passed, sensitivity, specificity) -> share


def by_formula(passed, sensitivity, specificity):
    false_alarm = 1 - specificity
    if sensitivity <= false_alarm:
        return math.nan
    return max(0.0, min(1.0, (passed - false_alarm) / (sensitivity - false_alarm)))


def by_search(passed, sensitivity, specificity):
    if sensitivity + specificity <= 1:
        return math.nan
    low, high = 0.0, 1.0
    for _ in range(60):
        p = (low + high) / 2
        reported = p * sensitivity + (1 - p) * (1 - specificity)
        low, high = (p, high) if reported < passed else (low, p)
    return (low + high) / 2


def _refusing(rule):
    @functools.wraps(rule)
    def attempt(passed, sensitivity, specificity):
        if sensitivity + specificity <= 1:
            return math.nan
        return rule(passed, sensitivity, specificity)

    return attempt


@_refusing
def always_the_middle(passed, sensitivity, specificity):
    return 0.5


@_refusing
def believes_the_judge(passed, sensitivity, specificity):
    return passed


@_refusing
def only_misses(passed, sensitivity, specificity):
    return min(1.0, passed / sensitivity)


@_refusing
def only_subtracts(passed, sensitivity, specificity):
    return min(1.0, max(0.0, (passed - (1 - specificity)) / sensitivity))


@_refusing
def one_error_after_the_other(passed, sensitivity, specificity):
    without_false = (passed + specificity - 1) / specificity
    return min(1.0, max(0.0, without_false / sensitivity))


@_refusing
def leaves_the_range(passed, sensitivity, specificity):
    return (passed + specificity - 1) / (sensitivity + specificity - 1)


def half_when_guessing(passed, sensitivity, specificity):
    youden = sensitivity + specificity - 1
    return min(1.0, max(0.0, (passed + specificity - 1) / youden)) if youden > 0 else 0.5


def sign_forgotten(passed, sensitivity, specificity):
    youden = sensitivity + specificity - 1
    return min(1.0, max(0.0, (passed + specificity - 1) / youden)) if youden else math.nan


# --- verdict_word: (low, high, margin) -> word


def other_order(low, high, margin):
    if max(abs(low), abs(high)) <= margin:
        return "no difference"
    return "shown" if low > margin else "opposite" if -high > margin else "can't tell"


def by_table(low, high, margin):
    def zone(x):
        return 1 if x > margin else -1 if x < -margin else 0

    return {(1, 1): "shown", (-1, -1): "opposite", (0, 0): "no difference"}.get(
        (zone(low), zone(high)), "can't tell"
    )


def other_words(low, high, margin):
    return by_table(low, high, margin).replace("'", "no")


def above_zero(low, high, margin):
    if low > 0 and high > margin:
        return "shown"
    return "opposite" if high < 0 and low < -margin else by_table(low, high, margin)


def mean_above(low, high, margin):
    mean = (low + high) / 2
    return "shown" if mean > margin else "opposite" if mean < -margin else by_table(low, high, margin)


def one_sided(low, high, margin):
    return "can't tell" if by_table(low, high, margin) == "opposite" else by_table(low, high, margin)


def significant_or_not(low, high, margin):
    if margin < low:
        return "shown"
    if high < -margin:
        return "opposite"
    return "no difference" if low <= 0 <= high and high - low <= 2 * margin else "can't tell"


def not_shown_is_none(low, high, margin):
    word = by_table(low, high, margin)
    return "no difference" if word == "can't tell" and low <= 0 <= high else word


def edge_counts_as_above(low, high, margin):
    return "shown" if low >= margin else "opposite" if high <= -margin else by_table(low, high, margin)


def strict_inside(low, high, margin):
    return "can't tell" if -low == margin == high else by_table(low, high, margin)


RIGHT = {
    "tight_box": [by_coordinates, by_loops],
    "true_share": [by_formula, by_search],
    "verdict_word": [other_order, by_table],
}
WRONG = {
    "tight_box": [
        (in_pixels, "four shares"),
        (y_first, "x comes first"),
        (a_pixel_short, "the outer edges"),
        (pixel_centres, "the outer edges"),
        (square_only, "each by its own side"),
        (first_piece, "all of it"),
        (whole_picture_when_empty, "nothing is seen"),
        (crashes_when_empty, "runs"),
    ],
    "true_share": [
        (always_the_middle, "a perfect judge"),
        (believes_the_judge, "misses count"),
        (only_misses, "false passes count"),
        (only_subtracts, "false passes count"),
        (one_error_after_the_other, "there and back"),
        (leaves_the_range, "a share stays a share"),
        (half_when_guessing, "guessing is refused"),
        (sign_forgotten, "guessing is refused"),
    ],
    "verdict_word": [
        (other_words, "one of four words"),
        (above_zero, "above the margin"),
        (mean_above, "above the margin"),
        (one_sided, "the mirror"),
        (significant_or_not, "small is a finding"),
        (not_shown_is_none, "wide says nothing"),
        (edge_counts_as_above, "on the edge"),
        (strict_inside, "on the edge"),
    ],
}
