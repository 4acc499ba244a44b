"""The exercises of 00_start_here: a box, a correction, a verdict; later ones need all three."""

from lecture10.exercises.answers import start_here as answers
from lecture10.exercises.checks import start_here as checks
from lecture10.exercises.exercise import Property, written

TIGHT_BOX = written(
    answers.tight_box,
    notebook="00_start_here",
    title="Put a box around a mask.",
    properties=(
        Property(
            "four shares",
            "Four numbers from 0 to 1: divide pixels by the picture's side.",
            checks.four_shares,
        ),
        Property("x comes first", "Columns are x, rows are y; x0 is the left edge.", checks.x_before_y),
        Property(
            "the outer edges",
            "A pixel has a width: the last one ends where the next would begin.",
            checks.outer_edges,
        ),
        Property("each by its own side", "x is a share of the width, y of the height.", checks.own_side),
        Property(
            "all of it", "The box holds every pixel of the mask, in however many pieces.", checks.all_of_it
        ),
        Property(
            "nothing is seen", "A thing that is wholly hidden has the box 0, 0, 0, 0.", checks.nothing_seen
        ),
    ),
    hints=(
        "Which columns hold any True? The first of them is x0. Rows give y the same way.",
        "mask.any(0) looks down the columns and mask.any(1) along the rows; .nonzero() gives their numbers.",
        "The right edge of column c is c + 1. Treat the empty mask first: it has no first column.",
    ),
    teaches="Half of all detection bugs are here: x and y swapped, a pixel too small, the wrong side.",
)

TRUE_SHARE = written(
    answers.true_share,
    notebook="00_start_here",
    title="Correct a count for the errors of whoever counted.",
    properties=(
        Property("a perfect judge", "Without errors there is nothing to correct.", checks.perfect_judge),
        Property(
            "misses count", "True cases that are not passed make the raw share too low.", checks.misses_count
        ),
        Property(
            "false passes count",
            "False cases that are passed make the raw share too high.",
            checks.false_passes_count,
        ),
        Property(
            "there and back", "Put the result into the equation: `passed` comes out.", checks.there_and_back
        ),
        Property("a share stays a share", "Nothing below 0, nothing above 1.", checks.stays_a_share),
        Property(
            "guessing is refused",
            "Where true and false pass alike, nothing is known: nan.",
            checks.guessing_is_refused,
        ),
    ),
    hints=(
        "passed = p · sensitivity + (1 − p) · (1 − specificity): one equation, one unknown.",
        "Gather p: passed − (1 − specificity) = p · (sensitivity + specificity − 1).",
        "First return nan where sensitivity + specificity − 1 ≤ 0; then divide, then min(1, max(0, …)).",
    ),
    teaches="A measured share is the truth seen through an instrument: know its errors, and look through.",
)

VERDICT_WORD = written(
    answers.verdict_word,
    notebook="00_start_here",
    title="Turn an interval and a margin into a verdict.",
    properties=(
        Property(
            "one of four words", "Return the words exactly as they are written above.", checks.one_of_four
        ),
        Property(
            "above the margin",
            "Shown means larger than what would matter, not merely above 0.",
            checks.above_the_margin,
        ),
        Property(
            "the mirror", "What holds for shown holds for opposite with the signs turned.", checks.mirrored
        ),
        Property(
            "small is a finding",
            "An interval inside ± margin is a result, even if it leaves out 0.",
            checks.small_is_a_finding,
        ),
        Property(
            "wide says nothing", "Not shown is not the same as no difference.", checks.wide_says_nothing
        ),
        Property("on the edge", "Exactly on the margin lies between.", checks.on_the_edge),
    ),
    hints=(
        "Draw a line with −margin, 0 and margin; lay the interval on it. How many places are there for it?",
        "The mean is not needed: only where low and high lie.",
        "Three ifs: low > margin; high < −margin; −margin ≤ low and high ≤ margin. What is left?",
    ),
    teaches="“No difference” is earned by a narrow interval; a wide one only says that we do not know.",
)

EXERCISES = (TIGHT_BOX, TRUE_SHARE, VERDICT_WORD)
