"""AdamW as it is usually set up, the moving average of the weights, and gradients averaged over processes."""

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from lecture10.training.settings import TrainSettings


def trainable(model: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that require a gradient, by name; a tied one appears once, under its first name.

    Raises ValueError where there are none.
    """
    found = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if not found:
        raise ValueError(f"{type(model).__name__} has no parameter to train: every requires_grad is False")
    return found


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict]:
    """AdamW's two groups: matrices decay; everything else does not (the habit of minGPT and nanoGPT).

    Not decayed: biases, gains of norms, temperatures, single vectors such as a class token (1, 1, d), and the
    tables of nn.Embedding, whose rare rows would shrink for want of gradients. A table that is also the
    output layer (tied) is a matrix like any other and decays.
    """
    tables = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
    others = {
        id(p) for m in model.modules() if not isinstance(m, nn.Embedding) for p in m.parameters(recurse=False)
    }
    decayed, kept = [], []
    for parameter in trainable(model).values():
        matrix = sum(size > 1 for size in parameter.shape) >= 2
        only_table = id(parameter) in tables and id(parameter) not in others
        (decayed if matrix and not only_table else kept).append(parameter)
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": kept, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


def make_optimizer(model: nn.Module, settings: TrainSettings, fused: bool) -> torch.optim.AdamW:
    """AdamW (Loshchilov & Hutter 2019) over `parameter_groups`; `fused`: one kernel that can skip a bad
    step."""
    groups = parameter_groups(model, settings.weight_decay)
    return torch.optim.AdamW(groups, lr=settings.lr, betas=settings.betas, fused=fused or None)


class Average:
    """The exponential moving average of the trainable weights, w̄ ← w̄ + (1 − d)(w − w̄).

    The decay d climbs to its setting as min(ema, (1 + t) / (10 + t)), so that short runs do not average over
    their own beginning.
    """

    def __init__(self, parameters: dict[str, nn.Parameter], decay: float):
        self.parameters, self.decay = parameters, decay
        self.weights = {name: p.detach().clone() for name, p in parameters.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after step `step` (from 0)."""
        decay = min(self.decay, (1 + step) / (10 + step))
        current = [p.detach() for p in self.parameters.values()]
        torch._foreach_lerp_(list(self.weights.values()), current, 1 - decay)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the model's weights and the averaged ones; a second call undoes the first."""
        for name, parameter in self.parameters.items():
            raw = parameter.detach().clone()
            parameter.copy_(self.weights[name])
            self.weights[name].copy_(raw)


class KeptBuffers:
    """The buffers (running means of a batch norm) as they were after the last whole step.

    The forward pass changes them before anyone knows whether the step will succeed. Those that the first step
    leaves alone (masks, tables of positions) are taken to be constant and not copied again.
    """

    def __init__(self, model: nn.Module):
        self.copies = {buffer: buffer.detach().clone() for buffer in model.buffers()}
        self.first = True

    @torch.no_grad()
    def keep(self) -> None:
        """The step succeeded: remember the buffers as they are."""
        if self.first:
            self.copies = {now: kept for now, kept in self.copies.items() if not torch.equal(now, kept)}
            self.first = False
        for buffer, kept in self.copies.items():
            kept.copy_(buffer)

    @torch.no_grad()
    def restore(self) -> None:
        """The step failed: put them back."""
        for buffer, kept in self.copies.items():
            buffer.copy_(kept)


@torch.no_grad()
def average_over_processes(accelerator: Accelerator, parameters: list[nn.Parameter], loss: Tensor) -> Tensor:
    """Replace every gradient by its mean over the processes, and return the mean loss.

    By hand and not by DistributedDataParallel, which sees only model.forward: a loss that calls other methods
    of the model (encode_image, encode_text) would silently train each process apart. A parameter without a
    gradient everywhere keeps none, as in one process.
    """
    used = torch.tensor([p.grad is not None for p in parameters], dtype=torch.float32, device=loss.device)
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    message = torch.cat([part.detach().float().reshape(-1) for part in (loss, used, *gradients)])
    message = accelerator.reduce(message, reduction="mean")
    loss, used, *gradients = message.split([1, len(parameters), *(p.numel() for p in parameters)])
    for parameter, share, gradient in zip(parameters, used.tolist(), gradients, strict=True):
        parameter.grad = gradient.view_as(parameter).to(parameter.dtype) if share else None
    return loss[0]
