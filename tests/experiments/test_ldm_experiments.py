"""Latent diffusion's experiments: every row a claim asks for, and measures that measure what they say."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional as F

from lecture10.experiments import _ldm_small as small
from lecture10.experiments import ldm_compression, ldm_shipped
from lecture10.models.autoencoder import Autoencoder
from lecture10.models.ldm import LatentDiffusion
from lecture10.recipes import autoencoder, ldm


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(small, "LEARNT", replace(small.LEARNT, steps=2))
    monkeypatch.setattr(small, "SCENES", 64)
    monkeypatch.setattr(small, "ASKED", 12)
    monkeypatch.setattr(ldm_compression, "STEPS", {1: 1, 2: 1, 4: 1, 8: 1})
    for cached in (small.coder, small.latents):
        cached.cache_clear()
    yield
    for cached in (small.coder, small.latents):
        cached.cache_clear()


def test_six_trainings_give_every_row(quick, monkeypatch):
    monkeypatch.setattr(small, "UNET", replace(small.UNET, widths=(8, 8), heads=2, groups=4))
    monkeypatch.setattr(small, "CONFIGS", {
        name: replace(config, unet=replace(config.unet, widths=(8, 8), heads=2, groups=4))
        for name, config in small.CONFIGS.items()
    })  # fmt: skip
    rows = ldm_compression.run(7)
    for claim in ldm_compression.CLAIMS:
        assert len(claim.effects(rows)[7]) == 1
    assert {row.variant for row in rows if row.metric == ldm_compression.SPEED} == {
        "pixels", "f = 2", "f = 4", "f = 8",
    }  # fmt: skip
    bound = {row.variant: row.value for row in rows if row.metric == ldm_compression.BOUND}
    assert bound["pixels"] > 0.9  # nothing is lost where nothing is encoded


def test_the_autoencoder_that_does_nothing():
    images = torch.rand(2, 3, 8, 8)
    same = small.Pixels()
    assert torch.equal(same.decode(same.encode(images).mean), images)
    assert torch.allclose(same.encode(images).sample(torch.randn_like(images)), images, atol=1e-5)


def test_conditions_differ_in_how_words_arrive_alone():
    configs = {name: config.condition for name, config in small.CONFIGS.items()}
    assert configs == {name: name for name in configs}
    assert len({config.unet.widths for config in small.CONFIGS.values()}) == 1


def test_the_shipped_model_gives_every_row(monkeypatch):
    torch.manual_seed(0)
    model, decoder = LatentDiffusion(ldm.CONFIG).eval(), Autoencoder(autoencoder.CONFIG).eval()
    monkeypatch.setattr(ldm_shipped.ldm, "load", lambda device: model)
    monkeypatch.setattr(ldm_shipped.autoencoder, "load", lambda device: decoder)
    monkeypatch.setattr(ldm_shipped, "STEPS", 1)
    monkeypatch.setattr(ldm_shipped, "ASKED", 4)
    monkeypatch.setattr(ldm_shipped, "PROMPTS", 2)
    rows = ldm_shipped.run(7)
    for claim in ldm_shipped.CLAIMS:
        assert len(claim.effects(rows)[7]) == 1
    assert len({row.variant for row in rows if row.metric == ldm_shipped.DIVERSITY}) == len(
        ldm_shipped.SCALES
    )


def test_diversity_is_none_among_copies_and_grows_with_differences():
    reader = SimpleNamespace(embed_images=lambda images: F.normalize(images.flatten(1), dim=-1))
    one = torch.eye(4).view(4, 1, 2, 2)
    assert ldm_shipped.diversity(reader, one[[0, 0, 0, 0]]) == pytest.approx(0, abs=1e-6)
    assert ldm_shipped.diversity(reader, one) == pytest.approx(1)
    assert ldm_shipped.diversity(reader, one[[0, 0, 1, 1]]) == pytest.approx(4 / 6)
    both = one[[0, 0, 0, 0, 0, 1, 2, 3]]  # two prompts: copies, and four unlike ones
    assert ldm_shipped.diversity(reader, both) == pytest.approx(0.5)
