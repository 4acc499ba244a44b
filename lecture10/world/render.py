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
OWNER = 3  # plane of the canvas after R, G, B: which thing is seen
UNDER = 4  # channel of a painted sprite: what it darkens beneath itself


@dataclass(frozen=True, eq=False)
class Picture:
    """B pictures of S × S pixels and their truth.

    image: (B, 3, S, S) in [0, 1]; masks: (B, 6, S, S) bool, where each thing is seen; boxes: (B, 6, 4)
    xyxy in [0, 1], tight around the masks, zeros where nothing of a thing is seen; visible: (B, 6) in [0,
    1], the share of a thing that is not hidden by others (0 where there is no thing). A pixel belongs to
    the foremost thing that covers more than half of it. strokes: with parts=True, (B, 6, S, S) uint8, the
    stroke of each thing's drawing at each pixel, hidden or not. owner: (B, S, S) uint8, the masks in one
    byte: 2**k where thing k is seen, 0 for the backdrop.
    """

    image: Tensor
    masks: Tensor
    boxes: Tensor
    visible: Tensor
    batch: SceneBatch
    strokes: Tensor | None = None
    owner: Tensor | None = None

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
    for patch in shot.patches:
        patch.lay()
    return shot.picture(batch.to(device), parts)


class _Shot:
    """One call of `render`: the canvas so far, and the patches in the order in which they are laid.

    canvas: (B, 4, H, H) planes R, G, B and OWNER (2**k where thing k is seen, 0 for the backdrop), with a
    margin around the S × S pixels of the picture so that every patch lies on it whole. inner: the picture
    alone, a view. Geometry is computed on the CPU.
    """

    def __init__(self, batch: SceneBatch, size: int, device: torch.device):
        self.batch, self.size, self.device = batch, size, device
        self.places = placed(batch)  # (3, B, 6) x, y, degrees
        self.channels = styles.channels(batch.style)
        self.paint = styles.paint_table(device)[..., : self.channels]
        self.patches = self._patches()
        self.margin = max((patch.overhang() for patch in self.patches), default=0)
        self.height = size + 2 * self.margin
        self.canvas = torch.empty(len(batch), OWNER + 1, self.height, self.height, device=device)
        middle = slice(self.margin, self.margin + size)
        self.inner = self.canvas[..., middle, middle]
        for picture, ground in zip(self.inner, _backdrops(batch, size, device), strict=True):
            picture[:OWNER] = ground
        self.canvas[:, OWNER] = 0

    def _patches(self) -> list["_Patch"]:
        """Things of one layer and one sprite size together, the layers from back to front."""
        row, slot = (self.batch.noun >= 0).nonzero(as_tuple=True)  # (T,) which scene, which thing
        layer = self.batch.layer[row, slot]
        x, y, degrees = self.places[:, row, slot]
        side, turn = _sides(self.batch)[row, slot], torch.deg2rad(degrees)
        cos, sin = torch.cos(turn), torch.sin(turn)
        flip = 1 - 2 * self.batch.flip[row, slot].float()
        patches = []
        for group in _groups(side, degrees):
            sprite = max(8, round(float(side[group[0]]) * FRAME * self.size))
            spread = float((cos[group].abs() + sin[group].abs()).max())  # how much wider turned things are
            width = int(spread * sprite / FRAME + 0.1 * sprite + 2.999)
            for number in layer[group].unique().tolist():
                t = group[layer[group] == number]
                stand = torch.stack([x[t], y[t], cos[t], sin[t], flip[t], side[t]])
                patches.append((number, _Patch(self, row[t], slot[t], sprite, width, stand)))
        return [patch for _, patch in sorted(patches, key=lambda pair: pair[0])]

    def picture(self, batch: SceneBatch, parts: bool) -> Picture:
        """Develop the canvas and read the truth off the owners."""
        image = styles.develop(self.inner[:, :OWNER], batch.seed, batch.style)
        owner = self.inner[:, OWNER].to(torch.uint8)
        masks = owned(owner)
        lettering.write(image, self.batch, masks, self.places)
        strokes = self._strokes() if parts else None
        return Picture(image, masks, _boxes(owner), self._visible(owner), batch, strokes, owner)

    def _visible(self, owner: Tensor) -> Tensor:
        """(B, 6) the share of each thing that is still seen."""
        visible = torch.zeros(len(owner), v.MAX_THINGS, device=self.device)
        framed = F.pad(owner, [self.margin] * 4)  # nothing is seen beyond the picture
        for patch in self.patches:
            visible[patch.b.to(self.device), patch.k.to(self.device)] = patch.seen(framed)
        return visible

    def _strokes(self) -> Tensor:
        """(B, 6, S, S) uint8: each thing's stroke numbers."""
        shape = (len(self.batch), v.MAX_THINGS, self.height, self.height)
        drawn = torch.zeros(shape, dtype=torch.uint8, device=self.device)
        for patch in self.patches:
            patch.draw_strokes(drawn)
        middle = slice(self.margin, self.margin + self.size)
        return drawn[..., middle, middle].contiguous()


class _Patch:
    """n things of one layer that share one sprite size: painted and moved onto small squares, then laid.

    A row of a square is a run of `width` neighbouring pixels on the canvas, so whole runs are fetched and
    put back, never single pixels.
    """

    def __init__(self, shot: _Shot, b: Tensor, k: Tensor, sprite: int, width: int, stand: Tensor):
        """Thing k of scene b for each of the n; sprite, width: sides of sprites and squares, in pixels.

        stand: (6, n) x, y, cosine and sine of the turn, -1 where mirrored else 1, side.
        """
        self.shot, self.b, self.k, self.width = shot, b, k, width
        self.bank = bank(sprite, shot.device)
        self.noun = shot.batch.noun[b, k]
        self.bank.need(self.noun.unique().tolist())
        self.bit = (2**k).to(shot.device, torch.uint8)[:, None, None, None]
        x, y, *self.stand = stand
        centre = torch.stack([x, y]) * shot.size  # (2, n) pixels
        corner = torch.round(centre - width / 2)
        self.start = corner.clamp(-width, shot.size).long()  # first pixel; far outside is just outside
        self.away = (torch.arange(width) + 0.5) + corner[..., None] - centre[..., None]  # (2, n, width)

    def overhang(self) -> int:
        """How many pixels the squares stick out of their pictures, at most."""
        return max(0, -int(self.start.min()), int(self.start.max()) + self.width - self.shot.size)

    def _grid(self) -> Tensor:
        """(n, width, width, 2) where each pixel lies in the sprite's own square, whose corners are ±1."""
        cos, sin, flip, side = (value[:, None] for value in self.stand)
        dx, dy = self.away
        unit = 2 / (side * FRAME * self.shot.size)
        across = torch.stack([cos * dx, sin * dx]).to(self.shot.device)  # (2, n, width), from x
        down = torch.stack([-(sin * dy), cos * dy]).to(self.shot.device)  # from y
        scale = torch.stack([flip * unit, unit])[..., None].to(self.shot.device)
        return ((across[..., None, :] + down[..., None]) * scale).movedim(0, -1)

    def _runs(self, canvas: Tensor, plane: Tensor) -> tuple[Tensor, Tensor]:
        """All runs of `width` pixels in a contiguous canvas (…, H, H), as a view (runs, width), and which of
        them are the rows of the squares, by their first pixel. plane: (n, p) on which p of the canvas' planes
        each square lies.
        """
        height = self.shot.height
        x, y = self.start + self.shot.margin
        row = plane[..., None] * height + y[:, None, None] + torch.arange(self.width)
        first = (row * height + x[:, None, None]).flatten().to(canvas.device)
        return canvas.view(-1).unfold(0, self.width, 1), first

    def _painted(self) -> Tensor:
        """(n, 5, width, width): R, G, B (premultiplied), alpha, under."""
        shot, b, k, device = self.shot, self.b, self.k, self.shot.device
        paint = shot.paint[shot.batch.style[b].to(device), shot.batch.colour[b, k].to(device)]
        number = (self.noun * len(v.MATERIALS) + shot.batch.material[b, k]).to(device)
        sprites = self.bank.sprites.flatten(0, 1)[:, : shot.channels].index_select(0, number)
        painted = torch.bmm(paint, sprites.flatten(2)).view(len(b), UNDER + 1, *sprites.shape[2:])
        return F.grid_sample(painted, self._grid(), mode="bilinear", align_corners=False)

    def lay(self) -> None:
        """Lay the things over what is there."""
        colour, alpha, under = self._painted().split([3, 1, 1], dim=1)
        canvas = self.shot.canvas
        runs, first = self._runs(canvas, self.b[:, None] * (OWNER + 1) + torch.arange(OWNER + 1))
        below = runs.index_select(0, first).view(len(self.b), OWNER + 1, self.width, self.width)
        keep = (1 - alpha) * (1 - under)
        below[:, :OWNER].mul_(keep).add_(torch.minimum(colour.clamp_(min=0), alpha))
        solid = alpha > 0.5
        below[:, OWNER:] = torch.where(solid, self.bit, below[:, OWNER:])
        runs.index_copy_(0, first, below.view(-1, self.width))
        self.area = solid.sum((1, 2, 3))

    def seen(self, owner: Tensor) -> Tensor:
        """(n,) the share of each thing that owner (B, H, H) gives it."""
        runs, first = self._runs(owner, self.b[:, None])
        squares = runs.index_select(0, first).view(len(self.b), 1, self.width, self.width)
        return ((squares == self.bit).sum((1, 2, 3)) / self.area.clamp(min=1)).clamp(max=1.0)

    def draw_strokes(self, drawn: Tensor) -> None:
        """Write each thing's stroke numbers into drawn (B, 6, H, H)."""
        maps = self.bank.strokes[self.noun.to(drawn.device)][:, None].float()
        values = F.grid_sample(maps, self._grid(), mode="nearest", align_corners=False).to(torch.uint8)
        runs, first = self._runs(drawn, (self.b * v.MAX_THINGS + self.k)[:, None])
        runs.index_copy_(0, first, values.view(-1, self.width))


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


def _backdrops(batch: SceneBatch, size: int, device: torch.device) -> list[Tensor]:
    """The bare backdrop of each scene, (3, S, S)."""
    variant = (styles.luck(batch.seed, batch.style, 5) * VARIANTS).long()
    choice = zip(batch.backdrop.tolist(), batch.style.tolist(), variant.tolist(), strict=True)
    return [backdrops(v.BACKDROPS[b], v.STYLES[s], size, device)[k] for b, s, k in choice]


def owned(owner: Tensor) -> Tensor:
    """(B, 6, S, S) bool, where each thing is seen, of owner (B, S, S) uint8: 2**k where thing k is seen."""
    bit = (2 ** torch.arange(v.MAX_THINGS, device=owner.device)).to(torch.uint8)
    masks = torch.empty(len(owner), v.MAX_THINGS, *owner.shape[1:], dtype=torch.uint8, device=owner.device)
    torch.eq(owner[:, None], bit[:, None, None], out=masks)  # into bytes: several times quicker on a CPU
    return masks.view(torch.bool)


def _boxes(owner: Tensor) -> Tensor:
    """(B, 6, 4) xyxy in [0, 1]: the outer edges of the pixels that each thing owns;
    zeros where it owns none.
    """
    size = owner.shape[-1]
    bit = (2 ** torch.arange(v.MAX_THINGS, device=owner.device)).to(torch.uint8)
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
