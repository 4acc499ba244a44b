"""`python -m lecture10 notebooks run|refresh|lint [NAME…]`: run, stored anew, held to their form.

nbval then holds the stored outputs against fresh ones, in strict mode (`make test` does it):

    pytest --nbval --nbval-current-env --nbval-cell-timeout=180 \\
        --nbval-sanitize-with tests/nbval_sanitize.cfg notebooks
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from lecture10.backstage.kernel import Progress

app = typer.Typer(
    no_args_is_help=True, help="Run the notebooks, store their outputs anew, or lint their form."
)

Names = Annotated[list[str] | None, typer.Argument(help="Notebooks, such as 01_gpt1; none: all of them.")]
Folder = Annotated[Path | None, typer.Option(help="Where the notebooks are; default: the course's own.")]
Timeout = Annotated[float, typer.Option(help="Seconds that one cell may take.")]


@app.command()
def run(names: Names = None, folder: Folder = None, timeout: Timeout = 180) -> None:
    """Run notebooks headless, with a line per cell; nothing is stored."""
    from lecture10.backstage.book import read_book
    from lecture10.backstage.kernel import execute

    def one(path: Path, progress: "Progress") -> str:
        ran = execute(read_book(path), timeout=timeout, progress=progress)
        return f"{ran.minutes:.1f} minutes, {ran.peak_mb} MB at most"

    _each(_paths(names, folder), one)


@app.command()
def refresh(
    names: Names = None,
    folder: Folder = None,
    timeout: Timeout = 180,
    check: Annotated[
        bool, typer.Option("--check", help="Only say what would change; fail if anything would.")
    ] = False,
) -> None:
    """Run notebooks on the CPU and store their outputs and mechanism cells; done twice, nothing changes."""
    from lecture10.backstage.refresh import refresh as refresh_one

    stale = []

    def one(path: Path, progress: "Progress") -> str:
        ran, changed = refresh_one(path, timeout=timeout, progress=progress, write=not check)
        stale.extend([path.stem] if changed else [])
        said = f"{'would change' if check else 'changed'}: {', '.join(changed)}" if changed else "unchanged"
        return f"{ran.minutes:.1f} minutes, {ran.peak_mb} MB at most; {said}"

    _each(_paths(names, folder), one)
    if check and stale:
        typer.echo(f"not up to date: run python -m lecture10 notebooks refresh {' '.join(stale)}", err=True)
        raise typer.Exit(1)


@app.command()
def lint(
    names: Names = None,
    folder: Folder = None,
    as_json: Annotated[bool, typer.Option("--json", help="Findings as a JSON list.")] = False,
) -> None:
    """Hold the stored notebooks against the form of the course; fail with any finding."""
    from lecture10.backstage.lint import lint_all

    paths = _paths(names, folder)
    findings = lint_all(paths)
    if as_json:
        typer.echo(json.dumps([finding.as_dict() for finding in findings], indent=1, ensure_ascii=False))
    else:
        for finding in findings:
            typer.echo(str(finding))
        typer.echo(f"{len(paths)} notebooks, {len(findings)} findings", err=True)
    if findings:
        raise typer.Exit(1)


def _paths(names: list[str] | None, folder: Path | None) -> list[Path]:
    from lecture10.backstage.book import BookError, find_books

    try:
        return find_books(names, folder)
    except (BookError, FileNotFoundError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


def _each(paths: list[Path], one: Callable[[Path, "Progress"], str]) -> None:
    """Do one thing to every notebook and tell how it goes; go on after a failure, then exit 1."""
    from lecture10.backstage.book import BookError, read_book

    failed = []
    for path in paths:
        typer.echo(path.stem)
        try:
            typer.echo(f"  {one(path, _teller(len(read_book(path).cells)))}")
        except (BookError, OSError) as error:
            failed.append(path.stem)
            typer.echo(f"\n✗ {error}\n", err=True)
    if failed:
        typer.echo(f"{len(failed)} of {len(paths)} notebooks failed: {', '.join(failed)}", err=True)
        raise typer.Exit(1)


def _teller(cells: int) -> "Progress":
    """A progress line per cell: its number and first line as it starts, its seconds as it ends."""
    from lecture10.backstage.book import first_line

    def tell(number: int, cell: dict, seconds: float | None) -> None:
        if seconds is None:
            typer.echo(f"  cell {number:2}/{cells}  {first_line(cell.source):<60} ", nl=False)
        else:
            typer.echo(f"{seconds:6.1f} s")

    return tell
