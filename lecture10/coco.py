"""Scenes and predictions as COCO files, and average precision as COCO counts it (by pycocotools).

    truth = ground_truth(boxes, names, size=64)            boxes and category names of every picture
    found = predictions(per_picture, categories, size=64)  what a detector said
    ap(truth, found)["AP50"]

COCO's boxes are (x, y, width, height) in pixels, its areas pixels², and all its numbers begin at 1: an
annotation with the number 0 would count as no match (pycocotools keeps matches by number, 0 meaning none).
"""

import contextlib
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from lecture10.files import write_text

Box = Sequence[float]


def xywh(box_xyxy: Box, size: int) -> list[float]:
    """(x0, y0, x1, y1) in [0, 1] -> COCO's (x, y, width, height) in pixels.

    Raises ValueError for a box that is inverted or outside the picture.
    """
    x0, y0, x1, y1 = (float(edge) for edge in box_xyxy)
    if not (-1e-4 <= x0 <= x1 <= 1 + 1e-4 and -1e-4 <= y0 <= y1 <= 1 + 1e-4):
        raise ValueError(
            f"box ({x0:.2f}, {y0:.2f}, {x1:.2f}, {y1:.2f}) is no box: give (x0, y0, x1, y1) in [0, 1] with "
            "x0 ≤ x1 and y0 ≤ y1"
        )
    return [round(size * part, 3) for part in (x0, y0, x1 - x0, y1 - y0)]


def ground_truth(
    boxes: Sequence[Sequence[Box]],
    names: Sequence[Sequence[str]],
    *,
    size: int,
    categories: Sequence[str] | None = None,
) -> dict:
    """A COCO data set: images, annotations, categories.

    boxes, names: for every picture its things' boxes (xyxy in [0, 1]) and category names; size: pixels of a
    side. categories: their order (default: all that occur, sorted). Raises ValueError for unequal lengths and
    for a name that is no category.
    """
    categories = sorted({n for some in names for n in some}) if categories is None else list(categories)
    number = {name: k for k, name in enumerate(categories, start=1)}
    annotations: list[dict] = []
    for image, (some, called) in enumerate(zip(boxes, names, strict=True), start=1):
        for box, name in zip(some, called, strict=True):
            if name not in number:
                raise ValueError(
                    f"picture {image} holds {name!r}, which is none of the {len(number)} categories"
                )
            place = xywh(box, size)
            annotations.append({
                "id": len(annotations) + 1, "image_id": image, "category_id": number[name],
                "bbox": place, "area": place[2] * place[3], "iscrowd": 0,
            })  # fmt: skip
    return {
        "info": {"description": "scenes of the little world"},
        "images": [
            {"id": k, "width": size, "height": size, "file_name": f"{k:06d}.png"}
            for k in range(1, len(boxes) + 1)
        ],
        "annotations": annotations,
        "categories": [{"id": k, "name": name} for name, k in number.items()],
    }


def predictions(
    found: Iterable[tuple[Sequence[Box], Sequence[float], Sequence[int]]], *, size: int
) -> list[dict]:
    """COCO results: for every picture, in order, its (boxes, scores, categories).

    boxes: xyxy in [0, 1]; scores: higher is surer; categories: positions in the data set's list, from 0.
    """
    return [
        {"image_id": image, "category_id": int(k) + 1, "bbox": xywh(box, size), "score": float(score)}
        for image, (boxes, scores, classes) in enumerate(found, start=1)
        for box, score, k in zip(boxes, scores, classes, strict=True)
    ]


def write(path: str | Path, content: dict | list) -> Path:
    """Write a data set or results as JSON, atomically."""
    write_text(Path(path), json.dumps(content))
    return Path(path)


def load(truth: dict | str | Path):
    """A pycocotools COCO of a data set or of its file, without what it prints."""
    from pycocotools.coco import COCO

    with contextlib.redirect_stdout(io.StringIO()):
        if not isinstance(truth, dict):
            return COCO(str(truth))
        coco = COCO()
        coco.dataset = truth
        coco.createIndex()
        return coco


def ap(
    truth: dict | str | Path,
    found: list[dict] | str | Path,
    *,
    categories: Sequence[str] | None = None,
) -> dict[str, float]:
    """{"AP", "AP50", "AP75"}: COCO's average precision over all or some categories, in [0, 1].

    Means over the categories that occur. Zero predictions give 0. Raises ValueError where no category of
    those asked for occurs: there is nothing to find.
    """
    from pycocotools.cocoeval import COCOeval

    coco = load(truth)
    ids = {c["name"]: c["id"] for c in coco.dataset["categories"]}
    wanted = sorted(ids[name] for name in (ids if categories is None else categories))
    if not coco.getAnnIds(catIds=wanted):
        raise ValueError("no thing of these categories is in the pictures: there is nothing to find")
    if isinstance(found, list) and not found:
        return {"AP": 0.0, "AP50": 0.0, "AP75": 0.0}
    with contextlib.redirect_stdout(io.StringIO()):
        said = coco.loadRes(found if isinstance(found, list) else str(found))
        judge = COCOeval(coco, said, "bbox")
        judge.params.catIds = wanted
        judge.params.areaRng, judge.params.areaRngLbl = [[0, 1e10]], ["all"]
        judge.evaluate()
        judge.accumulate()
    precision = judge.eval["precision"][:, :, :, 0, -1]  # (IoU .5 … .95, recall, category)
    return {
        name: _mean(part)
        for name, part in (("AP", precision), ("AP50", precision[0]), ("AP75", precision[5]))
    }


def _mean(precision: np.ndarray) -> float:
    """Over what occurs: pycocotools marks a category without a thing by −1."""
    known = precision[precision > -1]
    return float(known.mean()) if len(known) else 0.0
