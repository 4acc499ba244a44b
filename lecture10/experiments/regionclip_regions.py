"""Regions of many-thing scenes, their true boxes given: a frozen CLIP, a student of its guesses, an oracle's.

One teacher for all seeds, the shipped CLIP; with it the shipped proposals. A seed draws the students'
training scenes and the test scenes afresh. Three students a seed, equal in all but the labels: all of the
teacher's guesses; only those that it is sure of; the truth.
"""

import torch

from lecture10.claims import Claim, Row, difference, ordering
from lecture10.models.regionclip import NO_LABEL, pseudo_labels
from lecture10.recipes import clip as clip_recipe
from lecture10.recipes.regionclip import Lessons, Teacher, learn, teacher, true_labels
from lecture10.recipes.regions import concept_embeddings, embed_regions, readings, regions, shares
from lecture10.training import TrainSettings
from lecture10.zero_shot import accuracy, embed_images

SETTINGS = TrainSettings(steps=300, lr=2e-3, weight_decay=0.1, betas=(0.9, 0.98))
SCENES = 300  # test scenes of each split, about 890 regions
TEST_SEED = 600_000  # test pictures of seed s are drawn from TEST_SEED + 1000 s on
SPLITS = {"train": "seen pairs", "test": "test pairs"}
THRESHOLD = 0.9  # keeps about half of the labels on dev pictures
THRESHOLDS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
STUDENT, SURE, ORACLE = "student", "sure labels only", "oracle labels"
CROP, MAP, TEACHER = "crop", "CLIP's map", "CLIP's places"  # the last is the teacher's reading

ONE_TEACHER = "another teacher: one CLIP taught all seeds, so that the interval is not about teachers"
GAP = Claim(
    "regionclip.gap",
    slide="RegionCLIP: CLIP on regions",
    says="The same CLIP names whole pictures of one thing far more often than crops of true boxes.",
    effect=difference("whole picture of one thing", CROP, metric="top-1, test pairs"),
    margin=0.1,
    paper="about 60 % on ImageNet, 19 % on LVIS regions with true boxes",
    expects="shown",
    does_not_test=f"{ONE_TEACHER}; real crops, which are larger than 18 pixels",
    minutes=10,
    seeds=5,
    pixels=64,
    runs=3,
)
BOXES = Claim(
    "regionclip.gtboxes",
    slide="RegionCLIP: zero-shot inference with true boxes",
    table="regionclip_top3.csv",
    says="With true boxes given, the student names test pairs more often than CLIP's map does, and that more "
    "often than CLIP on crops.",
    effect=ordering(STUDENT, MAP, CROP, metric="top-1, test pairs"),
    margin=0.05,
    expects="shown",
    does_not_test=f"{ONE_TEACHER}; detection, where boxes have to be found",
    minutes=10,
    seeds=5,
    pixels=64,
    runs=3,
)
TEACHERS = Claim(
    "regionclip.teacher",
    slide="RegionCLIP: pseudo-labels",
    says="The student names test pairs more often than the very reading that made its pseudo-labels.",
    effect=difference(STUDENT, TEACHER, metric="top-1, test pairs"),
    margin=0.05,
    expects="no difference",
    does_not_test=f"{ONE_TEACHER}; a teacher whose errors are less alike than this one's",
    minutes=10,
    seeds=5,
    pixels=64,
    runs=3,
)
TRUTH = Claim(
    "regionclip.oracle",
    slide="RegionCLIP: pseudo-labels",
    says="True labels in the place of the teacher's guesses make a better student, also of test pairs.",
    effect=difference(ORACLE, STUDENT, metric="top-1, test pairs"),
    margin=0.05,
    expects="shown",
    does_not_test=f"{ONE_TEACHER}; people's labels, which have errors of their own",
    minutes=10,
    seeds=5,
    pixels=64,
    runs=3,
)
SURER = Claim(
    "regionclip.threshold",
    slide="RegionCLIP: pseudo-labels",
    says="A student that is given only the labels of which the teacher is 90 % sure names test pairs more "
    "often than one that is given them all.",
    effect=difference(SURE, STUDENT, metric="top-1, test pairs"),
    margin=0.02,
    expects="no difference",
    does_not_test=f"{ONE_TEACHER}; noise that distillation does not soften: both students have it too",
    minutes=10,
    seeds=5,
    pixels=64,
    runs=3,
)
CLAIMS = (GAP, BOXES, TEACHERS, TRUTH, SURER)


def run(seed: int) -> list[Row]:
    """One paired seed: the readings of the frozen CLIP, and three students on the same fresh scenes."""
    taught_by = teacher()
    students = {STUDENT: {}, SURE: {"threshold": THRESHOLD}, ORACLE: {"oracle": True}}
    reads = dict(readings(taught_by.clip))
    for name, how in students.items():
        reads[name], _ = learn(taught_by, SETTINGS, seed=seed, quiet=True, label=name, **how)
    classes, first = concept_embeddings(taught_by.clip), TEST_SEED + 1000 * seed
    rows = whole_pictures(taught_by, classes, seed, first)
    for k, (split, pairs) in enumerate(SPLITS.items()):
        found = regions(split, SCENES, first + 1 + k)
        for name, read in reads.items():
            right = shares(embed_regions(read, found), classes, found.labels)
            rows.append(Row(name, f"top-1, {pairs}", right["both"], seed, n=len(found)))
            rows.append(Row(name, f"noun, {pairs}", right["noun"], seed, n=len(found)))
    return rows + labels_by_confidence(taught_by, seed, first + 3)


def whole_pictures(taught_by: Teacher, classes, seed: int, first: int) -> list[Row]:
    """CLIP on what it was trained for: whole pictures, one thing each."""
    rows = []
    for split, pairs in SPLITS.items():
        images, labels = clip_recipe.one_thing_each(split, 20 if split == "test" else 3, 64, first + 10)
        right = accuracy(embed_images(taught_by.clip, images) @ classes.T, labels)
        rows.append(Row("whole picture of one thing", f"top-1, {pairs}", right, seed, n=len(labels)))
    return rows


def labels_by_confidence(taught_by: Teacher, seed: int, draw: int) -> list[Row]:
    """Of proposals that show a thing: the share of labels kept at each threshold, and of these right."""
    images, _, _, true_boxes, true = Lessons(SCENES)(torch.Generator().manual_seed(draw))
    boxes, of = taught_by.regions(images)
    truth = true_labels(boxes, of, true_boxes, true, taught_by.pool)
    labels, sure = pseudo_labels(taught_by.scores(images, boxes, of))
    labels, sure, truth = (x[truth != NO_LABEL] for x in (labels, sure, truth))
    rows = []
    for threshold in THRESHOLDS:
        kept = sure >= threshold
        right = (labels == truth)[kept].float().mean() if kept.any() else 0.0
        rows.append(Row("pseudo-labels", "share kept", kept.float().mean(), seed, threshold, len(kept)))
        rows.append(Row("pseudo-labels", "share right of these", right, seed, threshold, int(kept.sum())))
    return rows
