"""What a run shows while it runs: a bar where someone watches, plain lines where nobody does, or nothing."""

import os
import sys
from importlib.util import find_spec

from lecture10.training.settings import in_notebook


def style() -> str:
    """ "bar" or "lines".

    A bar in a notebook with ipywidgets (there it is a widget: tqdm's text goes to stderr, which stored
    notebooks may not hold) and in a terminal. Lines on stdout elsewhere, and wherever LECTURE10_PLAIN is 1.
    """
    if os.environ.get("LECTURE10_PLAIN", "") not in ("", "0"):
        return "lines"
    if in_notebook():
        return "bar" if find_spec("ipywidgets") else "lines"
    return "bar" if sys.stderr is not None and sys.stderr.isatty() else "lines"


class Progress:
    """A tqdm.auto bar, or a line on stdout for every tenth of the run; `quiet` shows neither.

    In a notebook the lines hold no speeds, so that a second run prints the same.
    """

    def __init__(self, label: str, steps: int, start: int, unit: str, quiet: bool):
        self.label, self.steps, self.unit = label, steps, unit
        self.how = "quiet" if quiet else style()
        self.tenth = 10 * start // steps
        self.latest: dict[str, float] = {}
        self.bar = None
        if self.how == "bar":
            from tqdm.auto import tqdm

            self.bar = tqdm(total=steps, initial=start, desc=label, unit="step", dynamic_ncols=True)

    def advance(self, step: int) -> None:
        """`step` steps are done."""
        if self.bar is not None:
            self.bar.update(step - self.bar.n)

    def show(self, step: int, loss: float, per_second: float) -> None:
        """New numbers at a logged step."""
        if self.bar is not None:
            speed = {f"{self.unit}/s": f"{per_second:,.0f}"} if per_second else {}
            self.bar.set_postfix({"loss": f"{loss:.4g}", **speed}, refresh=False)
        elif self.how == "lines" and (10 * step // self.steps > self.tenth or step == self.steps):
            self.tenth = 10 * step // self.steps
            speed = "" if in_notebook() or not per_second else f"  {per_second:,.0f} {self.unit}/s"
            print(f"{self.label}: step {step}/{self.steps}  loss {loss:.4g}{speed}", flush=True)

    def say(self, sentence: str) -> None:
        """A sentence about the run, unless it is quiet."""
        if self.how != "quiet":
            print(f"{self.label}: {sentence}", flush=True)

    def close(self) -> None:
        """No more steps."""
        if self.bar is not None:
            self.bar.refresh()
            self.bar.close()
