"""What is true of every right RoIAlign, region–text loss, distillation and threshold, on small examples."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from lecture10.exercises.exercise import Broken
from lecture10.exercises.expect import agree, dice, number, same, tensor

# --- align_places -----------------------------------------------------------------------------------------


def _places(fn, x0: float, x1: float, cells: int, bins: int) -> Tensor:
    return tensor(fn(x0, x1, cells, bins), (bins,))


def a_place_for_each_bin(fn):
    """(bins,)."""
    for bins in (1, 4):
        _places(fn, 0.2, 0.7, 8, bins)


def the_whole_row_is_read_cell_by_cell(fn):
    """As many bins as cells over the whole width."""
    for cells in (4, 7):
        got = _places(fn, 0.0, 1.0, cells, cells)
        agree(got, torch.arange(cells).float(), f"the whole width, {cells} cells, {cells} bins", 1e-4)


def nothing_is_rounded(fn):
    """A box moved by a hundredth of the width moves each place by a hundredth of the cells."""
    before, after = _places(fn, 0.30, 0.62, 10, 3), _places(fn, 0.31, 0.63, 10, 3)
    agree(after - before, torch.full((3,), 0.1), "10 cells, a box moved by 0.01: the places moved by", 1e-4)


def bins_are_read_in_their_middle(fn):
    """Two bins of a box of half the width."""
    agree(_places(fn, 0.25, 0.75, 8, 2), torch.tensor([2.5, 4.5]), "0.25 to 0.75, 8 cells, 2 bins", 1e-4)
    agree(_places(fn, 0.5, 0.75, 16, 1), torch.tensor([9.5]), "0.5 to 0.75, 16 cells, 1 bin", 1e-4)


# --- repair_shared ----------------------------------------------------------------------------------------


def _regions(seed: int, labels: list[int], concepts: int = 9) -> tuple[Tensor, Tensor, Tensor]:
    roll = dice(seed)
    v = F.normalize(torch.randn(len(labels), 6, generator=roll), dim=1)
    l = F.normalize(torch.randn(concepts, 6, generator=roll), dim=1)
    which = torch.tensor(labels)
    return v, l[which], which


def _region_loss(v: Tensor, texts: Tensor, labels: Tensor, scale: float) -> float:
    present, target = labels.unique(return_inverse=True)
    l = torch.stack([texts[labels == name][0] for name in present])
    return float(F.cross_entropy(scale * v @ l.T, target))


def one_number(fn):
    """A finite scalar."""
    number(fn(*_regions(0, [3, 1, 3]), 10.0))


def different_concepts_as_before(fn):
    """No label twice."""
    args = _regions(1, [4, 0, 7, 2])
    same(number(fn(*args, 6.0)), _region_loss(*args, 6.0), "four regions of four concepts, scale 6")


def a_shared_concept_is_no_wrong_answer(fn):
    """Every region on its own concept exactly."""
    texts = torch.eye(5)[torch.tensor([2, 2, 2, 4])]
    got = number(fn(texts, texts, torch.tensor([2, 2, 2, 4]), 60.0))
    same(got, 0.0, "three regions of one concept and one of another, all on their concept, scale 60")


def a_concept_stands_once(fn):
    """Copies in the batch must not make a concept a likelier wrong answer."""
    which = torch.tensor([0, 0, 0, 1])
    texts = torch.eye(4)[which]
    wanted = math.log1p(math.exp(-1.0))  # each region: one right answer at 1, one wrong one at 0
    same(
        number(fn(texts, texts, which, 1.0)), wanted, "three regions of one concept, one of another, scale 1"
    )


def regions_weigh_the_same(fn):
    """A mean over regions."""
    args = _regions(3, [1, 1, 1, 6, 0, 6])
    same(number(fn(*args, 5.0)), _region_loss(*args, 5.0), "six random regions of three concepts, scale 5")


def regions_can_be_trained(fn):
    """A gradient for the regions."""
    v, texts, labels = _regions(4, [1, 2, 2])
    v.requires_grad_()
    loss = fn(v, texts, labels, 5.0)
    if not isinstance(loss, Tensor) or not loss.requires_grad:
        raise Broken("the loss has no gradient")
    (grad,) = torch.autograd.grad(loss, v)
    if not grad.any():
        raise Broken("the gradient at the regions is 0 everywhere")


# --- distil -----------------------------------------------------------------------------------------------


def _scores(seed: int, rows: int = 3, concepts: int = 5) -> tuple[Tensor, Tensor]:
    roll = dice(seed)
    return tuple(2 * torch.randn(rows, concepts, generator=roll) for _ in range(2))


def _kl(student: Tensor, teacher: Tensor) -> float:
    q = teacher.softmax(-1)
    return float((q * (teacher.log_softmax(-1) - student.log_softmax(-1))).sum(-1).mean())


def one_cost(fn):
    """A finite scalar."""
    number(fn(*_scores(0)))


def agreeing_costs_nothing(fn):
    """The same scores."""
    student, _ = _scores(1)
    same(number(fn(student, student.clone())), 0.0, "a student with its teacher's scores")


def a_constant_is_not_noticed(fn):
    """A softmax does not see what is added to a whole row."""
    student, teacher = _scores(2)
    before = number(fn(student, teacher))
    same(number(fn(student + 3.0, teacher)), before, "3 added to all of a student's scaled cosines")


def a_mean_over_regions(fn):
    """The same region several times costs what it costs once; concepts that neither expects cost nothing."""
    student, teacher = _scores(3, 1, 4)
    once = number(fn(student, teacher))
    same(number(fn(student.repeat(5, 1), teacher.repeat(5, 1))), once, "one region five times")
    never = torch.full((1, 6), -30.0)
    got = number(fn(torch.cat([student, never], 1), torch.cat([teacher, never], 1)))
    same(got, once, "six more concepts that neither expects at all")


def the_teacher_weighs(fn):
    """KL(teacher ‖ student), not the other way round."""
    student = torch.tensor([[0.0, 0.0]])
    teacher = torch.tensor([[math.log(9.0), 0.0]])  # 0.9 and 0.1
    wanted = 0.9 * math.log(1.8) + 0.1 * math.log(0.2)
    same(number(fn(student, teacher)), wanted, "one region, teacher 0.9 : 0.1, student 0.5 : 0.5")
    student, teacher = _scores(5, 4, 7)
    same(number(fn(student, teacher)), _kl(student, teacher), "4 regions and 7 concepts at random")


def only_the_student_learns(fn):
    """No gradient at the teacher, one at the student."""
    student, teacher = (x.requires_grad_() for x in _scores(4))
    loss = fn(student, teacher)
    if not isinstance(loss, Tensor) or not loss.requires_grad:
        raise Broken("the loss has no gradient: return a tensor that depends on the student")
    to_student, to_teacher = torch.autograd.grad(loss, (student, teacher), allow_unused=True)
    if to_student is None or not to_student.any():
        raise Broken("the gradient at the student is 0")
    if to_teacher is not None and to_teacher.abs().max() > 1e-9:
        raise Broken(f"the gradient at the teacher is up to {float(to_teacher.abs().max()):.2g}, wanted 0")


# --- kept_and_right ---------------------------------------------------------------------------------------

Q = torch.tensor([[0.75, 0.125, 0.125], [0.25, 0.5, 0.25], [0.375, 0.3125, 0.3125], [0.0, 0.0, 1.0]])
TRUTH = torch.tensor([0, 2, 0, 1])  # right, wrong, right, wrong and sure of it


def _pair(fn, q: Tensor, truth: Tensor, threshold: float) -> tuple[float, float]:
    got = fn(q, truth, threshold)
    if not isinstance(got, tuple | list) or len(got) != 2:
        raise Broken(f"two shares are asked for, (kept, right); got {type(got).__name__}")
    return tuple(number(one) for one in got)


def _both(fn, threshold: float, kept: float, right: float, q: Tensor = Q, truth: Tensor = TRUTH) -> None:
    got = _pair(fn, q, truth, threshold)
    said = f"confidences {[round(x, 4) for x in q.max(-1).values.tolist()]}, threshold {threshold}"
    same(got[0], kept, f"{said}, kept")
    same(got[1], right, f"{said}, right among these")


def two_shares(fn):
    """A pair of finite numbers."""
    _pair(fn, Q, TRUTH, 0.4)


def no_threshold_keeps_all(fn):
    """threshold 0."""
    _both(fn, 0.0, 1.0, 0.5)


def the_likeliest_decides(fn):
    """Confidence is the largest probability, whether it is right or not."""
    for threshold, kept in ((0.9, 0.25), (0.45, 0.75)):
        said = f"confidences 0.75, 0.5, 0.375 and 1, threshold {threshold}, kept"
        same(_pair(fn, Q, TRUTH, threshold)[0], kept, said)


def right_among_the_kept(fn):
    """Not among all."""
    _both(fn, 0.9, 0.25, 0.0)
    _both(fn, 0.6, 0.5, 0.5)
    _both(fn, 0.45, 0.75, 1 / 3)


def at_the_threshold_is_kept(fn):
    """At least."""
    _both(fn, 0.75, 0.5, 0.5)


def none_kept_is_said(fn):
    """No division by zero."""
    _both(fn, 0.99, 0.0, 0.0, Q[:3], TRUTH[:3])
