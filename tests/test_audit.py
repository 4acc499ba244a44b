"""The audit's arithmetic against libraries, closed forms and its own edges."""

import math

import numpy as np
import pytest
from scipy import stats

from lecture10 import audit


@pytest.mark.parametrize(
    ("value", "places", "expected"),
    [
        (74.65, 1, 74.7),
        (74.64999999999999, 1, 74.7),
        (69.1625, 1, 69.2),
        (69.1625, 3, 69.163),
        (-0.25, 1, -0.3),
        (5, 0, 5),
    ],
)
def test_rounded_goes_half_up(value, places, expected):
    assert audit.rounded(value, places) == expected


def test_could_print_allows_half_a_last_digit():
    assert audit.could_print(3.31, 3.65, "3.6")
    assert not audit.could_print(3.31, 3.65, "2.9")
    assert audit.could_print(0.444, 0.444, "0.44")
    assert not audit.could_print(0.446, 0.446, "0.44")


def test_a_block_is_twelve_squares_and_thirteen_widths():
    for width in (8, 768):
        assert audit.block_parameters(width) == 12 * width**2 + 13 * width
    wider = audit.block_parameters(8, inner=16) - audit.block_parameters(8)
    assert wider == 4 * 8 * 8 + 3 * 8  # q, k, v with their biases, and the output matrix


def test_gpt_counts_agree_with_the_reference_library():
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    gpt2 = transformers.GPT2Config(n_layer=3, n_embd=48, n_head=4, vocab_size=101, n_positions=32)
    cases = [
        (transformers.OpenAIGPTModel, transformers.OpenAIGPTConfig(), audit.gpt_parameters(**audit.GPT1)),
        (transformers.GPT2Model, gpt2, audit.gpt_parameters(3, 48, 101, 32)),
        (transformers.BertModel, transformers.BertConfig(), audit.bert_parameters(**audit.BERT_BASE)),
    ]
    for model, config, count in cases:
        with torch.device("meta"):
            assert sum(p.numel() for p in model(config).parameters()) == count


def test_the_sizes_that_the_course_quotes():
    counts = [audit.gpt_parameters(**audit.GPT1), audit.gpt_parameters(**audit.GPT2_XL)]
    counts += [audit.bert_parameters(**audit.BERT_BASE), audit.bert_parameters(**audit.BERT_LARGE)]
    assert counts == [116_534_784, 1_557_611_200, 109_482_240, 335_141_888]


@pytest.mark.parametrize(("hits", "n"), [(85, 100), (0, 10), (10, 10), (1, 1), (430, 1000)])
def test_wilson_agrees_with_scipy(hits, n):
    theirs = stats.binomtest(hits, n).proportion_ci(method="wilson")
    assert audit.wilson(hits / n, n) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@pytest.mark.parametrize(("share", "n"), [(85, 100), (-0.1, 10), (0.5, 0), (math.nan, 5)])
def test_wilson_refuses_what_is_no_share(share, n):
    with pytest.raises(ValueError, match=r"85 % is 0\.85"):
        audit.wilson(share, n)


def test_z_and_p():
    assert audit.z_of_difference(0.4, audit.Z95, 1.4, 0) == pytest.approx(1)
    assert audit.z_of_difference(1.4, 3, 0.4, 4) == pytest.approx(-audit.Z95 / 5)
    for z in (0, 1.5, -1.96, 4):
        assert audit.p_value(z) == pytest.approx(2 * stats.norm.sf(abs(z)))


def test_implied_n_undoes_the_interval():
    n, share = 1000, 0.3
    half = audit.Z95 * math.sqrt(share * (1 - share) / n)
    assert audit.implied_n(share, half) == pytest.approx(n)


def test_epochs_and_their_range():
    assert audit.epochs(300, 0.5, 100) == 1.5
    low, high = audit.epochs_range(300, 0.5, 100, 0.005, 0.5)
    assert low == pytest.approx(300 * 0.495 / 100.5)
    assert high == pytest.approx(300 * 0.505 / 99.5)


def test_mean_over_tasks_counts_a_task_once():
    assert audit.mean_over_tasks({"CB Accuracy": 80, "CB F1": 60, "RTE Accuracy": 50}) == 60
    assert audit.mean_over_tasks({"A x": 1, "B x": 3}) == 2


def test_gap_closed_and_probability():
    assert [audit.gap_closed(20, x, 60) for x in (20, 40, 60, 80)] == [0, 0.5, 1, 1.5]
    assert audit.probability(8) == 0.125


def test_cross_entropy_agrees_with_torch_and_survives_large_logits():
    torch = pytest.importorskip("torch")
    logits = np.random.default_rng(1).normal(size=(7, 7)) * 1000
    labels = torch.arange(7)
    for axis, ours in ((1, torch.tensor(logits)), (0, torch.tensor(logits.T))):
        theirs = torch.nn.functional.cross_entropy(ours, labels).item()
        assert audit.cross_entropy(logits, axis) == pytest.approx(theirs)
    assert audit.cross_entropy(np.zeros((5, 5)), 0) == pytest.approx(math.log(5))
