"""What the learner has done, in one small file. Nothing that goes wrong here stops an exercise."""

import json
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from lecture10 import files, paths

FILE = "progress.json"
STATES = ("done", "looked up", "tried", "not yet")
_unsaved: dict[Path, dict[str, "Entry"]] = {}  # this session's copy, where the file could not be written


@dataclass(frozen=True)
class Entry:
    """One exercise: number of checks, hints seen (0 to 3), passed, answer seen before it passed."""

    tries: int = 0
    hints: int = 0
    done: bool = False
    looked_up: bool = False

    @property
    def state(self) -> str:
        """One of STATES; an answer seen before passing stays "looked up"."""
        if self.looked_up:
            return "looked up"
        return "done" if self.done else "tried" if self.tries else "not yet"


def read() -> dict[str, Entry]:
    """Every remembered exercise. An unreadable file is set aside, with a sentence, and a new one begun."""
    path = _path()
    if path in _unsaved:
        return dict(_unsaved[path])
    try:
        return _parsed(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        print(f"Your progress could not be read ({error.strerror}); this session starts without it.")
        _unsaved[path] = {}
        return {}
    except ValueError:
        _set_aside(path)
        return {}


def tried(name: str, *, passed: bool) -> None:
    """Remember one check; a later failure does not undo a pass."""
    entries = read()
    old = entries.get(name, Entry())
    _write(entries | {name: replace(old, tries=old.tries + 1, done=old.done or passed)})


def hinted(name: str) -> int:
    """Remember that one more hint was asked for; returns how many are now open (1 to 3)."""
    entries = read()
    old = entries.get(name, Entry())
    new = replace(old, hints=min(3, old.hints + 1))
    _write(entries | {name: new})
    return new.hints


def looked_up(name: str) -> None:
    """Remember that the answer was shown; after a pass it no longer matters."""
    entries = read()
    old = entries.get(name, Entry())
    _write(entries | {name: replace(old, looked_up=old.looked_up or not old.done)})


def reset() -> None:
    """Begin anew; the old file is kept beside the new one."""
    path = _path()
    if path.exists():
        _move(path, "before-reset")
    _write({})


def _path() -> Path:
    return paths.home_folder() / FILE


def _parsed(text: str) -> dict[str, Entry]:
    """The entries in the file's text. Raises ValueError where it is not what `_write` writes."""
    stored = json.loads(text)
    known = {f.name: f.type for f in fields(Entry)}
    try:
        entries = stored["exercises"]
        for parts in entries.values():
            if parts.keys() - known or any(type(v) is not known[k] for k, v in parts.items()):
                raise ValueError("a part of another kind")
        return {str(name): Entry(**parts) for name, parts in entries.items()}
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("not a record of progress") from error


def _write(entries: dict[str, Entry]) -> None:
    path = _path()
    stored = {"version": 1, "exercises": {name: asdict(entries[name]) for name in sorted(entries)}}
    try:
        files.write_text(path, json.dumps(stored, indent=1) + "\n")
        _unsaved.pop(path, None)
    except OSError as error:
        if path not in _unsaved:
            print(f"Your progress is kept for this session only: {error.strerror}.")
        _unsaved[path] = entries


def _set_aside(path: Path) -> None:
    kept = _move(path, "unreadable")
    if kept:
        print(f"{FILE} could not be read. It was set aside as {kept.name}, and a new one begun.")
    else:
        print(f"{FILE} could not be read or moved; this session starts without it.")
        _unsaved[path] = {}


def _move(path: Path, why: str) -> Path | None:
    """Rename the file to the first free name that says why; None where that cannot be done."""
    number, target = 1, path.with_name(f"{path.stem}.{why}.json")
    while target.exists():
        number += 1
        target = path.with_name(f"{path.stem}.{why}-{number}.json")
    try:
        return path.rename(target)
    except OSError:
        return None
