"""What GLIP's experiments share: twelve nouns, so that a minute of training is enough; nets, prompts."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from lecture10.devices import pick_device
from lecture10.models.glip import GLIP, GLIPConfig
from lecture10.recipes import grounding
from lecture10.recipes.glip import learn
from lecture10.recipes.grounding import Batches, Painted, Writer
from lecture10.training import TrainSettings
from lecture10.world import vocabulary as v
from lecture10.world.splits import pairs

SIZE = 64  # pixels
NOUNS = (*v.SHAPES, *v.ANIMALS)
SEPARATE, FUSED = GLIPConfig(fusion=False), GLIPConfig(fusion=True)
SETTINGS = TrainSettings(steps=400, lr=3e-3, weight_decay=0.05, betas=(0.9, 0.99), clip=5.0)
SCENES = 4000  # of a training pool
TEST_SEED = 700_000  # test pictures of seed s are drawn from TEST_SEED + 1000 s on


def names(split: str, nouns: Sequence[str] = NOUNS) -> tuple[str, ...]:
    """The categories of a split: "blue bear"."""
    return tuple(f"{colour} {noun}" for noun, colour in pairs(split) if noun in nouns)


categories: Writer = partial(grounding.categories, names=names("train"))
referring: Writer = partial(grounding.referring, names=names("train"))


def drawn(n: int, seed: int, **knobs) -> Painted:
    """n scenes of the twelve nouns."""
    return grounding.painted(n, seed, SIZE, **({"nouns": NOUNS} | knobs))


def trained(config: GLIPConfig, batches: Batches, seed: int, settings: TrainSettings = SETTINGS) -> GLIP:
    """A GLIP after its training, in eval mode."""
    how = {"quiet": True, "device": pick_device().type}
    return learn(config, settings, batches=batches, seed=seed, **how)[0].eval()


@torch.no_grad()
def classes_asked(
    model: GLIP, pool: Painted, prompts: Sequence[Sequence[str]], classes: Sequence[str]
) -> tuple[Tensor, Tensor]:
    """What `glip_scores.asked_eight` says, of a class head: boxes (B, N, 4), scores (B, N, c), 0 where a
    picture is not asked for a class.
    """
    device, boxes, scores = next(model.parameters()).device, [], []
    for part in torch.arange(len(pool)).split(100):
        S, found = model(pool.pictures(part).to(device))
        boxes.append(found.cpu())
        scores.append(S.sigmoid().cpu())
    asked = torch.tensor([[name in prompt for name in classes] for prompt in prompts])
    return torch.cat(boxes), torch.cat(scores) * asked[:, None]
