"""The VAEs of 11_diffusion: squares somewhere, handwritten digits, the little world in 16 × 16.

Rebuilds the shipped checkpoint, one file with all of them (two minutes on one core):

python -m lecture10.recipes.vae
"""

import itertools

import torch
from torch import Tensor, nn

from lecture10.models.vae import VAE, VAEConfig, elbo_loss
from lecture10.paths import data_folder, data_path
from lecture10.recipes import digits as handwriting
from lecture10.training import BatchSource, Card, History, TrainSettings, load_weights, save_weights, train

NAME = "checkpoints/vae"
DATA = f"squares/1, {handwriting.DATA}"
COMMAND = "python -m lecture10.recipes.vae"
SIZE, SIDE = 12, 4  # pixels of a picture, and of its square: 81 places
SIGMAS = (1.0, 2.0, 3.0)  # of the squares' p(x|z)
SQUARES = {sigma: VAEConfig((1, SIZE, SIZE), latent=2, width=128, sigma=sigma) for sigma in SIGMAS}
DIGITS = VAEConfig()
SQUARES_SETTINGS = TrainSettings(steps=1000, lr=2e-3, weight_decay=0.0)
DIGITS_SETTINGS = TrainSettings(steps=1500, lr=2e-3, weight_decay=0.01)


def squares() -> Tensor:
    """Every picture there is: (81, 1, 12, 12), ink 1 in a square of 4 × 4, paper -1."""
    places = range(SIZE - SIDE + 1)
    images = torch.full((len(places) ** 2, 1, SIZE, SIZE), -1.0)
    for image, (top, left) in zip(images, itertools.product(places, places), strict=True):
        image[0, top : top + SIDE, left : left + SIDE] = 1.0
    return images


def some_squares(generator: torch.Generator) -> Tensor:
    """A batch of 128."""
    known = squares()
    return known[torch.randint(len(known), (128,), generator=generator)]


def some_digits(generator: torch.Generator) -> Tensor:
    """A batch of 128 training digits."""
    return handwriting.draw(generator, 128)[0]


def learn(
    config: VAEConfig, batches: BatchSource, settings: TrainSettings, *, seed: int = 0, **how
) -> tuple[VAE, History]:
    """A fresh VAE of that seed, trained on the bound; `how` is handed to `train`."""
    torch.manual_seed(seed)
    vae = VAE(config)

    def loss(model: VAE, x: Tensor) -> Tensor:
        return elbo_loss(model, x, torch.randn(len(x), config.latent, device=x.device))

    return vae, train(vae, loss, batches, settings, seed=seed, **({"label": "VAE"} | how))


class Shipped(nn.ModuleDict):
    """All shipped VAEs in one file."""

    def __init__(self):
        super().__init__({f"squares_{sigma:g}": VAE(config) for sigma, config in SQUARES.items()})
        self["digits"] = VAE(DIGITS)
        self.config = {name: vae.config.sigma for name, vae in self.items()}


@torch.no_grad()
def bound(vae: VAE, x: Tensor, seed: int = 0) -> float:
    """The bound on x, nats a datum, one draw each."""
    noise = torch.randn(len(x), vae.config.latent, generator=torch.Generator().manual_seed(seed))
    return float(vae.elbo(x, noise).mean())


def build(path=None, seed: int = 0, settings: TrainSettings | None = None, **how) -> Card:
    """Train the shipped VAEs and write them with one card; measured is what is shipped (fp16)."""
    shipped, steps, minutes = Shipped(), 0, 0.0
    for name in shipped:
        of_digits = name == "digits"
        default = DIGITS_SETTINGS if of_digits else SQUARES_SETTINGS
        batches = some_digits if of_digits else some_squares
        shipped[name], history = learn(
            shipped[name].config, batches, settings or default, seed=seed, label=name, device="cpu", **how
        )
        steps, minutes = steps + history.done, minutes + history.minutes
    half = shipped.half().float().eval()
    metrics = {f"{name}_bound": round(bound(half[name], squares()), 2) for name in half if name != "digits"}
    metrics["digits_held_out_bound"] = round(bound(half["digits"], handwriting.digits("held out")[0]), 2)
    card = Card(
        architecture="vae", config=half.config, seed=seed, steps=steps, data_version=DATA, metrics=metrics,
        minutes=round(minutes, 1), command=COMMAND, half=True,
    )  # fmt: skip
    return save_weights(half, path or data_folder() / NAME, card)


def load() -> Shipped:
    """The shipped VAEs, in eval mode, on the CPU. Raises WeightsError where they cannot be used."""
    shipped = Shipped()
    load_weights(shipped, data_path(f"{NAME}.safetensors"), architecture="vae", data_version=DATA)
    return shipped.eval()


if __name__ == "__main__":
    print(build().metrics)
