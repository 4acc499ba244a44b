"""Three things to ask of the same image tower: pick the caption, name its words, or write it.

How many pairs does each need until it can be told classes? All three learn from the very same batches, once
from clean captions of a small vocabulary, once from noisy alt-text with file names, credits, slips and
omissions. The classes are the 30 dev pairs, which no picture and no caption of training holds, each told as
"a {}". Such a curve is what one tunes on, so that it never looks at the test pairs.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lecture10.claims import Claim, Row, difference
from lecture10.models.clip import CLIP, CLIPConfig, TextConfig
from lecture10.models.contrastive import clip_loss
from lecture10.models.pretexts import BagOfWords, CaptionModel
from lecture10.models.vision import ResNetConfig
from lecture10.recipes.captions import Pairs, encode
from lecture10.recipes.clip import CLASSES, one_thing_each
from lecture10.training import TrainSettings, train
from lecture10.world.draft import Habits
from lecture10.zero_shot import accuracy, prompts

SIZE = 32
CONFIG = CLIPConfig(
    ResNetConfig(SIZE, width=8, layers=(1, 1, 1), heads=4, stem_stride=2),
    TextConfig(512, context=48, width=64, layers=2, heads=2),
    embed=64,
    gelu="exact",
)
VOCABULARIES = {
    "clean": Pairs(n=128, size=SIZE, kind="short", habits=Habits(synonyms=False), knobs={"things": 1}),
    "noisy": Pairs(n=128, size=SIZE, kind="alt", knobs={"things": 1}),
}
# A constant rate, so that one run's curve says what each number of pairs gives; no common gradient clipping,
# which would let the three models feel each other.
SETTINGS = TrainSettings(
    steps=500, lr=3e-3, floor=1.0, weight_decay=0.1, betas=(0.9, 0.98), clip=None, ema=0.95
)
EVERY = 25  # steps between two points of the curve
EACH = 20  # pictures of each of the 30 dev pairs
ENOUGH = {"clean": 0.4, "noisy": 0.25}  # the accuracy to reach, among the 30
EVAL_SEED = 600_000
CONTRASTIVE, BAG, WRITER = "contrastive", "bag of words", "caption model"


def _claim(
    name: str, says: str, more: str, less: str, vocabulary: str, expects: str, paper: str | None = None
):
    return Claim(
        name,
        slide="CLIP: contrastive pre-training",
        says=says,
        effect=difference(more, less, metric=f"doublings, {vocabulary}"),
        margin=0.25,  # of a doubling: 19 % more pairs
        expects=expects,
        paper=paper,
        does_not_test="400 million pairs, large towers, a vocabulary of which most words are rare",
        minutes=30,
        tier="long",
        seeds=5,
        pixels=SIZE,
        runs=6,
    )


CLAIMS = (
    _claim(
        "clip.efficiency",
        "From noisy captions, contrastive learning needs fewer pairs than predicting a bag of words.",
        BAG, CONTRASTIVE, "noisy", "can't tell", "4 times fewer: 2 doublings",
    ),
    _claim(
        "clip.efficiency.clean",
        "From clean captions of few words, contrastive learning needs fewer pairs than a bag of words.",
        BAG, CONTRASTIVE, "clean", "can't tell",
    ),
    _claim(
        "clip.efficiency.caption",
        "From noisy captions, predicting a bag of words needs fewer pairs than writing the caption.",
        WRITER, BAG, "noisy", "shown", "3 times fewer: 1.58 doublings",
    ),
)  # fmt: skip


class Three(nn.ModuleDict):
    """The three models, each with an image tower of its own; no number passes between them."""

    def __init__(self, config: CLIPConfig = CONFIG):
        super().__init__({CONTRASTIVE: CLIP(config), BAG: BagOfWords(config), WRITER: CaptionModel(config)})


def three_losses(three: Three, batch: tuple[Tensor, ...]) -> tuple[Tensor, dict[str, Tensor]]:
    """The sum of their losses, so that each gets its own gradient and no other's; and each, in nats."""
    image, ids, groups = batch
    clip = three[CONTRASTIVE]
    contrastive = clip_loss(clip.embed_images(image), clip.embed_texts(ids), clip.held_logit_scale(), groups)
    losses = {CONTRASTIVE: contrastive} | {kind: three[kind].loss(image, ids) for kind in (BAG, WRITER)}
    return sum(losses.values()), losses


class Told:
    """Called with the three: the share of dev pictures whose pair each names, among the 30 dev pairs."""

    def __init__(self, seed: int, each: int = EACH):
        self.images, labels = one_thing_each("dev", each, SIZE, EVAL_SEED + 1000 * seed)
        known, self.labels = labels.unique(return_inverse=True)
        names = [CLASSES[at] for at in known.tolist()]
        self.names = encode(names)
        self.prompts = encode([prompts(name, ("a {}",))[0] for name in names])

    @torch.no_grad()
    def __call__(self, three: Three) -> dict[str, float]:
        """Model -> accuracy in [0, 1]."""
        clip = three[CONTRASTIVE]
        scores = {
            CONTRASTIVE: clip.embed_images(self.images) @ clip.embed_texts(self.prompts).T,
            BAG: three[BAG].scores(self.images, self.names),
            WRITER: three[WRITER].scores(self.images, self.prompts),
        }
        return {f"told {kind}": accuracy(found, self.labels) for kind, found in scores.items()}


def doublings(steps: Sequence[int], accuracies: Sequence[float], enough: float, pairs_a_step: int) -> float:
    """log2 of the thousands of pairs seen when a learning curve first reaches `enough`.

    Between two points the curve is a straight line over log2 of the pairs. A curve that never gets there
    counts as reaching it at its end: then what is returned is too small, never too large.
    """
    before = None
    for step, found in zip(steps, accuracies, strict=True):
        here = math.log2(step * pairs_a_step / 1000)
        if found >= enough:
            if before is None:
                return here
            return before[0] + (here - before[0]) * (enough - before[1]) / (found - before[1])
        before = (here, found)
    return before[0]


def run(seed: int) -> list[Row]:
    """One paired seed: three models on the same clean batches, three on the same noisy ones."""
    rows, told = [], Told(seed)
    for vocabulary, batches in VOCABULARIES.items():
        torch.manual_seed(seed)
        three = Three().to(memory_format=torch.channels_last)
        history = train(
            three, three_losses, batches, SETTINGS, seed=seed, quiet=True, label=vocabulary,
            evaluate=told, evaluate_every=EVERY, count=_count,
        )  # fmt: skip
        for kind in three:
            steps, accuracies = history.curve(f"told {kind}")
            needed = doublings(steps, accuracies, ENOUGH[vocabulary], batches.n)
            rows.append(Row(kind, f"doublings, {vocabulary}", needed, seed))
            rows += [
                Row(kind, f"accuracy, {vocabulary}", found, seed, at=step * batches.n, n=len(told.labels))
                for step, found in zip(steps, accuracies, strict=True)
            ]
    return rows


def _count(batch: tuple[Tensor, ...]) -> int:
    return len(batch[0])
