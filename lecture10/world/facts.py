"""What a caption asserts, or what is true of a scene: `Facts`, and the way back from facts to a scene.

Facts name only what was said; None means unsaid. Two `Facts` are equal when they assert the same, in any
order: "A left of B" equals "B right of A", and two blue balls cannot be told apart.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import permutations, product
from typing import NamedTuple

from lecture10.world import vocabulary as v
from lecture10.world.scene import Relation, Scene, Thing

COLUMNS = {"left": 0.25, "": 0.5, "right": 0.75}
ROWS = {"top": 0.25, "": 0.5, "bottom": 0.75}
PLACES = {
    f"{row} {column}".strip() or "middle": (x, y) for row, y in ROWS.items() for column, x in COLUMNS.items()
}
OFF_CENTRE = (
    0.120001  # nearer than this to the middle line is neither left nor right; no centre of 4 digits is on it
)
_NATURAL = """
    ball red cube blue triangle green star yellow heart red ring yellow bear brown cat orange dog brown
    bird brown horse brown fish orange astronaut gray scarecrow brown pizza yellow coin yellow banana yellow
    glass teal cup gray book red hat brown flower pink boat red skateboard blue car red rocket gray house red
    tree green table brown sign yellow
"""
_words = iter(_NATURAL.split())
NATURAL_COLOURS = dict(zip(_words, _words, strict=True))  # what a prompt that names no colour is drawn in


class Said(NamedTuple):
    """What was said of one thing; None where nothing was said. place: a key of PLACES."""

    noun: str
    colour: str | None = None
    material: str | None = None
    size: str | None = None
    text: str | None = None
    place: str | None = None


@dataclass(frozen=True, eq=False)
class Facts:
    """Things in order of mention, relations (i, relation, j) between them, backdrop and style if they
    were said.

    unknown: words that a tolerant reader skipped; they assert nothing and count for nothing when facts
    are compared.
    """

    things: tuple[Said, ...] = ()
    relations: tuple[Relation, ...] = ()
    backdrop: str | None = None
    style: str | None = None
    unknown: tuple[str, ...] = field(default=(), repr=False)

    @property
    def counts(self) -> Counter:
        """How many of each noun: Counter({"dog": 2, "cat": 1})."""
        return Counter(said.noun for said in self.things)

    @cached_property
    def key(self) -> tuple:
        """The same for facts that assert the same, whatever the order of mention."""
        named = [tuple(value or "" for value in said) for said in self.things]
        groups: dict[tuple, list[int]] = {}
        for i in sorted(range(len(named)), key=named.__getitem__):
            groups.setdefault(named[i], []).append(i)
        one_way = [_one_way(r) for r in self.relations]
        related = {k for i, _, j in one_way for k in (i, j)}
        return (
            tuple(sorted(named)),
            self.backdrop,
            self.style,
            min(_renamed(list(groups.values()), one_way, related)),
        )

    def __eq__(self, other) -> bool:
        return isinstance(other, Facts) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


def _one_way(relation: Relation) -> Relation:
    i, name, j = relation
    return (j, v.INVERSE[name], i) if name in ("right of", "below") else relation


def _renamed(groups: list[list[int]], relations: list[Relation], related: set[int]) -> Iterator[tuple]:
    """The relations under every renaming that swaps only things of which the same was said."""
    orders = [permutations(g) if len(g) > 1 and related & set(g) else [g] for g in groups]
    for order in product(*orders):
        place = {old: new for new, old in enumerate(i for group in order for i in group)}
        yield tuple(sorted({(place[i], name, place[j]) for i, name, j in relations}))


def place_of(x: float, y: float) -> str:
    """The place that a centre (x, y) in [0, 1], y down, is called: "top left", "left", "middle", …"""
    column = "left" if x < 0.5 - OFF_CENTRE else "right" if x > 0.5 + OFF_CENTRE else ""
    row = "top" if y < 0.5 - OFF_CENTRE else "bottom" if y > 0.5 + OFF_CENTRE else ""
    return f"{row} {column}".strip() or "middle"


def facts_of(scene: Scene) -> Facts:
    """Everything that words can say about a scene; no colours where its style shows none."""
    from lecture10.world.lexicon import style_said

    gray = scene.style in v.COLOURLESS_STYLES
    things = (
        Said(
            t.noun,
            None if gray else t.colour,
            t.material,
            t.size,
            t.text,
            None if t.x is None else place_of(t.x, t.y),
        )
        for t in scene.things
    )
    return Facts(tuple(things), scene.relations, scene.backdrop, style_said[scene.style])


def scene_of(said: "Facts | str", **more) -> Scene:
    """The scene that a caption (or its facts) asks for; what is unsaid gets a natural default.

    Colours as in NATURAL_COLOURS (brick is red), plain, sizes as in `_sizes`, in a studio, a photo; places
    are left to the layout unless said. `more` goes to the Scene (style="rendition", seed=3). Raises
    ValueError, with the cure, for unknown words (from the parser) and for what cannot be drawn (from the
    scene).
    """
    if isinstance(said, str):
        from lecture10.world.parse import parse  # the parser builds on facts

        said = parse(said)
    sizes = _sizes(said)
    places = _spread([s.place for s in said.things])
    things = tuple(
        Thing(s.noun, s.colour or _natural(s), s.material or "plain", s.size or size, x, y, s.text)
        for s, size, (x, y) in zip(said.things, sizes, places, strict=True)
    )
    fields = {
        "backdrop": said.backdrop or "studio",
        "style": said.style or "photo",
        "relations": said.relations,
    }
    return Scene(things, **(fields | more))


def _natural(said: Said) -> str:
    return "red" if said.material == "brick" else NATURAL_COLOURS[said.noun]


def _sizes(said: Facts) -> list[str]:
    """Sizes for things of which none is said: large; small where three or more stand beside each other,
    where several share one bearer, and in piles of three.
    """
    bearer = {i: j for i, relation, j in said.relations if relation in v.CONTACTS}
    sharing = Counter(bearer.values())
    tall = {k for i, j in bearer.items() if j in bearer for k in (i, j, bearer[j])}
    crowd = len(said.things) - len(bearer) > 2
    small = {i for i, j in bearer.items() if sharing[j] > 1} | tall
    return ["small" if crowd or k in small else "large" for k in range(len(said.things))]


def _spread(places: list[str | None]) -> list[tuple[float | None, float | None]]:
    """A centre for every place; several things in one place stand beside each other, corners hold one."""
    met, out = Counter(), []
    for place in places:
        number, met[place] = met[place], met[place] + 1
        if place is None or (number and " " in place):
            out.append((None, None))
            continue
        x, y = PLACES[place]
        shift = (number + 1) / (places.count(place) + 1) if places.count(place) > 1 else 0.5
        out.append((x, shift) if place in ("left", "right") else (shift, y) if " " not in place else (x, y))
    return out
