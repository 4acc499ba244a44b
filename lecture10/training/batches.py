"""Where batches come from (a function of seed and step, or anything to loop over), and what a batch is."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count as count_up
from typing import Any

import torch
from torch import Tensor

from lecture10.training.randomness import mix, seed_all

Batch = Any  # a tensor, or a tuple, list or dict of tensors, texts and the like
BatchSource = Callable[[torch.Generator], Batch] | Iterable[Batch]


class Source:
    """Hands out the batch of each step, the same one for the same (seed, step) however often a run was
    stopped.

    A function is called with a CPU generator seeded from (seed, step): resuming costs nothing. Anything else
    is looped over, again and again where it can be; on resume the batches already seen in the present round
    are read once more and thrown away (at most one round of a list or a DataLoader; everything of a one-shot
    iterator, of which a fresh one must be given). Torch, NumPy and `random` are seeded before each batch, so
    shuffling and augmentation replay too.
    """

    def __init__(self, batches: BatchSource, seed: int, device: torch.device):
        if not callable(batches) and not isinstance(batches, Iterable):
            raise ValueError(
                f"batches is a {type(batches).__name__}: give a function of a generator, or an iterable"
            )
        self.batches, self.seed, self.device = batches, seed, device
        self.replayable = callable(batches) and not isinstance(batches, Iterable)
        self.position = 0  # of an iterable: how many batches of the present round are out
        self._iterator: Iterator[Batch] | None = None

    def draw(self, step: int) -> Batch:
        """The batch of `step` (from 0). Raises ValueError where a source that cannot start again has
        ended."""
        self._seed(step)
        if self.replayable:
            return self.batches(torch.Generator().manual_seed(mix(self.seed, "generator", step)))
        if self._iterator is None:
            self._catch_up(step)
        batch = next(self._iterator, _END)
        if batch is _END:
            batch = self._next_round(step)
        self.position += 1
        return batch

    def _seed(self, step: int) -> None:
        seed_all(mix(self.seed, "batch", step), self.device)

    def _open(self, step: int) -> None:
        self._seed(step)
        self._iterator = iter(self.batches)
        self._seed(step)

    def _catch_up(self, step: int) -> None:
        first = step - self.position
        self._open(first)
        for earlier in range(first, step):
            self._seed(earlier)
            if next(self._iterator, _END) is _END:
                raise ValueError(
                    f"the batch source ended after {earlier - first} batches, but {self.position} were drawn "
                    "from it before the checkpoint: give the same one, fresh if it is a generator"
                )
        self._seed(step)

    def _next_round(self, step: int) -> Batch:
        batch = _END
        if iter(self.batches) is not self.batches:  # not a one-shot iterator
            self._open(step)
            batch = next(self._iterator, _END)
        if batch is _END:
            raise ValueError(
                f"the batch source ended before step {step + 1} and cannot start again: give a list, "
                "a DataLoader, or a function of a torch.Generator (called once a step)"
            )
        self.position = 0
        return batch


_END = object()


def stream(batches: BatchSource, seed: int = 0) -> Iterator[Batch]:
    """The very batches that `train(..., seed=seed)` sees, one after the other without end."""
    source = Source(batches, seed, torch.device("cpu"))
    return (source.draw(step) for step in count_up())


def tensors(batch: Batch) -> list[Tensor]:
    """All tensors in a batch, in order."""
    if isinstance(batch, Tensor):
        return [batch]
    if isinstance(batch, Mapping):
        return [t for value in batch.values() for t in tensors(value)]
    if isinstance(batch, (tuple, list)):
        return [t for value in batch for t in tensors(value)]
    return []


def first_dimension(batch: Batch) -> int:
    """How many samples a batch holds: the first dimension of its first tensor, else its length, else 1."""
    for tensor in tensors(batch):
        if tensor.ndim:
            return tensor.shape[0]
    return len(batch) if isinstance(batch, (tuple, list)) else 1


def part_of(batch: Batch, rank: int, ranks: int) -> Batch:
    """Process `rank`'s share of a batch: the same length for each, so that the mean of means is the mean.

    Every tensor with a first dimension, and every list of plain things (captions), is cut; tuples, dicts and
    lists of tensors are walked through. Raises ValueError where something does not divide by `ranks`.
    """
    if isinstance(batch, Tensor):
        return _cut(batch, rank, ranks) if batch.ndim else batch
    if isinstance(batch, Mapping):
        return {key: part_of(value, rank, ranks) for key, value in batch.items()}
    if isinstance(batch, tuple):
        parts = [part_of(value, rank, ranks) for value in batch]
        return type(batch)(*parts) if hasattr(batch, "_fields") else tuple(parts)
    if isinstance(batch, list):
        return [part_of(v, rank, ranks) for v in batch] if tensors(batch) else _cut(batch, rank, ranks)
    return batch


def _cut(items: Any, rank: int, ranks: int) -> Any:
    each, left = divmod(len(items), ranks)
    if left:
        raise ValueError(
            f"a batch of {len(items)} does not divide by {ranks} processes: use a multiple of {ranks}"
        )
    return items[rank * each : (rank + 1) * each]


def describe(batch: Batch, most: int = 6) -> str:
    """A batch in one line: shape, dtype and range of its tensors, and how many numbers in them are not
    finite.

    >>> describe((torch.tensor([[1.0, float("nan")]]), torch.tensor([3])))
    '(1, 2) float32 in [1, 1], 1 of 2 not finite; (1,) int64 in [3, 3]'
    """
    found = tensors(batch)
    parts = [_describe(tensor) for tensor in found[:most]]
    if len(found) > most:
        parts.append(f"and {len(found) - most} more tensors")
    return "; ".join(parts) or f"a {type(batch).__name__} without tensors"


def _describe(tensor: Tensor) -> str:
    name = f"{tuple(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"
    if tensor.is_complex() or not tensor.numel():
        return name
    values = tensor.detach().cpu().double()
    finite = values[values.isfinite()]
    span = f" in [{finite.min():.4g}, {finite.max():.4g}]" if finite.numel() else ""
    bad = values.numel() - finite.numel()
    return name + span + (f", {bad} of {values.numel()} not finite" if bad else "")
