"""The list of words behind `lecture10.recipes.world_text`: those of many stories and plain captions.

python -m lecture10.recipes.world_words
"""

import json
import re
from pathlib import Path

from lecture10.files import write_text
from lecture10.paths import data_folder
from lecture10.recipes.world_text import NAME, WORD, stories
from lecture10.world.sample import sample
from lecture10.world.words import Habits, captions

QUOTED = re.compile(r"(['\"]).*?\1")  # what stands on a sign


def plain_captions(n: int, seed: int, things: tuple[int, int] = (1, 4)) -> list[str]:
    """n short captions in the world's own words, without synonyms and without what stands on signs."""
    scenes = sample(2 * n, seed, split="train", things=things)
    texts = [caption.text for caption in captions(scenes, "short", seed, Habits(synonyms=False))]
    return [text for text in texts if not QUOTED.search(text)][:n]


def build(path: Path | None = None) -> Path:
    """Write the words in alphabetical order; returns where."""
    texts = [one.text for one in stories(4000, seed=0, sentences=6)] + plain_captions(4000, seed=0)
    found = {word.lower() for text in texts for word in WORD.findall(text)}
    path = path or data_folder() / NAME
    write_text(path, json.dumps(sorted(found), indent=0) + "\n")
    return path


if __name__ == "__main__":
    print(build())
