"""Pictures are right, and their truth is the picture's."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lecture10.world import Scene, SceneBatch, Thing, render, sample, scene
from lecture10.world import vocabulary as v
from lecture10.world.lettering import strip

GOLDEN = Path(__file__).parent / "golden"
GOLDEN_SCENES = (
    scene("a blue bear", "a small striped brown bird", relation="left of", backdrop="grass", seed=1),
    scene("an orange astronaut", "a brown horse", relation="riding", backdrop="night", seed=2),
    scene("a red sign that says 'NeurIPS'", backdrop="studio", seed=3),
    scene(
        "a small dotted teal cup",
        "a brick purple table",
        "a small pink fish",
        relation="on",
        backdrop="sea",
        seed=4,
    ),
)


def golden(style: str) -> np.ndarray:
    """(64, 256, 3) uint8: the stored scenes in one style, side by side."""
    picture = render([s.with_style(style) for s in GOLDEN_SCENES], 64)
    strip = torch.cat(list(picture.image), dim=2).permute(1, 2, 0)
    return (strip * 255).round().byte().numpy()


@pytest.mark.parametrize("style", v.STYLES)
def test_pixels_are_those_stored(style):
    """Within 1/255 of the PNGs in tests/world/golden (written by `python tests/world/test_render.py`)."""
    stored = np.asarray(Image.open(GOLDEN / f"{style}.png").convert("RGB")).astype(int)
    assert np.abs(golden(style).astype(int) - stored).max() <= 1


@pytest.mark.parametrize("size", [16, 32, 64, 97, 128])
def test_shapes_and_ranges_at_any_size(size):
    """What Picture promises, at sizes even and odd."""
    batch = sample(12, 7, things=(1, 6), styles=v.STYLES)
    p = render(batch, size)
    assert p.image.shape == (12, 3, size, size)
    assert p.image.is_contiguous()
    assert 0 <= p.image.min() <= p.image.max() <= 1
    assert p.masks.shape == (12, 6, size, size)
    assert p.masks.sum(1).max() == 1  # a pixel has one owner
    assert ((p.visible > 0) == (batch.noun >= 0)).all()
    assert p.visible.max() <= 1


def test_boxes_are_tight_to_the_visible_masks():
    """Computed once more, pixel by pixel."""
    p = render(sample(40, 8, things=(1, 6), styles=v.STYLES, overlap=0.4), 48)
    for mask, box in zip(p.masks.flatten(0, 1), p.boxes.flatten(0, 1), strict=True):
        ys, xs = mask.nonzero(as_tuple=True)
        expected = [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1] if len(xs) else [0, 0, 0, 0]
        assert torch.allclose(box, torch.tensor(expected) / 48)


def test_boxes_are_where_the_scene_says():
    """Alone and upright, a thing's box is its footprint around its place, to a pixel and a half."""
    from lecture10.world.cast import footprint

    p = render([Scene((Thing(n, "red", x=0.5, y=0.52),)) for n in v.NOUNS], 96)
    for noun, (x0, y0, x1, y1) in zip(v.NOUNS, p.boxes[:, 0].tolist(), strict=True):
        w, h = footprint(noun, "large")
        wanted = (0.5 - w / 2, 0.52 - h / 2, 0.5 + w / 2, 0.52 + h / 2)
        assert max(abs(a - b) for a, b in zip((x0, y0, x1, y1), wanted, strict=True)) < 3.1 / 96, noun


def test_flip_mirrors_and_rotation_turns_anticlockwise():
    """A fish in the middle, mirrored and turned by right angles: the same mask, mirrored and turned."""
    fish = Thing("fish", "red", x=0.5, y=0.5)
    ways = (
        fish,
        replace(fish, flip=True),
        replace(fish, rotation=90),
        replace(fish, rotation=-90, flip=True),
    )
    plain, flipped, turned, both = render([Scene((t,)) for t in ways], 64).masks[:, 0]
    assert not torch.equal(plain, flipped)
    for found, wanted in (
        (flipped, plain.flip(-1)),
        (turned, plain.rot90(1, (-2, -1))),
        (both, plain.flip(-1).rot90(-1, (-2, -1))),
    ):
        assert (found != wanted).float().mean() < 0.003


def test_what_is_hidden_is_known():
    """A cube in front of half a ball hides half of it; behind it, nothing;
    a thing far away changes nothing.
    """
    ball, cube = Thing("ball", "red", x=0.4, y=0.5), Thing("cube", "blue", x=0.64, y=0.5)
    far = Thing("star", "green", size="small", x=0.16, y=0.16)
    alone, front, behind, both = render(
        [Scene(t) for t in ((ball,), (ball, cube), (cube, ball), (ball, far))], 96
    ).visible
    assert alone[0] == 1
    assert 0.5 < front[0] < 0.65
    assert front[1] == 1
    assert behind[0] < 1 == behind[1]
    assert both[:2].tolist() == [1, 1]


def test_a_picture_does_not_depend_on_its_company():
    """Rendered alone or among others, on a big batch or a small, a scene looks the same."""
    batch = sample(30, 9, things=(1, 6), styles=v.STYLES, split="all")
    together = render(batch, 40)
    for k in range(0, 30, 3):
        alone = render(batch[k : k + 1], 40)
        assert (alone.image[0] - together.image[k]).abs().max() < 1e-5
        assert torch.equal(alone.masks[0], together.masks[k])
        assert torch.equal(alone.visible[0], together.visible[k])


def test_parts_nest():
    """Pupil ⊂ eye ⊂ head ⊂ cat; all parts together are the cat."""
    p = render(scene("a teal cat", "a small red ball", backdrop="sand"), 128, parts=True)
    pupil, eye, head = (p.part(0, 0, name) for name in ("head.eye.pupil", "head.eye", "head"))
    assert pupil.any()
    assert (pupil & ~eye).sum() == (eye & ~head).sum() == (head & ~p.masks[0, 0]).sum() == 0
    assert pupil.sum() < eye.sum() < head.sum() < p.masks[0, 0].sum()
    union = torch.stack(list(p.parts(0, 0).values())).any(0)
    assert (union != p.masks[0, 0]).float().mean() < 0.004  # samples at the very edge
    with pytest.raises(ValueError, match=r"did you mean 'head\.eye'"):
        p.part(0, 0, "head.eyes")
    with pytest.raises(ValueError, match="parts=True"):
        render(scene("a teal cat"), 32).part(0, 0, "head")


def test_styles_differ_and_keep_the_truth():
    """Same masks in all upright styles; pictures clearly different, except photo2:
    same recipe, other shots.
    """
    things = scene("a red car", "a small blue bird", relation="below", backdrop="grass", seed=5)
    p = render([things.with_style(s) for s in v.STYLES], 64)
    for name in ("photo2", "rendition", "sketch"):
        assert torch.equal(p.masks[v.STYLES.index(name)], p.masks[0]), name
    assert not torch.equal(p.masks[v.STYLES.index("staged")], p.masks[0])
    apart = {s: (p.image[k] - p.image[0]).abs().mean().item() for k, s in enumerate(v.STYLES)}
    assert 0.01 < apart["photo2"] < apart["rendition"]
    assert min(apart["rendition"], apart["staged"], apart["sketch"]) > 0.05
    sketch = p.image[v.STYLES.index("sketch")]
    assert (sketch.amax(0) - sketch.amin(0)).max() < 1e-5  # gray
    for colour in ("yellow", "purple"):
        other = Scene((Thing("car", colour),), style="sketch")
        assert torch.equal(
            render(other, 64).image, render(Scene((Thing("car", "red"),), style="sketch"), 64).image
        )


def test_seeds_change_the_shot_and_nothing_else():
    """Another seed: other light and backdrop, same masks; photo2 never shows a backdrop of photo."""
    p = render([scene("a red car", seed=k) for k in range(30)], 32)
    assert len({image.sum().item() for image in p.image}) == 30
    assert all(torch.equal(p.masks[0], m) for m in p.masks)
    from lecture10.world.backdrops import backdrops

    for name in v.BACKDROPS:
        one, two = (backdrops(name, s, 32, torch.device("cpu")) for s in ("photo", "photo2"))
        assert (one[:, None] - two[None]).abs().mean((2, 3, 4)).min() > 1e-3


def test_signs_can_be_read():
    """Every dot of the text stands out at 64 pixels:
    the letters are found again by comparing with the board.
    """
    for text in ("NeurIPS", "neurips", "ABCDEFGHI", "wxyz01234"):
        image = render(scene(f"a yellow sign that says '{text}'"), 64).image[0].mean(0)
        letters = strip(text)
        rows, columns = letters.shape
        windows = image.unfold(0, rows, 1).unfold(1, columns, 1)  # every place where the text could stand
        contrast = (windows * ~letters).sum((2, 3)) / (~letters).sum() - (windows * letters).sum(
            (2, 3)
        ) / letters.sum()
        assert contrast.max() > 0.6, text
        others = (windows.reshape(-1, rows, columns)[contrast.argmax()] < 0.5) == letters
        assert others.float().mean() > 0.99, text


def test_text_is_hidden_with_its_sign():
    """What stands in front of a sign hides its letters."""
    sign = Thing("sign", "red", text="HELLO", x=0.5, y=0.5)
    cover = Thing("ball", "blue", x=0.5, y=0.5)
    bare, hidden = render(
        [Scene((Thing("sign", "red", x=0.5, y=0.5), cover)), Scene((sign, cover))], 64
    ).image
    covered = render(Scene((sign, cover)), 64).masks[0, 1]
    assert torch.equal(bare[:, covered], hidden[:, covered])
    assert not torch.equal(bare, hidden)


def test_too_small_a_picture_is_refused():
    """Below 16 pixels nothing can be told apart."""
    with pytest.raises(ValueError, match="ask for 16 or more"):
        render(scene("a red ball"), 15)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_gpu_and_cpu_agree():
    """Within 1/255, and masks almost everywhere."""
    batch = sample(64, 10, things=(1, 6), styles=v.STYLES)
    here, there = render(batch, 64), render(batch, 64, device="cuda")
    assert (here.image - there.image.cpu()).abs().max() < 1 / 255
    assert (here.masks != there.masks.cpu()).float().mean() < 1e-5


def test_a_batch_can_be_rendered_directly():
    """Scenes, lists of scenes and batches are all welcome."""
    s = scene("a red ball")
    one = render(s, 32).image
    assert torch.equal(one, render([s], 32).image)
    assert torch.equal(one, render(SceneBatch.from_scenes([s]), 32).image)


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name in v.STYLES:
        Image.fromarray(golden(name)).save(GOLDEN / f"{name}.png")


def test_a_batch_without_things_shows_bare_backdrops():
    batch = sample(3, 5)
    for name in ("noun", "text", "relation"):
        getattr(batch, name).fill_(-1)
    picture = render(batch, 32)
    assert not picture.masks.any()
    assert not picture.boxes.any()
    assert picture.image.std() > 0
