"""A small notebook in perfect form, for the tests to break."""

import base64
import json
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import lecture10
from lecture10.backstage.book import read_book
from lecture10.backstage.mechanism import definition

NAME = "01_small"
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(200)).decode()
BEGIN = f'import lecture10 as l10\n\nl10.begin("{NAME}")'
DRAW = "import matplotlib.pyplot as plt\n\nplt.plot([1, 2, 3])\nplt.show()"
TITLE = "# A small system\n\nIt answers a question of its time.\n\n**Minutes:** about 1 on two cores"


def markdown(source: str, *tags: str) -> nbformat.NotebookNode:
    return new_markdown_cell(source, metadata={"tags": list(tags)})


def code(text: str, *tags: str, out: list | None = None, **about: Any) -> nbformat.NotebookNode:
    metadata = {"tags": list(tags)} | ({"lecture10": about} if about else {})
    return new_code_cell(text, metadata=metadata, outputs=out or [])


def printed(text: str) -> nbformat.NotebookNode:
    return new_output("stream", name="stdout", text=text)


def good() -> nbformat.NotebookNode:
    """13 cells; cells 2, 3, 6, 8, 9, 11 and 13 (counted from 1) are code."""
    drawn = new_output("display_data", {"image/png": PNG, "text/plain": "<Figure>"})
    cells = [
        markdown(TITLE, "class", "part-1"),
        code(BEGIN, "class", out=[printed(f"{NAME} · seed 0\n")]),
        code(DRAW, "class", out=[drawn]),
        markdown("## Predict\n\nWhat will happen?", "class", "part-2"),
        markdown("## The mechanism\n\nIts equation, in words.", "core", "part-3"),
        code(
            "from collections.abc import Iterable\nimport difflib\n\n\n"
            + definition("lecture10.names:nearest"),
            "core",
            "mechanism",
            source="lecture10.names:nearest",
            imports=["from collections.abc import Iterable", "import difflib"],
        ),
        markdown("## Train and look\n\nLive, in a few steps.", "core", "part-4"),
        code("loss = 1.25", "core", "training", "nbval-ignore-output"),
        code("assert loss < 2", "core"),
        markdown("## The slide's table\n\nThe paper beside ours.", "core", "part-5"),
        code('print("78.1 ± 2.4")', "core", out=[printed("78.1 ± 2.4\n")]),
        markdown("## Exercises\n\nYour turn.", "more", "part-6"),
        code("def clip_loss():\n    ...", "more", "exercise"),
    ]
    count = 0
    for number, cell in enumerate(cells, start=1):
        cell["id"] = f"cell-{number}"
        if cell.cell_type == "code":
            count += 1
            cell["execution_count"] = count
    about = {"name": NAME, "version": lecture10.__version__, "minutes": 1.0}
    return new_notebook(cells=cells, metadata={"lecture10": about})


def store(nb: nbformat.NotebookNode, root: Path, name: str = NAME, **measured: Any) -> Path:
    """Write a notebook to root/notebooks and what it cost to root/data/results; returns its path."""
    path = root / "notebooks" / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(nb), encoding="utf-8")
    record = {name: {"code": read_book(path).code_hash(), "minutes": 1.1, "peak_mb": 600} | measured}
    costs = root / "data" / "results" / "notebooks.json"
    costs.parent.mkdir(parents=True, exist_ok=True)
    costs.write_text(json.dumps(record), encoding="utf-8")
    return path
