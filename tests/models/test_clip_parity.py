"""The same random weights in transformers' CLIPModel and in open_clip's give the same numbers; every tensor
matters.
"""

import copy
import json

import pytest
import torch

from lecture10.models.clip import CLIP, PRESETS, count_parameters
from lecture10.models.contrastive import clip_loss
from lecture10.pretrained.clip import from_official, our_state
from lecture10.pretrained.clip_names import official_names

TOLERANCE = 1e-5  # of the outputs' scale
TEXT = {"context_length": 10, "vocab_size": 60, "width": 16, "heads": 2, "layers": 2}
IMAGE = {
    "vit": {"image_size": 16, "layers": 2, "width": 16, "head_width": 8, "patch_size": 4},
    "resnet": {"image_size": 64, "layers": [1, 2, 1, 1], "width": 8, "head_width": 64, "patch_size": None},
}
HF_SIZES = {"hidden_size": 16, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}


def randomise(module, seed=1):
    """Fill every parameter and every running statistic with noise: default first weights hide mistakes."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if not tensor.is_floating_point() or name == "logit_scale":
                continue
            noise = torch.randn(tensor.shape, generator=generator)
            if name.endswith("running_var"):
                tensor.copy_(0.5 + 0.5 * noise.abs())
            elif tensor.ndim > 1:
                tensor.copy_(noise * (2 / tensor[0].numel()) ** 0.5)
            else:
                tensor.copy_(0.4 * noise + (1.0 if name.endswith("weight") else 0.1))
    return module.eval()


def open_clip_model(kind, quick=True):
    open_clip = pytest.importorskip("open_clip")
    config = {"embed_dim": 8, "quick_gelu": quick, "vision_cfg": IMAGE[kind], "text_cfg": TEXT}
    return randomise(open_clip.model.CLIP(**config)), {"model_cfg": config}


def hf_model(act="quick_gelu"):
    transformers = pytest.importorskip("transformers")
    same = HF_SIZES | {"projection_dim": 8, "hidden_act": act}
    config = transformers.CLIPConfig(
        text_config=same | {"vocab_size": 60, "max_position_embeddings": 10, "eos_token_id": 59},
        vision_config=same | {"image_size": 16, "patch_size": 4},
        projection_dim=8,
    )
    return randomise(transformers.CLIPModel(config)), json.loads(config.to_json_string(use_diff=False))


KINDS = ["hf", "hf-gelu", "vit", "vit-gelu", "resnet"]


@pytest.fixture(scope="module", params=KINDS)
def pair(request):
    kind, _, gelu = request.param.partition("-")
    if kind == "hf":
        model, config = hf_model("gelu" if gelu else "quick_gelu")
    else:
        model, config = open_clip_model(kind, quick=not gelu)
    return model, config, from_official(config, model.state_dict())


def inputs(clip):
    generator = torch.Generator().manual_seed(0)
    coarse, fine = torch.rand(3, 3, 4, 4, generator=generator), clip.config.image.image_size
    images = torch.nn.functional.interpolate(coarse, fine)
    images = (images + torch.rand(images.shape, generator=generator)) / 2
    ids = torch.randint(0, 59, (3, 10), generator=generator)
    ids[0, 9] = ids[1, 4] = ids[2, 1] = 59
    return images, ids


def theirs(model, clip, images, ids):
    """(image embeddings, text embeddings, logits), the embeddings unit vectors."""
    pixels = clip.pixels(images)
    if hasattr(model, "vision_model"):
        out = model(input_ids=ids, pixel_values=pixels)
        return out.image_embeds, out.text_embeds, out.logits_per_image
    I_e, T_e, scale = model(pixels, ids)
    return I_e, T_e, scale * I_e @ T_e.T


def far(a, b) -> float:
    return float((a - b).abs().max() / b.abs().max())


def test_embeddings_and_logits_equal_the_reference(pair):
    model, _, clip = pair
    images, ids = inputs(clip)
    with torch.no_grad():
        I_e, T_e, logits = theirs(model, clip, images, ids)
        assert far(clip.embed_images(images), I_e) < TOLERANCE
        assert far(clip.embed_texts(ids), T_e) < TOLERANCE
        assert far(clip(images, ids), logits) < TOLERANCE


def test_features_before_normalisation_equal_the_reference(pair):
    model, _, clip = pair
    images, ids = inputs(clip)
    with torch.no_grad():
        if hasattr(model, "vision_model"):
            I_f = model.get_image_features(clip.pixels(images)).pooler_output
            T_f = model.get_text_features(ids).pooler_output
        else:
            I_f, T_f = model.encode_image(clip.pixels(images)), model.encode_text(ids)
        assert far(clip.embed_images(images, normalise=False), I_f) < TOLERANCE
        assert far(clip.embed_texts(ids, normalise=False), T_f) < TOLERANCE


def test_every_tensor_matters_and_in_the_same_way(pair):
    """Negative control: perturb each tensor of the reference alone; ours, unchanged, must part from it.

    What follows is compared a little less strictly: a perturbed statistic can make a net badly conditioned.
    """
    model, config, clip = (copy.deepcopy(x) for x in pair)
    again, kind = copy.deepcopy(clip), "open_clip" if "model_cfg" in config else "hf"
    images, ids = inputs(clip)
    with torch.no_grad():
        before = clip(images, ids)
        for name, tensor in model.state_dict().items():
            if not tensor.is_floating_point():
                continue
            kept = tensor.clone()
            noise = torch.randn(tensor.shape, generator=torch.Generator().manual_seed(2))
            noise = noise.abs() if name.endswith(("running_var", "logit_scale")) else noise
            tensor.add_(0.3 * noise)
            wanted = theirs(model, clip, images, ids)[2]
            again.load_state_dict(our_state(again, kind, model.state_dict()))
            tensor.copy_(kept)
            assert far(again(images, ids), wanted) < 10 * TOLERANCE, name
            if not name.endswith(("k_proj.bias",)):  # softmax forgets a constant
                assert far(wanted, before) > 1e-4, f"{name} does not matter: the comparison is blind to it"


def test_no_official_tensor_is_left_over(pair):
    model, config, clip = pair
    kind = "open_clip" if "model_cfg" in config else "hf"
    used = {name for ours in clip.state_dict() for name in official_names(ours, clip.config, kind)}
    assert used == set(model.state_dict()) - {n for n in model.state_dict() if n.endswith("position_ids")}


def test_training_mode_gives_the_reference_loss_and_gradients():
    """Batch statistics, both towers, t: one backward pass of each."""
    open_clip = pytest.importorskip("open_clip")
    for kind in ("vit", "resnet"):
        model, config = open_clip_model(kind)
        clip = from_official(config, model.state_dict()).train()
        images, ids = inputs(clip)
        model.train()
        wanted = open_clip.ClipLoss()(*model(clip.pixels(images), ids))
        wanted.backward()
        found = clip_loss(
            clip.embed_images(images, normalise=False),
            clip.embed_texts(ids, normalise=False),
            clip.logit_scale,
        )
        found.backward()
        assert found.item() == pytest.approx(wanted.item(), rel=TOLERANCE)
        gradients = {name: p.grad for name, p in model.named_parameters()}
        for name, parameter in clip.named_parameters():
            (official,) = official_names(name, clip.config, "open_clip")
            grad = (
                gradients[official].T
                if official in ("visual.proj", "text_projection")
                else gradients[official]
            )
            if grad.abs().max() > 1e-6:
                assert far(parameter.grad, grad) < 1e-3, name


def test_clip_loss_equals_open_clips():
    open_clip = pytest.importorskip("open_clip")
    generator = torch.Generator().manual_seed(3)
    for n, scale in ((2, 1.0), (7, 14.3), (32, 100.0)):
        I_f, T_f = (torch.randn(n, 6, generator=generator, dtype=torch.float64) for _ in range(2))
        I_e, T_e = (torch.nn.functional.normalize(x, dim=-1) for x in (I_f, T_f))
        wanted = open_clip.ClipLoss()(I_e, T_e, torch.tensor(scale))
        assert float(clip_loss(I_f, T_f, torch.tensor(scale).log())) == pytest.approx(float(wanted), rel=1e-6)


@pytest.mark.parametrize("name", [name for name in PRESETS if name[:2] in ("RN", "Vi")])
def test_the_papers_sizes_are_open_clips(name):
    open_clip = pytest.importorskip("open_clip")
    theirs = open_clip.get_model_config(name.replace("/", "-").replace("@336px", "-336"))
    with torch.device("meta"):
        wanted = sum(p.numel() for p in open_clip.model.CLIP(**theirs).parameters())
    assert count_parameters(PRESETS[name]) == wanted


def test_the_sizes_that_the_course_quotes():
    assert count_parameters(PRESETS["RN50"]) == 102_007_137
    assert count_parameters(PRESETS["ViT-B/32"]) == 151_277_313
    with torch.device("meta"):
        text = CLIP(PRESETS["ViT-B/32"]).text_tower
    words = {"tokens.weight", "positions", "projection.weight", "last_norm.weight", "last_norm.bias"}
    blocks = sum(p.numel() for name, p in text.named_parameters() if name not in words)
    assert round(blocks / 1e6) == 38  # 12 layers of width 512; the paper's 63 M count the 49,408 tokens too
    assert round(sum(p.numel() for p in text.parameters()) / 1e6) == 63
