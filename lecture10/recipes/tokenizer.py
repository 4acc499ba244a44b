"""Rebuild the shipped tokenizer: python -m lecture10.recipes.tokenizer (a second)."""

from pathlib import Path

from lecture10.paths import data_folder
from lecture10.tokenizer import Tokenizer
from lecture10.world.corpus import english

VOCAB_SIZE = 1024  # 287 KB of text: more merges would be seen too rarely to learn an embedding for


def build(path: Path | None = None) -> Path:
    """Train on the corpus's training text and write `data/tokenizers/english.json` (or `path`)."""
    path = path or data_folder() / "tokenizers" / "english.json"
    Tokenizer.train(english().train, VOCAB_SIZE).save(path)
    return path


if __name__ == "__main__":
    print("wrote", build().name)
