"""The command line: quick, kind about mistakes, and honest about defects."""

import errno
import subprocess
import sys
import time
import types

import pytest

from lecture10.backstage import cli


def give(monkeypatch, function, name="measure"):
    """Put a command of the test's own in the place of a real one."""
    module = types.ModuleType("pretended")
    module.command = function
    monkeypatch.setitem(sys.modules, "pretended", module)
    monkeypatch.setitem(cli.COMMANDS, name, ("pretended", "command", "A pretended command."))


def raising(error):
    def command() -> None:
        raise error

    return command


def test_help_names_every_command_and_loads_none():
    code = (
        "import sys; from lecture10.backstage.cli import main; code = main(['--help']); "
        "rooms = ['lecture10.backstage.' + name for name in ('doctor', 'notebooks', 'measure', 'report')]; "
        "loaded = [m for m in ('torch', 'nbclient', 'pandas', *rooms) if m in sys.modules]; "
        "print(loaded, code)"
    )
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[] 0", done.stdout + done.stderr
    assert all(command in done.stdout for command in cli.COMMANDS)
    assert time.perf_counter() - start < 10


def test_without_a_command_it_helps(capsys):
    assert cli.main([]) == 0
    assert "doctor" in capsys.readouterr().out


def test_an_unknown_command_suggests_the_nearest(capsys):
    assert cli.main(["docter"]) == 2
    told = capsys.readouterr().err
    assert "did you mean 'doctor'?" in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("the seed is -1; it starts at 0"), "the seed is -1; it starts at 0"),
        (
            KeyError("there is no claim 'gpt'; did you mean 'gpt1'?"),
            "there is no claim 'gpt'; did you mean 'gpt1'?",
        ),
        (FileNotFoundError("the course has no data file 'x'"), "the course has no data file 'x'"),
        (OSError(errno.ENOSPC, "the disk is full", "/somewhere"), "the disk is full: /somewhere"),
        (ModuleNotFoundError("No module named 'nbclient'", name="nbclient"), "nbclient is not installed."),
        (KeyError("bear"), "KeyError: bear (--debug shows where)"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_an_expected_error_is_one_sentence_and_exit_code_2(monkeypatch, capsys, error, told):
    give(monkeypatch, raising(error))
    assert cli.main(["measure"]) == 2
    err = capsys.readouterr().err
    assert err.startswith(told)
    assert len(err.splitlines()) == 1


def test_debug_shows_the_traceback(monkeypatch):
    give(monkeypatch, raising(ValueError("some sentence")))
    with pytest.raises(ValueError, match="some sentence"):
        cli.main(["measure", "--debug"])


def test_a_defect_is_not_hidden(monkeypatch):
    give(monkeypatch, raising(AttributeError("'NoneType' object has no attribute 'shape'")))
    with pytest.raises(AttributeError):
        cli.main(["measure"])


def test_a_commands_own_exit_code_is_kept(monkeypatch):
    import typer

    give(monkeypatch, raising(typer.Exit(1)))
    assert cli.main(["measure"]) == 1
    give(monkeypatch, raising(KeyboardInterrupt()))
    assert cli.main(["measure"]) == 130


def test_options_reach_the_command(monkeypatch, capsys):
    def command(name: str, seeds: int = 5) -> None:
        print(name, seeds)

    give(monkeypatch, command)
    assert cli.main(["measure", "gpt1.context", "--seeds", "3"]) == 0
    assert capsys.readouterr().out == "gpt1.context 3\n"
    assert cli.main(["measure", "gpt1.context", "--sedes", "3"]) == 2


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_real_command_can_be_mounted(command, capsys):
    assert cli.main([command, "--help"]) == 0
    assert "Usage" in capsys.readouterr().out


def test_the_module_runs():
    done = subprocess.run(
        [sys.executable, "-m", "lecture10", "mesure"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr.strip().startswith("there is no command 'mesure'; did you mean 'measure'?")
