"""The U-Net: what must hold whatever its weights, and equality with diffusers' UNet2DConditionModel."""

from dataclasses import replace

import pytest
import torch
from twins import agree, randomised

from lecture10.models.unet import (
    PRESETS,
    Attention,
    ResidualBlock,
    UNet,
    UNetConfig,
    count_parameters,
    timestep_embedding,
)
from lecture10.pretrained.diffusion_names import official_name

CONFIG = PRESETS["tiny"]
roll = torch.Generator().manual_seed(0)
X, TEXT = torch.randn(3, 2, 8, 8, generator=roll), torch.randn(3, 5, 12, generator=roll)
T = torch.tensor([0, 17, 999])
REAL = torch.tensor([[True] * 5, [True, True, False, False, False], [True, True, True, False, False]])


def moved(a, b):
    return float((a - b).detach().abs().max())


def test_padding_words_do_not_matter_and_real_ones_do():
    net = randomised(UNet(CONFIG))
    out = net(X, T, TEXT, real=REAL)
    other = torch.where(REAL[..., None], TEXT, torch.randn_like(TEXT))
    agree(net(X, T, other, real=REAL), out)
    assert out.shape == X.shape
    assert moved(net(X, T, TEXT + 0.1, real=REAL), out) > 1e-3
    assert moved(net(X, T.flip(0), TEXT, real=REAL), out) > 1e-3  # the time does


def test_pictures_of_a_batch_do_not_feel_each_other():
    net = randomised(UNet(CONFIG))
    agree(net(X, T, TEXT)[1:2], net(X[1:2], T[1:2], TEXT[1:2]))
    agree(net(X, 17, TEXT)[1:2], net(X, T, TEXT)[1:2])  # one step for all


def test_attention_looks_where_its_weights_say():
    attention = randomised(Attention(16, 2, 12))
    places = torch.randn(3, 7, 16)
    weights = attention.weights(places, TEXT, REAL)
    assert weights.shape == (3, 2, 7, 5)
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 2, 7))
    assert weights[1, :, :, 2:].abs().max() == 0
    by_hand = (weights @ attention.split(attention.v(TEXT))).transpose(1, 2).flatten(2)
    agree(attention(places, TEXT, REAL), attention.out(by_hand))


def test_a_pooled_vector_reaches_every_picture():
    net = randomised(UNet(replace(CONFIG, context=None, pooled=6)))
    pooled = torch.randn(3, 6)
    assert moved(net(X, T, pooled=pooled), net(X, T, pooled=pooled.flip(0))) > 1e-3


def test_what_cannot_be_read_is_refused_with_a_cure():
    net = UNet(CONFIG)
    with pytest.raises(ValueError, match="attention has 1 entries, widths 2"):
        UNetConfig(attention=(True,))
    with pytest.raises(
        ValueError, match=r"width 60 does not divide into 8 groups and 4 heads.* a multiple of 8"
    ):
        UNetConfig(widths=(60, 128))
    with pytest.raises(ValueError, match=r"x has shape \(3, 8, 8\)"):
        net(X[:, 0], T, TEXT)
    with pytest.raises(ValueError, match="7 × 8 places are halved 1 times: choose multiples of 2"):
        net(X[:, :, :7], T, TEXT)
    with pytest.raises(ValueError, match="built for context of width 12, and was given none"):
        net(X, T)
    with pytest.raises(ValueError, match="built for pooled of width None, and was given one of width 6"):
        net(X, T, TEXT, pooled=torch.randn(3, 6))
    with pytest.raises(ValueError, match="width 7 is odd"):
        timestep_embedding(T, 7)


def test_the_papers_size():
    assert count_parameters(PRESETS["paper"]) == 859_520_964  # Stable Diffusion 1's


# --- diffusers ----------------------------------------------------------------------------------------------


def twin(config: UNetConfig, size: int = 8):
    from diffusers import UNet2DConditionModel

    kinds = ["CrossAttn" if attends else "" for attends in config.attention]
    return UNet2DConditionModel(
        sample_size=size, in_channels=config.channels, out_channels=config.channels,
        block_out_channels=config.widths, layers_per_block=config.blocks, norm_num_groups=config.groups,
        cross_attention_dim=config.context, attention_head_dim=config.heads,
        down_block_types=tuple(f"{kind}DownBlock2D" for kind in kinds),
        up_block_types=tuple(f"{kind}UpBlock2D" for kind in reversed(kinds)),
    )  # fmt: skip


@pytest.mark.parametrize(
    "config",
    [CONFIG, UNetConfig(3, (8, 16, 24), 2, (True, False, True), heads=2, context=12, groups=4)],
    ids=["tiny", "three levels"],
)
def test_equal_to_diffusers_and_every_tensor_matters(config):
    theirs, ours = randomised(twin(config)), UNet(config).eval()
    state = theirs.state_dict()
    names = {name: official_name(name) for name in ours.state_dict()}
    assert sorted(names.values()) == sorted(state)
    ours.load_state_dict({name: state[official] for name, official in names.items()})
    x = torch.randn(3, config.channels, 8, 8)
    with torch.no_grad():
        expected = theirs(x, T, encoder_hidden_states=TEXT, encoder_attention_mask=REAL).sample
        found = ours(x, T, TEXT, real=REAL)
        agree(found, expected)
        for name, parameter in ours.named_parameters():
            before = parameter.clone()
            parameter.add_(0.3 * torch.randn_like(parameter))
            assert moved(ours(x, T, TEXT, real=REAL), expected) > 1e-4 * float(expected.abs().max()), name
            parameter.copy_(before)


def test_time_and_residual_block_equal_diffusers():
    from diffusers.models.embeddings import get_timestep_embedding
    from diffusers.models.resnet import ResnetBlock2D

    expected = get_timestep_embedding(T, 32, flip_sin_to_cos=True, downscale_freq_shift=0)
    torch.testing.assert_close(timestep_embedding(T, 32), expected)
    theirs = randomised(ResnetBlock2D(in_channels=8, out_channels=16, temb_channels=32, groups=4, eps=1e-5))
    ours = ResidualBlock(8, 16, 32, 4).eval()
    names = {name: official_name(f"down.0.residual.0.{name}").split(".", 4)[-1] for name in ours.state_dict()}
    ours.load_state_dict({name: theirs.state_dict()[theirs_name] for name, theirs_name in names.items()})
    x, time = torch.randn(2, 8, 6, 6), torch.randn(2, 32)
    agree(ours(x, time), theirs(x, time))
