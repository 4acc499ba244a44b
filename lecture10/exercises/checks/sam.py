"""What is true of every right ceiling, loss, IoU and click, on small seeded examples."""

import torch
from torchvision.ops import sigmoid_focal_loss

from lecture10.exercises.exercise import Broken
from lecture10.exercises.expect import agree, dice, number, same, tensor

# --- one_mask_ceiling -------------------------------------------------------------------------------------


def ceiling_is_one_number(value):
    """A finite scalar."""
    number(value)


def no_mask_is_always_right(value):
    """Not 1."""
    if number(value) > 0.99:
        raise Broken(f"{number(value):.3g} would mean that one mask is right for both meanings")


def right_half_of_the_time(value):
    """At least a half."""
    if number(value) < 0.5:
        raise Broken(f"{number(value):.3g}: whichever mask you answer, it is exactly right every second time")


def wrong_is_not_worthless(value):
    """(1 + r) / 2."""
    if abs(number(value) - 0.625) > 0.006:
        raise Broken(f"{number(value):.4g} does not count what whole and part share, IoU 0.25, as it should")


# --- best_single ------------------------------------------------------------------------------------------


def best_is_one_number(fn):
    """A finite scalar."""
    for areas in ([8.0], [8.0, 2.0], [9.0, 3.0, 1.0]):
        number(fn(list(areas)))


def one_meaning_is_no_riddle(fn):
    """A single mask."""
    for area in (1.0, 7.0):
        same(number(fn([area])), 1.0, f"areas [{area:g}]")


def two_meanings(fn):
    """(1 + r) / 2."""
    for r in (0.1, 0.25, 0.5):
        same(number(fn([100.0, 100 * r])), (1 + r) / 2, f"areas [100, {100 * r:g}]")


def the_best_answer_counts(fn):
    """Three levels, where the whole, the middle and the smallest are best in turn."""
    for areas, wanted in (
        ([100.0, 50.0, 25.0], (0.5 + 1 + 0.5) / 3),
        ([100.0, 90.0, 9.0], (0.9 + 1 + 0.1) / 3),
        ([100.0, 10.0, 9.0], (0.1 + 1 + 0.9) / 3),
        ([100.0, 90.0, 80.0, 1.0], (0.9 + 1 + 8 / 9 + 1 / 90) / 4),
    ):
        same(number(fn(list(areas))), wanted, f"areas {areas}")


# --- ambiguous_loss ---------------------------------------------------------------------------------------


def loss_is_one_number(fn):
    """A finite scalar."""
    for n, m in ((1, 1), (4, 3)):
        number(fn(torch.rand(n, m, generator=dice(n))))


def one_answer_is_an_ordinary_loss(fn):
    """M = 1."""
    losses = torch.tensor([[1.0], [2.0], [6.0]])
    same(number(fn(losses)), 3.0, "one mask a prompt with losses 1, 2, 6")


def each_prompt_has_its_best(fn):
    """Not the best of the batch, nor the best prompt of each mask."""
    losses = torch.tensor([[1.0, 5.0, 9.0], [8.0, 2.0, 9.0], [7.0, 8.0, 9.0], [4.0, 6.0, 9.0]])
    same(number(fn(losses)), (1 + 2 + 7 + 4) / 4, "four prompts whose best masks pay 1, 2, 7 and 4")


def the_others_do_not_learn(fn):
    """The gradient reaches one mask a prompt."""
    losses = (3 * torch.rand(5, 3, generator=dice(3))).requires_grad_()
    loss = fn(losses)
    if not getattr(loss, "requires_grad", False):
        raise Broken("the loss has no gradient: .item(), .detach() or float(...) cut it off")
    (gradient,) = torch.autograd.grad(loss, losses)
    wanted = torch.zeros(5, 3).scatter(1, losses.argmin(1, keepdim=True), 0.2)
    agree(gradient, wanted, "the gradient of five random prompts' losses")


# --- mask_iou ---------------------------------------------------------------------------------------------


def _masks(seed: int, n: int = 4, side: int = 6):
    roll = dice(seed)
    return 3 * torch.randn(n, side, side, generator=roll), torch.rand(n, side, side, generator=roll) > 0.5


def an_iou_for_each_mask(fn):
    """(N,)."""
    for n in (1, 4):
        tensor(fn(*_masks(n, n)), (n,))


def the_sign_decides(fn):
    """Scaling the logits changes no mask."""
    logits, targets = _masks(2)
    agree(
        fn(0.01 * logits, targets).double(),
        fn(logits, targets).double(),
        "logits a hundredth as large, IoUs",
        1e-4,
    )


def a_perfect_mask_has_one(fn):
    """Mask = target, and its opposite."""
    targets = _masks(3)[1]
    logits = 0.3 * (2 * targets.float() - 1)
    agree(
        fn(logits, targets).double(), torch.ones(4).double(), "masks that are right, logits ±0.3, IoUs", 1e-4
    )


def shared_pixels_count_once(fn):
    """A quarter-overlap by hand."""
    logits, targets = -torch.ones(1, 4, 4), torch.zeros(1, 4, 4, dtype=torch.bool)
    logits[0, :2], targets[0, 1:] = 1, True  # rows 0, 1 against rows 1, 2, 3: one shared, four in all
    agree(
        fn(logits, targets).double(),
        torch.tensor([0.25]).double(),
        "two rows against three, one shared, IoU",
        1e-4,
    )


def nothing_is_zero(fn):
    """Both empty."""
    got = tensor(fn(-torch.ones(1, 3, 3), torch.zeros(1, 3, 3, dtype=torch.bool)), (1,))
    if not torch.isfinite(got).all() or float(got) != 0:
        raise Broken(f"an empty mask and an empty target: it gives {float(got):.3g}, wanted 0")


# --- balanced_focal ---------------------------------------------------------------------------------------


def _focal(seed: int, side: int = 5):
    roll = dice(seed)
    return 2 * torch.randn(side, side, generator=roll), (torch.rand(side, side, generator=roll) > 0.6).float()


def focal_is_one_number(fn):
    """A finite scalar."""
    number(fn(*_focal(0)))


def certainty_is_safe(fn):
    """Huge logits."""
    logits = torch.tensor([[120.0, -120.0]])
    same(number(fn(logits, torch.tensor([[1.0, 0.0]]))), 0.0, "logits of ±120, both right")
    if number(fn(-logits, torch.tensor([[1.0, 0.0]]))) < 1:
        raise Broken("logits of ±120, both wrong, should cost a lot")


def a_mean_over_pixels(fn):
    """Not a sum."""
    logits, targets = _focal(1)
    same(
        number(fn(logits.repeat(2, 3), targets.repeat(2, 3))),
        number(fn(logits, targets)),
        "six copies side by side",
    )


def easy_pixels_hardly_count(fn):
    """gamma = 2, on the background alone."""
    for logit in (-2.0, 1.0):
        p = torch.tensor(logit).sigmoid()
        wanted = float(0.75 * p**2 * -torch.log(1 - p))
        same(
            number(fn(torch.full((3, 3), logit), torch.zeros(3, 3))),
            wanted,
            f"background with logits {logit:g}",
        )


def the_object_weighs_a_quarter(fn):
    """alpha, on the object alone."""
    p = torch.tensor(-1.0).sigmoid()
    wanted = float(0.25 * (1 - p) ** 2 * -torch.log(p))
    same(number(fn(torch.full((3, 3), -1.0), torch.ones(3, 3))), wanted, "an object with logits −1")


def focal_of_random_masks(fn):
    """Against torchvision."""
    for seed in (2, 3):
        logits, targets = _focal(seed)
        wanted = float(sigmoid_focal_loss(logits, targets, alpha=0.25, gamma=2, reduction="mean"))
        same(number(fn(logits, targets)), wanted, "a random 5 × 5 mask")


# --- repair_clicks ----------------------------------------------------------------------------------------


def _clicks(seed: int):
    roll = dice(seed)
    at, kinds, nothing = (torch.randn(*s, generator=roll) for s in ((2, 3, 4), (2, 4), (4,)))
    return at, torch.tensor([[1, 0, -1], [0, 0, 1]]), kinds, nothing


def a_token_for_each_click(fn):
    """(N, K, C)."""
    tensor(fn(*_clicks(0)), (2, 3, 4))


def a_click_for_says_so(fn):
    """Label 1."""
    at, labels, kinds, nothing = _clicks(1)
    agree(fn(at, labels, kinds, nothing)[0, 0], at[0, 0] + kinds[1], "the token of a click for the object")


def a_click_against_is_a_click(fn):
    """Label 0."""
    at, labels, kinds, nothing = _clicks(2)
    agree(fn(at, labels, kinds, nothing)[0, 1], at[0, 1] + kinds[0], "the token of a click against it")
    moved = at.clone()
    moved[1, 0] += 1
    if torch.equal(fn(moved, labels, kinds, nothing), fn(at, labels, kinds, nothing)):
        raise Broken("a click against the object was moved, and no token changed")


def no_click_has_no_place(fn):
    """Label −1."""
    at, labels, kinds, nothing = _clicks(3)
    agree(fn(at, labels, kinds, nothing)[0, 2], nothing, "the token of label −1")
    agree(fn(at + 1, labels, kinds, nothing)[0, 2], nothing, "the token of label −1, moved")
