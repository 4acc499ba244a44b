"""Where things lie: the course's own data (in a checkout or a wheel) and the learner's small folder."""

import os
import tempfile
import warnings
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parent  # only meaningful when `pyproject.toml` lies in it


def in_checkout() -> bool:
    """True where the package runs from a checkout (or an editable install), False in an installed wheel."""
    return (CHECKOUT / "pyproject.toml").is_file() and (CHECKOUT / "data").is_dir()


def data_folder() -> Path:
    """The folder with papers/, lecture/, quiz/, checkpoints/ and results/.

    `LECTURE10_DATA` names another one; else the checkout's `data/`, else the copy inside the installed wheel.
    Raises FileNotFoundError, with the cure, where there is none.
    """
    named = os.environ.get("LECTURE10_DATA")
    places = [Path(named)] if named else [CHECKOUT / "data"] * in_checkout() + [PACKAGE / "data"]
    for place in places:
        if place.is_dir():
            return place
    raise FileNotFoundError(
        f"lecture10's data folder is missing (looked at {', '.join(map(str, places))}). "
        "Unset LECTURE10_DATA, or install the package again: pip install --force-reinstall lecture10"
    )


def data_path(name: str) -> Path:
    """The path of one of the course's files, such as "papers/gpt1_table5.csv".

    Raises FileNotFoundError, naming the nearest existing file, where it does not exist.
    """
    path = data_folder() / name
    if path.exists():
        return path
    from lecture10.names import nearest

    near = nearest(path.name, [p.name for p in path.parent.glob("*")]) if path.parent.is_dir() else []
    hint = f"; did you mean {path.parent.name}/{near[0]}?" if near else ""
    raise FileNotFoundError(f"the course has no data file {name!r}{hint}")


def notebooks_folder() -> Path:
    """The folder with the course's notebooks: the checkout's `notebooks/`, else the copy inside the wheel.

    Raises FileNotFoundError, with the cure, where there is none.
    """
    places = [CHECKOUT / "notebooks"] * in_checkout() + [PACKAGE / "notebooks"]
    for place in places:
        if place.is_dir():
            return place
    raise FileNotFoundError(
        f"lecture10's notebooks are missing (looked at {', '.join(map(str, places))}). "
        "Install the package again: pip install --force-reinstall lecture10"
    )


@cache
def _fallback_home() -> Path:
    return Path(tempfile.mkdtemp(prefix="lecture10-"))


def home_folder() -> Path:
    """The learner's folder (progress, own results): `LECTURE10_HOME`, else ~/.lecture10; created if missing.

    Where it cannot be written, warns once and falls back to a temporary folder for this session.
    """
    return _home(os.environ.get("LECTURE10_HOME") or "~/.lecture10")


@cache
def _home(asked: str) -> Path:
    try:
        home = Path(asked).expanduser()
    except RuntimeError:  # a container without HOME
        return _fallback_home()
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            return home
    except OSError as error:
        warnings.warn(
            f"{home} cannot be written ({error.strerror}): progress is kept for this session only. "
            "Set LECTURE10_HOME to a folder you may write to.",
            stacklevel=3,
        )
        return _fallback_home()
