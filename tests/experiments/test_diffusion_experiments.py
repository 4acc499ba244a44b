"""Diffusion's experiments: every row a claim asks for, and measures that measure what they say."""

from dataclasses import replace

import pytest
import torch

from lecture10.experiments import _digits, ddpm_schedule, ddpm_steps, vae_blur
from lecture10.recipes.digits import digits

pytest.importorskip("sklearn")


@pytest.fixture
def quick(monkeypatch):
    for module, name in (
        (_digits, "SETTINGS"), (ddpm_schedule, "TRAINING"), (ddpm_steps, "CLOUD_SETTINGS"),
        (vae_blur, "SQUARES_SETTINGS"), (vae_blur, "DIGITS_SETTINGS"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, replace(getattr(module, name), steps=3))


@pytest.mark.parametrize("module", [ddpm_schedule, vae_blur])
def test_a_run_gives_every_row_its_claims_ask_for(module, quick):
    rows = module.run(7)
    for claim in module.CLAIMS:
        assert len(claim.effects(rows)[7]) == 1
    assert all(row.seed == 7 for row in rows)


def test_so_do_the_samplers(quick, monkeypatch):
    """The thousand steps are cut down to a hundred; the claims' other places stay."""
    monkeypatch.setattr(ddpm_steps.drawings, "__defaults__", (100,))
    monkeypatch.setattr(ddpm_steps, "POINTS", 50)
    rows = ddpm_steps.run(7)
    for claim in ddpm_steps.CLAIMS:
        if claim.name != "ddpm.steps.all":
            assert len(claim.effects(rows)[7]) == 1
    assert {row.variant for row in rows if row.at == ddpm_steps.FEW} == {"DDPM", "DDIM", "DPM-Solver++"}
    assert ddpm_steps.drawings.__defaults__ != (ddpm_steps.ALL,)


def test_lit_digits_differ_in_brightness_and_keep_their_ink():
    images = ddpm_schedule.many(500, 1)
    assert images.shape == (500, 1, 8, 8)
    assert ddpm_schedule.spread(images) == pytest.approx(1, abs=0.1)
    assert ddpm_schedule.spread(digits("train")[0]) < 0.3
    assert float(images.flatten(1).std(1).mean()) == pytest.approx(
        float(digits("train")[0].flatten(1).std(1).mean()) / 2, rel=0.05
    )


def test_blurred_digits_have_less_detail():
    real = digits("train")[0]
    assert vae_blur.detail(real) == pytest.approx(1)
    blurred = torch.nn.functional.avg_pool2d(real, 3, 1, 1)
    assert vae_blur.detail(blurred) < 0.3
    assert vae_blur.detail(real + 0.3 * torch.randn_like(real)) > 1.1
    assert vae_blur.detail(real + 0.5) == pytest.approx(1, rel=1e-4)


def test_noise_is_the_same_for_all_variants_of_a_seed():
    assert torch.equal(_digits.noise(3), _digits.noise(3))
    assert not torch.equal(_digits.noise(3), _digits.noise(4))
    assert len(_digits.real()) == _digits.ASKED
