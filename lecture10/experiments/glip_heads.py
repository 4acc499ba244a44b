"""The same detector with two heads: fixed classes (S = O Wᵀ) and words (S = O Pᵀ); and the order of a prompt.

Both learn from the same pictures, boxes and names of categories, in as many steps. The class head has a
column for each of the 240 training pairs of noun and colour; a test pair has none, so that its average
precision there is 0 by definition.
"""

import random
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lecture10.claims import Claim, Row, difference
from lecture10.devices import pick_device
from lecture10.experiments._glip_small import (
    SCENES,
    SEPARATE,
    SETTINGS,
    SIZE,
    TEST_SEED,
    asked_of_all,
    trained,
)
from lecture10.models.glip import GLIP
from lecture10.models.grounding import grounding_loss
from lecture10.recipes.glip_scores import asked_eight, eight_each, names_of, precision
from lecture10.recipes.grounding import TRAIN_NAMES, Batches, Painted, painted, targets
from lecture10.training import train
from lecture10.world.splits import pairs

PICTURES = 300  # test pictures of each kind
WORDS, CLASSES = "word head", "class head"
SEEN, NEW, SPLITS = "seen pairs", "new pairs", {"seen pairs": "train", "new pairs": "test"}
FIRST, SHUFFLED = "present first", "shuffled"
HOW = {"slide": "GLIP", "minutes": 10, "seeds": 5, "pixels": SIZE, "runs": 2}
NOT_TESTED = "classes that share no word with what was learnt; here a new pair combines two known words"

CLAIMS = (
    Claim(
        "glip.heads",
        says="A detector whose classes are words finds pairs of noun and colour that it never met; one with "
        "fixed classes has no output for them.",
        effect=difference(WORDS, CLASSES, metric=f"AP50, {NEW}"),
        margin=0.3,
        expects="shown",
        does_not_test=NOT_TESTED,
        **HOW,
    ),
    Claim(
        "glip.heads.seen",
        says="On the pairs of training, words in place of classes find more.",
        effect=difference(WORDS, CLASSES, metric=f"AP50, {SEEN}"),
        margin=0.03,
        paper="the same performance before and after the reformulation (section 3.1)",
        expects="no difference",
        does_not_test="training until nothing improves, as in the paper: classes that share no weights learn "
        "slower",
        **HOW,
    ),
    Claim(
        "glip.order",
        says="A prompt that names the present categories first finds more than the same prompt shuffled.",
        effect=difference(FIRST, SHUFFLED, metric="AP50, eight categories asked"),
        margin=0.02,
        expects="no difference",
        does_not_test="orders that training never saw: its prompts were shuffled too",
        **HOW,
    ),
)


@dataclass(frozen=True, eq=False)
class Labelled:
    """Batches with a class for every thing in place of a prompt: (image, boxes, labels (n, 6))."""

    pool: Painted
    n: int = 32

    def __call__(self, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """The batch that this generator leads to."""
        rows = torch.randint(len(self.pool), (self.n,), generator=generator)
        labels = torch.zeros(self.n, self.pool.boxes.shape[1], dtype=torch.long)
        for at, row in enumerate(rows.tolist()):
            for thing in self.pool.things(row):
                labels[at, thing.number] = TRAIN_NAMES.index(thing.name)
        return self.pool.pictures(rows), self.pool.boxes[rows], labels


def class_loss(model: GLIP, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """The grounding loss with classes for tokens: each thing is one phrase of one token, its class."""
    image, boxes, labels = batch
    speaks = torch.nn.functional.one_hot(labels, model.config.classes)  # (B, 6, c)
    everything = torch.eye(model.config.classes, device=image.device).expand(len(image), -1, -1)
    owner, target = targets(
        {"boxes": boxes, "speaks": speaks, "phrase_tokens": everything}, model.config.grid
    )
    S, found = model(image)
    real = torch.ones(len(image), model.config.classes, dtype=torch.bool, device=image.device)
    return grounding_loss(S, found, boxes, owner, target, real)[0]


def learn_classes(pool: Painted, seed: int) -> GLIP:
    """The class head's detector: the same picture tower, as many steps."""
    torch.manual_seed(seed)
    model = GLIP(replace(SEPARATE, classes=len(TRAIN_NAMES)))
    train(model, class_loss, Labelled(pool), SETTINGS, seed=seed, quiet=True, device=pick_device().type)
    return model.eval()


def run(seed: int) -> list[Row]:
    """One paired seed: the same pool of training pictures, the same fresh test pictures."""
    pool = painted(SCENES, 3 * seed, SIZE, things=(1, 4))
    words, classes = trained(SEPARATE, Batches(pool), seed), learn_classes(pool, seed)
    rows = []
    for kind, split in SPLITS.items():
        test = painted(PICTURES, TEST_SEED + 1000 * seed, SIZE, things=(1, 3), split=split)
        rows += measured(words, classes, test, kind, split, seed)
        if kind == SEEN:
            rows += orders(words, test, seed)
    return rows


def measured(words: GLIP, classes: GLIP, test: Painted, kind: str, split: str, seed: int) -> list[Row]:
    """AP50 and AP of both heads; the class head's are 0 where it has no class."""
    names = [f"{colour} {noun}" for noun, colour in pairs(split)]
    called = names_of(test)
    found = {WORDS: precision(*asked_of_all(words, test, names), test, names, called)}
    found[CLASSES] = dict.fromkeys(found[WORDS], 0.0)
    if split == "train":
        found[CLASSES] = precision(*asked_of_all(classes, test, names), test, names, called)
    return [
        Row(head, f"{name}, {kind}", score[name], seed, n=len(test))
        for head, score in found.items()
        for name in ("AP50", "AP")
    ]


def orders(model: GLIP, test: Painted, seed: int) -> list[Row]:
    """AP50 of the same eight categories a picture, the present ones first or anywhere; and how far the surest
    score of a present category moves.
    """
    called, asked, dice = names_of(test), eight_each(test, TRAIN_NAMES, seed), random.Random(seed)
    prompts = {FIRST: asked, SHUFFLED: [dice.sample(names, len(names)) for names in asked]}
    rows, sure = [], {}
    for order, prompt in prompts.items():
        boxes, scores = asked_eight(model, test, prompt, TRAIN_NAMES)
        score = precision(boxes, scores, test, TRAIN_NAMES, called)["AP50"]
        rows.append(Row(order, "AP50, eight categories asked", score, seed, n=len(test)))
        sure[order] = [float(scores[b, :, TRAIN_NAMES.index(n)].max()) for b, names in enumerate(called)
                       for n in names]  # fmt: skip
    moved = [abs(a - b) for a, b in zip(sure[FIRST], sure[SHUFFLED], strict=True)]
    rows.append(Row(SHUFFLED, "mean move of a score", sum(moved) / len(moved), seed, n=len(moved)))
    return rows
