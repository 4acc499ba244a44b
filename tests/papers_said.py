"""What the tests of the stored tables share: a row, a slip, and whether our notes state a computed figure."""

import re

from lecture10 import papers


def row(name: str, key: str) -> dict:
    """The row of a table whose first cell is `key`."""
    frame = papers.table(name)
    (found,) = frame[frame.iloc[:, 0] == key].to_dict("records")
    return found


def slip_at(name: str, key: str, column: str) -> papers.Slip:
    """The one slip in a cell."""
    (found,) = [slip for slip in papers.slips(name) if tuple(slip.cell) == (key, column)]
    return found


def said(name: str) -> str:
    """All that our notes say about a table: cautions, and corrections and reasons of its slips."""
    return " ".join(papers.cautions(name) + [f"{slip.should_be} {slip.why}" for slip in papers.slips(name)])


def assert_said(name: str, *words: str) -> None:
    """Each computed figure stands in the notes of the table, as a whole number or word."""
    for word in words:
        assert re.search(rf"(?<![\d.]){re.escape(word)}(?!\.?\d)", said(name)), (name, word, said(name))
