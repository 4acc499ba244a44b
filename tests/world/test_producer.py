"""Batches drawn ahead by worker processes are those that the training process would have drawn."""

from itertools import islice

import pytest
import torch

from lecture10.training import TrainSettings, train
from lecture10.training.batches import stream
from lecture10.world.producer import Producer, pictures
from lecture10.world.render import render
from lecture10.world.sample import sample

SOURCE = pictures(6, 16, things=(1, 2), masks=True)


def same(one, two) -> bool:
    """Whether two batches are equal, bit for bit."""
    return len(one) == len(two) and all(
        torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b for a, b in zip(one, two, strict=True)
    )


@pytest.mark.parametrize("workers", [0, 2])
def test_a_producer_yields_what_training_draws_by_itself(workers):
    """The same batches in the same order as the plain source; another seed gives others."""
    own = list(islice(stream(SOURCE, seed=3), 5))
    with Producer(SOURCE, seed=3, workers=workers) as batches:
        ahead = list(islice(batches, 5))
        again = next(iter(batches))
    assert all(same(a, b) for a, b in zip(own, ahead, strict=True))
    assert same(again, own[0])
    assert not same(own[0], own[1])
    assert not same(own[0], next(iter(Producer(SOURCE, seed=4, workers=0))))


def test_worker_processes_end_with_the_block():
    """Nobody is left behind."""
    with Producer(SOURCE, workers=2) as batches:
        loop = iter(batches)
        next(loop)
        workers = list(batches._running[0]._workers)
        assert all(w.is_alive() for w in workers)
    assert len(workers) == 2
    assert not any(w.is_alive() for w in workers)


def test_a_run_is_the_same_whoever_draws():
    """Weights after training are equal bit for bit, and the global generator is untouched."""

    def weights(batches):
        torch.manual_seed(1)
        model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 16 * 16, 2))
        settings = TrainSettings(steps=3)
        train(model, lambda m, b: m(b[0]).square().mean(), batches, settings, quiet=True, device="cpu")
        return torch.cat([p.detach().flatten() for p in model.parameters()])

    alone = weights(SOURCE)
    with Producer(SOURCE, workers=1) as batches:
        assert torch.equal(weights(batches), alone)
    assert not torch.equal(weights(pictures(6, 16, things=(1, 3))), alone)


def test_pictures_are_rendered_scenes_in_steps_of_a_byte():
    """Within half a step of what render gives for the same generator; texts are the scenes' captions."""
    image, texts, masks, boxes = SOURCE(torch.Generator().manual_seed(5))
    picture = render(sample(6, 5, things=(1, 2)), 16)
    assert (image - picture.image).abs().max() <= 0.5 / 255 + 1e-6
    assert torch.equal((image * 255).round() / 255, image)
    assert torch.equal(masks, picture.masks)
    assert torch.equal(boxes, picture.boxes)
    assert len(texts) == 6
    assert all(isinstance(t, str) and t for t in texts)


def test_what_cannot_be_drawn_is_refused_at_once():
    """Before any process starts; and an error in a worker reaches the caller."""
    with pytest.raises(ValueError, match="did you mean 'bear'"):
        pictures(4, 32, nouns="baer")
    with pytest.raises(ValueError, match="did you mean 'short'"):
        pictures(4, 32, "shrt")
    with pytest.raises(ValueError, match="at least 16 pixels"):
        pictures(4, 8)
    with pytest.raises(ValueError, match="workers=-1"):
        Producer(SOURCE, workers=-1)
    with Producer(_broken, workers=1) as batches, pytest.raises(ZeroDivisionError):
        next(iter(batches))


def _broken(generator):
    return 1 / 0
