"""Accelerate, made ready for one run: the device asked for, and as many processes as torchrun started."""

import atexit

import torch
import torch.distributed
from accelerate import Accelerator
from accelerate.state import AcceleratorState, PartialState


def make_accelerator(device: torch.device) -> Accelerator:
    """An Accelerator on `device`; under torchrun one of several, over gloo (CPU) or NCCL (CUDA).

    Accelerate keeps one state for the whole Python process and refuses to change its mind; where an earlier
    run in the same kernel used another device or precision, that state is dropped first. Precision stays "no"
    here: the loop opens autocast itself, around the whole loss, and so leaves model.forward alone.
    """
    known = PartialState._shared_state
    if known and not known.get("backend"):
        other = known["device"].type != device.type
        if other or AcceleratorState._shared_state.get("_mixed_precision", "no") != "no":
            AcceleratorState._reset_state(reset_partial_state=True)
    if device.type == "cuda" and device.index is not None:
        torch.cuda.set_device(device)  # a single process of Accelerate's computes on the current GPU
    accelerator = Accelerator(cpu=device.type == "cpu", mixed_precision="no")
    if accelerator.num_processes > 1:
        atexit.register(_leave)
    return accelerator


def _leave() -> None:
    """Gloo aborts a rank that exits while its group is still open."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """bf16 arithmetic where `precision` asks for it; "auto" does on CUDA GPUs that have it, and nowhere
    else."""
    wanted = precision == "bf16" or (
        precision == "auto"
        and device.type == "cuda"
        and torch.cuda.is_bf16_supported(including_emulation=False)
    )
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=wanted)
