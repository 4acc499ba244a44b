"""The counting models are probability models, and right on examples small enough to do by hand."""

import math

import pytest
import torch

from lecture10.baselines import KneserNey, Uniform

TEXT = [0, 1, 2, 0, 1, 3, 0, 1, 2, 4, 0, 1]


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("context", [(), (0,), (0, 1), (4, 4, 4), (2, 0, 1, 3)])
def test_probabilities_sum_to_one(order, context):
    model = KneserNey(TEXT, vocab_size=7, order=order)
    probs = [model.prob(context, token) for token in range(7)]
    assert sum(probs) == pytest.approx(1)
    assert min(probs) > 0  # the tokens 5 and 6 were never met


def test_the_unigram_by_hand():
    """Counts 4 4 2 1 1 of 12: two met once, one met twice -> discount 2/(2 + 2·1) = 1/2; 5 kinds·½/12 is
    shared by 7.
    """
    model = KneserNey(TEXT, vocab_size=7, order=1)
    assert model.prob((), 0) == pytest.approx(3.5 / 12 + (2.5 / 12) / 7)
    assert model.prob((), 6) == pytest.approx((2.5 / 12) / 7)


def test_the_lower_order_counts_contexts_not_occurrences():
    """'Francisco' may be frequent, but follows one word only: no good guess after an unknown word."""
    text = [0, 1] * 20 + [2, 3, 4, 3, 5, 3]  # 1 always after 0; 3 after three different tokens
    model = KneserNey(text, vocab_size=8, order=2)
    assert model.prob((7,), 3) > model.prob((7,), 1)


def test_a_seen_context_beats_the_unigram():
    assert KneserNey(TEXT, 7, 3).losses(TEXT).mean() < KneserNey(TEXT, 7, 1).losses(TEXT).mean()


def test_scoring_does_not_change_the_model():
    model = KneserNey(TEXT, 7, 3)
    before = model.prob((6, 5), 4)
    model.losses([6, 5, 4, 6, 5, 4])
    assert model.prob((6, 5), 4) == before


def test_uniform():
    torch.testing.assert_close(Uniform(1024).losses([1, 2, 3]), torch.full((2,), math.log(1024)))


def test_order_zero_is_refused():
    with pytest.raises(ValueError, match="order is 0"):
        KneserNey(TEXT, 7, 0)


def test_too_little_text_is_refused():
    with pytest.raises(ValueError, match="3 tokens hold no run of 5"):
        KneserNey([1, 1, 1], 7, 5)
    for model in (Uniform(7), KneserNey(TEXT, 7, 2)):
        with pytest.raises(ValueError, match="a text of 1 tokens holds nothing"):
            model.losses([3])
