"""Dropping seeds and moving the margin change the verdict that is shown."""

import pytest

from lecture10.claims import verdict
from lecture10.widgets.verdict_reader import VerdictReader, verdict_reader

widgets = pytest.importorskip("ipywidgets")
EFFECTS = {0: 0.1, 1: 0.08, 2: 0.12, 3: 0.09, 4: 0.11}


def test_the_verdict_is_that_of_the_kept_seeds():
    reader = VerdictReader(EFFECTS)
    assert reader.verdict(0.05) == verdict(list(EFFECTS.values()), 0.05)
    assert reader.verdict(0.05, [0, 2, 4]) == verdict([0.1, 0.12, 0.11], 0.05)
    assert str(reader.verdict(0.05)) in reader.picture(0.05).alt


@pytest.mark.parametrize(
    ("margin", "kept", "word"),
    [(0.05, range(5), "shown"), (0.1, range(5), "can't tell"), (0.2, range(5), "no difference"),
     (0.05, [0, 1], "can't tell")],
)  # fmt: skip
def test_margin_and_seeds_change_the_word(margin, kept, word):
    assert VerdictReader(EFFECTS).verdict(margin, kept).word == word


def test_a_strange_seed_is_named():
    with pytest.raises(ValueError, match="seed 7 was not measured; there are 0, 1, 2, 3, 4"):
        VerdictReader(EFFECTS).verdict(0.05, [0, 7])


def test_the_controls_redraw():
    live = verdict_reader(EFFECTS, 0.05, "bits")
    ticks, slider, image = live.widget.children
    assert image.value == live.still.png
    slider.value = 0.1
    moved = image.value
    assert moved != live.still.png
    for tick in ticks.children:
        tick.value = False
    assert image.value != moved  # no seed at all is a picture too
