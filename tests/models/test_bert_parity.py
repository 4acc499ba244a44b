"""The same random weights in transformers' BERT give the same numbers; every tensor matters."""

import pytest
import torch

from lecture10.models.bert import IGNORE, BertChoice, BertPretraining
from lecture10.pretrained.bert import choice_from_official, from_official, to_official

TINY = {
    "vocab_size": 50, "hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 3,
    "intermediate_size": 48, "max_position_embeddings": 16, "type_vocab_size": 2,
}  # fmt: skip
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
    return randomise(getattr(transformers, kind)(transformers.BertConfig(**TINY)))


def ours(model) -> BertPretraining | BertChoice:
    door = from_official if type(model).__name__ == "BertForPreTraining" else choice_from_official
    return door(model.config.to_dict(), model.state_dict())


def far(a, b) -> float:
    return float((a - b).abs().max() / b.abs().max())


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


IDS = torch.randint(0, 50, (3, 11), generator=dice())
SEGMENTS = (torch.arange(11) > torch.tensor([[4], [7], [2]])).long()
REAL = torch.arange(11) < torch.tensor([[11], [9], [5]])
TARGETS = torch.where(torch.rand(3, 11, generator=dice(1)) < 0.3, IDS, IGNORE) * REAL + IGNORE * ~REAL
FOLLOWS = torch.tensor([0, 1, 0])


@pytest.fixture(scope="module")
def pair():
    model = reference("BertForPreTraining")
    return model, ours(model)


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("two", [True, False], ids=["two segments", "one segment"])
def test_both_heads_equal_the_reference(pair, fast, padded, two):
    model, bert = pair
    real, segments = REAL if padded else None, SEGMENTS if two else None
    with torch.no_grad():
        theirs = model(IDS, attention_mask=REAL.long() if padded else None, token_type_ids=segments)
        words, follows = bert(IDS, segments, real, fast=fast)
    assert far(words, theirs.prediction_logits) < TOLERANCE
    assert far(follows, theirs.seq_relationship_logits) < TOLERANCE


def test_both_losses_equal_the_reference(pair):
    model, bert = pair
    with torch.no_grad():
        how = {"attention_mask": REAL.long(), "token_type_ids": SEGMENTS}
        theirs = model(IDS, labels=TARGETS, next_sentence_label=FOLLOWS, **how).loss
        words, follows = bert.losses(IDS, TARGETS, FOLLOWS, SEGMENTS, REAL)
        logits = model(IDS, **how)
        one = torch.nn.functional.cross_entropy(logits.prediction_logits.flatten(0, 1), TARGETS.flatten())
    assert float(words) == pytest.approx(float(one), rel=TOLERANCE)
    assert float(words + follows) == pytest.approx(float(theirs), rel=TOLERANCE)


def test_the_gradients_equal_the_reference(pair):
    model, bert = pair
    how = {"attention_mask": REAL.long(), "token_type_ids": SEGMENTS}
    model.zero_grad()
    model(IDS, labels=TARGETS, next_sentence_label=FOLLOWS, **how).loss.backward()
    bert.zero_grad()
    sum(bert.losses(IDS, TARGETS, FOLLOWS, SEGMENTS, REAL)).backward()
    theirs = dict(model.named_parameters())
    assert far(bert.words.bias.grad, theirs["cls.predictions.bias"].grad) < 1e-4
    positions = theirs["bert.embeddings.position_embeddings.weight"].grad
    assert far(bert.bert.positions.weight.grad, positions) < 1e-4
    model.zero_grad()
    bert.zero_grad()


def test_every_tensor_matters_and_in_the_same_way(pair):
    """Negative control: perturb each tensor of the reference alone; ours, unchanged, must part from it."""
    model, bert = pair
    how = {"attention_mask": REAL.long(), "token_type_ids": SEGMENTS}
    with torch.no_grad():
        before = bert(IDS, SEGMENTS, REAL)
        for name, parameter in model.named_parameters():
            kept = parameter.clone()
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=dice(2)))
            theirs = model(IDS, **how)
            again = ours(model)(IDS, SEGMENTS, REAL)
            parameter.copy_(kept)
            theirs = theirs.prediction_logits, theirs.seq_relationship_logits
            apart = max(far(b, t) for b, t in zip(before, theirs, strict=True))
            if not name.endswith("self.key.bias"):  # which cannot matter: softmax forgets a constant
                assert apart > 1e-3, f"{name} does not matter: the comparison is blind to it"
            for got, wanted in zip(again, theirs, strict=True):
                assert far(got, wanted) < TOLERANCE, name


def test_round_trip_to_the_official_format(pair):
    model, bert = pair
    config, tensors = to_official(bert)
    theirs = {name: t for name, t in model.state_dict().items() if not name.endswith("position_ids")}
    tied = {"cls.predictions.decoder.weight", "cls.predictions.decoder.bias"}
    assert set(tensors) == set(theirs) - tied
    assert all(torch.equal(tensors[name], theirs[name]) for name in tensors)
    theirs = model.config.to_dict() | {"architectures": ["BertForPreTraining"]}
    assert {name: theirs[name] for name in config} == config


def test_multiple_choice_equals_the_reference():
    model = reference("BertForMultipleChoice")
    choice = ours(model)
    ids = torch.randint(0, 50, (2, 4, 9), generator=dice(3))
    segments = (torch.arange(9) > 4).long().expand(2, 4, 9)
    real = torch.arange(9) < torch.randint(5, 10, (2, 4, 1), generator=dice(4))
    answers = torch.tensor([2, 0])
    with torch.no_grad():
        how = {"attention_mask": real.long(), "token_type_ids": segments}
        theirs = model(ids, labels=answers, **how)
        scores = choice(ids, segments, real)
        assert far(scores, theirs.logits) < TOLERANCE
        loss = torch.nn.functional.cross_entropy(scores, answers)
        assert float(loss) == pytest.approx(float(theirs.loss), rel=TOLERANCE)
        for name, parameter in model.named_parameters():
            kept = parameter.clone()
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=dice(2)))
            moved, again = model(ids, **how).logits, ours(model)(ids, segments, real)
            parameter.copy_(kept)
            assert far(again, moved) < TOLERANCE, name
            if not name.endswith("self.key.bias"):
                assert far(scores, moved) > 1e-3, name
    config, tensors = to_official(choice)
    assert config["architectures"] == ["BertForMultipleChoice"]
    assert set(tensors) == {name for name in model.state_dict() if not name.endswith("position_ids")}
