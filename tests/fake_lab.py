"""A package of tiny experiments in a temporary folder, measured with the real commands."""

import importlib
import io
import os
import signal
import subprocess
import sys
import textwrap
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

SOURCE = '''
"""A toy experiment."""
import os
import time

import numpy as np

from {package} import _helper
from lecture10.claims import Claim, Row, difference

CLAIM = Claim(
    "toy.gain", slide="Toys", says={says!r}, effect=difference("new", "old", metric="accuracy"),
    margin={margin}, expects="shown", does_not_test="anything <real>", minutes=5, paper="74.7 against 59.9",
)


def run(seed):
    """Two variants that share their luck."""
    with open(os.environ.get("TOY_LOG", os.devnull), "a") as log:
        log.write(f"{{seed}}\\n")
    if os.environ.get("TOY_HANGS_AT") == str(seed):
        time.sleep(60)
    time.sleep(float(os.environ.get("TOY_SECONDS", "0")))
    luck = np.random.default_rng(seed)
    base = luck.normal(0.7, 0.1)
    gain = _helper.GAIN + luck.normal(0, 0.01)
    return [Row("new", "accuracy", base + gain, seed, n=500), Row("old", "accuracy", base, seed, n=500)]
'''


def _hear_interrupts() -> None:
    """A job in the background is started deaf to Ctrl-C, and would hand that on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Lab:
    """A package of experiments (`toy`, with the claim toy.gain) beside a folder for results."""

    def __init__(self, folder: Path, package: str):
        self.folder, self.package, self.results = folder, package, folder / "results"
        (folder / package).mkdir()
        self.log = folder / "log.txt"
        self.write("__init__", '"""A lab."""')
        self.helper()
        self.toy()

    def helper(self, text: str = "GAIN = 0.1") -> None:
        """What the toy imports; the underscore hides it from the list of experiments."""
        self.write("_helper", text)

    def toy(self, says: str = "New beats old.", margin: float = 0.02, **replacing: str) -> None:
        """The experiment, worded anew."""
        source = SOURCE.format(package=self.package, says=says, margin=margin)
        for old, new in replacing.values():
            assert old in source
            source = source.replace(old, new)
        self.write("toy", source)

    def write(self, name: str, text: str) -> None:
        """Write a module of the lab, and forget the one that was imported."""
        path = self.folder / self.package / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        for module in [module for module in sys.modules if module.split(".")[0] == self.package]:
            del sys.modules[module]
        importlib.invalidate_caches()

    def start(self, *words: str, **environment: str) -> subprocess.Popen:
        """The real command in a process of its own."""
        command = [sys.executable, "-B", "-m", "lecture10", *words]
        command += ["--package", self.package, "--folder", str(self.results)]
        environment = os.environ | {"TOY_LOG": str(self.log)} | environment
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=environment,
            stdout=pipe,
            stderr=pipe,
            encoding="utf-8",
            preexec_fn=_hear_interrupts if os.name == "posix" else None,
        )

    def run(self, *words: str, **environment: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of the command, run in this process."""
        from lecture10.backstage.cli import main

        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.syspath_prepend(str(self.folder))
            patch.setattr(sys, "dont_write_bytecode", True)
            for name, value in ({"TOY_LOG": str(self.log)} | environment).items():
                patch.setenv(name, value)
            code = main([*words, "--package", self.package, "--folder", str(self.results)])
        return code, out.getvalue(), err.getvalue()

    def measured(self) -> list[int]:
        """The seeds in the order in which `run` was called."""
        return [int(line) for line in self.log.read_text().split()] if self.log.exists() else []
