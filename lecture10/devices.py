"""Where to compute, and how much: two environment variables. Imports torch only when asked."""

import os
from typing import TYPE_CHECKING

from lecture10.names import unknown

if TYPE_CHECKING:
    import torch

DEVICES = ("cpu", "cuda", "mps")
BUDGETS = ("smoke", "laptop", "gpu")


def pick_device(name: str | None = None) -> "torch.device":
    """The device to compute on: `name`, else `LECTURE10_DEVICE`, else the best one here (cuda, mps, cpu).

    name: "cpu", "cuda" or "mps", with an index if you like ("cuda:1"). A name that was asked for is never
    replaced by another: raises ValueError, with the cure, where it is unknown or this machine has no such
    device.
    """
    import torch

    asked = name or os.environ.get("LECTURE10_DEVICE") or ""
    present = [kind for kind in DEVICES if _present(kind)]
    if not asked:
        return torch.device("cuda" if "cuda" in present else present[-1])
    kind = asked.split(":")[0].lower()
    if kind not in DEVICES:
        raise ValueError(f"LECTURE10_DEVICE: {unknown('device', asked, DEVICES)}")
    if kind not in present:
        raise ValueError(
            f"the device {asked!r} was asked for, but PyTorch {torch.__version__} sees none on this machine. "
            f"Set LECTURE10_DEVICE={present[-1]} (or unset it), or install a PyTorch build made for {kind}"
        )
    return _indexed(asked.lower())


def _present(kind: str) -> bool:
    import torch

    return {"cpu": lambda: True, "cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available}[
        kind
    ]()


def _indexed(asked: str) -> "torch.device":
    import torch

    try:
        device = torch.device(asked)
    except RuntimeError as error:
        raise ValueError(f"{asked!r} is not a device; write cpu, cuda, mps or cuda:0") from error
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ValueError(
            f"{asked!r} was asked for, but there are only {torch.cuda.device_count()} CUDA devices"
        )
    return device


def budget() -> str:
    """How much to compute, `LECTURE10_BUDGET`: "smoke" (seconds), "laptop" (the default) or "gpu".

    Raises ValueError, naming the nearest one, where it is none of them.
    """
    asked = os.environ.get("LECTURE10_BUDGET", "").strip().lower() or "laptop"
    if asked not in BUDGETS:
        raise ValueError(f"LECTURE10_BUDGET: {unknown('budget', asked, BUDGETS)}")
    return asked
