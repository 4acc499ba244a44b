"""The recipe behind the shipped judge."""

import json

import pytest
import torch

from lecture10.judge import JudgeConfig, JudgeNet, Thresholds, read
from lecture10.judge.lessons import Lessons
from lecture10.recipes import judge
from lecture10.training import TrainSettings, load_weights, read_card, train
from lecture10.world import WORLD_VERSION
from lecture10.world import vocabulary as v

TINY, FEW = JudgeConfig(width=16, blocks=1), Lessons(sharp=6, coarse=2, hybrid=2)


def learnt(*steps, seed=0, **how):
    rounds = [(FEW, TrainSettings(steps=n, lr=5e-3)) for n in steps or (2,)]
    return judge.learn(TINY, rounds, seed=seed, quiet=True, **how)


def test_it_learns_and_its_seed_decides():
    (one, [history]), (again, _), (other, _) = learnt(12), learnt(12), learnt(12, seed=1)
    assert history.last("loss") < history.records[0]["loss"]
    assert torch.equal(one.things.weight, again.things.weight)
    assert not torch.equal(one.things.weight, other.things.weight)


def test_the_second_round_goes_on_from_the_first(tmp_path):
    (once, _), (twice, histories) = learnt(3), learnt(3, 2, checkpoint=str(tmp_path))
    assert [h.done for h in histories] == [3, 2]
    assert not torch.equal(once.things.weight, twice.things.weight)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["round-1", "round-2"]
    resumed, _ = learnt(3, 2, checkpoint=str(tmp_path))  # both rounds are there: nothing is trained again
    assert torch.equal(resumed.things.weight, twice.things.weight)
    alone = JudgeNet(TINY)
    alone.load_state_dict(once.state_dict())
    from_there = train(alone, judge.judge_loss, FEW, TrainSettings(steps=2, lr=5e-3), seed=1, quiet=True)
    assert from_there.done == 2
    assert torch.allclose(alone.things.weight, twice.things.weight, atol=1e-6)


def test_shipping_writes_weights_card_and_matrices(tmp_path):
    net, (history,) = learnt()
    card = judge.ship(net, tmp_path / "judge", seed=0, steps=history.done, minutes=0.1, n=5)
    assert read_card(tmp_path / "judge") == card
    facts = json.loads((tmp_path / "judge_confusion.json").read_text())
    assert facts["weights"] == card.sha256
    assert tuple(facts["confusion"]["32"]) == v.STYLES
    back = JudgeNet(TINY)
    load_weights(back, tmp_path / "judge", architecture="judge", data_version=WORLD_VERSION)
    thresholds = Thresholds(**facts["thresholds"])
    image = torch.rand(3, 3, 64, 64)
    assert read(image, net=back.eval(), thresholds=thresholds) == read(image, net=net, thresholds=thresholds)
    assert card.metrics.keys() == {
        f"photo_{s}_{name}" for s in (64, 32) for name in ("noun", "colour", "count")
    }


def test_an_interrupted_run_ships_nothing(tmp_path, monkeypatch):
    unfinished = learnt(1)

    def stopped(**how):
        unfinished[1][-1].interrupted = True
        return unfinished

    monkeypatch.setattr(judge, "learn", stopped)
    with pytest.raises(KeyboardInterrupt, match="nothing was shipped"):
        judge.build(tmp_path / "judge")
    assert not list(tmp_path.iterdir())
