"""CLIP's loss by its properties, what duplicate captions do to it, and its floor against a measured one."""

import math
import warnings

import pytest
import torch

from lecture10 import audit
from lecture10.models.contrastive import (
    accuracy_ceiling,
    aligned_loss,
    batch_floor,
    clip_logits,
    clip_loss,
    expected_floor,
    first_of_each,
    gather,
    same_texts,
)

T1 = torch.tensor(0.0)  # scale 1
T100 = torch.tensor(math.log(100.0))


def features(n=6, width=8, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(n, width, generator=generator, dtype=torch.float64) for _ in range(2))


def test_it_is_the_slides_pseudo_code_line_by_line():
    """Numpy's, with axis=0 read as the batch axis: each image (row) chooses its text."""
    I_f, T_f = features()
    t = torch.tensor(1.3, dtype=torch.float64)
    I_e, T_e = (x / x.pow(2).sum(1, keepdim=True).sqrt() for x in (I_f, T_f))
    logits = (I_e @ T_e.T * math.exp(1.3)).tolist()
    n = len(logits)
    rows = [math.log(sum(map(math.exp, logits[i]))) - logits[i][i] for i in range(n)]
    columns = [math.log(sum(math.exp(logits[i][j]) for i in range(n))) - logits[j][j] for j in range(n)]
    assert clip_loss(I_f, T_f, t).item() == pytest.approx((sum(rows) + sum(columns)) / (2 * n), rel=1e-12)
    assert sum(rows) != pytest.approx(sum(columns), rel=1e-3)  # the two directions differ


def test_the_audits_two_axes_have_our_loss_as_their_mean():
    I_f, T_f = features()
    logits = clip_logits(I_f, T_f, T100).numpy()
    wanted = (audit.cross_entropy(logits, axis=0) + audit.cross_entropy(logits, axis=1)) / 2
    assert clip_loss(I_f, T_f, T100).item() == pytest.approx(wanted, rel=1e-12)


def test_knowing_nothing_costs_ln_n():
    same = torch.ones(9, 4)
    assert clip_loss(same, same, T100).item() == pytest.approx(math.log(9))
    assert math.log(32_768) == pytest.approx(10.397, abs=1e-3)  # the paper's batch


@pytest.mark.parametrize("scale", [1.0, 14.3, 100.0])
def test_perfect_alignment_costs_what_the_formula_says(scale):
    eye, t = torch.eye(128), torch.tensor(scale).log()
    assert clip_loss(eye, eye, t).item() == pytest.approx(aligned_loss(128, t.item()), rel=1e-4, abs=1e-6)


def test_why_the_temperature_is_learnt():
    assert aligned_loss(128, 0.0) == pytest.approx(3.87, abs=5e-3)
    assert aligned_loss(128, math.log(1 / 0.07)) == pytest.approx(1e-4, abs=5e-5)


def test_lengths_do_not_matter_and_pairs_may_be_shuffled_together():
    I_f, T_f = features()
    t, order = torch.tensor(1.0), torch.randperm(6, generator=torch.Generator().manual_seed(1))
    loss = clip_loss(I_f, T_f, t).item()
    assert clip_loss(I_f * torch.rand(6, 1).add(0.1), 3 * T_f, t).item() == pytest.approx(loss)
    assert clip_loss(I_f[order], T_f[order], t).item() == pytest.approx(loss)
    assert clip_loss(T_f, I_f, t).item() == pytest.approx(loss)
    assert clip_loss(I_f[order], T_f, t).item() != pytest.approx(loss)


def test_a_batch_of_one_has_the_loss_0_and_says_why():
    I_f, T_f = features(1)
    with pytest.warns(UserWarning, match="the softmax has one candidate.*two pairs or more"):
        assert clip_loss(I_f, T_f, T100).item() == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clip_loss(*features(2), T100)


def test_features_that_are_no_pairs_are_refused():
    I_f, T_f = features()
    for bad in ((I_f, T_f[:5]), (I_f[0], T_f[0]), (I_f[:0], T_f[:0]), (I_f[:, :4], T_f)):
        with pytest.raises(ValueError, match="pair by pair"):
            clip_loss(*bad, T1)
    with pytest.raises(ValueError, match="'share' or 'any'"):
        clip_loss(I_f, T_f, T1, torch.arange(6), positives="all")


# --- duplicates ---------------------------------------------------------------------------------------------

TEXTS = ["a", "b", "a", "c", "a", "b"]


def duplicated(seed=0):
    """Features in which equal captions have equal embeddings, as a text tower gives them."""
    I_f, T_f = features(len(TEXTS), seed=seed)
    return I_f, T_f[same_texts(TEXTS)], same_texts(TEXTS)


def test_groups_of_one_change_nothing():
    I_f, T_f = features()
    for positives in ("share", "any"):
        assert clip_loss(I_f, T_f, T1, torch.arange(6), positives=positives).item() == pytest.approx(
            clip_loss(I_f, T_f, T1).item()
        )


def test_shared_targets_are_the_mean_over_right_answers():
    I_f, T_f = features()
    groups = torch.tensor([0, 1, 0, 2, 0, 1])  # the same meaning in other words: embeddings differ
    log_p = clip_logits(I_f, T_f, T1).log_softmax(1)
    log_q = clip_logits(T_f, I_f, T1).log_softmax(1)
    wanted = 0.0
    for i in range(6):
        m = [j for j in range(6) if groups[j] == groups[i]]
        wanted -= sum(float(log_p[i, j] + log_q[i, j]) for j in m) / len(m) / 12
    assert clip_loss(I_f, T_f, T1, groups).item() == pytest.approx(wanted)
    assert clip_loss(I_f, T_f, T1).item() != pytest.approx(wanted, rel=1e-3)
    any_right = -sum(
        math.log(sum(math.exp(p[i, j]) for j in range(6) if groups[j] == groups[i]))
        for p in (log_p, log_q)
        for i in range(6)
    )
    assert clip_loss(I_f, T_f, T1, groups, positives="any").item() == pytest.approx(any_right / 12)


def test_for_word_for_word_duplicates_shared_targets_change_neither_value_nor_gradient():
    I_f, _, groups = duplicated()
    values, gradients = [], []
    for how in (None, groups):
        I, T = I_f.clone().requires_grad_(), features(6)[1].requires_grad_()
        loss = clip_loss(I, T[groups], T1, how)
        values.append(loss.item())
        gradients.append(torch.autograd.grad(loss, (I, T)))
    assert values[0] == pytest.approx(values[1], rel=1e-12)
    for plain, shared in zip(*gradients, strict=True):
        torch.testing.assert_close(plain, shared)


def test_no_features_get_below_the_floor_and_the_best_reach_it():
    groups = same_texts(TEXTS)
    floor = batch_floor(groups)
    assert floor == pytest.approx((3 * math.log(3) + 2 * math.log(2)) / 6)
    for seed in range(20):
        I_f, T_f, _ = duplicated(seed)
        assert clip_loss(I_f, T_f, T100).item() >= floor
    best = torch.eye(3)[groups]
    assert clip_loss(best, best, T100).item() == pytest.approx(floor, abs=1e-6)
    assert clip_loss(best, best, T100, groups).item() == pytest.approx(floor, abs=1e-6)
    assert clip_loss(best, best, T100, groups, positives="any").item() == pytest.approx(0, abs=1e-6)
    assert batch_floor(torch.arange(5)) == 0


@pytest.mark.parametrize(
    ("captions", "batch", "floor", "ceiling"),
    [(24, 128, 1.77, 0.187), (64, 128, 0.97, 0.43), (576, 128, 0.15, 0.90), (4096, 256, 0.04, 0.97)],
)
def test_the_floor_that_the_course_quotes(captions, batch, floor, ceiling):
    assert expected_floor(captions, batch) == pytest.approx(floor, abs=5e-3)
    assert accuracy_ceiling(captions, batch) == pytest.approx(ceiling, abs=5e-3)
    even = [1 / captions] * captions
    assert expected_floor(even, batch) == pytest.approx(expected_floor(captions, batch))


def test_the_formula_is_the_mean_over_drawn_batches():
    shares = torch.tensor([0.5, 0.2, 0.2, 0.05, 0.05])
    draw = torch.Generator().manual_seed(0)
    drawn = torch.multinomial(shares, 4000 * 12, replacement=True, generator=draw).view(4000, 12)
    measured = torch.tensor([batch_floor(groups) for groups in drawn])
    error = float(measured.std()) / 4000**0.5
    assert float(measured.mean()) == pytest.approx(expected_floor(shares.tolist(), 12), abs=4 * error)
    picks = torch.tensor([float((1 / (g[:, None] == g).sum(1)).mean()) for g in drawn])
    assert float(picks.mean()) == pytest.approx(
        accuracy_ceiling(shares.tolist(), 12), abs=4 * float(picks.std()) / 4000**0.5
    )


def test_a_batch_without_duplicates_keeps_the_first_of_each():
    texts = ["a cat", "a dog", "a cat", "a fish", "a dog", "a bear"]
    assert first_of_each(texts) == [0, 1, 3, 5]
    assert first_of_each(texts, 2) == [0, 1]
    assert batch_floor(same_texts([texts[i] for i in first_of_each(texts)])) == 0


def test_what_cannot_be_drawn_is_refused():
    for bad, says in (((0, 4), "0 captions"), (([0.5, 0.4], 4), "sum to 0.9"), ((3, 0), "batch of 0")):
        with pytest.raises(ValueError, match=says):
            expected_floor(*bad)
    with pytest.raises(ValueError, match="batch of 0"):
        aligned_loss(0, 1.0)


def test_one_process_gathers_nothing():
    x = torch.ones(2, 3)
    assert gather(x) is x
