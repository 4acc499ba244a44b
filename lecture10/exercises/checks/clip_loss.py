"""What is true of every right CLIP loss, on small seeded examples."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from lecture10.exercises.exercise import Broken
from lecture10.exercises.expect import dice, number, same

# --- the loss of n pairs, for the three repairs -----------------------------------------------------------


def _features(seed: int, n: int, width: int = 6) -> tuple[Tensor, Tensor]:
    roll = dice(seed)
    return torch.randn(n, width, generator=roll), torch.randn(n, width, generator=roll)


def _t(scale: float) -> Tensor:
    return torch.tensor(math.log(scale))


def _clip_loss(I_f: Tensor, T_f: Tensor, t: Tensor) -> float:
    logits = F.normalize(I_f, dim=1) @ F.normalize(T_f, dim=1).T * t.exp()
    labels = torch.arange(len(logits))
    return float(F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2


def one_number(fn):
    """A finite scalar."""
    for seed, n in enumerate((2, 5)):
        number(fn(*_features(seed, n), _t(10)))


def lengths_do_not_matter(fn):
    """Cosines, not dot products."""
    I_f, T_f = _features(2, 5)
    before = number(fn(I_f, T_f, _t(5)))
    same(number(fn(3 * I_f, T_f, _t(5))), before, "pictures' features three times as long")
    same(number(fn(I_f, 0.2 * T_f, _t(5))), before, "texts' features a fifth as long")
    longer = torch.tensor([[1.0], [4.0], [0.5], [2.0], [1.0]])
    same(number(fn(longer * I_f, T_f, _t(5))), before, "pictures' features each of another length")


def knowing_nothing(fn):
    """All features equal."""
    for n in (2, 5, 9):
        equal = torch.ones(n, 4)
        same(number(fn(equal, equal, _t(10))), math.log(n), f"{n} pairs, all features equal")


def both_directions(fn):
    """Swapping pictures and texts."""
    for seed, n in ((3, 4), (4, 7)):
        I_f, T_f = _features(seed, n)
        one, other = number(fn(I_f, T_f, _t(4))), number(fn(T_f, I_f, _t(4)))
        same(other, one, f"{n} pairs, with pictures and texts swapped")


def scale_is_e_to_the_t(fn):
    """Every picture is sure of the wrong text: the loss is about the scale itself."""
    for n, scale in ((5, 50.0), (4, 20.0)):
        eye = torch.eye(n)
        wanted = math.log(math.exp(scale) + n - 1)
        got = number(fn(eye, eye.roll(1, 0), _t(scale)))
        same(got, wanted, f"{n} pairs, all taken for another's with cosine 1, t = ln {scale:g}", 1e-3)


def own_caption_alone(fn):
    """Soft targets would show where pictures or texts are alike."""
    for seed, n in ((5, 4), (6, 6)):
        I_f, T_f = _features(seed, n)
        I_f[1] = I_f[0] + 0.1 * I_f[1]  # two pictures that are nearly the same
        wanted = _clip_loss(I_f, T_f, _t(2))
        same(number(fn(I_f, T_f, _t(2))), wanted, f"{n} pairs, two pictures alike, t = ln 2")


def trainable(fn):
    """Backward reaches both towers and t."""
    I_f, T_f = (x.requires_grad_() for x in _features(7, 4))
    _reaches(fn(I_f, T_f, t := _t(3).requires_grad_()), {"I_f": I_f, "T_f": T_f, "t": t})


def _reaches(loss, inputs: dict[str, Tensor]) -> None:
    if not getattr(loss, "requires_grad", False):
        raise Broken("the loss has no gradient: .item(), .detach() or float(...) cut it off")
    gradients = torch.autograd.grad(loss, list(inputs.values()), allow_unused=True)
    for name, gradient in zip(inputs, gradients, strict=True):
        if gradient is None or not gradient.any():
            raise Broken(f"no gradient reaches {name}")


# --- two_losses -------------------------------------------------------------------------------------------


def _two(fn, logits: Tensor) -> tuple[float, float]:
    got = fn(logits)
    if not isinstance(got, tuple | list) or len(got) != 2:
        raise Broken(f"two losses are asked for, (picture picks, text picks); got {type(got).__name__}")
    return number(got[0]), number(got[1])


def _logits(seed: int, n: int) -> Tensor:
    return 2 * torch.randn(n, n, generator=dice(seed))


def two_numbers(fn):
    """A pair of scalars."""
    _two(fn, _logits(0, 4))


def nothing_known_twice(fn):
    """Equal logits."""
    for n in (3, 8):
        for name, got in zip(("first", "second"), _two(fn, torch.zeros(n, n)), strict=True):
            same(got, math.log(n), f"{n} × {n} equal logits, the {name} loss")


def rows_choose(fn):
    """A constant added to a row is added to all that its picture chooses among."""
    logits = _logits(1, 5)
    louder = logits.clone()
    louder[2] += 3
    same(_two(fn, louder)[0], _two(fn, logits)[0], "3 added to all logits of one picture, the first loss")


def columns_choose(fn):
    """A constant added to a column is added to all that its text chooses among."""
    logits = _logits(2, 5)
    louder = logits.clone()
    louder[:, 1] += 3
    same(_two(fn, louder)[1], _two(fn, logits)[1], "3 added to all logits of one text, the second loss")


def pairs_stand_on_the_diagonal(fn):
    """Values, against cross-entropy."""
    for seed, n in ((3, 4), (4, 6)):
        logits, labels = _logits(seed, n), torch.arange(n)
        wanted = [float(F.cross_entropy(x, labels)) for x in (logits, logits.T)]
        for name, got, want in zip(("first", "second"), _two(fn, logits), wanted, strict=True):
            same(got, want, f"{n} × {n} random logits, the {name} loss")


# --- loss_with_negatives ----------------------------------------------------------------------------------


def _more(seed: int, k: int = 3) -> Tensor:
    return torch.randn(k, 6, generator=dice(seed + 100))


def _as_pairs(fn, negatives: Tensor):
    """The loss as a function of pairs alone."""
    return lambda I_f, T_f, t: fn(I_f, T_f, negatives, t)


def negatives_one_number(fn):
    """A finite scalar."""
    one_number(_as_pairs(fn, _more(0)))


def negatives_lengths(fn):
    """All three kinds of features."""
    lengths_do_not_matter(_as_pairs(fn, _more(1)))
    I_f, T_f = _features(2, 5)
    before = number(fn(I_f, T_f, _more(1), _t(5)))
    same(number(fn(I_f, T_f, 4 * _more(1), _t(5))), before, "the other texts' features four times as long")


def negatives_knowing_nothing(fn):
    """A picture wavers among n + k, a text among n."""
    for n, k in ((4, 3), (3, 9)):
        got = number(fn(torch.ones(n, 4), torch.ones(n, 4), torch.ones(k, 4), _t(10)))
        same(got, (math.log(n + k) + math.log(n)) / 2, f"{n} pairs and {k} more texts, all features equal")


def negatives_scale(fn):
    """As `scale_is_e_to_the_t`, with more texts far from every picture."""
    for n, scale in ((5, 50.0), (4, 20.0)):
        eye = torch.eye(n + 1)
        got = number(fn(eye[:n], eye[:n].roll(1, 0), eye[n:], _t(scale)))
        wanted = math.log(math.exp(scale) + n) / 2 + math.log(math.exp(scale) + n - 1) / 2
        same(got, wanted, f"{n} pairs, all taken for another's with cosine 1, t = ln {scale:g}", 1e-3)


def negatives_value(fn):
    """Against the definition."""
    for seed, n in ((5, 4), (6, 6)):
        (I_f, T_f), N_f, t = _features(seed, n), _more(seed), _t(2)
        I_e, T_e, N_e = (F.normalize(x, dim=1) for x in (I_f, T_f, N_f))
        labels = torch.arange(n)
        rows = F.cross_entropy(I_e @ torch.cat([T_e, N_e]).T * t.exp(), labels)
        wanted = float(rows + F.cross_entropy(T_e @ I_e.T * t.exp(), labels)) / 2
        same(number(fn(I_f, T_f, N_f, t)), wanted, f"{n} random pairs and 3 more texts, t = ln 2")


def negatives_trainable(fn):
    """Backward reaches all four."""
    I_f, T_f = (x.requires_grad_() for x in _features(7, 4))
    N_f, t = _more(7).requires_grad_(), _t(3).requires_grad_()
    _reaches(fn(I_f, T_f, N_f, t), {"I_f": I_f, "T_f": T_f, "N_f": N_f, "t": t})


# --- sigmoid_loss -----------------------------------------------------------------------------------------

B = torch.tensor(-2.0)


def sigmoid_one_number(fn):
    """A finite scalar."""
    number(fn(*_features(0, 4), _t(10), B))


def sigmoid_lengths(fn):
    """Cosines."""
    lengths_do_not_matter(lambda I_f, T_f, t: fn(I_f, T_f, t, B))


def one_pair_pays(fn):
    """n = 1 is a yes-or-no question, not a choice among one."""
    one = torch.ones(1, 3)
    for cosine in (1.0, -1.0):
        wanted = math.log1p(math.exp(-(4 * cosine - 2)))
        same(
            number(fn(one, cosine * one, _t(4), B)),
            wanted,
            f"one pair at cosine {cosine:g}, t = ln 4, b = −2",
        )


def the_bias_is_added(fn):
    """All cosines 0."""
    eye = torch.eye(4)
    for b in (-2.0, 1.0):
        got = number(fn(eye[:2], eye[2:], _t(10), torch.tensor(b)))
        wanted = math.log1p(math.exp(-b)) + math.log1p(math.exp(b))
        same(got, wanted, f"2 pairs, all cosines 0, b = {b:g}")


def all_pairs_count(fn):
    """Against the definition."""
    for seed, n in ((5, 4), (6, 7)):
        I_f, T_f = _features(seed, n)
        logits = 3 * F.normalize(I_f, dim=1) @ F.normalize(T_f, dim=1).T + B
        wanted = float(F.binary_cross_entropy_with_logits(logits, torch.eye(n), reduction="sum")) / n
        same(number(fn(I_f, T_f, _t(3), B)), wanted, f"{n} random pairs, t = ln 3, b = −2")


def sigmoid_trainable(fn):
    """Backward reaches all four."""
    I_f, T_f = (x.requires_grad_() for x in _features(7, 4))
    t, b = _t(3).requires_grad_(), torch.tensor(-1.0, requires_grad=True)
    _reaches(fn(I_f, T_f, t, b), {"I_f": I_f, "T_f": T_f, "t": t, "b": b})
