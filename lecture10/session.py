"""The first line of every notebook: `l10.begin("01_gpt1")`.

It seeds the generators, gives pictures the course's look, chooses a device, and compares versions.

Inside a kernel nothing says for certain which file is open, so the notebook's own version is read from a
file: the one that Jupyter says it opened for this kernel, else NAME.ipynb in the current folder, else none
(and then nothing is compared). A version that differs is told with its cure and never stops a lesson.
"""

import json
import os
import random
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lecture10 import __version__
from lecture10.names import unknown
from lecture10.paths import in_checkout, notebooks_folder

if TYPE_CHECKING:
    import torch

USUAL = ("cpu", "laptop")  # not worth a word in the line that `begin` prints


@dataclass(frozen=True)
class Session:
    """What a notebook runs with."""

    name: str
    device: "torch.device"
    seed: int
    budget: str  # "smoke" | "laptop" | "gpu": how much training a cell may spend

    def __str__(self) -> str:
        parts = [self.name, f"lecture10 {__version__}", f"seed {self.seed}"]
        return " · ".join(parts + [word for word in (str(self.device), self.budget) if word not in USUAL])

    def _ipython_display_(self) -> None:
        """Nothing: `begin` has printed it already, and is often a cell's last line."""


def begin(name: str, *, seed: int = 0) -> Session:
    """Start a notebook and say in one line what it runs with.

    The line names device and budget only where they are not the usual ones: stored outputs stay equal.
    Raises ValueError for a name that no notebook has, a seed that is no whole number from 0 on, or a device
    or budget (LECTURE10_DEVICE, LECTURE10_BUDGET) that this machine does not have.
    """
    _check_name(name)
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ValueError(f"begin({name!r}, seed={seed!r}): the seed is a whole number from 0 to 4294967295")
    from lecture10.devices import budget, pick_device
    from lecture10.plots.style import use_style

    session = Session(name, pick_device(), seed, budget())
    sow(seed)
    use_style()
    print(session)
    if told := handshake(name):
        print(told)
    return session


def sow(seed: int) -> None:
    """Seed Python's, NumPy's and torch's generators, and ask CUDA for the same algorithms every time."""
    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  libraries still draw from the global generator
    torch.manual_seed(seed)
    torch.backends.cudnn.benchmark = False  # the fastest algorithm differs from run to run
    torch.backends.cudnn.deterministic = True


def handshake(name: str) -> str | None:
    """A sentence where this notebook's version is not the package's, with the cure; None where all is well.

    Also None where the notebook's file is not to be found, as on a hosted service. Never raises.
    """
    path = opened_notebook(name)
    if path is None:
        return None
    written_for = _about(path).get("version")
    if written_for == __version__:
        return None
    if not isinstance(written_for, str):
        return f"! {path.name} does not say which version of lecture10 it was made for: {_cure(name)}"
    return f"! {path.name} was made for lecture10 {written_for}, and this is {__version__}: {_cure(name)}"


def opened_notebook(name: str) -> Path | None:
    """The file of the notebook that is running, as far as can be told (see the top of this module)."""
    told = os.environ.get("JPY_SESSION_NAME")  # Jupyter's server gives it to each kernel it starts
    if told and told.endswith(".ipynb") and _about(Path(told)).get("name") == name:
        return Path(told)
    try:
        here = Path.cwd() / f"{name}.ipynb"
        return here if here.is_file() else None
    except OSError:
        return None


def _about(path: Path) -> dict:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))["metadata"]["lecture10"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return about if isinstance(about, dict) else {}


def _cure(name: str) -> str:
    if in_checkout():
        return "results may differ. Bring both up to date (git pull && make setup), then restart the kernel"
    try:
        fitting = notebooks_folder() / f"{name}.ipynb"
    except FileNotFoundError:
        fitting = None
    where = f", or take the notebook that fits: {fitting}" if fitting and fitting.is_file() else ""
    return f"results may differ. Update the package (pip install --upgrade lecture10){where}"


def _check_name(name: str) -> None:
    if not isinstance(name, str):
        raise ValueError(f'begin({name!r}): give the notebook\'s name, such as begin("01_gpt1")')
    if opened_notebook(name):
        return
    try:
        known = sorted(path.stem for path in notebooks_folder().glob("*.ipynb"))
    except FileNotFoundError:
        return
    if known and name not in known:
        raise ValueError(unknown("notebook", name, known))
