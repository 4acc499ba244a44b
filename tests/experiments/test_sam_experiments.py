"""SAM's experiment measures what it says: the same clicks for all, test pairs that were never seen."""

import torch

from lecture10.experiments import _sam_small, sam_clicks
from lecture10.models.sam import count_parameters
from lecture10.training import TrainSettings
from lecture10.world import vocabulary as v


def test_both_networks_are_about_the_same_size():
    three, one = count_parameters(_sam_small.CONFIG), count_parameters(_sam_small.ONE)
    assert one < three < 1.1 * one


def test_styles_show_the_same_things_with_the_same_clicks():
    photo, sketch = (sam_clicks.scenes(3, style, 6) for style in ("photo", "sketch"))
    assert torch.equal(photo.row, sketch.row)
    assert not torch.equal(photo.image, sketch.image)
    assert torch.equal(sam_clicks.scenes(3, "photo", 6).point, photo.point)
    assert not torch.equal(sam_clicks.scenes(4, "photo", 6).image, photo.image)


def test_a_run_gives_every_row_its_claims_ask_for(monkeypatch):
    monkeypatch.setattr(sam_clicks, "SETTINGS", TrainSettings(steps=2, lr=1e-3))
    monkeypatch.setattr(sam_clicks.scenes, "__defaults__", ("photo", 5))
    rows = sam_clicks.run(0)
    for claim in sam_clicks.CLAIMS:
        assert claim.effects(rows)[0]
    assert {row.variant for row in rows if row.metric == "IoU, best of three"} == set(v.STYLES)
    assert {row.at for row in rows if row.metric == sam_clicks.CENTRE} == set(sam_clicks.CLICKS)
    assert all(-1e3 < row.value <= 1 for row in rows)
    by = {row.variant: row.value for row in rows if row.metric == sam_clicks.ONE_CLICK}
    assert by[sam_clicks.THREE] >= by[sam_clicks.GUESSED]
    assert 0.5 <= by[sam_clicks.MOST] <= 1
