"""Refresh stores what a real run shows, in a form that the next refresh, anywhere, leaves byte for byte."""

import base64
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_output
from specimen import NAME, TITLE, code, good, printed, store

from lecture10.backstage import refresh as refreshing
from lecture10.backstage.book import BookError, read_book
from lecture10.backstage.kernel import Ran, environment
from lecture10.backstage.lint import lint
from lecture10.backstage.measured import read_measured
from lecture10.backstage.normal import strip_png
from lecture10.backstage.refresh import refresh
from lecture10.paths import CHECKOUT

TRAIN = """import sys
from tqdm.auto import tqdm
for step in tqdm(range(3)):
    print("step", step)
    sys.stdout.flush()
loss = 1.25"""
TABLE = """import pandas as pd
pd.DataFrame({"paper": [78.1], "ours": [round(0.1 + 0.2, 3)]})"""
WIDGET = """import ipywidgets
slider, image = ipywidgets.IntSlider(value=3), ipywidgets.Image(value=b"x" * 500)
slider.observe(lambda change: None, "value")
ipywidgets.VBox([slider, image])"""


def lively() -> nbformat.NotebookNode:
    """Never run: a figure, a progress bar, a table, a widget, an empty mechanism cell, an old version."""
    nb = good()
    nb.cells[0].source = TITLE.replace("about 1", "about 0.5")
    for number, source in {6: "", 8: TRAIN, 11: TABLE, 13: WIDGET}.items():
        nb.cells[number - 1].source = source
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nb.metadata.lecture10 = {"name": "00_copied_from", "version": "0.0.1"}
    return nb


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory) -> Path:
    path = store(lively(), tmp_path_factory.mktemp("here"))
    refresh(path)
    return path


def outputs(path: Path, number: int) -> list[dict]:
    return json.loads(path.read_text())["cells"][number - 1]["outputs"]


def test_a_refreshed_notebook_holds_real_outputs_and_the_package_s_mechanism(refreshed):
    assert lint(refreshed) == []
    assert "78.1" in "".join(outputs(refreshed, 11)[0]["data"]["text/html"])
    begun = outputs(refreshed, 2)[0]["text"]
    assert len(begun) == 1, f"a stale version was told: {begun}"
    bar, steps = outputs(refreshed, 8)
    assert "widget-view" in "".join(bar["data"])
    assert steps["text"] == ["step 0\n", "step 1\n", "step 2\n"]
    assert "def nearest" in read_book(refreshed).nb.cells[5].source


def test_a_refresh_elsewhere_and_from_another_state_gives_the_same_bytes(refreshed, tmp_path, monkeypatch):
    monkeypatch.setenv("LECTURE10_HOME", str(tmp_path / "mine"))
    monkeypatch.setenv("LECTURE10_DEVICE", "a-device-of-mine")
    nb = json.loads(refreshed.read_text())
    nb["metadata"] |= {"widgets": {}, "language_info": {"name": "python", "version": "3.99"}}
    nb["metadata"]["kernelspec"] |= {"name": "another-kernel", "display_name": "of mine"}
    nb["cells"][10] |= {"execution_count": 99, "outputs": [printed("old")]}
    nb["cells"][10]["metadata"] |= {"execution": {"iopub.execute_input": "2024"}, "scrolled": True}
    other = store(nb, tmp_path / "a folder" / "of mine")
    ran, changed = refresh(other)
    assert other.read_bytes() == refreshed.read_bytes()
    assert "cell 11" in changed
    assert 0 < ran.minutes < 2
    assert 50 < ran.peak_mb < 3000
    assert not (tmp_path / "mine").exists()


def test_nbval_passes_in_strict_mode_with_the_command_of_make_test(refreshed):
    strict = [
        "--nbval",
        "--nbval-current-env",
        "--nbval-cell-timeout=180",
        "-p",
        "no:cacheprovider",
        "-p",
        "conftest",
    ]
    sanitize = ["--nbval-sanitize-with", str(CHECKOUT / "tests/nbval_sanitize.cfg")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *strict, *sanitize, "-q", str(refreshed)],
        cwd=CHECKOUT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "7 passed" in done.stdout


# Without a kernel: what is done with its outputs.


@pytest.fixture
def runs(monkeypatch):
    """Let a test say what a run shows: `runs(outputs of the last cell, minutes=…)`."""

    def says(*shown: dict, minutes: float = 1.0, peak_mb: int = 500, meanwhile=lambda: None) -> None:
        def execute(book, **_: object) -> Ran:
            for _, cell in book.code:
                cell.outputs = []
            book.nb.cells[-1].outputs = [nbformat.from_dict(dict(output)) for output in shown]
            meanwhile()
            return Ran(minutes, peak_mb)

        monkeypatch.setattr(refreshing, "execute", execute)

    return says


def stream(text: str, name: str = "stdout") -> dict:
    return new_output("stream", name=name, text=text)


def test_a_second_refresh_touches_neither_the_notebook_nor_what_was_measured(tmp_path, runs):
    path = store(good(), tmp_path)
    costs = tmp_path / "data/results/notebooks.json"
    runs(stream("78.1\n"))
    refresh(path)
    before = [(file.read_bytes(), file.stat().st_mtime_ns) for file in (path, costs)]
    runs(stream("78.1\n"), minutes=1.4, peak_mb=650)
    assert refresh(path)[1] == []
    assert [(file.read_bytes(), file.stat().st_mtime_ns) for file in (path, costs)] == before
    runs(stream("78.1\n"), minutes=1.8)
    assert refresh(path)[1] == ["measured minutes"]
    assert read_measured(path.parent)[NAME]["minutes"] == 1.8
    assert path.read_bytes() == before[0][0]


def test_checking_only_says_what_would_change(tmp_path, runs):
    path = store(good(), tmp_path)
    before = path.read_bytes(), (tmp_path / "data/results/notebooks.json").read_bytes()
    runs(stream("new\n"), minutes=9.0)
    assert "cell 13" in refresh(path, write=False)[1]
    assert (path.read_bytes(), (tmp_path / "data/results/notebooks.json").read_bytes()) == before


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        (stream("old.py:3: FutureWarning: this goes\n", "stderr"), "FutureWarning: this goes"),
        (stream("<Thing object at 0x7f00deadbeef>\n"), "0x7f00deadbeef"),
        (new_output("execute_result", {"text/plain": "[<Line2D at 0x7f00deadbeef>]"}), "plt.show()"),
    ],
)
def test_what_differs_from_run_to_run_fails_and_names_the_cell(shown, told, tmp_path, runs):
    path = store(good(), tmp_path)
    before = path.read_bytes()
    runs(shown)
    with pytest.raises(BookError, match=rf"{NAME}, cell 13 \(def clip_loss") as error:
        refresh(path)
    assert told in str(error.value)
    assert path.read_bytes() == before


def test_640x480_is_no_memory_address(tmp_path, runs):
    path = store(good(), tmp_path)
    runs(stream("a picture of 640x480, colour 0xff\n"))
    assert "cell 13" in refresh(path)[1]


def test_edits_made_while_it_ran_are_never_lost(tmp_path, runs):
    path = store(good(), tmp_path)
    runs(stream("1\n"), meanwhile=lambda: path.write_text("an author's edit"))
    with pytest.raises(BookError, match="edited while it ran"):
        refresh(path)
    assert path.read_text() == "an author's edit"


def test_outputs_lose_what_belongs_to_one_run_or_machine(tmp_path, runs):
    view = "application/vnd.jupyter.widget-view+json"
    widget = new_output("display_data", {view: {"model_id": "a1b2c3"}, "text/plain": "IntSlider()"})
    error = new_output("error", ename="ValueError", evalue="no", traceback=["File /home/ann/x.py:3"])
    path = store(good(), tmp_path)
    runs(stream("a"), stream("b\n"), widget, error)
    refresh(path)
    first, second, third = outputs(path, 13)
    assert first["text"] == ["ab\n"]
    assert second["data"][view] == {"model_id": "widget"}
    assert third["traceback"] == ["ValueError: no"]


def test_counts_are_those_of_one_run_and_empty_cells_have_none(tmp_path, runs):
    nb = good()
    nb.cells.insert(3, code("  \n", "core"))
    path = store(nb, tmp_path)
    runs(stream("1\n"))
    refresh(path)
    assert [cell.execution_count for _, cell in read_book(path).code] == [1, 2, None, 3, 4, 5, 6, 7]


def test_missing_and_doubled_cell_ids_are_mended_the_same_way_each_time(tmp_path, runs):
    nb = good()
    nb.cells[4]["id"] = nb.cells[3]["id"]
    del nb.cells[6]["id"]
    runs(stream("1\n"))
    ids = []
    for folder in "ab":
        path = store(nb, tmp_path / folder)
        refresh(path)
        ids.append([cell["id"] for cell in json.loads(path.read_text())["cells"]])
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 13
    assert ids[0][:4] == ["cell-1", "cell-2", "cell-3", "cell-4"]


def png(**about: str) -> bytes:
    from PIL import Image, PngImagePlugin

    info, buffer = PngImagePlugin.PngInfo(), io.BytesIO()
    for key, value in about.items():
        info.add_text(key, value)
    Image.new("RGBA", (3, 2), (10, 20, 30, 128)).save(buffer, "png", pnginfo=info, dpi=(72, 72))
    return buffer.getvalue()


def test_a_stored_png_says_neither_who_drew_it_nor_when():
    from PIL import Image

    stripped = strip_png(png(Software="Matplotlib 3.11.2", Date="2026-01-01"))
    assert stripped == strip_png(png(Software="Matplotlib 3.12.0"))
    assert b"Matplotlib" not in stripped
    assert Image.open(io.BytesIO(stripped)).getpixel((1, 1)) == (10, 20, 30, 128)
    assert strip_png(b"\xff\xd8 a jpeg") == b"\xff\xd8 a jpeg"


def test_a_stored_picture_is_stripped(tmp_path, runs):
    path = store(good(), tmp_path)
    picture = base64.b64encode(png(Software="Matplotlib 3.11.2")).decode()
    runs(new_output("display_data", {"image/png": picture}))
    refresh(path)
    assert b"Matplotlib" not in base64.b64decode(outputs(path, 13)[0]["data"]["image/png"])


def test_a_kernel_starts_with_nothing_of_its_user(tmp_path, monkeypatch):
    for name in ("LECTURE10_HOME", "LECTURE10_DEVICE", "LECTURE10_BUDGET", "JPY_SESSION_NAME"):
        monkeypatch.setenv(name, "mine")
    env = environment(tmp_path, cpu=True)
    assert "mine" not in env.values()
    wanted = {"LECTURE10_DEVICE": "cpu", "OMP_NUM_THREADS": "2", "PYTHONHASHSEED": "0", "HF_HUB_OFFLINE": "1"}
    assert {name: env[name] for name in wanted} == wanted
    assert Path(env["LECTURE10_HOME"]).is_relative_to(tmp_path)
    free = environment(tmp_path, cpu=False)
    assert free["LECTURE10_DEVICE"] == "mine" != free["LECTURE10_HOME"]
    assert os.environ["LECTURE10_HOME"] == "mine"


def test_unknown_mechanisms_are_told_with_their_cell_before_anything_runs(tmp_path, runs):
    nb = good()
    nb.cells[5].metadata.lecture10.source = ["lecture10.names:nearest", "lecture10.names:unknwon"]
    path = store(nb, tmp_path)
    runs(meanwhile=lambda: pytest.fail("it ran"))
    with pytest.raises(
        BookError, match=r"cell 6: there is no definition in lecture10\.names 'unknwon'; did you mean"
    ):
        refresh(path)


def test_a_full_disk_leaves_the_last_good_notebook(tmp_path, runs, monkeypatch):
    path = store(good(), tmp_path)
    before = path.read_bytes()
    runs(stream("new\n"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lecture10.files.os.fsync", full)
    with pytest.raises(OSError, match="the disk is full"):
        refresh(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]
