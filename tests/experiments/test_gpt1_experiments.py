"""The experiments run end to end at tiny size and return what is compared; the fit finds a known law."""

from dataclasses import replace

import pytest

from lecture10.claims import Row
from lecture10.experiments import gpt1_context, gpt1_scaling
from lecture10.models.gpt import GPT
from lecture10.training import TrainSettings


def test_context_scores_every_token_for_every_length(monkeypatch):
    monkeypatch.setattr(gpt1_context, "CONFIG", replace(gpt1_context.CONFIG, width=16, layers=1, heads=1))
    monkeypatch.setattr(gpt1_context, "SETTINGS", TrainSettings(steps=3))
    rows = gpt1_context.run(5)
    assert gpt1_context.CLAIM.effects(rows).keys() == {5}
    curve = {row.at: row for row in rows if row.at}
    assert sorted(curve) == list(gpt1_context.CONTEXTS)
    assert len({row.n for row in rows}) == 1


def test_scaling_returns_a_curve_for_each_share(monkeypatch):
    monkeypatch.setattr(gpt1_scaling, "SIZES", ((16, 1), (32, 1)))
    monkeypatch.setattr(gpt1_scaling, "SETTINGS", TrainSettings(steps=2))
    rows = gpt1_scaling.run(3)
    assert gpt1_scaling.CLAIM.effects(rows).keys() == {3}
    assert {row.variant for row in rows} == {"1/16 of the text", "1/4 of the text", "all of the text"}
    assert {row.at for row in rows} == {12 * 16**2 + 13 * 16, 12 * 32**2 + 13 * 32}


def test_a_share_is_known_by_its_name():
    for share in gpt1_scaling.SHARES:
        assert gpt1_scaling.share_of(gpt1_scaling.share_name(share)) == share


def test_the_model_is_taken_where_dev_was_best_not_where_test_was(monkeypatch):
    """Early stopping may look at dev only; the test loss is read off at that step."""
    calls = iter([5.0, 4.0, 9.0, 3.0, 7.0, 2.0])  # dev, test, dev, test, …: dev is lowest first, test last

    def losses(model, ids):
        import torch

        return torch.tensor([next(calls)])

    monkeypatch.setattr(gpt1_scaling, "token_losses", losses)
    monkeypatch.setattr(gpt1_scaling, "EVALUATE_EVERY", 1)
    monkeypatch.setattr(gpt1_scaling, "SETTINGS", TrainSettings(steps=3))
    loss, _ = gpt1_scaling._held_out(gpt1_scaling.config(16, 1), list(range(100)), [1, 2], [1, 2], seed=0)
    assert loss == 4.0


def test_block_parameters_leave_embeddings_out():
    size = gpt1_scaling.config(64, 2)
    assert gpt1_scaling.block_parameters(GPT(size)) == 2 * (12 * 64**2 + 13 * 64)


def test_the_fit_finds_a_known_law():
    true = gpt1_scaling.PowerLaw(n=50.0, alpha_n=0.3, d=3e3, alpha_d=0.4, floor=1.5)
    tokens = 100_000
    rows = [
        Row(gpt1_scaling.share_name(share), "loss", true(size, share * tokens), 0, at=size)
        for share in (1 / 16, 1 / 4, 1)
        for size in (3e3, 2e4, 1e5, 6e5)
    ]
    found = gpt1_scaling.fit_power_law(rows, tokens)
    for row in rows:
        share = 1 if row.variant.startswith("all") else 1 / int(row.variant.split()[0][2:])
        assert found(row.at, share * tokens) == pytest.approx(row.value, rel=1e-3)
    assert (found.alpha_n, found.alpha_d) == pytest.approx((0.3, 0.4), abs=0.03)


def test_too_few_points_are_refused():
    with pytest.raises(ValueError, match="2 points cannot fit five unknowns"):
        gpt1_scaling.fit_power_law([Row("all of the text", "loss", 4.0, 0, at=n) for n in (1e3, 1e4)], 1000)
