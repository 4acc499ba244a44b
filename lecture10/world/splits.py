"""What may be seen in training and what is kept for measuring: defined once, here.

Of the 300 noun × colour pairs 30 are dev and 30 test: one of each for every noun, three of each for every
colour, so that every noun and every colour is still met in training, just not together. Ordered riding
pairs, and some (noun, relation, noun) triples, are kept back likewise. Training neither draws nor names
what is dev or test; only a measurement touches test.
"""

from functools import cache

import torch
from torch import Tensor

from lecture10.world import vocabulary as v

SPLITS = ("train", "dev", "test")
# Each noun, its dev colour, its test colour: drawn once at random, but the lecture's blue bear is in test.
_KEPT_BACK = """
    ball teal orange
    cube teal purple
    triangle blue red
    star brown gray
    heart purple brown
    ring yellow pink
    bear red blue
    cat yellow teal
    dog purple gray
    bird pink yellow
    horse teal green
    fish brown purple
    astronaut blue yellow
    scarecrow green orange
    pizza gray blue
    coin red orange
    banana orange brown
    glass gray green
    cup pink red
    book orange teal
    hat gray red
    flower green teal
    boat purple green
    skateboard yellow pink
    car brown yellow
    rocket pink brown
    house blue pink
    tree red gray
    table orange purple
    sign green blue
"""
_COLOURS_KEPT = {noun: (dev, test) for noun, dev, test in map(str.split, _KEPT_BACK.strip().splitlines())}


def split_of(noun: str, colour: str) -> str:
    """The split of a noun × colour pair: "train", "dev" or "test"."""
    v.index_of("noun", noun, v.NOUNS)
    v.index_of("colour", colour, v.COLOUR_NAMES)
    return {c: s for c, s in zip(_COLOURS_KEPT[noun], ("dev", "test"), strict=True)}.get(colour, "train")


def split_of_relation(noun_i: str, relation: str, noun_j: str) -> str:
    """The split of "a noun_i is <relation> a noun_j". Inverse directions name one fact and share its split.

    Riding: 10 of 98 ordered pairs each are dev and test; on: a tenth each; directions: a twenty-fifth
    each, since every two things in a picture stand in some direction. A noun and itself are always train,
    except in riding.
    """
    i, j = v.index_of("noun", noun_i, v.NOUNS), v.index_of("noun", noun_j, v.NOUNS)
    v.index_of("relation", relation, v.RELATIONS)
    if relation == "riding":
        return _riding(noun_i, noun_j)
    if relation in ("right of", "below"):
        i, j, relation = j, i, v.INVERSE[relation]
    if i == j:
        return "train"
    cycle, dev, test = {"on": (10, 2, 7), "left of": (25, 14, 3), "above": (25, 19, 8)}[relation]
    return {dev: "dev", test: "test"}.get((7 * i + 11 * j) % cycle, "train")


def _riding(rider: str, mount: str) -> str:
    if rider not in v.RIDERS or mount not in v.MOUNTS:
        return "train"
    r = v.RIDERS.index(rider)
    step = (v.MOUNTS.index(mount) - 8 - 3 * r) % len(
        v.MOUNTS
    )  # 0 for a bear on a skateboard, a horse on an astronaut
    more = r in (0, 2, 4)
    return (
        "test"
        if step == 0 or (step == 4 and more)
        else "dev"
        if step == 5 or (step == 9 and more)
        else "train"
    )


@cache
def pairs(split: str = "train") -> tuple[tuple[str, str], ...]:
    """All (noun, colour) pairs of a split; split="all" gives all 300."""
    if split != "all":
        v.index_of("split", split, SPLITS)
    every = ((n, c) for n in v.NOUNS for c in v.COLOUR_NAMES)
    return tuple(p for p in every if split in ("all", split_of(*p)))


@cache
def triples(relation: str, split: str = "train") -> tuple[tuple[str, str], ...]:
    """All (noun_i, noun_j) pairs of a split for one relation; for riding, those that can be drawn."""
    if split != "all":
        v.index_of("split", split, SPLITS)
    riding = relation == "riding"
    every = ((i, j) for i in (v.RIDERS if riding else v.NOUNS) for j in (v.MOUNTS if riding else v.NOUNS))
    return tuple(p for p in every if split in ("all", split_of_relation(p[0], relation, p[1])))


@cache
def pair_table() -> Tensor:
    """(nouns, colours) int64: 0 train, 1 dev, 2 test."""
    return torch.tensor([[SPLITS.index(split_of(n, c)) for c in v.COLOUR_NAMES] for n in v.NOUNS])


@cache
def relation_table() -> Tensor:
    """(nouns, relations, nouns) int64: 0 train, 1 dev, 2 test."""
    rows = [[[split_of_relation(i, r, j) for j in v.NOUNS] for r in v.RELATIONS] for i in v.NOUNS]
    return torch.tensor([[[SPLITS.index(s) for s in js] for js in rs] for rs in rows])
