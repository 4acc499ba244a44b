"""Batches: replayed, cut among processes, described."""

import collections
import random

import pytest
import tiny_run
import torch
from torch.utils.data import DataLoader

from lecture10.training import describe, first_dimension, stream
from lecture10.training.batches import Source, part_of
from lecture10.training.randomness import mix

CPU = torch.device("cpu")


def test_a_function_gives_the_same_batch_for_the_same_seed_and_step():
    first, again = stream(tiny_run.draw, seed=1), stream(tiny_run.draw, seed=1)
    other = stream(tiny_run.draw, seed=2)
    ours = [next(first)[0] for _ in range(3)]
    assert all(torch.equal(x, next(again)[0]) for x in ours)
    assert not torch.equal(ours[0], next(other)[0])
    assert not torch.equal(ours[0], ours[1])
    late = Source(tiny_run.draw, 1, CPU)
    assert torch.equal(late.draw(2)[0], ours[2])


def test_a_shuffling_loader_replays_from_any_position():
    loader = DataLoader(tiny_run.Augmented(), batch_size=8, shuffle=True)
    whole = Source(loader, 5, CPU)
    batches, positions = [], []
    for step in range(17):
        positions.append(whole.position)
        batches.append(whole.draw(step)[0])
    assert positions[:9] == [0, 1, 2, 3, 4, 5, 6, 1, 2]
    for step in (0, 3, 6, 7, 12, 16):
        late = Source(loader, 5, CPU)
        late.position = positions[step]
        assert torch.equal(late.draw(step)[0], batches[step]), step
    assert not torch.equal(batches[0], batches[7])


class ShuffleBuffer:
    """Holds some numbers back and gives out one of them by chance, as streamed data sets do."""

    def __iter__(self):
        held = []
        for number in range(40):
            held.append(number)
            if len(held) > 5:
                yield held.pop(random.randrange(6))


def test_a_source_that_draws_as_it_goes_replays_too():
    whole = Source(ShuffleBuffer(), 5, CPU)
    numbers = [whole.draw(step) for step in range(30)]
    assert numbers != sorted(numbers)
    late = Source(ShuffleBuffer(), 5, CPU)
    late.position = 20
    assert [late.draw(step) for step in range(20, 30)] == numbers[20:]


def test_a_loader_with_a_worker_kept_alive_goes_round():
    loader = DataLoader(torch.arange(6), batch_size=3, num_workers=1, persistent_workers=True)
    source = Source(loader, 0, CPU)
    assert [source.draw(step).tolist() for step in range(4)] == [[0, 1, 2], [3, 4, 5]] * 2


def test_seeds_are_mixed_well():
    seeds = {mix(seed, what, step) for seed in range(10) for what in ("a", "b") for step in range(50)}
    assert len(seeds) == 1000
    assert all(0 <= s < 2**63 for s in seeds)
    assert mix(1, "x", 23) != mix(12, "x", 3)


def test_parts_are_equal_disjoint_and_whole():
    Pair = collections.namedtuple("Pair", "ids words")
    batch = Pair(torch.arange(8), {"caption": list("abcdefgh"), "scale": torch.tensor(2.0), "note": "all",
                                   "boxes": [torch.arange(4), torch.arange(8)]})  # fmt: skip
    parts = [part_of(batch, rank, 2) for rank in range(2)]
    assert all(isinstance(part, Pair) for part in parts)
    assert torch.equal(torch.cat([part.ids for part in parts]), batch.ids)
    assert [part.words["caption"] for part in parts] == [list("abcd"), list("efgh")]
    assert parts[1].words["scale"] == 2
    assert parts[1].words["note"] == "all"
    assert parts[1].words["boxes"][0].tolist() == [2, 3]
    with pytest.raises(ValueError, match="a batch of 8 does not divide by 3 processes: use a multiple of 3"):
        part_of(batch, 0, 3)


@pytest.mark.parametrize(
    ("batch", "count"),
    [
        (torch.ones(5, 2), 5),
        ((torch.tensor(1), torch.ones(3)), 3),
        ({"x": torch.ones(4)}, 4),
        (["a", "b"], 2),
        (7, 1),
    ],
)
def test_samples_are_counted_by_the_first_dimension(batch, count):
    assert first_dimension(batch) == count


def test_a_batch_is_described_in_a_line():
    x = torch.tensor([[1.5, float("nan")], [float("inf"), -2.0]])
    assert describe((x, torch.tensor([3, 9]))) == (
        "(2, 2) float32 in [-2, 1.5], 2 of 4 not finite; (2,) int64 in [3, 9]"
    )
    assert (
        describe({"m": torch.zeros(2, dtype=torch.bool), "e": torch.ones(0)})
        == "(2,) bool in [0, 0]; (0,) float32"
    )
    assert describe(["a"]) == "a list without tensors"
    assert describe([torch.ones(1)] * 9).endswith("and 3 more tensors")
