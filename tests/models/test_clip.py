"""What a CLIP must do whatever its weights: unit vectors, a text read at its end, a scale held, refusals."""

import math

import pytest
import torch
from torch.nn import functional as F

from lecture10.models.clip import CLIP, MOST_LOGIT_SCALE, PRESETS, CLIPConfig, TextConfig
from lecture10.models.contrastive import clip_loss
from lecture10.models.vision import ResNetConfig, ViTConfig


def random_clip(name="tiny", **changes) -> CLIP:
    torch.manual_seed(0)
    clip = CLIP(PRESETS[name] if not changes else CLIPConfig(**changes)).eval()
    with torch.no_grad():
        for parameter in clip.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
        clip.logit_scale.fill_(math.log(1 / 0.07))
    return clip


@pytest.fixture(params=["tiny", "tiny-vit"])
def clip(request):
    return random_clip(request.param)


IMAGES = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
IDS = torch.randint(0, 63, (3, 12), generator=torch.Generator().manual_seed(1))
IDS[0, 11] = IDS[1, 5] = IDS[2, 1] = 63


def test_embeddings_are_unit_vectors_and_logits_their_scaled_cosines(clip):
    I_e, T_e = clip.embed_images(IMAGES), clip.embed_texts(IDS)
    assert I_e.shape == T_e.shape == (3, 16)
    for e in (I_e, T_e):
        torch.testing.assert_close(e.norm(dim=1), torch.ones(3))
    torch.testing.assert_close(clip(IMAGES, IDS), I_e @ T_e.T / 0.07)
    torch.testing.assert_close(F.normalize(clip.embed_images(IMAGES, normalise=False), dim=1), I_e)


def test_a_text_is_read_at_its_first_end_and_nothing_behind_it_matters(clip):
    changed = IDS.clone()
    changed[1, 6:], changed[2, 2:] = 5, 63
    torch.testing.assert_close(clip.embed_texts(changed), clip.embed_texts(IDS))
    torch.testing.assert_close(clip.embed_texts(IDS[1:, :6]), clip.embed_texts(IDS[1:]))
    before = IDS.clone()
    before[1, 0] = (before[1, 0] + 1) % 63
    assert (clip.embed_texts(before)[1] - clip.embed_texts(IDS)[1]).abs().max() > 1e-3


def test_every_pixel_counts(clip):
    images = IMAGES.clone().requires_grad_()
    (clip.embed_images(images) * torch.randn(16)).sum().backward()
    assert (images.grad.abs() > 0).float().mean() > 0.95  # a ReLU may be shut


def test_the_scale_starts_at_14_and_is_held_at_100():
    clip = CLIP(PRESETS["tiny-vit"])
    assert clip.held_logit_scale().exp().item() == pytest.approx(1 / 0.07)
    with torch.no_grad():
        clip.logit_scale.fill_(7.0)
    assert clip(IMAGES, IDS).abs().max() <= 100.01
    assert clip.logit_scale.item() == pytest.approx(MOST_LOGIT_SCALE)
    wrong = torch.roll(clip.embed_texts(IDS), 1, 0).detach()
    clip_loss(clip.embed_images(IMAGES), wrong, clip.held_logit_scale()).backward()
    assert clip.logit_scale.grad.abs() > 0  # it can come back


def test_the_mean_and_spread_are_taken_out_of_the_pixels():
    clip = random_clip("tiny-vit")
    other = random_clip(image=ViTConfig(32, 8, 16, 2, 2), text=TextConfig(64, 12, 16, 1, 2), embed=16,
                        mean=(0.1, 0.2, 0.3), std=(0.5, 0.25, 0.5))  # fmt: skip
    torch.testing.assert_close(clip.pixels(IMAGES), 2 * IMAGES - 1)
    torch.testing.assert_close(other.pixels(IMAGES)[:, 1], (IMAGES[:, 1] - 0.2) / 0.25)


def test_places_are_what_the_tower_says_when_its_last_look_sees_one_place_alone(clip, monkeypatch):
    places = clip.embed_places(IMAGES)
    side = clip.config.image.side
    assert places.shape == (3, side, side, 16)
    torch.testing.assert_close(places.norm(dim=-1), torch.ones(3, side, side))
    for place in (0, 5, side * side - 1):

        def look(q, k, v, *_, place=place):
            return v[:, :, place + 1, None].expand_as(q)

        with monkeypatch.context() as patched:
            if isinstance(clip.config.image, ViTConfig):
                patched.setattr(clip.image_tower.blocks[-1].attention, "own_attend", look)
            else:
                patched.setattr(F, "scaled_dot_product_attention", look)
            torch.testing.assert_close(clip.embed_images(IMAGES), places.flatten(1, 2)[:, place])


def test_with_a_single_place_and_no_other_the_look_is_the_attention():
    """The attention pool of a 1 × 1 map with equal tokens: attention must fall on that content alone."""
    clip = random_clip(image=ResNetConfig(16, 8, (1, 1, 1), 2), text=TextConfig(64, 12, 16, 1, 2), embed=16)
    with torch.no_grad():
        clip.image_tower.pool.positions.zero_()
    images = IMAGES[:, :, :16, :16]
    torch.testing.assert_close(clip.embed_places(images)[:, 0, 0], clip.embed_images(images))


@pytest.mark.parametrize(
    "image",
    [ResNetConfig(32, 8, (1, 2), 2, 2), ResNetConfig(64, 8, (1, 1, 1, 1), 4), ViTConfig(24, 6, 12, 1, 3)],
)
def test_towers_come_in_many_sizes(image):
    clip = CLIP(CLIPConfig(image, TextConfig(64, 12, 16, 1, 2), embed=10))
    side = image.image_size
    assert clip.embed_images(torch.rand(2, 3, side, side)).shape == (2, 10)
    assert clip.embed_places(torch.rand(2, 3, side, side)).shape == (2, image.side, image.side, 10)


BAD_IMAGES = {
    "one picture": (torch.rand(3, 32, 32), r"batch of one, images\[None\]"),
    "colours last": (torch.rand(2, 32, 32, 3), r"permute\(0, 3, 1, 2\)"),
    "wrong size": (torch.rand(2, 3, 30, 32), r"reads \(batch, 3, 32, 32\): resize"),
    "gray": (torch.rand(2, 1, 32, 32), "resize or crop"),
    "no picture": (torch.rand(0, 3, 32, 32), "reads"),
    "bytes": (torch.zeros(2, 3, 32, 32, dtype=torch.uint8), r"images\.float\(\) / 255"),
    "0 to 255": (torch.rand(2, 3, 32, 32) * 255, "divide by 255"),
    "already normalised": (torch.rand(2, 3, 32, 32) * 4 - 2, "the model subtracts the mean"),
    "not finite": (torch.full((2, 3, 32, 32), torch.nan), "NaN"),
}


@pytest.mark.parametrize("name", BAD_IMAGES)
def test_images_of_a_wrong_layout_size_or_range_are_refused_with_the_cure(clip, name):
    images, says = BAD_IMAGES[name]
    with pytest.raises(ValueError, match=says):
        clip.embed_images(images)


BAD_TEXTS = {
    "too long": (torch.full((1, 13), 63), r"13 tokens are more than .* context of 12: shorten"),
    "no end": (torch.tensor([[1, 2, 63], [1, 2, 3]]), "text 1 lacks the end token 63"),
    "empty": (torch.tensor([[1, 63], [63, 63]]), "text 1 is empty"),
    "other tokenizer": (torch.tensor([[1, 64]]), "run from 1 to 64, the vocabulary from 0 to 63"),
    "one row": (torch.tensor([1, 63]), r"\(texts, positions\)"),
}


@pytest.mark.parametrize("name", BAD_TEXTS)
def test_texts_that_cannot_be_read_are_refused_with_the_cure(clip, name):
    ids, says = BAD_TEXTS[name]
    with pytest.raises(ValueError, match=says):
        clip.embed_texts(ids)


def test_towers_that_cannot_be_built_are_refused():
    text = TextConfig(64, 12, 16, 1, 2)
    for image, says in (
        (ResNetConfig(60, 8, (1, 1), 2), "multiple of 8"),
        (ResNetConfig(32, 8, (1, 1), 2, stem_stride=1), "stem_stride is 1"),
        (ResNetConfig(32, 8, (1, 1), 3), "64 channels cannot be split into 3 heads"),
        (ViTConfig(32, 7, 16, 1, 2), "multiple of 7"),
        (ViTConfig(32, 8, 16, 1, 3), "multiple of 3"),
    ):
        with pytest.raises(ValueError, match=says):
            CLIP(CLIPConfig(image, text))
    with pytest.raises(ValueError, match=r"'quick'.*'exact'"):
        CLIP(CLIPConfig(ViTConfig(32, 8, 16, 1, 2), text, gelu="tanh"))


def test_a_few_steps_learn_which_caption_belongs_to_which_picture(clip):
    torch.manual_seed(0)
    clip = CLIP(clip.config)
    optimizer = torch.optim.Adam(clip.parameters(), lr=3e-3)
    for _ in range(60):
        loss = clip_loss(clip.embed_images(IMAGES), clip.embed_texts(IDS), clip.held_logit_scale())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1
