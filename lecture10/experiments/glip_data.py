"""Boxes alone, or boxes and grounded captions: what captions add for nouns that the boxes hardly show.

Detection data is long-tailed: four of the twelve nouns are rare in it, drawn in one picture of 32. Captions
come from everywhere: half of a batch may be pictures of all nouns alike, with sentences whose phrases are
grounded. Both nets see as many pictures.
"""

import torch

from lecture10.claims import Claim, Row, difference
from lecture10.experiments._glip_small import (
    NOUNS,
    SEPARATE,
    SIZE,
    TEST_SEED,
    categories,
    drawn,
    names,
    trained,
)
from lecture10.recipes.glip_scores import detection
from lecture10.recipes.grounding import Batches, Painted, told
from lecture10.world import vocabulary as v

RARE = ("heart", "ring", "bird", "horse")
COMMON = tuple(noun for noun in NOUNS if noun not in RARE)
SCENES = 3200
PICTURES = 300
BOXES, BOTH = "boxes only", "boxes and captions"
HOW = {"slide": "GLIP", "minutes": 10, "seeds": 3, "pixels": SIZE, "runs": 2}

CLAIMS = (
    Claim(
        "glip.data",
        says="Grounded captions in place of half of the box data find more things whose nouns are rare in "
        "the box data.",
        effect=difference(BOTH, BOXES, metric="AP50, rare nouns"),
        margin=0.05,
        paper="GLIP-T (B) to (C), with grounded captions: LVIS zero-shot 13.5 to 17.7",
        expects="shown",
        does_not_test="whether the captions' words or their pictures of rare things help; captions whose "
        "boxes a model guessed",
        **HOW,
    ),
    Claim(
        "glip.data.common",
        says="The same exchange finds more things whose nouns are common in the box data.",
        effect=difference(BOTH, BOXES, metric="AP50, common nouns"),
        margin=0.05,
        expects="no difference",
        does_not_test="box data that are used up: here half as many boxes of common nouns are seen",
        **HOW,
    ),
)


def long_tailed(seed: int) -> Painted:
    """Box data: one picture in 32 of rare nouns, the others of common ones."""
    few = SCENES // 32
    return Painted.cat([
        drawn(SCENES - few, 2 * seed, things=(1, 4), nouns=COMMON),
        drawn(few, 2 * seed + 1, things=(1, 4), nouns=RARE),
    ])  # fmt: skip


class Mixed:
    """Half of each batch from the box data, half from captions of all nouns; padded to one length."""

    def __init__(self, boxes: Painted, captions: Painted, n: int = 32):
        self.parts = (Batches(boxes, (categories,), n // 2), Batches(captions, (told,), n // 2))

    def __call__(self, generator: torch.Generator) -> dict[str, torch.Tensor]:
        """The batch that this generator leads to."""
        return merged([part(generator) for part in self.parts])


def merged(batches: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Batches one below the other, filled up with padding to the longest text and the most phrases."""
    tokens = max(b["ids"].shape[1] for b in batches)
    phrases = max(b["speaks"].shape[2] for b in batches)
    sizes = {"ids": (tokens,), "real": (tokens,), "phrase_tokens": (phrases, tokens),
             "speaks": (v.MAX_THINGS, phrases)}  # fmt: skip
    out = {}
    for name in batches[0]:
        parts = [b[name] for b in batches]
        if name in sizes:
            filled = [p.new_zeros(len(p), *sizes[name]) for p in parts]
            for into, part in zip(filled, parts, strict=True):
                into[tuple(map(slice, part.shape))] = part
            parts = filled
        out[name] = torch.cat(parts)
    return out


def run(seed: int) -> list[Row]:
    """One paired seed: the same box data for both, the same fresh test pictures."""
    boxes = long_tailed(seed)
    captions = drawn(SCENES, 900_000 + seed, things=(1, 4))
    sources = {BOXES: Batches(boxes, (categories,)), BOTH: Mixed(boxes, captions)}
    models = {name: trained(SEPARATE, source, seed) for name, source in sources.items()}
    rows = []
    for k, (kind, nouns) in enumerate({"rare": RARE, "common": COMMON}.items()):
        test = drawn(PICTURES, TEST_SEED + 1000 * seed + k, things=(1, 3), nouns=nouns)
        for name, model in models.items():
            found = detection(model, test, names("train"), seed)
            rows += [Row(name, f"{ap}, {kind} nouns", found[ap], seed, n=PICTURES) for ap in ("AP50", "AP")]
    return rows
