"""RegionCLIP's experiment measures what it says: all rows, fresh pictures, no test pair in a lesson."""

import torch

from lecture10.experiments import regionclip_regions as experiment
from lecture10.recipes import regionclip as recipe
from lecture10.training import TrainSettings


def test_a_run_gives_every_row_its_claims_ask_for(monkeypatch):
    monkeypatch.setattr(experiment, "SETTINGS", TrainSettings(steps=1, lr=1e-3))
    monkeypatch.setattr(experiment, "SCENES", 12)
    rows = experiment.run(0)
    for claim in experiment.CLAIMS:
        assert claim.effects(rows)[0]
    named = {row.variant for row in rows if row.metric == "top-1, seen pairs"}
    assert named == {
        "whole picture of one thing", "crop", "crop, half more around", "CLIP's map", "CLIP's places",
        "student", "sure labels only", "oracle labels",
    }  # fmt: skip
    curve = {row.at: row for row in rows if row.metric == "share kept"}
    assert tuple(curve) == experiment.THRESHOLDS
    assert curve[0.0].value == 1
    assert all(
        a.value >= b.value for a, b in zip(list(curve.values())[:-1], list(curve.values())[1:], strict=True)
    )


def test_the_labels_right_are_counted_among_proposals_on_things(monkeypatch):
    monkeypatch.setattr(experiment, "SCENES", 30)
    taught_by = recipe.teacher("cpu")
    rows = {(r.metric, r.at): r for r in experiment.labels_by_confidence(taught_by, 0, 7)}
    images, _, _, boxes, true = recipe.Lessons(30)(torch.Generator().manual_seed(7))
    found, of = taught_by.regions(images)
    names = recipe.true_labels(found, of, boxes, true, taught_by.pool)
    said = taught_by.scores(images, found, of).argmax(1)
    wanted = float((said == names)[names >= 0].float().mean())
    assert abs(rows["share right of these", 0.0].value - wanted) < 1e-6
    assert rows["share kept", 0.0].n == int((names >= 0).sum())
    assert rows["share right of these", 0.9].n == round(
        rows["share kept", 0.9].value * rows["share kept", 0.0].n
    )
