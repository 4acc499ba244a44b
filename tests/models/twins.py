"""For tests that hold a module to a reference: weights that hide no bug, and what counts as equal."""

import torch
from torch import Tensor, nn


def randomised(module: nn.Module) -> nn.Module:
    """The module in eval mode, with every parameter moved: first weights are half zeros and ones."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return module.eval()


def agree(ours: Tensor, theirs: Tensor) -> None:
    """Assert that they differ by 1e-5 of the reference's scale at most."""
    scale = float(theirs.detach().abs().max())
    apart = float((ours - theirs).detach().abs().max())
    assert apart <= 1e-5 * scale, apart / scale
