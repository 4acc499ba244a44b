"""A run and its steps: everything that has to be the same when a run is stopped and goes on."""

import json
import math
import time
from collections.abc import Callable

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast, send_to_device
from torch import Tensor, nn

from lecture10.training.batches import Batch, BatchSource, Source, describe, part_of
from lecture10.training.history import History
from lecture10.training.interrupts import Interrupts
from lecture10.training.optimise import (
    Average,
    KeptBuffers,
    average_over_processes,
    make_optimizer,
    trainable,
)
from lecture10.training.randomness import mix, seed_torch
from lecture10.training.settings import TrainSettings, learning_rate
from lecture10.training.setup import autocast
from lecture10.training.state import (
    CheckpointError,
    CheckpointFolder,
    Tensors,
    copy_into,
    mismatch,
    moments,
    named_tensors,
    restore_moments,
)

LAZY = (
    "cuda",
)  # where waiting for a number at every step would stall the device: looked at when something is read
TAKEN = ("step", "loss", "lr", "grad_norm", "per_second")


class NonFiniteError(FloatingPointError):
    """The loss or its gradient is not a finite number; the message names step, batch and cures."""


class Run:
    """Model, optimizer, average, batches and history after `step` whole steps."""

    def __init__(
        self,
        model: nn.Module,
        loss: Callable,
        batches: BatchSource,
        settings: TrainSettings,
        seed: int,
        accelerator: Accelerator,
        history: History,
        count: Callable[[Batch], int],
        split: bool,
    ):
        self.loss, self.settings, self.seed, self.count, self.split = loss, settings, seed, count, split
        self.accelerator, self.device, self.history = accelerator, accelerator.device, history
        self.model = accelerator.prepare_model(
            model, evaluation_mode=True
        )  # placed, not wrapped: optimise.py
        self.model.train()
        if accelerator.num_processes > 1:  # the first process's weights count
            broadcast([t.detach() for t in named_tensors(model).values()])
        self.parameters = trainable(model)
        self.source = Source(batches, seed, self.device)
        self.lazy = self.device.type in LAZY
        self.optimizer = make_optimizer(model, settings, fused=self.lazy)
        self.average = Average(self.parameters, settings.ema) if settings.ema else None
        self.step, self.position = 0, 0  # whole steps, and how far into the batches they came
        self.window: list[float | Tensor] = []  # losses since the last logged step
        self.items, self.tick = 0, time.perf_counter()
        self.latest: dict[str, float | Tensor] = {}
        self.first_bad = torch.tensor(
            -1, device=self.device
        )  # the first step that was not finite, where LAZY

    def resume(self, folder: CheckpointFolder | None) -> bool:
        """Take up the checkpoint of this run, where there is one. Raises CheckpointError where it does not
        fit."""
        loaded = None
        if folder is not None:
            if self.accelerator.is_main_process:
                folder.prepare()
            self.accelerator.wait_for_everyone()
            loaded = folder.load()
        if loaded is not None:
            self._restore(folder, *loaded)
        self.buffers = KeptBuffers(self.model)
        return loaded is not None

    def _restore(self, folder: CheckpointFolder, facts: dict, groups: dict[str, Tensors]) -> None:
        ours = named_tensors(self.model)
        problem = mismatch(ours, groups["model"])
        if problem is None and facts["trainable"] != list(self.parameters):
            names = sorted(set(facts["trainable"]) ^ set(self.parameters))
            problem = f"{names[0]} requires a gradient in only one of the two"
        if problem:
            raise CheckpointError(
                f"the checkpoint in {folder.folder} is of another model: {problem}. "
                "Build the model as it was then, or choose another folder to start afresh"
            )
        copy_into(ours, groups["model"])
        restore_moments(self.optimizer, self.parameters, groups["optimizer"])
        if self.average is not None:
            copy_into(self.average.weights, groups["average"])
        self.step, self.window = facts["step"], facts["window"]
        self.position = self.source.position = facts["position"]
        unit, label = self.history.unit, self.history.label
        self.history = History.from_json(json.dumps(facts["history"]))
        self.history.unit, self.history.label, self.history.interrupted = unit, label, False

    def snapshot(self) -> tuple[dict[str, Tensors], dict]:
        """What `resume` needs: tensors by group, and JSON-able facts."""
        groups = {"model": named_tensors(self.model), "optimizer": moments(self.optimizer, self.parameters)}
        if self.average is not None:
            groups["average"] = self.average.weights
        facts = {
            "position": self.position,
            "window": [float(value) for value in self.window],
            "trainable": list(self.parameters),
            "history": vars(self.history),
            "torch": torch.__version__,
        }
        return groups, facts

    def advance(self, done: float, interrupts: Interrupts) -> None:
        """One step, when the share `done` of the run is over: it happens as a whole or not at all."""
        batch = self._batch(self.step)
        seed_torch(mix(self.seed, "step", self.step, self.accelerator.process_index), self.device)
        with autocast(self.device, self.settings.precision):
            value, self.latest = self._value(batch)
        self.optimizer.zero_grad()
        self.accelerator.backward(value)
        value = value.detach()
        if self.accelerator.num_processes > 1:
            value = average_over_processes(self.accelerator, list(self.parameters.values()), value)
        self.norm = self._clip()
        self._check(value, batch)
        interrupts.updating = True
        self.lr = learning_rate(self.settings, done)
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr
        self.optimizer.step()
        if self.average is not None:
            self.average.update(self.step)
        self.buffers.keep()
        self.window.append(value)
        self.step, self.position = self.step + 1, self.source.position
        self.history.done = self.step
        interrupts.updating = False

    def _batch(self, step: int) -> Batch:
        batch = self.source.draw(step)
        ranks = self.accelerator.num_processes
        self.items += self.count(batch) * (1 if self.split else ranks)
        if self.split and ranks > 1:
            batch = part_of(batch, self.accelerator.process_index, ranks)
        return batch if self.device.type == "cpu" else send_to_device(batch, self.device, non_blocking=True)

    def _value(self, batch: Batch) -> tuple[Tensor, dict[str, float | Tensor]]:
        returned = self.loss(self.model, batch)
        value, more = returned if isinstance(returned, tuple) else (returned, {})
        if not isinstance(value, Tensor) or value.numel() != 1 or not value.requires_grad:
            what = (
                f"a tensor of shape {tuple(value.shape)}"
                if isinstance(value, Tensor)
                else type(value).__name__
            )
            raise ValueError(
                f"the loss function returned {what}: return one number that depends on the weights"
            )
        return value.reshape(()), {
            _free(k): v.detach() if isinstance(v, Tensor) else v for k, v in more.items()
        }

    def _clip(self) -> Tensor:
        parameters = list(self.parameters.values())
        if self.settings.clip is not None:
            return self.accelerator.clip_grad_norm_(parameters, self.settings.clip)
        return nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])

    def _check(self, value: Tensor, batch: Batch) -> None:
        if not self.lazy:
            if not (math.isfinite(value) and math.isfinite(self.norm)):
                self._stop(self.step, describe(batch), float(value), float(self.norm))
            return
        bad = ~(value.isfinite() & self.norm.isfinite())
        self.first_bad = torch.where(bad & (self.first_bad < 0), self.step, self.first_bad)
        self.optimizer.found_inf = (self.first_bad >= 0).float()  # fused AdamW then leaves the weights alone

    def settle(self) -> None:
        """Before anything is read off the device: were all steps finite? Raises NonFiniteError."""
        if self.lazy and (bad := int(self.first_bad)) >= 0:
            again = (
                describe(self.source.draw(bad))
                if self.source.replayable
                else "gone (log_every=1 would show it)"
            )
            self._stop(bad, again)

    def _stop(self, step: int, batch: str, value: float = math.nan, norm: float = math.nan) -> None:
        what = "the loss" if self.lazy or not math.isfinite(value) else "the gradient"
        shown = "not finite" if self.lazy else str(norm if math.isfinite(value) else value)
        s = self.settings
        raise NonFiniteError(
            f"{self.history.label}: {what} is {shown} at step {step + 1} of {s.steps}. Its batch: {batch}. "
            f"The model keeps the weights of step {step}. Try a lower lr (now {s.lr:g}), a tighter clip "
            f"(now {s.clip}) or a longer warmup; look for inputs that are not finite, log(0), division by 0"
        )

    def log(self) -> tuple[float, float]:
        """Record the mean loss since the last record, and the rest; returns the loss and items per second."""
        self.settle()
        loss = math.fsum(float(value) for value in self.window) / len(self.window)
        per_second = self.items / max(time.perf_counter() - self.tick, 1e-9)
        more = {name: float(value) for name, value in self.latest.items()}
        facts = {"loss": loss, "lr": self.lr, "grad_norm": float(self.norm), "per_second": per_second}
        self.history.add(self.step, **facts, **more)
        self.window, self.items, self.tick = [], 0, time.perf_counter()
        return loss, per_second

    @torch.no_grad()
    def evaluate(self, evaluate: Callable) -> None:
        """Record what `evaluate` says of the (averaged) model; always with the same random numbers."""
        self.settle()
        if not self.accelerator.is_main_process:
            return
        seed_torch(mix(self.seed, "evaluate"), self.device)
        self.show_average()
        self.model.eval()
        try:
            found = evaluate(self.model)
        finally:
            self.model.train()
            self.show_average()
        found = found if isinstance(found, dict) else {"evaluation": found}
        self.history.add(self.step, **{_free(name): float(value) for name, value in found.items()})

    def show_average(self) -> None:
        """Exchange raw and averaged weights, where there is an average."""
        if self.average is not None:
            self.average.swap()

    def undo(self) -> None:
        """A step was broken off: put back what its forward pass had changed."""
        self.buffers.restore()

    def finish(self) -> None:
        """Leave the model ready to be used: averaged where asked for, in eval mode, without gradients."""
        self.optimizer.zero_grad()
        self.show_average()
        self.model.eval()


def _free(name: str) -> str:
    if name in TAKEN:
        raise ValueError(
            f"{name!r} is recorded by the loop itself: call yours otherwise, such as held_out_{name}"
        )
    return name
