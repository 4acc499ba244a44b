"""Recall with ties and duplicates counted as they are; the gap and its plane."""

import itertools

import pytest
import torch
from torch.nn import functional as F

from lecture10.retrieval import modality_gap, recall_at, retrieval


def test_recall_without_ties_is_the_rank():
    scores = torch.tensor([[3.0, 2.0, 1.0], [1.0, 2.0, 3.0], [2.0, 3.0, 1.0]])
    assert recall_at(scores, torch.eye(3, dtype=torch.bool), (1, 2, 3)) == pytest.approx(
        {1: 1 / 3, 2: 2 / 3, 3: 1.0}
    )


def test_ties_count_as_the_mean_over_all_orders():
    scores = torch.tensor([[5.0, 1.0, 1.0, 1.0, 0.0, 1.0]])
    right = torch.tensor([[False, True, False, True, True, False]])
    for k in range(1, 7):
        hits, orders = 0, 0
        for order in itertools.permutations(range(6)):
            ranked = sorted(order, key=lambda j: -scores[0, j])  # stable: ties stay in this order
            hits += any(right[0, j] for j in ranked[:k])
            orders += 1
        assert recall_at(scores, right, (k,))[k] == pytest.approx(hits / orders)


def test_equal_embeddings_are_at_chance():
    scores = torch.zeros(10, 10)
    found = recall_at(scores, torch.eye(10, dtype=torch.bool), (1, 5, 10))
    assert found == pytest.approx({1: 0.1, 5: 0.5, 10: 1.0})


def test_a_caption_that_occurs_twice_is_one_candidate_and_has_two_right_pictures():
    T = F.normalize(torch.eye(3)[[0, 1, 0, 2]], dim=1)
    I = F.normalize(torch.tensor([[1.0, 0, 0], [0, 1, 0.2], [0.9, 0.1, 0], [0.1, 0, 1]]), dim=1)
    found = retrieval(I, T, ["a", "b", "a", "c"], (1, 2, 3))
    assert found == {"image to text": {1: 1.0, 2: 1.0, 3: 1.0}, "text to image": {1: 1.0, 2: 1.0, 3: 1.0}}
    swapped = retrieval(I[[3, 1, 2, 0]], T, ["a", "b", "a", "c"], (1,))
    assert swapped["image to text"][1] == pytest.approx(0.5)  # b, and the second a
    assert swapped["text to image"][1] == pytest.approx(1 / 3)  # 'a' prefers the picture of 'c'


def test_what_cannot_be_answered_is_refused():
    with pytest.raises(ValueError, match="query 1 has no right candidate"):
        recall_at(torch.zeros(2, 2), torch.tensor([[True, False], [False, False]]))
    for k in (0, 4):
        with pytest.raises(ValueError, match=f"k is {k}: among 3 candidates"):
            recall_at(torch.zeros(3, 3), torch.eye(3, dtype=torch.bool), (k,))
    with pytest.raises(ValueError, match="2 pictures, 2 texts and 3 captions"):
        retrieval(torch.ones(2, 2), torch.ones(2, 2), ["a", "b", "c"])


def clouds(shift):
    generator = torch.Generator().manual_seed(0)
    base = torch.randn(50, 8, generator=generator) * torch.tensor([0.2, 3, 1, 1, 1, 1, 1, 1.0])
    other = torch.randn(50, 8, generator=generator) * torch.tensor([0.2, 3, 1, 1, 1, 1, 1, 1.0])
    return base + shift * F.one_hot(torch.tensor(0), 8), other


def test_the_gap_is_the_distance_of_the_means():
    I_e, T_e = clouds(5.0)
    gap = modality_gap(I_e, T_e)
    torch.testing.assert_close(gap, I_e.mean(0) - T_e.mean(0))
    torch.testing.assert_close(modality_gap(T_e, I_e), -gap)
    assert modality_gap(I_e, I_e).norm() == 0
