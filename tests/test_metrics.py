"""Every token is scored once, with the context that was promised, in units that compare."""

import math

import pytest
import torch
from torch import nn

from lecture10.metrics import bits_per_byte, longest_copied_span, perplexity, token_losses
from lecture10.models.gpt import GPT, GPTConfig


class Recorder(nn.Module):
    """A 'model' whose loss for a token tells how many tokens before it were visible."""

    config = GPTConfig(vocab_size=500, context=16)

    def __init__(self):
        super().__init__()
        self.nothing = nn.Parameter(torch.zeros(1))

    def forward(self, ids):
        seen = torch.arange(1.0, ids.shape[1] + 1)  # at position t, t + 1 tokens are visible
        logits = torch.zeros(*ids.shape, 500)
        logits.scatter_(2, (ids + 1)[..., None], -1000 * seen.expand(ids.shape)[..., None])
        return logits  # the text counts up, so the next token is ids + 1: its loss is 1000·seen + log 499


@pytest.mark.parametrize("length", [2, 3, 9, 16, 17, 18, 24, 25, 26, 40, 41, 90])
@pytest.mark.parametrize(
    ("context", "stride"), [(1, 1), (2, 1), (2, 2), (7, 3), (16, 8), (16, 1), (16, 16), (16, 5)]
)
def test_each_token_is_scored_once_with_the_context_promised(length, context, stride):
    losses = token_losses(Recorder(), list(range(length)), context=context, stride=stride)
    seen = ((losses - math.log(499)) / 1000).round()
    assert losses.shape == (length - 1,)
    assert seen.max() <= context
    expected_least = torch.minimum(torch.arange(1, length), torch.tensor(context - stride + 1))
    assert (seen >= expected_least).all(), seen


def test_losses_are_the_models_own():
    torch.manual_seed(0)
    gpt = GPT(GPTConfig(vocab_size=20, context=8, width=8, layers=1, heads=1)).eval()
    ids = torch.randint(0, 20, (9,))
    expected = -gpt(ids[None, :-1]).log_softmax(-1)[0].gather(1, ids[1:, None]).squeeze(1)
    torch.testing.assert_close(token_losses(gpt, ids.tolist()), expected.detach())


def test_batching_changes_nothing_and_the_mode_is_given_back():
    torch.manual_seed(0)
    gpt = GPT(GPTConfig(vocab_size=20, context=8, width=8, layers=1, heads=1, dropout=0.5)).train()
    ids = torch.randint(0, 20, (70,)).tolist()
    torch.testing.assert_close(token_losses(gpt, ids, batch=1), token_losses(gpt, ids, batch=64))
    assert gpt.training


def test_bits_per_byte_of_fair_bytes_is_eight():
    assert bits_per_byte(torch.full((10,), math.log(256)), 10) == pytest.approx(8)
    assert bits_per_byte(torch.full((5,), 2 * math.log(256)), 10) == pytest.approx(8)  # two bytes a token


def test_perplexity_of_a_fair_choice_is_its_size():
    assert perplexity(torch.full((7,), math.log(50))) == pytest.approx(50)


@pytest.mark.parametrize(
    ("text", "source", "span"),
    [
        ("xxabcdyy", "00abcd11", "abcd"),
        ("abc", "xyz", ""),
        ("abc", "abc", "abc"),
        ("", "abc", ""),
        ("abxcd", "ab cd", "ab"),
    ],
)
def test_longest_copied_span(text, source, span):
    assert longest_copied_span(text, source) == span


def test_impossible_questions_are_refused():
    with pytest.raises(ValueError, match="1 tokens holds nothing"):
        token_losses(Recorder(), [3])
    with pytest.raises(ValueError, match="this model reads 1 to 16"):
        token_losses(Recorder(), [3, 4], context=17)
    with pytest.raises(ValueError, match="stride is 9: windows of 8 tokens"):
        token_losses(Recorder(), [3, 4], context=8, stride=9)
    with pytest.raises(ValueError, match="at least one"):
        bits_per_byte(torch.zeros(3), 0)
    with pytest.raises(ValueError, match="no tokens"):
        perplexity(torch.zeros(0))
