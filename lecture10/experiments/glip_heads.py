"""The same detector with two heads: fixed classes (S = O Wᵀ) and words (S = O Pᵀ); and the order of a prompt.

Both learn from the same pictures, boxes and names of categories, in as many steps. The class head has a
column for each training pair of noun and colour; a test pair has none, so that its average precision there is
0 by definition. Each picture is asked for eight categories, those that it holds and others.
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
    categories,
    classes_asked,
    drawn,
    names,
    trained,
)
from lecture10.models.glip import GLIP
from lecture10.models.grounding import grounding_loss
from lecture10.recipes.glip_scores import asked_eight, eight_each, names_of, precision
from lecture10.recipes.grounding import Batches, Painted, targets
from lecture10.training import train

PICTURES = 300  # test pictures of each kind
CLASS_NAMES = names("train")
WORDS, CLASSES = "word head", "class head"
SEEN, NEW = "seen pairs", "new pairs"
FIRST, SHUFFLED = "present first", "shuffled"
HOW = {"slide": "GLIP", "minutes": 10, "seeds": 5, "pixels": SIZE, "runs": 2}

CLAIMS = (
    Claim(
        "glip.heads",
        says="A detector whose classes are words finds pairs of noun and colour that it never met; one with "
        "fixed classes has no output for them.",
        effect=difference(WORDS, CLASSES, metric=f"AP50, {NEW}"),
        margin=0.3,
        expects="shown",
        does_not_test="classes that share no word with what was learnt: a new pair combines two known words",
        **HOW,
    ),
    Claim(
        "glip.heads.seen",
        says="On the pairs of training, words in place of classes find more.",
        effect=difference(WORDS, CLASSES, metric=f"AP50, {SEEN}"),
        margin=0.03,
        paper="the same performance before and after the reformulation (section 3.1)",
        expects="shown",
        does_not_test="training until nothing improves, as in the paper: classes that share no weights learn "
        "slower, and ours train for a minute",
        **HOW,
    ),
    Claim(
        "glip.order",
        says="A prompt that names the present categories first finds more than the same prompt shuffled.",
        effect=difference(FIRST, SHUFFLED, metric="AP50, by order"),
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
                labels[at, thing.number] = CLASS_NAMES.index(thing.name)
        return self.pool.pictures(rows), self.pool.boxes[rows], labels


def class_loss(model: GLIP, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """The grounding loss with classes for tokens: each thing is one phrase of one token, its class."""
    image, boxes, labels = batch
    speaks = torch.nn.functional.one_hot(labels, model.config.classes)  # (B, 6, c)
    itself = torch.eye(model.config.classes, device=image.device).expand(len(image), -1, -1)
    owner, target = targets({"boxes": boxes, "speaks": speaks, "phrase_tokens": itself}, model.config.grid)
    S, found = model(image)
    real = torch.ones(len(image), model.config.classes, dtype=torch.bool, device=image.device)
    return grounding_loss(S, found, boxes, owner, target, real)[0]


def learn_classes(pool: Painted, seed: int) -> GLIP:
    """The class head's detector: the same picture tower, as many steps."""
    torch.manual_seed(seed)
    model = GLIP(replace(SEPARATE, classes=len(CLASS_NAMES)))
    train(model, class_loss, Labelled(pool), SETTINGS, seed=seed, quiet=True, device=pick_device().type)
    return model.eval()


def run(seed: int) -> list[Row]:
    """One paired seed: the same pool of training pictures, the same fresh test pictures and prompts."""
    pool = drawn(SCENES, 3 * seed, things=(1, 4))
    words, classes = trained(SEPARATE, Batches(pool, (categories,)), seed), learn_classes(pool, seed)
    seen, new = (
        drawn(PICTURES, TEST_SEED + 1000 * seed, things=(1, 3), split=split) for split in ("train", "test")
    )
    prompts = eight_each(seen, CLASS_NAMES, seed)
    table, n = names_of(seen), len(seen)
    by_class = precision(*classes_asked(classes, seen, prompts, CLASS_NAMES), seen, CLASS_NAMES, table)
    rows = [Row(CLASSES, f"{ap}, {SEEN}", by_class[ap], seed, n=n) for ap in ("AP50", "AP")]
    rows += [Row(CLASSES, f"{ap}, {NEW}", 0.0, seed, n=len(new)) for ap in ("AP50", "AP")]
    rows += found_new(words, new, seed) + orders(words, seen, prompts, seed)
    return rows


def found_new(words: GLIP, new: Painted, seed: int, split: str = "test") -> list[Row]:
    """What the word head finds of pairs that it never met, among eight of them."""
    known = names(split)
    boxes, scores = asked_eight(words, new, eight_each(new, known, seed), known)
    found = precision(boxes, scores, new, known, names_of(new))
    return [Row(WORDS, f"{ap}, {NEW}", found[ap], seed, n=len(new)) for ap in ("AP50", "AP")]


def orders(words: GLIP, seen: Painted, asked: list[list[str]], seed: int) -> list[Row]:
    """The word head on seen pairs, the present categories first or anywhere in the prompt; and how far the
    surest score of a present category moves.
    """
    dice, called = random.Random(seed), names_of(seen)
    prompts = {FIRST: asked, SHUFFLED: [dice.sample(some, len(some)) for some in asked]}
    rows, sure = [], {}
    for order, prompt in prompts.items():
        boxes, scores = asked_eight(words, seen, prompt, CLASS_NAMES)
        found = precision(boxes, scores, seen, CLASS_NAMES, called)
        rows.append(Row(order, "AP50, by order", found["AP50"], seed, n=len(seen)))
        if order == SHUFFLED:
            rows += [Row(WORDS, f"{ap}, {SEEN}", found[ap], seed, n=len(seen)) for ap in ("AP50", "AP")]
        sure[order] = [
            float(scores[b, :, CLASS_NAMES.index(name)].max())
            for b, some in enumerate(called)
            for name in some
        ]
    moved = [abs(a - b) for a, b in zip(sure[FIRST], sure[SHUFFLED], strict=True)]
    return [*rows, Row(SHUFFLED, "mean move of a score", sum(moved) / len(moved), seed, n=len(moved))]
