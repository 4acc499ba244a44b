"""`python -m lecture10 doctor`: is this machine ready? ✓ well, ! could be better, ✗ must be mended.

Nothing here may crash where something is missing: a missing library is what the doctor is asked about.
"""

import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from lecture10.paths import data_folder, home_folder, in_checkout, notebooks_folder

WELL, WARY, BAD = "✓", "!", "✗"
GB = 1e9
INSTALL = "pip install -e '.[course,test]'" if in_checkout() else "pip install 'lecture10[course]'"
LIBRARIES = {  # distribution: what it is for; the first ones are needed for anything at all
    "torch": "",
    "torchvision": "",
    "numpy": "",
    "matplotlib": "",
    "tokenizers": "",
    "accelerate": "",
    "jupyterlab": "to open the notebooks",
    "ipywidgets": "sliders and buttons",
    "transformers": "comparisons with the reference models",
    "open_clip_torch": "comparisons with the reference models",
    "diffusers": "comparisons with the reference models",
    "nbval": "only for make test",
    "pytest": "only for make test",
}
DATA = ("papers", "lecture", "quiz", "checkpoints", "results")


@dataclass(frozen=True)
class Line:
    """One finding: its mark (✓ ! ✗), what was looked at, what was found, and the cure where there is one."""

    mark: str
    name: str
    found: str
    cure: str = ""


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="The findings as JSON, for scripts.")] = False,
) -> None:
    """Say whether this machine is ready for the course; exit code 1 where something must be mended."""
    lines = examine()
    plain = [asdict(line) for line in lines]
    print(json.dumps(plain, ensure_ascii=False, indent=1) if as_json else screen(lines))
    if any(line.mark == BAD for line in lines):
        raise typer.Exit(1)


def examine() -> list[Line]:
    """All findings. A check that itself fails becomes a line that says so."""
    checks = (python, libraries, device, threads, memory, disk, home, kernel, data, notebooks)
    return [line for check in checks for line in _guarded(check)]


def screen(lines: list[Line]) -> str:
    """The findings as text: one line each, the cure indented below, the verdict last."""
    width = max(len(line.name) for line in lines)
    rows = [f"{line.mark} {line.name:<{width}}  {line.found}" + _below(line.cure, width) for line in lines]
    bad, wary = (sum(line.mark == mark for line in lines) for mark in (BAD, WARY))
    if bad:
        verdict = f"Not ready: mend the {bad} line{'s' * (bad > 1)} marked {BAD}."
    else:
        verdict = "Ready." + (f" The {wary} line{'s' * (wary > 1)} marked {WARY} can wait." if wary else "")
    return "\n".join([*rows, "", verdict])


def _below(cure: str, width: int) -> str:
    return f"\n{'':<{width + 4}}→ {cure}" if cure else ""


def _guarded(check: Callable[[], Iterator[Line]]) -> Iterator[Line]:
    try:
        yield from check()
    except Exception as error:  # the doctor survives every patient
        yield Line(BAD, check.__name__, f"could not be looked at: {type(error).__name__}: {error}", INSTALL)


def python() -> Iterator[Line]:
    """Python's version and where it runs, and the package's own."""
    version = platform.python_version()
    old = sys.version_info < (3, 11)
    cure = "use Python 3.11 or newer" if old else ""
    yield Line(BAD if old else WELL, "python", f"{version} on {platform.system()}", cure)
    from lecture10 import __version__

    yield Line(WELL, "lecture10", f"{__version__} in {Path(__file__).parents[1]}")


def libraries() -> Iterator[Line]:
    """Each library's version beside the range that the package asks for. Loads none of them."""
    ranges = _required()
    for name, purpose in LIBRARIES.items():
        bad = WARY if purpose else BAD
        about = f" ({purpose})" if purpose else ""
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield Line(bad, name, f"not installed{about}", INSTALL)
            continue
        wanted = ranges.get(_plain(name), "")
        if _outside(version, wanted):
            yield Line(
                bad, name, f"{version}, but {wanted} is needed{about}", f"pip install '{name}{wanted}'"
            )
        else:
            yield Line(WELL, name, version)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _required() -> dict[str, str]:
    try:
        declared = importlib.metadata.requires("lecture10") or []
    except importlib.metadata.PackageNotFoundError:  # a wheel that was only unzipped
        return {}
    pairs = (re.match(r"([\w.-]+)\s*(?:\[[^\]]*\])?\s*([^;]*)", line) for line in declared)
    return {_plain(pair[1]): pair[2].strip() for pair in pairs if pair}


def _outside(version: str, wanted: str) -> bool:
    try:
        from packaging.specifiers import SpecifierSet
    except ImportError:
        return False
    return bool(wanted) and not SpecifierSet(wanted).contains(version, prereleases=True)


def device() -> Iterator[Line]:
    """The device that the notebooks will use."""
    asked = os.environ.get("LECTURE10_DEVICE")
    try:
        from lecture10.devices import budget, pick_device

        chosen = pick_device()
        found = f"{chosen}, budget {budget()}" + (" (LECTURE10_DEVICE)" if asked else "")
    except ImportError as error:
        yield Line(BAD, "device", f"torch cannot be loaded: {error}", INSTALL)
    except ValueError as error:
        yield Line(BAD, "device", str(error))
    else:
        yield Line(WELL, "device", found)


def threads() -> Iterator[Line]:
    """Cores, and the threads that torch will use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    import torch

    used = torch.get_num_threads()
    few = cores < 2
    cure = "the stated minutes are for two cores: expect about twice as long" if few else ""
    if used > cores:
        cure = f"more threads than cores slow everything down: set OMP_NUM_THREADS={cores}"
    yield Line(WARY if cure else WELL, "threads", f"{used} threads on {cores} core{'s' * (cores > 1)}", cure)


def memory() -> Iterator[Line]:
    """Free memory: a notebook takes up to 2 GB."""
    import psutil

    free, total = psutil.virtual_memory().available / GB, psutil.virtual_memory().total / GB
    mark = BAD if free < 1 else WARY if free < 2 else WELL
    cure = "" if mark == WELL else "a notebook takes up to 2 GB: close other programs and other kernels"
    yield Line(mark, "memory", f"{free:.1f} of {total:.1f} GB free", cure)


def disk() -> Iterator[Line]:
    """Free disk where results and temporary files go."""
    places = {"home": _existing(home_named()), "temporary files": Path(tempfile.gettempdir())}
    for name, place in places.items():
        free = shutil.disk_usage(place).free / GB
        mark = BAD if free < 0.1 else WARY if free < 1 else WELL
        cure = "" if mark == WELL else "free some space: checkpoints and pictures need about 1 GB"
        yield Line(mark, f"disk, {name}", f"{free:.1f} GB free at {place}", cure)


def home_named() -> Path:
    """The learner's folder as named, whether or not it can be used."""
    return Path(os.environ.get("LECTURE10_HOME") or Path.home() / ".lecture10")


def _existing(path: Path) -> Path:
    return next(place for place in (path, *path.absolute().parents) if place.is_dir())


def home() -> Iterator[Line]:
    """May the folder for progress and own results be written to?"""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        used = home_folder()
    if told:
        found = f"{home_named()} cannot be written; progress is not kept"
        yield Line(WARY, "own folder", found, str(told[0].message))
    else:
        yield Line(WELL, "own folder", f"{used} can be written")


def _absent(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is None
    except (ImportError, ValueError):
        return True


def kernel() -> Iterator[Line]:
    """Would JupyterLab start a kernel, and is it this Python?"""
    missing = [name for name in ("ipykernel", "jupyter_client") if _absent(name)]
    if missing:
        yield Line(BAD, "kernel", f"{' and '.join(missing)} not installed: no notebook can run", INSTALL)
        return
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    cure = "python -m ipykernel install --sys-prefix"
    try:
        command = KernelSpecManager().get_kernel_spec("python3").argv[0]
    except NoSuchKernel:
        yield Line(BAD, "kernel", "Jupyter knows no kernel python3", cure)
        return
    here = Path(sys.executable).parent.resolve()
    if Path(command).is_absolute() and Path(command).parent.resolve() != here:
        yield Line(WARY, "kernel", f"python3 starts {command}, not the Python asked now", cure)
    else:
        yield Line(WELL, "kernel", "python3 starts this Python")


def data() -> Iterator[Line]:
    """Is the course's data there?"""
    try:
        folder = data_folder()
    except FileNotFoundError as error:
        yield Line(BAD, "data", str(error))
        return
    missing = [name for name in DATA if not (folder / name).is_dir()]
    if missing:
        cure = (
            "take it back with: git checkout -- data"
            if in_checkout()
            else "pip install --force-reinstall lecture10"
        )
        yield Line(WARY, "data", f"{folder} lacks {', '.join(missing)}", cure)
    else:
        count = sum(path.is_file() for path in folder.rglob("*"))
        yield Line(WELL, "data", f"{count} files in {folder}")


def notebooks() -> Iterator[Line]:
    """Are the notebooks there?"""
    try:
        found = sorted(notebooks_folder().glob("*.ipynb"))
    except FileNotFoundError as error:
        yield Line(BAD, "notebooks", str(error))
        return
    if found:
        yield Line(WELL, "notebooks", f"{len(found)} in {found[0].parent}")
    else:
        yield Line(BAD, "notebooks", f"none in {notebooks_folder()}", "download the course again")
