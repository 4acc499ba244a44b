"""Scenes by the thousand: drawn at random, all at once, from one seed, with a knob for every axis.

What is in a scene (`_contents`) is drawn first, then where it stands (`places.arrange`). Training draws
only train pairs and train triples, and no picture of training shows, even by accident, a relation that is
kept back.
"""

from dataclasses import dataclass, fields
from functools import lru_cache

import torch
from torch import Tensor

from lecture10.world import places, splits
from lecture10.world import vocabulary as v
from lecture10.world.batch import MAX_RELATIONS, SceneBatch

MOST_LARGE = (1, 2, 2, 1, 1, 0)  # how many of 1 … 6 things may be large, so that they find room
ROUNDS = 60


@dataclass(frozen=True)
class Knobs:
    """What may be drawn, and how often; every share is a probability in [0, 1]."""

    things: tuple[int, int] = (1, 3)  # fewest and most, equally likely in between
    split: str = "train"  # of the noun × colour pairs: train, dev, test or all
    relation_split: str | None = None  # of the triples; None: train where split is train, otherwise all
    nouns: tuple[str, ...] = v.NOUNS
    colours: tuple[str, ...] = v.COLOUR_NAMES
    materials: tuple[str, ...] = v.MATERIALS
    sizes: tuple[str, ...] = v.SIZE_NAMES
    relations: tuple[str, ...] = v.RELATIONS
    backdrops: tuple[str, ...] = v.BACKDROPS
    styles: tuple[str, ...] = ("photo",)
    plain: float = 0.6  # share of plain things, where other materials are allowed too
    related: float = 0.5  # share of scenes of two things or more whose first two stand in a stated relation
    repeat: float = 0.15  # how often a thing is one more of the thing before
    lettered: float = 0.5  # share of signs that say something
    words: tuple[str, ...] = v.SIGN_WORDS
    overlap: float = 0.0  # share of a thing's box that another may share; 0: apart, where there is room
    turn: float = 8.0  # degrees by which things lean at most, either way

    def __post_init__(self):
        lists = {"nouns": v.NOUNS, "colours": v.COLOUR_NAMES, "materials": v.MATERIALS, "sizes": v.SIZE_NAMES}
        lists |= {"relations": v.RELATIONS, "backdrops": v.BACKDROPS, "styles": v.STYLES}
        for name, known in lists.items():
            value = getattr(self, name)
            object.__setattr__(self, name, (value,) if isinstance(value, str) else tuple(value))
            for word in getattr(self, name):
                v.index_of(name.rstrip("s"), word, known)
            if not getattr(self, name) and name != "relations":
                raise ValueError(f"{name} is empty: allow at least one, for example {known[0]!r}")
        for name in ("plain", "related", "repeat", "lettered", "overlap"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}={getattr(self, name)} is no share: give a number from 0 to 1")
        low, high = (self.things, self.things) if isinstance(self.things, int) else self.things
        if not 1 <= low <= high <= v.MAX_THINGS:
            raise ValueError(f"things=({low}, {high}): give (fewest, most) from 1 to {v.MAX_THINGS}")
        object.__setattr__(self, "things", (low, high))
        for split in (self.split, self.kept_relations):
            v.index_of("split", split, (*splits.SPLITS, "all"))

    @property
    def kept_relations(self) -> str:
        """The split from which triples are drawn."""
        return self.relation_split or ("train" if self.split == "train" else "all")


def sample(n: int, seed: int | torch.Generator = 0, *, device=None, **knobs) -> SceneBatch:
    """n random scenes; the same seed and knobs give the same scenes on every machine. Knobs: see `Knobs`.

    Raises ValueError for unknown words, or where the knobs leave nothing to draw.
    """
    if n < 1:
        raise ValueError(f"n={n}: ask for at least one scene")
    knobs = Knobs(**knobs)
    rng = seed if isinstance(seed, torch.Generator) else torch.Generator().manual_seed(seed)
    low, high = knobs.things
    count = torch.randint(low, high + 1, (n,), generator=rng)
    related = _chance(knobs.related, (n,), rng) & (count > 1)
    scenes = _contents(count, related, knobs, rng)
    todo, asked = torch.arange(n), places.demands(scenes)
    for attempt in range(ROUNDS):
        if attempt and attempt % 4 == 0:  # these things will not fit that way: draw others, as many
            others = _contents(count[todo], related[todo], knobs, rng)
            asked = places.demands(others)
            for name, value in others.items():
                scenes[name][todo] = value
        tries = max(1, min(32, 512 // len(todo))) if attempt else 1
        place, good = _first_good(asked, tries, knobs, rng, attempt)
        scenes["x"][todo], scenes["y"][todo] = place.movedim(-1, 1)
        bad = (~good).nonzero()[:, 0]
        if not len(bad):
            break
        todo, asked = todo[bad], asked.rows(bad)
    else:
        raise ValueError(
            f"{len(todo)} of {n} scenes found no allowed arrangement: allow more nouns or fewer things"
        )
    scenes.pop("contact")
    batch = SceneBatch(**{f.name: scenes[f.name] for f in fields(SceneBatch)})
    return batch if device is None else batch.to(device)


def _first_good(asked: places.Demands, tries: int, knobs: Knobs, rng, patience: int) -> tuple[Tensor, Tensor]:
    """Arrange every scene several times at once: the first good places (2, 6, B), the first of all where
    none is good, and (B,) bool, whether one is.
    """
    n = len(asked.pile)
    several = asked.rows(torch.arange(n).repeat_interleave(tries)) if tries > 1 else asked
    place, good = places.arrange(several, rng, knobs.overlap, knobs.kept_relations == "train", patience)
    good = good.view(n, tries)
    first = torch.arange(n) * tries + good.to(torch.uint8).argmax(1)
    return place.index_select(-1, first), good.any(1)


def _pick(names: tuple[str, ...], known: tuple[str, ...], shape: tuple[int, ...], rng) -> Tensor:
    """Indices into `known`, drawn evenly from `names`."""
    allowed = torch.tensor([known.index(name) for name in names])
    return allowed[torch.randint(len(names), shape, generator=rng)]


def _chance(p: float, shape: tuple[int, ...], rng) -> Tensor:
    return torch.rand(shape, generator=rng) < p


def _contents(count: Tensor, related: Tensor, knobs: Knobs, rng) -> dict[str, Tensor]:
    """Everything but the places, for scenes of `count` (B,) things, as a dict of SceneBatch's tensors.

    related: (B,) bool, whether a relation is stated.
    """
    n, shape = len(count), (len(count), v.MAX_THINGS)
    allowed = _allowed_pairs(knobs).double()
    noun = _draw(allowed.sum(1).cumsum(0), shape, rng)
    relation, contact = _relate(noun, related, knobs, rng)
    colour = _draw(allowed.cumsum(1)[noun], shape, rng)
    material = _pick(knobs.materials, v.MATERIALS, shape, rng)
    if "plain" in knobs.materials and len(knobs.materials) > 1:
        others = tuple(m for m in knobs.materials if m != "plain")
        material = torch.where(_chance(knobs.plain, shape, rng), 0, _pick(others, v.MATERIALS, shape, rng))
    size = _pick(knobs.sizes, v.SIZE_NAMES, shape, rng)
    again = _chance(knobs.repeat, shape, rng)
    again[:, 1] &= relation[:, 0, 0] < 0
    again[:, 0] = False
    for k in range(1, v.MAX_THINGS):
        for value in (noun, colour, material, size):
            value[:, k] = torch.where(again[:, k], value[:, k - 1], value[:, k])
    if "small" in knobs.sizes:
        size = _fit(size, noun, count, contact)
    text = _letter(noun, knobs, rng)
    absent = torch.arange(v.MAX_THINGS) >= count[:, None]
    lean = torch.round((torch.rand(shape, generator=rng) * 2 - 1) * knobs.turn)
    lean[:, :2] *= (contact < 0)[:, None]
    lean[(text[..., 0] >= 0) | absent] = 0
    layer = torch.arange(v.MAX_THINGS).expand(shape).clone()
    rides = contact == v.CONTACTS.index("riding")
    layer[:, :2] = torch.where(rides[:, None], torch.tensor([1, 0]), layer[:, :2])
    nothing = {"noun": noun, "colour": colour, "material": material, "size": size}
    found = {name: value.masked_fill(absent, -1) for name, value in nothing.items()}
    found |= {"x": torch.zeros(shape), "y": torch.zeros(shape), "rotation": lean}
    found |= {"flip": _chance(0.5, shape, rng) & ~absent & (text[..., 0] < 0), "layer": layer}
    found |= {"text": text.masked_fill(absent[..., None], -1), "relation": relation, "contact": contact}
    found["backdrop"] = _pick(knobs.backdrops, v.BACKDROPS, (n,), rng)
    found["style"] = _pick(knobs.styles, v.STYLES, (n,), rng)
    found["seed"] = torch.randint(2**31, (n,), generator=rng)
    return found


def _draw(sums: Tensor, shape: tuple[int, ...], rng) -> Tensor:
    """Indices (shape) drawn in proportion to weights, by inverting their cumulative sums: (m,), or (*shape,
    m) where each draw has its own.
    """
    point = torch.rand(shape, generator=rng, dtype=torch.float64)[..., None] * sums[..., -1:]
    return torch.searchsorted(sums, point.flatten() if sums.ndim == 1 else point, right=True).view(shape)


@lru_cache(maxsize=256)
def _allowed_pairs(knobs: Knobs) -> Tensor:
    """(nouns, colours) bool."""
    table = splits.pair_table()
    allowed = torch.ones_like(table, dtype=torch.bool)
    if knobs.split != "all":
        allowed = table == splits.SPLITS.index(knobs.split)
    allowed &= torch.tensor([n in knobs.nouns for n in v.NOUNS])[:, None]
    allowed &= torch.tensor([c in knobs.colours for c in v.COLOUR_NAMES])
    if not allowed.any():
        raise ValueError(
            f"no {knobs.split} pair is left among {len(knobs.nouns)} nouns and {len(knobs.colours)} colours: "
            f"see splits.pairs({knobs.split!r})"
        )
    return allowed


def _relate(noun: Tensor, related: Tensor, knobs: Knobs, rng) -> tuple[Tensor, Tensor]:
    """The stated relation of the first two things, whose nouns are redrawn (in place) from the allowed
    triples.

    Returns relation (B, 6, 3) and contact (B,): the index into CONTACTS, or -1. What is on or rides is
    thing 1.
    """
    n = len(noun)
    relation, contact = torch.full((n, MAX_RELATIONS, 3), -1), torch.full((n,), -1)
    lists = {r: _triples(r, knobs) for r in knobs.relations}
    usable = tuple(r for r in knobs.relations if len(lists[r]))
    if knobs.related > 0 and knobs.things[1] > 1 and not usable and knobs.relations:
        raise ValueError(
            f"no allowed nouns stand in {', '.join(knobs.relations)}: allow more nouns, or set related=0"
        )
    if not usable:
        return relation, contact
    chosen = _pick(usable, v.RELATIONS, (n,), rng)
    swap = _chance(0.5, (n,), rng)
    for name in usable:
        rows = (related & (chosen == v.RELATIONS.index(name))).nonzero()[:, 0]
        pair = lists[name][torch.randint(len(lists[name]), (len(rows),), generator=rng)]  # (m, 2) nouns i, j
        i = torch.where(swap[rows], 1, 0) if name in v.DIRECTIONS else torch.ones_like(rows)
        noun[rows, i], noun[rows, 1 - i] = pair[:, 0], pair[:, 1]
        relation[rows, 0] = torch.stack([i, chosen[rows], 1 - i], 1)
        if name in v.CONTACTS:
            contact[rows] = v.CONTACTS.index(name)
    return relation, contact


@lru_cache(maxsize=1024)
def _triples(relation: str, knobs: Knobs) -> Tensor:
    """(m, 2) nouns i and j that may stand in a relation."""
    index = v.NOUNS.index
    allowed = [(index(i), index(j)) for i, j in splits.triples(relation, knobs.kept_relations)]
    found = torch.tensor(allowed).view(-1, 2)
    drawable = _allowed_pairs(knobs).any(1)
    return found[drawable[found].all(1)]


def _fit(size: Tensor, noun: Tensor, count: Tensor, contact: Tensor) -> Tensor:
    """Make things small where there would be no room for so many large ones."""
    small, large = v.SIZE_NAMES.index("small"), v.SIZE_NAMES.index("large")
    most = torch.tensor(MOST_LARGE)[count - 1]
    sign = (noun == v.NOUNS.index("sign")) & (count > 1)[:, None]
    third = (contact >= 0)[:, None] & (torch.arange(v.MAX_THINGS) >= 2)
    size = size.masked_fill(sign | third, small)
    is_large = size == large
    return size.masked_fill(is_large & (is_large.cumsum(1) > most[:, None]), small)


def _letter(noun: Tensor, knobs: Knobs, rng) -> Tensor:
    """(B, 6, TEXT_LENGTH) what the signs say."""
    says = (noun == v.NOUNS.index("sign")) & _chance(knobs.lettered, noun.shape, rng)
    text = _spelt(knobs.words)[torch.randint(len(knobs.words), noun.shape, generator=rng)]
    return text.masked_fill(~says[..., None], -1)


@lru_cache(maxsize=256)
def _spelt(words: tuple[str, ...]) -> Tensor:
    """(words, TEXT_LENGTH) positions in ALPHABET, -1 after the end."""
    table = torch.full((len(words), v.TEXT_LENGTH), -1)
    for k, word in enumerate(words):
        table[k, : len(word)] = torch.tensor([v.ALPHABET.index(c) for c in word[: v.TEXT_LENGTH]])
    return table
