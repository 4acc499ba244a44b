"""How many of the 1,000 steps must be taken, and by which method; and what to ask a network for: ε, x₀ or v.

One network for each target, each trained alike; the ε network is sampled by DDPM and DDIM (ours) and by
DPM-Solver++ (diffusers'). Digits are compared in the features of a small reader of digits; points of the
spiral by the sliced Wasserstein distance.
"""

import torch
from torch import Tensor, nn

from lecture10.claims import Claim, Row, difference
from lecture10.distances import sliced_wasserstein
from lecture10.experiments._digits import ASKED, noise, real, trained
from lecture10.models.ddpm import Diffusion
from lecture10.models.denoise import VectorConfig, VectorDenoiser, sample
from lecture10.pretrained.schedulers import sample_under, scheduler
from lecture10.recipes.denoising import learn, some_points, spiral
from lecture10.recipes.digits import frechet
from lecture10.training import TrainSettings

COUNTS = (2, 5, 10, 20, 50)
FEW, ALL = 10, 1000
FEWEST, MANY = 5, 100  # where targets are compared
DDPM, DDIM, SOLVER = "DDPM", "DDIM", "DPM-Solver++"
TARGETS = {"says ε": "eps", "says x₀": "x0", "says v": "v"}
METRIC, TARGET_METRIC = "Fréchet distance", "Fréchet distance, by target"
CLOUD = "sliced Wasserstein distance"
POINTS = 2000
CLOUD_SETTINGS = TrainSettings(steps=1000, lr=5e-3, weight_decay=0.01, ema=0.998)

HOW = {"slide": "Diffusion model: … and then reverse", "minutes": 6, "seeds": 5, "pixels": 8, "runs": 4}
NOT_TESTED = (
    "FID on CIFAR-10: our features are those of a small reader of digits, of 597 samples, and our networks "
    "are small; nothing is clipped"
)
CLAIMS = (
    Claim(
        "ddpm.steps",
        says="In 10 of 1,000 steps, DDIM draws digits nearer to real ones than DDPM, with the same network.",
        effect=difference(DDPM, DDIM, metric=METRIC, at=FEW),
        margin=0.1,
        paper="FID 41.07 (η = 1: DDPM's noise) against 13.36 (η = 0): DDIM, Table 1, CIFAR-10, S = 10",
        expects="shown",
        does_not_test=NOT_TESTED,
        **HOW,
    ),
    Claim(
        "ddpm.steps.solver",
        says="In 10 steps, DPM-Solver++ draws digits nearer to real ones than DDIM, with the same network.",
        effect=difference(DDIM, SOLVER, metric=METRIC, at=FEW),
        margin=0.05,
        expects="can't tell",
        does_not_test=NOT_TESTED + "; guidance, for which that solver was made",
        **HOW,
    ),
    Claim(
        "ddpm.steps.all",
        says="With all 1,000 steps, DDIM's digits are further from real ones than DDPM's.",
        effect=difference(DDIM, DDPM, metric=METRIC, at=ALL),
        margin=0.05,
        paper="FID 4.04 (η = 0) against 4.73 (η = 1): DDIM, Table 1, CIFAR-10, S = 1,000",
        expects="opposite",
        does_not_test=NOT_TESTED,
        **HOW,
    ),
    Claim(
        "ddpm.steps.cloud",
        says="In 10 steps, DDIM puts points nearer to the spiral than DDPM does, with the same network.",
        effect=difference(DDPM, DDIM, metric=CLOUD, at=FEW),
        margin=0.02,
        expects="shown",
        does_not_test="any picture: these are points in a plane",
        **HOW,
    ),
    Claim(
        "ddpm.target",
        says="In 100 DDPM steps, a network that says ε draws digits nearer to real ones than one "
        "that says x₀.",
        effect=difference("says x₀", "says ε", metric=TARGET_METRIC, at=MANY),
        margin=0.05,
        paper="DDPM, section 3.2: predicting x₀ led to worse sample quality early in the experiments",
        expects="opposite",
        does_not_test=NOT_TESTED + "; each target keeps its own unweighted loss",
        **HOW,
    ),
    Claim(
        "ddpm.target.few",
        says="In 5 DDIM steps, a network that says v draws digits nearer to real ones than one that says ε.",
        effect=difference("says ε", "says v", metric=TARGET_METRIC, at=FEWEST),
        margin=0.1,
        paper="Salimans & Ho 2022, section 4: ε breaks down as steps get few, v does not",
        expects="can't tell",
        does_not_test=NOT_TESTED + "; distillation, for which v was made",
        **HOW,
    ),
)


def run(seed: int, against: Tensor | None = None) -> list[Row]:
    """One paired seed: three networks of digits and one of points, all sampled from the same noise.

    against: other digits to compare with (for pilots).
    """
    process, x = Diffusion(), noise(seed)
    networks = {name: trained(process, seed, kind) for name, kind in TARGETS.items()}
    rows = [Row("training digits", METRIC, frechet(real(), against), seed, n=ASKED)]
    for name, count, drawn in drawings(networks["says ε"], process, x, seed):
        rows.append(Row(name, METRIC, frechet(drawn, against), seed, at=count, n=ASKED))
    for name in TARGETS:
        for method, count in (("ddim", FEWEST), ("ddpm", MANY)):
            how = {"method": method, "steps": count, "kind": TARGETS[name]}
            drawn = sample(networks[name], process, x, generator=torch.Generator().manual_seed(seed), **how)
            rows.append(Row(name, TARGET_METRIC, frechet(drawn, against), seed, at=count, n=ASKED))
    return rows + cloud(process, seed)


def drawings(network: nn.Module, process: Diffusion, x: Tensor, seed: int, most: int = ALL):
    """(method, steps, samples) of the three methods at every count; `most` steps by our two methods only."""
    for count in COUNTS:
        yield SOLVER, count, sample_under(scheduler(process, "dpm++"), network, x, count)
    for name in (DDPM, DDIM):
        for count in (*COUNTS, most):
            dice = torch.Generator().manual_seed(seed)
            yield name, count, sample(network, process, x, method=name.lower(), steps=count, generator=dice)


def cloud(process: Diffusion, seed: int) -> list[Row]:
    """The same question of points on a spiral, whose distribution is known exactly."""
    torch.manual_seed(seed)
    network = VectorDenoiser(VectorConfig(width=96))
    learn(network, process, some_points, CLOUD_SETTINGS, seed=seed, quiet=True, device="cpu")
    dice = torch.Generator().manual_seed(70_000 + seed)
    fresh, again, x = spiral(POINTS, dice), spiral(POINTS, dice), torch.randn(POINTS, 2, generator=dice)
    rows = [Row("fresh points", CLOUD, sliced_wasserstein(again, fresh), seed, n=POINTS)]
    for name, count, drawn in drawings(network, process, x, seed, most=200):
        rows.append(Row(name, CLOUD, sliced_wasserstein(drawn, fresh), seed, at=count, n=POINTS))
    return rows
