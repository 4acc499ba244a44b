"""`python -m lecture10 notebooks`: names, progress, failures that read well, exit codes."""

import json
from pathlib import Path

import pytest
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat.v4 import new_notebook, new_output
from specimen import NAME, code, good, store
from typer.testing import CliRunner

from lecture10 import paths
from lecture10.backstage import kernel
from lecture10.backstage.book import BookError, find_books, first_line, read_book
from lecture10.backstage.kernel import Ran
from lecture10.backstage.notebooks import app


def call(*words: object, folder: Path | None = None):
    extra = ["--folder", str(folder)] if folder else []
    return CliRunner().invoke(app, [*map(str, words), *extra])


def quick(book, *, progress, **_: object) -> Ran:
    """A run without a kernel: every code cell takes a second and shows nothing."""
    for number, cell in book.code:
        progress(number, cell, None)
        cell.outputs = []
        progress(number, cell, 1.0)
    return Ran(1.25, 640)


@pytest.fixture
def course(tmp_path) -> Path:
    """A folder with two notebooks."""
    store(good(), tmp_path, name="02_bert")
    return store(good(), tmp_path).parent


def test_a_failing_run_shows_cell_and_traceback_and_stores_nothing(tmp_path):
    cells = [
        code("x = 0", "core"),
        code("# divide\nprint('so far')\n1 / x", "core"),
        code("print('never')", "core"),
    ]
    path = store(new_notebook(cells=cells), tmp_path)
    before = path.read_bytes()
    done = call("run", folder=path.parent)
    assert done.exit_code == 1
    assert f"{NAME}, cell 2 (# divide) raised ZeroDivisionError: division by zero" in done.stderr
    assert "----> 3 1 / x" in done.stderr
    assert "\x1b" not in done.stderr
    assert "1 of 1 notebooks failed" in done.stderr
    assert "cell  1/3  x = 0" in done.stdout
    assert "never" not in done.output
    assert path.read_bytes() == before
    assert not list(tmp_path.rglob("*.part"))


def test_a_run_tells_every_cell_and_what_it_cost(course, monkeypatch):
    monkeypatch.setattr(kernel, "execute", quick)
    done = call("run", NAME, folder=course)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == NAME
    assert lines[1].split() == ["cell", "2/13", "import", "lecture10", "as", "l10", "1.0", "s"]
    assert lines[-1].strip() == "1.2 minutes, 640 MB at most"
    assert len(lines) == 2 + 7
    assert "02_bert" not in done.stdout


def test_one_failing_notebook_does_not_stop_the_others(course, monkeypatch):
    (course / "00_start_here.ipynb").write_text("{ a half-written file")
    monkeypatch.setattr(kernel, "execute", quick)
    done = call("run", folder=course)
    assert done.exit_code == 1
    assert done.stdout.count("1.2 minutes") == 2
    assert "00_start_here.ipynb is damaged" in done.stderr
    assert "git checkout" in done.stderr


def test_refresh_says_what_changed_and_check_fails_where_something_would(course, monkeypatch):
    monkeypatch.setattr("lecture10.backstage.refresh.execute", quick)
    assert call("refresh", NAME, "--check", folder=course).exit_code == 1
    assert "changed: cell 2" in call("refresh", NAME, folder=course).stdout
    again = call("refresh", NAME, folder=course)
    assert again.stdout.rstrip().endswith("unchanged")
    assert call("refresh", NAME, "--check", folder=course).exit_code == 0


@pytest.mark.parametrize("command", ["run", "refresh", "lint"])
def test_an_unknown_notebook_is_told_with_the_nearest(command, course):
    done = call(command, "02_brt", folder=course)
    assert done.exit_code == 2
    assert done.stderr.strip() == "there is no notebook '02_brt'; did you mean '02_bert'?"


def test_an_empty_folder_is_told(tmp_path):
    done = call("lint", folder=tmp_path)
    assert done.exit_code == 2
    assert "there are no notebooks in" in done.stderr


def test_lint_tells_its_findings_and_passes_without(tmp_path):
    path = store(good(), tmp_path)
    assert call("lint", folder=path.parent).exit_code == 0
    nb = good()
    nb.cells[10].outputs = [new_output("stream", name="stderr", text="old\n")]
    store(nb, tmp_path)
    done = call("lint", folder=path.parent)
    assert done.exit_code == 1
    assert done.stdout.startswith(f"{NAME}, cell 11: stderr is stored: cure the warning")
    (finding,) = json.loads(call("lint", "--json", folder=path.parent).stdout)
    assert {"notebook": NAME, "cell": 11, "rule": "stderr"}.items() <= finding.items()


def test_lint_as_json_is_a_list_even_without_findings(tmp_path):
    done = call("lint", "--json", folder=store(good(), tmp_path).parent)
    assert (done.exit_code, json.loads(done.stdout)) == (0, [])


def test_names_may_carry_folder_and_ending(course):
    wanted = [course / "02_bert.ipynb", course / f"{NAME}.ipynb"]
    assert find_books(["notebooks/02_bert.ipynb", NAME, "02_bert"], course) == wanted
    assert find_books(None, course) == sorted(wanted)


def test_the_notebooks_are_found_in_a_checkout_and_in_a_wheel(tmp_path, monkeypatch):
    checkout, package = tmp_path / "checkout", tmp_path / "site" / "lecture10"
    monkeypatch.setattr(paths, "CHECKOUT", checkout)
    monkeypatch.setattr(paths, "PACKAGE", package)
    with pytest.raises(FileNotFoundError, match="pip install --force-reinstall"):
        paths.notebooks_folder()
    (package / "notebooks").mkdir(parents=True)
    assert paths.notebooks_folder() == package / "notebooks"
    for name in ("data", "notebooks"):
        (checkout / name).mkdir(parents=True)
    (checkout / "pyproject.toml").touch()
    assert paths.notebooks_folder() == checkout / "notebooks"


@pytest.mark.parametrize(
    ("error", "told"),
    [(CellTimeoutError("slow"), "took longer than 5 s"), (DeadKernelError("gone"), "killed the kernel")],
)
def test_a_slow_or_deadly_cell_is_told_with_a_cure(error, told, tmp_path):
    book = read_book(store(good(), tmp_path))
    with (
        pytest.raises(BookError, match=rf"cell 8 \(loss = 1.25\) {told}.*: "),
        kernel._told(book, 8, book.nb.cells[7], 5),
    ):
        raise error


def test_a_kernel_that_does_not_start_is_told(tmp_path, monkeypatch):
    def setup_kernel(*_: object, **__: object) -> None:
        raise RuntimeError("Kernel died before replying to kernel_info")

    monkeypatch.setattr(kernel.NotebookClient, "setup_kernel", setup_kernel)
    with pytest.raises(BookError, match=r"no kernel could be started for 01_small .*doctor"):
        kernel.execute(read_book(store(good(), tmp_path)))


def test_a_missing_notebook_is_told(tmp_path):
    with pytest.raises(BookError, match=r"03_gpt3\.ipynb cannot be read"):
        read_book(tmp_path / "03_gpt3.ipynb")


def test_the_first_line_says_something_and_is_short():
    assert first_line("\n\n  x = 1\ny = 2") == "x = 1"
    assert first_line("y" * 100) == "y" * 59 + "…"
    assert first_line(" \n") == "(empty)"
