"""Pixels or latents, and how the words get in: small diffusion models of equal cost, many times.

The same U-Net (but for its first and last layer) denoises pixels, or latents with f = 2, 4, 8. Steps are
such that each costs the same on one core: a step of 64 took 3.41, 0.68, 0.19 and 0.08 seconds, and reading
the prompts 0.05 (measured before the first run). With f = 4 the words come by cross-attention, as one pooled
vector, or not at all.
"""

import time

from lecture10.claims import Claim, Row, difference
from lecture10.experiments import _ldm_small as small
from lecture10.recipes import ldm
from lecture10.recipes.autoencoder import latents_of
from lecture10.recipes.drawn import shares
from lecture10.world.draft import Habits
from lecture10.world.render import render
from lecture10.world.sample import sample
from lecture10.world.words import captions

STEPS = {1: 24, 2: 112, 4: 330, 8: 650}  # each about 80 seconds
NAMES = {1: "pixels", 2: "f = 2", 4: "f = 4", 8: "f = 8"}
THING, JOINT = "things there in their colour", "whole prompts"
BOUND, SPEED, COST = "things there after reconstruction", "pictures a second", "seconds of training"
GUIDANCE = 3.0

HOW = {"tier": "long", "minutes": 40, "seeds": 3, "pixels": small.SIZE, "runs": 6}
NOT_TESTED = (
    "training to the end: all of them are early; perceptual and adversarial losses of the autoencoder, whose "
    "own minutes are not counted"
)
CLAIMS = (
    Claim(
        "ldm.compression",
        slide="LDM: the diffusion process runs in latent space",
        says="At equal cost a diffusion model of latents with f = 4 draws more of the things asked for than "
        "one of pixels.",
        effect=difference(NAMES[4], NAMES[1], metric=THING),
        margin=0.05,
        paper="an FID gap of 38 between LDM-1 and LDM-8 after 2 M steps: Rombach et al. 2022, section 4.1",
        expects="shown",
        does_not_test=NOT_TESTED,
        **HOW,
    ),
    Claim(
        "ldm.compression.coarse",
        slide="LDM: the diffusion process runs in latent space",
        says="At equal cost f = 8 draws fewer of the things asked for than f = 4.",
        effect=difference(NAMES[4], NAMES[8], metric=THING),
        margin=0.05,
        paper="f = 4 to 8 strike the best balance: Rombach et al. 2022, section 4.1, on 256 × 256 pictures",
        expects="can't tell",
        does_not_test=NOT_TESTED,
        **HOW,
    ),
    Claim(
        "ldm.compression.bound",
        slide="LDM: the diffusion process runs in latent space",
        says="More things survive the reconstruction with f = 4 than with f = 8.",
        effect=difference(NAMES[4], NAMES[8], metric=BOUND),
        margin=0.05,
        expects="shown",
        does_not_test="other autoencoders: there is one for each f, so that seeds differ in pictures alone",
        **HOW,
    ),
    Claim(
        "ldm.conditioning",
        slide="LDM: Q from the picture, K and V from the text",
        says="Words that come by cross-attention get more things into their colours than one pooled vector.",
        effect=difference("cross-attention", "pooled", metric=THING),
        margin=0.05,
        expects="shown",
        does_not_test=NOT_TESTED,
        **HOW,
    ),
    Claim(
        "ldm.conditioning.words",
        slide="LDM: Q from the picture, K and V from the text",
        says="One pooled vector of the words gets more things into their colours than no words.",
        effect=difference("pooled", "none", metric=THING),
        margin=0.05,
        expects="shown",
        does_not_test=NOT_TESTED,
        **HOW,
    ),
)


def run(seed: int) -> list[Row]:
    """One paired seed: six trainings, all asked for the same prompts from noise of that seed."""
    rows = [row for f in STEPS for row in _bound(f, seed)]
    for f in STEPS:
        rows += _trained(NAMES[f], f, "cross-attention", seed)
    same = {THING, JOINT}
    rows += [
        Row("cross-attention", r.metric, r.value, seed, n=r.n)
        for r in rows
        if r.variant == NAMES[4] and r.metric in same
    ]
    for condition in ("pooled", "none"):
        rows += [r for r in _trained(condition, 4, condition, seed) if r.metric in same]
    return rows


def _trained(name: str, f: int, condition: str, seed: int) -> list[Row]:
    coder, _ = small.coder(f), small.latents(f)  # made before the clock starts
    start = time.perf_counter()
    model = small.trained(f, STEPS[f], seed, condition)
    cost = time.perf_counter() - start
    prompts = ldm.prompts_of(small.ASKED, 90 + seed, **small.KNOBS)
    start = time.perf_counter()
    drawn = ldm.draw(model, coder, prompts, guidance=GUIDANCE, seed=seed, size=small.SIZE)
    speed, found = len(prompts) / (time.perf_counter() - start), shares(drawn, prompts)
    numbers = {THING: found.noun * found.colour, JOINT: found.joint, SPEED: speed, COST: cost}
    return [Row(name, metric, value, seed, n=small.ASKED) for metric, value in numbers.items()]


def _bound(f: int, seed: int) -> list[Row]:
    """What the judge still sees of fresh pictures after encoding and decoding."""
    scenes = sample(small.ASKED, 90_000 + seed, **small.KNOBS)
    prompts = [c.text for c in captions(scenes, "short", seed, Habits(synonyms=False))]
    fine = [at for at, text in enumerate(prompts) if ldm.newness(text) == 0]
    coder = small.coder(f)
    back = coder.decode(latents_of(coder, render(scenes[fine], small.SIZE).image * 2 - 1)).detach()
    found = shares(back.clamp(-1, 1) / 2 + 0.5, [prompts[at] for at in fine])
    return [Row(NAMES[f], BOUND, found.noun * found.colour, seed, n=len(fine))]
