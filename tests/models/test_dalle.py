"""DALL·E's transformer: one stream of two vocabularies, what may follow what, and the best of many."""

import pytest
import torch
from torch.nn import functional as F
from twins import agree, randomised

from lecture10.models.dalle import DALLE, PRESETS, DALLEConfig, best_of, count_parameters, rerank
from lecture10.pretrained.gpt import to_official

CONFIG = PRESETS["tiny"]
V, K, T, P, END = CONFIG.text_vocab, CONFIG.codes, CONFIG.text_length, CONFIG.image_length, CONFIG.end


@pytest.fixture
def net():
    torch.manual_seed(0)
    return randomised(DALLE(CONFIG))


@pytest.fixture
def pair():
    roll = torch.Generator().manual_seed(1)
    ids = torch.randint(END, (3, 3), generator=roll)
    return torch.cat([ids, torch.full((3, 1), END)], 1), torch.randint(K, (3, 2, 2), generator=roll)


def test_the_stream_is_the_caption_filled_up_and_then_the_codes_behind_the_words(net, pair):
    ids, codes = pair
    stream = net.stream(ids, codes)
    assert stream.shape == (3, T + P)
    assert torch.equal(stream[:, :4], ids)
    assert (stream[:, 4:T] == END).all()
    assert torch.equal(stream[:, T:].view(3, 2, 2) - V, codes)
    assert torch.equal(net.codes(stream), codes)


def test_the_captions_last_position_speaks_of_the_pictures_first_token(net, pair):
    logits = net(net.stream(*pair))
    words, pictures = logits[..., :V].isfinite(), logits[..., V:].isfinite()
    assert words[:, : T - 1].all()
    assert not pictures[:, : T - 1].any()
    assert pictures[:, T - 1 :].all()
    assert not words[:, T - 1 :].any()


def test_losses_are_cross_entropies_of_the_next_token_of_its_own_vocabulary(net, pair):
    stream = net.stream(*pair)
    raw = net.gpt(stream)
    text, image = net.losses(*pair)
    mine = F.cross_entropy(raw[:, : T - 1, :V].transpose(1, 2), stream[:, 1:T])
    theirs = F.cross_entropy(raw[:, T - 1 : -1, V:].transpose(1, 2), stream[:, T:] - V)
    torch.testing.assert_close(text, mine)
    torch.testing.assert_close(image, theirs)
    loss, _ = net.loss(*pair)
    torch.testing.assert_close(loss, text / 8 + 7 * image / 8)


def test_each_tensor_matters(net, pair):
    net.loss(*pair)[0].backward()
    assert [name for name, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []


def test_the_transformer_is_transformers_gpt2(net):
    transformers = pytest.importorskip("transformers")
    config, tensors = to_official(net.gpt)
    theirs = transformers.GPT2LMHeadModel(transformers.GPT2Config(**config)).eval()
    found = theirs.load_state_dict(tensors, strict=False)
    assert not found.unexpected_keys
    ids = torch.randint(V + K, (2, T + P))
    with torch.no_grad():
        expected = theirs(ids).logits
        agree(net.gpt(ids), expected)
        for name, parameter in net.gpt.named_parameters():
            kept = parameter.clone()
            parameter.add_(0.1 * torch.randn_like(parameter))
            assert not torch.allclose(net.gpt(ids), expected, atol=1e-3), f"{name} moves nothing"
            parameter.copy_(kept)


def test_cached_drawing_draws_the_same(net, pair):
    ids, _ = pair
    drawn = [
        net.draw(ids, generator=torch.Generator().manual_seed(3), cached=cached) for cached in (True, False)
    ]
    assert torch.equal(*drawn)
    assert drawn[0].shape == (3, 2, 2)
    assert drawn[0].min() >= 0
    assert drawn[0].max() < K


def test_a_warmer_draw_is_less_sure(net, pair):
    """Frozen, it takes the likeliest code; hot, each code about as often."""
    ids, _ = pair
    frozen = net.draw(ids, temperature=1e-4, generator=torch.Generator().manual_seed(0))
    assert torch.equal(frozen, net.draw(ids, top_k=1))
    hot = net.draw(ids[:1].expand(400, -1), temperature=1e4, generator=torch.Generator().manual_seed(0))
    shares = hot.flatten().bincount(minlength=K) / hot.numel()
    torch.testing.assert_close(shares, torch.full((K,), 1 / K), atol=0.04, rtol=0)


def test_the_papers_size_is_its_twelve_billions():
    assert count_parameters(PRESETS["paper"]) == pytest.approx(12e9, rel=0.05)


def test_a_cold_draw_takes_the_likeliest_code_each_time(net, pair):
    ids, _ = pair
    codes = net.draw(ids, top_k=1)
    logits = net(net.stream(ids, codes))[:, T - 1 : -1, V:]
    assert torch.equal(logits.argmax(-1), codes.flatten(1))


def test_the_best_of_n_is_the_best_of_the_first_n():
    scores = torch.tensor([[0.1, 0.9, 0.5, 0.95], [0.3, 0.2, 0.1, 0.0]])
    values = torch.tensor([[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]])
    assert rerank(scores, 1).tolist() == [0, 0]
    assert rerank(scores, 3).tolist() == [1, 0]
    assert rerank(scores, 4).tolist() == [3, 0]
    assert best_of(values, scores, 3).tolist() == [1.0, 4.0]


@pytest.mark.parametrize("n", [0, -1, 5])
def test_n_has_to_be_drawn(n):
    with pytest.raises(ValueError, match=f"best of N = {n}: draw at least 1"):
        rerank(torch.zeros(2, 4), n)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: DALLEConfig(codes=1), "a codebook of one entry can say nothing"),
        (lambda: DALLEConfig(grid=0), "grid=0"),
        (lambda: DALLE(CONFIG).text(torch.zeros(1, 5, dtype=torch.long)), "has 5 tokens and an end"),
        (lambda: DALLE(CONFIG).text(torch.zeros(5, dtype=torch.long)), "one row of token ids a caption"),
        (lambda: rerank(torch.zeros(3), 1), r"\(prompts, samples\) is needed"),
    ],
)
def test_what_cannot_be_is_said(make, why):
    with pytest.raises(ValueError, match=why):
        make()
