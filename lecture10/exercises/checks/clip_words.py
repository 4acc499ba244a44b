"""What is true of every right zero-shot classifier and every right floor, on small seeded examples."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from lecture10.exercises.exercise import Broken
from lecture10.exercises.expect import agree, dice, number, same, tensor

# --- ensemble_logits --------------------------------------------------------------------------------------


def _scores(fn, I_e: Tensor, P_f: Tensor, scale: float) -> Tensor:
    return tensor(fn(I_e, P_f, torch.tensor(math.log(scale))), (len(I_e), len(P_f)))


def _prompts(seed: int, pictures: int = 3, classes: int = 4, prompts: int = 5) -> tuple[Tensor, Tensor]:
    roll = dice(seed)
    I_e = F.normalize(torch.randn(pictures, 6, generator=roll), dim=1)
    return I_e, torch.randn(classes, prompts, 6, generator=roll)


def a_score_for_each_class(fn):
    """(B, C)."""
    _scores(fn, *_prompts(0), 10)


def one_prompt_is_that_prompt(fn):
    """P = 1."""
    I_e, P_f = _prompts(1, prompts=1)
    wanted = 10 * I_e @ F.normalize(P_f[:, 0], dim=1).T
    agree(_scores(fn, I_e, P_f, 10), wanted, "one prompt a class, t = ln 10, scores", 1e-4)


def long_prompts_weigh_no_more(fn):
    """Scale one prompt's features."""
    I_e, P_f = _prompts(2)
    longer = P_f.clone()
    longer[:, 0] *= 20
    before = _scores(fn, I_e, P_f, 10)
    agree(_scores(fn, I_e, longer, 10), before, "each class's first prompt 20 times as long, scores", 1e-4)


def a_class_is_a_unit_vector(fn):
    """Two orthogonal prompts: the class lies between them, at 45 degrees from each."""
    I_e = torch.eye(4)[:3]
    P_f = torch.eye(4)[torch.tensor([[0, 1], [2, 2]])]  # (2 classes, 2 prompts, 4)
    half = math.sqrt(0.5)
    wanted = 10 * torch.tensor([[half, 0.0], [half, 0.0], [0.0, 1.0]])
    agree(_scores(fn, I_e, P_f, 10), wanted, "a class told by two orthogonal prompts, scores", 1e-4)


def scores_of_random_prompts(fn):
    """Against the definition, in another order of prompts."""
    I_e, P_f = _prompts(4)
    classes = F.normalize(F.normalize(P_f, dim=-1).mean(1), dim=-1)
    got = _scores(fn, I_e, P_f.flip(1), 3)
    agree(got, 3 * I_e @ classes.T, "5 random prompts for each of 4 classes, t = ln 3, scores", 1e-4)


# --- loss_floor -------------------------------------------------------------------------------------------


def floor_is_one_number(fn):
    """A finite scalar."""
    number(fn(["a cat", "a dog", "a cat"]))


def different_captions_have_no_floor(fn):
    """m = 1 throughout."""
    same(number(fn(["a cat", "a dog", "a fish"])), 0.0, "three different captions")


def equal_captions_cost_ln_n(fn):
    """m = n throughout."""
    for n in (2, 6):
        same(number(fn(["a cat"] * n)), math.log(n), f"{n} times the same caption")


def each_pair_weighs_the_same(fn):
    """A mean over pairs, not over captions."""
    for counts in ((3, 1), (4, 2, 1), (2, 2, 3)):
        captions = [f"caption {c}" for c, m in enumerate(counts) for _ in range(m)]
        wanted = sum(m * math.log(m) for m in counts) / sum(counts)
        same(number(fn(captions)), wanted, f"captions that occur {counts} times")


def order_does_not_matter(fn):
    """Duplicates need not be neighbours."""
    wanted = 2 * math.log(2) / 3
    same(number(fn(["a cat", "a dog", "a cat"])), wanted, "'a cat', 'a dog', 'a cat'")


# --- perfect_loss -----------------------------------------------------------------------------------------


def prediction_is_one_number(value):
    """A finite scalar."""
    number(value)


def perfection_still_costs(value):
    """Not 0."""
    if number(value) < 0.05:
        raise Broken(f"{number(value):.3g} would mean a probability near 1, from logits of 1 and 0")


def less_than_knowing_nothing(value):
    """Not ln 128, nor more."""
    if number(value) > math.log(128) - 0.05:
        raise Broken(f"{number(value):.4g} is what knowing nothing costs, ln 128 = 4.85, or more")


def one_against_127(value):
    """log(1 + 127 / e)."""
    if abs(number(value) - math.log1p(127 / math.e)) > 0.1:
        raise Broken(
            f"{number(value):.4g} is what a probability of {math.exp(-number(value)):.3g} would cost"
        )
