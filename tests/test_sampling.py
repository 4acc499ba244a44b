"""From logits to tokens: each setting does what it says, and the cache changes nothing."""

import pytest
import torch

from lecture10.models.gpt import GPT, GPTConfig, language_model_loss
from lecture10.sampling import continue_text, generate, next_token_probs
from lecture10.tokenizer import tokenizer

LOGITS = torch.tensor([2.0, 1.0, 0.0, -1.0])
PROBS = LOGITS.softmax(-1)  # .644 .237 .087 .032


def small_gpt(vocab_size=30, context=10):
    torch.manual_seed(1)
    gpt = GPT(GPTConfig(vocab_size=vocab_size, context=context, width=16, layers=2, heads=2, dropout=0.3))
    with torch.no_grad():
        for parameter in gpt.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return gpt


def test_default_settings_leave_the_model_as_it_is():
    torch.testing.assert_close(next_token_probs(LOGITS), PROBS)


def test_temperature_divides_the_logits():
    torch.testing.assert_close(next_token_probs(LOGITS, 0.5), (LOGITS * 2).softmax(-1))
    assert next_token_probs(LOGITS, 1000.0).max() < 0.26  # hot: nearly uniform


def test_temperature_zero_is_greedy():
    assert next_token_probs(LOGITS, 0).tolist() == [1, 0, 0, 0]


def test_top_k_keeps_k_and_renormalises():
    probs = next_token_probs(LOGITS, top_k=2)
    torch.testing.assert_close(probs, torch.tensor([PROBS[0], PROBS[1], 0, 0]) / (PROBS[0] + PROBS[1]))


@pytest.mark.parametrize(
    ("top_p", "kept"), [(0.6, 1), (0.65, 2), (0.88, 2), (0.89, 3), (0.999, 4), (1.0, 4), (1e-9, 1)]
)
def test_top_p_keeps_the_smallest_set_that_reaches_p(top_p, kept):
    probs = next_token_probs(LOGITS[torch.tensor([2, 0, 3, 1])], top_p=top_p)  # the order must not matter
    assert int((probs > 0).sum()) == kept
    assert float(probs.sum()) == pytest.approx(1)
    assert probs.argmax() == 1


def test_temperature_acts_before_top_p():
    assert int((next_token_probs(LOGITS, 3.0, top_p=0.7) > 0).sum()) == 3  # at temperature 1 it is 2


def test_batches_are_treated_row_by_row():
    rows = torch.stack([LOGITS, LOGITS.flip(0)])
    torch.testing.assert_close(
        next_token_probs(rows, top_p=0.7)[1], next_token_probs(LOGITS, top_p=0.7).flip(0)
    )


@pytest.mark.parametrize("settings", [{"temperature": 0}, {"temperature": 1.3, "top_k": 7, "top_p": 0.9}, {}])
@pytest.mark.parametrize("steps", [6, 25])  # 25: far past the context of 10
def test_cached_sampling_equals_uncached(settings, steps):
    gpt, prompts = small_gpt(), torch.randint(0, 30, (3, 4))
    texts = [
        generate(gpt, prompts, steps, generator=torch.Generator().manual_seed(5), cached=cached, **settings)
        for cached in (True, False)
    ]
    assert torch.equal(*texts)
    assert texts[0].shape == (3, 4 + steps)
    assert torch.equal(texts[0][:, :4], prompts)


def test_ties_and_tiny_temperatures_keep_their_promises():
    assert int((next_token_probs(torch.zeros(5), top_k=1) > 0).sum()) == 1
    assert next_token_probs(LOGITS, 1e-45).tolist() == [1, 0, 0, 0]


def test_what_was_generated_can_be_trained_on():
    gpt = small_gpt()
    ids = generate(gpt, torch.tensor([[1, 2]]), 4)
    language_model_loss(gpt(ids), ids).backward()
    assert gpt.tokens.weight.grad.abs().sum() > 0


def test_a_refused_prompt_leaves_the_model_as_it_was():
    gpt = small_gpt().train()
    with pytest.raises(ValueError, match="0 to 29"):
        generate(gpt, torch.tensor([[99]]), 2)
    assert gpt.training


def test_prompts_are_brought_to_the_model():
    class Elsewhere(torch.nn.Module):
        config = GPTConfig(vocab_size=30, context=10)

        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1, device="meta"))

        def new_cache(self):
            return None

        def forward(self, ids, cache=None):
            assert ids.device.type == "meta"
            return torch.zeros(*ids.shape, 30, device="meta")

    assert generate(Elsewhere(), torch.tensor([[1]]), 3, temperature=0).shape == (1, 4)


def test_sampling_follows_the_distribution():
    gpt = small_gpt().eval()
    prompt = torch.tensor([[3, 1]]).expand(20_000, 2)
    drawn = generate(gpt, prompt, 1, generator=torch.Generator().manual_seed(0))[:, -1]
    with torch.no_grad():
        probs = gpt(prompt[:1])[0, -1].softmax(-1)
    torch.testing.assert_close(drawn.bincount(minlength=30) / 20_000, probs, atol=0.012, rtol=0)


def test_the_seed_decides_and_training_mode_is_given_back():
    gpt, words = small_gpt(vocab_size=1024).train(), tokenizer()
    texts = {seed: continue_text(gpt, words, "The", 8, seed=seed) for seed in (1, 2)}
    assert texts[1] == continue_text(gpt, words, "The", 8, seed=1) != texts[2]
    assert texts[1].startswith("The")
    assert gpt.training


def test_a_prompt_longer_than_the_context_is_read_at_its_end():
    gpt, words = small_gpt(vocab_size=1024), tokenizer()
    long = "An object is a thing. " * 10
    tail = words.encode(long)[-10:]
    text = continue_text(gpt, words, long, 3, temperature=0)
    expected = generate(gpt, torch.tensor([tail]), 3, temperature=0)[0, -3:]
    assert text[len(long) :] == words.decode(expected.tolist())


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"temperature": -1}, "temperature is -1"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"top_k": 0}, "top_k is 0"),
        ({"top_p": 0.0}, "top_p is 0.0"),
        ({"top_p": 1.5}, "top_p is 1.5"),
        ({"steps": -2}, "steps is -2"),
    ],
)
def test_bad_settings_are_refused(settings, says):
    with pytest.raises(ValueError, match=says):
        generate(small_gpt(), torch.tensor([[1]]), **{"steps": 2} | settings)


def test_an_empty_prompt_is_refused():
    with pytest.raises(ValueError, match="the prompt is empty"):
        generate(small_gpt(), torch.zeros(1, 0, dtype=torch.long), 2)
    with pytest.raises(ValueError, match="type at least one character"):
        continue_text(small_gpt(vocab_size=1024), tokenizer(), "", 2)
