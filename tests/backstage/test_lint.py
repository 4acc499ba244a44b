"""Each lint rule catches the notebook that breaks it, and lets the good one pass."""

import base64
import json
import shutil
from pathlib import Path

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_output
from specimen import NAME, code, good, markdown, printed, store

from lecture10.backstage.lint import RULES, lint, lint_all
from lecture10.backstage.lint_book import word_count
from lecture10.backstage.lint_cells import paths_in, remote
from lecture10.paths import notebooks_folder

BIG = base64.b64encode(bytes(50 * 1024)).decode()


def tagged(nb: NotebookNode, number: int, *tags: str) -> None:
    nb.cells[number - 1].metadata.tags = list(tags)


def source(nb: NotebookNode, number: int, text: str) -> None:
    nb.cells[number - 1].source = text


def shows(nb: NotebookNode, number: int, *outputs: NotebookNode) -> None:
    nb.cells[number - 1].outputs = list(outputs)


def html(text: str) -> NotebookNode:
    return new_output("display_data", {"text/html": text})


def picture(data: str, kind: str = "image/png") -> NotebookNode:
    return new_output("display_data", {kind: data})


def error(name: str) -> NotebookNode:
    return new_output("error", ename=name, evalue="no", traceback=[])


def insert(nb: NotebookNode, before: int, *cells: NotebookNode) -> None:
    nb.cells[before - 1 : before - 1] = cells
    for count, cell in enumerate((c for c in nb.cells if c.cell_type == "code"), start=1):
        cell.execution_count = count


def about(nb: NotebookNode, **values: object) -> None:
    nb.metadata.lecture10.update(values)


# (the rule, the cell it names, what breaks it)
BREAKS = [
    ("parts", None, lambda nb: tagged(nb, 4, "class")),
    ("parts", None, lambda nb: (tagged(nb, 4, "class", "part-3"), tagged(nb, 5, "core", "part-2"))),
    ("parts", 4, lambda nb: source(nb, 4, "What will happen?")),
    ("first-code", None, lambda nb: insert(nb, 2, markdown("One.", "core"), markdown("Two.", "core"))),
    ("first-code", 2, lambda nb: source(nb, 2, 'import lecture10 as l10\nl10.begin("02_bert")')),
    ("first-code", 2, lambda nb: source(nb, 2, f'import lecture10 as l10\nl10.begin("{NAME}")\nx = 1')),
    ("first-code", 2, lambda nb: source(nb, 2, f'import lecture10\nlecture10.begin("{NAME}")')),
    ("picture", None, lambda nb: (source(nb, 3, "x = 1"), shows(nb, 3))),
    ("cell-count", None, lambda nb: insert(nb, 8, *[markdown("More.", "more") for _ in range(25)])),
    ("words", None, lambda nb: source(nb, 4, "## Predict\n\n" + "many words " * 850)),
    ("prose", 10, lambda nb: insert(nb, 10, code("x = 1", "core"), code("y = 1", "core"))),
    ("ignored-share", None, lambda nb: [tagged(nb, n, "more", "nbval-ignore-output") for n in (11, 13)]),
    ("ignored-share", None, lambda nb: [source(nb, n, "# NBVAL_IGNORE_OUTPUT\nx = 1") for n in (11, 13)]),
    ("identity", None, lambda nb: about(nb, name="02_bert")),
    ("identity", None, lambda nb: about(nb, version="0.0.9")),
    ("identity", None, lambda nb: nb.cells[3].update(id="cell-1")),
    ("identity", None, lambda nb: nb.metadata.update(widgets={})),
    ("minutes", None, lambda nb: source(nb, 1, "# A small system\n\nIt takes a minute.")),
    ("minutes", None, lambda nb: (source(nb, 1, "# A\n\n**Minutes:** 2 or so"), about(nb, minutes=2.0))),
    ("minutes", None, lambda nb: about(nb, minutes=1.2)),
    ("file-size", None, lambda nb: source(nb, 4, "## Predict\n\n" + "." * 1_600_000)),
    ("levels", 4, lambda nb: tagged(nb, 4, "part-2")),
    ("levels", 4, lambda nb: tagged(nb, 4, "part-2", "class", "core")),
    ("levels", 8, lambda nb: nb.cells[7].metadata.tags.append("nbval-ignore-ouput")),
    ("cell-length", 11, lambda nb: source(nb, 11, "x = 1\n" * 41)),
    ("plain-python", 11, lambda nb: source(nb, 11, "%timeit 1 + 1")),
    ("plain-python", 11, lambda nb: source(nb, 11, "files = !ls")),
    ("plain-python", 11, lambda nb: source(nb, 11, "print?")),
    ("plain-python", 11, lambda nb: source(nb, 11, "for x in [1]:")),
    ("plain-python", 11, lambda nb: source(nb, 11, "print(1);")),
    ("plain-python", 11, lambda nb: source(nb, 11, "print(1);  # quiet")),
    ("steady-output", 11, lambda nb: source(nb, 11, "import ipywidgets\nipywidgets.interact(print, x=1)")),
    ("steady-output", 11, lambda nb: source(nb, 11, "clear_output(wait=True)")),
    ("steady-output", 11, lambda nb: source(nb, 11, "with Output():\n    print(1)")),
    ("mechanism", 6, lambda nb: source(nb, 6, nb.cells[5].source.replace("0.5", "0.6"))),
    ("mechanism", 6, lambda nb: source(nb, 6, nb.cells[5].source.replace("best first", "in any order"))),
    ("mechanism", 6, lambda nb: source(nb, 6, nb.cells[5].source.replace("import difflib\n", ""))),
    ("mechanism", 6, lambda nb: nb.cells[5].metadata.lecture10.update(source="lecture10.names:nearst")),
    ("mechanism", 6, lambda nb: nb.cells[5].metadata.pop("lecture10")),
    ("training-assert", 8, lambda nb: source(nb, 9, "print(loss)")),
    ("training-assert", 8, lambda nb: source(nb, 9, 'assert True, "always"')),
    ("training-assert", 8, lambda nb: tagged(nb, 8, "core", "training")),
    ("remote-images", 4, lambda nb: source(nb, 4, "## P\n\n![a cat](https://example.org/cat.png)")),
    ("remote-images", 4, lambda nb: source(nb, 4, '## P\n\n<img width="3" src="//example.org/cat.png">')),
    ("remote-images", 4, lambda nb: source(nb, 4, "## P\n\n![cat][c]\n\n[c]: https://example.org/cat.png")),
    ("remote-images", 11, lambda nb: source(nb, 11, 'Image(url="https://example.org/cat.png")')),
    ("absolute-paths", 11, lambda nb: source(nb, 11, 'open("/home/ann/notes.txt")')),
    ("absolute-paths", 4, lambda nb: source(nb, 4, "## P\n\nSee C:\\Users\\ann\\notes.txt")),
    ("counts", 3, lambda nb: nb.cells[2].update(execution_count=7)),
    ("counts", 2, lambda nb: [cell.update(execution_count=None) for cell in nb.cells if "outputs" in cell]),
    ("stored-errors", 11, lambda nb: shows(nb, 11, error("ValueError"))),
    ("stored-errors", 11, lambda nb: tagged(nb, 11, "core", "raises-exception")),
    ("stored-errors", 13, lambda nb: shows(nb, 13, printed("✗ NotImplementedError: write me\n"))),
    ("stderr", 11, lambda nb: shows(nb, 11, new_output("stream", name="stderr", text="UserWarning: old\n"))),
    ("machine-traces", 11, lambda nb: shows(nb, 11, printed("saved to /home/ann/x.png\n"))),
    ("machine-traces", 11, lambda nb: shows(nb, 11, printed("<Thing at 0x7f01a2b3c4d5>\n"))),
    ("machine-traces", 11, lambda nb: shows(nb, 11, html('<script src="https://x.org/a.js"></script>'))),
    ("picture-size", 3, lambda nb: shows(nb, 3, picture(BIG))),
    ("picture-size", 3, lambda nb: shows(nb, 3, picture(BIG, "image/jpeg"))),
    ("picture-size", 11, lambda nb: shows(nb, 11, html(f'<img src="data:image/png;base64,{BIG}">'))),
    ("picture-size", 4, lambda nb: nb.cells[3].update(attachments={"a.png": {"image/png": BIG}})),
    ("picture-missing", 11, lambda nb: source(nb, 11, "fig, ax = l10.figure()\nl10.show(fig, alt='a')")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "cell", "broken"), BREAKS, ids=[f"{n}-{rule}" for n, (rule, _, _) in enumerate(BREAKS)]
)
def test_a_rule_names_the_cell_that_breaks_it_and_no_other_rule_complains(rule, cell, broken, tmp_path):
    nb = good()
    broken(nb)
    found = lint(store(nb, tmp_path))
    assert {finding.rule for finding in found} == {rule}
    assert cell in [finding.cell for finding in found]
    assert all(finding.notebook == NAME and len(finding.says) > 20 for finding in found)


def test_every_rule_has_a_notebook_that_breaks_it():
    assert set(RULES) - {rule for rule, _, _ in BREAKS} == {"stale"}  # the one below


def test_the_good_notebook_passes(tmp_path):
    assert lint(store(good(), tmp_path)) == []


MEASURED = {
    "minutes": [{"minutes": 1.6}, {"minutes": 0.4}, {"minutes": 2.5}, {"peak_mb": 3000}],
    "stale": [{"code": "0123456789abcdef"}],
}


@pytest.mark.parametrize(
    ("rule", "cost"), [(rule, cost) for rule, costs in MEASURED.items() for cost in costs]
)
def test_what_was_measured_is_held_against_what_is_stated(rule, cost, tmp_path):
    assert {finding.rule for finding in lint(store(good(), tmp_path, **cost))} == {rule}


@pytest.mark.parametrize("measured", [0.7, 1.0, 1.49])
def test_minutes_within_one_and_a_half_are_well_stated(measured, tmp_path):
    assert lint(store(good(), tmp_path, minutes=measured)) == []


def test_a_notebook_that_was_never_measured_is_told(tmp_path):
    path = store(good(), tmp_path)
    (tmp_path / "data/results/notebooks.json").unlink()
    assert ["never measured" in finding.says for finding in lint(path)] == [True]


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"nbformat": 3}', '{"nbformat": 4, "cells": [{}]}', "\udcff"]
)
def test_a_damaged_notebook_is_a_finding_with_a_cure(text, tmp_path):
    path = tmp_path / "01_small.ipynb"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    (finding,) = lint(path)
    assert finding.rule == "readable"
    assert "git checkout" in finding.says


def test_the_first_and_last_notebook_have_a_form_of_their_own(tmp_path):
    nb = json.loads(json.dumps(good()).replace(NAME, "16_quiz").replace("part-", "nbval-check-output-")[:])
    for cell in nb["cells"]:
        cell["metadata"]["tags"] = [t for t in cell["metadata"]["tags"] if "check-output" not in t]
    assert lint(store(nb, tmp_path, name="16_quiz")) == []
    assert {f.rule for f in lint(store(nb, tmp_path, name="02_bert"))} >= {"parts", "identity", "first-code"}


def test_all_notebooks_together_take_no_more_than_the_course_has(tmp_path):
    paths = [store(good(), tmp_path, minutes=1.0)]
    assert lint_all(paths) == []
    costs = {f"{n:02}": {"minutes": 1.9, "peak_mb": 1, "code": ""} for n in range(11)}
    (tmp_path / "data/results/notebooks.json").write_text(json.dumps(costs))
    rules = [
        finding.rule for finding in lint_all([Path(tmp_path, "notebooks", f"{name}.ipynb") for name in costs])
    ]
    assert rules[-1] == "all-minutes"


def test_a_slide_called_written_needs_its_part(tmp_path):
    for path in notebooks_folder().glob("*.ipynb"):
        shutil.copy(path, tmp_path)
    paths = sorted(tmp_path.glob("*.ipynb"))
    assert "slides" not in {finding.rule for finding in lint_all(paths)}
    gpt1 = tmp_path / "01_gpt1.ipynb"
    gpt1.write_text(gpt1.read_text(encoding="utf-8").replace('"part-3"', '"core"'), encoding="utf-8")
    (first, *_) = [finding.says for finding in lint_all(paths) if finding.rule == "slides"]
    assert "part-3" in first
    assert "slides" not in {finding.rule for finding in lint_all([gpt1])}  # one alone is not the course


def test_words_are_those_a_learner_has_to_read():
    folded = "Two words. <details><summary>Answer</summary>hidden</details> $x_i = y$\n```\ncode here\n```"
    assert word_count(folded) == 2
    assert word_count("[a link](https://example.org/many-words-here) <b>bold</b>") == 3


def test_a_picture_is_asked_for_only_where_one_is_drawn(tmp_path):
    nb = good()
    nb.cells[10].source = "def later():\n    plt.show()\n\n\nquiz.show()\nprint('78.1 ± 2.4')"
    assert lint(store(nb, tmp_path)) == []


FINE = [
    "see https://example.org/home/ann", "notebooks/01_gpt1.ipynb", "~/.lecture10/progress", "5 km/h/s",
    "<td></td>", "data/papers/x.csv", "and/or", "1/2/3", "../data/x", "a // b", "2024/05/06",
    '<img src="data:image/png;base64,/ab/cd">',
]  # fmt: skip
TRACES = [
    "/home/ann/x",
    "in '/var/a.b/c'",
    "(/Users/ann/x)",
    "=/opt/x/y",
    "D:\\data\\x",
    "file:///x/y",
    "/usr/lib/x.so",
]


def test_paths_of_one_machine_are_told_from_links_and_relative_paths():
    assert [text for text in FINE if list(paths_in(text))] == []
    assert [text for text in TRACES if not list(paths_in(text))] == []


def test_links_are_not_pictures():
    assert not remote(
        "[the paper](https://arxiv.org/abs/1706) and ![ours](figures/a.png) and <a href='https://x.org'>"
    )
    assert not remote("![data](data:image/png;base64,iVBO//8=) [c]: https://example.org")
    assert remote("<div style=\"background: url('https://x.org/a.png')\">")
