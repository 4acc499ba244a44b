"""Every exercise stands in its notebook, as the package has it, and none shows its own answer."""

import ast
import json

import pytest

from lecture10.exercises.shelf import asked
from lecture10.paths import notebooks_folder

IN_THE_WORKSHEET = {"gpt_parameters"}  # by hand; the worksheet names it


def code_cells(notebook):
    book = json.loads((notebooks_folder() / f"{notebook}.ipynb").read_text(encoding="utf-8"))
    return [
        ("".join(cell["source"]), cell["metadata"].get("tags", []))
        for cell in book["cells"]
        if cell["cell_type"] == "code"
    ]


@pytest.mark.parametrize("exercise", asked(), ids=lambda exercise: exercise.name)
def test_the_notebook_holds_the_exercise_as_the_package_has_it(exercise):
    cells = [source for source, tags in code_cells(exercise.notebook) if "exercise" in tags]
    holding = [
        source
        for source in cells
        if f"l10.check({exercise.name})" in source or f'"{exercise.name}"' in source
    ]
    if exercise.name in IN_THE_WORKSHEET:
        text = (notebooks_folder() / f"{exercise.notebook}.ipynb").read_text(encoding="utf-8")
        assert exercise.name in text
        return
    assert len(holding) == 1, f"{exercise.name}: put exercise.cell into {exercise.notebook}"
    here = [ast.dump(node) for node in ast.parse(holding[0]).body]
    assert all(ast.dump(node) in here for node in ast.parse(exercise.cell).body)


@pytest.mark.parametrize("exercise", asked(), ids=lambda exercise: exercise.name)
def test_no_cell_gives_the_answer_away(exercise):
    wanted = {ast.dump(node) for node in ast.parse(exercise.answer).body if isinstance(node, ast.FunctionDef)}
    for source, _ in code_cells(exercise.notebook):
        shown = {ast.dump(node) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)}
        assert wanted.isdisjoint(shown), exercise.name


@pytest.mark.parametrize("notebook", sorted({exercise.notebook for exercise in asked()}))
def test_every_exercise_cell_is_a_registered_exercise(notebook):
    names = [exercise.name for exercise in asked() if exercise.notebook == notebook]
    for source, tags in code_cells(notebook):
        if "exercise" in tags:
            assert any(f"l10.check({name})" in source or f'l10.check("{name}"' in source for name in names), (
                source
            )
