"""What each process of test_processes runs under torchrun: train, then write its own weights and history."""

import os
import sys
from pathlib import Path

import torch
import torch.distributed
from safetensors.torch import save_file
from torch import nn

from lecture10.training import NonFiniteError, TrainSettings, train

SETTINGS = TrainSettings(steps=12, lr=1e-2, ema=0.9)


drawn: list[float] = []


class TwoTowers(nn.Module):
    """Has no forward: the loss calls the towers, which DistributedDataParallel would not notice."""

    def __init__(self, seed):
        super().__init__()
        torch.manual_seed(seed)
        self.left, self.right, self.unused = nn.Linear(4, 3), nn.Linear(4, 3), nn.Linear(4, 3)

    def encode_left(self, x):
        return self.left(x)

    def encode_right(self, x):
        return self.right(x)


def loss(model, batch):
    drawn.append(float(torch.rand(())))
    return (model.encode_left(batch) - model.encode_right(batch) + 1).square().mean()


def draw(generator):
    return torch.randn(8, 4, generator=generator)


def bad(generator):
    """Not finite in the second process's half alone."""
    x = draw(generator)
    x[-1] = torch.inf
    return x


def main(folder, rank):
    options = {"device": "cpu", "save_every": 5, "quiet": False, "log_every": 1}
    model = TwoTowers(seed=rank)  # every process begins elsewhere: the first one's weights count
    history = train(model, loss, draw, SETTINGS, checkpoint=folder / "run", **options)
    save_file({n: p.detach() for n, p in model.named_parameters()}, folder / f"rank{rank}.safetensors")
    history.save(folder / f"rank{rank}.json")
    (folder / f"rank{rank}.drawn").write_text(str(drawn))
    try:
        train(TwoTowers(0), loss, bad, SETTINGS, **options)
    except NonFiniteError as error:
        (folder / f"rank{rank}.txt").write_text(str(error))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(os.environ.get("RANK", "0")))
