"""From characters to chunks: what the parser's grammar is made of.

A chunk is the longest run of words with one meaning: "on top of" is a relation, "wine glass" a noun, "a
couple of" a number, "photo by Anna Keller" a credit, which says nothing. Misspelt words are mended where
only one word can be meant.
"""

import re
from functools import cache
from itertools import product
from typing import NamedTuple

from lecture10.world import lexicon
from lecture10.world.spelling import Speller

TOKEN = re.compile(
    r"""(?P<file>\w[\w-]*\.(?:jpe?g|png|gif|webp)\b)
      | (?P<quote>(?<!\w)(?:'[^']*'(?!\w)|"[^"]*"|“[^”]*”|‘[^’]*’))
      | (?P<word>[^\W\d_]+(?:['’][^\W\d_]+)?)(?!\w)
      | (?P<mixed>\w+)
      | (?P<stop>[.;:!?|\n…–—]+|(?<=\s)-(?=\s))
      | (?P<comma>,)
      | (?P<sign>[©&])""",
    re.VERBOSE | re.IGNORECASE,
)
FUNCTION_WORDS = {
    "A": "a an another some",
    "THE": "the these those its their both all",
    "THIS": "this",
    "THAT": "that which who",
    "AND": """and with plus next_to beside besides near alongside together_with along_with as_well_as
              in_front_of behind close_to while then also now""",
    "PREP": "in at by against after into inside during within",
    "IS": "is are was were 's be",
    "STAND": "stands stand sits sit lies lie rests rest floats can_be_seen is_seen are_seen",
    "POSTURE": """sitting standing lying resting placed perched set seen located floating balancing balanced
                  positioned waiting hovering""",
    "THERE": "there",
    "PRON": "it they he she them him",
    "ALL": "everything all_of_this all_of_it the_whole_thing everybody",
    "META": "picture image scene view whole_image whole_picture background backdrop setting pictures images",
    "LINK": "of showing shows show depicting depicts you_can_see we_see one_can_see i_see in_the_style_of as",
    "SAYS": """that_says that_reads saying which_says which_reads with_the_word with_the_words with_the_text
               says reads reading labelled labeled""",
    "TINT": "coloured colored hued in_colour in_color of_colour",
    "SIZED": "sized",
    "CREDIT": "photo_by photo_credit picture_by image_by credit courtesy_of ©",
    "JUNK": """stock_photo stock_photos royalty_free free_download buy_now hd_wallpaper click_to_enlarge
               best_price in_stock pin hd wallpaper download free stock""",
    "FILL": "not no without never",
}
MANY_WORDS = "seven eight nine ten eleven twelve dozen"
OF_THE_PICTURE = ("", " of the picture", " of the image", " of the scene", " of the photo", " of the frame")
CONTENT = {"NOUN", "COLOUR", "MATERIAL", "AFTER", "SIZE", "BACKDROP", "STYLE", "PLACE", "QUOTE"}


class Chunk(NamedTuple):
    """kind: a key of FUNCTION_WORDS or NOUN, COLOUR, …; value: its meaning; text: as it was written."""

    kind: str
    value: object
    text: str


Entries = dict[tuple[str, ...], tuple[str, object]]  # all words → (kind, value)


@cache
def chunk_table() -> dict[str, tuple[Entries, tuple[int, ...]]]:
    """first word → (the phrases that start with it, their lengths in words, the longest first)."""
    table: dict[str, Entries] = {}

    def add(words: str, kind: str, value: object = None) -> None:
        key = tuple(words.replace("-", " ").split())
        table.setdefault(key[0], {}).setdefault(key, (kind, value))

    for noun, forms in lexicon.nouns.items():
        for form in forms:
            add(form.words, "NOUN", (noun, "any" if form.words == form.plural else "one"))
            add(form.plural, "NOUN", (noun, "many"))
    for kind, meanings in _tables():
        for value, entries in meanings.items():
            for words in entries:
                add(words, kind, value)
    for place, words in _places():
        add(words, "PLACE", place)
    for n, word in enumerate(lexicon.listed(MANY_WORDS), 7):
        add(word, "NUMBER", min(n, 12))
    for word in lexicon.fluff:
        add(word, "FLUFF")
    for kind, words in FUNCTION_WORDS.items():
        for entry in lexicon.listed(words):
            add(entry, kind)
    for word in re.findall(r"\w+", " ".join(lexicon.NUISANCE).lower()):
        add(word, "FILL")
    return {first: (e, tuple(sorted({len(k) for k in e}, reverse=True))) for first, e in table.items()}


def _tables():
    """(kind, meaning → phrases) for everything that the lexicon lists."""
    yield "COLOUR", lexicon.colours
    yield "SIZE", lexicon.sizes
    yield "MATERIAL", lexicon.before
    yield "AFTER", lexicon.after
    yield "RELATION", {r: [w for w in words if not _posture(w)] for r, words in lexicon.relations.items()}
    yield "VERB", {r: [w for w in words if not _posture(w)] for r, words in lexicon.finite.items()}
    yield "PASSIVE", lexicon.passive
    yield "BACKDROP", {b: [name for _, name in pairs] for b, pairs in lexicon.backdrops.items()}
    yield "STYLE", lexicon.styles
    yield "NUMBER", {n: words for n, words in lexicon.COUNT_PHRASES.items()} | {1: ("one", "1", "a single")}
    yield "ORDINAL", {n: (word,) for n, word in enumerate(lexicon.ORDINALS)}


def _posture(words: str) -> bool:
    """Whether a relation's phrase starts with a posture, which the grammar reads by itself ("sitting on")."""
    first = words.split()[0]
    return first in FUNCTION_WORDS["POSTURE"].split() or first in FUNCTION_WORDS["STAND"].split()


def _places():
    """(place, phrase): "in the top left corner", "on the right side of the picture", …"""
    rows = {"top": ("top", "upper"), "bottom": ("bottom", "lower")}
    names = {"left": ["left"], "right": ["right"], "top": ["top"], "bottom": ["bottom"]}
    names["middle"] = ["middle", "centre", "center"]
    for row, column in product(rows, ("left", "right")):
        names[f"{row} {column}"] = [f"{word} {column}" for word in rows[row]]
    for place, words in names.items():
        for word, preposition, after, of in product(
            words, ("in", "on", "at", "to"), ("", " side", " hand side", " part", " corner"), OF_THE_PICTURE
        ):
            yield place, f"{preposition} the {word}{after}{of}"


@cache
def speller() -> Speller:
    """Mends words towards what the grammar knows (not towards nuisance, junk or fluff)."""
    words: dict[bool, set[str]] = {True: set(), False: set()}
    for entries, _ in chunk_table().values():
        for entry, (kind, _) in entries.items():
            if kind not in ("FILL", "JUNK", "CREDIT", "FLUFF"):
                words[kind in CONTENT].update(entry)
    return Speller(words[True], words[False] - words[True])


@cache
def known_words() -> frozenset[str]:
    """Every single word that some chunk holds."""
    return frozenset(w for entries, _ in chunk_table().values() for words in entries for w in words)


@cache
def _mend(word: str) -> str:
    return word if word in known_words() else speller().correct(word) or word


def chunks(text: str) -> list[Chunk]:
    """The chunks of a text; kinds STOP, COMMA, QUOTE, JUNK and UNKNOWN besides those of the tables."""
    tokens = [(m.lastgroup, m[0]) for m in TOKEN.finditer(text)]
    words = [
        _mend(raw.lower().replace("’", "'")) if kind in ("word", "mixed") else raw for kind, raw in tokens
    ]
    out: list[Chunk] = []
    k = 0
    while k < len(tokens):
        kind, raw = tokens[k]
        if out and out[-1].kind == "SAYS" and kind in ("word", "mixed", "quote"):
            out.append(Chunk("QUOTE", raw[1:-1] if kind == "quote" else raw, raw))
            k += 1
        elif kind in ("word", "mixed", "sign"):
            chunk, used = _longest(words, k, raw)
            k += used
            if chunk.kind == "CREDIT":
                k = _after_credit(tokens, k)
            else:
                out.append(chunk)
        else:
            out.append(_plain(kind, raw))
            k += 1
    return out


def _longest(words: list[str], k: int, raw: str) -> tuple[Chunk, int]:
    word = "and" if words[k] == "&" else words[k]
    entries, lengths = chunk_table().get(word, ({}, ()))
    for length in lengths:
        phrase = (word, *words[k + 1 : k + length])
        if phrase in entries:
            return Chunk(*entries[phrase], raw if len(phrase) == 1 else " ".join(phrase)), len(phrase)
    if word.isdigit() and int(word) <= 12:
        return Chunk("NUMBER", int(word), raw), 1
    return Chunk("UNKNOWN" if word.replace("'", "").isalpha() else "JUNK", None, raw), 1


def _plain(kind: str, raw: str) -> Chunk:
    if kind == "quote":
        return Chunk("QUOTE", raw[1:-1], raw)
    return Chunk({"file": "JUNK", "stop": "STOP", "comma": "COMMA"}[kind], None, raw)


def _after_credit(tokens: list[tuple[str, str]], k: int) -> int:
    """Where a credit ends: at the next stop or comma (a colon right after it is none), within three words."""
    if k < len(tokens) and tokens[k][1] == ":":
        k += 1
    last = min(k + 3, len(tokens))
    while k < last and tokens[k][0] in ("word", "mixed"):
        k += 1
    return k
