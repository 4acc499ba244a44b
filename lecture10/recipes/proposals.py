"""The class-free proposals at laptop size. Rebuilds the shipped checkpoint (about a minute on one core):

python -m lecture10.recipes.proposals
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor
from torchvision.ops import box_iou

from lecture10.devices import pick_device
from lecture10.models.proposals import ProposalConfig, ProposalNet, proposal_loss
from lecture10.paths import data_folder, data_path
from lecture10.training import Card, History, TrainSettings, load_weights, save_weights, train
from lecture10.world import WORLD_VERSION
from lecture10.world.render import Picture, render
from lecture10.world.sample import Knobs, sample

NAME = "checkpoints/proposals"
DATA = f"{WORLD_VERSION}/boxes"
CONFIG = ProposalConfig()
SETTINGS = TrainSettings(steps=500, lr=4e-3, weight_decay=0.05, clip=5.0)
SCENES = {"things": (2, 4)}  # what all regions of this notebook come from
SEEN = 0.5  # a thing counts where at least this share of it is not hidden
COMMAND = "python -m lecture10.recipes.proposals"


def things_seen(picture: Picture) -> Tensor:
    """(B, 6) bool: the things of which at least half can be seen."""
    return (picture.batch.noun >= 0) & (picture.visible >= SEEN)


@dataclass(frozen=True)
class Boxes:
    """Draws (images (n, 3, size, size), boxes_xyxy (n, 6, 4), there (n, 6) bool): no names."""

    n: int = 64
    size: int = 64
    knobs: dict = field(default_factory=lambda: dict(SCENES))

    def __post_init__(self):
        Knobs(**self.knobs)

    def __call__(self, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """The batch that this generator leads to."""
        picture = render(sample(self.n, generator, **self.knobs), self.size)
        return picture.image, picture.boxes, things_seen(picture)


def learn(
    config: ProposalConfig = CONFIG, settings: TrainSettings = SETTINGS, *, seed: int = 0, **how
) -> tuple[ProposalNet, History]:
    """Fresh proposals trained on training scenes' boxes; `how` is handed to `train`."""
    torch.manual_seed(seed)
    net = ProposalNet(config).to(memory_format=torch.channels_last)
    how = {"label": "proposals", "unit": "pictures"} | how
    return net, train(net, proposal_loss, Boxes(size=config.image_size), settings, seed=seed, **how)


def recall(net: ProposalNet, split: str = "dev", *, n: int = 300, seed: int = 2000, most: int = 6) -> float:
    """The share of seen things that some proposal overlaps with an IoU of 0.5 or more."""
    picture = render(sample(n, seed, split=split, **SCENES), net.config.image_size)
    boxes, of, _ = net.propose(picture.image.to(next(net.parameters()).device), most)
    b, k = things_seen(picture).nonzero(as_tuple=True)
    overlap = box_iou(picture.boxes[b, k], boxes.cpu()) * (b[:, None] == of.cpu())  # (things, R)
    return float((overlap.amax(1) >= 0.5).float().mean()) if len(boxes) else 0.0


def build(path=None, settings: TrainSettings = SETTINGS, seed: int = 0, **how) -> Card:
    """Train the shipped proposals, write them with their card to data/checkpoints/proposals or `path`."""
    net, history = learn(settings=settings, seed=seed, **how)
    if history.interrupted:
        raise KeyboardInterrupt("stopped before the end: nothing was shipped; the same command goes on")
    half = net.cpu().half().float().eval()
    metrics = {f"{split}_recall_50": round(recall(half, split), 4) for split in ("train", "dev", "test")}
    card = Card(
        architecture="proposals", config=half.config, seed=seed, steps=history.done, data_version=DATA,
        metrics=metrics, minutes=round(history.minutes, 1), command=COMMAND, half=True,
    )  # fmt: skip
    return save_weights(half, path or data_folder() / NAME, card)


def load(device: str | None = None) -> ProposalNet:
    """The shipped proposals, in eval mode. Raises WeightsError, with the command that rebuilds them."""
    net = ProposalNet(CONFIG)
    load_weights(net, data_path(f"{NAME}.safetensors"), architecture="proposals", data_version=DATA)
    return net.eval().to(pick_device(device))


if __name__ == "__main__":
    print(build().metrics)
