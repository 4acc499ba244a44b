"""What a GPT must do whatever its weights: look only back, agree with its own cache, refuse what it cannot
read.
"""

import math

import pytest
import torch

from lecture10.layers import KVCache, SelfAttention, attend, attention_weights, causal_mask
from lecture10.models.gpt import GPT, PRESETS, DoubleHeads, GPTConfig, count_parameters, language_model_loss


def random_gpt(norm="pre", **changes) -> GPT:
    torch.manual_seed(0)
    sizes = {"vocab_size": 40, "context": 12, "width": 16, "layers": 2, "heads": 4, "dropout": 0.0} | changes
    gpt = GPT(GPTConfig(norm=norm, **sizes)).eval()
    with torch.no_grad():
        for parameter in gpt.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return gpt


@pytest.fixture(params=["pre", "post"])
def gpt(request):
    return random_gpt(request.param)


IDS = torch.randint(0, 40, (2, 12), generator=torch.Generator().manual_seed(4))


def test_the_paper_preset_has_gpt1s_size():
    """12·(4·768² + 8·768² + 13·768) + (40,478 + 512)·768 = 116,534,784; the slide says about 10⁸."""
    assert (
        count_parameters(PRESETS["paper"])
        == 12 * (12 * 768**2 + 13 * 768) + (40_478 + 512) * 768
        == 116_534_784
    )
    assert count_parameters(PRESETS["gpt2"]) == 124_439_808


def test_counting_parameters_allocates_nothing():
    assert count_parameters(GPTConfig(width=64 * 200, layers=96, heads=200)) > 1e11  # 400 GB if it were real


def test_a_later_token_never_changes_an_earlier_prediction(gpt):
    changed = IDS.clone()
    changed[:, 7] = (changed[:, 7] + 1) % 40
    before, after = gpt(IDS), gpt(changed)
    assert torch.equal(before[:, :7], after[:, :7])
    assert (before[:, 7:] - after[:, 7:]).abs().amax((0, 2)).min() > 1e-4  # and every later one does change


def test_every_position_has_its_own_embedding(gpt):
    same = torch.full((1, 12), 3)
    rows = gpt(same)[0]
    assert (rows[1:] - rows[:-1]).abs().amax(-1).min() > 1e-4


@pytest.mark.parametrize("cuts", [[12], [1] * 12, [5, 1, 6]])
def test_cached_equals_uncached(gpt, cuts):
    cache, pieces = gpt.new_cache(), []
    for part in IDS.split(cuts, dim=1):
        pieces.append(gpt(part, cache=cache))
    torch.testing.assert_close(torch.cat(pieces, 1), gpt(IDS), atol=1e-5, rtol=1e-5)


def test_plain_equals_fast(gpt):
    torch.testing.assert_close(gpt(IDS, fast=False), gpt(IDS, fast=True), atol=1e-5, rtol=1e-5)


def test_an_edited_attention_is_the_one_that_is_used(gpt):
    before = gpt(IDS)
    torch.testing.assert_close(gpt.use_attention(attend)(IDS), before, atol=1e-5, rtol=1e-5)
    gpt.use_attention(lambda q, k, v, may_look: v)  # a head that hands on what it has
    assert (gpt(IDS) - before).abs().max() > 1e-3
    open_mask = lambda length, device=None: torch.ones(length, length, dtype=torch.bool)  # noqa: E731
    torch.testing.assert_close(gpt.use_attention(attend, causal_mask)(IDS), before, atol=1e-5, rtol=1e-5)
    assert (gpt.use_attention(attend, open_mask)(IDS) - before)[:, 0].abs().max() > 1e-4
    assert torch.equal(gpt.use_attention(None)(IDS), before)


def test_plain_and_fast_agree_about_where_dropout_goes():
    """Averaged over many draws, both drop attention weights: the expectation of the output is the same."""
    torch.manual_seed(0)
    attention = SelfAttention(8, 2, causal=True, dropout=0.4).train()
    attention.drop.p = 0.0  # look at the dropout on the weights alone
    x = torch.randn(1, 5, 8).expand(4000, 5, 8)
    plain, fast = attention(x, fast=False), attention(x, fast=True)
    assert plain.std(0).max() > 0.01
    torch.testing.assert_close(plain.mean(0), fast.mean(0), atol=0.02, rtol=0)
    torch.testing.assert_close(plain.std(0), fast.std(0), atol=0.02, rtol=0.1)


def test_the_output_layer_is_the_embedding_matrix(gpt):
    h = gpt.hidden(IDS)
    torch.testing.assert_close(gpt(IDS), h @ gpt.tokens.weight.T)
    assert not any("head" in name for name, _ in gpt.named_parameters())


def test_loss_is_log_v_when_the_model_knows_nothing_and_zero_when_it_knows_all():
    assert float(language_model_loss(torch.zeros(2, 12, 40), IDS)) == pytest.approx(math.log(40))
    right = torch.full((2, 12, 40), -50.0)
    right[:, :-1].scatter_(-1, IDS[:, 1:, None], 50.0)
    assert float(language_model_loss(right, IDS)) < 1e-6


def test_the_loss_reads_what_is_about_a_token_that_is_there(gpt):
    logits = gpt(IDS)
    whole, without_last = language_model_loss(logits, IDS), language_model_loss(logits[:, :-1], IDS)
    assert torch.equal(whole, without_last)
    changed = logits.clone()
    changed[:, -1] += torch.randn(40)
    assert torch.equal(language_model_loss(changed, IDS), whole)


def test_attention_maps_are_causal_distributions(gpt):
    maps = gpt.attention_maps(IDS)
    assert maps.shape == (2, 2, 4, 12, 12)
    torch.testing.assert_close(maps.sum(-1), torch.ones(2, 2, 4, 12))
    assert maps.triu(1).abs().max() == 0


def test_attention_at_equal_scores_averages_what_it_may_see():
    v = torch.arange(12.0).view(1, 1, 4, 3)
    mixed = attend(torch.zeros(1, 1, 4, 3), torch.randn(1, 1, 4, 3), v, causal_mask(4))
    torch.testing.assert_close(mixed[0, 0], torch.stack([v[0, 0, : t + 1].mean(0) for t in range(4)]))


def test_attention_scores_are_scaled_by_the_root_of_the_head_width():
    q = k = torch.eye(2).view(1, 1, 2, 2) * 2
    weights = attention_weights(q, k)[0, 0]
    assert float(weights[0, 0] / weights[0, 1]) == pytest.approx(math.exp(4 / math.sqrt(2)))


def test_attention_refuses_a_position_that_sees_nothing():
    q = torch.zeros(1, 1, 3, 2)
    with pytest.raises(ValueError, match="may look at nothing"):
        attend(q, q, q, causal_mask(3).fill_diagonal_(False))


def test_double_heads_read_the_named_position_only():
    heads = DoubleHeads(random_gpt()).eval()
    ids, ends = IDS.view(1, 2, 12), torch.tensor([[4, 6]])
    changed = ids.clone()
    changed[0, 0, 5:] = 0
    changed[0, 1, 6] = (changed[0, 1, 6] + 1) % 40
    with torch.no_grad():
        (_, before), (_, after) = heads(ids, ends), heads(changed, ends)
    assert float(before[0, 0]) == pytest.approx(float(after[0, 0]), abs=1e-6)
    assert abs(float(before[0, 1] - after[0, 1])) > 1e-4


@pytest.mark.parametrize(
    ("ids", "says"),
    [
        (torch.zeros(1, 0, dtype=torch.long), "one or more is needed"),
        (torch.zeros(5, dtype=torch.long), "one or more is needed"),
        (torch.zeros(1, 13, dtype=torch.long), "13 tokens are more than this model's context of 12"),
        (torch.tensor([[1, 40]]), "0 to 39"),
        (torch.tensor([[-1, 3]]), "run from -1 to 3"),
    ],
)
def test_unreadable_input_is_refused_with_the_cure(gpt, ids, says):
    with pytest.raises(ValueError, match=says):
        gpt(ids)


def test_a_text_of_one_token_has_no_loss(gpt):
    with pytest.raises(ValueError, match="nothing to predict"):
        language_model_loss(gpt(IDS[:, :1]), IDS[:, :1])


def test_a_full_cache_refuses_more():
    cache = KVCache(room=3)
    cache.extend(0, torch.zeros(1, 1, 2, 4), torch.zeros(1, 1, 2, 4))
    cache.advance(2)
    with pytest.raises(ValueError, match="4 positions do not fit into a cache of 3"):
        cache.extend(0, torch.zeros(1, 1, 2, 4), torch.zeros(1, 1, 2, 4))


def test_bad_configurations_are_refused():
    with pytest.raises(ValueError, match="multiple of 3"):
        GPT(GPTConfig(width=16, heads=3))
    with pytest.raises(ValueError, match="'pre'"):
        GPT(GPTConfig(norm="both"))
