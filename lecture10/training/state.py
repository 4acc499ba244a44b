"""Checkpoints: a folder for each saved step, whole or absent, nothing pickled, refused where it does not fit.

    runs/gpt/step-000400/model.safetensors      the weights, unaveraged, and the buffers
                         optimizer.safetensors  AdamW's two moments and step count, by parameter name
                         average.safetensors    the moving average, where there is one
                         state.json             step, settings, seed, history, and the hashes of the others

Chance needs no place here: every step seeds itself from (seed, step), see randomness.py.
"""

import hashlib
import json
import os
import shutil
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from lecture10.files import sha256, write_bytes, write_text
from lecture10.training.settings import TrainSettings

KEEP = 2  # the newest, and the one before it in case the newest is damaged
Tensors = dict[str, Tensor]


class CheckpointError(ValueError):
    """A checkpoint that is damaged, or of another run; the message names what differs and the cure."""


def named_tensors(model: nn.Module) -> Tensors:
    """Parameters and persistent buffers by name, without copying; a tied one appears once, under its first
    name."""
    found: Tensors = {}
    seen: set[int] = set()
    for name, tensor in model.state_dict(keep_vars=True).items():
        if isinstance(tensor, Tensor) and id(tensor) not in seen:
            seen.add(id(tensor))
            found[name] = tensor
    return found


def to_bytes(tensors: Tensors) -> bytes:
    """The tensors as one safetensors file. In memory first, so that a full disk is an OSError like any
    other."""
    return safetensors.torch.save({n: t.detach().cpu().contiguous().clone() for n, t in tensors.items()})


def mismatch(ours: Tensors, theirs: Tensors) -> str | None:
    """The first difference in names or shapes between the model's tensors and a file's, as a sentence; else
    None."""
    for name, tensor in ours.items():
        if name not in theirs:
            return f"the file lacks the tensor {name!r}, which the model has"
        if theirs[name].shape != tensor.shape:
            return f"{name} is {tuple(theirs[name].shape)} in the file and {tuple(tensor.shape)} in the model"
    extra = sorted(theirs.keys() - ours.keys())
    return f"the file holds the tensor {extra[0]!r}, which the model lacks" if extra else None


@torch.no_grad()
def copy_into(ours: Tensors, theirs: Tensors) -> None:
    """Copy values in place, by name, to each tensor's own device and dtype."""
    for name, tensor in ours.items():
        tensor.copy_(theirs[name])


def moments(optimizer: torch.optim.Optimizer, parameters: Tensors) -> Tensors:
    """The optimizer's state by "parameter:entry", such as "head.weight:exp_avg"."""
    state = optimizer.state
    return {f"{n}:{key}": value for n, p in parameters.items() for key, value in state.get(p, {}).items()}


def restore_moments(optimizer: torch.optim.Optimizer, parameters: Tensors, saved: Tensors) -> None:
    """Undo `moments`; the optimizer moves each entry to where it needs it."""
    names = {id(p): name for name, p in parameters.items()}
    ordered = [names[id(p)] for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, Tensors] = {}
    for key, value in saved.items():
        name, entry = key.rsplit(":", 1)
        state.setdefault(ordered.index(name), {})[entry] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


class CheckpointFolder:
    """The checkpoints of one run. `identity` (settings, seed, …) must be equal when the run goes on."""

    def __init__(self, folder: str | Path, settings: TrainSettings, seed: int):
        self.folder = Path(folder)
        self.identity = json.loads(json.dumps({"seed": seed, **asdict(settings)}))

    def prepare(self) -> None:
        """Create the folder and sweep out what a kill left half-written. Raises OSError, with the cure,
        early."""
        write_text(self.folder / ".writable", "")
        (self.folder / ".writable").unlink(missing_ok=True)
        for part in self.folder.glob("*.part"):
            shutil.rmtree(part, ignore_errors=True) if part.is_dir() else part.unlink(missing_ok=True)

    def save(self, step: int, groups: dict[str, Tensors], facts: dict[str, Any]) -> None:
        """Write `groups` ("model", "optimizer", "average") and the JSON-able `facts`, then rename into place.

        Raises OSError, with the cure, where that fails; earlier checkpoints are then as they were.
        """
        final = self.folder / f"step-{step:06d}"
        part = self.folder / f"{final.name}.part"
        shutil.rmtree(part, ignore_errors=True)
        try:
            hashes = {}
            for name, tensors in groups.items():
                write_bytes(part / f"{name}.safetensors", to_bytes(tensors))
                hashes[name] = sha256(part / f"{name}.safetensors")
            body = {"step": step, "identity": self.identity, "files": hashes, **facts}
            write_text(part / "state.json", json.dumps({"sha256": _digest(body), "body": body}, indent=1))
            shutil.rmtree(final, ignore_errors=True)
            os.replace(part, final)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        for old in self.steps()[:-KEEP]:
            shutil.rmtree(old, ignore_errors=True)

    def steps(self) -> list[Path]:
        """The saved checkpoints, oldest first."""
        found = {p: p.name.removeprefix("step-") for p in self.folder.glob("step-*")}
        return sorted((p for p, number in found.items() if number.isdecimal()), key=lambda p: int(found[p]))

    def load(self) -> tuple[dict[str, Any], dict[str, Tensors]] | None:
        """The newest whole checkpoint as (facts, groups), or None where there is none yet.

        A damaged one is passed over with a warning. Raises CheckpointError where all are damaged, or where
        the newest whole one was written with other settings.
        """
        damaged = []
        for path in reversed(self.steps()):
            try:
                body, groups = _read(path)
            except _DAMAGE as error:
                damaged.append(f"{path.name}: {error}")
                continue
            if damaged:
                warnings.warn(
                    f"damaged ({'; '.join(damaged)}): going on from {path.name} instead", stacklevel=2
                )
            self._check_identity(path, body["identity"])
            return body, groups
        if damaged:
            raise CheckpointError(
                f"every checkpoint in {self.folder} is damaged ({'; '.join(damaged)}). "
                "Delete that folder, or choose another one, and train again from the start"
            )
        return None

    def _check_identity(self, path: Path, saved: dict[str, Any]) -> None:
        differing = [k for k in self.identity.keys() | saved.keys() if self.identity.get(k) != saved.get(k)]
        if differing:
            named = ", ".join(
                f"{k} = {saved.get(k)!r} there, {self.identity.get(k)!r} here" for k in sorted(differing)
            )
            raise CheckpointError(
                f"{path} was written by another run: {named}. Train with the same settings to go on, "
                "or choose another folder to start afresh"
            )


def _digest(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


_DAMAGE = (
    OSError,
    SafetensorError,
    ValueError,
    KeyError,
    TypeError,
)  # JSON and Unicode errors are ValueErrors


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensors]]:
    stored = json.loads((path / "state.json").read_text(encoding="utf-8"))
    body = stored["body"]
    if _digest(body) != stored["sha256"]:
        raise ValueError("state.json was changed")
    for name, expected in body["files"].items():
        if sha256(path / f"{name}.safetensors") != expected:
            raise ValueError(f"{name}.safetensors was changed or cut short")
    return body, {name: safetensors.torch.load_file(path / f"{name}.safetensors") for name in body["files"]}
