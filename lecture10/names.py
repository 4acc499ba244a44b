"""One way to say that a name is unknown: with the nearest known ones."""

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], n: int = 3) -> list[str]:
    """The known names most like `name`, best first; empty where none is alike."""
    return difflib.get_close_matches(name, list(known), n=n, cutoff=0.5)


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """A sentence for an unknown name: what it is, the nearest known one, and all of them where they are few.

    >>> unknown("notebook", "01_gpt", ["00_start_here", "01_gpt1"])
    "there is no notebook '01_gpt'; did you mean '01_gpt1'?"
    """
    known = list(known)
    near = nearest(name, known)
    if near:
        return f"there is no {kind} {name!r}; did you mean {near[0]!r}?"
    listed = ", ".join(known[:12]) + (f" … ({len(known)} in all)" if len(known) > 12 else "")
    return f"there is no {kind} {name!r}; there are: {listed or 'none yet'}"
