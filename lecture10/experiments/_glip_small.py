"""What GLIP's experiments share: the size of the nets, their training, and asking for every name."""

from collections.abc import Sequence

import torch
from torch import Tensor

from lecture10.devices import pick_device
from lecture10.models.glip import GLIP, GLIPConfig
from lecture10.models.grounding import phrase_scores
from lecture10.recipes.glip import learn
from lecture10.recipes.grounding import Batches, Painted, ask
from lecture10.training import TrainSettings

SIZE = 64  # pixels
SEPARATE, FUSED = GLIPConfig(fusion=False), GLIPConfig(fusion=True)
SETTINGS = TrainSettings(steps=450, lr=3e-3, weight_decay=0.05, betas=(0.9, 0.99), clip=5.0)
SCENES = 4000  # of a training pool
TEST_SEED = 700_000  # test pictures of seed s are drawn from TEST_SEED + 1000 s on
IN_ONE_PROMPT = 8  # categories, as in training


def trained(config: GLIPConfig, batches: Batches, seed: int, settings: TrainSettings = SETTINGS) -> GLIP:
    """A GLIP after its training, in eval mode."""
    how = {"quiet": True, "device": pick_device().type}
    return learn(config, settings, batches=batches, seed=seed, **how)[0].eval()


@torch.no_grad()
def asked_of_all(model: GLIP, pool: Painted, names: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Every picture asked for every name: boxes (B, N, 4), scores (B, N, names), for towers that do not fuse.

    A prompt holds eight names; it is read once, not once a picture. A class head is asked for its classes.
    """
    device, rows = next(model.parameters()).device, torch.arange(len(pool))
    chunks = [list(names[at : at + IN_ONE_PROMPT]) for at in range(0, len(names), IN_ONE_PROMPT)]
    if model.config.fusion and not model.config.classes:
        raise ValueError("a fused text depends on its picture: use recipes.glip.detect")
    boxes, scores = [], []
    for part in rows.split(100):
        images = pool.pictures(part).to(device)
        if model.config.classes:
            S, found = model(images)
            boxes.append(found.cpu())
            scores.append(S.sigmoid().cpu())
            continue
        said = []
        for chunk in chunks:
            asked = ask([chunk], model.config.context)
            ids, real = (x.expand(len(part), -1).to(device) for x in (asked.ids, asked.real))
            if not said:
                S, found = model(images, ids, real)
                O, _ = model.features(images, ids, real)
            P = text_of(model, ids[:1], real[:1])
            tokens = asked.phrase_tokens.to(device).expand(len(part), -1, -1)
            said.append(phrase_scores(model.align(O, P.expand(len(part), -1, -1)), tokens).cpu())
        boxes.append(found.cpu())
        scores.append(torch.cat(said, -1))
    return torch.cat(boxes), torch.cat(scores)


def text_of(model: GLIP, ids: Tensor, real: Tensor) -> Tensor:
    """P (B, M, D) of a text that no picture is fused into."""
    P = model.tokens(ids, real)
    for layer in model.layers:
        P = layer(P, real=real)
    return P
