"""Text to picture at laptop size: the little world's latents, their captions, latent diffusion.

Rebuilds the shipped checkpoint (under an hour on one core; needs the shipped autoencoder):

python -m lecture10.recipes.ldm
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from lecture10.devices import pick_device
from lecture10.models.autoencoder import Autoencoder, latent_scale
from lecture10.models.denoise import path
from lecture10.models.denoise import sample as denoise
from lecture10.models.ldm import LatentDiffusion, LDMConfig
from lecture10.paths import data_folder, data_path
from lecture10.recipes import autoencoder
from lecture10.recipes.captions import NAME as WORDS
from lecture10.recipes.captions import clean, encode
from lecture10.tokenizer import tokenizer
from lecture10.training import Card, History, TrainSettings, load_weights, save_weights, train
from lecture10.world import WORLD_VERSION
from lecture10.world.draft import Habits
from lecture10.world.parse import parse
from lecture10.world.render import render
from lecture10.world.sample import sample
from lecture10.world.splits import split_of
from lecture10.world.words import captions

NAME = "checkpoints/ldm"
DATA = f"{WORLD_VERSION}/captions-512/latents-1"
COMMAND = "python -m lecture10.recipes.ldm"
KNOBS = autoencoder.SCENES
HABITS = (Habits(synonyms=False), Habits(synonyms=False), Habits(synonyms=False), Habits())
CONFIG = LDMConfig()
SETTINGS = TrainSettings(steps=4000, lr=1e-3, warmup=0.03, weight_decay=0.01, ema=0.998)
SCENES, BATCH, PART = 32_768, 64, 512


@dataclass
class Latents:
    """A training set: latents as the autoencoder gives them, each with some captions. Called, it draws n.

    z: (N, z, h, h) float16, means; ids: (N, captions, T) int16, filled up with end tokens.
    """

    z: Tensor
    ids: Tensor
    n: int = BATCH

    def __call__(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """The batch that this generator leads to: latents (n, z, h, h), ids (n, T)."""
        rows = torch.randint(len(self.z), (self.n,), generator=generator)
        which = torch.randint(self.ids.shape[1], (self.n,), generator=generator)
        ids = self.ids[rows, which].long()
        longest = int((ids != ids.max()).sum(1).max()) + 1  # the end token has the highest id
        return self.z[rows].float(), ids[:, :longest]


def written(scenes, generator: torch.Generator, habits: Habits, context: int) -> Tensor:
    """(B, context) int16 ids of a short caption of each scene; one that is too long is written plainly."""
    texts = [c.text for c in captions(scenes, "short", generator, habits)]
    plain = [c.text for c in captions(scenes, "short", generator, Habits(synonyms=False))]
    words = tokenizer(WORDS)
    kept = [t if len(words.encode(clean(t))) < context else p for t, p in zip(texts, plain, strict=True)]
    ids = encode(kept, context)
    full = torch.full((len(ids), context), words.end, dtype=torch.int16)
    full[:, : ids.shape[1]] = ids.to(torch.int16)
    return full


def collect(
    model: Autoencoder,
    n: int = SCENES,
    seed: int = 0,
    *,
    size: int = 64,
    knobs: dict | None = None,
    habits: tuple[Habits, ...] = HABITS,
    context: int = CONFIG.text.context,
) -> Latents:
    """The first n training scenes of that seed as latents, with a caption in each of the habits."""
    z, ids = [], []
    for part in range(0, n, PART):
        scenes = training_scenes(part // PART, min(PART, n - part), seed, knobs)
        roll = torch.Generator().manual_seed(seed * 100_003 + part)
        z.append(autoencoder.latents_of(model, render(scenes, size).image * 2 - 1).half())
        ids.append(torch.stack([written(scenes, roll, each, context) for each in habits], 1))
    return Latents(torch.cat(z), torch.cat(ids))


def training_scenes(part: int, n: int = PART, seed: int = 0, knobs: dict | None = None):
    """Part number `part` of the training scenes, PART a part: drawn again where they are wanted."""
    return sample(n, seed * 100_003 + 7_000 + part, **(knobs or KNOBS))


def diffusion_loss(model: LatentDiffusion, batch: tuple[Tensor, Tensor]) -> Tensor:
    """L_LDM of a batch: a random step and random noise for each latent."""
    z, ids = batch
    t = torch.randint(model.process.steps, (len(z),), device=z.device)
    dropped = torch.Generator().manual_seed(int(torch.randint(2**31, ())))
    return model.loss(z, ids, t, torch.randn_like(z), dropped)


def learn(
    latents: Latents,
    config: LDMConfig = CONFIG,
    settings: TrainSettings = SETTINGS,
    *,
    seed: int = 0,
    kind: type[LatentDiffusion] = LatentDiffusion,
    **how,
) -> tuple[LatentDiffusion, History]:
    """A fresh model trained on latents scaled to variance 1; `how` is handed to `train`.

    kind: the class, such as a notebook's with other lines in it.
    """
    torch.manual_seed(seed)
    model = kind(config)
    model.scale.fill_(latent_scale(latents.z[:4096].float()))
    model.unet.to(memory_format=torch.channels_last)
    return model, train(
        model, diffusion_loss, latents, settings, seed=seed, **({"label": "latent diffusion"} | how)
    )


def prompt_ids(prompts: list[str], context: int = CONFIG.text.context) -> Tensor:
    """Prompts as (B, T) token ids; "" is the prompt without words. Raises ValueError for a long one."""
    end = tokenizer(WORDS).end
    some = [p for p in prompts if p.strip()]
    ids = encode(some, context) if some else torch.full((0, 1), end)
    full = torch.full((len(prompts), ids.shape[1]), end)
    full[[at for at, p in enumerate(prompts) if p.strip()]] = ids
    return full


@torch.no_grad()
def draw(
    model: LatentDiffusion,
    decoder: Autoencoder,
    prompts: list[str],
    *,
    guidance: float = 3.0,
    steps: int = 20,
    seed: int | Tensor = 0,
    size: int = 64,
    batch: int = 128,
    **how,
) -> Tensor:
    """A picture a prompt, (n, 3, S, S) in [0, 1], on the CPU.

    guidance: w of `guide`; seed: of the noise, or the noise itself (n, z, h, h); size: S. `how` goes
    to `denoise.sample`. Raises ValueError for a negative guidance, 0 or too many steps, prompts that are too
    long.
    """
    side = size // decoder.config.factor
    noise = seed
    if not isinstance(seed, Tensor):
        roll = torch.Generator().manual_seed(seed)
        noise = torch.randn(len(prompts), decoder.config.latent, side, side, generator=roll)
    ids, device, out = prompt_ids(prompts), model.scale.device, []
    for rows in torch.arange(len(prompts)).split(batch):
        z = denoise(
            model.guided(ids[rows].to(device), guidance), model.process, noise[rows].to(device),
            steps=steps, kind=model.config.target, **({"method": "ddim"} | how),
        )  # fmt: skip
        out.append(decoder.decode(z / model.scale).clamp(-1, 1).cpu() / 2 + 0.5)
    return torch.cat(out)


@dataclass(frozen=True)
class Film:
    """One prompt's way back. stops: t of each frame, the last is -1 (done); noisy, taken_for: pictures
    (frames, 3, S, S) in [0, 1] of the latent itself and of the z_0 it is taken for; z: (frames, z, h, h).
    """

    stops: list[int]
    noisy: Tensor
    taken_for: Tensor
    z: Tensor


@torch.no_grad()
def film(
    model: LatentDiffusion,
    decoder: Autoencoder,
    prompt: str,
    *,
    guidance: float = 3.0,
    steps: int = 20,
    seed: int = 0,
    frames: int = 6,
) -> Film:
    """What is on the way from noise to a picture of the prompt, by DDIM; the same picture as `draw`'s.

    frames: how many are kept, evenly, first and last among them. Raises ValueError as `draw`.
    """
    side = 64 // decoder.config.factor
    noise = torch.randn(1, decoder.config.latent, side, side, generator=torch.Generator().manual_seed(seed))
    network = model.guided(prompt_ids([prompt]), guidance)
    stops, z, guessed = path(
        network, model.process, noise, steps=steps, method="ddim", kind=model.config.target
    )
    kept = torch.linspace(0, len(stops) - 1, min(frames, len(stops))).round().long()
    shown = [decoder.decode(x[kept, 0] / model.scale).clamp(-1, 1) / 2 + 0.5 for x in (z, guessed)]
    return Film([stops[k] for k in kept.tolist()], *shown, z[kept, 0])


def pieces(prompt: str) -> list[str]:
    """The tokens of a prompt as text, in order, without its end."""
    words = tokenizer(WORDS)
    return [words.decode([token]).strip() for token in words.encode(clean(prompt))]


def prompts_of(n: int, seed: int, new: int = 0, split: str = "test", **knobs) -> list[str]:
    """n plain prompts of two unlike things in a stated direction, `new` of them (0, 1, 2) of kept-back pairs.

    split: whose pairs those are, "dev" or "test"; the others are training's. Directions between nouns are
    training's too, so that only the pairs are new. Raises ValueError for another `new`.
    """
    if new not in (0, 1, 2):
        raise ValueError(f"new={new}: of two things 0, 1 or 2 can be of pairs that training never showed")
    drawn = {0: "train", 1: "all", 2: split}[new]
    wanted = KNOBS | {"things": 2, "related": 1.0, "repeat": 0.0, "split": drawn, "relation_split": "train"}
    found: list[str] = []
    for more in range(40):
        scenes = sample(256, seed * 1_000 + more, **(wanted | knobs))
        texts = [c.text for c in captions(scenes, "short", seed, Habits(synonyms=False))]
        found += [text for text in texts if newness(text, split) == new]
        if len(found) >= n:
            return found[:n]
    raise ValueError(f"{len(found)} of {n} such prompts in 40 draws: ask for fewer, or allow more nouns")


def newness(text: str, split: str = "test") -> int | None:
    """How many pairs are of that split; None where another kept-back one is named, a noun twice or
    no relation.
    """
    facts = parse(text)
    things = facts.things
    splits = [split_of(said.noun, said.colour) for said in things if said.colour]
    if (
        len(facts.relations) != 1
        or len(splits) != 2
        or len({said.noun for said in things}) != 2
        or not {*splits} <= {"train", split}
    ):
        return None
    return splits.count(split)


def build(path=None, settings: TrainSettings = SETTINGS, seed: int = 0, **how) -> Card:
    """Train the shipped model and write it with its card."""
    latents = collect(autoencoder.load("cpu"))
    model, history = learn(latents, settings=settings, seed=seed, **how)
    if history.interrupted:
        raise KeyboardInterrupt("stopped before the end: nothing was shipped; the same command starts anew")
    half = model.cpu().half().float().eval()
    card = Card(
        architecture="ldm", config=CONFIG, seed=seed, steps=history.done, data_version=DATA,
        metrics={"loss": round(history.last("loss"), 4)}, minutes=round(history.minutes, 1), command=COMMAND,
        half=True,
    )  # fmt: skip
    return save_weights(half, path or data_folder() / NAME, card)


def load(device: str | None = None) -> LatentDiffusion:
    """The shipped model, in eval mode. Raises WeightsError, with the command that rebuilds it."""
    model = LatentDiffusion(CONFIG)
    load_weights(model, data_path(f"{NAME}.safetensors"), architecture="ldm", data_version=DATA)
    return model.eval().to(pick_device(device))


if __name__ == "__main__":
    print(build().metrics)
