"""What running the notebooks cost when they were last refreshed: data/results/notebooks.json.

The notebook itself never holds a measured time, so that a second refresh changes nothing. Its author states
minutes in prose (`**Minutes:** 2 on two cores`); refresh keeps the measured ones here; lint compares the two.
"""

import json
from pathlib import Path
from typing import Any

from lecture10.backstage.book import Book
from lecture10.files import write_text

SPREAD = 1.5  # stated and measured minutes may differ by this factor
SHORTEST = 0.5  # minutes: below, all is equal


def measured_path(folder: Path) -> Path:
    """The record for a folder of notebooks, in the data folder beside it (checkout and wheel alike)."""
    return Path(folder).resolve().parent / "data" / "results" / "notebooks.json"


def read_measured(folder: Path) -> dict[str, dict[str, Any]]:
    """Per notebook: minutes, peak_mb and a hash of the code that ran; empty where there is no record."""
    try:
        record = json.loads(measured_path(folder).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def close(stated: float, measured: float) -> bool:
    """True where two numbers of minutes are within the spread; half a minute is the least that counts."""
    stated, measured = max(stated, SHORTEST), max(measured, SHORTEST)
    return max(stated, measured) <= SPREAD * min(stated, measured)


def keep_measured(book: Book, minutes: float, peak_mb: int) -> bool:
    """Store what a refresh cost; returns whether the record changed.

    The stored figures stay while the code is the same and the new ones lie within the spread: time and memory
    are never twice the same, and a second refresh shall change nothing.
    """
    folder = book.path.parent
    record = read_measured(folder)
    old = record.get(book.name, {})
    same = old.get("code") == book.code_hash() and close(old.get("minutes", 0), minutes)
    if same and old.get("peak_mb", 0) * SPREAD >= peak_mb:
        return False
    record[book.name] = {"code": book.code_hash(), "minutes": round(minutes, 2), "peak_mb": peak_mb}
    write_text(measured_path(folder), json.dumps(record, indent=1, sort_keys=True) + "\n")
    return True
