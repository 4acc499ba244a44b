"""What every test starts from: no network, the CPU, no window, and a home of its own."""

import atexit
import os
import shutil
import tempfile

OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
os.environ |= OFFLINE | {"MPLBACKEND": "Agg", "LECTURE10_DEVICE": "cpu", "TOKENIZERS_PARALLELISM": "false"}
os.environ.setdefault("OMP_NUM_THREADS", "1")  # small models: a second thread costs more than it brings
for _name in ("LECTURE10_BUDGET", "LECTURE10_DATA", "JPY_SESSION_NAME"):
    os.environ.pop(_name, None)
os.environ["LECTURE10_HOME"] = tempfile.mkdtemp(prefix="lecture10-tests-")
atexit.register(shutil.rmtree, os.environ["LECTURE10_HOME"], ignore_errors=True)

import pytest  # noqa: E402


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress and results of a test go to a folder of its own, never to the learner's."""
    monkeypatch.setenv("LECTURE10_HOME", str(tmp_path_factory.mktemp("home")))
