"""The same random weights in transformers' GPT-1 and GPT-2 give the same numbers; every tensor matters."""

import pytest
import torch

from lecture10.models.gpt import GPT, DoubleHeads, language_model_loss
from lecture10.pretrained.gpt import choice_head, from_official, to_official

TINY = {"vocab_size": 50, "n_positions": 16, "n_embd": 12, "n_layer": 2, "n_head": 3}
TOLERANCE = 1e-5  # of the outputs' scale


def randomise(module, seed=1):
    """Fill every parameter with noise: default initialisation is half zeros and ones and hides mistakes."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(0.4 * torch.randn(parameter.shape, generator=generator) + 0.1)
    return module.eval()


def reference(kind):
    transformers = pytest.importorskip("transformers")
    if kind == "gpt1":
        return randomise(transformers.OpenAIGPTLMHeadModel(transformers.OpenAIGPTConfig(**TINY)))
    if kind == "gpt1-heads":
        return randomise(transformers.OpenAIGPTDoubleHeadsModel(transformers.OpenAIGPTConfig(**TINY)))
    config = transformers.GPT2Config(**TINY, bos_token_id=1, eos_token_id=1)
    return randomise(transformers.GPT2LMHeadModel(config))


def ours(model) -> GPT:
    return from_official(model.config.to_dict(), model.state_dict())


def far(a, b) -> float:
    return float((a - b).abs().max() / b.abs().max())


@pytest.fixture(scope="module", params=["gpt1", "gpt2"])
def pair(request):
    model = reference(request.param)
    return model, ours(model)


IDS = torch.randint(0, 50, (3, 11), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("fast", [True, False])
def test_logits_and_loss_equal_the_reference(pair, fast):
    model, gpt = pair
    with torch.no_grad():
        theirs = model(IDS, labels=IDS)
        logits = gpt(IDS, fast=fast)
    assert far(logits, theirs.logits) < TOLERANCE
    assert float(language_model_loss(logits, IDS)) == pytest.approx(float(theirs.loss), rel=TOLERANCE)


def test_cached_reading_equals_the_reference(pair):
    model, gpt = pair
    cache = gpt.new_cache()
    with torch.no_grad():
        pieces = [gpt(IDS[:, start:end], cache=cache) for start, end in [(0, 4), (4, 5), (5, 11)]]
        assert far(torch.cat(pieces, 1), model(IDS).logits) < TOLERANCE


def test_attention_maps_equal_the_reference(pair):
    model, gpt = pair
    model.set_attn_implementation("eager")
    with torch.no_grad():
        theirs = torch.stack(model(IDS, output_attentions=True).attentions)
    assert far(gpt.attention_maps(IDS), theirs) < TOLERANCE


def test_every_tensor_matters_and_in_the_same_way(pair):
    """Negative control: perturb each tensor of the reference alone; ours, unchanged, must part from it."""
    model, gpt = pair
    with torch.no_grad():
        before = gpt(IDS)
        for name, parameter in model.named_parameters():
            kept = parameter.clone()
            noise = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(2))
            parameter.add_(0.3 * noise)
            theirs = model(IDS).logits
            again = ours(model)(IDS)
            parameter.copy_(kept)
            if name.endswith("attn.c_attn.bias"):  # its key third cannot matter: softmax forgets a constant
                assert far(theirs, before) > 1e-4, name
            else:
                assert far(theirs, before) > 1e-3, f"{name} does not matter: the comparison is blind to it"
            assert far(again, theirs) < TOLERANCE, name


def test_round_trip_to_the_official_format(pair):
    model, gpt = pair
    config, tensors = to_official(gpt)
    theirs = {
        name: tensor for name, tensor in model.state_dict().items() if not name.endswith("lm_head.weight")
    }
    assert set(tensors) == {name for name in theirs if not name.endswith((".attn.bias", "position_ids"))}
    assert all(torch.equal(tensors[name], theirs[name]) for name in tensors)
    assert config["model_type"] == model.config.model_type


def test_double_heads_give_the_reference_scores_and_losses():
    model = reference("gpt1-heads")
    heads = choice_head(DoubleHeads(ours(model)), model.state_dict()).eval()
    ids = torch.randint(0, 50, (2, 4, 9), generator=torch.Generator().manual_seed(3))
    ends = torch.tensor([[8, 5, 3, 8], [0, 8, 7, 2]])
    answers = torch.tensor([2, 0])
    with torch.no_grad():
        theirs = model(ids, mc_token_ids=ends, labels=ids, mc_labels=answers)
        lm_logits, choices = heads(ids, ends)
        lm, choice = heads.losses(ids, ends, answers)
    assert far(lm_logits, theirs.logits) < TOLERANCE
    assert far(choices, theirs.mc_logits) < TOLERANCE
    assert float(lm) == pytest.approx(float(theirs.loss), rel=TOLERANCE)
    assert float(choice) == pytest.approx(float(theirs.mc_loss), rel=TOLERANCE)


@pytest.mark.parametrize(
    "tensor", ["multiple_choice_head.summary.weight", "multiple_choice_head.summary.bias"]
)
def test_the_choice_head_matters(tensor):
    model = reference("gpt1-heads")
    heads = DoubleHeads(ours(model)).eval()
    ids = IDS[None]
    ends = torch.tensor([[10, 4, 0]])
    with torch.no_grad():
        before = choice_head(heads, model.state_dict())(ids, ends)[1]
        model.get_parameter(tensor).add_(0.5)
        after = choice_head(heads, model.state_dict())(ids, ends)[1]
        theirs = model(ids, mc_token_ids=ends).mc_logits
    assert far(before, theirs) > 1e-3
    assert far(after, theirs) < TOLERANCE
