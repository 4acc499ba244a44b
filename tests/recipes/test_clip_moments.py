"""The time machine's checkpoints: one run, copied out at five moments."""

import pytest
import torch

from lecture10.models.clip import CLIPConfig, TextConfig
from lecture10.models.vision import ResNetConfig
from lecture10.recipes import clip_moments
from lecture10.recipes.captions import Pairs
from lecture10.recipes.clip import learn
from lecture10.training import TrainSettings, load_weights, read_card

TINY = CLIPConfig(ResNetConfig(32, 8, (1, 1), 2), TextConfig(512, 48, 16, 1, 2), embed=16, gelu="exact")
FEW = Pairs(8, 32, knobs={"things": 1})


def test_the_moments_are_those_of_one_run(tmp_path, monkeypatch):
    monkeypatch.setattr(clip_moments, "CONFIG", TINY)
    settings = TrainSettings(steps=20, lr=1e-3)
    card = clip_moments.build(tmp_path / "moments", settings, (10, 20), batches=FEW, quiet=True)
    assert set(card.metrics) == {"dev_step_10", "dev_step_20"}
    kept = clip_moments.Moments(TINY, (10, 20))
    load_weights(kept, tmp_path / "moments", architecture="clip_moments", data_version=clip_moments.DATA)
    again, _ = learn(TINY, settings, seed=0, batches=FEW, workers=0, quiet=True)
    for name, tensor in again.state_dict().items():
        torch.testing.assert_close(kept.at(20).state_dict()[name], tensor.half().to(tensor.dtype))
    early, late = (kept.at(step).image_tower.stem[0].weight for step in (10, 20))
    assert (early - late).abs().max() > 1e-4


def test_a_moment_that_the_run_does_not_pass_is_refused():
    with pytest.raises(ValueError, match="moment 15: the run is looked at every 10 of its 20 steps"):
        clip_moments.build(settings=TrainSettings(steps=20), moments=(10, 15))
    with pytest.raises(ValueError, match="step 7 was not kept: there are 10, 20"):
        clip_moments.Moments(TINY, (10, 20)).at(7)


def test_the_shipped_moments_get_better():
    clips = clip_moments.load("cpu")
    assert tuple(clips) == clip_moments.MOMENTS
    images, ids, _ = clip_moments.BATCH(torch.Generator().manual_seed(7))
    gaps = []
    for clip in clips.values():
        with torch.no_grad():
            cosines = clip.embed_images(images) @ clip.embed_texts(ids).T
        gaps.append(float(cosines.diagonal().mean() - cosines.mean()))
    assert gaps == sorted(gaps)
    assert gaps[-1] > 0.4
    accuracies = list(read_card(clip_moments.data_path("checkpoints/clip_moments.json")).metrics.values())
    assert accuracies[0] < 0.05 < accuracies[-1]
