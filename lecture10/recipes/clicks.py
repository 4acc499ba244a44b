"""Things, their parts and the parts' parts as targets, and clicks on them as SAM's paper simulates them.

A pixel of a bear's pupil belongs to three nested masks: the bear, its head, its eye. Which one a click means
nobody can know. A part is the piece that the clicked pixel lies in: one leg, not all four.
N: prompts; S: side of the picture.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from lecture10.world import cast
from lecture10.world import vocabulary as v
from lecture10.world.render import Picture, render
from lecture10.world.sample import sample

LEVELS = ("whole", "part", "subpart")
LEAST = 6  # pixels: the shorter side of a target's box
ALIKE = 0.9  # a part that fills more than this of its whole is no other target


class Prompts(NamedTuple):
    """Pictures, and N targets in them.

    image: (B, 3, S, S) in [0, 1]; row: (N,) the picture of each target; target: (N, S, S) bool; point: (N, 2)
    the first click, x and y of a pixel inside; level: (N,) index into LEVELS; levels: (N, 3, S, S) bool, all
    that the click could mean, wholes first, empty where there is no such level.
    """

    image: Tensor
    row: Tensor
    target: Tensor
    point: Tensor
    level: Tensor
    levels: Tensor


@cache
def part_numbers(noun: int) -> np.ndarray:
    """(2, strokes + 1) for one noun: the number of the part, and of the subpart, that a stroke belongs to.

    0 where it belongs to none. Strokes are numbered from 1; 0 is beside the drawing.
    """
    pen = cast.figure(v.NOUNS[noun]).pen
    table = np.zeros((2, len(pen.strokes) + 1), dtype=int)
    for number, name in enumerate(cast.parts(v.NOUNS[noun]), start=1):
        depth = name.count(".")
        if depth < 2:
            table[depth, list(pen.strokes_of(name))] = number
    return table


def box_of(mask: np.ndarray) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 of the smallest box around a mask (S, S), in pixels, x1 and y1 the last ones inside."""
    ys, xs = mask.any(1).nonzero()[0], mask.any(0).nonzero()[0]
    return int(xs[0]), int(ys[0]), int(xs[-1]), int(ys[-1])


def large_enough(mask: np.ndarray, least: int = LEAST) -> bool:
    """Whether the shorter side of a mask's box has `least` pixels."""
    if not mask.any():
        return False
    x0, y0, x1, y1 = box_of(mask)
    return min(x1 - x0, y1 - y0) + 1 >= least


def meant(whole: np.ndarray, strokes: np.ndarray, noun: int, y: int, x: int) -> list[np.ndarray]:
    """What a click at (x, y) can mean: the whole (S, S) bool, then its part and subpart there, if any.

    Each is clearly smaller than the one before (at most 0.9 of it) and at least 6 pixels wide and high.
    """
    found, numbers = [whole], part_numbers(noun)
    for table in numbers:
        if not (number := table[strokes[y, x]]):
            continue
        pieces, _ = ndimage.label((table[strokes] == number) & whole, structure=np.ones((3, 3)))
        piece = pieces == pieces[y, x]
        if large_enough(piece) and piece.sum() <= ALIKE * found[-1].sum():
            found.append(piece)
    return found


def levels_at(picture: Picture, b: int, k: int, y: int, x: int) -> list[np.ndarray]:
    """`meant` for a pixel of thing k in picture b."""
    noun = int(picture.batch.noun[b, k])
    return meant(picture.masks[b, k].numpy(), picture.strokes[b, k].numpy(), noun, y, x)


@dataclass(frozen=True)
class Clicks:
    """A batch source: `pictures` scenes, `each` prompts in each of them. Called with a generator: Prompts.

    Half of the prompts are looked for on pixels that mean several things, as far as there are any; each thing
    that a pixel can mean is as likely as the others.
    """

    pictures: int = 8
    each: int = 4
    size: int = 128
    nested: float = 0.5
    knobs: dict = field(default_factory=lambda: {"things": (1, 3), "split": "train"})

    def __call__(self, generator: torch.Generator) -> Prompts:
        """The batch that this generator leads to."""
        picture = render(sample(self.pictures, generator, **self.knobs), self.size, parts=True)
        dice = np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
        return prompts_in(picture, self.each, dice, self.nested)


def prompts_in(picture: Picture, each: int, dice: np.random.Generator, nested: float = 0.5) -> Prompts:
    """`each` random prompts in every picture that shows a thing of 6 pixels or more."""
    rows = []
    masks, strokes, nouns = picture.masks.numpy(), picture.strokes.numpy(), picture.batch.noun.numpy()
    for b in range(len(picture)):
        things = [k for k in range(v.MAX_THINGS) if large_enough(masks[b, k])]
        for _ in range(each if things else 0):
            k = things[dice.integers(len(things))]
            rows.append((b, *_one(masks[b, k], strokes[b, k], int(nouns[b, k]), dice, nested)))
    if not rows:
        raise ValueError(
            f"no thing here is {LEAST} pixels wide and high: render larger, or draw larger things"
        )
    row, targets, points, level, levels = zip(*rows, strict=True)
    stack = [torch.from_numpy(np.stack(part)) for part in (targets, points, levels)]
    return Prompts(
        picture.image, torch.tensor(row), stack[0], stack[1].float(), torch.tensor(level), stack[2]
    )


def _one(whole, strokes, noun, dice, nested):
    """One prompt on a thing: target, click (x, y), level, all levels (3, S, S)."""
    inside = whole
    if dice.random() < nested:
        parted = whole & (part_numbers(noun)[0][strokes] > 0)
        inside = parted if parted.any() else whole
    ys, xs = inside.nonzero()
    i = dice.integers(len(ys))
    found = meant(whole, strokes, noun, ys[i], xs[i])
    level = dice.integers(len(found))
    levels = np.zeros((len(LEVELS), *whole.shape), dtype=bool)
    levels[: len(found)] = found
    return found[level], np.array([xs[i], ys[i]]), int(level), levels


def ceiling(levels: Tensor) -> Tensor:
    """The best that ONE mask can reach on average where a click means each of its levels equally often.

    levels: (N, 3, S, S) as in Prompts. Of two nested masks with areas 1 and r each answer gives (1 + r) / 2;
    of three the best of them counts: the whole (1 + r₁ + r₂) / 3, the middle (r₁ + 1 + r₂ / r₁) / 3, or the
    smallest (r₂ + r₂ / r₁ + 1) / 3. No mask in between does better: IoU with the larger falls in proportion,
    IoU with the smaller as 1 / area, and their sum is convex. Returns (N,).
    """
    area = levels.sum((-2, -1)).double()  # (N, 3), falling, 0 where there is no such level
    ratio = torch.minimum(area[:, None], area[:, :, None]) / torch.maximum(
        area[:, None], area[:, :, None]
    ).clamp(min=1)  # (N, answer, meant): IoU of nested masks
    return ratio.sum(2).amax(1) / (area > 0).sum(1)


def next_click(
    mask: Tensor, target: Tensor, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """The paper's next click in training: a random pixel of where mask and target differ.

    mask, target: (N, S, S) bool. Returns points (N, 2), x and y, and labels (N,): 1 where something is
    missing, 0 where something is too much, -1 where nothing is wrong.
    """
    wrong = (mask != target).flatten(1)
    lots = torch.rand(wrong.shape, generator=generator) * wrong
    best, place = lots.max(1)
    return _click(best > 0, place, target)


def central_click(mask: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """The paper's next click in evaluation: the pixel of the error region that lies farthest from its border.

    As `next_click`. With an empty mask it is the centre of the object, the "center point" of the slide.
    """
    wrong = np.pad((mask != target).numpy(), ((0, 0), (1, 1), (1, 1)))  # the picture's edge is a border too
    depth = np.stack([ndimage.distance_transform_edt(each)[1:-1, 1:-1] for each in wrong])
    depth = torch.from_numpy(depth).flatten(1)
    best, place = depth.max(1)
    return _click(best > 0, place, target)


def _click(any_wrong: Tensor, place: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    side = target.shape[-1]
    points = torch.stack([place % side, place // side], 1).float()
    label = target.flatten(1).gather(1, place[:, None])[:, 0].long()
    return points, torch.where(any_wrong, label, -1)


def noisy_boxes(target: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Boxes (N, 4) around targets (N, S, S), x0, y0, x1, y1 in pixels, each side moved a little.

    As in the paper: noise of a tenth of the box's side as standard deviation, 20 pixels at most.
    """
    side = target.shape[-1]
    boxes = torch.tensor([box_of(mask) for mask in target.numpy()], dtype=torch.float32)
    extent = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
    noise = (torch.randn(boxes.shape, generator=generator) * 0.1 * extent).clamp(-20, 20)
    moved = (boxes + noise).clamp(0, side - 1)
    fine = (moved[:, 2:] > moved[:, :2]).all(1, keepdim=True)
    return torch.where(fine, moved, boxes)
