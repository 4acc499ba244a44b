"""Why a VAE's pictures are blurred: where it cannot tell positions apart, it says their average.

First on squares of which every picture there can be is known, so that the best answer is known too: the mean
of all pictures, each by how likely it would have been sent to this z. Then on real digits, beside a diffusion
model.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from lecture10.claims import Claim, Row, difference
from lecture10.experiments._digits import ASKED, batch, noise, trained
from lecture10.models.ddpm import Diffusion
from lecture10.models.denoise import sample
from lecture10.models.vae import bayes_average
from lecture10.recipes.digits import digits
from lecture10.recipes.vae import (
    DIGITS,
    DIGITS_SETTINGS,
    SIZE,
    SQUARES,
    SQUARES_SETTINGS,
    learn,
    some_squares,
    squares,
)

SIGMA = 2.0  # of the squares' p(x|z)
STEPS = 100  # of the diffusion model's 1,000
DETAIL, APART = "fine detail", "rms distance"
DIFFUSION, DRAWN, REBUILT = "diffusion", "VAE, drawn", "VAE, rebuilt"

HOW = {"slide": "Diffusion model: VAE: maximize variational lower bound", "minutes": 2, "seeds": 5, "runs": 3}
CLAIMS = (
    Claim(
        "vae.blur",
        says="Digits drawn by a VAE have less fine detail than digits drawn by a diffusion model.",
        effect=difference(DIFFUSION, DRAWN, metric=DETAIL),
        margin=0.05,
        expects="shown",
        does_not_test="VAEs with many levels of latents, learnt noise or an adversary, which blur far less",
        pixels=8,
        **HOW,
    ),
    Claim(
        "vae.blur.average",
        says="What a VAE draws of a square somewhere is nearer to the average over places than to any "
        "one picture.",
        effect=difference("nearest picture", "average over places", metric=APART),
        margin=0.1,
        expects="shown",
        does_not_test="uncertainty about more than a place",
        pixels=SIZE,
        **HOW,
    ),
)


def detail(images: Tensor) -> float:
    """Fine detail: mean square of a pixel minus the mean of its four neighbours; real digits have 1."""
    return _rough(images) / _rough(digits("train")[0])


def _rough(images: Tensor) -> float:
    kernel = torch.tensor([[0.0, 0.25, 0.0], [0.25, -1.0, 0.25], [0.0, 0.25, 0.0]])
    return float(F.conv2d(images, kernel[None, None]).square().mean())


@torch.no_grad()
def run(seed: int, against: Tensor | None = None) -> list[Row]:
    """A paired seed: a VAE of squares, a VAE and a diffusion model of digits (against: what to rebuild)."""
    return [*_of_squares(seed), *_of_digits(seed, against)]


def _of_squares(seed: int) -> list[Row]:
    config = SQUARES[SIGMA]
    with torch.enable_grad():
        vae, _ = learn(config, some_squares, SQUARES_SETTINGS, seed=seed, quiet=True, device="cpu")
    known, dice = squares(), torch.Generator().manual_seed(80_000 + seed)
    z = torch.randn(500, config.latent, generator=dice)
    said = vae.decode(z)
    best = bayes_average(vae, z, known)
    nearest = torch.cdist(said.flatten(1), known.flatten(1)).min(1).values / SIZE  # rms over 144 pixels
    average = (said - best).flatten(1).norm(dim=1) / SIZE
    return [
        Row("nearest picture", APART, nearest.mean(), seed, n=len(z)),
        Row("average over places", APART, average.mean(), seed, n=len(z)),
    ]


def _of_digits(seed: int, against: Tensor | None) -> list[Row]:
    process = Diffusion()
    with torch.enable_grad():
        vae, _ = learn(DIGITS, batch, DIGITS_SETTINGS, seed=seed, quiet=True, device="cpu")
        network = trained(process, seed)
    held_out = digits("held out")[0] if against is None else against
    dice = torch.Generator().manual_seed(90_000 + seed)
    drawn = {
        DIFFUSION: sample(network, process, noise(seed), steps=STEPS, generator=dice),
        DRAWN: vae.decode(torch.randn(ASKED, DIGITS.latent, generator=dice)),
        REBUILT: vae.decode(vae.encode(held_out)[0]),
        "held-out digits": held_out,
    }
    return [Row(name, DETAIL, detail(images), seed, n=len(images)) for name, images in drawn.items()]
