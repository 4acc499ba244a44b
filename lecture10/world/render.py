"""Scenes to pictures: batched torch on CPU or GPU, at any size from 16 pixels; same seeds, same pictures.

Each thing is painted, turned and shifted on a small patch of its own (bilinear), and the patches are laid
over the backdrop from back to front. The truth comes along: what is visible of each thing, its box, its
parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from lecture10.world import cast, geometry, lettering, styles
from lecture10.world import vocabulary as v
from lecture10.world.backdrops import VARIANTS, backdrops
from lecture10.world.batch import SceneBatch
from lecture10.world.scene import Scene
from lecture10.world.sprites import FRAME, bank

SMALLEST = 16  # pixels: below this nothing can be told apart
UNDER = 4  # channel of a painted sprite: what it darkens beneath itself


@dataclass(frozen=True, eq=False)
class Picture:
    """B pictures of S × S pixels and their truth.

    image: (B, 3, S, S) in [0, 1]; masks: (B, 6, S, S) bool, where each thing is seen; boxes: (B, 6, 4)
    xyxy in [0, 1], tight around the masks, zeros where nothing of a thing is seen; visible: (B, 6) in [0,
    1], the share of a thing that is not hidden by others (0 where there is no thing). A pixel belongs to
    the foremost thing that covers more than half of it. strokes: with parts=True, (B, 6, S, S) uint8, the
    stroke of each thing's drawing at each pixel, hidden or not.
    """

    image: Tensor
    masks: Tensor
    boxes: Tensor
    visible: Tensor
    batch: SceneBatch
    strokes: Tensor | None = None

    def part(self, b: int, k: int, name: str) -> Tensor:
        """(S, S) bool: where one part (or subpart: "head.eye") of thing k in picture b is seen."""
        if self.strokes is None:
            raise ValueError("the parts were not rendered: call render(..., parts=True)")
        noun = v.NOUNS[self.batch.noun[b, k]]
        v.index_of(f"part of a {noun}", name, cast.parts(noun))
        numbers = torch.tensor(cast.figure(noun).pen.strokes_of(name), device=self.strokes.device)
        return torch.isin(self.strokes[b, k], numbers) & self.masks[b, k]

    def parts(self, b: int, k: int) -> dict[str, Tensor]:
        """All parts of thing k in picture b by name, wholes before their parts; those unseen are left out."""
        masks = {name: self.part(b, k, name) for name in cast.parts(v.NOUNS[self.batch.noun[b, k]])}
        return {name: mask for name, mask in masks.items() if mask.any()}

    def __len__(self) -> int:
        return len(self.image)


@torch.no_grad()
def render(
    scenes: SceneBatch | Scene | Sequence[Scene], size: int = 64, *, parts=False, device=None
) -> Picture:
    """Paint scenes at size × size pixels (≥ 16) on `device` (default: where the batch is).

    Raises ValueError for a size below 16.
    """
    if size < SMALLEST:
        raise ValueError(
            f"a picture of {size} pixels is too small to see anything: ask for {SMALLEST} or more"
        )
    if isinstance(scenes, Scene):
        scenes = [scenes]
    batch = scenes if isinstance(scenes, SceneBatch) else SceneBatch.from_scenes(scenes)
    device = torch.device(device) if device is not None else batch.noun.device
    shot = _Shot(batch.to("cpu"), size, device)
    for layer in range(shot.depth):
        for patch in shot.patches:
            patch.lay(layer)
    return shot.picture(batch.to(device), parts)


class _Shot:
    """One call of `render`: the canvas, and who owns each pixel, so far. Geometry is computed on the CPU.

    canvas: (B·S·S + 1, 3); owner: (B·S·S + 1,) uint8, bit k for thing k, 0 for the backdrop. The last row
    takes what falls outside the pictures (shadows, corners of patches).
    """

    def __init__(self, batch: SceneBatch, size: int, device: torch.device):
        self.batch, self.size, self.device = batch, size, device
        self.depth = int(batch.count.max())
        self.row, self.slot = (batch.noun >= 0).nonzero(as_tuple=True)  # (T,) which scene, which thing
        self.layer = batch.layer[self.row, self.slot]
        self.places = placed(batch)  # (3, B, 6) x, y, degrees
        self.place = self.places[:, self.row, self.slot]  # (3, T)
        self.noun, self.side = batch.noun[self.row, self.slot], _sides(batch)[self.row, self.slot]
        pixels = len(batch) * size * size
        self.canvas = torch.empty(pixels + 1, 3, device=device)
        _fill_backdrop(self.canvas[:pixels].view(len(batch), size, size, 3), batch)
        self.owner = torch.zeros(pixels + 1, dtype=torch.uint8, device=device)
        self.channels = styles.channels(batch.style)
        self.paint = styles.paint_table(device)[..., : self.channels]
        self.patches = [_Patch(self, group) for group in _groups(self.side, self.place[2])]

    def picture(self, batch: SceneBatch, parts: bool) -> Picture:
        """Develop the canvas and read the truth off the owners."""
        n, s = len(batch), self.size
        image = styles.develop(self.canvas[:-1].view(n, s, s, 3).permute(0, 3, 1, 2), batch.seed, batch.style)
        owner = self.owner[:-1].view(n, s, s)
        bit = (2 ** torch.arange(v.MAX_THINGS, device=self.device)).to(torch.uint8)
        masks = (owner[:, None] & bit[:, None, None]) > 0
        visible = torch.zeros(n, v.MAX_THINGS, device=self.device)
        self.owner[-1] = 0
        for patch in self.patches:
            patch.measure(visible)
        lettering.write(image, self.batch, masks, self.places)
        return Picture(image, masks, _boxes(owner, bit), visible, batch, self._strokes() if parts else None)

    def _strokes(self) -> Tensor:
        shape = (len(self.batch), v.MAX_THINGS, self.size, self.size)
        drawn = torch.zeros(shape, dtype=torch.uint8, device=self.device)
        for patch in self.patches:
            patch.draw_strokes(drawn)
        return drawn


class _Patch:
    """The things of a shot that share one sprite size:
    painted and moved onto small squares, ready to be laid.
    """

    def __init__(self, shot: _Shot, group: Tensor):
        self.shot, self.group, size = shot, group, shot.size
        self.b, self.k = shot.row[group], shot.slot[group]
        side = max(8, round(float(shot.side[group[0]]) * FRAME * size))
        x, y, degrees = shot.place[:, group]
        turn = torch.deg2rad(degrees)
        cos, sin = torch.cos(turn), torch.sin(turn)
        self.width = int(float((cos.abs() + sin.abs()).max()) * side / FRAME + 0.1 * side + 2.999)
        corner = torch.round(
            torch.stack([x, y], 1) * size - self.width / 2
        )  # (n, 2) first pixel, in the picture
        offset = (torch.arange(self.width) + 0.5)[None]
        dx = offset + corner[:, :1] - x[:, None] * size  # (n, width) from the thing's centre, pixels
        dy = offset + corner[:, 1:] - y[:, None] * size
        unit = 2 / (shot.side[group] * FRAME * size)[:, None, None]
        mirror = 1 - 2 * shot.batch.flip[self.b, self.k].float()[:, None, None]
        c, s = cos[:, None, None], sin[:, None, None]
        u = mirror * unit * (c * dx[:, None, :] - s * dy[:, :, None])
        w = unit * (s * dx[:, None, :] + c * dy[:, :, None])
        self.grid = torch.stack([u, w], -1).to(shot.device)  # (n, width, width, 2) in the sprite's own square
        self.index = self._pixels(corner.long()).to(shot.device)
        self.bank = bank(side, shot.device)
        self.bank.need(shot.noun[group].unique().tolist())
        self.bits = (2**self.k).to(shot.device, torch.uint8)[:, None]
        self.area = torch.zeros(len(group), device=shot.device)

    def _pixels(self, corner: Tensor) -> Tensor:
        """(n, width²) each patch pixel's row on the canvas;
        the last row where it falls outside the picture.
        """
        size = self.shot.size
        step = torch.arange(self.width)
        x, y = corner[:, :1] + step, corner[:, 1:] + step  # (n, width)
        row = self.b[:, None] * size + y
        index = row[:, :, None] * size + x[:, None, :]
        inside = ((x >= 0) & (x < size))[:, None, :] & ((y >= 0) & (y < size))[:, :, None]
        return index.masked_fill_(~inside, len(self.shot.owner) - 1).flatten(1)

    def _painted(self, rows: Tensor) -> Tensor:
        """(n, 5, width²): R, G, B (premultiplied), alpha, under."""
        shot, b, k = self.shot, self.b[rows], self.k[rows]
        device, side = shot.device, self.bank.side
        paint = shot.paint[shot.batch.style[b].to(device), shot.batch.colour[b, k].to(device)]
        noun, material = shot.noun[self.group[rows]].to(device), shot.batch.material[b, k].to(device)
        sprites = self.bank.sprites[:, :, : shot.channels][noun, material]
        painted = torch.bmm(paint, sprites.flatten(2)).view(len(rows), 5, side, side)
        return F.grid_sample(
            painted, self.grid[rows.to(device)], mode="bilinear", align_corners=False
        ).flatten(2)

    def lay(self, layer: int) -> None:
        """Lay the things of one layer over what is there."""
        shot = self.shot
        rows = (shot.layer[self.group] == layer).nonzero()[:, 0]
        if not len(rows):
            return
        painted = self._painted(rows)
        rows = rows.to(shot.device)
        index, alpha = self.index[rows].flatten(), painted[:, 3]
        keep = (1 - alpha) * (1 - painted[:, UNDER])
        over = torch.minimum(painted[:, :3].clamp_(min=0), painted[:, 3:4]).transpose(1, 2)
        below = shot.canvas.index_select(0, index).view(len(rows), -1, 3)
        shot.canvas.index_copy_(0, index, below.mul_(keep[..., None]).add_(over).view(-1, 3))
        solid = alpha > 0.5
        self.area[rows] = solid.sum(1).float()
        owner = shot.owner.index_select(0, index).view_as(solid)
        shot.owner.index_copy_(0, index, torch.where(solid, self.bits[rows], owner).flatten())

    def measure(self, visible: Tensor) -> None:
        """Write down the share of each thing that is still seen."""
        seen = (self.shot.owner.index_select(0, self.index.flatten()).view_as(self.index) == self.bits).sum(1)
        device = visible.device
        visible[self.b.to(device), self.k.to(device)] = (seen / self.area.clamp(min=1)).clamp(max=1.0)

    def draw_strokes(self, drawn: Tensor) -> None:
        """Write each thing's stroke numbers into drawn (B, 6, S, S)."""
        shot = self.shot
        maps = self.bank.strokes[shot.noun[self.group].to(shot.device)][:, None].float()
        values = (
            F.grid_sample(maps, self.grid, mode="nearest", align_corners=False).to(torch.uint8).flatten(1)
        )
        size2 = shot.size**2
        b, k = self.b.to(shot.device)[:, None], self.k.to(shot.device)[:, None]
        inside = self.index < len(shot.owner) - 1
        index = (b * v.MAX_THINGS + k) * size2 + self.index - b * size2
        drawn.view(-1)[index[inside]] = values[inside]


def _sides(batch: SceneBatch) -> Tensor:
    """(B, 6) the longer side of each thing, as a share of the picture's."""
    return geometry.measures()["side"][batch.noun.clamp(min=0), batch.size.clamp(min=0)]


def placed(batch: SceneBatch) -> Tensor:
    """(3, B, 6) x, y and degrees, with the style's tilt;
    a tilted thing is moved inwards until it is whole.
    """
    touching = _touching(batch)
    degrees = batch.rotation + styles.tilt(batch.seed, batch.style, touching)
    n, s = batch.noun.clamp(min=0), batch.size.clamp(min=0)
    width, height = (geometry.measures()[name][n, s] for name in ("width", "height"))
    c, s = torch.deg2rad(degrees).cos().abs(), torch.deg2rad(degrees).sin().abs()
    half_x, half_y = (
        ((width * c + height * s) / 2).clamp(max=0.5),
        ((width * s + height * c) / 2).clamp(max=0.5),
    )
    moved = (batch.style == styles.STAGED)[:, None]
    x = torch.where(moved, batch.x.clamp(half_x, 1 - half_x), batch.x)
    y = torch.where(moved, batch.y.clamp(half_y, 1 - half_y), batch.y)
    return torch.stack([x, y, degrees])


def _touching(batch: SceneBatch) -> Tensor:
    """(B, 6) bool: things that are on or riding another, or bear one."""
    contact = batch.relation[..., 1] >= len(v.DIRECTIONS)  # (B, R)
    slots = torch.where(contact[..., None], batch.relation[..., [0, 2]], v.MAX_THINGS).flatten(1)
    return torch.zeros(len(batch), v.MAX_THINGS + 1, dtype=torch.bool).scatter(1, slots, True)[
        :, : v.MAX_THINGS
    ]


def _groups(side: Tensor, degrees: Tensor) -> list[Tensor]:
    """Indices of things of one sprite size; strongly turned ones apart, since they need larger patches."""
    key = side + 10.0 * (degrees.abs() > 15)
    return [(key == value).nonzero()[:, 0] for value in key.unique()]


def _fill_backdrop(canvas: Tensor, batch: SceneBatch) -> None:
    """Write the bare backdrops into canvas (B, S, S, 3)."""
    size, device = canvas.shape[1], canvas.device
    variant = (styles.luck(batch.seed, batch.style, 5) * VARIANTS).long()
    kind = batch.style * len(v.BACKDROPS) + batch.backdrop
    for value in kind.unique().tolist():
        rows = (kind == value).nonzero()[:, 0].to(device)
        style, name = v.STYLES[value // len(v.BACKDROPS)], v.BACKDROPS[value % len(v.BACKDROPS)]
        canvas[rows] = backdrops(name, style, size, device)[variant.to(device)[rows]]


def _boxes(owner: Tensor, bit: Tensor) -> Tensor:
    """(B, 6, 4) xyxy in [0, 1]: the outer edges of the pixels that each thing owns;
    zeros where it owns none.
    """
    size = owner.shape[-1]
    edges = []
    for dim in (1, 2):  # rows collapsed: the columns that hold a thing; then the rows
        line = ((_either(owner, dim)[:, None] & bit[:, None]) > 0).to(torch.uint8)  # (B, 6, S)
        first, last = line.argmax(-1), size - line.flip(-1).argmax(-1)
        edges += [(first / size, last / size)]
    (x0, x1), (y0, y1) = edges
    return torch.stack([x0, y0, x1, y1], -1) * line.any(-1, keepdim=True)


def _either(bits: Tensor, dim: int) -> Tensor:
    """Bitwise or along one dimension, by halves."""
    while (n := bits.shape[dim]) > 1:
        half = (n + 1) // 2
        bits = bits.narrow(dim, 0, half) | bits.narrow(dim, n - half, half)
    return bits.squeeze(dim)
