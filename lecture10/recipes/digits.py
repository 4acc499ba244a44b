"""Real handwriting: scikit-learn's 1,797 digits of 8 × 8, parted once, and a small reader of them.

The digits are Alpaydin & Kaynak's (1998, UCI repository), of 43 writers. The reader is the "own classifier"
in whose features generated digits are compared with real ones. Rebuilds the shipped reader (a few seconds):

python -m lecture10.recipes.digits
"""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lecture10.distances import frechet_distance
from lecture10.paths import data_folder, data_path
from lecture10.training import Card, History, TrainSettings, load_weights, save_weights, train

NAME = "checkpoints/digits_reader"
DATA = "scikit-learn-digits/1"
COMMAND = "python -m lecture10.recipes.digits"
HELD_OUT = 597  # of 1,797: never trained on, by no network
INK, PAPER = 1.0, -1.0
SETTINGS = TrainSettings(steps=1500, lr=2e-3, weight_decay=0.1)


@cache
def digits(split: str = "train") -> tuple[Tensor, Tensor]:
    """(n, 1, 8, 8) in [-1, 1], paper -1 and ink 1, and labels (n,): 1,200 "train" or 597 "held out".

    Raises ValueError for another split, ModuleNotFoundError without scikit-learn (in the extra `course`).
    """
    from sklearn.datasets import load_digits

    if split not in ("train", "held out"):
        raise ValueError(f"the split is {split!r}: it is 'train' or 'held out'")
    found = load_digits()
    order = torch.randperm(len(found.target), generator=torch.Generator().manual_seed(10))
    rows = order[HELD_OUT:] if split == "train" else order[:HELD_OUT]
    images = torch.tensor(found.images, dtype=torch.float32)[:, None] / 8 - 1  # 0 … 16 levels
    return images[rows], torch.tensor(found.target)[rows]


@dataclass(frozen=True)
class ReaderConfig:
    """64 pixels, two hidden layers, ten digits. The second layer are the features."""

    width: int = 128
    features: int = 16  # few, so that hundreds of pictures tell their covariance


class Reader(nn.Module):
    """Which digit is it? Its last hidden layer is where generated and real digits are compared."""

    def __init__(self, config: ReaderConfig | None = None):
        super().__init__()
        self.config = config = config or ReaderConfig()
        self.hidden = nn.Sequential(
            nn.Flatten(), nn.Linear(64, config.width), nn.SiLU(), nn.Linear(config.width, config.features)
        )
        self.out = nn.Linear(config.features, 10)

    def features(self, images: Tensor) -> Tensor:
        """(B, 1, 8, 8) -> (B, features)."""
        return torch.tanh(self.hidden(images))

    def forward(self, images: Tensor) -> Tensor:
        """(B, 1, 8, 8) -> logits (B, 10)."""
        return self.out(self.features(images))


def draw(generator: torch.Generator, n: int = 128) -> tuple[Tensor, Tensor]:
    """n training digits, drawn with replacement, and their labels."""
    images, labels = digits("train")
    rows = torch.randint(len(images), (n,), generator=generator)
    return images[rows], labels[rows]


def learn(settings: TrainSettings = SETTINGS, *, seed: int = 0, **how) -> tuple[Reader, History]:
    """A fresh reader, trained on slightly noisy digits, so that its features do not hang on single levels."""
    torch.manual_seed(seed)
    reader = Reader()

    def loss(reader: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        images, labels = batch
        return F.cross_entropy(reader(images + 0.2 * torch.randn_like(images)), labels)

    return reader, train(reader, loss, draw, settings, seed=seed, label="reader", **how)


@torch.no_grad()
def accuracy(reader: Reader, split: str = "held out") -> float:
    """The share of a split's digits that are named right."""
    images, labels = digits(split)
    return float((reader(images).argmax(1) == labels).float().mean())


@cache
def reader() -> Reader:
    """The shipped reader, on the CPU, in eval mode. Raises WeightsError where it cannot be used."""
    found = Reader()
    load_weights(found, data_path(f"{NAME}.safetensors"), architecture="digits-reader", data_version=DATA)
    return found.eval()


@torch.no_grad()
def frechet(images: Tensor, real: Tensor | None = None) -> float:
    """How far generated digits are from real ones: the Fréchet distance in the shipped reader's features.

    images, real: (n, 1, 8, 8); real: default the held-out ones. **Not FID**: that takes Inception's features
    of 50,000 pictures. It falls with n and is not 0 even between two halves of the real digits: compare with
    `frechet(digits("train")[0][:n])`, at one n.
    """
    real = digits("held out")[0] if real is None else real
    return frechet_distance(reader().features(images), reader().features(real))


@torch.no_grad()
def nearest(images: Tensor) -> tuple[Tensor, Tensor]:
    """The nearest training digit of each, by pixels: (B, 1, 8, 8), and how far, (B,): rms level in [0, 2]."""
    known = digits("train")[0]
    apart = torch.cdist(images.flatten(1), known.flatten(1)) / 8  # root of a mean over 64
    least = apart.min(1)
    return known[least.indices], least.values


def build(path=None, settings: TrainSettings = SETTINGS, seed: int = 0, **how) -> Card:
    """Train the reader and write it with its card."""
    found, history = learn(settings, seed=seed, **how)
    half = found.cpu().half().float()
    card = Card(
        architecture="digits-reader", config=half.config, seed=seed, steps=history.done, data_version=DATA,
        metrics={"held_out_accuracy": round(accuracy(half), 4)}, minutes=round(history.minutes, 1),
        command=COMMAND, half=True,
    )  # fmt: skip
    return save_weights(half, path or data_folder() / NAME, card)


if __name__ == "__main__":
    print(build().metrics)
