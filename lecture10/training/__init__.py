"""One training loop for every model of the course, its checkpoints, and shipped weights with their cards."""

from lecture10.training.batches import BatchSource, describe, first_dimension, stream
from lecture10.training.cards import Card, WeightsError, load_weights, read_card, save_weights
from lecture10.training.history import History
from lecture10.training.loop import train
from lecture10.training.plain import plain_loop
from lecture10.training.run import NonFiniteError
from lecture10.training.settings import TrainSettings, in_notebook, learning_rate
from lecture10.training.state import CheckpointError

__all__ = [
    "BatchSource",
    "Card",
    "CheckpointError",
    "History",
    "NonFiniteError",
    "TrainSettings",
    "WeightsError",
    "describe",
    "first_dimension",
    "in_notebook",
    "learning_rate",
    "load_weights",
    "plain_loop",
    "read_card",
    "save_weights",
    "stream",
    "train",
]
