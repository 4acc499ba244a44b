"""Classifier-free guidance: away from what the network draws without a prompt, towards what with one.

Ho & Salimans 2022, "Classifier-Free Diffusion Guidance". Two conventions are in use, and off by one: here w
is Imagen's and the libraries' guidance_scale, which does nothing at 1; Ho & Salimans' w does nothing at 0.
"""

import torch
from torch import Tensor


def guide(without: Tensor, with_prompt: Tensor, w: float) -> Tensor:
    """ε̃ = ε(z) + w (ε(z, c) - ε(z)): 0 ignores the prompt, 1 is the network itself, more exaggerates.

    without, with_prompt: the network's answers, of equal shape. Raises ValueError for w below 0 and for
    shapes that differ.
    """
    check_guidance(w)
    if without.shape != with_prompt.shape:
        raise ValueError(
            f"the two answers have shapes {tuple(without.shape)} and {tuple(with_prompt.shape)}: give both "
            "for the same noisy picture"
        )
    return without + w * (with_prompt - without)


def check_guidance(w: float) -> None:
    """Raise ValueError, with the conventions, for a guidance scale below 0."""
    if not w >= 0:
        raise ValueError(
            f"guidance is {w}: it is 0 (prompt ignored), 1 (no guidance) or more; below 0 the prompt is "
            "fled. Ho & Salimans' w is one less than this one"
        )


def from_ho_and_salimans(w: float) -> float:
    """The scale of `guide` that does what (1 + w) ε(z, c) - w ε(z) does."""
    return w + 1


def drop_prompts(prompts: Tensor, empty: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """A share of the prompts replaced by the empty one, so that one network learns both answers.

    prompts: (B, …) token ids or states; empty: (…) of the prompt without words; share: in [0, 1], usually
    0.1. Raises ValueError for a share outside.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}: the share of prompts to drop lies in [0, 1], usually 0.1")
    dropped = torch.rand(len(prompts), generator=generator).to(prompts.device) < share  # (B,)
    return torch.where(dropped.view(-1, *[1] * (prompts.ndim - 1)), empty, prompts)
