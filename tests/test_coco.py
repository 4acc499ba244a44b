"""COCO files and average precision: written, read back by pycocotools, and counted by hand."""

import json

import pytest
import torch

from lecture10 import coco
from lecture10.world import render, sample
from lecture10.world import vocabulary as v

pytest.importorskip("pycocotools")
BOX = (0.25, 0.25, 0.75, 0.75)


def data(boxes=((BOX,), (BOX, (0, 0, 0.2, 0.2))), names=(("cat",), ("cat", "dog")), **more):
    return coco.ground_truth(boxes, names, size=64, **more)


def test_all_numbers_begin_at_one_and_boxes_are_pixels():
    truth = data()
    for part in ("images", "annotations", "categories"):
        assert [entry["id"] for entry in truth[part]] == list(range(1, len(truth[part]) + 1))
    assert truth["annotations"][0]["bbox"] == [16, 16, 32, 32]
    assert truth["annotations"][0]["area"] == 1024
    assert [c["name"] for c in truth["categories"]] == ["cat", "dog"]


def test_pycocotools_reads_back_what_was_written(tmp_path):
    picture = render(sample(12, 3, things=(1, 4)), 64)
    seen = (picture.boxes[..., 2] > picture.boxes[..., 0]) & (picture.batch.noun >= 0)
    boxes = [b[s].tolist() for b, s in zip(picture.boxes, seen, strict=True)]
    nouns = [[v.NOUNS[n] for n in row[s]] for row, s in zip(picture.batch.noun, seen, strict=True)]
    path = coco.write(tmp_path / "scenes.json", coco.ground_truth(boxes, nouns, size=64, categories=v.NOUNS))
    back = coco.load(path)
    assert len(back.getImgIds()) == 12
    assert len(back.getAnnIds()) == sum(map(len, nouns))
    for image, (some, called) in enumerate(zip(boxes, nouns, strict=True), start=1):
        stored = back.loadAnns(back.getAnnIds(imgIds=image))
        assert [back.cats[a["category_id"]]["name"] for a in stored] == called
        x, y, w, h = torch.tensor([a["bbox"] for a in stored]).T / 64
        assert torch.allclose(torch.stack([x, y, x + w, y + h], 1), torch.tensor(some), atol=1e-4)
    said = coco.predictions([(b, [0.9] * len(b), [v.NOUNS.index(n) for n in c]) for b, c in
                             zip(boxes, nouns, strict=True)], size=64)  # fmt: skip
    results = coco.write(tmp_path / "found.json", said)
    assert coco.ap(path, results) == pytest.approx({"AP": 1, "AP50": 1, "AP75": 1})
    assert json.loads(results.read_text()) == said


def test_the_first_annotation_counts_too():
    """With numbers from 0 pycocotools takes the match with annotation 0 for none."""
    truth = data(((BOX,),), (("cat",),))
    said = coco.predictions([([BOX], [0.9], [0])], size=64)
    assert coco.ap(truth, said)["AP50"] == pytest.approx(1)
    truth["annotations"][0]["id"] = 0
    assert coco.ap(truth, said)["AP50"] == 0.0


def test_average_precision_by_hand():
    """Two cats; the surest box is wrong, the second right: precision 1/2 up to recall 1/2, then 0."""
    truth = data(((BOX,), (BOX,)), (("cat",), ("cat",)))
    said = coco.predictions([([(0, 0, 0.1, 0.1), BOX], [0.9, 0.8], [0, 0]), ([], [], [])], size=64)
    assert coco.ap(truth, said)["AP50"] == pytest.approx(0.5 * 51 / 101, abs=1e-6)


def test_a_box_that_fits_half_counts_at_half_only():
    truth = data(((BOX,),), (("cat",),))
    said = coco.predictions([([(0.25, 0.25, 0.75, 0.65)], [0.9], [0])], size=64)  # IoU 0.8
    found = coco.ap(truth, said)
    assert found["AP50"] == found["AP75"] == pytest.approx(1)
    assert found["AP"] == pytest.approx(0.7)  # 0.5, 0.55 … 0.8 of ten thresholds


def test_some_categories_alone_and_the_order_of_things_do_not_mix():
    truth = data()
    said = coco.predictions([([BOX], [0.9], [0]), ([BOX], [0.9], [0])], size=64)
    assert coco.ap(truth, said, categories=["cat"])["AP50"] == pytest.approx(1)
    assert coco.ap(truth, said, categories=["dog"])["AP50"] == 0.0
    assert coco.ap(truth, said)["AP50"] == pytest.approx(0.5)


def test_nothing_found_is_zero_and_nothing_to_find_is_said():
    assert coco.ap(data(), []) == {"AP": 0.0, "AP50": 0.0, "AP75": 0.0}
    with pytest.raises(ValueError, match="nothing to find"):
        coco.ap(data(categories=["bird", "cat", "dog"]), [], categories=["bird"])


def test_boxes_and_names_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="is no box"):
        data((((0.7, 0, 0.2, 1),),), (("cat",),))
    with pytest.raises(ValueError, match="is no box"):
        coco.xywh((0, 0, 64, 64), 64)
    with pytest.raises(ValueError, match="'cow', which is none of the 1 categories"):
        data(((BOX,),), (("cow",),), categories=["cat"])
    with pytest.raises(ValueError, match="argument"):
        data(((BOX,),), ())
