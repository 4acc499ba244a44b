"""What equal captions in a batch cost: the loss that CLIP comes down to, against the formula E[ln m].

The pictures are easy on purpose (large plain things in a studio, told by noun and colour), so that what is
left of the loss after half a minute is the floor and not want of training.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from lecture10.claims import Claim, Row, difference
from lecture10.experiments._clip_small import SIZE
from lecture10.models.clip import CLIPConfig, TextConfig
from lecture10.models.contrastive import expected_floor, same_texts
from lecture10.models.vision import ResNetConfig
from lecture10.recipes.captions import encode
from lecture10.recipes.clip import learn
from lecture10.training import TrainSettings
from lecture10.world import vocabulary as v
from lecture10.world.render import render
from lecture10.world.sample import sample

CONFIG = CLIPConfig(
    ResNetConfig(SIZE, width=8, layers=(1, 1, 1), heads=4, stem_stride=2),
    TextConfig(512, context=16, width=64, layers=1, heads=2),
    embed=64,
    gelu="exact",
)
SETTINGS = TrainSettings(steps=600, lr=4e-3, betas=(0.9, 0.98))
N = 64
LAST = 60  # steps whose mean is "what it comes down to"
NOUNS = ("ball", "car", "cat", "banana")
COLOURS = ("red", "green", "blue", "purple", "pink", "gray")  # of which training may draw each of the nouns
KINDS = {6: NOUNS[:1], 24: NOUNS}  # different captions -> the nouns they name
EASY = {"things": 1, "colours": COLOURS, "materials": "plain", "sizes": "large", "backdrops": "studio"}

CLAIM = Claim(
    "clip.duplicates",
    slide="CLIP: the loss in ten lines of numpy",
    says="With 24 different captions in batches of 64, CLIP's loss stays above the formula's floor.",
    effect=difference("measured", "formula", metric="nats", at=24),
    margin=0.1,
    expects="no difference",
    does_not_test="real captions, of which few are word for word equal but many mean the same",
    minutes=8,
    seeds=5,
    pixels=SIZE,
    runs=2,
)


@dataclass(frozen=True)
class Named:
    """Draws easy pictures of one thing; the caption names noun and colour, `kinds` captions in all."""

    kinds: int

    def __call__(self, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """(image, ids, groups) of N pairs."""
        scenes = sample(N, generator, nouns=KINDS[self.kinds], **EASY)
        named = zip(scenes.colour[:, 0].tolist(), scenes.noun[:, 0].tolist(), strict=True)
        texts = [f"a {v.COLOUR_NAMES[colour]} {v.NOUNS[noun]}" for colour, noun in named]
        return render(scenes, SIZE).image, encode(texts, CONFIG.text.context), same_texts(texts)


def run(seed: int) -> list[Row]:
    """One paired seed: a small CLIP for each number of captions, its loss step by step, and the formula."""
    rows = []
    for kinds in KINDS:
        source = Named(kinds)
        _, history = learn(
            CONFIG,
            SETTINGS,
            seed=seed,
            batches=source,
            workers=0,
            log_every=1,
            quiet=True,
            label="duplicates",
        )
        _, losses = history.curve("loss")
        rows.append(Row("formula", "nats", expected_floor(kinds, N), seed, at=kinds))
        rows.append(Row("measured", "nats", sum(losses[-LAST:]) / LAST, seed, at=kinds, n=LAST * N))
        for step in range(0, SETTINGS.steps, max(1, SETTINGS.steps // 20)):
            rows.append(Row(f"loss of {kinds}", "nats", losses[step], seed, at=step + 1, n=N))
    return rows
