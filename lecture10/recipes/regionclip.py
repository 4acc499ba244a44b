"""RegionCLIP at laptop size: the shipped CLIP teaches it. Rebuilds the shipped checkpoint:

python -m lecture10.recipes.regionclip
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor
from torchvision.ops import box_iou

from lecture10.devices import pick_device
from lecture10.models.clip import CLIP
from lecture10.models.contrastive import same_texts
from lecture10.models.proposals import ProposalNet
from lecture10.models.regionclip import (
    NO_LABEL,
    RegionCLIP,
    distillation_loss,
    image_text_loss,
    pseudo_labels,
    read_places,
    region_text_loss,
    soft_scores,
    whole,
)
from lecture10.paths import data_folder, data_path
from lecture10.recipes import clip as clip_recipe
from lecture10.recipes import proposals as proposals_recipe
from lecture10.recipes.captions import Pairs, clean, encode
from lecture10.recipes.clip import CLASSES
from lecture10.recipes.proposals import SCENES, things_seen
from lecture10.recipes.regions import (
    concept_embeddings,
    concept_pool,
    embed_regions,
    label_of,
    regions,
    shares,
)
from lecture10.training import Card, History, TrainSettings, load_weights, save_weights, train
from lecture10.world import WORLD_VERSION
from lecture10.world.render import render

NAME = "checkpoints/regionclip"
DATA = f"{WORLD_VERSION}/regions"
SETTINGS = TrainSettings(steps=1500, lr=2e-3, weight_decay=0.1, betas=(0.9, 0.98))
COMMAND = "python -m lecture10.recipes.regionclip"
ON_THING = 0.5  # a proposal shows the thing that it overlaps with this IoU or more


@dataclass(frozen=True)
class Lessons:
    """Draws (images (n, 3, S, S), ids (n, T), groups (n,), boxes_xyxy (n, 6, 4), labels (n, 6)).

    Scenes of two to four things with whole captions. Boxes and labels (positions in CLASSES, NO_LABEL where
    nothing is seen) are the truth: a student that is taught by CLIP is not shown them.
    """

    n: int = 32
    size: int = 64
    knobs: dict = field(default_factory=lambda: dict(SCENES))

    def __call__(self, generator: torch.Generator) -> tuple[Tensor, ...]:
        """The batch that this generator leads to."""
        scenes, texts = Pairs(self.n, self.size, knobs=self.knobs).words(generator)
        picture = render(scenes, self.size)
        labels = label_of(scenes.noun, scenes.colour).masked_fill(~things_seen(picture), NO_LABEL)
        return picture.image, encode(texts), same_texts(list(map(clean, texts))), picture.boxes, labels


class Teacher:
    """What the student is taught with: a frozen CLIP, its concepts, and class-free proposals.

    clip: the teacher; it reads regions off its map (`read_places`), its best reading on dev pairs.
    """

    def __init__(self, clip: CLIP, proposals: ProposalNet, *, most: int = 5):
        self.clip, self.proposals, self.most = clip.eval(), proposals.eval(), most
        self.pool = concept_pool()
        self.concepts = concept_embeddings(clip, self.pool)  # (C, E)
        self.scale = float(clip.held_logit_scale().detach().exp())

    @torch.no_grad()
    def regions(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Proposals: boxes_xyxy (R, 4), of (R,); the whole picture where a batch has none."""
        boxes, of, _ = self.proposals.propose(images, self.most)
        return (boxes, of) if len(boxes) else whole(len(images), images)

    @torch.no_grad()
    def scores(self, images: Tensor, boxes_xyxy: Tensor, of: Tensor) -> Tensor:
        """(R, C) soft scores of the concepts."""
        return soft_scores(read_places(self.clip, images, boxes_xyxy, of), self.concepts, self.scale)

    @torch.no_grad()
    def texts(self, ids: Tensor) -> Tensor:
        """(n, E) captions' embeddings."""
        return self.clip.embed_texts(ids)


def true_labels(
    boxes_xyxy: Tensor, of: Tensor, true_boxes: Tensor, true: Tensor, pool: tuple[str, ...]
) -> Tensor:
    """An oracle's labels of proposals: (R,) positions in the pool of the things that they show, or NO_LABEL.

    true_boxes: (n, 6, 4); true: (n, 6) positions in CLASSES.
    """
    overlap = box_iou(boxes_xyxy, true_boxes.flatten(0, 1)).unflatten(1, true.shape)  # (R, n, 6)
    mine = overlap[torch.arange(len(of)), of].masked_fill(true[of] == NO_LABEL, 0)  # (R, 6)
    best, k = mine.max(1)
    place = {name: at for at, name in enumerate(pool)}
    table = torch.tensor([place.get(name, NO_LABEL) for name in CLASSES], device=true.device)
    return table[true[of, k].clamp(min=0)].masked_fill(best < ON_THING, NO_LABEL)


@dataclass(frozen=True)
class Loss:
    """The three losses, added. teacher: who names the regions; threshold: labels below it are not used.

    oracle: the true names take the place of the teacher's, and there is nothing to distil.
    """

    teacher: Teacher
    threshold: float = 0.0
    oracle: bool = False

    def __call__(self, student: RegionCLIP, batch: tuple[Tensor, ...]) -> tuple[Tensor, dict[str, float]]:
        """The sum, and each part, in nats."""
        images, ids, groups, true_boxes, true = batch
        teacher, l = self.teacher, self.teacher.concepts
        boxes, of = teacher.regions(images)
        frames, each = whole(len(images), images)
        v, I = student(images, torch.cat([boxes, frames]), torch.cat([of, each])).split(
            [len(of), len(images)]
        )
        parts = {"image_text": image_text_loss(I, teacher.texts(ids), teacher.scale, groups)}
        if self.oracle:
            labels = true_labels(boxes, of, true_boxes, true, teacher.pool)
        else:
            q = teacher.scores(images, boxes, of)
            labels, _ = pseudo_labels(q, self.threshold)
            parts["distillation"] = distillation_loss(v, l, q, teacher.scale)
        parts["region_text"] = region_text_loss(v, l, labels, teacher.scale)
        return sum(parts.values()), {name: float(part.detach()) for name, part in parts.items()}


def teacher(device: str | None = None) -> Teacher:
    """The shipped CLIP and the shipped proposals. Raises WeightsError where one cannot be used."""
    return Teacher(clip_recipe.load(device), proposals_recipe.load(device))


def learn(
    teacher: Teacher,
    settings: TrainSettings = SETTINGS,
    *,
    seed: int = 0,
    batches: Lessons | None = None,
    threshold: float = 0.0,
    oracle: bool = False,
    **how,
) -> tuple[RegionCLIP, History]:
    """A student that begins as the teacher's CLIP, trained on `batches`; `how` is handed to `train`."""
    student = RegionCLIP.beginning_as(teacher.clip).to(memory_format=torch.channels_last)
    how = {"label": "regionclip", "unit": "pictures"} | how
    return student, train(
        student, Loss(teacher, threshold, oracle), batches or Lessons(), settings, seed=seed, **how
    )


def region_accuracy(
    student: RegionCLIP, teacher: Teacher, split: str = "dev", *, n: int = 300, seed: int = 3000
):
    """True boxes of fresh scenes, named among all 300: the share that is right."""
    found = regions(split, n, seed)
    return shares(embed_regions(student, found), concept_embeddings(teacher.clip), found.labels)["both"]


def ship(
    student: RegionCLIP, teacher: Teacher, path, *, seed: int, steps: int, minutes: float, n: int = 300
) -> Card:
    """Measure a trained student on dev and test pairs and write it with its card to `path`.

    What is measured is what is shipped: the weights are rounded to fp16 first.
    """
    half = student.half().float().eval()
    metrics = {
        f"{s}_regions_300": round(region_accuracy(half, teacher, s, n=n), 4) for s in ("train", "dev", "test")
    }
    card = Card(
        architecture="regionclip", config=half.config, seed=seed, steps=steps, data_version=DATA,
        metrics=metrics, minutes=round(minutes, 1), command=COMMAND, half=True,
    )  # fmt: skip
    return save_weights(half, path, card)


def build(path=None, settings: TrainSettings = SETTINGS, seed: int = 0, **how) -> Card:
    """Train the shipped student and write it with its card to `data/checkpoints/regionclip` (or `path`)."""
    taught_by = teacher("cpu")
    student, history = learn(taught_by, settings, seed=seed, device="cpu", **how)
    if history.interrupted:
        raise KeyboardInterrupt("stopped before the end: nothing was shipped; the same command goes on")
    where = path or data_folder() / NAME
    return ship(student, taught_by, where, seed=seed, steps=history.done, minutes=history.minutes)


def load(device: str | None = None) -> RegionCLIP:
    """The shipped student, in eval mode. Raises WeightsError, with the command that rebuilds it."""
    student = RegionCLIP(clip_recipe.CONFIG)
    load_weights(student, data_path(f"{NAME}.safetensors"), architecture="regionclip", data_version=DATA)
    return student.eval().to(pick_device(device))


if __name__ == "__main__":
    print(build(checkpoint=f"runs/regionclip-{DATA.replace('/', '-')}").metrics)
