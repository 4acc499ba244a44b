"""Told against shown: CLIP that is told class names, and probes that see labelled pictures.

One CLIP and one supervised net a seed: the same picture tower, the same pictures of one thing, as many steps.
CLIP reads captions, the supervised net is given one of 240 noun × colour classes. Both are then asked about
the 30 test pairs, which neither has ever seen. How strongly a probe is held back (C) is chosen on dev
pairs for each net and number of shots, as the paper chooses it on validation data.
"""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lecture10.claims import Claim, Row, crossing, difference
from lecture10.experiments._clip_small import BATCH, CONFIG, SETTINGS, SIZE, TEST_SEED
from lecture10.models.clip import CLIP
from lecture10.models.vision import image_tower
from lecture10.recipes.captions import encode
from lecture10.recipes.clip import CLASSES, learn, one_thing_each
from lecture10.training import train
from lecture10.world import vocabulary as v
from lecture10.world.render import render
from lecture10.world.sample import sample
from lecture10.zero_shot import (
    BARE,
    TEMPLATE,
    TEMPLATES,
    accuracy,
    class_embeddings,
    embed_images,
    few_shots,
    linear_probe,
    probe_accuracy,
)

SHOTS = (1, 2, 4, 8, 16, 32, 64)
STRENGTHS = (1.0, 10.0, 100.0, 1000.0)  # C, the inverse of the L2 penalty
EACH = 40  # test pictures of each of the 30 pairs
WORDS = {"bare words": BARE, "one template": TEMPLATE, "eight averaged": TEMPLATES}
ON_CLIP, ON_SUPERVISED = "probe on CLIP", "probe on supervised"

PROMPTS = Claim(
    "clip.prompts",
    slide="CLIP: write class names as captions",
    says="Averaging eight prompts names new pairs better than the bare words do, among all 300 classes.",
    effect=difference("eight averaged", "bare words", metric="accuracy among 300"),
    margin=0.02,
    expects="no difference",
    does_not_test="class names with several meanings, and pictures that seldom come with a bare name",
    minutes=10,
    seeds=5,
    pixels=SIZE,
    runs=2,
)
SHOTS_CLAIM = Claim(
    "clip.shots",
    slide="CLIP (zero-shot): against a linear probe on a ResNet-50",
    says="A linear probe on CLIP's own features starts below zero-shot CLIP at 1 labelled picture a class "
    "and overtakes it by 64.",
    effect=crossing(ON_CLIP, "zero-shot", metric="accuracy among 30", within=(1, 64)),
    margin=0.02,
    expects="can't tell",
    does_not_test="features learnt from 400 million pairs; here the 30 classes only combine known words anew",
    minutes=10,
    seeds=5,
    pixels=SIZE,
    runs=2,
)
CLAIMS = (PROMPTS, SHOTS_CLAIM)


def labelled(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Pictures as CLIP's training draws them, and their class among CLASSES."""
    scenes = sample(BATCH.n, generator, **BATCH.knobs)
    return render(scenes, SIZE).image, scenes.noun[:, 0] * len(v.COLOUR_NAMES) + scenes.colour[:, 0]


class Supervised(nn.Module):
    """CLIP's picture tower with a linear layer for the classes in place of a text tower."""

    def __init__(self):
        super().__init__()
        self.config = CONFIG
        self.tower = image_tower(CONFIG.image, CONFIG.embed, CONFIG.gelu)
        self.head = nn.Linear(CONFIG.embed, len(CLASSES))

    def embed_images(self, images: Tensor) -> Tensor:
        """(B, 3, S, S) in [0, 1] -> (B, E) unit vectors."""
        return F.normalize(self.features(images), dim=-1)

    def features(self, images: Tensor) -> Tensor:
        """(B, 3, S, S) -> (B, E)."""
        return self.tower(2 * images - 1)


def class_loss(net: Supervised, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Cross-entropy over the classes."""
    image, label = batch
    return F.cross_entropy(net.head(net.features(image)), label)


def learn_supervised(seed: int) -> Supervised:
    """The supervised net: as many steps as CLIP, with the same settings."""
    torch.manual_seed(seed)
    net = Supervised().to(memory_format=torch.channels_last)
    train(net, class_loss, labelled, SETTINGS, seed=seed, quiet=True, label="supervised")
    return net


def run(seed: int) -> list[Row]:
    """One paired seed: both nets, all prompts, all numbers of shots, on the same fresh test pictures."""
    clip, _ = learn(CONFIG, SETTINGS, seed=seed, batches=BATCH, workers=0, quiet=True)
    first = TEST_SEED + 1000 * seed
    drawn = {  # (split, are they shown to a probe?) -> pictures and their classes
        (split, shown): one_thing_each(split, max(SHOTS) if shown else EACH, SIZE, first + 500 * shown + past)
        for split, past in (("dev", 300), ("test", 0))
        for shown in (True, False)
    }
    rows = _told(clip, *drawn["test", False], seed)
    for name, net in ((ON_CLIP, clip), (ON_SUPERVISED, learn_supervised(seed))):
        seen = {which: (embed_images(net, images), labels) for which, (images, labels) in drawn.items()}
        for k in SHOTS:
            tried = {C: _probe(seen, "dev", k, C, seed) for C in STRENGTHS}
            C = max(STRENGTHS, key=tried.get)
            right = _probe(seen, "test", k, C, seed)
            rows.append(Row(name, "accuracy among 30", right, seed, at=k, n=30 * EACH))
            rows.append(Row(name, "C", C, seed, at=k))
    return rows


def _told(clip: CLIP, images: Tensor, labels: Tensor, seed: int) -> list[Row]:
    I_e, rows = embed_images(clip, images), []
    words = partial(encode, context=CONFIG.text.context)
    for name, templates in WORDS.items():
        scores = I_e @ class_embeddings(clip, words, CLASSES, templates).T
        rows.append(Row(name, "accuracy among 300", accuracy(scores, labels), seed, n=len(labels)))
        if templates is TEMPLATE:
            known = labels.unique()
            among = accuracy(scores[:, known], torch.searchsorted(known, labels))
            rows += [Row("zero-shot", "accuracy among 30", among, seed, at=k, n=len(labels)) for k in SHOTS]
    return rows


def _probe(seen: dict, split: str, shots: int, C: float, seed: int) -> float:
    """A probe's accuracy on a split's pictures when `shots` others of each class were shown to it."""
    (features, labels), (asked, right) = seen[split, True], seen[split, False]
    rows = few_shots(labels, shots, seed)
    return probe_accuracy(linear_probe(features[rows], labels[rows], C=C), asked, right)
