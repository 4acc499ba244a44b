"""The command line: `python -m lecture10 COMMAND`. A command's module is loaded only when it is called."""

import importlib
import sys
from collections.abc import Sequence

import typer

from lecture10.names import unknown

# command: (module, attribute, what `--help` says). A typer.Typer becomes a group, a function a command.
ROOM = "lecture10.backstage"
COMMANDS = {
    "doctor": (f"{ROOM}.doctor", "doctor", "Is this machine ready for the course? One screen."),
    "notebooks": (f"{ROOM}.notebooks", "app", "Run, refresh or lint the notebooks."),
    "measure": (f"{ROOM}.measure", "measure", "Measure a claim: its experiment over some seeds."),
    "report": (f"{ROOM}.report", "report", "Every claim: the paper's figure, ours, the verdict."),
}
EXPECTED = (ValueError, KeyError, OSError, ImportError)  # told in a sentence; others are defects


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 well, 1 the command's own no, 2 a mistake.

    argv: the words after the program's name (default: sys.argv[1:]). A mistake is told in a
    sentence; `--debug`, anywhere among the words, shows its traceback.
    """
    for stream in (sys.stdout, sys.stderr):  # a console that knows no ✓ shows a ? instead of failing
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    words = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    named = next((word for word in words if not word.startswith("-")), None)
    if named is not None and named not in COMMANDS:
        return _told(f"{unknown('command', named, COMMANDS)} (all of them: python -m lecture10 --help)")
    try:
        _application(named)(words or ["--help"], prog_name="python -m lecture10")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    except KeyboardInterrupt:
        return _told("stopped", code=130)
    except EXPECTED as error:
        if debug:
            raise
        return _told(sentence(error))
    return 0


def _application(named: str | None) -> typer.Typer:
    app = typer.Typer(
        help="Lecture 10, runnable: from GPT-1 to DALL-E 3.  --debug shows where a mistake comes from.",
        add_completion=False,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
    )
    app.callback()(_nothing)  # keeps a single command a group
    for command, (module, attribute, about) in COMMANDS.items():
        if command != named:
            app.command(command, help=about)(_nothing)  # a line in --help, which loads nothing
            continue
        found = getattr(importlib.import_module(module), attribute)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=command, help=about)
        else:
            app.command(command, help=about)(found)
    return app


def _nothing() -> None:
    return None


def sentence(error: Exception) -> str:
    """An expected error as one sentence, without a traceback."""
    if isinstance(error, ModuleNotFoundError) and error.name and not error.name.startswith("lecture10"):
        return f"{error.name} is not installed. The whole course needs: pip install -e '.[course,test]'"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    return text if " " in text.strip() else f"{type(error).__name__}: {text} (--debug shows where)"


def _told(text: str, code: int = 2) -> int:
    print(text, file=sys.stderr)
    return code
