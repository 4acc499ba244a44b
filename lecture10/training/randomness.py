"""Chance that can be replayed: every step seeds itself from (seed, step), so that nothing needs rewinding."""

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def mix(seed: int, *what: int | str) -> int:
    """A well-mixed seed in [0, 2⁶³) from `seed` and what it is for, such as mix(0, "batch", 17)."""
    text = "/".join(map(str, (seed, *what)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def seed_torch(seed: int, device: torch.device) -> None:
    """Seed the generators that a step on `device` draws from.

    Not torch.manual_seed: before CUDA wakes up, it records a stack trace at every call (0.3 ms each).
    """
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)


def seed_all(seed: int, device: torch.device) -> None:
    """Seed torch, NumPy's global generator and `random`: a batch source may draw from any of them."""
    seed_torch(seed, device)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - the global generator is what other people's datasets use
    random.seed(seed)


@contextmanager
def chance_kept(device: torch.device) -> Iterator[None]:
    """Whatever is drawn or seeded inside, the global generators come out as they went in."""
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002
    module = {"cuda": torch.cuda, "mps": torch.mps}.get(device.type)
    on_device = module.get_rng_state() if module else None
    try:
        yield
    finally:
        torch.set_rng_state(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        random.setstate(states[2])
        if module:
            module.set_rng_state(on_device)
