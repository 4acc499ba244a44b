"""Shipped weights: a safetensors file, beside it a JSON card with what they are and the command for them."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import nn

from lecture10 import __version__
from lecture10.files import sha256, write_bytes, write_text
from lecture10.training.state import copy_into, mismatch, named_tensors, to_bytes


class WeightsError(ValueError):
    """Weights that are missing, damaged, or of another model or data; the message ends with how to rebuild
    them."""


@dataclass(frozen=True)
class Card:
    """What shipped weights are. The last four fields are filled in by `save_weights`."""

    architecture: str  # the model's name, such as "gpt"
    config: dict[str, Any]  # its config; a dataclass is turned into a dict
    seed: int
    steps: int
    data_version: str  # of the world or text it learnt from
    metrics: dict[str, float]  # what it reached, on data it had not seen
    minutes: float  # what the training took
    command: str  # rebuilds it
    half: bool = False  # stored as fp16
    sha256: str = ""
    package: str = ""
    torch: str = ""
    parameters: int = 0

    def __post_init__(self):
        object.__setattr__(self, "config", _plain(self.config))


def _plain(config: Any) -> dict[str, Any]:
    """A config as JSON would give it back: tuples are lists."""
    return json.loads(json.dumps(asdict(config) if is_dataclass(config) else dict(config)))


def weights_paths(path: str | Path) -> tuple[Path, Path]:
    """The weights and the card that `path` (with or without .safetensors) stands for."""
    path = Path(path)
    stem = path.with_suffix("") if path.suffix in (".safetensors", ".json") else path
    return stem.with_name(stem.name + ".safetensors"), stem.with_name(stem.name + ".json")


def save_weights(model: nn.Module, path: str | Path, card: Card) -> Card:
    """Write `path`.safetensors and `path`.json; returns the card as written. Tied tensors are stored once.

    Raises ValueError where a weight is not finite, or not in fp16 where the card asks for that.
    """
    weights, card_path = weights_paths(path)
    tensors = {name: t.detach() for name, t in named_tensors(model).items()}
    if card.half:
        tensors = {name: t.half() if t.is_floating_point() else t for name, t in tensors.items()}
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            why = " in fp16 (largest 65504): store it with half=False" if card.half else ": train again"
            raise ValueError(f"{name} is not finite{why}")
    write_bytes(weights, to_bytes(tensors))
    written = replace(
        card,
        sha256=sha256(weights),
        package=__version__,
        torch=torch.__version__,
        parameters=_parameters(model),
    )
    write_text(card_path, json.dumps(asdict(written), indent=2, ensure_ascii=False) + "\n")
    return written


def _parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def read_card(path: str | Path) -> Card:
    """The card of shipped weights. Raises WeightsError where it is missing or is no card."""
    card_path = weights_paths(path)[1]
    command = None
    try:
        facts = json.loads(card_path.read_text(encoding="utf-8"))
        command = facts["command"]
        return Card(**{f.name: facts[f.name] for f in fields(Card)})
    except FileNotFoundError as error:
        raise WeightsError(f"there is no card {card_path.name}; {_rebuild(None)}") from error
    except KeyError as error:
        raise WeightsError(f"the card {card_path.name} lacks {error}; {_rebuild(command)}") from error
    except (ValueError, TypeError) as error:
        raise WeightsError(f"the card {card_path.name} is damaged ({error}); {_rebuild(command)}") from error


def _rebuild(command: str | None) -> str:
    return (
        f"rebuild it with\n    {command}" if command else "install the package again, or rebuild the weights"
    )


def load_weights(
    model: nn.Module, path: str | Path, *, architecture: str, data_version: str, config: Any = None
) -> Card:
    """Copy shipped weights into `model`, in place; returns their card.

    config: what the card must agree with (default: `model.config`, where that is a dataclass or a dict).
    Raises WeightsError, with the command that rebuilds them, where the file is missing, cut short or changed,
    or the card is of another architecture, config or data version; `model` is then as it was.
    """
    weights, _ = weights_paths(path)
    card = read_card(path)
    config = getattr(model, "config", None) if config is None else config
    wanted = _plain(config) if is_dataclass(config) or isinstance(config, Mapping) else None
    problem = _differs(card, architecture, data_version, wanted) or _damage(weights, card)
    if problem is None:
        tensors = safetensors.torch.load_file(weights)
        problem = mismatch(named_tensors(model), tensors)
    if problem is not None:
        raise WeightsError(f"{weights.name} cannot be used: {problem}; {_rebuild(card.command)}")
    copy_into(named_tensors(model), tensors)
    return card


def _differs(card: Card, architecture: str, data_version: str, config: dict[str, Any] | None) -> str | None:
    if card.architecture != architecture:
        return f"its architecture is {card.architecture!r}, wanted is {architecture!r}"
    if card.data_version != data_version:
        return f"it learnt from data version {card.data_version!r}, and this is {data_version!r}"
    for key in () if config is None else sorted(config.keys() | card.config.keys()):
        if config.get(key) != card.config.get(key):
            return f"its config has {key} = {card.config.get(key)!r}, wanted is {config.get(key)!r}"
    return None


def _damage(weights: Path, card: Card) -> str | None:
    if not weights.is_file():
        return "the file is missing"
    if sha256(weights) != card.sha256:
        return "the file was changed or cut short since its card was written"
    return None
