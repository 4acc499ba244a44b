"""CLIP's experiments measure what they say: floors, equal compute, test pairs that were never seen."""

import pytest
import torch

from lecture10.experiments import clip_duplicates, clip_encoders, clip_zero_shot
from lecture10.models.contrastive import batch_floor
from lecture10.training import TrainSettings
from lecture10.world import vocabulary as v
from lecture10.world.splits import split_of


def test_the_formula_is_the_mean_floor_of_the_batches_drawn():
    source, roll = clip_duplicates.Named(24), torch.Generator().manual_seed(0)
    floors = torch.tensor([batch_floor(source(roll)[2]) for _ in range(40)])
    error = float(floors.std()) / 40**0.5
    assert source.formula() == pytest.approx(float(floors.mean()), abs=4 * error)


def test_a_duplicate_batch_names_nouns_and_nothing_else():
    image, ids, groups = clip_duplicates.Named(6)(torch.Generator().manual_seed(1))
    assert len(image) == len(ids) == len(groups) == clip_duplicates.N
    assert len(groups.unique()) == len(ids.unique(dim=0)) <= 6


def test_both_towers_compute_as_much():
    work = {n: clip_encoders.flops(c) * clip_encoders.steps(c) for n, c in clip_encoders.TOWERS.items()}
    assert work["ViT"] == pytest.approx(work["ResNet"], rel=0.01)


def test_labels_are_the_classes_of_training_pairs():
    image, labels = clip_zero_shot.labelled(torch.Generator().manual_seed(2))
    assert len(image) == len(labels)
    names = [clip_zero_shot.CLASSES[i] for i in labels.tolist()]
    assert {split_of(name.split()[1], name.split()[0]) for name in names} == {"train"}
    assert max(labels) < len(v.NOUNS) * len(v.COLOUR_NAMES)


def test_a_run_gives_every_row_its_claims_ask_for(monkeypatch):
    few = TrainSettings(steps=2, lr=1e-3)
    for module in (clip_zero_shot, clip_duplicates, clip_encoders):
        monkeypatch.setattr(module, "SETTINGS", few)
    monkeypatch.setattr(clip_zero_shot, "EACH", 2)
    monkeypatch.setattr(clip_duplicates, "LAST", 2)
    for module in (clip_zero_shot, clip_duplicates):
        rows = module.run(0)
        claims = getattr(module, "CLAIMS", None) or (module.CLAIM,)
        for claim in claims:
            assert claim.effects(rows)[0]
    shots = {row.at for row in clip_zero_shot.run(0) if row.variant == clip_zero_shot.ON_CLIP}
    assert shots == set(clip_zero_shot.SHOTS)
