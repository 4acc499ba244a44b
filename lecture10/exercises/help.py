"""`l10.hint`, `l10.answer` and `l10.progress`: help in small steps, and what has been done so far."""

from collections.abc import Callable
from dataclasses import dataclass

from lecture10.exercises import record
from lecture10.exercises.engine import say
from lecture10.exercises.shelf import asked, find

MARKS = {"done": "✓", "looked up": "◐", "tried": "…", "not yet": "·"}


def hint(exercise: str | Callable) -> None:
    """Print the hints asked for so far and one more, three at most. Takes a name or your function."""
    found = find(_name(exercise))
    shown = record.hinted(found.name)
    lines = [f"hint {i} of 3: {text}" for i, text in enumerate(found.hints[:shown], start=1)]
    if shown == 3:
        lines.append(f'That was the last one. The model answer: l10.answer("{found.name}")')
    say("\n".join(lines))


def answer(exercise: str | Callable) -> None:
    """Print the model answer and remember that it was looked up, unless the exercise was done before."""
    found = find(_name(exercise))
    record.looked_up(found.name)
    say(f"A model answer to {found.name} (others may be as good):\n\n{found.answer}\n\n{found.teaches}")


@dataclass(frozen=True)
class Progress:
    """The table over all exercises; rows are (notebook, exercise, state, hints seen)."""

    rows: tuple[tuple[str, str, str, int], ...]

    @property
    def summary(self) -> str:
        """How many are done and looked up, in one line."""
        states = [row[2] for row in self.rows]
        return f"{states.count('done')} of {len(states)} done, {states.count('looked up')} looked up"

    def __repr__(self) -> str:
        wide = [max([len(row[i]) for row in self.rows], default=0) for i in (0, 1)]
        lines = [
            f"{notebook:{wide[0]}}  {name:{wide[1]}}  {MARKS[state]} {state:9}  {_hints(hints)}".rstrip()
            for notebook, name, state, hints in self.rows
        ]
        return "\n".join([*lines, self.summary])

    def _repr_markdown_(self) -> str:
        lines = [f"| {n} | `{e}` | {MARKS[s]} {s} | {_hints(h)} |" for n, e, s, h in self.rows]
        head = ["| notebook | exercise | state | hints |", "|---|---|---|---|"]
        return "\n".join([*head, *lines, "", self.summary])


def progress(*, reset: bool = False) -> Progress:
    """What is done, looked up, tried and not yet begun, over all notebooks; `reset=True` begins anew."""
    if reset:
        record.reset()
    entries = record.read()
    found = [(e, entries.get(e.name, record.Entry())) for e in asked()]
    return Progress(tuple((e.notebook, e.name, entry.state, entry.hints) for e, entry in found))


def _hints(count: int) -> str:
    return "" if not count else "1 hint" if count == 1 else f"{count} hints"


def _name(exercise: str | Callable) -> str:
    return exercise if isinstance(exercise, str) else getattr(exercise, "__name__", repr(exercise))
