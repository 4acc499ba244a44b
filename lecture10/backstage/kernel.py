"""A notebook run headless, cell by cell, in a fresh kernel of this very environment."""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
import psutil
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from lecture10.backstage.book import Book, BookError, first_line

CELL_TIMEOUT = 180  # seconds; nbval is told the same
Progress = Callable[
    [int, NotebookNode, float | None], None
]  # cell number, cell, seconds (None: it starts now)


@dataclass(frozen=True)
class Ran:
    """What a run cost."""

    minutes: float
    peak_mb: int  # of the kernel and its children, resident


class _OwnPython(KernelSpecManager):
    """Knows one kernel, this Python: none need be installed, and none of another environment is picked up."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())


def environment(home: Path, *, cpu: bool) -> dict[str, str]:
    """The environment variables of a kernel whose learner is nobody: nothing of this machine's user leaks in.

    home: an empty folder for progress, caches and IPython's profile. With `cpu`, also what makes outputs
    equal from run to run: the CPU, two threads, one hash seed, no downloads, figures inline.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith("JPY_")}
    if cpu:
        kept = {k: v for k, v in kept.items() if not k.startswith("LECTURE10_") or k == "LECTURE10_DATA"}
    kept |= {"LECTURE10_HOME": str(home / "lecture10"), "IPYTHONDIR": str(home / "ipython"), "COLUMNS": "100"}
    kept |= {"PYDEVD_DISABLE_FILE_VALIDATION": "1", "TOKENIZERS_PARALLELISM": "false"}
    if not cpu:
        return kept
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "2")
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(home / "hub"), "PYTHONHASHSEED": "0"}
    inline = {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "LECTURE10_DEVICE": "cpu"}
    return kept | threads | offline | inline


@contextmanager
def clean_environment(*, cpu: bool) -> Iterator[dict[str, str]]:
    """`environment` with a temporary home that is removed afterwards."""
    import matplotlib.font_manager  # noqa: F401  its first import builds a cache and says so

    with tempfile.TemporaryDirectory(prefix="lecture10-", ignore_cleanup_errors=True) as home:
        yield environment(Path(home), cpu=cpu)


def execute(
    book: Book, *, cpu: bool = False, timeout: float = CELL_TIMEOUT, progress: Progress | None = None
) -> Ran:
    """Run all code cells of `book.nb` in place, in a fresh kernel started in the notebook's folder.

    Returns minutes spent in cells and the kernel's peak memory. Raises BookError with the failing cell and
    its traceback where a cell raises (unless tagged raises-exception), takes longer than `timeout` seconds,
    or kills the kernel.
    """
    manager = AsyncKernelManager(kernel_spec_manager=_OwnPython())
    quiet = ["--log-level=40"]  # the kernel's own warnings are not the notebook's
    client = NotebookClient(
        book.nb, km=manager, timeout=int(timeout), record_timing=False, extra_arguments=quiet
    )
    cwd = str(book.path.resolve().parent)
    with clean_environment(cpu=cpu) as env:
        env["JPY_SESSION_NAME"] = _as_opened(book, Path(env["IPYTHONDIR"]))
        try:
            with client.setup_kernel(cwd=cwd, env=env, cleanup_kc=True), _peak_memory(manager) as peak:
                seconds = _run_cells(book, client, timeout, progress or (lambda *_: None))
        except RuntimeError as error:
            raise BookError(
                f"no kernel could be started for {book.name} ({error}): python -m lecture10 doctor tells why"
            ) from error
    return Ran(seconds / 60, peak())


def _as_opened(book: Book, folder: Path) -> str:
    """The notebook as it will be stored, where `l10.begin` looks up its version."""
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / book.path.name
    nbformat.write(book.nb, copy)
    return str(copy)


def _run_cells(book: Book, client: NotebookClient, timeout: float, progress: Progress) -> float:
    total, count = 0.0, 0
    for number, cell in book.code:
        cell.outputs, cell.execution_count = [], None
        if not cell.source.strip():
            continue
        count += 1
        progress(number, cell, None)
        start = time.perf_counter()
        with _told(book, number, cell, timeout):
            client.execute_cell(cell, number - 1, execution_count=count)
        total += time.perf_counter() - start
        progress(number, cell, time.perf_counter() - start)
    return total


@contextmanager
def _told(book: Book, number: int, cell: NotebookNode, timeout: float) -> Iterator[None]:
    where = f"{book.name}, cell {number} ({first_line(cell.source)})"
    try:
        yield
    except CellExecutionError as error:
        traceback = "\n".join(line for out in cell.outputs for line in out.get("traceback", []))
        raise BookError(f"{where} raised {error.ename}: {error.evalue}\n\n{traceback}") from error
    except CellTimeoutError as error:
        raise BookError(
            f"{where} took longer than {timeout:g} s: give it fewer steps, or allow more with --timeout"
        ) from error
    except DeadKernelError as error:
        raise BookError(
            f"{where} killed the kernel, most often for want of memory: use smaller batches"
        ) from error


@contextmanager
def _peak_memory(manager: AsyncKernelManager, every: float = 0.1) -> Iterator[Callable[[], int]]:
    """Sample the kernel's resident memory in a thread; yields a function that returns the peak in MB."""
    done, seen = threading.Event(), [0]
    kernel = psutil.Process(manager.provisioner.pid)

    def sample() -> None:
        while not done.wait(every):
            seen.append(max(seen.pop(), _resident(kernel)))

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield lambda: round(seen[0] / 2**20)
    finally:
        done.set()
        thread.join()


def _resident(process: psutil.Process) -> int:
    try:
        return sum(p.memory_info().rss for p in [process, *process.children(recursive=True)])
    except psutil.Error:
        return 0
