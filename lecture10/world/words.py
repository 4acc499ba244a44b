"""Captions of scenes, in three kinds, with the characters that speak of each thing.

    alt          "Blue Bear, bird - stock photo IMG_2041.jpg"   noisy: gaps, errors, misspellings, junk
    short        "a blue bear to the left of a brown bird"
    descriptive  "A photo of a large blue bear in the middle and … . It is to the left of the bird. …"

Each caption records the facts that it asserts, and `parse` (which shares nothing but the lexicon) reads
exactly these. Sketches show no colour, so that no caption of a sketch names one. Training text never
names a dev or test pair as long as the scenes hold none: alt-text's wrong colours are drawn from the
train pairs.
"""

import random

from lecture10.names import unknown
from lecture10.world import vocabulary as v
from lecture10.world.describe import descriptive
from lecture10.world.draft import Caption, Dice, Habits, Phrase, Row, all_slips
from lecture10.world.facts import Said, facts_of, place_of
from lecture10.world.scene import Scene
from lecture10.world.web import alt, short

__all__ = ["KINDS", "Caption", "Habits", "Phrase", "caption", "captions", "dice", "misspelt"]

KINDS = ("alt", "short", "descriptive")
_WRITERS = {"alt": alt, "short": short, "descriptive": descriptive}


def caption(scene: Scene, kind: str = "short", generator=0, habits: Habits | None = None) -> Caption:
    """One caption of a scene; see `captions`."""
    return captions([scene], kind, generator, habits)[0]


def captions(scenes, kind: str = "short", generator=0, habits: Habits | None = None) -> list[Caption]:
    """A caption of every scene.

    scenes: a SceneBatch or Scenes; kind: one of KINDS; generator: a seed, random.Random, numpy or torch
    Generator; habits: `Habits` (synonyms, noise). The same generator state gives the same text on every
    machine. Raises ValueError for an unknown kind.
    """
    if kind not in _WRITERS:
        raise ValueError(unknown("kind of caption", kind, KINDS))
    write, u, habits = _WRITERS[kind], dice(generator), habits or Habits()
    return [write(row, u, habits) for row in rows(scenes, places=kind == "descriptive")]


def misspelt(text: str, generator=0, words: int = 1) -> str:
    """The text with some words misspelt, as in DrawBench's misspelt prompts; a reader can still undo it.

    >>> misspelt("a blue bear and a brown bird", 1)
    'a bluue bear and a brown bird'
    """
    u, pieces, slips = dice(generator), text.split(" "), all_slips()
    able = [k for k, word in enumerate(pieces) if word in slips]
    for _ in range(min(words, len(able))):
        k = able.pop(int(u() * len(able)))
        pieces[k] = slips[pieces[k]][int(u() * len(slips[pieces[k]]))]
    return " ".join(pieces)


def dice(generator=0) -> Dice:
    """A source of uniform numbers in [0, 1), seeded by a number or by a generator (which it
    advances once).

    Raises TypeError for what cannot seed.
    """
    if isinstance(generator, random.Random):
        return generator.random
    if hasattr(generator, "integers"):  # numpy's Generator
        generator = int(generator.integers(2**62))
    elif hasattr(generator, "initial_seed"):  # torch's Generator
        import torch

        generator = int(torch.randint(2**62, (), generator=generator))
    if not isinstance(generator, int):
        raise TypeError(
            f"a caption's generator is a seed, a random.Random, numpy or torch Generator, not {generator!r}"
        )
    return random.Random(generator).random


def rows(scenes, places: bool = True) -> list[Row]:
    """Scenes (a SceneBatch or an iterable of Scene) as the writers read them, with or without places."""
    if isinstance(scenes, Scene):
        raise TypeError("captions() takes several scenes; for one write caption(scene)")
    return _batch_rows(scenes, places) if hasattr(scenes, "noun") else [_row(scene) for scene in scenes]


def _row(scene: Scene) -> Row:
    if not isinstance(scene, Scene):
        raise TypeError(f"captions() describes Scenes or a SceneBatch, not {type(scene).__name__}")
    true = facts_of(scene)
    return Row(list(true.things), list(true.relations), scene.backdrop, scene.style)


def _batch_rows(batch, places: bool) -> list[Row]:
    """The same from tensors, without building Scenes."""
    names = ("noun", "colour", "material", "size", "x", "y", "relation", "backdrop", "style")
    columns = [getattr(batch, name).tolist() for name in names]
    nouns, materials, sizes, texts, out = v.NOUNS, v.MATERIALS, v.SIZE_NAMES, _texts(batch.text), []
    for b, (*things, relation, backdrop, style) in enumerate(zip(*columns, strict=True)):
        colours = _UNSEEN if v.STYLES[style] in v.COLOURLESS_STYLES else v.COLOUR_NAMES
        said = [
            Said(nouns[n], colours[c], materials[m], sizes[s], None, place_of(x, y) if places else None)
            for n, c, m, s, x, y in zip(*things, strict=True)
            if n >= 0
        ]
        for k, text in texts.get(b, ()):
            said[k] = said[k]._replace(text=text)
        related = [(i, v.RELATIONS[r], j) for i, r, j in relation if i >= 0] if relation[0][0] >= 0 else []
        out.append(Row(said, related, v.BACKDROPS[backdrop], v.STYLES[style]))
    return out


_UNSEEN = (None,) * len(v.COLOUR_NAMES)


def _texts(letters) -> dict[int, list[tuple[int, str]]]:
    """scene → [(thing, what stands on it)], for the few that carry a text."""
    out: dict[int, list[tuple[int, str]]] = {}
    for b, k in (letters[:, :, 0] >= 0).nonzero().tolist():
        out.setdefault(b, []).append((k, "".join(v.ALPHABET[c] for c in letters[b, k].tolist() if c >= 0)))
    return out
