"""What decides the weights: the settings of a run, and the learning rate that follows from them."""

import math
import sys
from dataclasses import dataclass

from lecture10.names import unknown

PRECISIONS = ("auto", "fp32", "bf16")


@dataclass(frozen=True)
class TrainSettings:
    """Everything about a run that changes the weights it ends with (besides model, loss, batches and seed).

    Raises ValueError, with the value and the cure, where a setting makes no sense.
    """

    steps: int
    lr: float = 1e-3  # at the top of the schedule
    warmup: float = 0.05  # share of the steps on which the learning rate climbs
    floor: float = 0.0  # the cosine ends at this share of lr; 1.0 keeps lr constant
    weight_decay: float = 0.1  # on matrices only, see `parameter_groups`
    betas: tuple[float, float] = (0.9, 0.999)
    clip: float | None = 1.0  # longest gradient allowed, over all parameters
    ema: float | None = None  # decay of the weights' moving average, such as 0.999
    precision: str = "auto"  # bf16 autocast on CUDA, fp32 elsewhere

    def __post_init__(self):
        if isinstance(self.betas, list):  # as JSON gives it back
            object.__setattr__(self, "betas", tuple(self.betas))
        for name, fine, cure in _RULES:
            value = getattr(self, name)
            try:
                good = fine(value)
            except TypeError:
                good = False
            if not good:
                raise ValueError(f"{name} = {value!r}: {cure}")
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision: {unknown('precision', str(self.precision), PRECISIONS)}")


def _share(value: float) -> bool:
    return 0 <= value <= 1


_RULES = (
    ("steps", lambda v: isinstance(v, int) and v >= 1, "train for a whole number of steps, at least 1"),
    ("lr", lambda v: 0 < v < math.inf, "the learning rate is a number above 0, such as 1e-3"),
    (
        "warmup",
        lambda v: 0 <= v < 1,
        "warm-up is a share of the steps, from 0 (none) to below 1, such as 0.05",
    ),
    ("floor", _share, "the cosine ends at a share of lr, from 0 to 1 (1 keeps lr constant)"),
    ("weight_decay", lambda v: 0 <= v < math.inf, "weight decay is a number from 0 (none) up, such as 0.1"),
    (
        "betas",
        lambda v: len(v) == 2 and all(0 <= b < 1 for b in v),
        "give two numbers in [0, 1): (0.9, 0.999)",
    ),
    (
        "clip",
        lambda v: v is None or v > 0,
        "clip is the longest gradient allowed, above 0, or None for no clipping",
    ),
    (
        "ema",
        lambda v: v is None or 0 < v < 1,
        "the average's decay lies strictly between 0 and 1; None for none",
    ),
)


def learning_rate(settings: TrainSettings, done: float) -> float:
    """The learning rate of the step that starts when the share `done` in [0, 1) of the run is over.

    Linear warm-up to `lr`, then a half cosine down to `floor · lr` (Loshchilov & Hutter 2017, eq. 5, no
    restarts).
    """
    if done < settings.warmup:
        return settings.lr * min(1.0, (done + 1 / settings.steps) / settings.warmup)
    down = (done - settings.warmup) / (1 - settings.warmup)
    half_cosine = (1 + math.cos(math.pi * min(1.0, down))) / 2
    return settings.lr * (settings.floor + (1 - settings.floor) * half_cosine)


def in_notebook() -> bool:
    """True inside a Jupyter kernel (and not in a plain `ipython` terminal)."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None


def check_seconds(seconds: float | None, processes: int = 1) -> None:
    """Refuse a time budget where it would make the outcome depend on the machine without anyone noticing."""
    if seconds is None:
        return
    if not 0 < seconds < math.inf:
        raise ValueError(f"seconds = {seconds!r}: a time budget is a number above 0, or None for none")
    if in_notebook():
        raise ValueError(
            f"seconds = {seconds}: inside a notebook a run is budgeted by steps alone, so that it ends with "
            "the same weights on every machine. Leave seconds out and choose TrainSettings(steps=...)"
        )
    if processes > 1:
        raise ValueError(
            f"seconds = {seconds}: several processes would stop at different steps; budget by steps"
        )
