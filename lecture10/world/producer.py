"""Pictures with captions for training, drawn afresh at every step: right here, or ahead by worker processes.

    source = pictures(256, 32)                                  # a function of a torch.Generator
    train(model, loss, source, settings, seed=0)                # draws in the training process
    with Producer(source, seed=0) as batches:
        train(model, loss, batches, settings, seed=0)           # the same batches, drawn ahead

A batch is a function of (seed, step) alone, whoever draws it, so both runs above are the same run.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from lecture10.names import unknown
from lecture10.world.render import SMALLEST, owned, render
from lecture10.world.sample import Knobs, sample
from lecture10.world.words import KINDS, Habits, captions

Draw = Callable[[torch.Generator], Any]


@dataclass(frozen=True)
class Pictures:
    """Draws (image, texts): image (n, 3, size, size) float32 in [0, 1], in steps of 1/255; texts n strings.

    With masks=True (image, texts, masks, boxes), as in `Picture`.
    """

    n: int
    size: int
    kind: str = "short"
    masks: bool = False
    habits: Habits | None = None
    knobs: dict = field(default_factory=dict)

    def __call__(self, generator: torch.Generator) -> tuple:
        """The batch that this generator leads to."""
        return _unpacked(self.packed(generator))

    def packed(self, generator: torch.Generator) -> tuple:
        """The same batch ready to travel between processes: see `_Pixels` and `_Owners`."""
        scenes = sample(self.n, generator, **self.knobs)
        texts = [c.text for c in captions(scenes, self.kind, generator, self.habits)]
        picture = render(scenes, self.size)
        pixels = _Pixels(picture.image.mul_(255).round_().to(torch.uint8))
        return (pixels, texts, _Owners(picture.owner), picture.boxes) if self.masks else (pixels, texts)


def pictures(
    n: int,
    size: int = 32,
    kind: str = "short",
    *,
    masks: bool = False,
    habits: Habits | None = None,
    **knobs,
) -> Pictures:
    """A batch source of n rendered scenes and their captions; `knobs` as for `sample`.

    Raises ValueError at once for what could not be drawn: unknown words, n < 1, size < 16.
    """
    Knobs(**knobs)
    if kind not in KINDS:
        raise ValueError(unknown("kind of caption", kind, KINDS))
    if n < 1 or size < SMALLEST:
        raise ValueError(f"n={n}, size={size}: ask for at least 1 picture of at least {SMALLEST} pixels")
    return Pictures(n, size, kind, masks, habits, knobs)


class Producer:
    """An endless iterable of source's batches, drawn ahead by `workers` processes, in order.

    Step k's batch is source(a generator seeded from (seed, k)), exactly what `train(..., source, seed=seed)`
    draws by itself. source must survive pickling (`pictures(…)` does; a lambda does not, on macOS and
    Windows). workers=0 draws in this process. Each new loop starts at step 0 again with fresh processes;
    `close()`, leaving a `with` block, and the end of the program stop them. ahead: batches in waiting a
    worker. Raises ValueError for numbers that make no sense; an error in a worker is raised here.
    """

    def __init__(self, source: Draw, *, seed: int = 0, workers: int = 2, ahead: int = 2):
        if workers < 0 or ahead < 1:
            raise ValueError(f"workers={workers}, ahead={ahead}: give at least 0 and 1")
        self.source, self.seed, self.workers, self.ahead = source, seed, workers, ahead
        self._running: list[Any] = []

    def __iter__(self) -> Iterator[Any]:
        self.close()
        loader = DataLoader(
            _Steps(self.source, self.seed),
            batch_size=None,
            sampler=_Count(),
            num_workers=self.workers,
            collate_fn=_as_it_is,
            prefetch_factor=self.ahead if self.workers else None,
            generator=torch.Generator(),  # the loader's own draws leave the global generator alone
        )
        self._running.append(iter(loader))
        return map(_unpacked, self._running[-1])

    def close(self) -> None:
        """Stop the worker processes; the next loop starts new ones."""
        while self._running:
            stop = getattr(self._running.pop(), "_shutdown_workers", None)
            if stop is not None:
                stop()

    def __enter__(self) -> "Producer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass
class _Steps(Dataset):
    """Step → its batch, ready to travel."""

    source: Draw
    seed: int

    def __getitem__(self, step: int) -> Any:
        text = f"{self.seed}/generator/{step}"  # as `training.randomness.mix` does; a test holds them equal
        seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1
        draw = getattr(self.source, "packed", self.source)
        return _packed(draw(torch.Generator().manual_seed(seed)))


class _Count:
    """0, 1, 2, … anew for each loop."""

    def __iter__(self) -> Iterator[int]:
        return count()


def _as_it_is(batch: Any) -> Any:
    return batch


@dataclass(frozen=True)
class _Pixels:
    """(B, 3, S, S) pictures as bytes: a quarter of the shared memory, of which containers have little."""

    pixels: Tensor

    def unpacked(self) -> Tensor:
        """Floats in [0, 1]."""
        return self.pixels.float().div_(255)


@dataclass(frozen=True)
class _Owners:
    """Masks as one byte a pixel, (B, S, S), in place of six."""

    owner: Tensor

    def unpacked(self) -> Tensor:
        """(B, 6, S, S) bool, as in `Picture`."""
        return owned(self.owner)


def _packed(batch: Any) -> Any:
    """Pictures that come first in a batch as bytes; anything else as it is."""
    if isinstance(batch, tuple) and batch and _is_picture(batch[0]):
        return (_Pixels((batch[0] * 255).round_().to(torch.uint8)), *batch[1:])
    return batch


def _is_picture(x: Any) -> bool:
    """Whether bytes would lose nothing: (B, 3, S, S) floats in steps of 1/255."""
    if not (isinstance(x, Tensor) and x.dtype == torch.float32 and x.ndim == 4):
        return False
    return torch.equal((x * 255).round().clamp(0, 255).div(255), x)


def _unpacked(batch: Any) -> Any:
    """What travelled as it was before; anything else as it is."""
    travelled = (_Pixels, _Owners)
    if isinstance(batch, tuple) and any(isinstance(part, travelled) for part in batch):
        return tuple(part.unpacked() if isinstance(part, travelled) else part for part in batch)
    return batch
