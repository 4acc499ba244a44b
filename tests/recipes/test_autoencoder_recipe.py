"""The recipe behind the shipped autoencoder: its pictures, its loss, its measure, its file."""

from dataclasses import replace

import pytest
import torch

from lecture10.models.autoencoder import Autoencoder, AutoencoderConfig
from lecture10.recipes import autoencoder as recipe
from lecture10.recipes.autoencoder import Pictures
from lecture10.training import TrainSettings, WeightsError
from lecture10.training.cards import load_weights, read_card
from lecture10.world import WORLD_VERSION
from lecture10.world.sample import sample
from lecture10.world.splits import split_of

TINY = AutoencoderConfig((8, 8), latent=2, groups=4)
FEW = Pictures(4, 16)
SETTINGS = TrainSettings(steps=12, lr=5e-3)
QUIET = {"quiet": True, "device": "cpu"}


def test_a_batch_is_pictures_of_training_pairs_and_its_generator_decides():
    draw = Pictures(40, 16)
    one, again, other = (draw(torch.Generator().manual_seed(s)) for s in (0, 0, 1))
    assert one.shape == (40, 3, 16, 16)
    assert -1 <= one.min() < -0.5 < 0.5 < one.max() <= 1
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    for kind in (recipe.WORLD, recipe.SCENES):
        scenes = sample(40, torch.Generator().manual_seed(0), **kind)
        assert {split_of(t.noun, t.colour) for scene in scenes for t in scene.things} == {"train"}


@pytest.mark.parametrize("codes", [None, 6])
def test_the_loss_is_the_models_own(codes):
    torch.manual_seed(0)
    model, x = Autoencoder(replace(TINY, codes=codes)), FEW(torch.Generator().manual_seed(0))
    loss, parts = recipe.reconstruction_loss(model, x, weight=0.0)
    if codes:
        torch.testing.assert_close(loss, model.vq_loss(x)[0])
        return
    torch.testing.assert_close(loss, parts["error"])
    torch.manual_seed(1)
    with_kl, parts = recipe.reconstruction_loss(model, x, weight=2.0)
    torch.testing.assert_close(with_kl, parts["error"] + 2 * parts["kl"])
    torch.testing.assert_close(parts["kl"], model.encode(x).kl().sum() / x.numel())


def test_it_learns_and_its_seed_decides():
    (one, history), (again, _), (other, _) = (
        recipe.learn(TINY, SETTINGS, seed=seed, batches=FEW, **QUIET) for seed in (0, 0, 1)
    )
    assert history.last("loss") < history.records[0]["loss"]
    assert torch.equal(one.quant.weight, again.quant.weight)
    assert not torch.equal(one.quant.weight, other.quant.weight)


def test_latents_are_means_and_parts_of_a_batch_change_nothing():
    torch.manual_seed(0)
    model, x = Autoencoder(TINY).eval(), Pictures(7, 16)(torch.Generator().manual_seed(0))
    found = recipe.latents_of(model, x, batch=3)
    torch.testing.assert_close(found, model.encode(x).mean.detach())
    assert not found.requires_grad


def test_quality_is_the_bound_of_whoever_draws_through_it():
    """An autoencoder that gives back x / 2: the mean squared error of gray ±0.5 pictures is 0.25²."""

    class Half(torch.nn.Module):
        def encode(self, x):
            return type("Gaussian", (), {"mean": x})

        def decode(self, z):
            return z / 2

    x = torch.cat([torch.full((2, 3, 4, 4), 0.5), torch.full((2, 3, 4, 4), -0.5)])
    found = recipe.quality(Half(), x)
    assert found["psnr"] == pytest.approx(10 * torch.tensor(4 / 0.0625).log10().item(), abs=0.01)
    assert found["scale"] == pytest.approx(1 / x.std().item())


def test_the_pictures_that_measure_are_of_their_split_alone():
    assert recipe.fresh_pictures(3, size=16).shape == (3, 3, 16, 16)
    for split in ("dev", "test"):
        scenes = sample(60, 5000, things=(1, 3), split=split)
        assert {split_of(t.noun, t.colour) for scene in scenes for t in scene.things} == {split}
    assert not torch.equal(recipe.fresh_pictures(3, size=16), recipe.fresh_pictures(3, size=16, split="test"))


def build(path, monkeypatch):
    monkeypatch.setattr(recipe, "CONFIG", TINY)
    monkeypatch.setattr(
        recipe, "fresh_pictures", lambda split: FEW(torch.Generator().manual_seed(len(split)))
    )
    few = replace(SETTINGS, steps=2)
    return recipe.build(path, few, few, batches=FEW, **QUIET)


def test_a_built_checkpoint_comes_back_and_measures_as_its_card(tmp_path, monkeypatch):
    card = build(tmp_path / "small", monkeypatch)
    assert read_card(tmp_path / "small") == card
    assert card.metrics.keys() == {"dev_psnr", "dev_scale", "test_psnr", "test_scale"}
    model = Autoencoder(TINY)
    load_weights(model, tmp_path / "small", architecture="autoencoder", data_version=WORLD_VERSION)
    dev = recipe.quality(model.eval(), recipe.fresh_pictures(split="dev"))
    assert {f"dev_{k}": v for k, v in dev.items()} == pytest.approx(
        {k: v for k, v in card.metrics.items() if k.startswith("dev")}, abs=1e-2
    )


def test_a_missing_or_damaged_file_is_refused_with_the_command(tmp_path, monkeypatch):
    (tmp_path / "checkpoints").mkdir()
    build(tmp_path / recipe.NAME, monkeypatch)
    monkeypatch.setenv("LECTURE10_DATA", str(tmp_path))
    assert recipe.load("cpu").config == TINY
    path = tmp_path / f"{recipe.NAME}.safetensors"
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(WeightsError, match=r"cut short[\s\S]*python -m lecture10\.recipes\.autoencoder"):
        recipe.load("cpu")
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"no data file 'checkpoints/autoencoder\.safetensors'"):
        recipe.load("cpu")


def test_an_interrupted_run_ships_nothing(tmp_path, monkeypatch):
    model, history = recipe.learn(TINY, TrainSettings(steps=1), batches=FEW, **QUIET)
    history.interrupted = True
    monkeypatch.setattr(recipe, "learn", lambda *given, **how: (model, history))
    with pytest.raises(KeyboardInterrupt, match="nothing was shipped"):
        recipe.build(tmp_path / "small", refining=TrainSettings(steps=1), batches=FEW, **QUIET)
    assert not list(tmp_path.iterdir())


def test_sizes_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="pictures of 15 × 15 do not divide by f = 2: choose multiples"):
        recipe.latents_of(Autoencoder(TINY), torch.zeros(1, 3, 15, 15))


def test_refining_leaves_the_encoder_and_its_latents_as_they_are():
    model, _ = recipe.learn(TINY, TrainSettings(steps=1), batches=FEW, **QUIET)
    x = FEW(torch.Generator().manual_seed(3))
    before, back = recipe.latents_of(model, x), model.decode(recipe.latents_of(model, x))
    recipe.refine(model, TrainSettings(steps=3, lr=1e-2), batches=FEW, **QUIET)
    assert torch.equal(recipe.latents_of(model, x), before)
    assert not torch.equal(model.decode(before), back)
    assert all(p.requires_grad for p in model.parameters())


def test_each_kind_of_picture_comes():
    kinds = ({"things": 1, "backdrops": "night"}, {"things": 1, "backdrops": "snow"})
    draw = Pictures(2, 16, kinds)
    light = {float(draw(torch.Generator().manual_seed(seed)).mean()) > 0 for seed in range(12)}
    assert light == {True, False}
