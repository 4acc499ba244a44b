"""The class-free proposals: who speaks for what, what the loss asks for, what is proposed."""

import pytest
import torch

from lecture10.models.proposals import ProposalConfig, ProposalNet, proposal_loss, targets

BOXES = torch.tensor([[[0.1, 0.1, 0.4, 0.5], [0.5, 0.5, 0.95, 0.95], [0.0, 0.0, 0.0, 0.0]]])
THERE = torch.tensor([[True, True, False]])


def net():
    torch.manual_seed(0)
    return ProposalNet(ProposalConfig())


def test_places_are_the_middles_of_the_maps_cells():
    places = net().places()
    assert places.shape == (64, 2)
    assert places[0].tolist() == [1 / 16, 1 / 16]
    assert places[1].tolist() == pytest.approx([3 / 16, 1 / 16])  # x runs first, as pixels do
    logits, boxes = net()(torch.rand(2, 3, 64, 64))
    assert logits.shape == (2, 64)
    assert boxes.shape == (2, 64, 4)
    assert (boxes[..., :2] < places).all()
    assert (boxes[..., 2:] > places).all()


def test_the_middle_of_a_thing_speaks_for_it_and_the_smaller_thing_first():
    places = net().places()
    thing = targets(places, BOXES, THERE)[0]
    for at, (x, y) in enumerate(places.tolist()):
        inside = [
            abs(x - 0.25) <= 0.075 and abs(y - 0.3) <= 0.1,
            abs(x - 0.725) <= 0.1125 and abs(y - 0.725) <= 0.1125,
        ]
        assert thing[at] == (inside.index(True) if any(inside) else -1)
    assert set(thing.tolist()) == {-1, 0, 1}
    nested = torch.tensor([[[0.0, 0.0, 1.0, 1.0], [0.35, 0.35, 0.65, 0.65]]])
    both = targets(places, nested, torch.tensor([[True, True]]))[0]
    assert both[27] == 1  # the place at (0.4375, 0.4375) lies in both: the smaller one gets it
    assert (both == 0).any()
    assert (targets(places, BOXES, torch.zeros_like(THERE)) == -1).all()


def test_every_thing_of_the_little_worlds_least_size_has_a_place():
    places = net().places()
    for x in torch.linspace(0.13, 0.87, 23).tolist():
        box = torch.tensor([[[x - 0.1328, x - 0.1328, x + 0.1328, x + 0.1328]]])  # 17 pixels
        assert (targets(places, box, torch.tensor([[True]])) == 0).any()


def perfect(model, images, boxes, there, sure=12.0):
    thing = targets(model.places(), boxes, there)
    logits = torch.where(thing >= 0, sure, -sure)
    found = boxes[torch.arange(len(boxes))[:, None], thing.clamp(min=0)]
    return logits, found


def test_the_loss_is_zero_for_the_truth_and_grows_with_either_mistake(monkeypatch):
    model, images = net(), torch.rand(1, 3, 64, 64)
    truth = perfect(model, images, BOXES, THERE)

    def loss(logits, found):
        monkeypatch.setattr(ProposalNet, "forward", lambda self, images: (logits, found))
        return float(proposal_loss(model, (images, BOXES, THERE)))

    assert loss(*truth) == pytest.approx(0, abs=1e-4)
    assert loss(-truth[0], truth[1]) > 1
    assert loss(truth[0], truth[1] + 0.1) > 0.3
    assert loss(truth[0], truth[1] * 0 + torch.tensor([0.0, 0.0, 1.0, 1.0])) > 0.5


def test_a_picture_without_things_can_be_learnt_from():
    loss = proposal_loss(
        net(), (torch.rand(2, 3, 64, 64), BOXES.expand(2, 3, 4) * 0, torch.zeros(2, 3, dtype=bool))
    )
    loss.backward()
    assert torch.isfinite(loss)


def test_proposals_are_sorted_few_inside_and_apart(monkeypatch):
    model, images = net(), torch.rand(1, 3, 64, 64)
    truth = perfect(model, images, BOXES, THERE, sure=3.0)
    monkeypatch.setattr(ProposalNet, "forward", lambda self, images: truth)
    boxes, of, scores = model.propose(images)
    assert len(boxes) == 2  # of several equal ones a thing, one is kept
    assert {tuple(round(x, 2) for x in box) for box in boxes.tolist()} == {
        (0.1, 0.1, 0.4, 0.5), (0.5, 0.5, 0.95, 0.95)
    }  # fmt: skip
    assert of.tolist() == [0, 0]
    assert scores.tolist() == pytest.approx([0.9526, 0.9526], abs=1e-3)
    assert len(model.propose(images, most=1)[0]) == 1
    assert len(model.propose(images, least=0.99)[0]) == 0  # none is an answer too


def test_each_picture_has_its_own_proposals():
    model = net().eval()
    images = torch.rand(3, 3, 64, 64)
    boxes, of, scores = model.propose(images, 4, least=0.0)
    assert (of.bincount(minlength=3) <= 4).all()
    assert ((boxes >= 0) & (boxes <= 1)).all()
    assert (boxes[:, :2] < boxes[:, 2:]).all()
    for k in range(3):
        alone = model.propose(images[k : k + 1], 4, least=0.0)
        assert torch.allclose(alone[0], boxes[of == k], atol=1e-5)
        assert (scores[of == k].diff() <= 0).all()
    assert model.train().propose(images)[0].requires_grad is False
    assert model.training


def test_what_cannot_be_read_is_refused():
    with pytest.raises(ValueError, match=r"proposals read \(batch, 3, 64, 64\): resize"):
        net()(torch.rand(1, 3, 32, 32))
    with pytest.raises(ValueError, match="the stride is 8"):
        ProposalNet(ProposalConfig(stride=4))
