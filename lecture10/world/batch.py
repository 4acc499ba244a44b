"""Many scenes at once, as tensors: what the sampler draws, the renderer paints and the words describe."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from lecture10.world import vocabulary as v
from lecture10.world.scene import Scene, Thing

MAX_RELATIONS = 6


@dataclass(frozen=True, eq=False)
class SceneBatch:
    """B scenes; every index is a position in the vocabulary's tuples, -1 where there is nothing.

    noun, colour, material, size: (B, 6) int64; x, y, rotation: (B, 6) float32 (centre in [0, 1]; degrees);
    flip: (B, 6) bool; layer: (B, 6) int64, drawn in this order, high in front; text: (B, 6, 9) int64 in
    ALPHABET; relation: (B, 6, 3) int64 rows (i, relation, j); backdrop, style, seed: (B,) int64.
    """

    noun: Tensor
    colour: Tensor
    material: Tensor
    size: Tensor
    x: Tensor
    y: Tensor
    rotation: Tensor
    flip: Tensor
    layer: Tensor
    text: Tensor
    relation: Tensor
    backdrop: Tensor
    style: Tensor
    seed: Tensor

    @classmethod
    def from_scenes(cls, scenes: Sequence[Scene]) -> "SceneBatch":
        """The batch of these scenes; things without a place are placed by `layout`."""
        if not len(scenes):
            raise ValueError("a batch needs at least one scene")
        rows = [_row(s.placed()) for s in scenes]
        return cls(**{name: torch.stack([row[name] for row in rows]) for name in rows[0]})

    @classmethod
    def cat(cls, batches: Sequence["SceneBatch"]) -> "SceneBatch":
        """Several batches, one after the other."""
        return cls(**{f.name: torch.cat([getattr(b, f.name) for b in batches]) for f in fields(cls)})

    def __len__(self) -> int:
        return len(self.noun)

    def __iter__(self) -> Iterator[Scene]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index):
        """An int gives the Scene there; a slice, list or tensor gives the SceneBatch of those rows."""
        if isinstance(index, int):
            return _scene(self, range(len(self))[index])
        return SceneBatch(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    def to(self, device) -> "SceneBatch":
        """The same batch on another device."""
        return SceneBatch(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})

    @property
    def count(self) -> Tensor:
        """(B,) how many things each scene holds."""
        return (self.noun >= 0).sum(1)


def _row(scene: Scene) -> dict[str, Tensor]:
    """One placed scene as tensors without the batch axis."""
    row = {name: torch.full((v.MAX_THINGS,), -1) for name in ("noun", "colour", "material", "size")}
    row |= {name: torch.zeros(v.MAX_THINGS) for name in ("x", "y", "rotation")}
    row["flip"] = torch.zeros(v.MAX_THINGS, dtype=torch.bool)
    row["layer"] = torch.tensor(layers(scene))
    row["text"] = torch.full((v.MAX_THINGS, v.TEXT_LENGTH), -1)
    row["relation"] = torch.full((MAX_RELATIONS, 3), -1)
    for k, t in enumerate(scene.things):
        row["noun"][k] = v.NOUNS.index(t.noun)
        row["colour"][k] = v.COLOUR_NAMES.index(t.colour)
        row["material"][k] = v.MATERIALS.index(t.material)
        row["size"][k] = v.SIZE_NAMES.index(t.size)
        row["x"][k], row["y"][k], row["rotation"][k], row["flip"][k] = t.x, t.y, t.rotation, t.flip
        if t.text:
            row["text"][k, : len(t.text)] = torch.tensor([v.ALPHABET.index(c) for c in t.text])
    for k, (i, relation, j) in enumerate(scene.relations):
        row["relation"][k] = torch.tensor([i, v.RELATIONS.index(relation), j])
    row["backdrop"] = torch.tensor(v.BACKDROPS.index(scene.backdrop))
    row["style"] = torch.tensor(v.STYLES.index(scene.style))
    row["seed"] = torch.tensor(scene.seed)
    return row


def layers(scene: Scene) -> list[int]:
    """The drawing position of each of the six slots: in order, but what is on a thing comes after it, and
    what rides a thing before it (legs and wheels hide its seat)."""
    after = {(j, i) if r == "on" else (i, j) for i, r, j in scene.relations if r in v.CONTACTS}
    order: list[int] = []

    def draw(k: int) -> None:
        for first in sorted(a for a, b in after if b == k and a not in order):
            draw(first)
        if k not in order:
            order.append(k)

    for k in range(v.MAX_THINGS):
        draw(k)
    return [order.index(k) for k in range(v.MAX_THINGS)]


def _scene(batch: SceneBatch, b: int) -> Scene:
    things = []
    for k in range(int(batch.count[b])):
        text = "".join(v.ALPHABET[c] for c in batch.text[b, k].tolist() if c >= 0) or None
        things.append(
            Thing(
                v.NOUNS[batch.noun[b, k]],
                v.COLOUR_NAMES[batch.colour[b, k]],
                v.MATERIALS[batch.material[b, k]],
                v.SIZE_NAMES[batch.size[b, k]],
                round(float(batch.x[b, k]), 4),
                round(float(batch.y[b, k]), 4),
                text,
                round(float(batch.rotation[b, k]), 2),
                bool(batch.flip[b, k]),
            )
        )
    relations = tuple((i, v.RELATIONS[r], j) for i, r, j in batch.relation[b].tolist() if i >= 0)
    backdrop, style = v.BACKDROPS[batch.backdrop[b]], v.STYLES[batch.style[b]]
    return Scene(tuple(things), backdrop, style, relations, int(batch.seed[b]))
