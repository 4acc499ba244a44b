"""Real English that every Python carries: the language reference behind `help()`, without its repetitions.

`pydoc_data.topics` holds the reference's sections as plain text, and about a third of it stands there twice.
What the course trains on is a snapshot (Python 3.11.7, `data/corpus/`), so that every machine sees the same
bytes. The text is © Python Software Foundation, under the PSF License Agreement (`data/corpus/LICENSE.txt`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lecture10.paths import data_path

WINDOW = 80  # characters: two texts that share a run this long are not independent
VERSION = "english-1"  # of the snapshot; checkpoints and results carry it
PARTS = ("train", "dev", "test")
CYCLE, TEST, DEV = 12, 7, 5  # of every twelve topics, in alphabetical order, one is for dev and one for test


@dataclass(frozen=True)
class Corpus:
    """English to train on, to tune on (dev) and held out (test); no two parts share 80 characters."""

    train: str
    dev: str
    test: str


def english() -> Corpus:
    """The course's English: 287,000 characters to train on, 24,000 to tune on and 25,000 held out.

    Raises FileNotFoundError (with the cure) where the course's data folder is missing.
    """
    return Corpus(*(data_path(f"corpus/english_{part}.txt").read_text(encoding="utf-8") for part in PARTS))


def build(topics: dict[str, str] | None = None) -> Corpus:
    """Make the corpus from this Python's own topics: drop repeated paragraphs, then split by topic.

    topics: name -> text; by default `pydoc_data.topics.topics`. The shipped snapshot is `build()` of Python
    3.11.7.
    """
    if topics is None:
        from pydoc_data.topics import topics
    names = sorted(topics)
    parts = {"test": names[TEST::CYCLE], "dev": names[DEV::CYCLE]}
    parts["train"] = [name for name in names if name not in parts["test"] + parts["dev"]]
    seen: set[str] = set()
    texts = {
        part: _joined(topics, chosen, seen) for part, chosen in parts.items()
    }  # the held-out parts choose first
    return Corpus(**texts)


def _joined(topics: dict[str, str], names: list[str], seen: set[str]) -> str:
    """These topics' fresh paragraphs as one text; what the text holds is added to `seen`."""
    kept = []
    for name in names:
        tail = ""  # of what was kept: a run of 80 characters may begin in the paragraph before
        for paragraph in re.split(r"\n\s*\n", topics[name]):
            if re.match(r"[\s*=\-~^]*$|\s*[+|]", paragraph):  # ornaments and tables are no English
                continue
            own = set(windows(f"{tail} {paragraph}"))
            if own.isdisjoint(seen):
                kept.append(paragraph.strip("\n"))
                tail = " ".join(f"{tail} {paragraph}".split())[1 - WINDOW :]
                seen |= own
    return "\n\n".join(kept) + "\n"


def windows(text: str, width: int = WINDOW) -> Iterator[str]:
    """Every run of `width` characters of the text with its white space folded."""
    folded = " ".join(text.split())
    return (folded[i : i + width] for i in range(len(folded) - width + 1))
