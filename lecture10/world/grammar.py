"""The grammar of captions, rule by rule, as `parse` gives it: one method per rule, by recursive descent."""

from lecture10.world.discourse import Discourse
from lecture10.world.tokens import Chunk
from lecture10.world.vocabulary import MAX_THINGS

ADJECTIVES = {"SIZE": "size", "COLOUR": "colour", "MATERIAL": "material"}
STARTS = {
    "A",
    "THE",
    "THIS",
    "NUMBER",
    "ORDINAL",
    "PRON",
    "ALL",
    "NOUN",
    "BACKDROP",
    "STYLE",
    "FLUFF",
    *ADJECTIVES,
}
FINITE = {"IS", "STAND", "VERB"}
BIG_NOUNS = (
    "house",
    "table",
    "tree",
    "horse",
    "car",
    "boat",
    "rocket",
    "pizza",
    "bear",
)  # "pizza-sized" is large


class Reader:
    """Reads one sentence into the discourse, by recursive descent."""

    def __init__(self, world: Discourse, sentence: list[Chunk], strict: bool, text: str):
        self.world, self.chunks, self.strict, self.text = world, sentence, strict, text
        self.at = 0

    def peek(self, ahead: int = 0) -> str:
        """The kind of a chunk ahead; "" past the end."""
        return self.chunks[self.at + ahead].kind if self.at + ahead < len(self.chunks) else ""

    def take(self) -> Chunk:
        """The next chunk."""
        self.at += 1
        return self.chunks[self.at - 1]

    def read(self) -> None:
        """sentence := opening? clause ((","|"and") clause)*"""
        self.world.start_sentence()
        self.opening()
        while self.at < len(self.chunks):
            before = self.at
            self.joint()
            self.clause()
            if self.at == before:
                self.stuck()
        self.world.end_sentence()

    def stuck(self) -> None:
        """Raise for what cannot be read, or skip it where tolerant."""
        chunk = self.take()
        if not self.strict:
            self.world.unknown.append(chunk.text)
            return
        if chunk.kind in ADJECTIVES or chunk.kind == "FLUFF":
            cure = f"name a thing after it, for example '{chunk.text} ball'"
        elif chunk.kind == "QUOTE":
            cure = f"write a sign that says '{chunk.value}'"
        else:
            cure = "write clauses like 'a small blue bear on a red book' or 'the bear is left of the cat'"
        raise ValueError(f"{chunk.text!r} cannot be read where it stands in {self.text!r}: {cure}")

    def joint(self) -> None:
        """Skip commas and conjunctions."""
        while self.peek() in ("COMMA", "AND"):
            self.at += 1

    def opening(self) -> None:
        """ "a photo of", "this is a sketch of", "in this picture there is", "the scene is set at night"."""
        while True:
            if self.peek() == "LINK" or (
                self.peek() in ("THIS", "PRON") and self.frame(2) and self.peek(1) == "IS"
            ):
                self.at += 2 if self.peek() != "LINK" else 1
            elif ahead := self.frame(1 if self.peek() == "PREP" else 0):
                self.at = ahead
                if self.chunks[ahead - 1].kind == "STYLE":
                    self.world.style = self.chunks[ahead - 1].value
                if self.peek() in FINITE:
                    self.take()
                    self.predicates([])
            else:
                return

    def frame(self, ahead: int = 0) -> int:
        """The position after "a sketch" or "the picture" where such words stand ahead, else 0."""
        k = self.at + ahead
        while k < len(self.chunks) and self.chunks[k].kind in ("A", "THE", "THIS", "FLUFF"):
            k += 1
        return k + 1 if k < len(self.chunks) and self.chunks[k].kind in ("STYLE", "META") else 0

    def clause(self) -> None:
        """clause := "there" IS list | list (IS|STAND|VERB predicate)?"""
        if self.peek() == "THERE":
            self.at += 2 if self.peek(1) in FINITE else 1
        if self.peek() in ("RELATION", "PREP") and self.backdrop_ahead(1):
            self.modifier([])  # "at night, a bear …"
            return
        subjects = self.listing()
        if subjects is not None and self.peek() in FINITE:
            verb = self.take()
            if verb.kind == "VERB":
                self.related(subjects, verb.value, whole=True)
            self.predicates(subjects)
            self.world.about(subjects)  # only now: in "a ball is above it", it is not the ball

    def listing(self) -> list[int] | None:
        """Noun phrases with their modifiers; None where there is none."""
        ids, found = [], False
        while True:
            before = self.at
            if found:
                self.joint()
            one = self.np() if self.peek() in STARTS or self.peek() == "QUOTE" else None
            if one is None:
                self.at = before
                return ids if found else None
            ids, found = ids + one, True
            self.modifiers(one)

    def np(self) -> list[int] | None:
        """A noun phrase's things, new or referred to; [] for a backdrop or style, None for no phrase."""
        if self.peek() == "PRON":
            self.take()
            return self.world.referred()
        if self.peek() == "ALL":
            self.take()
            return []
        start, fields = self.at, {}
        definite, number, ordinal = self.determiners()
        self.adjectives(fields)
        if self.peek() == "NOUN":
            noun, form = self.take().value
        elif self.peek() in ("BACKDROP", "STYLE") and not fields and number is None:
            chunk = self.take()
            setattr(self.world, chunk.kind.lower(), chunk.value)
            return []
        elif definite and self.peek() == "NUMBER" and self.chunks[self.at].value == 1:  # "the blue one"
            self.take()
            noun, form = None, "one"
        else:
            self.at = start
            return None
        if number is not None and not 1 <= number <= MAX_THINGS:
            raise ValueError(
                f"{self.text!r} asks for {number} of {noun}: the world draws one to {MAX_THINGS} things"
            )
        count = number or (2 if form == "many" else 1)
        if definite:
            return self.world.find(noun, fields, count if number else None, ordinal, form == "many")
        return self.world.add(noun, fields, count)

    def determiners(self) -> tuple[bool, int | None, int | None]:
        """Whether the phrase is definite, its number, its ordinal (0 for "first")."""
        definite, number, ordinal = False, None, None
        while self.peek() in ("A", "THE", "THIS", "NUMBER", "ORDINAL"):
            chunk = self.take()
            definite = definite or chunk.kind in ("THE", "THIS", "ORDINAL")
            number = chunk.value if chunk.kind == "NUMBER" else number
            ordinal = chunk.value if chunk.kind == "ORDINAL" else ordinal
        return definite, number, ordinal

    def adjectives(self, fields: dict) -> None:
        """Sizes, colours, materials, a text in quotes and idle adjectives, as far as they go."""
        while True:
            kind = self.peek()
            if kind in ADJECTIVES:
                chunk = self.take()
                self.world.put(fields, ADJECTIVES[kind], chunk.value, self.text)
            elif kind == "QUOTE":
                self.world.put(fields, "text", self.take().value, self.text)
            elif kind == "NOUN" and self.peek(1) == "SIZED":
                size = "large" if self.take().value[0] in BIG_NOUNS else "small"
                self.world.put(fields, "size", size, self.text)
                self.take()
            elif kind in ("FLUFF", "TINT") or (
                kind == "COMMA" and fields and self.peek(1) in (*ADJECTIVES, "FLUFF") and self.noun_follows()
            ):
                self.take()
            else:
                return

    def noun_follows(self) -> bool:
        """Whether only commas and adjectives, each kind once, stand between here and a noun."""
        k, kinds = self.at, []
        while k < len(self.chunks) and self.chunks[k].kind in ("COMMA", "FLUFF", *ADJECTIVES):
            kinds += [self.chunks[k].kind] if self.chunks[k].kind in ADJECTIVES else []
            k += 1
        return k < len(self.chunks) and self.chunks[k].kind == "NOUN" and len(set(kinds)) == len(kinds)

    def modifiers(self, ids: list[int]) -> None:
        """What follows a noun phrase and belongs to it."""
        while True:
            before = self.at
            if self.peek() == "COMMA" and self.peek(1) in ("THAT", "POSTURE", "RELATION", "PASSIVE"):
                self.take()
            if self.peek() == "THAT" and self.peek(1) in FINITE:
                self.at += 1
                verb = self.take()
                if verb.kind == "VERB":
                    self.related(ids, verb.value)
                while self.quality(ids):
                    self.at += (
                        self.peek() in ("COMMA", "AND")
                        and self.peek(1) in ADJECTIVES
                        and not self.noun_follows()
                    )
            self.modifier(ids)
            if self.peek() == "COMMA" and self.peek(1) == "PLACE":
                self.take()
            if self.at == before:
                return

    def modifier(self, ids: list[int]) -> bool:
        """One modifier, if one stands here."""
        before, kind = self.at, self.peek()
        if kind == "POSTURE":
            self.take()
            return self.modifier(ids) or True
        if kind == "AFTER":
            self.world.tell(ids, "material", self.take().value, self.text)
        elif kind == "SAYS" and self.peek(1) == "QUOTE":
            self.take()
            self.world.tell(ids, "text", self.take().value, self.text)
        elif kind == "PLACE":
            self.world.tell(ids, "place", self.take().value, self.text)
        elif kind in ("RELATION", "PREP") and (after := self.backdrop_ahead(1)):
            self.at = after
            self.world.backdrop = self.chunks[after - 1].value
        elif kind in ("RELATION", "PASSIVE"):
            chunk = self.take()
            if not self.related(ids, chunk.value, passive=kind == "PASSIVE"):
                self.at = before
        return self.at > before

    def backdrop_ahead(self, ahead: int) -> int:
        """The position after "the sunlit meadow" where a backdrop stands ahead, else 0."""
        k = self.at + ahead
        while k < len(self.chunks) and self.chunks[k].kind in ("A", "THE", "THIS", "FLUFF"):
            k += 1
        return k + 1 if k < len(self.chunks) and self.chunks[k].kind == "BACKDROP" else 0

    def related(self, ids: list[int], relation: str, passive: bool = False, whole: bool = False) -> bool:
        """The noun phrase after a relation; whole: after a finite verb "the cat and the dog" may follow."""
        other = self.np()
        if other is None:
            return False
        while True:
            self.world.relate(*((other, relation, ids) if passive else (ids, relation, other)))
            if not whole:
                self.modifiers(other)
            if not (whole and self.peek() == "AND" and self.peek(1) == "THE" and self.object_follows()):
                return True
            self.take()
            other = self.np()

    def object_follows(self) -> bool:
        """Whether the noun phrase after "and" ends the clause, so that it is no subject of a next one."""
        k = self.at + 1
        while k < len(self.chunks) and self.chunks[k].kind in (
            "THE",
            "NUMBER",
            "ORDINAL",
            "FLUFF",
            *ADJECTIVES,
        ):
            k += 1
        rest = self.chunks[k + 1].kind if k + 1 < len(self.chunks) else ""
        return k < len(self.chunks) and self.chunks[k].kind == "NOUN" and rest not in FINITE

    def predicates(self, ids: list[int]) -> None:
        """What is said of the subjects after a verb, joined by commas and "and"."""
        while True:
            before = self.at
            if self.quality(ids):
                pass
            elif self.peek() == "RELATION" and not self.backdrop_ahead(1):
                if not self.related(ids, self.take().value, whole=True):
                    self.at = before
            elif after := self.frame() or self.backdrop_ahead(0):
                self.at = after
                chunk = self.chunks[after - 1]
                if chunk.kind != "META":
                    setattr(self.world, chunk.kind.lower(), chunk.value)
                return
            else:
                self.modifier(ids)
            if self.at == before or not self.more_predicates():
                return

    def quality(self, ids: list[int]) -> bool:
        """An adjective after a verb: "is blue", "is small in size"."""
        if self.peek() not in ADJECTIVES:
            return False
        chunk = self.take()
        self.world.tell(ids, ADJECTIVES[chunk.kind], chunk.value, self.text)
        self.at += self.peek() == "TINT"
        return True

    def more_predicates(self) -> bool:
        """Whether another predicate follows, perhaps after a joint, rather than a new clause."""
        before = self.at
        self.joint()
        clause = self.peek() in STARTS and self.peek() not in ADJECTIVES
        if self.at < len(self.chunks) and not clause and not (self.at > before and self.noun_follows()):
            return True
        self.at = before
        return False
