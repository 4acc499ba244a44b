"""What a reader holds in mind: the things met, what was said of them, and what "it" speaks of."""

from lecture10.world.facts import Facts, Said


class Discourse:
    """Grows sentence by sentence; `facts()` is what has been asserted."""

    def __init__(self):
        self.things: list[dict] = []
        self.relations: list[tuple[int, str, int]] = []
        self.backdrop = self.style = None
        self.unknown: list[str] = []
        self._subject: list[int] = []  # what the last clause with a verb was about
        self._fragments: set[tuple] = set()  # what earlier sentences without a verb asserted
        self._start, self._whole = (0, 0), False

    def facts(self) -> Facts:
        """Everything asserted so far."""
        return Facts(
            tuple(Said(**t) for t in self.things),
            tuple(self.relations),
            self.backdrop,
            self.style,
            tuple(self.unknown),
        )

    def start_sentence(self) -> None:
        """Note where the sentence starts, to tell a restatement from something new."""
        self._start, self._whole = (len(self.things), len(self.relations)), False

    def end_sentence(self) -> None:
        """Forget what a fragment said if an earlier fragment said exactly the same."""
        n, r = self._start
        if self._whole or len(self.things) == n:
            return
        relations = tuple((i - n, name, j - n) for i, name, j in self.relations[r:])
        key = Facts(tuple(Said(**t) for t in self.things[n:]), relations).key
        if key in self._fragments:
            del self.things[n:], self.relations[r:]
        self._fragments.add(key)

    def about(self, ids: list[int]) -> None:
        """These are the subjects of a verb."""
        self._whole = True
        self._subject = ids or self._subject

    def referred(self) -> list[int]:
        """What "it" or "they" speak of: the last subject, else the last thing met."""
        self._whole = True
        return self._subject or ([len(self.things) - 1] if self.things else [])

    def add(self, noun: str, fields: dict, count: int = 1) -> list[int]:
        """New things, `count` of a kind."""
        start = len(self.things)
        self.things += [{"noun": noun, **fields} for _ in range(count)]
        return list(range(start, start + count))

    def find(
        self, noun: str | None, fields: dict, number: int | None, ordinal: int | None, many: bool
    ) -> list[int]:
        """The things that "the second blue bear" speaks of; new ones where no such thing was met."""
        kin = [k for k, t in enumerate(self.things) if noun in (None, t["noun"])]
        same = [k for k in kin if all(self.things[k].get(f) == value for f, value in fields.items())]
        if not same:
            same = [
                k for k in kin if all(self.things[k].get(f) in (None, value) for f, value in fields.items())
            ]
        if ordinal is not None:
            same = same[ordinal : ordinal + 1]
        elif not many and number in (None, 1):
            same = same[-1:]
        if noun is None and not same:
            raise ValueError(
                f"'the {' '.join(map(str, fields.values()))} one' speaks of nothing met before: name it"
            )
        if not same or (number or 1) > len(same):
            return self.add(noun, fields, number or (2 if many else 1))
        self._whole = True
        for k in same:
            self.things[k].update(fields)
        return same

    def relate(self, ids: list[int], relation: str, others: list[int]) -> None:
        """Every one of `ids` stands in the relation to every one of `others`."""
        self.relations += [
            (i, relation, j) for i in ids for j in others if i != j and (i, relation, j) not in self.relations
        ]

    def tell(self, ids: list[int], name: str, value: str, text: str) -> None:
        """Something more of things already met."""
        for k in ids:
            self.put(self.things[k], name, value, text)

    @staticmethod
    def put(fields: dict, name: str, value: str, text: str) -> None:
        """Set an attribute; raises ValueError where another value was said."""
        if fields.get(name, value) != value:
            noun = fields.get("noun", "thing")
            raise ValueError(
                f"{text!r} calls one {noun} both {fields[name]} and {value}: keep one, or name two things"
            )
        fields[name] = value
