"""What is true of every SAM: prompts, windows, masks, losses; and a sentence for what it cannot read."""

import pytest
import torch
from torch import nn

from lecture10.models import sam as model
from lecture10.models.sam import PRESETS, SAM
from lecture10.models.sam_decoder import TwoWayBlock
from lecture10.models.sam_loss import dice_loss, focal_loss, iou, mask_losses, sam_loss
from lecture10.models.sam_vit import WindowAttention, relative, unwindows, windows


@pytest.fixture(scope="module", params=["tiny", "tiny-vit"])
def sam(request):
    torch.manual_seed(0)
    built = SAM(PRESETS[request.param])
    with torch.no_grad():
        for p in built.parameters():
            p.add_(0.1 * torch.randn(p.shape))
    return built.eval()


@pytest.fixture(scope="module")
def picture(sam):
    with torch.no_grad():
        return sam.embed(torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(3)))


POINTS = torch.tensor([[[4.0, 9.0]], [[20.0, 3.0]]])
FOR = torch.ones(2, 1, dtype=torch.long)


def test_one_click_gets_three_masks_and_more_get_one(sam, picture):
    assert picture.shape == (2, 16, sam.config.encoder.side, sam.config.encoder.side)
    masks, guessed = sam.decode(picture, POINTS, FOR)
    assert masks.shape == (2, 3, sam.mask_size, sam.mask_size)
    assert guessed.shape == (2, 3)
    two = sam.decode(picture, POINTS.repeat(1, 2, 1), torch.tensor([[1, 0], [1, 1]]))[0]
    box = sam.decode(picture, boxes=torch.tensor([[1.0, 1, 9, 9], [2, 2, 8, 30]]))[0]
    again = sam.decode(picture, POINTS, FOR, masks=masks[:, 0])[0]
    assert two.shape[1] == box.shape[1] == again.shape[1] == 1
    assert sam.full_size(masks).shape == (2, 3, 32, 32)


def test_a_prompt_is_answered_by_itself(sam, picture):
    both = sam.decode(picture, POINTS, FOR)[0]
    alone = sam.decode(picture[1:], POINTS[1:], FOR[1:])[0]
    assert torch.allclose(both[1:], alone, atol=1e-4)


def test_no_click_has_no_place(sam, picture):
    """Label -1 fills up a batch: where it points does not matter, that it is there does (as released)."""
    labels = torch.tensor([[1, -1], [1, -1]])
    a, b = (sam.decode(picture, torch.cat([POINTS, at], 1), labels)[0] for at in (POINTS, 0 * POINTS))
    assert torch.equal(a, b)


def test_the_order_of_clicks_does_not_matter_and_their_labels_do(sam, picture):
    points, labels = torch.cat([POINTS, POINTS + 5], 1), torch.tensor([[1, 0], [0, 1]])
    masks = sam.decode(picture, points, labels)[0]
    assert torch.allclose(sam.decode(picture, points.flip(1), labels.flip(1))[0], masks, atol=1e-4)
    assert not torch.allclose(sam.decode(picture, points, labels.flip(1))[0], masks, atol=1e-3)


def test_moving_a_click_or_a_box_or_the_mask_changes_the_answer(sam, picture):
    box, mask = torch.tensor([[1.0, 1, 9, 9]]).repeat(2, 1), torch.zeros(2, sam.mask_size, sam.mask_size)
    asked = {"points": POINTS, "labels": FOR, "boxes": box, "masks": mask}
    before = sam.decode(picture, **asked)[0]
    for name, moved in (
        ("points", POINTS + 3),
        ("boxes", box + 2),
        ("masks", mask + torch.eye(sam.mask_size)),
    ):
        assert not torch.allclose(sam.decode(picture, **asked | {name: moved})[0], before, atol=1e-4), name


def test_a_model_of_one_mask_has_one(picture):
    from dataclasses import replace

    one = SAM(replace(PRESETS["tiny"], multimask=0)).eval()
    masks, guessed = one.decode(torch.randn(2, 16, 4, 4), POINTS, FOR)
    assert masks.shape[1] == guessed.shape[1] == 1


def test_the_ious_are_not_squeezed(sam, picture):
    """No sigmoid on the IoU head: its last bias moves the guess as it is."""
    before = sam.decode(picture, POINTS, FOR)[1]
    with torch.no_grad():
        sam.decoder.iou.layers[-1].bias += 2
        after = sam.decode(picture, POINTS, FOR)[1]
        sam.decoder.iou.layers[-1].bias -= 2
    assert torch.allclose(after, before + 2, atol=1e-5)


def test_positions_are_never_handed_over():
    """With all content 0 but for biases, tokens that look get nothing of the places' positions as values."""
    torch.manual_seed(0)
    block = TwoWayBlock(8, 2, 8, first=False)
    block.to_picture.q.weight.data.zero_()  # looks everywhere alike
    block.to_picture.q.bias.data.zero_()
    tokens, places, at = torch.randn(1, 3, 8), torch.randn(1, 5, 8), torch.randn(1, 3, 8)
    one, _ = block(tokens, places, at, torch.zeros(1, 5, 8))
    other, _ = block(tokens, places, at, torch.randn(1, 5, 8))
    assert torch.allclose(one, other, atol=1e-5)


# --- windows ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("h", "w"), [(6, 3), (5, 3), (7, 4)])
def test_windows_come_back_as_they_were(h, w):
    x = torch.randn(2, h, h, 3)
    cut = windows(x, w)
    assert cut.shape == (2 * (-(-h // w)) ** 2, w, w, 3)
    assert torch.equal(unwindows(cut, h, h), x)
    assert torch.equal(cut[0], x[0, :w, :w])
    assert torch.equal(cut[1, :, : min(w, h - w)], x[0, :w, w : 2 * w])


def test_relative_positions_by_two_loops():
    q, table, n = torch.randn(4, 3), torch.randn(7, 3), 4
    wanted = torch.tensor([[float(q[i] @ table[i - j + n - 1]) for j in range(n)] for i in range(n)])
    assert torch.allclose(relative(q, table), wanted, atol=1e-5)


def test_a_window_sees_itself_alone():
    torch.manual_seed(0)
    vit = SAM(PRESETS["tiny-vit"]).encoder
    block = vit.blocks[0]
    assert block.w == 3
    x = torch.randn(1, 8, 8, 16)
    other = x.clone()
    other[:, 7, 7, 0] += 1
    changed = (block(other) - block(x)).abs().sum(-1)[0] > 1e-6
    assert changed[6:, 6:].all()
    assert not changed[:6].any()
    assert ((vit.blocks[1](other) - vit.blocks[1](x)).abs().sum(-1)[0] > 1e-6).all()


def test_rows_and_columns_are_not_confused():
    attention = WindowAttention(4, 1, 3)
    nn.init.zeros_(attention.columns)
    nn.init.normal_(attention.rows)
    scores = attention.position_scores(torch.randn(1, 1, 9, 4)).view(3, 3, 3, 3)  # y, x, y', x'
    assert torch.allclose(scores, scores[..., :1].expand_as(scores))  # alike along a row
    assert not torch.allclose(scores, scores[:, :, :1].expand_as(scores))


# --- the loss ---------------------------------------------------------------------------------------------


def masks_of(n=3, m=3, side=8, seed=0):
    roll = torch.Generator().manual_seed(seed)
    return 2 * torch.randn(n, m, side, side, generator=roll), torch.rand(n, side, side, generator=roll) > 0.6


def test_a_perfect_mask_costs_next_to_nothing():
    _, targets = masks_of()
    logits = (40.0 * (2 * targets.float() - 1))[:, None]
    assert mask_losses(logits, targets.float()).max() < 1e-3
    assert torch.equal(iou(logits > 0, targets), torch.ones(3, 1))


def test_focal_and_dice_by_hand():
    logits, targets = masks_of(1, 1, 2)
    y, p = targets[0].double(), logits[0, 0].double().sigmoid()
    focal = -(0.25 * y * (1 - p) ** 2 * p.log() + 0.75 * (1 - y) * p**2 * (1 - p).log()).mean()
    dice = 1 - (2 * (p * y).sum() + 1) / (p.sum() + y.sum() + 1)
    assert float(focal_loss(logits, targets.float())) == pytest.approx(float(focal), rel=1e-5)
    assert float(dice_loss(logits, targets.float())) == pytest.approx(float(dice), rel=1e-5)
    both = float(mask_losses(logits, targets.float()))
    assert both == pytest.approx(20 * float(focal) + float(dice), rel=1e-5)


def test_only_the_best_mask_learns_and_all_guesses_do():
    logits, targets = masks_of()
    guessed = torch.rand(3, 3, generator=torch.Generator().manual_seed(5)).requires_grad_()
    found = sam_loss(logits.requires_grad_(), guessed, targets)
    found["loss"].backward()
    learns = logits.grad.abs().sum((-2, -1)) > 0
    assert torch.equal(learns, torch.nn.functional.one_hot(found["best"], 3).bool())
    assert torch.equal(found["best"], mask_losses(logits, targets.float()).argmin(1))
    assert torch.allclose(guessed.grad, 2 * (guessed - iou(logits > 0, targets)).detach() / 9, atol=1e-6)


def test_shared_mixes_in_the_others():
    logits, targets = masks_of()
    losses, guessed = mask_losses(logits, targets.float()), torch.zeros(3, 3)
    found = sam_loss(logits, guessed, targets, shared=0.25)
    assert float(found["mask"]) == pytest.approx(float(0.75 * losses.amin(1).mean() + 0.25 * losses.mean()))


def test_iou_of_nothing_is_zero():
    assert iou(torch.zeros(1, 1, 3, 3, dtype=torch.bool), torch.zeros(1, 3, 3, dtype=torch.bool)).item() == 0


# --- what cannot be ---------------------------------------------------------------------------------------

BAD = [
    ({}, "no prompt is given"),
    ({"points": POINTS}, "clicks need labels"),
    ({"points": POINTS, "labels": FOR + 1}, "a click has label 2: 1 is for"),
    ({"points": POINTS[:1], "labels": FOR[:1]}, "do not go with 2 pictures"),
    ({"points": POINTS + 30, "labels": FOR}, r"a click at \(34, 39\) lies outside the picture: .* 0 to 31"),
    ({"boxes": torch.tensor([[1.0, 1, 9, 9], [9, 1, 4, 5]])}, "box 1 is .* inverted or empty"),
    ({"boxes": torch.tensor([[1.0, 1, 9, 9], [1, 1, 40, 5]])}, "box 1 is .* partly outside"),
    ({"boxes": torch.ones(2, 3)}, r"wanted is \(2, 4\)"),
    ({"points": POINTS, "labels": FOR, "masks": torch.ones(2, 32, 32)}, "hand back what `decode` gave"),
]


@pytest.mark.parametrize(("prompt", "says"), BAD)
def test_prompts_that_cannot_be_are_refused(picture, prompt, says):
    tiny = SAM(PRESETS["tiny"])
    with pytest.raises(ValueError, match=says):
        tiny.decode(torch.zeros(2, 16, 4, 4), **prompt)


@pytest.mark.parametrize(
    ("images", "says"),
    [
        (torch.rand(3, 32, 32), "a batch of one"),
        (torch.rand(1, 3, 64, 64), "resize them"),
        (torch.zeros(1, 3, 32, 32, dtype=torch.uint8), "images.float"),
        (255 * torch.ones(1, 3, 32, 32), "divide by 255"),
        (-torch.ones(1, 3, 32, 32), "the pixels themselves"),
    ],
)
def test_pictures_of_another_size_or_range_are_refused(images, says):
    with pytest.raises(ValueError, match=says):
        SAM(PRESETS["tiny"]).embed(images)


def test_sizes_that_do_not_divide_are_refused():
    from lecture10.models.sam_conv import SamConvConfig
    from lecture10.models.sam_vit import SamViTConfig

    for encoder in (SamConvConfig(40), SamViTConfig(30, 4)):
        with pytest.raises(ValueError, match="choose a multiple of"):
            SAM(model.SAMConfig(encoder))
