"""With and without deep fusion: phrases that need the picture to be understood, and phrases that do not.

Pictures of four things, often two of them alike in noun, colour, material and size. "The left ball" and "the
ball above the cat" then mean one of two twins; "the red cat" means a thing without a twin. Said are only
sides on which another thing lies further out: then neither the side nor the noun alone tells which is meant.
Six nouns, the shapes, so that telling them apart is soon learnt.
Both nets have the same layers and learn from the same prompts (categories, and such phrases) in as many
steps; the fused one has cross-attention besides.
"""

import random
from dataclasses import replace

from lecture10.claims import Claim, Row, difference
from lecture10.experiments._glip_small import (
    FUSED,
    SEPARATE,
    SETTINGS,
    SIZE,
    TEST_SEED,
    categories,
    drawn,
    trained,
)
from lecture10.models.glip import GLIP
from lecture10.recipes.glip import TWINS, phrases_found
from lecture10.recipes.grounding import Batches, Painted, Prompt, joined, refers
from lecture10.world import vocabulary as v

LONGER = replace(SETTINGS, steps=500)
SCENES = 5000
TEST_PICTURES = 600
NETS = {"fused": FUSED, "separate": SEPARATE}
NEEDS, PLAIN = "needs the picture", "plain"
HOW = {"slide": "GLIP", "minutes": 12, "tier": "long", "seeds": 3, "pixels": SIZE, "runs": 2}

CLAIMS = (
    Claim(
        "glip.fusion",
        says="Deep fusion finds more of what is told by side or relation (the left ball, the ball above the "
        "cat).",
        effect=difference("fused", "separate", metric=NEEDS),
        margin=0.05,
        paper="GLIP-T (A) to (B): COCO zero-shot 42.9 to 44.9, LVIS 14.2 to 13.5",
        expects="can't tell",
        does_not_test="whether the gain comes from fusion or from its 10 % more parameters; texts longer "
        "than a phrase",
        **HOW,
    ),
    Claim(
        "glip.fusion.plain",
        says="Deep fusion finds more of what is told by colour and noun alone.",
        effect=difference("fused", "separate", metric=PLAIN),
        margin=0.03,
        expects="no difference",
        does_not_test="a text encoder that was pre-trained, and pictures with many more things",
        **HOW,
    ),
)


def phrases(pool: Painted, rows: list[int], dice: random.Random) -> list[Prompt]:
    """A phrase or two for each picture that need it to be understood, then one or two that do not."""
    prompts: list[Prompt] = []
    for row in rows:
        found = refers(pool.things(row), hard=True)
        needs = found["place"] + found["relation"]
        chosen = dice.sample(needs, min(2, len(needs)))
        chosen += dice.sample(found[PLAIN], min(3 - len(chosen), len(found[PLAIN])))
        if chosen:
            prompts.append(joined([p.text for p in chosen], [p.things[0] for p in chosen]))
        else:
            prompts += categories(pool, [row], dice)
    return prompts


def run(seed: int) -> list[Row]:
    """One paired seed: the same training pictures and phrases, the same fresh test pictures and phrases."""
    pool = drawn(SCENES, 5 * seed, **TWINS, nouns=v.SHAPES)
    test = drawn(TEST_PICTURES, TEST_SEED + 1000 * seed, **TWINS, nouns=v.SHAPES)
    rows = []
    for name, config in NETS.items():
        model = trained(config, Batches(pool, (categories, phrases)), seed, LONGER)
        rows += asked(model, name, test, seed)
    return rows


def asked(model: GLIP, name: str, test: Painted, seed: int) -> list[Row]:
    """The share of phrases whose surest box is right, by kind of phrase; one phrase of a kind a picture."""
    shares = phrases_found(model, test, seed=seed)
    total = shares["place"][1] + shares["relation"][1]
    mixed = sum(shares[kind][0] * shares[kind][1] for kind in ("place", "relation")) / total
    return [
        Row(name, NEEDS, mixed, seed, n=total),
        *(Row(name, kind, share, seed, n=n) for kind, (share, n) in shares.items()),
    ]
