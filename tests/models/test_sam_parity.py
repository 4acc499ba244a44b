"""The same random weights in transformers' SamModel give the same numbers; every tensor matters."""

import copy
import json

import pytest
import torch

from lecture10.models.sam import PRESETS, SAM, count_parameters
from lecture10.pretrained.sam import from_official, official_names, official_state, our_state

TOLERANCE = 1e-5  # of the outputs' scale


def randomise(module, seed=1):
    """Fill every parameter with noise: default first weights (98 of 172 are all 0 or 1) hide mistakes."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            noise = torch.randn(tensor.shape, generator=generator)
            if "embed" in name or "rel_pos" in name or "token" in name:
                tensor.copy_(0.7 * noise)
            elif tensor.ndim > 1:
                tensor.copy_(noise * (2 / tensor[0].numel()) ** 0.5)
            else:
                tensor.copy_(0.3 * noise + (1.0 if name.endswith("weight") else 0.1))
    return module.eval()


def hf_model(image_size=64, window=4, layers=3, iou_depth=3):
    transformers = pytest.importorskip("transformers")
    config = transformers.SamConfig(
        vision_config=transformers.SamVisionConfig(
            hidden_size=16, output_channels=16, num_hidden_layers=layers, num_attention_heads=2,
            image_size=image_size, patch_size=8, window_size=window, global_attn_indexes=[1], mlp_dim=32,
            num_pos_feats=8,
        ),
        prompt_encoder_config=transformers.SamPromptEncoderConfig(
            hidden_size=16, image_size=image_size, patch_size=8
        ),
        mask_decoder_config=transformers.SamMaskDecoderConfig(
            hidden_size=16, mlp_dim=32, num_hidden_layers=2, num_attention_heads=2, iou_head_depth=iou_depth,
            iou_head_hidden_dim=12,
        ),
    )  # fmt: skip
    return randomise(transformers.SamModel(config)), json.loads(config.to_json_string(use_diff=False))


@pytest.fixture(scope="module", params=[(64, 4, 3), (72, 4, 2)], ids=["whole windows", "padded windows"])
def pair(request):
    size, window, depth = request.param
    model, config = hf_model(size, window, iou_depth=depth)
    return model, from_official(config, model.state_dict())


def images(sam, n=2):
    generator = torch.Generator().manual_seed(0)
    coarse = torch.nn.functional.interpolate(torch.rand(n, 3, 4, 4, generator=generator), sam.image_size)
    return (coarse + torch.rand(coarse.shape, generator=generator)) / 2


def prompts(sam, kind, n=2):
    """The kinds of prompt, as keyword arguments of ours: names and shapes are `decode`'s."""
    generator, S = torch.Generator().manual_seed(3), sam.image_size
    points = torch.rand(n, 3, 2, generator=generator) * (S - 1)
    labels = torch.tensor([[1, 0, 1], [0, 1, -1]])[:n]
    boxes = torch.tensor([[4.0, 9.0, 31.0, 40.0], [10.0, 2.0, 50.5, 33.0]])[:n]
    masks = 3 * torch.randn(n, sam.mask_size, sam.mask_size, generator=generator)
    return {
        "click": {"points": points[:, :1], "labels": labels[:, :1]},
        "clicks": {"points": points, "labels": labels},
        "box": {"boxes": boxes},
        "all": {"points": points, "labels": labels, "boxes": boxes, "masks": masks},
    }[kind]


def theirs(model, sam, pictures, prompt, several):
    """(logits (N, M, h, w), IoUs (N, M)) of transformers' model."""
    one = {name: prompt.get(name) for name in ("points", "labels", "boxes", "masks")}
    out = model(
        pixel_values=(pictures - sam.mean) / sam.std,
        input_points=None if one["points"] is None else one["points"][:, None],
        input_labels=None if one["labels"] is None else one["labels"][:, None],
        input_boxes=None if one["boxes"] is None else one["boxes"][:, None],
        input_masks=None if one["masks"] is None else one["masks"][:, None],
        multimask_output=several,
    )
    return out.pred_masks[:, 0], out.iou_scores[:, 0]


def far(a, b) -> float:
    assert a.shape == b.shape
    return float((a - b).abs().max() / b.abs().max())


def test_the_image_encoder_equals_the_reference(pair):
    model, sam = pair
    with torch.no_grad():
        wanted = model.get_image_embeddings((images(sam) - sam.mean) / sam.std)
        assert far(sam.embed(images(sam)), wanted) < TOLERANCE


def test_the_prompt_encoder_equals_the_reference(pair):
    model, sam = pair
    prompt = prompts(sam, "all")
    with torch.no_grad():
        sparse, dense = model.get_prompt_embeddings(
            prompt["points"][:, None], prompt["labels"][:, None], prompt["boxes"][:, None],
            prompt["masks"][:, None],
        )  # fmt: skip
        corners = torch.cat([prompt["points"], prompt["boxes"].view(2, 2, 2)], 1)
        labels = torch.cat([prompt["labels"], torch.tensor([[2, 3], [2, 3]])], 1)
        assert far(sam.prompts.sparse(corners, labels), sparse[:, 0]) < TOLERANCE
        assert far(sam.prompts.dense(prompt["masks"]), dense) < TOLERANCE
        assert far(sam.prompts.everywhere()[None], model.get_image_wide_positional_embeddings()) < TOLERANCE


@pytest.mark.parametrize("several", [True, False])
@pytest.mark.parametrize("kind", ["click", "clicks", "box", "all"])
def test_masks_and_guessed_ious_equal_the_reference(pair, kind, several):
    model, sam = pair
    prompt = prompts(sam, kind)
    with torch.no_grad():
        masks, ious = theirs(model, sam, images(sam), prompt, several)
        found, guessed = sam.decode(sam.embed(images(sam)), **prompt, several=several)
    assert far(found, masks) < TOLERANCE
    assert far(guessed, ious) < TOLERANCE


def test_every_tensor_matters_and_in_the_same_way(pair):
    """Negative control: perturb each tensor of the reference alone; ours, unchanged, must part from it."""
    model, sam = (copy.deepcopy(x) for x in pair)
    again, pictures = copy.deepcopy(sam), images(sam)
    asked = [(prompts(sam, "clicks"), True), (prompts(sam, "all"), False)]

    def ours(sam):
        picture = sam.embed(pictures)
        return [y for prompt, several in asked for y in sam.decode(picture, **prompt, several=several)]

    with torch.no_grad():
        before = ours(sam)
        for name, tensor in model.state_dict().items():
            kept = tensor.clone()
            tensor.add_(0.3 * torch.randn(tensor.shape, generator=torch.Generator().manual_seed(2)))
            wanted = [y for prompt, several in asked for y in theirs(model, sam, pictures, prompt, several)]
            again.load_state_dict(our_state(again, model.state_dict()))
            tensor.copy_(kept)
            found = ours(again)
            assert max(map(far, found, wanted)) < 2 * TOLERANCE, name
            if not name.endswith("k_proj.bias"):  # softmax forgets a constant
                assert max(map(far, wanted, before)) > 1e-4, (
                    f"{name} does not matter: the test is blind to it"
                )


def test_no_official_tensor_is_left_over_and_both_ways_agree(pair):
    model, sam = pair
    used = {name for ours in sam.state_dict() for name in official_names(ours, sam.config)}
    twin = "prompt_encoder.shared_embedding.positional_embedding"
    assert used == set(model.state_dict()) - {twin}
    back = official_state(sam, model.state_dict())
    assert back.keys() == model.state_dict().keys()
    assert all(torch.equal(back[name], tensor) for name, tensor in model.state_dict().items())


def test_gradients_equal_the_reference(pair):
    model, sam = (copy.deepcopy(x) for x in pair)
    prompt = prompts(sam, "all")
    masks, ious = theirs(model, sam, images(sam), prompt, True)
    (masks.square().mean() + ious.sum()).backward()
    found, guessed = sam.decode(sam.embed(images(sam)), **prompt, several=True)
    (found.square().mean() + guessed.sum()).backward()
    wanted = dict(model.named_parameters())
    for name, parameter in sam.named_parameters():
        names = official_names(name, sam.config)
        grads = [wanted[n].grad for n in names if wanted[n].grad is not None]
        if len(grads) == len(names) and (grad := torch.cat(grads)).abs().max() > 1e-5:
            assert far(parameter.grad, grad.reshape(parameter.shape)) < 1e-3, name


@pytest.mark.parametrize(("name", "millions"), [("ViT-B", 93.7), ("ViT-L", 312.3), ("ViT-H", 641.1)])
def test_the_papers_sizes_are_transformers(name, millions):
    transformers = pytest.importorskip("transformers")
    vit = PRESETS[name].encoder
    config = transformers.SamConfig(
        vision_config={
            "hidden_size": vit.width, "num_hidden_layers": vit.layers, "num_attention_heads": vit.heads,
            "mlp_dim": vit.mlp_dim, "global_attn_indexes": list(vit.everywhere),
        }
    )  # fmt: skip
    with torch.device("meta"):
        model = transformers.SamModel(config)
    waves = 2 * 128  # a parameter there, a buffer of ours
    assert count_parameters(PRESETS[name]) == sum(p.numel() for p in model.parameters()) - waves
    assert count_parameters(PRESETS[name]) / 1e6 == pytest.approx(millions, abs=0.05)


def test_a_model_of_other_weights_is_far_away(pair):
    model, sam = pair
    other = SAM(sam.config).eval()
    with torch.no_grad():
        masks, _ = theirs(model, sam, images(sam), prompts(sam, "click"), True)
        assert far(other.decode(other.embed(images(sam)), **prompts(sam, "click"))[0], masks) > 0.1
