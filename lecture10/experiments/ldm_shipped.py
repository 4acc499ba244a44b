"""The shipped text-to-picture model: guidance, prompts ever further from training's, parts and the whole.

Nothing is trained here. A seed draws fresh prompts and noise, so that the intervals tell how the answers vary
from prompt to prompt, and not how they would vary from training to training.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from lecture10.claims import Claim, Row, difference
from lecture10.models.clip import CLIP
from lecture10.recipes import autoencoder, clip, ldm
from lecture10.recipes.drawn import Shares, shares

SCALES = (1.0, 1.5, 2.0, 3.0, 5.0, 7.5, 10.0)
PROMPTS, EACH, ASKED = 25, 4, 100  # where guidance varies: prompts and pictures of each; elsewhere: prompts
GUIDANCE, STEPS = 3.0, 20
NEW = ("no new pair", "one new pair", "two new pairs")
WHOLE, DIVERSITY = "whole prompt", "diversity"
PRODUCT = "product of its parts"

HOW = {"minutes": 9, "seeds": 5, "pixels": 64, "runs": 0}
CLAIMS = (
    Claim(
        "ldm.guidance",
        slide="LDM: conditioning",
        says="With a guidance scale of 3 more prompts are followed as a whole than without guidance.",
        effect=difference("w = 3", "w = 1", metric=WHOLE),
        margin=0.05,
        paper="COCO FID 23.31 without, 12.63 with guidance: Rombach et al. 2022, Table 2 (1.45 B parameters)",
        expects="shown",
        does_not_test="other trainings: this is one network; FID, and pictures that people like",
        **HOW,
    ),
    Claim(
        "ldm.guidance.diversity",
        slide="LDM: conditioning",
        says="With a guidance scale of 10 four pictures of one prompt are more alike than without guidance.",
        effect=difference("w = 1", "w = 10", metric=DIVERSITY),
        margin=0.02,
        expects="shown",
        does_not_test="diversity that our small CLIP does not see (1 - mean cosine of its embeddings)",
        **HOW,
    ),
    Claim(
        "ldm.distance",
        slide="LDM: text to picture",
        says="Prompts of two pairs that training never showed are followed as a whole less often than those "
        "of training's pairs.",
        effect=difference(NEW[0], NEW[2], metric=WHOLE),
        margin=0.05,
        expects="shown",
        does_not_test="new nouns, new colours, new relations: only their combination is new",
        **HOW,
    ),
    Claim(
        "ldm.joint",
        slide="LDM: text to picture",
        says="The parts of a prompt fail together: more prompts are followed as a whole than the product "
        "of the parts' rates.",
        effect=difference(WHOLE, PRODUCT, metric=NEW[0]),
        margin=0.05,
        paper="joint accuracy is the product of the single ones: Okawa et al. 2023, in a world of shapes",
        expects="no difference",
        does_not_test="prompts of three things or more",
        **HOW,
    ),
)


def run(seed: int) -> list[Row]:
    """Fresh prompts and noise for the shipped model."""
    model, decoder = ldm.load("cpu"), autoencoder.load("cpu")
    rows = []
    for new, name in enumerate(NEW):
        prompts = ldm.prompts_of(ASKED, 500 + seed, new)
        found = shares(ldm.draw(model, decoder, prompts, guidance=GUIDANCE, steps=STEPS, seed=seed), prompts)
        rows += _rows(name, found, seed)
        rows += [Row(who, name, value, seed, n=ASKED) for who, value in
                 ((WHOLE, found.joint), (PRODUCT, found.product))]  # fmt: skip
    reader = clip.load("cpu")
    prompts = [p for p in ldm.prompts_of(PROMPTS, 600 + seed) for _ in range(EACH)]
    for w in SCALES:
        drawn = ldm.draw(model, decoder, prompts, guidance=w, steps=STEPS, seed=seed)
        rows += _rows(f"w = {w:g}", shares(drawn, prompts), seed)
        rows.append(Row(f"w = {w:g}", DIVERSITY, diversity(reader, drawn), seed, n=PROMPTS))
    return rows


def _rows(name: str, found: Shares, seed: int) -> list[Row]:
    numbers = {"noun": found.noun, "colour": found.colour, "relation": found.relation, WHOLE: found.joint}
    return [Row(name, metric, value, seed, n=found.n) for metric, value in numbers.items()]


@torch.no_grad()
def diversity(reader: CLIP, drawn: Tensor, each: int = EACH) -> float:
    """1 - mean cosine of the embeddings of `each` pictures in a row, over all pairs of unlike ones."""
    said = F.normalize(reader.embed_images(drawn), dim=-1).unflatten(0, (-1, each))  # (prompts, each, E)
    alike = said @ said.mT  # (prompts, each, each)
    apart = ~torch.eye(each, dtype=torch.bool)
    return 1 - float(alike[:, apart].mean())
