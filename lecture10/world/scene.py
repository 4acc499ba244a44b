"""What a picture is of: things on a backdrop in a style, written by hand in one line.

>>> scene("a blue bear", "a small striped brown bird", relation="left of")
Scene('large blue bear', 'small striped brown bird', relations=((0, 'left of', 1),))

Places are (x, y), the centre of a thing's box, in [0, 1] with y growing downwards; None asks `layout` for
one.
"""

import json
import re
from dataclasses import asdict, dataclass, replace

from lecture10.names import unknown
from lecture10.world import vocabulary as v

FILLERS = {"a", "an", "the", "of", "made", "that", "says", "and", "coloured", "colored", "sized"}
Relation = tuple[int, str, int]


@dataclass(frozen=True)
class Thing:
    """One thing: noun × colour × material × size × place, and the text on a sign.

    x, y: centre in [0, 1], y down, or both None; rotation: degrees, anticlockwise; flip: mirrored left to
    right. Raises ValueError naming the nearest known word for an unknown one, and saying the cure for a
    bad place or text.
    """

    noun: str
    colour: str
    material: str = "plain"
    size: str = "large"
    x: float | None = None
    y: float | None = None
    text: str | None = None
    rotation: float = 0.0
    flip: bool = False

    def __post_init__(self):
        v.index_of("noun", self.noun, v.NOUNS)
        v.index_of("colour", self.colour, v.COLOUR_NAMES)
        v.index_of("material", self.material, v.MATERIALS)
        v.index_of("size", self.size, v.SIZE_NAMES)
        self._check_place()
        if self.text is not None:
            self._check_text()

    def _check_place(self) -> None:
        if (self.x is None) != (self.y is None):
            raise ValueError(f"{self} has only one of x and y: give both, or neither to have it placed")
        if not -360 <= self.rotation <= 360:
            raise ValueError(f"{self} is rotated by {self.rotation}: give degrees between -360 and 360")

    def _check_text(self) -> None:
        if self.noun != "sign":
            raise ValueError(f"{self} cannot carry the text {self.text!r}: only a sign can")
        if not 1 <= len(self.text.strip()) <= len(self.text) <= v.TEXT_LENGTH:
            raise ValueError(
                f"a sign holds 1 to {v.TEXT_LENGTH} characters, not {self.text!r}: shorten the text"
            )
        if strange := sorted(set(self.text) - set(v.ALPHABET)):
            raise ValueError(
                f"the sign's font has no {strange[0]!r} (in {self.text!r}): use A–Z, a–z, 0–9 and spaces"
            )

    def __str__(self) -> str:
        words = [self.size, *([self.material] if self.material != "plain" else []), self.colour, self.noun]
        return " ".join(words) + (f" that says {self.text!r}" if self.text else "")

    def __repr__(self) -> str:
        extra = [] if self.x is None else [f"x={self.x:g}", f"y={self.y:g}"]
        extra += [f"rotation={self.rotation:g}"] if self.rotation else []
        extra += ["flip=True"] if self.flip else []
        return f"Thing({', '.join([repr(str(self)), *extra])})"


def thing(phrase: str, **more) -> Thing:
    """A thing from a short phrase: size, material, colour and noun in any order, a sign's text in quotes.

    >>> thing("a small striped brown bird")
    Thing('small striped brown bird')
    """
    quoted = re.search(r"'([^']*)'|\"([^\"]*)\"", phrase)
    if quoted:
        more = {"text": quoted[1] if quoted[2] is None else quoted[2]} | more
        phrase = phrase[: quoted.start()] + phrase[quoted.end() :]
    kinds = (("size", v.SIZE_NAMES), ("material", v.MATERIALS), ("colour", v.COLOUR_NAMES), ("noun", v.NOUNS))
    found = {}
    for word in re.findall(r"[^\s,.]+", phrase):
        lower = word.lower()
        kind = next((kind for kind, known in kinds if lower in known), None)
        if kind is None and lower not in FILLERS:
            raise ValueError(unknown("word in the world", lower, [w for _, known in kinds for w in known]))
        if kind in found:
            raise ValueError(f"{phrase!r} names two of {kind}, {found[kind]!r} and {lower!r}: keep one")
        found |= {kind: lower} if kind else {}
    for kind in ("noun", "colour"):
        if kind not in found | more:
            raise ValueError(f"{phrase!r} names no {kind}: write for example 'a small blue bear'")
    return Thing(**(found | more))


@dataclass(frozen=True, repr=False)
class Scene:
    """One to six things on a backdrop, in a style, with the relations that hold between them.

    relations: (i, relation, j) reads "thing i is left of thing j"; seed: the nuisance of the style (light,
    noise, which meadow), nothing that a caption would name. Later things stand in front of earlier ones; a
    thing that is on or riding another stands in front of it. Raises ValueError, with the cure, for
    whatever cannot be drawn.
    """

    things: tuple[Thing, ...]
    backdrop: str = "studio"
    style: str = "photo"
    relations: tuple[Relation, ...] = ()
    seed: int = 0

    def __post_init__(self):
        object.__setattr__(self, "things", tuple(self.things))
        object.__setattr__(self, "relations", tuple(tuple(r) for r in self.relations))
        if not self.things:
            raise ValueError("the scene is empty: name at least one thing, for example scene('a blue bear')")
        if len(self.things) > v.MAX_THINGS:
            raise ValueError(
                f"the scene has {len(self.things)} things; {v.MAX_THINGS} at most: leave some out"
            )
        v.index_of("backdrop", self.backdrop, v.BACKDROPS)
        v.index_of("style", self.style, v.STYLES)
        if not 0 <= self.seed < 2**31:
            raise ValueError(f"the scene's seed is {self.seed}: give one from 0 to 2**31 - 1")
        for relation in self.relations:
            self._check_relation(*relation)
        from lecture10.world.layout import check  # layout builds on scenes

        check(self)

    def _check_relation(self, i: int, relation: str, j: int) -> None:
        v.index_of("relation", relation, v.RELATIONS)
        n = len(self.things)
        if not (0 <= i < n and 0 <= j < n and i != j):
            raise ValueError(f"({i}, {relation!r}, {j}) needs two different things among 0 to {n - 1}")
        if relation == "riding" and (
            self.things[i].noun not in v.RIDERS or self.things[j].noun not in v.MOUNTS
        ):
            raise ValueError(
                f"a {self.things[i].noun} cannot be drawn riding a {self.things[j].noun}; "
                f"riders: {', '.join(v.RIDERS)}; they ride: {', '.join(v.MOUNTS)}. Or say 'on'"
            )

    @classmethod
    def of(cls, *phrases: str, relations: tuple[Relation, ...] = (), **more) -> "Scene":
        """A scene from phrases: Scene.of("blue bear", "brown bird", relations=[(0, "left of", 1)])."""
        return cls(
            tuple(thing(p) if isinstance(p, str) else p for p in phrases), relations=tuple(relations), **more
        )

    def placed(self) -> "Scene":
        """The same scene with a place for every thing (those given are kept);
        raises ValueError if none exists.
        """
        from lecture10.world.layout import layout

        return layout(self)

    def with_style(self, style: str, **more) -> "Scene":
        """The same things in another style (and backdrop or seed, if given)."""
        return replace(self, style=style, **more)

    def to_json(self) -> str:
        """One line of JSON; `Scene.from_json` gives an equal scene back."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, line: str) -> "Scene":
        """The scene that `to_json` wrote; raises ValueError where a field is unknown or a value
        impossible.
        """
        fields = json.loads(line)
        try:
            things = tuple(Thing(**t) for t in fields.pop("things"))
            return cls(things, **fields)
        except (TypeError, KeyError) as error:
            raise ValueError(f"this is no scene of world version {v.WORLD_VERSION}: {error}") from error

    def __repr__(self) -> str:
        parts = [repr(str(t)) if repr(t) == f"Thing({str(t)!r})" else repr(t) for t in self.things]
        for name, usual in (("backdrop", "studio"), ("style", "photo"), ("relations", ()), ("seed", 0)):
            if getattr(self, name) != usual:
                parts.append(f"{name}={getattr(self, name)!r}")
        return f"Scene({', '.join(parts)})"


def scene(*phrases: str, relation: str | None = None, **more) -> Scene:
    """A scene in one line; `relation` holds between the first thing and the second.

    >>> scene("a horse, brown", "an astronaut, blue", relation="riding", backdrop="night")
    Scene('large brown horse', 'large blue astronaut', backdrop='night', relations=((0, 'riding', 1),))
    """
    if relation is not None:
        if len(phrases) < 2:
            raise ValueError(f"{relation!r} needs two things: name another one")
        more["relations"] = ((0, relation, 1), *more.get("relations", ()))
    return Scene.of(*phrases, **more)
