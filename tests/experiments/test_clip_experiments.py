"""CLIP's experiments measure what they say: floors, equal compute, test pairs that were never seen."""

import pytest
import torch

from lecture10.experiments import clip_duplicates, clip_efficiency, clip_encoders, clip_zero_shot
from lecture10.models.contrastive import batch_floor, expected_floor
from lecture10.recipes.captions import decode
from lecture10.training import TrainSettings
from lecture10.world import vocabulary as v
from lecture10.world.lexicon import article
from lecture10.world.splits import split_of


@pytest.mark.parametrize("kinds", clip_duplicates.KINDS)
def test_the_formula_is_the_mean_floor_of_the_batches_drawn(kinds):
    source, roll = clip_duplicates.Named(kinds), torch.Generator().manual_seed(0)
    floors = torch.tensor([batch_floor(source(roll)[2]) for _ in range(40)])
    error = float(floors.std()) / 40**0.5
    assert expected_floor(kinds, clip_duplicates.N) == pytest.approx(float(floors.mean()), abs=4 * error)


def test_a_duplicate_batch_names_noun_and_colour_and_nothing_else():
    image, ids, groups = clip_duplicates.Named(24)(torch.Generator().manual_seed(1))
    assert len(image) == len(ids) == len(groups) == clip_duplicates.N
    texts = {decode(row) for row in ids}
    assert 6 < len(groups.unique()) == len(texts) <= 24
    assert texts <= {f"a {c} {n}" for c in clip_duplicates.COLOURS for n in clip_duplicates.NOUNS}


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
    for module in (clip_zero_shot, clip_duplicates, clip_encoders, clip_efficiency):
        monkeypatch.setattr(module, "SETTINGS", few)
    monkeypatch.setattr(clip_zero_shot, "EACH", 2)
    monkeypatch.setattr(clip_duplicates, "LAST", 2)
    for module in (clip_zero_shot, clip_duplicates, clip_efficiency):
        rows = module.run(0)
        claims = getattr(module, "CLAIMS", None) or (module.CLAIM,)
        for claim in claims:
            assert claim.effects(rows)[0]
    shots = {row.at for row in clip_zero_shot.run(0) if row.variant == clip_zero_shot.ON_CLIP}
    assert shots == set(clip_zero_shot.SHOTS)


def test_a_curve_that_reaches_enough_is_read_between_its_points():
    read = clip_efficiency.doublings
    steps, halfway = [10, 20, 40], [0.0, 0.2, 0.4]
    assert read(steps, halfway, 0.3, 100) == pytest.approx(1.5)  # 1 thousand at 10 steps, 2 at 20, 4 at 40
    assert read(steps, halfway, 0.0, 100) == pytest.approx(0)
    assert read(steps, halfway, 0.9, 100) == pytest.approx(2)  # never: at least as many as were seen
    assert read(steps, [0.0, 0.5, 0.1], 0.25, 100) == pytest.approx(0.5)  # the first time counts


def test_the_three_models_share_batches_and_no_gradient():
    torch.manual_seed(0)
    three = clip_efficiency.Three()
    batch = clip_efficiency.VOCABULARIES["noisy"](torch.Generator().manual_seed(0))
    _, losses = clip_efficiency.three_losses(three, batch)
    losses[clip_efficiency.BAG].backward()
    for kind in three:
        touched = any(p.grad is not None for p in three[kind].parameters())
        assert touched == (kind == clip_efficiency.BAG)


def test_the_classes_of_the_learning_curve_are_dev_pairs():
    told = clip_efficiency.Told(0, each=2)
    assert len(told.prompts) == len(told.names) == 30
    assert told.labels.unique().tolist() == list(range(30))
    named = [decode(row) for row in told.names]
    assert {split_of(name.split()[1], name.split()[0]) for name in named} == {"dev"}
    assert [f"{article(name)} {name}" for name in named] == [decode(row) for row in told.prompts]
    chance = told(clip_efficiency.Three().eval())
    assert all(0 <= share < 0.3 for share in chance.values())
