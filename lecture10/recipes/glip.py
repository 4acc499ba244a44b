"""GLIP at laptop size: this world, this model, this training. Rebuilds the shipped checkpoint:

python -m lecture10.recipes.glip
"""

import random
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor
from torchvision.ops import box_iou

from lecture10.devices import pick_device
from lecture10.models.glip import GLIP, GLIPConfig
from lecture10.models.grounding import Found, expand_target, grounding_loss, phrase_scores, pick
from lecture10.paths import data_folder, data_path
from lecture10.recipes.grounding import (
    Batches,
    Painted,
    Prompt,
    ask,
    categories,
    painted,
    referring,
    refers,
    targets,
    told,
)
from lecture10.training import Card, History, TrainSettings, load_weights, save_weights, train
from lecture10.world import WORLD_VERSION
from lecture10.world.splits import pairs

NAME = "checkpoints/glip"
DATA = f"{WORLD_VERSION}/captions-512"
CONFIG = GLIPConfig()
SETTINGS = TrainSettings(steps=2500, lr=2e-3, weight_decay=0.05, betas=(0.9, 0.99), clip=5.0)
SCENES = 12_000  # painted once, then asked about again and again
WRITERS = (categories, told, referring)
TWINS = {"things": 4, "repeat": 0.5, "related": 0.0}  # four things, of which some are alike
COMMAND = "python -m lecture10.recipes.glip"


def loss(
    model: GLIP, batch: dict[str, Tensor], *, expand: Callable[[Tensor, Tensor], Tensor] = expand_target
) -> tuple[Tensor, dict[str, Tensor]]:
    """GLIP's loss of a batch of `Batches`, and its two parts. expand: T -> T′."""
    owner, target = targets(batch, model.config.grid, expand)
    S, boxes = model(batch["image"], batch["ids"], batch["real"])
    return grounding_loss(S, boxes, batch["boxes"], owner, target, batch["real"])


def scenes(n: int, seed: int, *, twins: float = 0.5, size: int = CONFIG.image_size) -> Painted:
    """The training pictures: a share of `twins` holds four things, often alike; the others one to four."""
    few = int(n * twins)
    return Painted.cat([
        painted(n - few, 2 * seed, size, things=(1, 4), styles=("photo", "photo2")),
        painted(few, 2 * seed + 1, size, **TWINS),
    ])  # fmt: skip


def learn(
    config: GLIPConfig = CONFIG,
    settings: TrainSettings = SETTINGS,
    *,
    batches: Batches | None = None,
    seed: int = 0,
    expand: Callable[[Tensor, Tensor], Tensor] = expand_target,
    **how,
) -> tuple[GLIP, History]:
    """A fresh GLIP trained on `batches` (default: the shipped one's); `how` is handed to `train`.

    expand: T -> T′, such as a notebook's edited one.
    """
    batches = batches or Batches(scenes(SCENES, seed), WRITERS)
    torch.manual_seed(seed)
    model = GLIP(config)
    how = {"count": _count, "unit": "pictures", "label": "glip"} | how
    return model, train(model, partial(loss, expand=expand), batches, settings, seed=seed, **how)


def _count(batch: dict[str, Tensor]) -> int:
    return len(batch["image"])


@torch.no_grad()
def ground(
    model: GLIP, images: Tensor, prompts: Sequence[Prompt | Sequence[str]], *, part: int = 100
) -> list[tuple[Tensor, Tensor]]:
    """For each picture its regions' boxes (N, 4) and scores (N, c) of its prompt's phrases.

    images: (B, 3, S, S) in [0, 1]; prompts: one for each picture.
    """
    device, out = next(model.parameters()).device, []
    for at in range(0, len(images), part):
        asked = ask(prompts[at : at + part], model.config.context)
        S, boxes = model(images[at : at + part].to(device), asked.ids.to(device), asked.real.to(device))
        for row, prompt in enumerate(prompts[at : at + part]):
            count = len(prompt.spans) if isinstance(prompt, Prompt) else len(prompt)
            tokens = asked.phrase_tokens[row, :count].to(device)
            out.append((boxes[row].cpu(), phrase_scores(S[row], tokens).cpu()))
    return out


def detect(model: GLIP, images: Tensor, phrases: Sequence[str], **how) -> list[Found]:
    """What is found of the same phrases in each picture; `how` as for `models.grounding.pick`."""
    return [pick(*found, **how) for found in ground(model, images, [list(phrases)] * len(images))]


def best_is_right(model: GLIP, images: Tensor, boxes: Tensor, prompts: Sequence[Prompt]) -> Tensor:
    """(B,) bool: whether the surest region of each prompt's first phrase has IoU ≥ 0.5 with a thing it means.

    boxes: (B, 6, 4). The usual score of referring expressions; a guess among twins is right half the time.
    """
    right = []
    for (found, scores), truth, prompt in zip(ground(model, images, prompts), boxes, prompts, strict=True):
        best = found[scores[:, 0].argmax()].clamp(0, 1)
        right.append(box_iou(best[None], truth[list(prompt.things[0])]).max() >= 0.5)
    return torch.stack(right)


def build(path=None, settings: TrainSettings = SETTINGS, seed: int = 0, **how) -> Card:
    """Train the shipped checkpoint and write it with its card to `data/checkpoints/glip` (or `path`)."""
    model, history = learn(settings=settings, seed=seed, **how)
    if history.interrupted:
        raise KeyboardInterrupt("stopped before the end: nothing was shipped; the same command goes on")
    return ship(
        model.cpu(), path or data_folder() / NAME, seed=seed, steps=history.done, minutes=history.minutes
    )


def ship(model: GLIP, path, *, seed: int, steps: int, minutes: float, n: int = 300) -> Card:
    """Measure a trained GLIP and write it with its card to `path`; the weights are rounded to fp16 first.

    Measured: AP50 of a picture's categories among eight that are asked for, on fresh pictures of pairs of
    training, dev and test; and how often a phrase of a kind (plain, place, relation) finds its thing.
    """
    from lecture10.recipes.glip_scores import detection  # which reads this module

    half, size, metrics = model.half().float().eval(), model.config.image_size, {}
    for split in ("train", "dev", "test"):
        pool = painted(n, 500_000, size, things=(1, 3), split=split)
        names = [f"{colour} {noun}" for noun, colour in pairs(split)]
        metrics[f"{split}_AP50_of_8"] = round(detection(half, pool, names)["AP50"], 4)
    metrics |= {kind: round(share, 4) for kind, (share, _) in phrases_found(half, n=n).items()}
    card = Card(
        architecture="glip", config=model.config, seed=seed, steps=steps, data_version=DATA,
        metrics=metrics, minutes=round(minutes, 1), command=COMMAND, half=True,
    )  # fmt: skip
    return save_weights(half, path, card)


def phrases_found(
    model: GLIP, pool: Painted | None = None, *, n: int = 300, seed: int = 0
) -> dict[str, tuple[float, int]]:
    """Kind of phrase -> (share whose surest box is right, how many), one phrase of a kind a picture.

    pool: pictures (default: n fresh ones of four things, many of them twins). Sides only where another thing
    lies further out.
    """
    pool = pool or painted(n, 600_000 + seed, model.config.image_size, **TWINS)
    dice, shares = random.Random(seed), {}
    for kind in ("plain", "place", "relation"):
        asked = {b: dice.choice(f) for b in range(len(pool)) if (f := refers(pool.things(b), True)[kind])}
        rows = torch.tensor(list(asked))
        right = best_is_right(model, pool.pictures(rows), pool.boxes[rows], list(asked.values()))
        shares[kind] = (float(right.float().mean()), len(right))
    return shares


def load(device: str | None = None) -> GLIP:
    """The shipped GLIP, in eval mode. Raises WeightsError, with the command that rebuilds it, where it cannot
    be used.
    """
    model = GLIP(CONFIG)
    load_weights(model, data_path(f"{NAME}.safetensors"), architecture="glip", data_version=DATA)
    return model.eval().to(pick_device(device))


if __name__ == "__main__":
    print(build(checkpoint=f"runs/glip-{DATA.replace('/', '-')}").metrics)
