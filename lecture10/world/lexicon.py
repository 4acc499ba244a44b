"""The words of the little world: synonyms, rare words, plurals, articles. Data for writers and parser.

Every list starts with the commonest word; a writer picks rank r with a frequency ∝ 1/r² (a Zipf law with
exponent 2), so that the last words of a list are rare. A word means one thing only: a test holds the
lists apart.
"""

from dataclasses import dataclass
from functools import cache

from lecture10.world.vocabulary import (
    BACKDROPS,
    COLOUR_NAMES,
    MATERIALS,
    NOUNS,
    RELATIONS,
    SIZE_NAMES,
    STYLES,
)

SLOTS = 128  # a Zipf table's slots: the rarest word of a list gets at least one

NOUN_WORDS = {
    "ball": "ball sphere orb globe",
    "cube": "cube block hexahedron",
    "triangle": "triangle trigon",
    "star": "star five-pointed_star pentagram asterisk",
    "heart": "heart love_heart valentine",
    "ring": "ring hoop torus annulus",
    "bear": "bear teddy_bear teddy teddybear bruin",
    "cat": "cat kitten kitty feline moggy",
    "dog": "dog puppy hound pooch mongrel",
    "bird": "bird birdie songbird fowl",
    "horse": "horse pony steed equine",
    "astronaut": "astronaut spaceman cosmonaut spacefarer",
    "scarecrow": "scarecrow straw_man bogle",
    "pizza": "pizza pizza_slice slice_of_pizza margherita",
    "coin": "coin quarter penny doubloon",
    "banana": "banana plantain",
    "glass": "glass wine_glass wineglass goblet chalice",
    "book": "book novel volume tome",
    "boat": "boat ship sailboat vessel dinghy",
    "skateboard": "skateboard board skate_board longboard",
    "house": "house home cottage hut abode",
    "tree": "tree pine conifer sapling",
    "table": "table desk trestle_table",
    "sign": "sign signboard placard notice",
    "flower": "flower blossom bloom",
    "car": "car automobile motorcar",
    "fish": "fish goldfish minnow",
    "hat": "hat cap bonnet",
    "cup": "cup mug beaker",
    "rocket": "rocket spaceship spacecraft",
}
COLOUR_WORDS = {
    "red": "red scarlet crimson vermilion",
    "orange": "orange tangerine amber",
    "yellow": "yellow golden canary_yellow",
    "green": "green emerald grass-green viridian",
    "blue": "blue azure cobalt cerulean",
    "purple": "purple violet mauve",
    "pink": "pink rosy fuchsia",
    "brown": "brown chestnut umber",
    "gray": "gray grey silvery ashen",
    "teal": "teal turquoise cyan aquamarine",
}
MATERIAL_WORDS = {  # before the noun | after it
    "plain": "plain unpatterned | in_one_plain_colour without_a_pattern",
    "striped": "striped stripy banded | with_stripes covered_in_stripes",
    "dotted": "dotted spotted polka-dot speckled | with_dots covered_in_dots with_spots",
    "brick": "brick bricked | made_of_brick made_of_bricks built_of_brick with_the_texture_of_brick",
}
SIZE_WORDS = {
    "small": "small little tiny miniature diminutive",
    "large": "large big huge giant enormous colossal",
}
RELATION_WORDS = {
    "left of": "to_the_left_of left_of on_the_left_of on_the_left_side_of",
    "right of": "to_the_right_of right_of on_the_right_of on_the_right_side_of",
    "above": "above over higher_than",
    "below": "below under beneath underneath",
    "on": "on on_top_of sitting_on resting_on standing_on perched_on atop",
    "riding": "riding on_the_back_of astride",
}
FINITE_WORDS = {"on": "sits_on rests_on stands_on", "riding": "rides"}  # verbs that take a subject
PASSIVE_WORDS = {"riding": "ridden_by"}  # the same relation told from its object
BACKDROP_WORDS = {  # with the preposition a writer uses; the parser knows only the last word or words
    "studio": "in_a|studio in_a|photo_studio against_a|plain_background against_a|backcloth",
    "grass": "on_the|grass in_a|meadow on_the|lawn in_a|field",
    "sea": "at|sea on_the|water on_the|ocean on_the|waves",
    "snow": "in_the|snow on_the|ice on_a|glacier",
    "night": "at|night under_a|starry_sky by|moonlight after|dark",
    "sand": "on_the|sand on_the|beach in_the|desert",
}
STYLE_WORDS = {  # photo2 is photo's recipe sampled afresh: no word tells them apart
    "photo": "photo photograph snapshot",
    "rendition": "painting cartoon illustration rendition artwork",
    "staged": "staged_photo oddly_staged_photo staged_photograph tableau",
    "sketch": "sketch drawing pencil_drawing line_drawing doodle",
}
IRREGULAR = {
    "spaceman": "spacemen",
    "straw man": "straw men",
    "torus": "tori",
    "annulus": "annuli",
    "slice of pizza": "slices of pizza",
    "fish": "fish",
    "goldfish": "goldfish",
    "spacecraft": "spacecraft",
}
FLUFF_WORDS = (
    "cute lovely nice beautiful pretty vibrant sunlit weathered funny friendly shiny charming old new"
)
# real words a slip away from words of this world: never taken for misspellings
FOREIGN_WORDS = """
panda tapir tiger goose goat mouse sheep shark snake frog deer bean beans beard bead bread bell bowl
belt boot boots bench brush bottle bicycle cake candle camera cart carts castle coat coats cloud clock
crown crab carrot chair corn crane cane doll duck dragon door drum dessert dock fork fence fruit floor
glove ghost guitar gold hose hook hood horn hare kite king knife knight ladder leaf lemon letter light
moon milk mountain needle nest owl pear pencil penguin person planet plate potato purse queen rabbit
rose robot rooster rope rocks salmon shell shoe shoes shirt skate skates snail soap sofa spoon spider
stair stairs stone stool store stove swan sword tablet tale tent tray truck turtle tulip vase violin
wolf woman wagon wheel worm zebra beer start stand grain great grape grapes plane plan plant bland blank
black white hate heat cost cots starts coil cone core signal single balk bald bold bulb bare care cave
fist dish wish times time square making string toes blinds dogma catch booking boating horde
"""
NUISANCE = (  # sentences that say nothing about the picture; they hold no word of the tables above
    "It was a quiet morning.",
    "Nothing else happened that day.",
    "The weather was mild.",
    "Somebody had left the window open.",
    "No one remembers who made it.",
    "It looks cheerful.",
    "The afternoon was long and warm.",
    "There was music from far away.",
    "Everyone likes it.",
    "That was a Tuesday in March.",
)
JUNK_BEFORE = ("{file} ", "{file}: ", "stock photo: ", "free download: ", "new! ", "{number} ", "pin: ", "")
JUNK_AFTER = (
    *(
        " {file}",
        " - stock photo",
        " | stock photo",
        " royalty free",
        " | free download",
        " - buy now",
        " {size}",
    ),
    *(
        " - photo by {name}",
        " | photo by {name}",
        " photo credit: {name}",
        " © {name}",
        " hd wallpaper",
        " (click to enlarge)",
    ),
    *(" - best price", " {number}", " #{number}", " in stock", " ..."),
)
NAMES = ("Anna Keller", "J Osei", "Maria Lind", "Tom Baker", "Li Wei", "S Novak", "Kofi Mensah", "R Ortiz")
NUMBER_WORDS = ("one", "two", "three", "four", "five", "six")
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
COUNT_PHRASES = {
    2: ("two", "a couple of", "a pair of", "2"),
    3: ("three", "a trio of", "3"),
    4: ("four", "4"),
    5: ("five", "5"),
    6: ("six", "half a dozen", "6"),
}


@dataclass(frozen=True)
class Form:
    """One way to name something: the words, their plural, and the article before them ("a" or "an")."""

    words: str
    plural: str
    article: str


def plural(words: str) -> str:
    """The plural of a noun of the lexicon: "puppy" → "puppies", "wine glass" → "wine glasses".

    >>> plural("goblet"), plural("straw man"), plural("penny")
    ('goblets', 'straw men', 'pennies')
    """
    if words in IRREGULAR:
        return IRREGULAR[words]
    if words.endswith("y") and words[-2] not in "aeiou":
        return words[:-1] + "ies"
    return words + ("es" if words.endswith(("s", "x", "sh", "ch")) else "s")


def article(words: str) -> str:
    """The indefinite article before these words: "an orange cat", "a blue cat"."""
    return "an" if words[0] in "aeiou" else "a"


def listed(words: str) -> tuple[str, ...]:
    """The entries of a line of the tables above: split at blanks, underscores read as blanks."""
    return tuple(entry.replace("_", " ") for entry in words.split())


def zipf(entries: tuple) -> tuple:
    """A table of `SLOTS` entries, rank r ∝ 1/r² often among them: `table[int(SLOTS * u)]` draws one."""
    weights = [1 / rank**2 for rank in range(1, len(entries) + 1)]
    counts = [max(1, round(SLOTS * weight / sum(weights))) for weight in weights]
    counts[0] += SLOTS - sum(counts)
    return tuple(entry for entry, count in zip(entries, counts, strict=True) for _ in range(count))


def _own(table: dict[str, str], names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """The table for exactly these names: own name first, no synonym that names another one, none twice."""
    taken, out = set(names), {}
    for name in names:
        extra = [w for w in listed(table.get(name, name)) if w != name and w not in taken]
        taken.update(extra)
        out[name] = (name, *extra)
    return out


fluff = listed(FLUFF_WORDS)
foreign = frozenset(listed(FOREIGN_WORDS))
nouns = {
    noun: tuple(Form(w, plural(w), article(w)) for w in words)
    for noun, words in _own(NOUN_WORDS, NOUNS).items()
}
colours = _own(COLOUR_WORDS, COLOUR_NAMES)
sizes = _own(SIZE_WORDS, SIZE_NAMES)
before = {m: listed(MATERIAL_WORDS.get(m, m).split("|")[0]) for m in MATERIALS}
after = {m: listed(MATERIAL_WORDS[m].split("|")[1]) for m in MATERIALS if m in MATERIAL_WORDS}
relations = {r: listed(RELATION_WORDS.get(r, r.replace(" ", "_"))) for r in RELATIONS}
finite = {r: listed(FINITE_WORDS[r]) for r in RELATIONS if r in FINITE_WORDS}
passive = {r: listed(PASSIVE_WORDS[r]) for r in RELATIONS if r in PASSIVE_WORDS}
styles = {s: listed(STYLE_WORDS[s]) for s in STYLES if s in STYLE_WORDS}
style_said = {
    s: s if s in styles else "photo" for s in STYLES
}  # the style that a caption of this one asserts


def _backdrops() -> dict[str, tuple[tuple[str, str], ...]]:
    """backdrop → pairs (preposition and article, name): ("on the", "grass")."""
    out, taken = {}, set(BACKDROPS)
    for name in BACKDROPS:
        line = BACKDROP_WORDS.get(name, f"in_front_of_a|{name}")
        pairs = [tuple(entry.rpartition("|")[::2]) for entry in listed(line)]
        pairs = [(p, w) for p, w in pairs if w == name or w not in taken]
        taken.update(w for _, w in pairs)
        out[name] = tuple(pairs)
    return out


backdrops = _backdrops()


@cache
def vocabulary() -> dict[str, dict[str, tuple[str, ...]]]:
    """Content words by kind and meaning, commonest first: {"noun": {"bear": ("bear", "teddy bear", …)}}.

    `sizes_of()` counts them.
    """
    return {
        "noun": {n: tuple(f.words for f in forms) for n, forms in nouns.items()},
        "colour": dict(colours),
        "material": {m: before[m] + after.get(m, ()) for m in MATERIALS},
        "size": dict(sizes),
        "relation": {r: relations[r] + finite.get(r, ()) + passive.get(r, ()) for r in RELATIONS},
        "backdrop": {b: tuple(f"{p} {w}".strip() for p, w in pairs) for b, pairs in backdrops.items()},
        "style": dict(styles),
    }


def sizes_of() -> dict[str, int]:
    """How many content words (and phrases) there are of each kind: the report of the world's vocabulary."""
    return {kind: sum(map(len, table.values())) for kind, table in vocabulary().items()}
