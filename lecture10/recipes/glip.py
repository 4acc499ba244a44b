"""GLIP at laptop size: this world, this model, this training. Rebuilds the shipped checkpoint:

python -m lecture10.recipes.glip
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torchvision.ops import box_iou

from lecture10.devices import pick_device
from lecture10.models.glip import GLIP, GLIPConfig
from lecture10.models.grounding import Found, grounding_loss, phrase_scores, pick
from lecture10.paths import data_folder, data_path
from lecture10.recipes.grounding import (
    Batches,
    Painted,
    Prompt,
    ask,
    categories,
    painted,
    referring,
    targets,
    told,
)
from lecture10.training import Card, History, TrainSettings, load_weights, save_weights, train
from lecture10.world import WORLD_VERSION

NAME = "checkpoints/glip"
DATA = f"{WORLD_VERSION}/captions-512"
CONFIG = GLIPConfig()
SETTINGS = TrainSettings(steps=3000, lr=2e-3, weight_decay=0.05, betas=(0.9, 0.99), clip=5.0)
SCENES = 12_000  # painted once, then asked about again and again
WRITERS = (categories, told, referring)
COMMAND = "python -m lecture10.recipes.glip"


def loss(model: GLIP, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    """GLIP's loss of a batch of `Batches`, and its two parts."""
    owner, target = targets(batch, model.config.grid)
    S, boxes = model(batch["image"], batch["ids"], batch["real"])
    return grounding_loss(S, boxes, batch["boxes"], owner, target, batch["real"])


def scenes(n: int, seed: int, *, twins: float = 0.5, size: int = CONFIG.image_size) -> Painted:
    """The training pictures: one to four things, and as many pictures of three, of which two may be twins."""
    few = int(n * twins)
    return Painted.cat([
        painted(n - few, 2 * seed, size, things=(1, 4), styles=("photo", "photo2")),
        painted(few, 2 * seed + 1, size, things=3, repeat=0.5, related=0.2),
    ])  # fmt: skip


def learn(
    config: GLIPConfig = CONFIG,
    settings: TrainSettings = SETTINGS,
    *,
    batches: Batches | None = None,
    seed: int = 0,
    **how,
) -> tuple[GLIP, History]:
    """A fresh GLIP trained on `batches` (default: the shipped one's); `how` is handed to `train`."""
    batches = batches or Batches(scenes(SCENES, seed), WRITERS)
    torch.manual_seed(seed)
    model = GLIP(config)
    how = {"count": _count, "unit": "pictures", "label": "glip"} | how
    return model, train(model, loss, batches, settings, seed=seed, **how)


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

    boxes: (B, 6, 4). The usual score of referring expressions; a guess among two twins is right half the time.
    """
    right = []
    for (found, scores), truth, prompt in zip(ground(model, images, prompts), boxes, prompts, strict=True):
        best = found[scores[:, 0].argmax()].clamp(0, 1)
        right.append(box_iou(best[None], truth[list(prompt.things[0])]).max() >= 0.5)
    return torch.stack(right)
