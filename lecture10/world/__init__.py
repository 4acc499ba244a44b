"""The little world: cast, scenes, pictures and words, in which the truth is known exactly.

Scenes and pictures
    picture = render(scene("a blue bear", "a small brown bird", relation="left of"), 128)
    picture.image, picture.boxes, picture.masks, picture.visible
    batch = sample(256, seed=0, split="train", things=(1, 3))       # a SceneBatch; batch[0] is a Scene

Words
    captions(batch, "short", generator=0)                  # also "alt", "descriptive"
    parse("a blue bear and two brown birds").counts                 # exactly the facts that a text asserts
    scene_of("one cat and two dogs sitting on the grass")           # the scene that a prompt asks for
    story(generator=0), english()                                   # texts for the language models

Training
    train(model, loss, pictures(256, 32), settings)         # or Producer(pictures(256, 32)): drawn ahead

What is kept for measuring: `split_of`, `split_of_relation`, `pairs`, `triples`. All names that can be
drawn or said: `vocabulary` and `lexicon`.
"""

from lecture10.world.batch import SceneBatch
from lecture10.world.corpus import Corpus, english
from lecture10.world.facts import Facts, Said, facts_of, scene_of
from lecture10.world.palette import colour_separation
from lecture10.world.parse import parse
from lecture10.world.producer import Producer, pictures
from lecture10.world.render import Picture, render
from lecture10.world.sample import Knobs, sample
from lecture10.world.scene import Scene, Thing, scene, thing
from lecture10.world.splits import pairs, split_of, split_of_relation, triples
from lecture10.world.stories import Story, story, wrong_endings
from lecture10.world.vocabulary import WORLD_VERSION
from lecture10.world.words import Caption, Habits, caption, captions, misspelt

__all__ = [
    "WORLD_VERSION",
    "Caption",
    "Corpus",
    "Facts",
    "Habits",
    "Knobs",
    "Picture",
    "Producer",
    "Said",
    "Scene",
    "SceneBatch",
    "Story",
    "Thing",
    "caption",
    "captions",
    "colour_separation",
    "english",
    "facts_of",
    "misspelt",
    "pairs",
    "parse",
    "pictures",
    "render",
    "sample",
    "scene",
    "scene_of",
    "split_of",
    "split_of_relation",
    "story",
    "thing",
    "triples",
    "wrong_endings",
]
