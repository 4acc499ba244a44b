"""The training loop of every model in the course: any model, any loss, any source of batches."""

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from lecture10.devices import pick_device
from lecture10.training.batches import Batch, BatchSource, first_dimension
from lecture10.training.history import History
from lecture10.training.interrupts import Interrupts
from lecture10.training.progress import Progress
from lecture10.training.randomness import chance_kept
from lecture10.training.run import Run
from lecture10.training.settings import TrainSettings, check_seconds
from lecture10.training.setup import make_accelerator
from lecture10.training.state import CheckpointFolder

Loss = Callable[[nn.Module, Batch], Tensor | tuple[Tensor, dict[str, float]]]
Evaluate = Callable[[nn.Module], float | dict[str, float]]


def train(
    model: nn.Module,
    loss: Loss,
    batches: BatchSource,
    settings: TrainSettings,
    *,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    evaluate: Evaluate | None = None,
    evaluate_every: int = 100,
    log_every: int = 10,
    save_every: int = 200,
    seconds: float | None = None,
    count: Callable[[Batch], int] = first_dimension,
    unit: str = "samples",
    split: bool = True,
    device: str | None = None,
    quiet: bool = False,
    label: str = "model",
) -> History:
    """Train `model` in place, and return the history; the model comes back on its device, in eval mode.

    loss(model, batch) → scalar, or (scalar, dict of further numbers to record).
    batches: a function of a torch.Generator (a batch is then a function of seed and step), or an iterable,
      see `Source`. Under torchrun each process draws the same batch and takes its share, unless split=False.
    checkpoint: a folder. Where it holds this run already, training goes on from there, and ends on a CPU
      with the weights of an uninterrupted run, bit for bit. Saved every `save_every` steps, on Ctrl-C and at
      the end; a save that fails (full disk) warns, keeps the one before and trains on.
    evaluate(model) → a number or a dict of them, every `evaluate_every` steps and at the end; its random
      draws do not touch the training. With settings.ema it, and the caller, get the averaged weights.
    seconds: stop after so long, with the learning rate brought down in time; never in a notebook.
    count(batch), unit: what throughput counts. label: what progress and history call the model.

    Ctrl-C finishes the step, saves, says how to go on and returns. Raises NonFiniteError where loss or
    gradient is not finite (the model keeps the weights before that step), ValueError for arguments that make
    no sense, CheckpointError for a checkpoint of another run.
    """
    every = {"evaluate_every": evaluate_every, "log_every": log_every, "save_every": save_every}
    if small := [f"{name} = {steps!r}" for name, steps in every.items() if steps < 1]:
        raise ValueError(f"{small[0]}: give a number of steps, at least 1")
    accelerator = make_accelerator(pick_device(device))
    check_seconds(seconds, accelerator.num_processes)
    folder = CheckpointFolder(checkpoint, settings, seed) if checkpoint is not None else None
    with chance_kept(accelerator.device):
        history = History(label, settings.steps, unit)
        run = Run(model, loss, batches, settings, seed, accelerator, history, count, split)
        resumed = run.resume(folder)
        progress = Progress(label, settings.steps, run.step, unit, quiet or not accelerator.is_main_process)
        if resumed:
            progress.say(f"goes on from step {run.step} of {settings.steps} ({folder.folder.name})")
        session = _Session(run, folder, progress, evaluate, seconds, evaluate_every, log_every, save_every)
        return session.go()


@dataclass
class _Session:
    """One sitting: everything around the steps of a Run."""

    run: Run
    folder: CheckpointFolder | None
    progress: Progress
    evaluate: Evaluate | None
    seconds: float | None
    evaluate_every: int
    log_every: int
    save_every: int

    def __post_init__(self):
        self.saved_at = self.run.step
        self.began = time.perf_counter() - self.run.history.seconds

    def go(self) -> History:
        run = self.run
        try:
            with Interrupts(active=run.accelerator.num_processes == 1) as interrupts:
                try:
                    self._steps(interrupts)
                except KeyboardInterrupt:  # from a batch source, or pressed twice
                    interrupts.pressed = True
                    run.undo()
                run.settle()
                run.history.interrupted = interrupts.pressed and not self._over()
                self._save()
        except BaseException:
            run.undo()
            raise
        finally:
            self.progress.close()
            run.finish()
        if run.history.interrupted:
            self._say_how_to_go_on()
        return run.history

    def _steps(self, interrupts: Interrupts) -> None:
        run = self.run
        over = self._over()
        while not over and not interrupts.pressed:
            run.advance(self._done(), interrupts)
            self._tell_time()
            self.progress.advance(run.step)
            over = self._over()
            if over or run.step == 1 or run.step % self.log_every == 0:
                self.progress.show(run.step, *run.log())
            pause = time.perf_counter()
            if self.evaluate is not None and (over or run.step % self.evaluate_every == 0):
                run.evaluate(self.evaluate)
            if over or run.step % self.save_every == 0:
                self._save()
            run.tick += time.perf_counter() - pause

    def _tell_time(self) -> None:
        self.run.history.seconds = time.perf_counter() - self.began

    def _done(self) -> float:
        """The share of the run that is over, by steps or by the clock, whichever is further."""
        by_clock = self.run.history.seconds / self.seconds if self.seconds else 0.0
        return max(self.run.step / self.run.settings.steps, by_clock)

    def _over(self) -> bool:
        return self._done() >= 1

    def _save(self) -> None:
        if self.folder is None or self.saved_at == self.run.step:
            return
        self.run.settle()
        self._tell_time()
        if self.run.accelerator.is_main_process:
            try:
                self.folder.save(self.run.step, *self.run.snapshot())
            except OSError as error:
                why = error.strerror or error
                warnings.warn(
                    f"{self.progress.label}: no checkpoint at step {self.run.step}: {why}", stacklevel=2
                )
                return
        self.saved_at = self.run.step

    def _say_how_to_go_on(self) -> None:
        run, label = self.run, self.progress.label
        kept = self.folder is not None and self.saved_at == run.step
        how = "With train(..., checkpoint='runs/NAME') the next run can go on from where it was stopped."
        if kept:
            how = f"Run the same line again to go on from there (checkpoint {self.folder.folder.name})."
        print(
            f"{label}: stopped by hand after step {run.step} of {run.settings.steps}; "
            f"the model holds what it learnt so far. {how}",
            flush=True,
        )
