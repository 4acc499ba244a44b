"""Import arrows, and how little `import lecture10` costs."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = ("torch", "transformers", "diffusers", "matplotlib", "pandas", "scipy", "open_clip", "IPython")


def python(code: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, **options
    )


def test_the_import_arrows_hold():
    run = (
        "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-logo', '--no-cache'])"
    )
    done = python(run, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_upward_import_is_seen(tmp_path):
    """The linter itself is tested: a copy of the house in which a leaf imports the top floor must fail."""
    import shutil

    shutil.copytree(ROOT / "lecture10", tmp_path / "lecture10", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    leaf = tmp_path / "lecture10" / "names.py"
    leaf.write_text(leaf.read_text() + "\n\ndef up():\n    import lecture10.session\n")
    run = (
        "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-logo', '--no-cache'])"
    )
    done = python(run, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 1
    assert "lecture10.names -> lecture10.session" in done.stdout


def test_import_is_light():
    code = f"import sys, lecture10 as l10; dir(l10); print([m for m in {HEAVY} if m in sys.modules])"
    done = python(code)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_import_takes_under_two_seconds():
    """The best of three whole processes, Python's own start included: one may wait for others."""
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        assert python("import lecture10").returncode == 0
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 2, seconds


def test_version_agrees_everywhere():
    import importlib.metadata
    import tomllib

    import yaml

    import lecture10

    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"]
    assert lecture10.__version__ == declared == cited == importlib.metadata.version("lecture10")
    assert declared in (ROOT / "CHANGELOG.md").read_text()


def test_every_exported_name_is_there():
    import lecture10

    for name in lecture10.__all__:
        assert getattr(lecture10, name) is not None
        assert name in dir(lecture10)
        if name not in ("__version__",):
            assert callable(getattr(lecture10, name)), name


def test_quiz_is_callable_even_after_its_room_was_imported():
    """The room lecture10.quiz and the function l10.quiz share a name: it works, whatever came first."""
    done = python("import lecture10 as l10, lecture10.quiz; assert callable(l10.quiz)")
    assert done.returncode == 0, done.stderr


def test_an_unknown_name_suggests_the_nearest():
    import lecture10

    with pytest.raises(AttributeError, match=r"no 'chekc'; did you mean 'check'\?"):
        lecture10.chekc  # noqa: B018
    assert not hasattr(lecture10, "__wrapped__")
