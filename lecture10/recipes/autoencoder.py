"""The KL autoencoder of 12_latent_diffusion: 64 × 64 pictures of the whole little world to 16 × 16 × 4.

It learns in two rounds: encoder and decoder on the whole world; then the decoder alone, so that latents stay
what they are (Stable Diffusion's decoders were refined in the same way), half of the time on the scenes that
are to be drawn. Rebuilds the shipped checkpoint (25 minutes on one core):

python -m lecture10.recipes.autoencoder
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from lecture10.devices import pick_device
from lecture10.models.autoencoder import Autoencoder, AutoencoderConfig, latent_scale
from lecture10.paths import data_folder, data_path
from lecture10.training import Card, History, TrainSettings, load_weights, save_weights, train
from lecture10.world import WORLD_VERSION
from lecture10.world.render import render
from lecture10.world.sample import sample

NAME = "checkpoints/autoencoder"
COMMAND = "python -m lecture10.recipes.autoencoder"
CONFIG = AutoencoderConfig((16, 32, 64))
SETTINGS = TrainSettings(steps=1700, lr=1.2e-3, warmup=0.03, weight_decay=0.01)
REFINE = TrainSettings(steps=1500, lr=1e-3, warmup=0.03, weight_decay=0.01)
WORLD = {"things": (1, 3)}  # knobs of every picture of the world
SCENES = {  # what is drawn from words: one or two large plain things, ten nouns in every colour
    "things": (1, 2), "sizes": "large", "materials": "plain", "backdrops": ("studio", "grass", "night"),
    "nouns": ("ball", "cube", "star", "heart", "bear", "cat", "dog", "bird", "house", "car"),
    "relations": ("left of", "right of", "above", "below"), "related": 0.7, "repeat": 0.08,
}  # fmt: skip
KL_WEIGHT = 1e-4  # a hundred times the paper's: our pictures are small, and diffusion likes smooth latents


@dataclass(frozen=True)
class Pictures:
    """Draws n fresh pictures (n, 3, size, size) in [-1, 1], of training pairs.

    kinds: knobs (see `world.Knobs`) of which each batch takes one, at random.
    """

    n: int = 16
    size: int = 64
    kinds: tuple[dict, ...] = (WORLD,)

    def __call__(self, generator: torch.Generator) -> Tensor:
        """The batch that this generator leads to."""
        kind = self.kinds[int(torch.randint(len(self.kinds), (), generator=generator))]
        return render(sample(self.n, generator, **kind), self.size).image * 2 - 1


def reconstruction_loss(
    model: Autoencoder, x: Tensor, *, weight: float = KL_WEIGHT
) -> tuple[Tensor, dict[str, Tensor]]:
    """Squared error and a little KL, or a codebook's loss where there is one."""
    if model.codebook is not None:
        return model.vq_loss(x)
    side = x.shape[2] // model.config.factor
    noise = torch.randn(len(x), model.config.latent, side, side, device=x.device)
    return model.kl_loss(x, noise, weight)


def learn(
    config: AutoencoderConfig = CONFIG,
    settings: TrainSettings = SETTINGS,
    *,
    seed: int = 0,
    batches: Pictures = Pictures(),
    **how,
) -> tuple[Autoencoder, History]:
    """A fresh autoencoder trained on `batches`; `how` is handed to `train`."""
    torch.manual_seed(seed)
    model = Autoencoder(config).to(memory_format=torch.channels_last)
    return model, train(
        model, reconstruction_loss, batches, settings, seed=seed, **({"label": "autoencoder"} | how)
    )


def refine(
    model: Autoencoder,
    settings: TrainSettings = REFINE,
    *,
    seed: int = 0,
    batches: Pictures = Pictures(kinds=(WORLD, SCENES)),
    **how,
) -> History:
    """Train the decoder in place, the encoder staying as it is: old latents keep their meaning."""
    for part in (model.encoder, model.quant):
        part.requires_grad_(False)
    history = train(model, refining_loss, batches, settings, seed=seed, **({"label": "decoder"} | how))
    model.requires_grad_(True)
    return history


def refining_loss(model: Autoencoder, x: Tensor) -> Tensor:
    """Squared error of what the decoder makes of the latents' means, which are what diffusion learns from."""
    with torch.no_grad():
        mean = model.encode(x).mean
    return F.mse_loss(model.decode(mean), x)


@torch.no_grad()
def latents_of(model: Autoencoder, images: Tensor, batch: int = 128) -> Tensor:
    """Means of the latents, not scaled: (n, 3, S, S) in [-1, 1] -> (n, z, S / f, S / f)."""
    return torch.cat([model.encode(part).mean for part in images.split(batch)])


@torch.no_grad()
def quality(model: Autoencoder, images: Tensor) -> dict[str, float]:
    """The bound that reconstruction sets on whatever is drawn through this decoder; and 1 / spread.

    "psnr": decibels over a range of [-1, 1], from the mean squared error of all pictures; "scale": what
    makes latents' variance 1.
    """
    latents = latents_of(model, images)
    back = torch.cat([model.decode(part) for part in latents.split(128)]).clamp(-1, 1)
    error = float((back - images).square().mean())
    return {"psnr": round(10 * torch.tensor(4 / error).log10().item(), 2), "scale": latent_scale(latents)}


def fresh_pictures(n: int = 256, seed: int = 5000, split: str = "dev", size: int = 64) -> Tensor:
    """n pictures in [-1, 1] that no training saw."""
    return render(sample(n, seed, things=(1, 3), split=split), size).image * 2 - 1


def build(
    path=None, settings: TrainSettings = SETTINGS, refining: TrainSettings = REFINE, seed: int = 0, **how
) -> Card:
    """Train the shipped autoencoder and write it with its card; measured is what is shipped (fp16)."""
    model, history = learn(CONFIG, settings, seed=seed, **how)
    return ship(model, [history, refine(model, refining, seed=seed, **how)], path, seed)


def ship(model: Autoencoder, histories: list[History], path=None, seed: int = 0) -> Card:
    """Write a trained autoencoder with its card."""
    if any(history.interrupted for history in histories):
        raise KeyboardInterrupt("stopped before the end: nothing was shipped; the same command starts anew")
    half = model.cpu().half().float().eval()
    metrics = {f"{split}_{k}": v for split in ("dev", "test") for k, v in
               quality(half, fresh_pictures(split=split)).items()}  # fmt: skip
    card = Card(
        architecture="autoencoder", config=CONFIG, seed=seed, steps=sum(h.done for h in histories),
        data_version=WORLD_VERSION, metrics=metrics, minutes=round(sum(h.minutes for h in histories), 1),
        command=COMMAND, half=True,
    )  # fmt: skip
    return save_weights(half, path or data_folder() / NAME, card)


def load(device: str | None = None) -> Autoencoder:
    """The shipped autoencoder, in eval mode. Raises WeightsError, with the command that rebuilds it."""
    model = Autoencoder(CONFIG)
    load_weights(
        model, data_path(f"{NAME}.safetensors"), architecture="autoencoder", data_version=WORLD_VERSION
    )
    return model.eval().to(pick_device(device))


if __name__ == "__main__":
    print(build().metrics)
