"""GLIP's deep fusion equals transformers' GroundingDINO fusion layer, which was taken from GLIP; the losses
equal torchvision's. GLIP itself is not in transformers: the whole model has no reference there.
"""

import pytest
import torch
from torchvision.ops import generalized_box_iou_loss, sigmoid_focal_loss

from lecture10.models.glip import Fusion
from lecture10.models.grounding import focal_loss, giou_loss

TOLERANCE = 1e-5  # of the outputs' scale
NAMES = {
    "norm_image": "layer_norm_vision",
    "norm_text": "layer_norm_text",
    "gamma_image": "vision_param",
    "gamma_text": "text_param",
    "attention.q_image": "attn.vision_proj",
    "attention.q_text": "attn.text_proj",
    "attention.v_image": "attn.values_vision_proj",
    "attention.v_text": "attn.values_text_proj",
    "attention.out_image": "attn.out_vision_proj",
    "attention.out_text": "attn.out_text_proj",
}
WIDTH, INNER, HEADS = 12, 16, 4


def far(a, b) -> float:
    return float(((a - b).abs().max() / b.abs().max()).detach())


@pytest.fixture(scope="module")
def pair():
    transformers = pytest.importorskip("transformers")
    from transformers.models.grounding_dino.modeling_grounding_dino import GroundingDinoFusionLayer

    config = transformers.GroundingDinoConfig(
        d_model=WIDTH, encoder_ffn_dim=2 * INNER, encoder_attention_heads=2 * HEADS
    )
    theirs = GroundingDinoFusionLayer(config).eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    ours = Fusion(WIDTH, INNER, HEADS).eval()
    ours.load_state_dict(renamed(theirs.state_dict()))
    return ours, theirs


def renamed(state: dict) -> dict:
    """Their state by our names; every tensor is used once."""
    back = {theirs: ours for ours, theirs in NAMES.items()}
    found = {}
    for name, tensor in state.items():
        stem, _, kind = name.rpartition(".")
        ours = back[name] if name in back else f"{back[stem]}.{kind}"
        found[ours] = tensor.clone()
    assert len(found) == len(state)
    return found


def inputs(seed=0):
    roll = torch.Generator().manual_seed(seed)
    O, P = torch.randn(3, 9, WIDTH, generator=roll), torch.randn(3, 7, WIDTH, generator=roll)
    real = torch.ones(3, 7, dtype=torch.bool)
    real[0, 4:] = real[2, 6:] = False
    return O, P, real


def both(ours, theirs, O, P, real):
    """(ours, theirs): regions and tokens each."""
    with torch.no_grad():
        (theirs_O, _), (theirs_P, _) = theirs(O, P, attention_mask_text=None if real is None else ~real)
        return ours(O, P, real), (theirs_O, theirs_P)


@pytest.mark.parametrize("masked", [True, False])
def test_fusion_equals_the_reference(pair, masked):
    O, P, real = inputs()
    mine, wanted = both(*pair, O, P, real if masked else None)
    assert far(mine[0], wanted[0]) < TOLERANCE
    assert far(mine[1], wanted[1]) < TOLERANCE


def test_every_tensor_matters(pair):
    """Perturb each tensor of the reference alone; ours, unchanged, must part from it.

    Biases of one side's scores shift all entries of a row or of a column alike, and the other reading, down
    the columns, still tells them apart.
    """
    ours, theirs = pair
    O, P, real = inputs(1)
    for name, parameter in theirs.named_parameters():
        kept = parameter.detach().clone()
        with torch.no_grad():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(2)))
        mine, wanted = both(ours, theirs, O, P, real)
        with torch.no_grad():
            parameter.copy_(kept)
        assert max(far(m, w) for m, w in zip(mine, wanted, strict=True)) > 1e-3, name


def test_a_swap_of_names_would_be_seen(pair):
    """Negative control: queries and values of the picture exchanged."""
    _, theirs = pair
    state = renamed(theirs.state_dict())
    for kind in ("weight", "bias"):
        q, v = f"attention.q_image.{kind}", f"attention.v_image.{kind}"
        state[q], state[v] = state[v], state[q]
    wrong = Fusion(WIDTH, INNER, HEADS).eval()
    wrong.load_state_dict(state)
    mine, wanted = both(wrong, theirs, *inputs())
    assert far(mine[0], wanted[0]) > 1e-2


@pytest.mark.parametrize(("alpha", "gamma"), [(0.25, 2.0), (0.25, 0.0), (0.7, 1.0)])
def test_the_focal_loss_and_its_gradient_equal_torchvisions(alpha, gamma):
    roll = torch.Generator().manual_seed(3)
    logits = (6 * torch.randn(200, generator=roll)).double().requires_grad_()
    targets = (torch.rand(200, generator=roll) > 0.7).double()
    mine, wanted = (
        focal_loss(logits, targets, alpha, gamma),
        sigmoid_focal_loss(logits, targets, alpha, gamma),
    )
    assert far(mine, wanted) < TOLERANCE
    slopes = [torch.autograd.grad(x.sum(), logits)[0] for x in (mine, wanted)]
    assert far(*slopes) < TOLERANCE


def test_the_giou_loss_and_its_gradient_equal_torchvisions():
    roll = torch.Generator().manual_seed(4)
    corners = torch.rand(2, 300, 4, generator=roll).double()
    boxes, wanted = (torch.cat([c[:, :2], c[:, :2] + 0.05 + c[:, 2:]], 1) for c in corners)
    boxes.requires_grad_()
    mine, reference = giou_loss(boxes, wanted), generalized_box_iou_loss(boxes, wanted)
    assert far(mine, reference) < TOLERANCE
    slopes = [torch.autograd.grad(x.sum(), boxes)[0] for x in (mine, reference)]
    assert far(*slopes) < TOLERANCE
    assert not torch.allclose(mine, 1 - (1 - mine).clamp(min=0))  # apart boxes are told apart: GIoU < 0
