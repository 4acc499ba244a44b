"""Our latent diffusion as a folder that diffusers and transformers read, and back; no network."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from lecture10.models.autoencoder import Autoencoder, AutoencoderConfig
from lecture10.models.bert import BertConfig
from lecture10.models.ddpm import Diffusion, ScheduleConfig
from lecture10.models.ldm import LatentDiffusion, LDMConfig
from lecture10.models.unet import UNet, UNetConfig
from lecture10.pretrained import diffusers_folder as door
from lecture10.recipes import autoencoder as shipped_autoencoder
from lecture10.recipes import ldm as shipped

diffusers = pytest.importorskip("diffusers")
transformers = pytest.importorskip("transformers")
CONFIG = LDMConfig(
    UNetConfig(3, (8, 16), 1, (False, True), heads=2, context=12, groups=4),
    BertConfig(vocab_size=20, context=10, width=12, layers=2, heads=2, dropout=0.0),
    ScheduleConfig(kind="cosine"),
)
DECODER = AutoencoderConfig((8, 16), latent=3, groups=4)
END = 19
IDS = torch.tensor([[4, 7, 1, 9, END], [5, END, END, END, END]])
T = torch.tensor([3, 700])


def shaken(module):
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return module.eval()


@pytest.fixture
def ours():
    torch.manual_seed(0)
    model, decoder = shaken(LatentDiffusion(CONFIG)), shaken(Autoencoder(DECODER))
    model.scale.fill_(0.37)
    return model, decoder


def close(found, expected):
    assert float((found - expected).abs().max()) <= 1e-5 * float(expected.abs().max())


@torch.no_grad()
def test_diffusers_and_transformers_read_what_we_save_and_say_the_same(tmp_path, ours):
    model, decoder = ours
    door.save_folder(model, decoder, tmp_path / "ldm", size=16)
    assert not list(tmp_path.rglob("*.bin"))
    unet = diffusers.UNet2DConditionModel.from_pretrained(tmp_path / "ldm", subfolder="unet").eval()
    vae = diffusers.AutoencoderKL.from_pretrained(tmp_path / "ldm", subfolder="vae").eval()
    text = transformers.BertModel.from_pretrained(tmp_path / "ldm", subfolder="text_encoder").eval()
    process = diffusers.DDIMScheduler.from_pretrained(tmp_path / "ldm", subfolder="scheduler")
    real = model.real(IDS)
    states = text(input_ids=IDS, attention_mask=real.long()).last_hidden_state
    close(model.read(IDS).context[real], states[real])
    z, x = torch.randn(2, 3, 8, 8), torch.rand(2, 3, 16, 16) * 2 - 1
    said = unet(z, T, encoder_hidden_states=states, encoder_attention_mask=real).sample
    close(model(z, T, IDS), said)
    close(decoder.encode(x).mean, vae.encode(x).latent_dist.mean)
    close(decoder.decode(z), vae.decode(z).sample)
    assert vae.config.scaling_factor == pytest.approx(0.37)
    assert (unet.config.sample_size, vae.config.sample_size) == (8, 16)
    torch.testing.assert_close(process.alphas_cumprod, model.process.alpha_bars, atol=1e-6, rtol=1e-5)
    assert process.config.prediction_type == "v_prediction"


@torch.no_grad()
def test_a_folder_comes_back_as_it_was(tmp_path, ours):
    model, decoder = ours
    door.save_folder(model, decoder, tmp_path / "ldm", size=16)
    again, decoder_again = door.load_folder(tmp_path / "ldm")
    assert decoder_again.config == DECODER
    assert (again.config.unet, again.config.text, again.config.target) == (CONFIG.unet, CONFIG.text, "v")
    for one, other in ((model, again), (decoder, decoder_again)):
        for name, tensor in one.state_dict().items():
            assert torch.equal(tensor, other.state_dict()[name]), name
    assert torch.equal(again.process.betas, model.process.betas)
    z = torch.randn(2, 3, 8, 8)
    assert torch.equal(again(z, T, IDS), model(z, T, IDS))


@pytest.mark.parametrize(
    "schedule",
    [
        ScheduleConfig(200),
        ScheduleConfig(kind="cosine"),
        ScheduleConfig(500, "scaled linear", 0.00085, 0.012),
    ],
    ids=lambda s: s.kind,
)
def test_every_schedule_travels(tmp_path, ours, schedule):
    model = LatentDiffusion(replace(CONFIG, schedule=schedule, target="eps"))
    door.save_folder(model, ours[1], tmp_path, size=16)
    back, target = door.read_schedule(tmp_path)
    torch.testing.assert_close(Diffusion(back).betas, model.process.betas)
    theirs = diffusers.DDIMScheduler.from_pretrained(tmp_path, subfolder="scheduler")
    torch.testing.assert_close(theirs.betas, model.process.betas, atol=1e-6, rtol=1e-4)
    assert target == "eps"


def test_the_shipped_sizes_have_official_names_too(tmp_path):
    torch.manual_seed(0)
    model, decoder = LatentDiffusion(shipped.CONFIG), Autoencoder(shipped_autoencoder.CONFIG)
    door.save_folder(model, decoder, tmp_path)
    unet = diffusers.UNet2DConditionModel.from_pretrained(tmp_path, subfolder="unet")
    assert sum(p.numel() for p in unet.parameters()) == sum(p.numel() for p in model.unet.parameters())
    assert door.load_folder(tmp_path)[0].config.unet == shipped.CONFIG.unet


def test_their_old_names_and_their_own_folder_are_read(tmp_path):
    """As on the hub: attention called query, key, value and proj_attn, as 1 × 1 convolutions."""
    torch.manual_seed(0)
    theirs = diffusers.AutoencoderKL(
        block_out_channels=(8, 16), latent_channels=3, norm_num_groups=4,
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
    )  # fmt: skip
    shaken(theirs).save_pretrained(tmp_path / "vae")
    path = tmp_path / "vae" / door.WEIGHTS
    old = {}
    for name, tensor in load_file(path).items():
        for before, now in door.OLD_ATTENTION.items():
            if f"attentions.0.{now}." in name:
                name = name.replace(now, before)
                tensor = tensor[:, :, None, None] if tensor.ndim == 2 else tensor
        old[name] = tensor.contiguous()
    assert any("proj_attn" in name for name in old)
    save_file(old, path)
    config, ours = door.read_part(tmp_path, "vae")
    x = torch.rand(1, 3, 16, 16) * 2 - 1
    with torch.no_grad():
        close(ours.encode(x).mean, theirs.encode(x).latent_dist.mean)
        assert config["scaling_factor"] == 0.18215


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"use_linear_projection": True}, "use_linear_projection = True, ours has False"),
        ({"class_embed_type": "timestep"}, "class_embed_type = 'timestep', ours has None"),
        ({"attention_head_dim": [2, 4]}, r"heads is \[2, 4\] in this checkpoint, ours is one number"),
        ({"up_block_types": ["UpBlock2D", "UpBlock2D"]}, "their mirror image"),
        ({"down_block_types": ["DownBlock2D", "AttnDownBlock2D"]}, "ours are DownBlock2D or CrossAttn"),
        ({"in_channels": 9}, "9 channels go in and 3 come out"),
        ({"_class_name": "UNet2DModel"}, "says 'UNet2DModel': this door is for UNet2DConditionModel"),
    ],
)
def test_u_nets_that_are_not_ours_are_refused(change, says):
    config = door.official_unet_config(CONFIG.unet, 8)
    assert door.unet_config(config) == CONFIG.unet
    with pytest.raises(ValueError, match=says):
        door.unet_config(config | change)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"act_fn": "relu"}, "act_fn = 'relu', ours has 'silu'"),
        ({"shift_factor": 0.1}, "shift_factor = 0.1, ours has None"),
        ({"down_block_types": ["AttnDownEncoderBlock2D"]}, "ours are DownEncoderBlock2D"),
    ],
)
def test_autoencoders_that_are_not_ours_are_refused(change, says):
    config = door.official_vae_config(DECODER, 16, 0.5)
    assert door.vae_config(config) == DECODER
    with pytest.raises(ValueError, match=says):
        door.vae_config(config | change)


def test_parts_that_diffusers_has_not_are_refused(tmp_path, ours):
    model, decoder = ours
    pooled = LatentDiffusion(replace(CONFIG, unet=replace(CONFIG.unet, context=None, pooled=12)))
    with pytest.raises(ValueError, match="no cross-attention, or a pooled vector: diffusers has none"):
        door.save_folder(pooled, decoder, tmp_path)
    with pytest.raises(ValueError, match="has a codebook: AutoencoderKL has none"):
        door.save_folder(model, Autoencoder(replace(DECODER, codes=4)), tmp_path)


def test_damaged_and_incomplete_folders_are_refused(tmp_path, ours):
    door.save_folder(*ours, tmp_path, size=16)
    path = tmp_path / "unet" / door.WEIGHTS
    whole, tensors = path.read_bytes(), load_file(path)
    path.write_bytes(whole[:-100])
    with pytest.raises(ValueError, match="/unet is damaged"):
        door.load_folder(tmp_path)
    path.write_bytes(whole)
    config = json.loads((tmp_path / "unet" / "config.json").read_text())
    net = UNet(door.unet_config(config))
    name = "mid_block.attentions.0.proj_in.weight"
    with pytest.raises(ValueError, match=f"lacks '{name}', our 'mid.attention.0.into.weight'"):
        door.filled(net, {n: t for n, t in tensors.items() if n != name})
    with pytest.raises(
        ValueError, match=rf"{name} has shape \(2, 2\), config.json asks for \(16, 16, 1, 1\)"
    ):
        door.filled(net, tensors | {name: torch.zeros(2, 2)})
    with pytest.raises(ValueError, match=r"also has 'extra\.weight', which config.json does not ask for"):
        door.filled(net, tensors | {"extra.weight": torch.zeros(2)})
    (tmp_path / "vae" / "config.json").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"lacks vae/config\.json: name a folder that save_folder wrote"
    ):
        door.load_folder(tmp_path)
