"""Maps to things, pictures that cannot be read, and what is called unclear."""

from dataclasses import replace

import pytest
import torch
from perfect_judge import Perfect

from lecture10.judge import UNCLEAR, Thresholds, read
from lecture10.judge.lessons import truth
from lecture10.judge.measuring import confusion, matched, mistakes
from lecture10.judge.reading import Found, _without_ghosts, peaks
from lecture10.world import render, sample
from lecture10.world import vocabulary as v

SURE = Thresholds()


@pytest.fixture(scope="module")
def picture():
    return render(sample(30, 4, things=(1, 6), split="all", styles=v.STYLES), 64)


def test_true_maps_are_read_as_the_scene(picture):
    """Every visible thing comes back, with its words and its place."""
    batch = truth(picture)
    readings = read(picture, net=Perfect(batch), thresholds=SURE)
    for b, (reading, one) in enumerate(zip(readings, picture.batch, strict=True)):
        seen = [k for k in range(len(one.things)) if batch["there"][b, k]]
        assert len(reading.things) == len(seen)
        found, extra = matched(reading, [(float(batch["x"][b, k]), float(batch["y"][b, k])) for k in seen])
        assert extra == 0
        for k, thing in zip(seen, found, strict=True):
            true = one.things[k]
            assert (thing.noun, thing.material, thing.size) == (true.noun, true.material, true.size)
            assert thing.colour == (UNCLEAR if one.style == "sketch" else true.colour)
            assert abs(thing.x - float(batch["x"][b, k])) < 1e-4
        assert (reading.style, reading.backdrop) == (one.style, one.backdrop)


def test_true_maps_have_a_clean_confusion_matrix(picture):
    batch = truth(picture)
    table = confusion(picture, read(picture, net=Perfect(batch), thresholds=SURE))
    assert table["noun"] == table["material"] == table["size"] == table["colour"] == table["count"] == 1
    assert table["extra"] == 0
    assert sum(map(sum, table["tables"]["noun"])) == int(batch["there"].sum())


def test_a_missed_and_a_wrong_thing_show_in_the_matrix(picture):
    net = Perfect(truth(picture))
    b = 0
    centres = (net.out["centre"][b] > 0).nonzero()
    net.out["centre"][b] = net.out["centre"][b].clamp(max=-12)  # the first picture looks empty
    wrong = (net.out["noun"][1].amax(0) > 0).nonzero()
    noun = net.out["noun"][1]
    net.out["noun"][1] = noun.roll(1, 0)  # the second one's nouns are all off by one
    table = confusion(picture, read(picture, net=net, thresholds=SURE))
    total = sum(map(sum, table["tables"]["noun"]))
    assert sum(row[-1] for row in table["tables"]["noun"]) == len(centres)
    assert table["noun"] == pytest.approx(1 - (len(centres) + len(wrong)) / total, abs=1e-3)
    assert table["count"] == pytest.approx(29 / 30, abs=1e-3)


def test_mistakes_are_what_is_missed_misread_or_unclear(picture):
    net, batch = Perfect(truth(picture)), truth(picture)
    assert mistakes(picture, read(picture, net=net, thresholds=Thresholds())) == []
    b, k = (t[0].item() for t in batch["there"].nonzero(as_tuple=True))
    row, column = batch["row"][b, k], batch["column"][b, k]
    net.out["colour"][b, :, row, column] = 0.0
    net.out["colour"][b, (batch["colour"][b, k] + 1) % 10, row, column] = 12.0
    ((where, drawn, found),) = mistakes(picture, read(picture, net=net, thresholds=Thresholds()))
    assert (where, drawn) == (b, picture.batch[b].things[k])
    assert found.noun == drawn.noun
    assert found.colour != drawn.colour
    net.out["centre"][b] = -12.0
    assert [(w, f) for w, _, f in mistakes(picture, read(picture, net=net, thresholds=Thresholds()))] == [
        (b, None)
    ] * int(batch["there"][b].sum())


def test_what_is_between_two_words_is_unclear(picture):
    net = Perfect(truth(picture))
    net.out["noun"] = net.out["noun"].maximum(net.out["noun"].roll(1, 1))
    readings = read(picture, net=net, thresholds=SURE)
    assert {t.noun for r in readings for t in r.things} == {UNCLEAR}
    assert all(0.45 < t.chances["noun"] < 0.51 for r in readings for t in r.things)
    lax = read(picture, net=net, thresholds=replace(SURE, noun=0.4))
    assert UNCLEAR not in {t.noun for r in lax for t in r.things}


def test_neighbours_of_a_peak_are_not_found_twice():
    centre, shift = torch.full((16, 16), -9.0), torch.zeros(2, 16, 16)
    centre[4, 4], centre[4, 5], centre[4, 8] = 3.0, 2.9, 1.0
    shift[0, 4, 5] = -0.8  # the neighbour points to the same centre
    assert [(row, column) for _, row, column in peaks(centre, shift, 0.3)] == [(4, 4), (4, 8)]
    assert peaks(centre, shift, 0.999) == []


def test_two_things_in_neighbouring_cells_are_both_found():
    centre, shift = torch.full((16, 16), -9.0), torch.zeros(2, 16, 16)
    centre[4, 4], centre[5, 4] = 3.0, 2.9
    shift[1, 4, 4], shift[1, 5, 4] = -0.2, 0.1
    assert [(row, column) for _, row, column in peaks(centre, shift, 0.3)] == [(4, 4), (5, 4)]


def test_cells_that_point_to_one_place_speak_together():
    """A thing on the corner of four cells, each of which is less than half sure."""
    centre, shift = torch.full((16, 16), -9.0), torch.zeros(2, 16, 16)
    for row, column in ((7, 7), (7, 8), (8, 7), (8, 8)):
        centre[row, column] = -0.4  # probability 0.4
        shift[:, row, column] = torch.tensor([7.5 - column, 7.5 - row])
    ((probability, row, column),) = peaks(centre, shift, 0.5)
    assert probability == pytest.approx(1 - 0.6**4, abs=0.01)
    shift[:] = torch.where(shift > 0, 3.0, -3.0)  # now they point apart: nobody is sure
    assert peaks(centre, shift, 0.5) == []


@pytest.mark.parametrize(
    ("pictures", "cure"),
    [
        (torch.rand(2, 64, 64, 3), "permute"),
        (torch.rand(2, 1, 64, 64), "have shape"),
        (torch.rand(2, 3, 64, 32), "squares"),
        (torch.rand(2, 3, 12, 12), "16 or more"),
        (torch.randint(0, 255, (2, 3, 64, 64)), "divide by 255"),
        (255 * torch.rand(2, 3, 64, 64), "divide by 255"),
        (2 * torch.rand(2, 3, 64, 64) - 1, r"\(x \+ 1\) / 2"),
        (torch.full((1, 3, 64, 64), torch.nan), "nan"),
        ([[0.0]], "not list"),
    ],
)
def test_pictures_that_cannot_be_read(pictures, cure):
    with pytest.raises(ValueError, match=cure):
        read(pictures, net=Perfect(truth(render(sample(2, 0), 64))), thresholds=SURE)


def test_one_picture_and_none():
    net = Perfect(truth(render(sample(1, 0), 64)))
    assert len(read(torch.rand(3, 64, 64), net=net, thresholds=SURE)) == 1
    assert read(torch.rand(0, 3, 64, 64), net=net, thresholds=SURE) == []


def found(noun, x, size="small", probability=0.9):
    return Found(noun, "red", "plain", size, x, 0.5, probability)


def test_the_words_of_a_large_sign_are_no_signs():
    large, ghost, beside = found("sign", 0.5, "large", 0.6), found("sign", 0.6), found("cat", 0.6)
    assert _without_ghosts([ghost, beside, large]) == [beside, large]


def test_two_of_a_kind_side_by_side_stay_and_so_does_what_is_unclear():
    pair = [found("cat", 0.3), found("cat", 0.55), found(UNCLEAR, 0.3), found(UNCLEAR, 0.3)]
    assert _without_ghosts(pair) == pair
