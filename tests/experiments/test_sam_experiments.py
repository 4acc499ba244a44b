"""SAM's experiments measure what they say: the same clicks for all, test pairs that were never seen."""

from dataclasses import replace

import torch

from lecture10.experiments import _sam_asking as ask
from lecture10.experiments import _sam_small, sam_clicks, sam_shipped
from lecture10.models.sam import count_parameters
from lecture10.training import TrainSettings
from lecture10.world import vocabulary as v

FEW = replace(sam_shipped.ASKED, pictures=5)


def test_both_networks_are_about_the_same_size():
    three, one = count_parameters(_sam_small.CONFIG), count_parameters(_sam_small.ONE)
    assert one < three < 1.1 * one


def test_styles_show_the_same_things_with_the_same_clicks():
    photo, sketch = (ask.scenes(FEW, 3, style) for style in ("photo", "sketch"))
    assert torch.equal(photo.row, sketch.row)
    assert torch.equal(photo.level, sketch.level)
    assert not torch.equal(photo.image, sketch.image)
    assert torch.equal(ask.scenes(FEW, 3).point, photo.point)
    assert not torch.equal(ask.scenes(FEW, 4).image, photo.image)


def test_test_pairs_alone_are_asked():
    for asked in (sam_clicks.ASKED, sam_shipped.ASKED):
        assert asked.knobs["split"] == "test"
    assert sam_clicks.BATCH.knobs["split"] == "train"


def gives_what_is_asked(module, rows):
    for claim in module.CLAIMS:
        assert claim.effects(rows)[0]
    assert {row.at for row in rows if row.metric == ask.CENTRE} == set(ask.CLICKS)
    by = {row.variant: row.value for row in rows if row.metric == ask.ONE_CLICK}
    assert by[ask.THREE] >= by[ask.GUESSED]
    assert 0.5 <= by[ask.MOST] <= 1


def test_twins_give_every_row_their_claims_ask_for(monkeypatch):
    monkeypatch.setattr(sam_clicks, "SETTINGS", TrainSettings(steps=2, lr=1e-3))
    monkeypatch.setattr(sam_clicks, "ASKED", replace(sam_clicks.ASKED, pictures=5))
    gives_what_is_asked(sam_clicks, sam_clicks.run(0))


def test_the_shipped_sam_gives_every_row_its_claims_ask_for(monkeypatch):
    monkeypatch.setattr(sam_shipped, "ASKED", FEW)
    rows = sam_shipped.run(0)
    gives_what_is_asked(sam_shipped, rows)
    assert {row.variant for row in rows if row.metric == "IoU, best of three"} == set(v.STYLES)
    assert {row.at for row in rows if row.metric == "IoU of coins"} == set(sam_shipped.WINDOWS)
