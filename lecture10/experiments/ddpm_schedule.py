"""The classic toy bug: the paper's β, made for 1,000 steps, in a schedule of 100. Its cure, and its cause.

Σ β is then 1.0 instead of 10, and √ᾱ_T is 0.60: the most noised picture still shows how bright it was, while
sampling starts from pure noise, which tells "medium" every time. So the digits here are lit: fainter ones, on
paper of every brightness. Lin et al. 2024 found the same in Stable Diffusion, whose √ᾱ_T is 0.07.
"""

from dataclasses import replace

import torch
from torch import Tensor

from lecture10.claims import Claim, Row, difference
from lecture10.experiments._digits import ASKED, CONFIG, SETTINGS, batch, noise
from lecture10.models.ddpm import Diffusion, ScheduleConfig
from lecture10.models.denoise import VectorDenoiser, sample
from lecture10.recipes.denoising import learn

STEPS = 100
TRAINING = replace(SETTINGS, steps=1200)
BUG, CURE, STARTED = "β as they stand", "β rescaled", "β as they stand, started from noised digits"
METRIC = "spread of brightness"

HOW = {
    "slide": "Diffusion model: gradually add Gaussian noise",
    "minutes": 2,
    "seeds": 5,
    "pixels": 8,
    "runs": 2,
}
NOT_TESTED = (
    "plain digits, which are all about as bright, and where a wrong start is harder to see; how pictures "
    "look otherwise"
)
CLAIMS = (
    Claim(
        "ddpm.schedule",
        says="In 100 steps with the β of 1,000, generated digits are less different in brightness than with "
        "β rescaled by 1,000 / T.",
        effect=difference(CURE, BUG, metric=METRIC),
        margin=0.1,
        expects="shown",
        does_not_test=NOT_TESTED,
        **HOW,
    ),
    Claim(
        "ddpm.schedule.cause",
        says="The same badly scheduled network draws digits as different in brightness as they should be "
        "when it starts from noised digits instead of pure noise: it is the start that is wrong.",
        effect=difference(STARTED, BUG, metric=METRIC),
        margin=0.1,
        expects="shown",
        does_not_test=NOT_TESTED,
        **HOW,
    ),
)


def lit(generator: torch.Generator) -> Tensor:
    """A batch of training digits at half their contrast, each with a brightness of its own from -1 to 1."""
    digits = batch(generator)
    return digits / 2 + 2 * torch.rand(len(digits), 1, 1, 1, generator=generator) - 1


def spread(images: Tensor) -> float:
    """The standard deviation of the pictures' mean levels, lit training digits having 1."""
    return float(images.mean((1, 2, 3)).std() / many(20_000, 0).mean((1, 2, 3)).std())


def many(n: int, seed: int) -> Tensor:
    """n lit training digits of that seed."""
    dice = torch.Generator().manual_seed(60_000 + seed)
    return torch.cat([lit(dice) for _ in range(-(-n // 128))])[:n]


def trained(process: Diffusion, seed: int) -> VectorDenoiser:
    """A fresh network of that seed, trained to say the noise of lit digits."""
    torch.manual_seed(seed)
    network = VectorDenoiser(CONFIG)
    learn(network, process, lit, TRAINING, seed=seed, quiet=True, device="cpu")
    return network


def run(seed: int) -> list[Row]:
    """One paired seed: two networks, one start."""
    x, real = noise(seed), many(ASKED, 1 + seed)
    rows = [Row("training digits", METRIC, spread(real), seed, n=ASKED)]
    for name, rescale in ((BUG, False), (CURE, True)):
        process = Diffusion(ScheduleConfig(STEPS, rescale=rescale))
        network, starts = trained(process, seed), {name: x}
        if name == BUG:
            starts[STARTED] = process.add_noise(real, x, STEPS - 1)
        for variant, start in starts.items():
            drawn = sample(network, process, start, generator=torch.Generator().manual_seed(seed))
            rows.append(Row(variant, METRIC, spread(drawn), seed, n=ASKED))
        rows.append(Row(name, "√ᾱ of the last step", process.alpha_bars[-1].sqrt(), seed))
    return rows
