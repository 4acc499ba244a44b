"""A parser of captions and prompts: from text to exactly the facts that it asserts.

    text      := sentence (STOP sentence)*
    sentence  := opening? clause ((","|"and") clause)*           opening: "a photo of", "this picture shows"
    clause    := "there" IS list | list (IS|STAND|VERB predicate)?
    list      := np modifier* ((","|"and"|"with"|"next to")? np modifier*)*
    np        := ("a"|"the"|number|ordinal)* adjective* noun | "it" | backdrop | style
    modifier  := "made of brick" | "that says" quote | "that" IS predicate | posture? relation np | place
                 | "on the" backdrop
    predicate := adjective | modifier | "a" style | backdrop, joined by "," and "and"

A modifier belongs to the noun phrase before it ("a cat and a dog on a book": the dog is on it), a
predicate to the whole list before its verb. "the bear", "the second bear" and "it" speak of things
already met; a fragment that only says again what an earlier sentence said adds nothing ("A cube made of
brick. A cube with the texture of brick."). "dogs" alone means two, the fewest that it can. Being near, in
front or behind is no fact of this world and is passed over.
"""

import difflib

from lecture10.world import lexicon
from lecture10.world.discourse import Discourse
from lecture10.world.facts import Facts
from lecture10.world.grammar import Reader
from lecture10.world.tokens import CONTENT, Chunk, chunks


def parse(caption, strict: bool = True) -> Facts:
    """The facts that a caption asserts.

    caption: a text, or anything with a `.text`. strict: raise ValueError, with the nearest known word and
    the cure, for unknown words and for what the grammar cannot read; else pass over them and list them in
    `Facts.unknown`.
    """
    text = getattr(caption, "text", caption)
    if not text.strip():
        raise ValueError("the prompt is empty: write for example 'a blue bear and a brown bird'")
    world = Discourse()
    for sentence in _sentences(chunks(text)):
        Reader(world, _readable(sentence, world, strict, text), strict, text).read()
    if strict and not world.things:
        raise ValueError(f"{text!r} names no thing: write for example 'a blue bear'")
    return world.facts()


def _sentences(found: list[Chunk]) -> list[list[Chunk]]:
    out: list[list[Chunk]] = [[]]
    for chunk in found:
        if chunk.kind == "STOP":
            out.append([])
        elif chunk.kind != "JUNK":
            out[-1].append(chunk)
    return [s for s in out if s]


def _readable(sentence: list[Chunk], world: Discourse, strict: bool, text: str) -> list[Chunk]:
    """The chunks that the grammar reads; raises for the others, or notes them where tolerant."""
    speaks = any(c.kind in CONTENT for c in sentence)
    bad = [c for c in sentence if c.kind == "UNKNOWN" or (c.kind == "FILL" and speaks)]
    if bad and strict:
        raise ValueError(f"{_stranger(bad[0].text)} (in {text!r})")
    world.unknown += [c.text for c in bad]
    return [c for c in sentence if c.kind not in ("UNKNOWN", "FILL")] if speaks else []


def _stranger(word: str) -> str:
    """A sentence for a word that is not in the lexicon, with the nearest that is."""
    known = {w for table in lexicon.vocabulary().values() for words in table.values() for w in words}
    if near := difflib.get_close_matches(word.lower(), sorted(known), n=1, cutoff=0.65):
        return f"the world has no word {word!r}; did you mean {near[0]!r}? parse(..., strict=False) skips it"
    return (
        f"the world has no word {word!r} and nothing like it: leave it out, pass strict=False to skip it, "
        "or see lexicon.vocabulary() for what can be said"
    )
