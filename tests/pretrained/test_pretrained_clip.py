"""CLIP's door for official weights, with tiny checkpoints saved in both official formats; no network."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from lecture10.pretrained import clip as door

open_clip = pytest.importorskip("open_clip")
transformers = pytest.importorskip("transformers")
TEXT = {"context_length": 16, "vocab_size": 49_408, "width": 8, "heads": 2, "layers": 1}
IMAGE = {
    "vit": {"image_size": 16, "layers": 1, "width": 8, "head_width": 4, "patch_size": 8},
    "resnet": {"image_size": 32, "layers": [1, 1, 1, 1], "width": 4, "head_width": 64, "patch_size": None},
}
MEAN, STD = [0.4, 0.5, 0.6], [0.2, 0.3, 0.25]


def shaken(model):
    torch.manual_seed(0)
    for parameter in model.parameters():
        parameter.data.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


def save_open_clip(folder, kind="vit", **changes):
    """As open_clip's push_to_hf_hub lays them out."""
    config = {"embed_dim": 6, "quick_gelu": True, "vision_cfg": IMAGE[kind], "text_cfg": TEXT} | changes
    model = shaken(open_clip.model.CLIP(**config))
    folder.mkdir(parents=True, exist_ok=True)
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    said = {"model_cfg": config, "preprocess_cfg": {"mean": MEAN, "std": STD}}
    (folder / "open_clip_config.json").write_text(json.dumps(said))
    return model


def save_hf(folder):
    """As transformers saves it, with a tokenizer of a few words."""
    same = {"hidden_size": 8, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    letters = "abcdefghijklmnopqrstuvwxyz"
    tokens = [*letters, *(f"{c}</w>" for c in letters), "<|startoftext|>", "<|endoftext|>"]
    vocab = {token: i for i, token in enumerate(tokens)}
    config = transformers.CLIPConfig(
        text_config=same | {"vocab_size": len(vocab), "max_position_embeddings": 16, "eos_token_id": 53},
        vision_config=same | {"image_size": 16, "patch_size": 8},
        projection_dim=6,
    )
    model = shaken(transformers.CLIPModel(config))
    model.save_pretrained(folder)
    transformers.CLIPTokenizer(vocab=vocab, merges=[]).save_pretrained(folder)
    said = {"image_mean": MEAN, "image_std": STD}
    (folder / "preprocessor_config.json").write_text(json.dumps(said))
    return model


PHOTO = (np.random.default_rng(0).random((40, 56, 3)) * 255).astype("uint8")


@pytest.mark.parametrize("kind", ["vit", "resnet"])
def test_open_clips_folder_loads_and_agrees_from_photo_and_words_on(tmp_path, kind):
    model = save_open_clip(tmp_path / "weights", kind)
    official = door.load(tmp_path / "weights")
    texts = ["a photo of a blue bear", "Two  DOGS!"]
    ids = official.encode(texts)
    theirs = open_clip.tokenize(texts, context_length=16)
    assert torch.equal(ids, theirs[:, : ids.shape[1]])
    preprocess = open_clip.image_transform(
        official.clip.config.image.image_size, is_train=False, mean=MEAN, std=STD
    )
    pixels = preprocess(Image.fromarray(PHOTO))[None]
    images = official.pictures([PHOTO])
    torch.testing.assert_close(official.clip.pixels(images), pixels)
    with torch.no_grad():
        I_e, T_e, scale = model(pixels, theirs)
        torch.testing.assert_close(official.clip(images, ids), scale * I_e @ T_e.T, atol=1e-5, rtol=1e-5)


def test_transformers_folder_loads_and_agrees(tmp_path):
    model = save_hf(tmp_path / "weights")
    official = door.load(tmp_path / "weights")
    ids = official.encode(["bear", "a cab"])
    assert (ids == 53).any(1).all()
    images = official.pictures([PHOTO, PHOTO[::-1]])
    processor = transformers.CLIPImageProcessor(
        size={"shortest_edge": 16}, crop_size=16, image_mean=MEAN, image_std=STD
    )
    pixels = processor([PHOTO, PHOTO[::-1].copy()], return_tensors="pt").pixel_values
    assert (official.clip.pixels(images) - pixels).abs().max() < 2 / 255 / min(STD)  # theirs rounds once more
    with torch.no_grad():
        wanted = model(input_ids=ids, pixel_values=official.clip.pixels(images)).logits_per_image
        torch.testing.assert_close(official.clip(images, ids), wanted, atol=1e-5, rtol=1e-5)


def test_a_gray_a_transparent_and_an_upright_picture_are_read_as_the_library_reads_them():
    preprocess = open_clip.image_transform(16, is_train=False, mean=(0.0,) * 3, std=(1.0,) * 3)
    gray, alpha = PHOTO[:, :, 0], np.dstack([PHOTO, PHOTO[:, :, :1]])
    for array in (gray, alpha, PHOTO.transpose(1, 0, 2)):
        torch.testing.assert_close(door.picture(array, 16), preprocess(Image.fromarray(array)))
        torch.testing.assert_close(door.picture(Image.fromarray(array), 16), door.picture(array, 16))


def test_arrays_that_are_no_pictures_are_refused():
    for bad in (PHOTO / 255, PHOTO[None], PHOTO[:, :, :2]):
        with pytest.raises(ValueError, match=r"uint8 array \(height, width, 3\)"):
            door.picture(bad, 16)


def test_texts_that_cannot_be_read_are_refused(tmp_path):
    save_open_clip(tmp_path)
    official = door.load(tmp_path)
    with pytest.raises(ValueError, match="empty prompt"):
        official.encode(["a bear", " "])
    with pytest.raises(ValueError, match="has 22 tokens, this CLIP reads 16: shorten"):
        official.encode(["bear " * 20])


def test_damaged_and_foreign_folders_are_refused(tmp_path):
    model = save_open_clip(tmp_path)
    path = tmp_path / "open_clip_model.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="damaged"):
        door.load(tmp_path)
    path.write_bytes(whole)
    said = json.loads((tmp_path / "open_clip_config.json").read_text())["model_cfg"]
    for change, says in [
        ({"vision_cfg": IMAGE["vit"] | {"layers": 2}}, r"lacks 'visual\.transformer\.resblocks\.1\."),
        ({"text_cfg": TEXT | {"context_length": 9}}, "positional_embedding has shape"),
        ({"vision_cfg": IMAGE["vit"] | {"timm_model_name": "x"}}, "vision config has timm_model_name"),
        ({"text_cfg": TEXT | {"mlp_ratio": 2.0}}, "text config has mlp_ratio"),
        ({"custom_text": True}, "model config has custom_text"),
    ]:
        with pytest.raises(ValueError, match=says):
            door.from_official({"model_cfg": said | change}, model.state_dict())
    with pytest.raises(ValueError, match="this door is for CLIP"):
        door.from_official({"model_type": "bert"}, {})


def test_settings_of_transformers_that_we_do_not_have_are_refused():
    config = transformers.CLIPConfig().to_dict()
    for part, change, says in [
        ("text_config", {"eos_token_id": 5}, "eos_token_id is 5"),
        ("vision_config", {"hidden_act": "relu"}, "hidden_act is quick_gelu, relu"),
        ("vision_config", {"layer_norm_eps": 1e-6}, "layer_norm_eps is 1e-06"),
        ("text_config", {"intermediate_size": 99}, "four times as wide"),
    ]:
        with pytest.raises(ValueError, match=says):
            door.our_config(config | {part: config[part] | change})
    ours, _ = door.our_config(config | {"text_config": config["text_config"] | {"eos_token_id": 2}})
    assert ours.text.end == 49_407  # the old mistake in OpenAI's own config.json


def test_without_weights_it_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("LECTURE10_HOME", str(tmp_path))
    with pytest.raises(
        FileNotFoundError, match=r"hf download timm/vit_base_patch32_clip_224\.openai .*--local-dir"
    ):
        door.load("ViT-B/32")


def test_a_pickle_is_not_opened(tmp_path):
    (tmp_path / "open_clip_config.json").write_text("{}")
    (tmp_path / "open_clip_pytorch_model.bin").write_bytes(b"cos\nsystem\n")
    with pytest.raises(ValueError, match=r"no CLIP as safetensors \(it holds open_clip_config\.json, open"):
        door.load(tmp_path)
