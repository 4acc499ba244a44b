"""The doctor: sees what is missing, says the cure, and survives every patient."""

import importlib.metadata
import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from lecture10.backstage import doctor
from lecture10.backstage.cli import main
from lecture10.backstage.doctor import BAD, WARY, WELL, Line, examine, screen

GONE = ("torch", "psutil", "jupyter_client", "ipykernel", "packaging")
HIDE = """
import importlib.abc, importlib.machinery, importlib.metadata, sys

GONE = {gone!r}


class Hidden(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in GONE:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)


sys.meta_path.insert(0, Hidden())
real = importlib.metadata.version


def version(name):
    if name in GONE:
        raise importlib.metadata.PackageNotFoundError(name)
    return real(name)


importlib.metadata.version = version
from lecture10.backstage.cli import main
sys.exit(main(["doctor", "--json"]))
"""


def named(lines: list[Line], name: str) -> Line:
    return next(line for line in lines if line.name == name)


@pytest.fixture
def course(tmp_path, monkeypatch):
    """Data and notebooks that are whole, whatever this checkout holds."""
    for name in doctor.DATA:
        (tmp_path / "data" / name).mkdir(parents=True)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "00_start_here.ipynb").write_text("{}")
    monkeypatch.setenv("LECTURE10_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(doctor, "notebooks_folder", lambda: tmp_path / "notebooks")
    return tmp_path


def test_a_machine_that_runs_the_tests_is_ready(course, capsys):
    assert main(["doctor"]) == 0
    told = capsys.readouterr().out
    assert "Ready." in told
    assert BAD not in told
    for word in ("python", "torch", "device", "threads", "memory", "disk", "own folder", "kernel", "data"):
        assert f" {word}" in told
    assert len(told.splitlines()) <= 40, "one screen"


def test_json_says_the_same(course, capsys):
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {tuple(line) for line in found} == {("mark", "name", "found", "cure")}
    assert named([Line(**line) for line in found], "torch").found == importlib.metadata.version("torch")


def test_it_survives_missing_libraries():
    """A process in which half of the libraries are hidden: every line is there, and each names its cure."""
    done = subprocess.run(
        [sys.executable, "-c", HIDE.format(gone=GONE)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1, done.stderr
    lines = [Line(**line) for line in json.loads(done.stdout)]
    for name in ("torch", "device", "threads", "memory", "kernel"):
        assert named(lines, name).mark == BAD, name
        assert "pip install" in named(lines, name).cure
    assert named(lines, "numpy").mark == WELL
    assert "ipykernel and jupyter_client not installed" in named(lines, "kernel").found


def test_what_only_tests_need_is_no_obstacle(monkeypatch):
    real = importlib.metadata.version

    def version(name):
        if name == "nbval":
            raise importlib.metadata.PackageNotFoundError(name)
        return "0.1" if name == "numpy" else real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    lines = list(doctor.libraries())
    assert named(lines, "nbval") == Line(WARY, "nbval", "not installed (only for make test)", doctor.INSTALL)
    numpy = named(lines, "numpy")
    assert numpy.mark == BAD
    assert numpy.cure == "pip install 'numpy>=1.26'"


def test_cuda_without_a_gpu_is_seen(monkeypatch):
    import torch

    monkeypatch.setenv("LECTURE10_DEVICE", "cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    (line,) = doctor.device()
    assert line.mark == BAD
    assert "LECTURE10_DEVICE=cpu" in line.found


def test_an_unknown_budget_is_seen(monkeypatch):
    monkeypatch.setenv("LECTURE10_BUDGET", "labtop")
    (line,) = doctor.device()
    assert line.mark == BAD
    assert "laptop" in line.found


def test_a_home_that_cannot_be_written_is_seen(monkeypatch, tmp_path):
    """A file stands where the folder should be: not writable even for root."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LECTURE10_HOME", str(tmp_path / "file"))
    (line,) = doctor.home()
    assert line.mark == WARY
    assert "cannot be written" in line.found
    assert "Set LECTURE10_HOME" in line.cure


@pytest.mark.parametrize(("free", "mark"), [(0.5, BAD), (1.5, WARY), (3, WELL)])
def test_little_memory_is_seen(monkeypatch, free, mark):
    import psutil

    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=free * 1e9, total=8e9))
    (line,) = doctor.memory()
    assert line.mark == mark
    assert ("close other programs" in line.cure) == (mark != WELL)


@pytest.mark.parametrize(("free", "mark"), [(0.05, BAD), (0.5, WARY), (5, WELL)])
def test_a_full_disk_is_seen(monkeypatch, tmp_path, free, mark):
    monkeypatch.setenv("LECTURE10_HOME", str(tmp_path / "not" / "yet" / "there"))
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda place: SimpleNamespace(free=free * 1e9))
    lines = list(doctor.disk())
    assert {line.mark for line in lines} == {mark}
    assert str(tmp_path) in lines[0].found


def test_more_threads_than_cores_are_seen(monkeypatch):
    import torch

    monkeypatch.setattr(torch, "get_num_threads", lambda: 10_000)
    (line,) = doctor.threads()
    assert line.mark == WARY
    assert "OMP_NUM_THREADS" in line.cure


def test_missing_data_and_notebooks_are_seen(monkeypatch, tmp_path):
    monkeypatch.setenv("LECTURE10_DATA", str(tmp_path / "nowhere"))
    (line,) = doctor.data()
    assert line.mark == BAD
    assert "Unset LECTURE10_DATA" in line.found
    (tmp_path / "papers").mkdir()
    monkeypatch.setenv("LECTURE10_DATA", str(tmp_path))
    (line,) = doctor.data()
    assert (line.mark, "quiz" in line.found, "papers" in line.found) == (WARY, True, False)
    monkeypatch.setattr(doctor, "notebooks_folder", lambda: tmp_path)
    (line,) = doctor.notebooks()
    assert line.mark == BAD


def test_a_kernel_of_another_python_is_seen(monkeypatch):
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    monkeypatch.setattr(
        KernelSpecManager, "get_kernel_spec", lambda *_: SimpleNamespace(argv=["/other/bin/python"])
    )
    (line,) = doctor.kernel()
    assert (line.mark, line.cure) == (WARY, "python -m ipykernel install --sys-prefix")

    def none(*_):
        raise NoSuchKernel("python3")

    monkeypatch.setattr(KernelSpecManager, "get_kernel_spec", none)
    (line,) = doctor.kernel()
    assert line.mark == BAD


def test_a_check_that_breaks_becomes_a_line(monkeypatch):
    def memory():
        raise RuntimeError("no such counter")
        yield

    monkeypatch.setattr(doctor, "memory", memory)
    line = named(examine(), "memory")
    assert line.mark == BAD
    assert "RuntimeError: no such counter" in line.found


def test_the_screen_counts_and_shows_cures():
    told = screen(
        [Line(WELL, "a", "fine"), Line(WARY, "bb", "so-so", "try"), Line(BAD, "c", "gone", "get it")]
    )
    assert told.splitlines() == [
        "✓ a   fine",
        "! bb  so-so",
        "      → try",
        "✗ c   gone",
        "      → get it",
        "",
        "Not ready: mend the 1 line marked ✗.",
    ]
    assert screen([Line(WARY, "a", "x")]).endswith("Ready. The 1 line marked ! can wait.")
