"""The classic toy bug: the paper's β, made for 1,000 steps, in a schedule of 100. Its cure, and its cause.

Σ β is then 1.0 instead of 10, and √ᾱ_T is 0.60: the most noised digit still shows, while sampling starts from
pure noise, which the network never saw.
"""

import torch

from lecture10.claims import Claim, Row, difference
from lecture10.experiments._digits import ASKED, batch, noise, real, trained
from lecture10.models.ddpm import Diffusion, ScheduleConfig
from lecture10.models.denoise import sample
from lecture10.recipes.digits import frechet

STEPS = 100
BUG, CURE, STARTED = "β as they stand", "β rescaled", "β as they stand, started from noised digits"
METRIC = "Fréchet distance"

HOW = {
    "slide": "Diffusion model: gradually add Gaussian noise",
    "minutes": 4,
    "seeds": 5,
    "pixels": 8,
    "runs": 2,
}
NOT_TESTED = (
    "pictures with colours and large flat parts, where the same bug shows as a wrong brightness; FID, which "
    "takes other features and 50,000 pictures"
)
CLAIMS = (
    Claim(
        "ddpm.schedule",
        says="In 100 steps with the β of 1,000, generated digits are further from real ones than with β "
        "rescaled by 1,000 / T.",
        effect=difference(BUG, CURE, metric=METRIC),
        margin=0.05,
        expects="shown",
        does_not_test=NOT_TESTED,
        **HOW,
    ),
    Claim(
        "ddpm.schedule.cause",
        says="The same badly scheduled network draws digits nearer to real ones when it starts from noised "
        "digits instead of pure noise: it is the start that is wrong.",
        effect=difference(BUG, STARTED, metric=METRIC),
        margin=0.05,
        expects="shown",
        does_not_test=NOT_TESTED,
        **HOW,
    ),
)


def run(seed: int, against=None) -> list[Row]:
    """One paired seed: two networks, one start; `against`: other digits to compare with (for pilots)."""
    x, rows = noise(seed), []
    for name, rescale in ((BUG, False), (CURE, True)):
        process = Diffusion(ScheduleConfig(STEPS, rescale=rescale))
        network, dice = trained(process, seed), torch.Generator().manual_seed(seed)
        starts = {name: x}
        if name == BUG:
            origin = batch_of(ASKED, seed)
            starts[STARTED] = process.add_noise(origin, x, STEPS - 1)
        for variant, start in starts.items():
            drawn = sample(network, process, start, generator=dice)
            rows.append(Row(variant, METRIC, frechet(drawn, against), seed, n=ASKED))
            rows.append(Row(variant, "paper, in 64 pixels", _paper(drawn), seed, n=ASKED))
        rows.append(Row(name, "√ᾱ of the last step", process.alpha_bars[-1].sqrt(), seed))
    rows.append(Row("training digits", METRIC, frechet(real(), against), seed, n=ASKED))
    rows.append(Row("training digits", "paper, in 64 pixels", _paper(real()), seed, n=ASKED))
    return rows


def batch_of(n: int, seed: int) -> torch.Tensor:
    """n training digits, drawn with replacement."""
    dice = torch.Generator().manual_seed(60_000 + seed)
    return torch.cat([batch(dice) for _ in range(-(-n // 128))])[:n]


def _paper(images: torch.Tensor) -> float:
    """How many of the 64 pixels are paper (below -0.9), on average."""
    return float((images < -0.9).float().mean()) * 64
