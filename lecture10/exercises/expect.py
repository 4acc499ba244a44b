"""What checks say often: a tensor of this shape, one number, these values; else `Broken`, in words."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from lecture10.exercises.exercise import Broken
from lecture10.exercises.probe import describe


def dice(seed: int) -> torch.Generator:
    """A generator of its own, so that a check neither depends on nor disturbs the notebook's seed."""
    return torch.Generator().manual_seed(seed)


def tensor(got: Any, shape: tuple[int, ...], dtype: torch.dtype | None = None) -> Tensor:
    """`got`, if it is a tensor of that shape (and dtype, where given)."""
    wanted = f"a tensor of shape {shape}" + (f" and {str(dtype).removeprefix('torch.')}" if dtype else "")
    if not isinstance(got, Tensor) or tuple(got.shape) != shape or (dtype and got.dtype != dtype):
        raise Broken(f"it should return {wanted}; it returned {describe(got)}")
    return got


def number(got: Any) -> float:
    """`got` as one finite float: an int, a float, or a tensor (or array) that holds one number."""
    size = math.prod(getattr(got, "shape", ()))
    if isinstance(got, bool | str | complex) or size != 1:
        raise Broken(f"one number is asked for; got {describe(got)}")
    try:
        value = float(got)
    except (TypeError, ValueError):
        raise Broken(f"one number is asked for; got {describe(got)}") from None
    if not math.isfinite(value):
        raise Broken(f"a finite number is asked for; got {value}")
    return value


def same(got: float, wanted: float, example: str, tolerance: float = 1e-4) -> None:
    """Two numbers agree, relative to the larger of the wanted one and 1; `example` says for what."""
    if abs(got - wanted) > tolerance * max(1.0, abs(wanted)):
        raise Broken(f"{example}: it gives {got:.4g}, wanted {wanted:.4g}")


def agree(got: Tensor, wanted: Tensor, example: str, tolerance: float = 1e-5) -> None:
    """Two tensors agree everywhere; the message shows the first place where they do not."""
    apart = (~torch.isclose(got.double(), wanted.double(), rtol=0, atol=tolerance)).nonzero()
    if len(apart):
        where = tuple(apart[0].tolist())
        place = where[0] if len(where) == 1 else where
        raise Broken(f"{example}: [{place}] is {float(got[where]):.4g}, wanted {float(wanted[where]):.4g}")


def refuse(bad: Tensor, say: Callable[[tuple[int, ...]], str]) -> None:
    """No element of the bool tensor `bad` may be True; `say` words the first that is."""
    places = bad.nonzero()
    if len(places):
        raise Broken(say(tuple(places[0].tolist())))
