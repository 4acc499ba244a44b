"""The words of captions: a small tokenizer learnt from them, and pictures with captions as batches.

Rebuild the shipped tokenizer: python -m lecture10.recipes.captions (a few seconds).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from lecture10.models.contrastive import first_of_each, same_texts
from lecture10.names import unknown
from lecture10.paths import data_folder
from lecture10.tokenizer import Tokenizer, tokenizer
from lecture10.world.batch import SceneBatch
from lecture10.world.draft import Habits
from lecture10.world.render import render
from lecture10.world.sample import Knobs, sample
from lecture10.world.words import KINDS, captions

NAME = "captions"
VOCAB_SIZE = 512  # 256 bytes, the end, and 255 merges: most of the world's words are one token
TEXTS = 3000  # scenes whose captions the tokenizer learns from, in each of the three kinds
ROUNDS = 20  # draws to fill a batch with different captions


def clean(text: str) -> str:
    """Lower case, single spaces, one in front: as CLIP's own tokenizer reads, a word is the same anywhere."""
    return " " + " ".join(text.lower().split())


def encode(texts: Sequence[str], context: int = 48) -> Tensor:
    """n texts -> (n, T) token ids, each ended and filled up with end tokens to the longest, T <= context.

    Raises ValueError for an empty text, and for one that has more than context - 1 tokens.
    """
    words, rows = tokenizer(NAME), []
    for at, text in enumerate(texts):
        ids = words.encode(clean(text))
        if not text.strip():
            raise ValueError(f"text {at} is empty: write a few words")
        if len(ids) >= context:
            raise ValueError(
                f"text {at} has {len(ids)} tokens and an end, the context is {context}: shorten "
                f"{text[:40]!r}…"
            )
        rows.append(ids)
    if not rows:
        raise ValueError("no texts to encode: give one or more")
    filled = torch.full((len(rows), max(map(len, rows)) + 1), words.end)
    for row, into in zip(rows, filled, strict=True):
        into[: len(row)] = torch.tensor(row)
    return filled


def decode(ids: Tensor) -> str:
    """The text of one row (T,) of token ids, up to its end."""
    words = tokenizer(NAME)
    return words.decode([i for i in ids.tolist() if i != words.end]).strip()


@dataclass(frozen=True)
class Pairs:
    """Draws (image (n, 3, size, size) in [0, 1], ids (n, T), groups (n,)): pictures with their captions.

    groups: equal numbers where captions are word for word the same. distinct=True draws again until no
    caption stands twice (in all processes' batch together, since a batch is drawn as a whole and then cut).
    Texts longer than `context` are drawn again. Raises ValueError where the knobs do not hold enough
    different captions.
    """

    n: int = 128
    size: int = 64
    kind: str = "short"
    distinct: bool = True
    context: int = 48
    habits: Habits | None = None
    knobs: dict = field(default_factory=dict)

    def __post_init__(self):
        Knobs(**self.knobs)
        if self.kind not in KINDS:
            raise ValueError(unknown("kind of caption", self.kind, KINDS))
        if self.n < 1:
            raise ValueError(f"n={self.n}: ask for at least one pair")

    def words(self, generator: torch.Generator) -> tuple[SceneBatch, list[str]]:
        """Scenes and their captions, before they are painted."""
        kept: list[SceneBatch] = []
        texts: list[str] = []
        for _ in range(ROUNDS):
            scenes = sample(self.n, generator, **self.knobs)
            fresh = [c.text for c in captions(scenes, self.kind, generator, self.habits)]
            good = [
                at for at in range(self.n) if len(tokenizer(NAME).encode(clean(fresh[at]))) < self.context
            ]
            if self.distinct:
                known = set(map(clean, texts))
                good = [at for at in good if clean(fresh[at]) not in known]
                good = [good[i] for i in first_of_each([clean(fresh[at]) for at in good])]
            good = good[: self.n - len(texts)]
            if good:
                kept.append(scenes[good])
                texts += [fresh[at] for at in good]
            if len(texts) == self.n:
                return SceneBatch.cat(kept), texts
        raise ValueError(
            f"{ROUNDS} draws gave {len(texts)} different captions of up to {self.context - 1} tokens, "
            f"{self.n} are asked for: take a smaller batch, more words (knobs), a longer context, "
            "or distinct=False"
        )

    def __call__(self, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """The batch that this generator leads to."""
        scenes, texts = self.words(generator)
        image = render(scenes, self.size).image.mul_(255).round_().div_(255)
        return image, encode(texts, self.context), same_texts([clean(text) for text in texts])


def training_text(n: int = TEXTS) -> str:
    """Captions of n training scenes in each kind, a line each."""
    scenes = sample(n, 0, styles=("photo", "rendition", "sketch"))
    lines = (clean(c.text) for kind in KINDS for c in captions(scenes, kind, 1))
    return "\n".join(lines)


def build(path: Path | None = None) -> Path:
    """Train on training scenes' captions and write `data/tokenizers/captions.json` (or `path`)."""
    path = path or data_folder() / "tokenizers" / f"{NAME}.json"
    Tokenizer.train(training_text(), VOCAB_SIZE).save(path)
    return path


if __name__ == "__main__":
    print("wrote", build().name)
