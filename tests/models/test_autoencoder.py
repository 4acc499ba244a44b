"""The latent autoencoder: its Gaussian, its codebook; equal to diffusers' AutoencoderKL and VQModel."""

import math
from dataclasses import replace

import pytest
import torch
from torch.distributions import Normal, kl_divergence
from twins import agree, randomised

from lecture10.models.autoencoder import (
    PRESETS,
    Autoencoder,
    AutoencoderConfig,
    Gaussian,
    count_parameters,
    latent_scale,
    nearest,
    perplexity,
)
from lecture10.pretrained.diffusion_names import official_autoencoder_name

CONFIG = PRESETS["tiny"]
roll = torch.Generator().manual_seed(0)
IMAGES = torch.rand(2, 3, 16, 16, generator=roll) * 2 - 1
NOISE = torch.randn(2, 3, 8, 8, generator=roll)


def test_the_kl_is_that_of_gaussians_and_zero_at_the_prior():
    mean, log_variance = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    expected = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).flatten(1).sum(1)
    torch.testing.assert_close(Gaussian(mean, log_variance).kl(), expected)
    assert Gaussian(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)).kl() == 0


def test_a_draw_passes_its_gradient_to_mean_and_variance():
    mean, log_variance = (
        torch.zeros(1, 1, 1, 1, requires_grad=True),
        torch.zeros(1, 1, 1, 1, requires_grad=True),
    )
    Gaussian(mean, log_variance).sample(torch.full((1, 1, 1, 1), 2.0)).backward()
    assert (mean.grad.item(), log_variance.grad.item()) == (1.0, 1.0)  # d/dl of e^(l/2) · 2 at 0


def test_the_losses_say_their_parts():
    model = randomised(Autoencoder(CONFIG))
    loss, parts = model.kl_loss(IMAGES, NOISE, weight=0.5)
    gaussian = model.encode(IMAGES)
    torch.testing.assert_close(parts["error"], (model.decode(gaussian.sample(NOISE)) - IMAGES).pow(2).mean())
    torch.testing.assert_close(parts["kl"], gaussian.kl().sum() / IMAGES.numel())
    torch.testing.assert_close(loss, parts["error"] + 0.5 * parts["kl"])


def test_a_codebook_passes_the_pictures_gradient_straight_through():
    model = randomised(Autoencoder(replace(CONFIG, codes=6)))
    loss, parts = model.vq_loss(IMAGES)
    loss.backward()
    assert model.encoder[0].weight.grad.abs().max() > 0  # argmin has no gradient: it went around
    model.zero_grad()
    model.vq_loss(IMAGES, commitment=0.0)[0].backward()  # nothing left but the picture's own error
    assert model.encoder[0].weight.grad.abs().max() > 0
    used = set(model.codes_of(IMAGES)[1].flatten().tolist())
    touched = set(model.codebook.weight.grad.abs().sum(1).nonzero()[:, 0].tolist())
    assert touched == used  # only codes that were chosen move
    assert 1 <= parts["perplexity"] <= 6


def test_perplexity_counts_the_codes_in_use():
    assert perplexity(torch.zeros(40, dtype=torch.long), 8).item() == pytest.approx(1)
    assert perplexity(torch.arange(8).repeat(5), 8).item() == pytest.approx(8)
    halves = torch.tensor([0, 0, 0, 1])
    assert perplexity(halves, 8).item() == pytest.approx(
        math.exp(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))
    )


def test_scaled_latents_have_unit_variance():
    latents = 5.5 * torch.randn(64, 3, 8, 8) + 1
    assert float((latents * latent_scale(latents)).std()) == pytest.approx(1, abs=1e-5)
    with pytest.raises(ValueError, match=r"the latents' spread is 0\.0: give those of many"):
        latent_scale(torch.ones(2, 3, 4, 4))


def test_what_cannot_be_read_is_refused():
    model = Autoencoder(CONFIG)
    with pytest.raises(ValueError, match="pictures of 15 × 16 do not divide by f = 2"):
        model.encode(IMAGES[:, :, :15])
    with pytest.raises(ValueError, match=r"images have shape \(3, 16, 16\)"):
        model.encode(IMAGES[0])
    with pytest.raises(ValueError, match="has a codebook: use codes_of"):
        Autoencoder(replace(CONFIG, codes=4)).encode(IMAGES)


def test_the_papers_size():
    assert count_parameters(PRESETS["paper"]) == 83_653_863  # Stable Diffusion 1's
    assert PRESETS["paper"].factor == 8


@pytest.mark.parametrize(
    "config",
    [CONFIG, AutoencoderConfig((8, 8, 16), latent=2, blocks=2, groups=4)],
    ids=["f 2", "f 4"],
)
def test_equal_to_diffusers_and_every_tensor_matters(config):
    from diffusers import AutoencoderKL

    levels = len(config.widths)
    theirs = randomised(
        AutoencoderKL(
            block_out_channels=config.widths, layers_per_block=config.blocks, norm_num_groups=config.groups,
            latent_channels=config.latent, down_block_types=("DownEncoderBlock2D",) * levels,
            up_block_types=("UpDecoderBlock2D",) * levels,
        )
    )  # fmt: skip
    ours, state = Autoencoder(config).eval(), theirs.state_dict()
    names = {name: official_autoencoder_name(name, config.blocks) for name in ours.state_dict()}
    assert sorted(names.values()) == sorted(state)
    ours.load_state_dict({name: state[official] for name, official in names.items()})

    def whole():
        gaussian = ours.encode(IMAGES)
        return torch.cat(
            [gaussian.mean.flatten(), gaussian.log_variance.flatten(), ours.decode(gaussian.mean).flatten()]
        )

    with torch.no_grad():
        gaussian, expected = ours.encode(IMAGES), theirs.encode(IMAGES).latent_dist
        agree(gaussian.mean, expected.mean)
        agree(gaussian.log_variance, expected.logvar)
        agree(gaussian.kl(), expected.kl())
        agree(ours.decode(gaussian.mean), theirs.decode(expected.mean).sample)
        before_all = whole()
        for name, parameter in ours.named_parameters():
            before = parameter.clone()
            parameter.add_(0.3 * torch.randn_like(parameter))
            # a bias of the keys raises all scores of a place alike, and a softmax does not notice
            assert float((whole() - before_all).abs().max()) > 1e-4 or name.endswith(".k.bias"), name
            parameter.copy_(before)


def test_the_nearest_code_is_diffusers():
    from diffusers.models.autoencoders.vq_model import VectorQuantizer

    theirs = VectorQuantizer(6, 3, beta=0.25, legacy=False)
    theirs.embedding.weight.data.normal_()
    said = torch.randn(2, 3, 8, 8)
    _, _, (_, _, expected) = theirs(said)
    found = nearest(said, theirs.embedding.weight)
    assert torch.equal(found.flatten(), expected.flatten())
    assert torch.equal(
        found, torch.cdist(said.movedim(1, -1).flatten(0, 2), theirs.embedding.weight).argmin(1).view(2, 8, 8)
    )
