"""Which words of a prompt a text-to-picture model met rarely or never, said in one sentence.

A prompt is drawn whatever it says: an unknown word is cut into known pieces, and the picture shows what these
did to the U-Net. So a learner is told which words the training captions held, and how often. The counts are
those of `recipes/ldm.py`'s captions, word by word; rebuild them (under a minute):

python -m lecture10.recipes.rare_words
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

import torch

from lecture10.files import write_text
from lecture10.names import nearest
from lecture10.paths import data_folder, data_path
from lecture10.recipes import ldm
from lecture10.recipes.captions import clean, decode
from lecture10.world.lexicon import foreign
from lecture10.world.tokens import speller

NAME = "words/ldm.json"
RARE = 100  # times or fewer among 131,072 captions: in less than one of a thousand
WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*")
ALIKE = 0.75  # of difflib's ratio, for a guess


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, in order: letters and digits, joined by hyphens or apostrophes.

    >>> words_of("A polka-dot cat, twice!")
    ['a', 'polka-dot', 'cat', 'twice']
    """
    return WORD.findall(clean(text))


def count(n: int = ldm.SCENES, seed: int = 0) -> Counter[str]:
    """How often each word stands in the captions of the first n training scenes, all of `ldm.HABITS`."""
    found: Counter[str] = Counter()
    for part in range(0, n, ldm.PART):
        scenes = ldm.training_scenes(part // ldm.PART, min(ldm.PART, n - part), seed)
        roll = torch.Generator().manual_seed(seed * 100_003 + part)  # as in `ldm.collect`
        for habits in ldm.HABITS:
            for row in ldm.written(scenes, roll, habits, ldm.CONFIG.text.context):
                found.update(words_of(decode(row)))
    return found


def build(path: Path | None = None, n: int = ldm.SCENES, seed: int = 0) -> Path:
    """Count and write `data/words/ldm.json` (or `path`), the commonest word first."""
    path = path or data_folder() / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    facts = {
        "scenes": n, "captions": n * len(ldm.HABITS), "data": ldm.DATA,
        "words": dict(sorted(count(n, seed).items(), key=lambda pair: (-pair[1], pair[0]))),
    }  # fmt: skip
    write_text(path, json.dumps(facts, ensure_ascii=False, indent=0) + "\n")
    return path


@cache
def counts() -> dict[str, int]:
    """The shipped counts. Raises ValueError, with the command, where the file is damaged or of other data."""
    rebuild = "rebuild it with\n    python -m lecture10.recipes.rare_words"
    try:
        facts = json.loads(data_path(NAME).read_text(encoding="utf-8"))
        words, data = {str(word): int(n) for word, n in facts["words"].items()}, facts["data"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{NAME} is damaged ({error!r}): {rebuild}") from error
    if data != ldm.DATA:
        raise ValueError(f"{NAME} counts {data!r}, the model learns from {ldm.DATA!r}: {rebuild}")
    return words


def unmet(prompt: str, known: Mapping[str, int] | None = None, rare: int = RARE) -> dict[str, int]:
    """The prompt's words that training met `rare` times or less, each with how often; in order."""
    known = counts() if known is None else known
    return {word: known.get(word, 0) for word in words_of(prompt) if known.get(word, 0) <= rare}


def guess(word: str, known: Mapping[str, int] | None = None, rare: int = RARE) -> str | None:
    """The common word that a misspelt one was meant to be; None for words that are spelt right.

    The world's own words and others that only look like one of them ("boot", no slip of "boat") are left
    alone by the world's reader; a word that it cannot place is compared by difflib.
    """
    known = counts() if known is None else known
    meant = speller().correct(word)
    if meant is None and word not in foreign:
        near = nearest(word, [w for w, n in known.items() if n > rare])
        meant = near[0] if near and SequenceMatcher(None, word, near[0]).ratio() >= ALIKE else None
    return meant if meant != word and known.get(meant, 0) > rare else None


def note(prompt: str, known: Mapping[str, int] | None = None, rare: int = RARE) -> str:
    """One sentence about the prompt's rare and unknown words; "" where there are none.

    known: word -> how often training met it; None: the shipped counts.
    """
    parts = []
    for word, times in unmet(prompt, known, rare).items():
        met = "never" if times == 0 else "once" if times == 1 else f"{times} times"
        near = guess(word, known, rare) if times == 0 else None
        parts.append(f"{word!r} {met}" + (f" (did you mean {near!r}?)" if near else ""))
    if not parts:
        return ""
    said = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"Training met {said}: what is drawn for that is a guess."


if __name__ == "__main__":
    print("wrote", build().name)
