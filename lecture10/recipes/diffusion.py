"""The diffusion models of 11_diffusion: a cloud of points, handwritten digits, the little world in 16 × 16.

Rebuilds the shipped checkpoints, all or the named ones, each under 15 minutes on one core:

python -m lecture10.recipes.diffusion            (or: … points digits world)
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

from lecture10.devices import pick_device
from lecture10.distances import sliced_wasserstein
from lecture10.models.ddpm import Diffusion, ScheduleConfig
from lecture10.models.denoise import VectorConfig, VectorDenoiser, sample
from lecture10.models.unet import UNet, UNetConfig
from lecture10.names import unknown
from lecture10.paths import data_folder, data_path
from lecture10.recipes import digits as handwriting
from lecture10.recipes.denoising import learn, some_points, spiral
from lecture10.training import BatchSource, Card, TrainSettings, load_weights, save_weights
from lecture10.world import WORLD_VERSION
from lecture10.world.render import render
from lecture10.world.sample import sample as scenes

COMMAND = "python -m lecture10.recipes.diffusion"
WORLD_SIZE = 16
WORLD_KNOBS = {
    "things": 1,
    "nouns": ("ball", "star", "heart", "ring", "cat", "house"),
    "materials": "plain",
    "sizes": "large",
    "backdrops": "studio",
}


def some_digits(generator: torch.Generator, n: int = 64) -> Tensor:
    """A batch of training digits (n, 1, 8, 8) in [-1, 1]."""
    return handwriting.draw(generator, n)[0]


@cache
def world_pictures() -> Tensor:
    """8,000 pictures of one large plain thing each, (8000, 3, 16, 16) in [-1, 1]; training pairs only."""
    drawn = [render(scenes(500, seed, **WORLD_KNOBS), WORLD_SIZE).image for seed in range(16)]
    return torch.cat(drawn) * 2 - 1


def some_world(generator: torch.Generator, n: int = 48) -> Tensor:
    """A batch of the world's pictures, drawn with replacement."""
    known = world_pictures()
    return known[torch.randint(len(known), (n,), generator=generator)]


@dataclass(frozen=True)
class Recipe:
    """One shipped model. build: config -> network; shape: of one datum; data: the version it learnt from."""

    config: VectorConfig | UNetConfig
    build: Callable[[object], nn.Module]
    shape: tuple[int, ...]
    schedule: ScheduleConfig
    batches: BatchSource
    settings: TrainSettings
    data: str

    @property
    def process(self) -> Diffusion:
        """Its schedule, with all that follows from it."""
        return Diffusion(self.schedule)

    def noise(self, n: int, seed: int = 0) -> Tensor:
        """(n, …) pure noise of that seed: where the way back starts."""
        return torch.randn(n, *self.shape, generator=torch.Generator().manual_seed(seed))


RECIPES = {
    "points": Recipe(
        VectorConfig(width=96), VectorDenoiser, (2,), ScheduleConfig(), some_points,
        TrainSettings(steps=1600, lr=5e-3, weight_decay=0.01, ema=0.995), "spiral/2",
    ),
    "digits": Recipe(
        UNetConfig(1, (16, 32), heads=2, groups=4), UNet, (1, 8, 8), ScheduleConfig(), some_digits,
        TrainSettings(steps=2200, lr=2e-3, weight_decay=0.01, ema=0.998), handwriting.DATA,
    ),
    "world": Recipe(
        UNetConfig(3, (32, 64)), UNet, (3, WORLD_SIZE, WORLD_SIZE), ScheduleConfig(kind="cosine"), some_world,
        TrainSettings(steps=1500, lr=2e-3, weight_decay=0.01, ema=0.998), WORLD_VERSION,
    ),
}  # fmt: skip


def recipe(name: str) -> Recipe:
    """The recipe "points", "digits" or "world". Raises ValueError for another name."""
    if name not in RECIPES:
        raise ValueError(unknown("recipe", name, RECIPES))
    return RECIPES[name]


def load(name: str, device: str | None = None) -> nn.Module:
    """A shipped network, in eval mode. Raises WeightsError, with the command that rebuilds it, where it
    cannot be used.
    """
    made = recipe(name)
    network = made.build(made.config)
    path = data_path(f"checkpoints/diffusion_{name}.safetensors")
    load_weights(network, path, architecture=f"diffusion-{name}", data_version=made.data)
    return network.eval().to(pick_device(device))


def quality(name: str, network: nn.Module, n: int = 597, steps: int = 50) -> dict[str, float]:
    """What a card says: the distance of n DDIM samples from fresh data, and that of as many real ones."""
    made, roll = recipe(name), torch.Generator().manual_seed(1000)
    samples = sample(network, made.process, made.noise(n, 1000), steps=steps, method="ddim")
    if name == "points":
        fresh, again = spiral(n, roll), spiral(n, roll)
        return {
            "sliced_wasserstein": round(sliced_wasserstein(samples, fresh), 4),
            "sliced_wasserstein_of_real": round(sliced_wasserstein(again, fresh), 4),
        }
    if name == "digits":
        return {
            "frechet_own_features": round(handwriting.frechet(samples), 4),
            "frechet_own_features_of_real": round(handwriting.frechet(handwriting.digits("train")[0][:n]), 4),
        }
    return {"loss": round(held_out_loss(made, network), 4)}


@torch.no_grad()
def held_out_loss(made: Recipe, network: nn.Module, n: int = 512) -> float:
    """L_simple on n fresh draws."""
    roll = torch.Generator().manual_seed(2000)
    x_0, t = made.batches(roll, n), torch.arange(n) * made.schedule.steps // n
    return float(made.process.loss(network, x_0, t, torch.randn(x_0.shape, generator=roll)))


def build(name: str, path=None, settings: TrainSettings | None = None, seed: int = 0, **how) -> Card:
    """Train one of the shipped checkpoints and write it with its card; measured is what is shipped (fp16)."""
    made = recipe(name)
    torch.manual_seed(seed)
    network = made.build(made.config)
    history = learn(
        network, made.process, made.batches, settings or made.settings, seed=seed, label=name, **how
    )
    if history.interrupted:
        raise KeyboardInterrupt("stopped before the end: nothing was shipped; the same command starts anew")
    half = network.cpu().half().float().eval()
    card = Card(
        architecture=f"diffusion-{name}", config=made.config, seed=seed, steps=history.done,
        data_version=made.data, metrics=quality(name, half), minutes=round(history.minutes, 1),
        command=f"{COMMAND} {name}", half=True,
    )  # fmt: skip
    return save_weights(half, path or data_folder() / f"checkpoints/diffusion_{name}", card)


if __name__ == "__main__":
    for chosen in sys.argv[1:] or RECIPES:
        print(chosen, build(chosen).metrics)
