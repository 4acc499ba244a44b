"""What is true of every right target, score, box measure, focal loss and fusion, on small seeded examples."""

import math

import torch
from torch import Tensor
from torchvision.ops import sigmoid_focal_loss

from lecture10.exercises.exercise import Broken
from lecture10.exercises.expect import agree, dice, number, same, tensor

# two phrases in five tokens: "small red ball", "and", "cat"
TOKENS = torch.tensor([[1, 1, 1, 0, 0], [0, 0, 0, 0, 1]])

# --- expand_phrases ---------------------------------------------------------------------------------------


def _target(fn, T: Tensor, tokens: Tensor) -> Tensor:
    return tensor(fn(T, tokens), (len(T), tokens.shape[1]))


def a_column_a_token(fn):
    """(N, M)."""
    _target(fn, torch.eye(4)[:, :2], TOKENS)


def all_tokens_of_the_phrase(fn):
    """Every sub-word, and no other."""
    got = _target(fn, torch.tensor([[1.0, 0.0]]), TOKENS)
    agree(got, torch.tensor([[1.0, 1, 1, 0, 0]]), "a region of 'small red ball', T′")
    got = _target(fn, torch.tensor([[0.0, 1.0]]), TOKENS)
    agree(got, torch.tensor([[0.0, 0, 0, 0, 1]]), "a region of 'cat', T′")


def empty_regions_stay_empty(fn):
    """No phrase, no token."""
    got = _target(fn, torch.tensor([[0.0, 0.0], [1.0, 0.0]]), TOKENS)
    agree(got[0], torch.zeros(5), "a region of no phrase, T′")


def nothing_but_zeros_and_ones(fn):
    """Two phrases of one region may share a token."""
    shared = torch.tensor([[1, 1, 0], [0, 1, 1]])
    got = _target(fn, torch.tensor([[1.0, 1.0], [0.0, 1.0]]), shared)
    agree(got, torch.tensor([[1.0, 1, 1], [0, 1, 1]]), "two phrases that share a token, T′")


# --- score_phrases ----------------------------------------------------------------------------------------


def _scores(fn, S: Tensor, tokens: Tensor) -> Tensor:
    return tensor(fn(S, tokens), (len(S), len(tokens)))


def a_column_a_phrase(fn):
    """(N, c)."""
    _scores(fn, torch.zeros(4, 5), TOKENS)


def sure_and_unsure(fn):
    """All tokens alike: their own probability."""
    for logit in (-2.0, 0.0, 3.0):
        got = _scores(fn, torch.full((2, 5), logit), TOKENS)
        agree(got, torch.full((2, 2), 1 / (1 + math.exp(-logit))), f"all logits {logit:g}, scores")


def other_tokens_do_not_count(fn):
    """The tokens outside the phrase change."""
    S = torch.randn(3, 5, generator=dice(0))
    other = S.clone()
    other[:, 3] += 5
    agree(_scores(fn, other, TOKENS), _scores(fn, S, TOKENS), "the logit of 'and' raised, scores")


def the_mean_of_probabilities(fn):
    """Neither of logits, nor the largest."""
    S = torch.tensor([[4.0, -4.0, 0.0, 0.0, 1.0]])
    got = _scores(fn, S, TOKENS)[0, 0]
    sigmoid = torch.sigmoid(S[0])
    same(float(got), float(sigmoid[:3].mean()), "three tokens with probabilities .982, .018, .5")
    S = 3 * torch.randn(4, 5, generator=dice(1))
    p = S.sigmoid()
    wanted = torch.stack([p[:, :3].mean(1), p[:, 4]], 1)
    agree(_scores(fn, S, TOKENS), wanted, "random logits, scores")


# --- generalized_iou --------------------------------------------------------------------------------------


def _boxes(*rows) -> Tensor:
    return torch.tensor(rows, dtype=torch.float32)


def _giou(fn, a: Tensor, b: Tensor) -> Tensor:
    return tensor(fn(a, b), (len(a),))


def a_number_a_pair(fn):
    """(n,)."""
    box = _boxes((0, 0, 1, 1), (0, 0, 2, 1), (0, 1, 1, 3))
    _giou(fn, box, box + 0.1)


def equal_boxes_have_one(fn):
    """GIoU = 1."""
    box = _boxes((0, 0, 1, 1), (0.2, 0.1, 0.7, 0.4))
    agree(_giou(fn, box, box), torch.ones(2), "equal boxes, GIoU", 1e-4)


def half_of_a_box(fn):
    """Nested: C = U, so that only IoU is left."""
    got = _giou(fn, _boxes((0, 0, 2, 1), (0, 0, 4, 4)), _boxes((0, 0, 1, 1), (1, 1, 3, 3)))
    agree(got, torch.tensor([0.5, 0.25]), "one box inside the other, GIoU", 1e-4)


def far_boxes_are_below_zero(fn):
    """No overlap: −(C − U) / C."""
    a, b = _boxes((0, 0, 1, 1), (0, 0, 1, 1)), _boxes((3, 0, 4, 1), (3, 3, 4, 4))
    agree(_giou(fn, a, b), torch.tensor([-0.5, -7 / 8]), "two boxes apart, GIoU", 1e-4)


def part_by_part(fn):
    """A corner overlaps: U = 7, C = 9."""
    got = _giou(fn, _boxes((0, 0, 2, 2)), _boxes((1, 1, 3, 3)))
    agree(got, torch.tensor([1 / 7 - 2 / 9]), "boxes that share a corner, GIoU", 1e-4)


# --- repair_focal -----------------------------------------------------------------------------------------


def _focal(fn, logits: Tensor, targets: Tensor) -> Tensor:
    return tensor(fn(logits, targets), tuple(logits.shape))


def an_entry_an_entry(fn):
    """Same shape, finite."""
    got = _focal(fn, torch.zeros(2, 3), torch.ones(2, 3))
    if not got.isfinite().all():
        raise Broken("some entries are not finite at logit 0")


def ones_count_a_quarter(fn):
    """α_t: a 1 against a 0 that is as wrong."""
    got = _focal(fn, torch.tensor([-2.0, 2.0]), torch.tensor([1.0, 0.0]))
    same(float(got[1] / got[0]), 3.0, "a 1 and a 0 that are equally wrong: their ratio")


def sure_ones_count_little(fn):
    """(1 − p_t)²."""
    logit = math.log(9)  # p = 0.9
    got = _focal(fn, torch.tensor([0.0, logit, -logit]), torch.ones(3))
    plain = -torch.tensor([0.5, 0.9, 0.1]).log()
    agree(got / plain, 0.25 * torch.tensor([0.25, 0.01, 0.81]), "p = .5, .9, .1 of a 1: loss / (−ln p)", 1e-4)


def zeros_as_well(fn):
    """1 − p where the target is 0."""
    logits = torch.linspace(-4, 4, 9)
    wanted = sigmoid_focal_loss(logits, torch.zeros(9))
    agree(_focal(fn, logits, torch.zeros(9)), wanted, "zeros at logits −4 … 4, loss", 1e-4)


def mixed_entries(fn):
    """Ones and zeros together, and a gradient."""
    logits = torch.randn(4, 5, generator=dice(2)).requires_grad_()
    targets = (torch.rand(4, 5, generator=dice(3)) > 0.5).float()
    got = _focal(fn, logits, targets)
    agree(got.detach(), sigmoid_focal_loss(logits, targets).detach(), "random entries, loss", 1e-4)
    if not got.requires_grad:
        raise Broken("the loss has no gradient: .item(), .detach() or float(...) cut it off")


# --- repair_fusion ----------------------------------------------------------------------------------------


def _heard(fn, scores: Tensor, O_v: Tensor, P_v: Tensor) -> tuple[Tensor, Tensor]:
    got = fn(scores, O_v, P_v)
    if not isinstance(got, tuple | list) or len(got) != 2:
        raise Broken(f"two tensors are asked for, (to regions, to words); got {type(got).__name__}")
    return tensor(got[0], tuple(O_v.shape)), tensor(got[1], tuple(P_v.shape))


def _values(seed: int, N: int = 4, M: int = 3, d: int = 5) -> tuple[Tensor, Tensor, Tensor]:
    roll = dice(seed)
    return tuple(torch.randn(*shape, generator=roll) for shape in ((N, M), (N, d), (M, d)))


def both_are_heard(fn):
    """((N, d), (M, d))."""
    _heard(fn, *_values(0))


def weights_sum_to_one(fn):
    """Equal values come out as they are."""
    scores, O_v, P_v = _values(1)
    regions, words = _heard(fn, scores, torch.ones_like(O_v), torch.ones_like(P_v))
    agree(regions, torch.ones_like(O_v), "all words' values 1, to regions", 1e-4)
    agree(words, torch.ones_like(P_v), "all regions' values 1, to words", 1e-4)


def a_sure_region_hears_its_word(fn):
    """One large score in each row."""
    _, O_v, P_v = _values(2, N=2, M=3)
    regions, _ = _heard(fn, 40 * torch.tensor([[0.0, 1, 0], [1, 0, 0]]), O_v, P_v)
    agree(regions, P_v[[1, 0]], "region 0 is sure of word 1, region 1 of word 0, to regions", 1e-4)


def a_sure_word_hears_its_region(fn):
    """One large score in each column."""
    _, O_v, P_v = _values(3, N=4, M=2)
    scores = 40 * torch.tensor([[0.0, 0], [0, 1], [0, 0], [1, 0]])
    _, words = _heard(fn, scores, O_v, P_v)
    agree(words, O_v[[3, 1]], "word 0 is sure of region 3, word 1 of region 1, to words", 1e-4)


# --- empty_share ------------------------------------------------------------------------------------------


def is_one_number(value):
    """A finite float."""
    number(value)


def is_a_share(value):
    """In [0, 1]."""
    if not 0 <= number(value) <= 1:
        raise Broken(f"a share lies from 0 to 1; got {number(value):g}")


def the_empty_ones_are_most(value):
    """More than half."""
    if number(value) <= 0.5:
        raise Broken(f"60 of 64 regions are empty, and you say that they pay {number(value):.3f} of the loss")


def each_pays_the_same(value):
    """ln 2 each."""
    same(number(value), 60 / 64, "all 64 regions pay ln 2", 2e-3)
