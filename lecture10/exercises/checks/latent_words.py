"""What is true of every right answer about words: how they are looked at, dropped, followed and counted."""

import torch

from lecture10.exercises.exercise import Broken
from lecture10.exercises.expect import agree, dice, number, refuse, same, tensor
from lecture10.exercises.probe import describe

# --- look_at_words: (places, words, real, W_Q, W_K, W_V) -> (B, P, d)


def _looking(seed: int, B: int = 2, P: int = 5, L: int = 4):
    roll = dice(seed)
    shapes = {"places": (B, P, 6), "words": (B, L, 3), "W_Q": (6, 2), "W_K": (3, 2), "W_V": (3, 2)}
    given = {name: torch.randn(shape, generator=roll) for name, shape in shapes.items()}
    real = torch.arange(L) < torch.tensor([[L], [L - 2]])[:B]
    return given["places"], given["words"], real, given["W_Q"], given["W_K"], given["W_V"]


def every_place_gets_an_answer(fn):
    """(B, P, d)."""
    tensor(fn(*_looking(0)), (2, 5, 2))


def one_word_is_all_there_is(fn):
    """Weights over words sum to 1: with one real word, its value."""
    places, words, _, W_Q, W_K, W_V = _looking(1)
    real = torch.tensor([[True, False, False, False]]).expand(2, 4)
    wanted = (words[:, :1] @ W_V).expand(2, 5, 2)
    agree(fn(places, words, real, W_Q, W_K, W_V), wanted, "only word 0 is real: each place gets its value")


def padding_does_not_matter(fn):
    """Other numbers behind the end of a text."""
    places, words, real, *W = _looking(2)
    other = torch.where(real[..., None], words, 9.0)
    agree(fn(places, other, real, *W), fn(places, words, real, *W), "other numbers where real is False")


def places_ask_for_themselves(fn):
    """Other places are no business of mine."""
    places, words, real, *W = _looking(3)
    alone = fn(places[:, 2:3], words, real, *W)
    agree(alone, fn(places, words, real, *W)[:, 2:3], "place 2 by itself, and place 2 among five")


def scores_are_divided_by_the_root(fn):
    """d = 4: scores 2 ln 3 apart, halved: weights 3 to 1."""
    places, words = torch.ones(1, 1, 1), torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    W_Q = torch.ones(1, 4)
    W_K = torch.tensor([[2 * torch.log(torch.tensor(3.0)), 0, 0, 0], [0, 0, 0, 0]])
    W_V = torch.tensor([[4.0, 0, 0, 0], [0, 0, 0, 0]])
    got = fn(places, words, torch.ones(1, 2, dtype=torch.bool), W_Q, W_K, W_V)
    wanted = torch.tensor([[[3.0, 0, 0, 0]]])
    agree(got, wanted, "d = 4, q · k = 2.197 and 0, values 4 and 0", tolerance=1e-4)


# --- drop_whole_prompts: (ids, lots, share, end) -> (B, T)

END = 9


def _prompts(seed: int, B: int = 6, T: int = 5):
    roll = dice(seed)
    ids = torch.randint(1, END, (B, T), generator=roll)
    ids[:, -1] = END
    return ids, torch.linspace(0.05, 0.95, B)


def ids_stay_ids(fn):
    """(B, T) int64."""
    tensor(fn(*_prompts(0), 0.3, END), (6, 5), torch.int64)


def whole_or_not_at_all(fn):
    """No prompt loses only some words."""
    ids, lots = _prompts(1)
    got = fn(ids, lots, 0.5, END)
    kept = got == ids
    partly = kept[:, :-1].any(1) & ~kept.all(1)
    refuse(
        partly,
        lambda at: f"prompt {ids[at].tolist()} became {got[at].tolist()}: it lost only some of its ids",
    )


def dropped_prompts_are_empty(fn):
    """End tokens, and nothing else."""
    ids, lots = _prompts(2)
    got = fn(ids, lots, 1.0, END)
    refuse(
        (got != ids).any(1) & (got != END).any(1),
        lambda at: f"a dropped prompt is {got[at].tolist()}; the one without words is {[END] * 5}",
    )


def the_lots_decide(fn):
    """Below the share."""
    ids, lots = _prompts(3)
    for share in (0.0, 0.3, 1.0):
        gone = (fn(ids, lots, share, END) == END).all(1)
        wanted = lots < share
        refuse(
            gone != wanted,
            lambda at, gone=gone, share=share: (
                f"share = {share:g}: a prompt with the lot {float(lots[at]):.2f} is "
                f"{'dropped' if gone[at] else 'kept'}"
            ),
        )


# --- guide_by_paper: (said, w) -> (B, …)


def _said(seed: int) -> torch.Tensor:
    return torch.randn(4, 3, 2, generator=dice(seed))


def one_answer_for_each_prompt(fn):
    """(B, …), half of what went in."""
    tensor(fn(_said(0), 1.5), (2, 3, 2))


def at_zero_nothing_changes(fn):
    """w = 0: the answers with the prompts."""
    said = _said(1)
    agree(fn(said, 0.0), said[2:], "w = 0: the network's own answer with the prompt")


def where_both_agree_there_is_nothing_to_guide(fn):
    """Both halves equal."""
    half = _said(2)[:2]
    agree(fn(torch.cat([half, half]), 4.0), half, "both answers are the same, w = 4", tolerance=1e-4)


def away_from_no_prompt(fn):
    """without 0, with 1: 1 + w."""
    said = torch.cat([torch.zeros(1, 2), torch.ones(1, 2)])
    for w in (0.5, 2.0):
        agree(fn(said, w), torch.full((1, 2), 1 + w), f"without: 0, with: 1, w = {w:g}")


# --- joint_and_product: (n, k) bool -> (joint, product)


def _both(fn, rows) -> tuple[float, float]:
    got = fn(torch.tensor(rows, dtype=torch.bool))
    if isinstance(got, torch.Tensor):
        got = got.tolist()
    if not isinstance(got, tuple | list) or len(got) != 2:
        raise Broken(f"two numbers are asked for, (joint, product); it returned {describe(got)}")
    return number(got[0]), number(got[1])


FLAWS = [[1, 1], [1, 0], [0, 1], [1, 1]]  # each part is right in 3 of 4, both in 2


def two_numbers(fn):
    """(joint, product), each a share."""
    for value in _both(fn, FLAWS):
        if not 0 <= value <= 1:
            raise Broken(f"{value:.3g} is no accuracy: a share of pictures lies in [0, 1]")


def joint_is_of_whole_pictures(fn):
    """All parts at once."""
    same(_both(fn, FLAWS)[0], 0.5, "two of four pictures are right in both parts: joint")


def product_is_of_parts(fn):
    """0.75 · 0.75."""
    same(_both(fn, FLAWS)[1], 0.5625, "each part is right in three of four pictures: product")


def shared_mistakes_are_cheaper(fn):
    """All flaws in one picture: joint 0.75, product 0.75³."""
    rows = [[1, 1, 1], [1, 1, 1], [0, 0, 0], [1, 1, 1]]
    joint, product = _both(fn, rows)
    same(joint, 0.75, "one of four pictures is wrong in all of three parts: joint")
    same(product, 0.75**3, "one of four pictures is wrong in all of three parts: product")
