"""The judge's network and its loss."""

import pytest
import torch
from perfect_judge import Perfect

from lecture10.judge.lessons import truth
from lecture10.judge.model import CELLS, GLOBAL, HEADS, JudgeConfig, JudgeNet, centre_loss, judge_loss
from lecture10.world import render, sample
from lecture10.world import vocabulary as v


@pytest.fixture
def batch():
    picture = render(sample(10, 3, things=(1, 6), split="all", styles=v.STYLES), 64)
    return truth(picture, torch.Generator().manual_seed(0))


def test_shapes(batch):
    out = JudgeNet(JudgeConfig(width=16, blocks=1))(batch["image"])
    assert out["centre"].shape == (10, CELLS, CELLS)
    assert out["shift"].shape == (10, 2, CELLS, CELLS)
    assert all(out[name].shape == (10, n, CELLS, CELLS) for name, n in HEADS.items())
    assert all(out[name].shape == (10, n) for name, n in GLOBAL.items())


def test_a_cell_sees_the_whole_picture():
    net = JudgeNet(JudgeConfig(width=16)).eval()
    image = torch.rand(1, 3, 64, 64, requires_grad=True)
    net(image)["centre"][0, 8, 8].backward()
    seen = (image.grad[0].abs().sum(0) > 0).nonzero()
    assert seen.amin() < 8
    assert seen.amax() > 56


def test_true_answers_cost_next_to_nothing(batch):
    value, parts = judge_loss(Perfect(batch), batch)
    assert value < 0.05
    assert set(parts) == {"centre", "shift", *HEADS, *GLOBAL}


@pytest.mark.parametrize("name", HEADS)
def test_a_wrong_word_costs_in_its_own_part_only(batch, name):
    _, before = judge_loss(Perfect(batch), batch)
    wrong = dict(batch)
    for key in (name, f"{name}2"):
        wrong[key] = (batch[key] + 1) % HEADS[name]
    _, after = judge_loss(Perfect(batch), wrong)
    assert {key for key in before if after[key] > before[key] + 0.5} == {name}


def test_a_hybrid_wants_both_of_its_words(batch):
    """Between two nouns at equal shares the best answer is one half each."""
    half = dict(batch, share=torch.full_like(batch["share"], 0.5), noun2=(batch["noun"] + 1) % HEADS["noun"])
    both = Perfect(batch)
    b, k = batch["there"].nonzero(as_tuple=True)
    both.out["noun"][b, half["noun2"][b, k], batch["row"][b, k], batch["column"][b, k]] = 12.0
    assert judge_loss(both, half)[1]["noun"] == pytest.approx(0.693, abs=0.01)
    assert judge_loss(Perfect(batch), half)[1]["noun"] > 2


def test_a_centre_where_nothing_is_costs_unless_something_is_hidden_there(batch):
    logits = Perfect(batch).out["centre"]
    clean = centre_loss(logits, batch)
    b = int(batch["there"].sum(1).argmin())
    row, column = (logits[b] < 0).nonzero()[0].tolist()
    logits[b, row, column] = 8.0
    assert centre_loss(logits, batch) > clean + 0.05
    hidden = {name: t.clone() for name, t in batch.items()}
    slot = int((~hidden["there"][b]).nonzero()[0])
    hidden["hidden"][b, slot] = True
    hidden["x"][b, slot], hidden["y"][b, slot] = (column + 0.5) / CELLS, (row + 0.5) / CELLS
    assert centre_loss(logits, hidden) < clean + 0.01


def test_it_can_learn_four_pictures_by_heart():
    picture = render(sample(4, 5, things=2, split="all"), 64)
    batch = truth(picture)
    torch.manual_seed(0)
    net = JudgeNet(JudgeConfig(width=32, blocks=1))
    step = torch.optim.AdamW(net.parameters(), lr=5e-3)
    for _ in range(60):
        step.zero_grad()
        value, parts = judge_loss(net, batch)
        value.backward()
        step.step()
    assert parts["noun"] < 0.1
    assert parts["centre"] < 0.5
