"""What equal captions in a batch cost: the loss that CLIP comes down to, against the formula E[ln m]."""

from collections import Counter
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
from lecture10.world.splits import pairs

CONFIG = CLIPConfig(
    ResNetConfig(SIZE, width=8, layers=(1, 1, 1), heads=4, stem_stride=2),
    TextConfig(512, context=16, width=64, layers=1, heads=2),
    embed=64,
    gelu="exact",
)
SETTINGS = TrainSettings(steps=400, lr=4e-3, betas=(0.9, 0.98))
N = 64
LAST = 60  # steps whose mean is "what it comes down to"
KINDS = (6, 24)  # different captions

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
    """Draws pictures of one thing out of `kinds` nouns; the caption names the noun and nothing else."""

    kinds: int

    def __call__(self, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """(image, ids, groups) of N pairs."""
        scenes = sample(N, generator, things=1, nouns=v.NOUNS[: self.kinds])
        texts = [f"a {v.NOUNS[noun]}" for noun in scenes.noun[:, 0].tolist()]
        return render(scenes, SIZE).image, encode(texts, CONFIG.text.context), same_texts(texts)

    def formula(self) -> float:
        """The floor that E[ln m] gives; a noun comes as often as it has training colours."""
        colours = Counter(noun for noun, _ in pairs("train"))
        counts = [colours[noun] for noun in v.NOUNS[: self.kinds]]
        return expected_floor([count / sum(counts) for count in counts], N)


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
        rows.append(Row("formula", "nats", source.formula(), seed, at=kinds))
        rows.append(Row("measured", "nats", sum(losses[-LAST:]) / LAST, seed, at=kinds, n=LAST * N))
        for step in range(0, SETTINGS.steps, max(1, SETTINGS.steps // 20)):
            rows.append(Row(f"loss of {kinds}", "nats", losses[step], seed, at=step + 1, n=N))
    return rows
