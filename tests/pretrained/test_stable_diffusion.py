"""Stable Diffusion's door, with tiny parts saved in the official layout; no network."""

import json

import pytest
import torch

from lecture10.pretrained import stable_diffusion as door

diffusers = pytest.importorskip("diffusers")
transformers = pytest.importorskip("transformers")
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def shaken(module):
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return module.eval()


def save(folder):
    """A pipeline as diffusers saves it, every weight random, with a tokenizer of letters."""
    torch.manual_seed(0)
    tokens = [*LETTERS, *(f"{c}</w>" for c in LETTERS), "<|startoftext|>", "<|endoftext|>"]
    words = transformers.CLIPTokenizer(
        vocab={token: i for i, token in enumerate(tokens)}, merges=[], model_max_length=12
    )
    text = transformers.CLIPTextModel(
        transformers.CLIPTextConfig(
            vocab_size=len(tokens), max_position_embeddings=12, hidden_size=12, intermediate_size=24,
            num_hidden_layers=2, num_attention_heads=2, eos_token_id=53, bos_token_id=52, pad_token_id=53,
        )
    )  # fmt: skip
    unet = diffusers.UNet2DConditionModel(
        sample_size=8, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
        cross_attention_dim=12, attention_head_dim=2,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    )  # fmt: skip
    vae = diffusers.AutoencoderKL(
        block_out_channels=(8, 16), norm_num_groups=4, latent_channels=4, sample_size=16,
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
    )  # fmt: skip
    scheduler = diffusers.DDIMScheduler(
        beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, clip_sample=False,
        timestep_spacing="trailing", steps_offset=1,
    )  # fmt: skip
    pipeline = diffusers.StableDiffusionPipeline(
        vae=shaken(vae), text_encoder=shaken(text), tokenizer=words, unet=shaken(unet), scheduler=scheduler,
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipeline.set_progress_bar_config(disable=True)
    pipeline.save_pretrained(folder, safe_serialization=True)
    return pipeline


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights") / "tiny-sd"
    return folder, save(folder)


NOISE = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(3))
PROMPTS = ["a bear", "cabs"]


def close(found, expected, tolerance=1e-5):
    assert float((found - expected).abs().max()) <= tolerance * float(expected.abs().max())


def test_a_local_folder_draws_what_its_pipeline_draws(saved):
    folder, pipeline = saved
    official = door.load(folder)
    drawn = official.draw(PROMPTS, NOISE, guidance=4.0, steps=5)
    expected = pipeline(
        PROMPTS,
        latents=NOISE,
        guidance_scale=4.0,
        num_inference_steps=5,
        output_type="pt",
        height=16,
        width=16,
    ).images
    assert drawn.shape == (2, 3, 16, 16)
    close(drawn, expected)


@torch.no_grad()
def test_its_parts_are_ours_with_equal_outputs(saved):
    folder, pipeline = saved
    unet, decoder, process, target = door.load(folder).ours()
    t, states = torch.tensor([5, 800]), torch.randn(2, 12, 12)
    close(unet(NOISE, t, states), pipeline.unet(NOISE, t, encoder_hidden_states=states).sample)
    x = torch.rand(2, 3, 16, 16) * 2 - 1
    close(decoder.encode(x).mean, pipeline.vae.encode(x).latent_dist.mean)
    close(decoder.decode(NOISE), pipeline.vae.decode(NOISE).sample)
    torch.testing.assert_close(process.alpha_bars, pipeline.scheduler.alphas_cumprod, atol=1e-6, rtol=1e-4)
    assert target == "eps"


@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_our_loop_with_its_weights_draws_its_pictures(saved, guidance):
    official = door.load(saved[0])
    theirs = official.draw(PROMPTS, NOISE, guidance=guidance, steps=10)
    ours = official.draw_by_ours(PROMPTS, NOISE, guidance=guidance, steps=10)
    close(ours, theirs, 1e-4)
    other = official.draw_by_ours(PROMPTS, NOISE, guidance=guidance + 1, steps=10)
    assert float((other - theirs).abs().max()) > 1e-3 * float(theirs.abs().max())


def test_what_cannot_be_drawn_is_refused(saved):
    official = door.load(saved[0])
    for draw in (official.draw, official.draw_by_ours):
        with pytest.raises(ValueError, match="has 15 tokens, this text encoder reads 12: shorten it"):
            draw(["bear " * 3 + "c"], NOISE[:1])
        with pytest.raises(ValueError, match=r"guidance is -1"):
            draw(PROMPTS, NOISE, guidance=-1)
    with pytest.raises(ValueError, match="0 sampling steps: this schedule has 1000"):
        official.draw_by_ours(PROMPTS, NOISE, steps=0)


def test_without_weights_it_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("LECTURE10_HOME", str(tmp_path))
    with pytest.raises(
        FileNotFoundError, match=r"hf download stable-diffusion-v1-5/stable-diffusion-v1-5 .*--local-dir"
    ):
        door.load()


def test_incomplete_damaged_and_foreign_folders_are_refused(tmp_path):
    save(tmp_path / "sd")
    path = tmp_path / "sd" / "unet" / "config.json"
    config = json.loads(path.read_text())
    path.write_text(
        json.dumps(config | {"class_embed_type": "timestep", "projection_class_embeddings_input_dim": 4})
    )
    with pytest.raises(ValueError, match="class_embed_type = 'timestep', ours has None"):
        door.OfficialStableDiffusion(None, tmp_path / "sd").ours()
    path.write_text(json.dumps(config))
    weights = tmp_path / "sd" / "unet" / "diffusion_pytorch_model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-64])
    with pytest.raises(ValueError, match="sd is damaged"):
        door.load(tmp_path / "sd")
    path.unlink()
    with pytest.raises(ValueError, match=r"lacks unet/config\.json"):
        door.load(tmp_path / "sd")


@pytest.mark.parametrize(
    ("part", "old"),
    [("unet", "diffusion_pytorch_model.bin"), ("vae", "diffusion_pytorch_model.bin"),
     ("text_encoder", "pytorch_model.bin")],
)  # fmt: skip
def test_a_pickle_is_not_opened_even_where_it_holds_good_weights(tmp_path, part, old):
    pipeline = save(tmp_path / "sd")
    for path in (tmp_path / "sd" / part).glob("*.safetensors"):
        path.unlink()
    torch.save(getattr(pipeline, part).state_dict(), tmp_path / "sd" / part / old)
    with pytest.raises(ValueError, match="sd is damaged"):
        door.load(tmp_path / "sd")
