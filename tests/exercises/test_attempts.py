"""Every exercise of every notebook: right answers pass, plausible wrong ones break their property."""

import importlib.util
import itertools
import linecache
from pathlib import Path

import pytest

from lecture10.exercises import all_exercises, find, judge


def _attempts(kind: str) -> dict[str, list]:
    """RIGHT or WRONG of all `attempts_*.py` beside this file, by exercise."""
    found: dict[str, list] = {}
    for path in sorted(Path(__file__).parent.glob("attempts_*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found |= getattr(module, kind)
    return found


def run_cell(text: str, name: str):
    """What `name` is after a notebook cell with that text; its source can be found again."""
    cell, file = {}, f"<cell {next(CELLS)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    exec(compile(text, file, "exec"), cell)
    return cell[name]


CELLS = itertools.count()


def _label(attempt) -> str:
    return getattr(attempt, "__name__", str(attempt))


RIGHT, WRONG = _attempts("RIGHT"), _attempts("WRONG")
RIGHT_CASES = [pytest.param(n, a, id=f"{n}-{_label(a)}") for n, many in RIGHT.items() for a in many]
WRONG_CASES = [pytest.param(n, a, p, id=f"{n}-{_label(a)}") for n, many in WRONG.items() for a, p in many]


def test_every_exercise_is_proved_by_enough_attempts():
    for e in all_exercises():
        assert len(RIGHT.get(e.name, ())) >= 2, f"{e.name}: two right answers, written differently"
        wrong = WRONG.get(e.name, ())
        assert len(wrong) >= 4, f"{e.name}: four plausible wrong answers"
        names = {p.name for p in e.properties}
        assert len({broken for _, broken in wrong} & names) >= 3, f"{e.name}: wrong in three ways"
    assert set(RIGHT) == set(WRONG) == {e.name for e in all_exercises()}


def test_every_property_is_broken_by_some_wrong_answer():
    for e in all_exercises():
        broken = {name for _, name in WRONG[e.name]}
        assert not {p.name for p in e.properties} - broken, f"{e.name}: a property that no attempt breaks"


@pytest.mark.parametrize(("name", "attempt"), RIGHT_CASES)
def test_right_answers_pass(name, attempt):
    result = judge(find(name), attempt)
    assert result.passed, result.message


@pytest.mark.parametrize(("name", "attempt", "broken"), WRONG_CASES)
def test_wrong_answers_break_the_property(name, attempt, broken):
    result = judge(find(name), attempt)
    assert result.attempted
    assert not result.passed
    assert result.property == broken, result.message
    assert result.message.startswith(f"✗ {name}: ")


@pytest.mark.parametrize("e", all_exercises(), ids=lambda e: e.name)
def test_model_answers_pass_as_they_are_shown(e):
    shown = run_cell(e.answer, e.name)
    result = judge(e, shown if e.parameters else shown())
    assert result.passed, result.message
    assert e.teaches in result.message


@pytest.mark.parametrize("e", all_exercises(), ids=lambda e: e.name)
def test_stubs_count_as_not_attempted(e):
    result = judge(e, run_cell(e.stub, e.name))
    assert not result.passed
    assert not result.attempted, result.message
    assert e.title in result.message
    assert f"l10.check({e.name})" in e.cell or f'l10.check("{e.name}", {e.name})' in e.cell


@pytest.mark.parametrize("e", all_exercises(), ids=lambda e: e.name)
def test_hints_do_not_repeat_and_lines_fit_a_screen(e):
    assert len({h.lower() for h in e.hints}) == 3
    shown = [e.title, e.teaches, *e.hints, *(p.rule for p in e.properties), *e.stub.splitlines()]
    assert max(map(len, shown)) <= 110


def test_a_stub_with_a_bug_is_untouched_only_as_it_stands():
    e = find("generate_greedy")
    commented = e.stub.replace("    text, tokens", "    # the start\n    text, tokens").replace(
        "Continue", "Go on with"
    )
    assert not judge(e, run_cell(commented, e.name)).attempted
    renamed = judge(e, run_cell(e.stub.replace("best", "top"), e.name))
    assert renamed.attempted
    assert renamed.property == "positions go on"


def test_stubs_wait_in_a_real_notebook_cell_too(capsys, tmp_path, monkeypatch):
    """Every cell as it stands in the notebook, run by IPython, statement by statement."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    shell.run_cell("import lecture10 as l10")
    for e in all_exercises():
        assert shell.run_cell(e.cell).success
        assert f"· {e.name}: not attempted yet" in capsys.readouterr().out
    broken = "def prefix_mask(n_prefix, length):\n    x = length\n    return x[0]\n\n\nl10.check(prefix_mask)"
    assert shell.run_cell(broken).success
    assert "in line 3 of your function: return x[0]" in capsys.readouterr().out
