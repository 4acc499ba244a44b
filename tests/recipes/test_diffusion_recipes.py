"""The recipes of 11_diffusion: their data, their training, and what is shipped."""

import pytest
import torch

from lecture10.models.denoise import VectorConfig, VectorDenoiser, sample
from lecture10.paths import data_path
from lecture10.recipes import denoising, diffusion, vae
from lecture10.recipes import digits as handwriting
from lecture10.training import TrainSettings
from lecture10.training.cards import load_weights, read_card
from lecture10.world.splits import split_of

pytest.importorskip("sklearn")
FEW = TrainSettings(steps=30, lr=5e-3)


def test_digits_are_parted_once_and_lie_between_paper_and_ink():
    train, labels = handwriting.digits("train")
    held_out, _ = handwriting.digits("held out")
    assert (len(train), len(held_out)) == (1200, handwriting.HELD_OUT)
    assert train.shape[1:] == (1, 8, 8)
    assert (train.min(), train.max()) == (handwriting.PAPER, handwriting.INK)
    assert labels.bincount().min() > 90
    assert torch.cdist(held_out.flatten(1), train.flatten(1)).min() > 0  # none is in both
    with pytest.raises(ValueError, match="the split is 'test': it is 'train' or 'held out'"):
        handwriting.digits("test")


def test_the_shipped_reader_reads_as_its_card_says():
    card = read_card(data_path(handwriting.NAME + ".json"))
    assert handwriting.accuracy(handwriting.reader()) == pytest.approx(
        card.metrics["held_out_accuracy"], abs=1e-4
    )
    assert card.metrics["held_out_accuracy"] > 0.95


def test_worse_digits_are_further_from_real_ones():
    real = handwriting.digits("train")[0][:597]
    noisy = real + torch.randn(real.shape, generator=torch.Generator().manual_seed(0))
    upside_down = real.flip(2)
    distances = [handwriting.frechet(x) for x in (real, noisy, upside_down)]
    assert distances[0] < 0.2  # the reader learned from these: they are no unseen digits
    assert min(distances[1:]) > 2 * distances[0]
    found, far = handwriting.nearest(real[:5])
    assert torch.equal(found, real[:5])
    assert far.max() < 1e-3


def test_the_spirals_two_arms_are_turned_copies():
    points = denoising.spiral(40_000, torch.Generator().manual_seed(0))
    assert points.shape == (40_000, 2)
    torch.testing.assert_close(points.mean(0), torch.zeros(2), atol=0.02, rtol=0)
    assert 0.9 < float(points.std(0).min()) <= float(points.std(0).max()) < 1.15


def test_the_worlds_pictures_hold_one_training_thing_each():
    scenes = diffusion.scenes(200, 0, **diffusion.WORLD_KNOBS)
    assert {len(scene.things) for scene in scenes} == {1}
    assert {split_of(scene.things[0].noun, scene.things[0].colour) for scene in scenes} == {"train"}


def test_training_lowers_the_loss_and_its_seed_decides():
    process, ends = diffusion.RECIPES["points"].process, []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        network = VectorDenoiser(VectorConfig(width=16))
        history = denoising.learn(
            network, process, denoising.some_points, FEW, seed=seed, quiet=True, device="cpu"
        )
        assert history.last("loss") < history.records[0]["loss"]
        ends.append(network.out.weight.detach().clone())
    assert torch.equal(ends[0], ends[1])
    assert not torch.equal(ends[0], ends[2])


def test_a_built_checkpoint_comes_back(tmp_path):
    card = diffusion.build("points", tmp_path / "points", FEW, quiet=True, device="cpu")
    made = diffusion.recipe("points")
    network = made.build(made.config)
    load_weights(network, tmp_path / "points", architecture="diffusion-points", data_version=made.data)
    assert diffusion.quality("points", network.eval()) == card.metrics
    with pytest.raises(ValueError, match="did you mean 'points'"):
        diffusion.recipe("point")


def test_the_shipped_networks_draw_data():
    points, digits = diffusion.load("points", "cpu"), diffusion.load("digits", "cpu")
    for name, network in (("points", points), ("digits", digits)):
        said = read_card(data_path(f"checkpoints/diffusion_{name}.json")).metrics
        key = next(iter(said))
        found = diffusion.quality(name, network, n=597 if name == "points" else 300, steps=20)
        assert found[key] < 2.5 * said[key]
    pure = diffusion.recipe("digits").noise(300)
    assert handwriting.frechet(pure) > 5 * said[key]


def test_the_shipped_world_network_draws_pictures_within_their_range():
    made = diffusion.recipe("world")
    drawn = sample(
        diffusion.load("world", "cpu"), made.process, made.noise(4), method="ddim", steps=10, clip=1.0
    )
    assert drawn.abs().max() <= 1 + 1e-4
    assert drawn.std((1, 2, 3)).min() > 0.05
    real = (
        diffusion.render(diffusion.scenes(64, 5, **diffusion.WORLD_KNOBS), diffusion.WORLD_SIZE).image * 2 - 1
    )
    corner = float(real[:, :, 0, 0].mean())
    assert abs(float(drawn[:, :, 0, 0].mean()) - corner) < 0.5


def test_all_that_is_shipped_is_small():
    names = ("diffusion_points", "diffusion_digits", "diffusion_world", "vae", "digits_reader")
    assert sum(data_path(f"checkpoints/{n}.safetensors").stat().st_size for n in names) < 3.5e6


def test_every_square_is_there_once():
    known = vae.squares()
    assert len(known.flatten(1).unique(dim=0)) == len(known) == 81
    assert ((known == 1).flatten(1).sum(1) == 16).all()


def test_the_shipped_vaes_bound_is_their_cards():
    shipped, card = vae.load(), read_card(data_path("checkpoints/vae.json"))
    for name, said in card.metrics.items():
        key = name.removesuffix("_bound").removesuffix("_held_out")
        x = handwriting.digits("held out")[0] if key == "digits" else vae.squares()
        assert vae.bound(shipped[key], x) == pytest.approx(said, abs=0.02)
    trained, history = vae.learn(vae.DIGITS, vae.some_digits, FEW, quiet=True, device="cpu")
    assert history.last("loss") < history.records[0]["loss"]
    assert (
        vae.bound(trained.eval(), handwriting.digits("held out")[0]) < card.metrics["digits_held_out_bound"]
    )
