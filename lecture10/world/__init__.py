"""The little world: cast, scenes, pictures and words, in which the truth is known exactly.

from lecture10.world import sample, render, scene
picture = render(scene("a blue bear", "a small brown bird", relation="left of"), 128)
picture.image, picture.boxes, picture.masks, picture.visible
batch = sample(256, seed=0, split="train", things=(1, 3))       # a SceneBatch; batch[0] is a Scene
"""

from lecture10.world.batch import SceneBatch
from lecture10.world.palette import colour_separation
from lecture10.world.render import Picture, render
from lecture10.world.sample import Knobs, sample
from lecture10.world.scene import Scene, Thing, scene, thing
from lecture10.world.splits import pairs, split_of, split_of_relation, triples
from lecture10.world.vocabulary import WORLD_VERSION

__all__ = [
    "WORLD_VERSION",
    "Knobs",
    "Picture",
    "Scene",
    "SceneBatch",
    "Thing",
    "colour_separation",
    "pairs",
    "render",
    "sample",
    "scene",
    "split_of",
    "split_of_relation",
    "thing",
    "triples",
]
