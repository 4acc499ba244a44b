"""Stories of four sentences that a small net can follow: two things are painted, then both are what they are.

    The bear turns blue. The cat turns red. The cat is still red. The bear is still blue.

They are `world.stories` with nothing else in them, so that which colour belongs to which thing is all there
is to keep in mind, and every text asks for it.
"""

import random

from lecture10.world.facts import Facts, Said
from lecture10.world.splits import pairs
from lecture10.world.stories import Story


def small_stories(n: int, seed: int) -> list[Story]:
    """n stories of the train pairs; the same seed tells the same ones. Both orders are equally likely."""
    dice, known, told = random.Random(seed), pairs("train"), []
    while len(told) < n:
        first, second = dice.choice(known), dice.choice(known)
        if first[0] == second[0]:
            continue
        again = [first, second] if dice.random() < 0.5 else [second, first]
        sentences = [f"The {noun} turns {colour}." for noun, colour in (first, second)]
        sentences += [f"The {noun} is still {colour}." for noun, colour in again]
        both = Facts((Said(*first), Said(*second)))
        told.append(Story(tuple(sentences), (Facts((Said(*first),)), both, both, both), ()))
    return told
