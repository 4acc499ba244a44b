"""The training loop with nothing around it: notebook 01 shows it, and `train` is tested equal to it."""

from collections.abc import Callable, Iterable
from itertools import islice

import torch
from torch import nn


def plain_loop(model: nn.Module, loss: Callable, batches: Iterable, steps: int, lr: float) -> list[float]:
    """Draw a batch, measure how wrong the model is, walk downhill: AdamW, no schedule, no decay.

    loss(model, batch) → scalar tensor. Returns the loss of every step. Bit for bit what train(…,
    TrainSettings(steps, lr, warmup=0, floor=1, weight_decay=0, clip=None)) does on a CPU with the same
    batches (`stream(batches, seed)`) and a model without dropout.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.0)
    losses = []
    for batch in islice(batches, steps):
        value = loss(model, batch)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        losses.append(value.item())
    return losses
