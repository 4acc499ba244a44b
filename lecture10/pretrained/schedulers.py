"""Our networks under diffusers' schedulers: DDPM, DDIM, and DPM-Solver++, which we do not write ourselves.

Lu et al. 2022, "DPM-Solver++: Fast Solver for Guided Sampling of Diffusion Probabilistic Models". diffusers
is loaded when a scheduler is asked for.
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lecture10.models.ddpm import Diffusion
from lecture10.models.denoise import Network, chosen_steps
from lecture10.names import unknown

if TYPE_CHECKING:
    from diffusers import SchedulerMixin

METHODS = {
    "ddpm": ("DDPMScheduler", {"variance_type": "fixed_small", "clip_sample": False}),
    "ddim": ("DDIMScheduler", {"clip_sample": False, "set_alpha_to_one": True}),
    "dpm++": ("DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver++", "solver_order": 2}),
}
KINDS = {"eps": "epsilon", "x0": "sample", "v": "v_prediction"}


def scheduler(process: Diffusion, method: str, *, kind: str = "eps", **options) -> "SchedulerMixin":
    """diffusers' scheduler with our β, "trailing" steps as ours, and no clipping unless asked for in options.

    method: "ddpm", "ddim" or "dpm++" (order 2, multistep). Raises ValueError for another, and for an unknown
    kind.
    """
    if method not in METHODS:
        raise ValueError(unknown("method", method, METHODS))
    if kind not in KINDS:
        raise ValueError(unknown("kind of target", kind, KINDS))
    import diffusers

    name, own = METHODS[method]
    common = {
        "num_train_timesteps": process.steps,
        "trained_betas": process.betas.tolist(),
        "prediction_type": KINDS[kind],
        "timestep_spacing": "trailing",
    }
    return getattr(diffusers, name)(**(common | own | options))


@torch.no_grad()
def sample_under(
    theirs: "SchedulerMixin",
    network: Network,
    x: Tensor,
    steps: int,
    *,
    generator: torch.Generator | None = None,
    **how,
) -> Tensor:
    """Samples of our network under one of diffusers' schedulers: (B, …) pure noise -> (B, …).

    `how` is handed to its `step` (eta=0.7). Raises ValueError for steps outside 1 … T.
    """
    chosen_steps(theirs.config.num_train_timesteps, steps)
    theirs.set_timesteps(steps)
    if generator is not None:
        how = how | {"generator": generator}
    for t in theirs.timesteps:
        said = network(x, t.expand(len(x)))
        x = theirs.step(said, t, x, **how).prev_sample
    return x
