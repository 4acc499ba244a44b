"""SAM's door for official weights, with tiny checkpoints saved by transformers; no network."""

import json

import numpy as np
import pytest
import torch

from lecture10.pretrained import sam as door

transformers = pytest.importorskip("transformers")


def tiny(**changes):
    vision = {
        "hidden_size": 16, "output_channels": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
        "image_size": 64, "patch_size": 8, "window_size": 3, "global_attn_indexes": [1], "mlp_dim": 32,
        "num_pos_feats": 8,
    }  # fmt: skip
    torch.manual_seed(0)
    model = transformers.SamModel(
        transformers.SamConfig(
            vision_config=vision | changes,
            prompt_encoder_config={"hidden_size": 16, "image_size": 64, "patch_size": 8},
            mask_decoder_config={
                "hidden_size": 16, "mlp_dim": 32, "num_attention_heads": 2, "iou_head_hidden_dim": 16,
            },
        )
    )  # fmt: skip
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.1 * torch.randn_like(p))
    return model.eval()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    where = tmp_path_factory.mktemp("official") / "sam-tiny"
    model = tiny()
    model.save_pretrained(where)
    return where, model


PHOTO = (np.random.default_rng(0).random((40, 50, 3)) * 255).astype(np.uint8)


def test_a_saved_folder_is_read_and_answers_as_transformers_does(folder):
    where, model = folder
    official = door.load(where)
    square, inside = official.picture(PHOTO)
    assert inside == (51, 64)
    pixels = (square - official.sam.mean) / official.sam.std
    assert pixels[..., 51:, :].abs().max() < 1e-6  # filled with the mean colour, which is 0 for the model
    at = torch.tensor([[[[20.0 * 64 / 50, 10.0 * 51 / 40]]]])
    with torch.no_grad():
        wanted = model(
            pixel_values=pixels, input_points=at, input_labels=torch.ones(1, 1, 1, dtype=torch.long)
        )
    masks, guessed = official.segment(PHOTO, [[20, 10]], [1])
    assert torch.allclose(guessed, wanted.iou_scores[0, 0], atol=1e-5)
    assert masks.shape == (3, 40, 50)
    low = torch.nn.functional.interpolate(wanted.pred_masks[0], (64, 64), mode="bilinear")[..., :51, :]
    high = torch.nn.functional.interpolate(low, (40, 50), mode="bilinear")[0]
    assert torch.equal(masks, high > 0)


def test_a_box_and_more_clicks_have_one_answer(folder):
    official = door.load(folder[0])
    assert official.segment(PHOTO, box=[3, 4, 30, 20])[0].shape == (1, 40, 50)
    assert official.segment(PHOTO, [[20, 10], [30, 30]], [1, 0])[0].shape == (1, 40, 50)
    with pytest.raises(ValueError, match="no prompt is given"):
        official.segment(PHOTO)
    with pytest.raises(ValueError, match=r"height, width, 3\) of uint8"):
        official.segment(PHOTO / 255, [[20, 10]], [1])


def test_weights_that_are_not_here_say_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("LECTURE10_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(FileNotFoundError, match="hf download facebook/sam-vit-base"):
        door.load("ViT-B")


def test_foreign_and_damaged_folders_are_refused(folder, tmp_path):
    config = json.loads((folder[0] / "config.json").read_text())
    with pytest.raises(ValueError, match="model_type 'bert'"):
        door.our_config({"model_type": "bert"})
    other = json.loads(json.dumps(config))
    other["mask_decoder_config"]["attention_downsample_rate"] = 4
    with pytest.raises(ValueError, match="attention_downsample_rate = 4, our SAM has 2"):
        door.our_config(other)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ValueError, match=r"lacks model\.safetensors"):
        door.load(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(ValueError, match="is damaged"):
        door.load(tmp_path)


def test_missing_and_other_tensors_are_named(folder):
    _, model = folder
    config, state = model.config.to_dict(), dict(model.state_dict())
    kept = state.pop("mask_decoder.iou_token.weight")
    with pytest.raises(
        ValueError, match=r"lacks 'mask_decoder\.iou_token\.weight', our 'decoder\.iou_token'"
    ):
        door.from_official(config, state)
    with pytest.raises(ValueError, match=r"mask_decoder\.iou_token\.weight has shape"):
        door.from_official(config, state | {"mask_decoder.iou_token.weight": kept[:, :3]})
