"""CLIP at laptop size: this world, this model, this training. Rebuilds the shipped checkpoint:

python -m lecture10.recipes.clip
"""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from lecture10.devices import pick_device
from lecture10.models.clip import CLIP, CLIPConfig, TextConfig
from lecture10.models.contrastive import clip_loss, gather
from lecture10.models.vision import ResNetConfig
from lecture10.paths import data_folder, data_path
from lecture10.recipes.captions import Pairs, encode
from lecture10.training import Card, History, TrainSettings, load_weights, save_weights, train
from lecture10.world import WORLD_VERSION
from lecture10.world import vocabulary as v
from lecture10.world.producer import Producer
from lecture10.world.render import render
from lecture10.world.sample import sample
from lecture10.world.splits import pairs
from lecture10.zero_shot import TEMPLATE, accuracy, class_embeddings, embed_images

NAME = "checkpoints/clip"
DATA = f"{WORLD_VERSION}/captions-512"  # what a checkpoint says that it learnt from
CONFIG = CLIPConfig(
    ResNetConfig(image_size=64, width=16, layers=(1, 1, 1), heads=4),
    TextConfig(vocab_size=512, context=48, width=96, layers=2, heads=3),
    embed=128,
    gelu="exact",
)
SETTINGS = TrainSettings(steps=5000, lr=3e-3, weight_decay=0.1, betas=(0.9, 0.98))
BATCH = Pairs(n=128, size=64, kind="short", knobs={"things": (1, 2)})
WORKERS = 1  # processes that draw ahead; the batches are the same whoever draws them
COMMAND = "python -m lecture10.recipes.clip"
CLASSES = tuple(f"{colour} {noun}" for noun in v.NOUNS for colour in v.COLOUR_NAMES)  # all 300


def contrastive_loss(clip: CLIP, batch: tuple[Tensor, ...], *, positives: str = "share") -> Tensor:
    """CLIP's loss of (image, ids, groups), over all processes' batches together."""
    image, ids, groups = batch
    I_f, T_f = clip.embed_images(image), clip.embed_texts(ids)
    t = clip.held_logit_scale()
    return clip_loss(gather(I_f), gather(T_f), t, gather(groups), positives=positives)


def learn(
    config: CLIPConfig = CONFIG,
    settings: TrainSettings = SETTINGS,
    *,
    seed: int = 0,
    batches: Pairs = BATCH,
    workers: int = WORKERS,
    positives: str = "share",
    **how,
) -> tuple[CLIP, History]:
    """A fresh CLIP trained on `batches`; `how` is handed to `train`. Convolutions run channels-last."""
    torch.manual_seed(seed)
    clip = CLIP(config).to(memory_format=torch.channels_last)
    loss = partial(contrastive_loss, positives=positives)
    how = {"count": _count, "unit": "pairs", "label": "clip"} | how
    with Producer(batches, seed=seed, workers=workers) as drawn:
        return clip, train(clip, loss, drawn, settings, seed=seed, **how)


def _count(batch: tuple[Tensor, ...]) -> int:
    return len(batch[0])


def one_thing_each(
    split: str, each: int = 10, size: int = 64, seed: int = 0, **knobs
) -> tuple[Tensor, Tensor]:
    """Pictures of one thing each, `each` of every noun × colour pair of a split, and their classes.

    Returns images (n, 3, size, size) and labels (n,), positions in CLASSES.
    """
    scenes = [
        sample(each, seed + i, things=1, split=split, nouns=noun, colours=colour, **knobs)
        for i, (noun, colour) in enumerate(pairs(split))
    ]
    images = torch.cat([render(scene, size).image for scene in scenes])
    labels = [CLASSES.index(f"{colour} {noun}") for noun, colour in pairs(split) for _ in range(each)]
    return images, torch.tensor(labels)


def zero_shot_accuracy(
    clip: nn.Module,
    split: str = "dev",
    *,
    each: int = 10,
    seed: int = 1000,
    templates: Sequence[str] = TEMPLATE,
    **knobs,
) -> float:
    """Noun × colour pairs of a split, named among all 300: the share that is right.

    Chance is 1/300. The pairs of "dev" and "test" stand in no training picture and no training caption; tune
    on dev.
    """
    images, labels = one_thing_each(split, each, clip.config.image.image_size, seed, **knobs)
    device = next(clip.parameters()).device
    classes = class_embeddings(clip, partial(encode, context=clip.config.text.context), CLASSES, templates)
    return accuracy(embed_images(clip, images.to(device)) @ classes.T, labels.to(device))


def build(path=None, settings: TrainSettings = SETTINGS, seed: int = 0, **how) -> Card:
    """Train the shipped checkpoint and write it with its card to `data/checkpoints/clip` (or `path`).

    What is measured is what is shipped: the weights are rounded to fp16 first.
    """
    clip, history = learn(settings=settings, seed=seed, **how)
    if history.interrupted:
        raise KeyboardInterrupt("stopped before the end: nothing was shipped; the same command goes on")
    return ship(
        clip.cpu(), path or data_folder() / NAME, seed=seed, steps=history.done, minutes=history.minutes
    )


def ship(clip: CLIP, path, *, seed: int, steps: int, minutes: float, each: int = 30) -> Card:
    """Measure a trained CLIP on dev and test pairs and write it with its card to `path`."""
    half = clip.half().float().eval()
    metrics = {
        f"{s}_zero_shot_300": round(zero_shot_accuracy(half, s, each=each), 4) for s in ("dev", "test")
    }
    card = Card(
        architecture="clip", config=clip.config, seed=seed, steps=steps, data_version=DATA,
        metrics=metrics, minutes=round(minutes, 1), command=COMMAND, half=True,
    )  # fmt: skip
    return save_weights(half, path, card)


def load(device: str | None = None) -> CLIP:
    """The shipped CLIP, in eval mode. Raises WeightsError, with the command that rebuilds it, where it cannot
    be used.
    """
    clip = CLIP(CONFIG)
    load_weights(clip, data_path(f"{NAME}.safetensors"), architecture="clip", data_version=DATA)
    return clip.eval().to(pick_device(device))


if __name__ == "__main__":
    run = f"runs/clip-{DATA.replace('/', '-')}"
    print(build(checkpoint=run, evaluate=zero_shot_accuracy, evaluate_every=250).metrics)
