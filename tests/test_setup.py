"""Two commands set everything up: what pip, conda, make and the wheel say must agree."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
DIRECT = [Requirement(line) for line in [*PROJECT["dependencies"], *EXTRAS["course"], *EXTRAS["test"]]]
BUILD = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]


def lines(name: str) -> list[str]:
    text = (ROOT / name).read_text()
    return [line.split("#")[0].strip() for line in text.splitlines() if line.split("#")[0].strip()]


def pins() -> dict[str, Version]:
    found = [re.fullmatch(r"([\w.-]+)==([\w.]+)", line) for line in lines("constraints.txt")]
    return {canonicalize_name(pair[1]): Version(pair[2]) for pair in found}


@pytest.mark.parametrize("requirement", DIRECT, ids=lambda r: r.name)
def test_every_direct_dependency_is_pinned_inside_its_range(requirement):
    version = pins().get(canonicalize_name(requirement.name))
    assert version is not None, f"{requirement.name} is missing in constraints.txt"
    assert requirement.specifier.contains(version)


def test_nothing_else_is_pinned():
    assert set(pins()) == {canonicalize_name(requirement.name) for requirement in DIRECT}
    assert len(DIRECT) == len(pins()), "a dependency is named twice in pyproject.toml"


def test_hatchling_of_the_tests_can_build():
    (build,) = map(Requirement, BUILD)
    assert build.specifier.contains(pins()["hatchling"])


def test_conda_installs_what_pyproject_says():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    plain = [entry for entry in conda if isinstance(entry, str)]
    (pip,) = [entry["pip"] for entry in conda if isinstance(entry, dict)]
    assert sorted(re.split(r"[=<>]", entry)[0] for entry in plain) == ["pip", "python"], (
        "thin: all else is pip's"
    )
    (editable,) = [line for line in pip if line.startswith("-e ")]
    asked = re.fullmatch(r"-e \.\[([\w,]+)\]", editable)
    assert set(asked[1].split(",")) == set(EXTRAS)
    assert [line for line in pip if line != editable] == ["-c constraints.txt"]
    python = next(entry for entry in plain if entry.startswith("python"))
    wanted = Requirement(f"python{PROJECT['requires-python']}").specifier
    assert wanted.contains(re.search(r"[\d.]+", python)[0])


def test_make_and_readme_install_the_same_extras():
    asked = f".[{','.join(EXTRAS)}]"
    assert asked in (ROOT / "Makefile").read_text()
    readme = (ROOT / "README.md").read_text()
    assert asked in readme
    assert "make lab" in readme
    assert "make test" in readme


def test_ci_calls_the_readmes_test_command():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    commands = [line for line in lines(".ci/run") if not line.startswith(("set ", "cd "))]
    assert commands == ["exec make test"]


def make(*words: str, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")} | env
    return subprocess.run(["make", *words], cwd=cwd, env=clean, capture_output=True, text=True, timeout=120)


@pytest.fixture
def course(tmp_path):
    """A copy of what `make` looks at, in a folder whose name has a space."""
    if shutil.which("make") is None:
        pytest.skip("make is not here")
    place = tmp_path / "my course"
    place.mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, place)
    return place


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def pretend_python(path: Path, log: Path) -> Path:
    """A Python that makes "virtual environments" of itself and only notes what pip was asked to do."""
    return script(
        path,
        f'case "$*" in\n'
        f'*"-m venv"*) mkdir -p .venv/bin; : > .venv/pyvenv.cfg; cp "$0" .venv/bin/python;;\n'
        f'*"-m pip"*|*-m\\ jupyterlab*) echo "$*" >> "{log}";;\n'
        f"esac",
    )


def test_setup_runs_once_and_again_only_when_something_changed(course, tmp_path):
    log = tmp_path / "log"
    python = pretend_python(tmp_path / "python", log)
    assert make("setup", cwd=course, PYTHON=str(python)).returncode == 0
    assert "-c constraints.txt -e .[course,test]" in log.read_text()
    second = make("setup", cwd=course, PYTHON=str(python))
    assert second.returncode == 0
    assert len(log.read_text().splitlines()) == 1, "the second call started at once"
    later = (course / ".venv" / ".lecture10-ready").stat().st_mtime + 5
    os.utime(course / "pyproject.toml", (later, later))
    make("setup", cwd=course, PYTHON=str(python))
    assert len(log.read_text().splitlines()) == 2, "a new dependency is installed"


def test_a_moved_checkout_is_set_up_again(course, tmp_path):
    log = tmp_path / "log"
    python = pretend_python(tmp_path / "python", log)
    make("setup", cwd=course, PYTHON=str(python))
    moved = course.rename(tmp_path / "elsewhere")
    assert make("setup", cwd=moved, PYTHON=str(python)).returncode == 0
    assert len(log.read_text().splitlines()) == 2
    assert (moved / ".venv" / ".place").read_text() == str(moved)


def test_lab_opens_the_first_notebook(course, tmp_path):
    log = tmp_path / "log"
    done = make("lab", cwd=course, PYTHON=str(pretend_python(tmp_path / "python", log)))
    assert done.returncode == 0, done.stderr
    assert log.read_text().splitlines()[-1] == "-m jupyterlab notebooks/00_start_here.ipynb"


def test_an_old_python_is_told_with_the_cure(course, tmp_path):
    pretend = "import sys; sys.version_info = (3, 9, 6); "
    old = script(
        tmp_path / "python",
        f'case "$1" in --version) echo "Python 3.9.6";; -c) exec "{sys.executable}" -c "{pretend}$2";; esac',
    )
    done = make("setup", cwd=course, PYTHON=str(old))
    assert done.returncode != 0
    assert "needs Python 3.11 or newer; found: Python 3.9.6" in done.stderr
    assert "apt install python3" in done.stderr
    assert "brew install" in done.stderr
    assert not (course / ".venv").exists()


def test_debian_without_venv_is_told_with_the_cure(course, tmp_path):
    bare = script(tmp_path / "python", 'case "$*" in *ensurepip*) exit 1;; esac')
    done = make("setup", cwd=course, PYTHON=str(bare))
    assert done.returncode != 0
    assert "sudo apt install python3-venv" in done.stderr


def test_a_failed_installation_is_tried_again(course, tmp_path):
    log = tmp_path / "log"
    python = pretend_python(tmp_path / "python", log)
    python.write_text(python.read_text().replace('*"-m pip"*', '*"-m pip"*) exit 1;; *never*'))
    done = make("setup", cwd=course, PYTHON=str(python))
    assert done.returncode != 0
    assert "the same command again" in done.stderr
    assert not (course / ".venv" / ".lecture10-ready").exists()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """A wheel built without network from the files that git would carry, unzipped beside nothing else."""
    pytest.importorskip("hatchling", reason="pip install 'lecture10[test]' brings it")
    place = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = place.glob("*.whl")
    zipfile.ZipFile(built).extractall(place / "site")
    return place / "site"


def test_a_wheel_carries_what_the_course_needs_and_no_litter(wheel):
    inside = {path.relative_to(wheel).as_posix() for path in wheel.rglob("*") if path.is_file()}
    for folder in ("data", "notebooks"):
        here = [path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file()]
        wanted = {f"lecture10/{path.as_posix()}" for path in here if not litter(path)}
        assert wanted, f"{folder}/ is empty"
        assert wanted <= inside
    assert not [name for name in inside if litter(Path(name))]
    assert not [
        name for name in inside if name.split("/")[0] not in ("lecture10", "lecture10-0.1.0.dist-info")
    ]


def litter(path: Path) -> bool:
    return any(part.startswith(".") or part in ("__pycache__", "tests") for part in path.parts)


def test_a_wheel_finds_its_data_outside_a_checkout(wheel, tmp_path):
    first = next(
        path for path in sorted((ROOT / "data").rglob("*")) if path.is_file() and path.name[0] != "."
    )
    name = first.relative_to(ROOT / "data").as_posix()
    code = (
        f"import lecture10 as l10, lecture10.paths as p; found = l10.data_path({name!r}); "
        "print(l10.__file__); print(found); print(p.in_checkout()); print(p.notebooks_folder())"
    )
    env = {k: v for k, v in os.environ.items() if not k.startswith("LECTURE10")} | {"PYTHONPATH": str(wheel)}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    package, found, checkout, notebooks = done.stdout.splitlines()
    assert Path(package).is_relative_to(wheel)
    assert Path(found) == wheel / "lecture10" / "data" / name
    assert Path(found).read_bytes() == first.read_bytes()
    assert checkout == "False"
    assert Path(notebooks) == wheel / "lecture10" / "notebooks"


def test_every_import_of_the_package_is_declared():
    """A library that is only there because another one brings it may be gone tomorrow."""
    import ast

    used = set()
    for path in (ROOT / "lecture10").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                used |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                used.add(node.module.split(".")[0])
    known_as = {"PIL": "pillow", "yaml": "pyyaml", "skimage": "scikit-image", "sklearn": "scikit-learn"}
    known_as |= {"open_clip": "open-clip-torch"}
    brought = {
        "cycler": "matplotlib",
        "IPython": "ipykernel",
        "jupyter_client": "ipykernel",
        "traitlets": "ipykernel",
    }
    declared = {canonicalize_name(requirement.name) for requirement in DIRECT}
    strange = {
        name
        for name in used - set(sys.stdlib_module_names) - {"lecture10"}
        if canonicalize_name(known_as.get(name, brought.get(name, name))) not in declared
    }
    assert not strange, f"imported but not in pyproject.toml: {sorted(strange)}"
