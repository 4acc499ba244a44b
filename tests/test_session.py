"""`begin`: seeds, device, look, and the comparison of versions between a notebook and the package."""

import json
import random

import numpy as np
import pytest
import torch

import lecture10
from lecture10.session import Session, begin, handshake, opened_notebook, sow


def notebook(folder, name="01_gpt1", version=lecture10.__version__, **about):
    """A notebook file that says it was made for `version` (None: it says nothing)."""
    about = {"name": name, **about} | ({"version": version} if version is not None else {})
    path = folder / f"{name}.ipynb"
    path.write_text(
        json.dumps({"cells": [], "metadata": {"lecture10": about}, "nbformat": 4, "nbformat_minor": 5})
    )
    return path


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A learner's folder with one notebook that fits."""
    notebook(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def draws():
    return random.random(), float(np.random.rand()), float(torch.rand(()))  # noqa: NPY002


def test_begin_seeds_all_three_generators(here):
    begin("01_gpt1", seed=3)
    first = draws()
    begin("01_gpt1", seed=3)
    again = draws()
    begin("01_gpt1", seed=4)
    assert first == again
    assert all(a != b for a, b in zip(first, draws(), strict=True))


def test_the_line_is_the_same_on_every_cpu(here, capsys):
    session = begin("01_gpt1")
    assert capsys.readouterr().out == f"01_gpt1 · lecture10 {lecture10.__version__} · seed 0\n"
    assert session == Session("01_gpt1", torch.device("cpu"), 0, "laptop")


def test_the_line_names_what_is_unusual(here, capsys, monkeypatch):
    monkeypatch.setenv("LECTURE10_BUDGET", "smoke")
    begin("01_gpt1", seed=7)
    assert capsys.readouterr().out.endswith("seed 7 · smoke\n")
    assert str(Session("01_gpt1", torch.device("cuda"), 0, "gpu")).endswith("seed 0 · cuda · gpu")


def test_begin_as_the_last_line_of_a_cell_is_not_printed_twice(here):
    formatter = pytest.importorskip("IPython.core.formatters").DisplayFormatter()
    assert formatter.format(begin("01_gpt1")) == ({}, {})


def test_pictures_get_the_courses_look(here):
    import matplotlib

    matplotlib.rcParams["lines.linewidth"] = 0.5
    begin("01_gpt1")
    assert matplotlib.rcParams["lines.linewidth"] == 2.5


@pytest.mark.parametrize(
    ("made_for", "says"), [("0.0.9", "was made for lecture10 0.0.9"), (None, "does not say")]
)
def test_another_version_is_told_with_the_cure_and_stops_nothing(here, capsys, made_for, says):
    notebook(here, version=made_for)
    assert begin("01_gpt1").name == "01_gpt1"
    told = capsys.readouterr().out.splitlines()[1]
    assert told.startswith("! 01_gpt1.ipynb")
    assert says in told
    assert "git pull && make setup" in told


def test_in_a_wheel_the_cure_is_another(here, monkeypatch):
    notebook(here, version="9.9")
    monkeypatch.setattr("lecture10.session.in_checkout", lambda: False)
    assert "pip install --upgrade lecture10" in handshake("01_gpt1")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"metadata": []}', '{"metadata": {"lecture10": 3}}'])
def test_a_damaged_notebook_never_raises(here, text):
    (here / "01_gpt1.ipynb").write_text(text)
    assert "does not say which version" in handshake("01_gpt1")


def test_no_file_nothing_to_compare(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert handshake("01_gpt1") is None


def test_the_file_that_jupyter_opened_comes_first(here, tmp_path_factory, monkeypatch):
    """A renamed copy in another folder: Jupyter's own word counts, but only for this notebook."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    copy = notebook(elsewhere, version="0.0.1").rename(elsewhere / "01_gpt1-Copy1.ipynb")
    monkeypatch.setenv("JPY_SESSION_NAME", str(copy))
    assert opened_notebook("01_gpt1") == copy
    assert "01_gpt1-Copy1.ipynb was made for lecture10 0.0.1" in handshake("01_gpt1")
    monkeypatch.setenv("JPY_SESSION_NAME", str(notebook(elsewhere, "02_bert")))
    assert opened_notebook("01_gpt1") == here / "01_gpt1.ipynb"


def test_an_unknown_notebook_suggests_the_nearest(tmp_path, monkeypatch):
    folder = tmp_path / "course"
    folder.mkdir()
    notebook(folder)
    monkeypatch.setattr("lecture10.session.notebooks_folder", lambda: folder)
    monkeypatch.chdir(tmp_path)
    assert begin("01_gpt1").name == "01_gpt1", "any folder will do"
    with pytest.raises(ValueError, match="no notebook '01_gtp1'; did you mean '01_gpt1'"):
        begin("01_gtp1")


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "0", True])
def test_a_seed_that_is_none_is_refused(here, seed):
    with pytest.raises(ValueError, match="the seed is a whole number"):
        begin("01_gpt1", seed=seed)


def test_a_name_that_is_no_text_is_refused():
    with pytest.raises(ValueError, match="give the notebook's name"):
        begin(1)


def test_cuda_without_a_gpu_is_told_with_the_cure(here, monkeypatch):
    monkeypatch.setenv("LECTURE10_DEVICE", "cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="Set LECTURE10_DEVICE="):
        begin("01_gpt1")


def test_an_unknown_budget_suggests_the_nearest(here, monkeypatch):
    monkeypatch.setenv("LECTURE10_BUDGET", "labtop")
    with pytest.raises(ValueError, match="did you mean 'laptop'"):
        begin("01_gpt1")


def test_sow_accepts_the_largest_seed():
    sow(2**32 - 1)
    assert torch.initial_seed() == 2**32 - 1
