"""The words that the little world can draw: nouns, colours, materials, sizes, relations, backdrops, styles.

Everything is a tuple of names in a fixed order; tensors hold positions in these tuples. Synonyms and
grammar live in the words' room, not here.
"""

from lecture10.names import unknown

WORLD_VERSION = "1"  # checkpoints and results carry it; a change to any picture or split raises it
MAX_THINGS = 6
TEXT_LENGTH = 9  # the longest text that a sign holds

SHAPES = ("ball", "cube", "triangle", "star", "heart", "ring")
ANIMALS = ("bear", "cat", "dog", "bird", "horse", "fish")
PEOPLE = ("astronaut", "scarecrow")
OBJECTS = (
    *("pizza", "coin", "banana", "glass", "cup", "book", "hat", "flower"),
    *("boat", "skateboard", "car", "rocket", "house", "tree", "table", "sign"),
)
NOUNS = (*SHAPES, *ANIMALS, *PEOPLE, *OBJECTS)

# sRGB, 0–255. Chosen by `palette.colour_separation`: far apart also under three colour-vision deficiencies.
COLOURS = {
    "red": (225, 31, 13),
    "orange": (240, 143, 0),
    "yellow": (255, 237, 98),
    "green": (53, 135, 81),
    "teal": (28, 177, 166),
    "blue": (59, 98, 251),
    "purple": (88, 53, 151),
    "pink": (255, 182, 227),
    "brown": (90, 53, 33),
    "gray": (109, 116, 117),
}
COLOUR_NAMES = tuple(COLOURS)
MATERIALS = ("plain", "striped", "dotted", "brick")
SIZES = {"small": 0.28, "large": 0.48}  # the longer side, as a share of the picture's
SIZE_NAMES = tuple(SIZES)
BACKDROPS = ("studio", "grass", "sea", "snow", "night", "sand")
STYLES = ("photo", "photo2", "rendition", "staged", "sketch")
COLOURLESS_STYLES = ("sketch",)  # gray lines: the colour of a thing cannot be seen

RELATIONS = ("left of", "right of", "above", "below", "on", "riding")
DIRECTIONS = RELATIONS[:4]
CONTACTS = RELATIONS[4:]
INVERSE = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}
RIDERS = (*ANIMALS[:5], *PEOPLE)  # who can ride …
MOUNTS = (*ANIMALS, *PEOPLE, "skateboard", "boat", "car", "rocket", "banana", "book")  # … and on what

ROLES = ("body", "shade", "light", "dark", "accent")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 "
SIGN_WORDS = (
    *(
        "NeurIPS",
        "ICML",
        "CVPR",
        "ArXiv",
        "backprop",
        "GPT",
        "CLIP",
        "BERT",
        "SAM",
        "DALLE",
        "hello",
        "Hello",
        "STOP",
    ),
    *(
        "open",
        "OPEN",
        "Zoo",
        "taxi",
        "cafe",
        "EXIT",
        "Quiz",
        "Lab",
        "1984",
        "42",
        "love",
        "Sale",
        "Bus 7",
        "attend",
    ),
)


def index_of(kind: str, name: str, known: tuple[str, ...]) -> int:
    """The position of `name` in `known`; raises ValueError naming the nearest known one."""
    if name not in known:
        raise ValueError(unknown(kind, name, known))
    return known.index(name)
