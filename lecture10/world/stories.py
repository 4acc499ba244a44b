"""Stories of several sentences about a scene that changes, with the truth after every sentence.

    A blue bear and a red cat are on the grass. Two green balls appear. The bear moves to the left of the cat.
    It turns yellow. The cat leaves. Now there are three things.

Things appear, move, change colour or size, leave and are counted; "it", "the other ball", "one of the
balls" and "the green ball" make a reader keep track. Whatever is said is so: `Story.states` holds what
has been told and still holds. For language models: next sentences that follow or do not
(`wrong_endings`), questions with one-word answers.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from lecture10.names import unknown
from lecture10.world import lexicon
from lecture10.world import vocabulary as v
from lecture10.world.draft import Dice
from lecture10.world.facts import Facts, Said
from lecture10.world.lexicon import NUMBER_WORDS, article, plural
from lecture10.world.splits import SPLITS, pairs, split_of_relation
from lecture10.world.words import dice

MOST = 5  # things at a time: enough to keep track of


class Question(NamedTuple):
    """Asked when `after` sentences have been heard."""

    after: int
    text: str
    answer: str


@dataclass(frozen=True)
class Story:
    """sentences, the facts that hold after each (`states`, as long), and questions about them."""

    sentences: tuple[str, ...]
    states: tuple[Facts, ...]
    questions: tuple[Question, ...] = field(repr=False)
    split: str = field(default="train", repr=False)

    @property
    def text(self) -> str:
        """All sentences, one after the other."""
        return " ".join(self.sentences)


@dataclass(eq=False)
class Actor:
    """A thing in a story; compared by identity, since two of them may look alike."""

    noun: str
    colour: str
    size: str | None = None

    def looks(self) -> tuple:
        """What can be seen of it."""
        return self.noun, self.colour, self.size


@dataclass
class Stage:
    """What holds at one moment; subject: what the last sentence was about."""

    u: Dice
    split: str
    things: list[Actor] = field(default_factory=list)
    relations: list[tuple[Actor, str, Actor]] = field(default_factory=list)
    backdrop: str | None = None
    subject: Actor | None = None

    def pick(self, options):
        """One of the options, all equally likely."""
        return options[int(self.u() * len(options))]

    def facts(self) -> Facts:
        """The truth at this moment."""
        number = {id(t): k for k, t in enumerate(self.things)}
        relations = tuple((number[id(i)], name, number[id(j)]) for i, name, j in self.relations)
        return Facts(
            tuple(Said(t.noun, t.colour, size=t.size) for t in self.things), relations, self.backdrop
        )

    def name(self, thing: Actor, other: bool = True) -> str:
        """Words that can mean no other thing: "it" for the last subject, "the cat", "the red cat", "one
        of the cats".

        Returns "" where there are no such words; other=False forbids "it" and "the other cat".
        """
        kin = [t for t in self.things if t.noun == thing.noun]
        if other and thing is self.subject and self.u() < 0.5:
            return "it"
        if len(kin) == 1:
            return f"the {thing.noun}"
        if other and len(kin) == 2 and self.subject in kin and self.subject is not thing and self.u() < 0.6:
            return f"the other {thing.noun}"
        if sum(t.colour == thing.colour for t in kin) == 1:
            return f"the {thing.colour} {thing.noun}"
        alike = all(t.looks() == thing.looks() for t in kin)
        related = {id(t) for i, _, j in self.relations for t in (i, j)} & {id(t) for t in kin}
        return f"one of the {plural(thing.noun)}" if alike and not related else ""


def appear(s: Stage, _: Actor | None = None) -> str | None:
    """ "A red cat comes in." """
    if len(s.things) >= MOST:
        return None
    noun, colour = s.pick(pairs(s.split))
    count = 2 if s.u() < 0.25 and len(s.things) <= MOST - 2 else 1
    s.things += [Actor(noun, colour) for _ in range(count)]
    s.subject = s.things[-1] if count == 1 else None
    if count == 2:
        return f"two {colour} {plural(noun)} {s.pick(('appear', 'come in', 'arrive'))}"
    return f"{article(colour)} {colour} {noun} {s.pick(('appears', 'comes in', 'arrives'))}"


def move(s: Stage, thing: Actor) -> str | None:
    """ "The bear moves to the left of the cat." Its old relations end, unless something is on it."""
    others = [t for t in s.things if t is not thing and s.name(t, other=False)]
    options = [(r, t) for t in others for r in v.RELATIONS if _may(s, thing, r, t)]
    if not options:
        return None
    relation, target = s.pick(options)
    words = {"on": ("gets on", "lands on"), "riding": ("starts riding",)}.get(relation)
    words = s.pick(words) if words else f"moves {lexicon.relations[relation][0]}"
    who, whom = s.name(thing), s.name(target, other=False)
    if not who or whom.startswith("one of"):
        return None
    s.relations = [
        (i, r, j) for i, r, j in s.relations if i is not thing and (j is not thing or r in v.CONTACTS)
    ] + [(thing, relation, target)]
    s.subject = thing
    return f"{who} {words} {whom}"


def _may(s: Stage, thing: Actor, relation: str, target: Actor) -> bool:
    """Whether the split allows it and nothing stands in the way: no ring of things on each other."""
    if relation == "riding" and (thing.noun not in v.RIDERS or target.noun not in v.MOUNTS):
        return False
    below = [target]
    for t in below:
        below += [j for i, r, j in s.relations if i is t and r in v.CONTACTS and j not in below]
    taken = any(j is target and r in v.CONTACTS for _, r, j in s.relations) and relation in v.CONTACTS
    return (
        thing not in below and not taken and split_of_relation(thing.noun, relation, target.noun) == s.split
    )


def recolour(s: Stage, thing: Actor) -> str | None:
    """ "The cat turns red." """
    options = [c for n, c in pairs(s.split) if n == thing.noun and c != thing.colour]
    who = s.name(thing)
    if not who or not options:
        return None
    thing.colour, s.subject = s.pick(options), thing
    if s.u() < 0.4:
        return f"somebody paints {who} {thing.colour}"
    return f"{who} {s.pick(('turns', 'becomes'))} {thing.colour}"


def resize(s: Stage, thing: Actor) -> str | None:
    """ "The ball shrinks." "The ball grows." """
    who, size = s.name(thing), s.pick([size for size in v.SIZE_NAMES if size != thing.size])
    if not who:
        return None
    thing.size, s.subject = size, thing
    words = {"small": ("shrinks", "becomes small"), "large": ("grows", "becomes large")}[size]
    return f"{who} {s.pick(words)}"


def leave(s: Stage, thing: Actor) -> str | None:
    """ "The cat leaves." """
    who = s.name(thing)
    if len(s.things) < 2 or not who:
        return None
    s.things.remove(thing)
    s.relations = [r for r in s.relations if thing not in r]
    s.subject = None
    return f"{who} {s.pick(('leaves', 'disappears', 'goes away'))}"


def count(s: Stage, _: Actor | None = None) -> str:
    """ "Now there are three things." "There are two dogs now." """
    noun, number = s.pick([*Counter(t.noun for t in s.things).items(), ("thing", len(s.things))])
    s.subject = None
    words = f"{NUMBER_WORDS[number - 1]} {noun if number == 1 else plural(noun)}"
    are = "is" if number == 1 else "are"
    return s.pick((f"now there {are} {words}", f"there {are} {words} now"))


def remain(s: Stage, thing: Actor) -> str | None:
    """ "The cat is still red." Said only of what no colour is needed to name."""
    who = s.name(thing)
    if not who or who.startswith("one of") or thing.colour in who:
        return None
    s.subject = thing
    return f"{who} is still {thing.colour}"


def elsewhere(s: Stage, _: Actor | None = None) -> str:
    """ "Now everything is on the beach." """
    s.backdrop = s.pick([b for b in v.BACKDROPS if b not in (s.backdrop, "studio")])
    s.subject = None
    return f"now everything is {' '.join(lexicon.backdrops[s.backdrop][0])}"


EVENTS: tuple[Callable, ...] = (*(appear, move, recolour) * 2, move, resize, leave, count, remain)
RARE = (elsewhere,)


def story(generator=0, sentences: int = 5, split: str = "train") -> Story:
    """A story.

    generator: a seed, random.Random, numpy or torch Generator; sentences: at least 1; split: of the noun
    × colour pairs and of the relations that are told. Raises ValueError for fewer than one sentence or an
    unknown split.
    """
    if sentences < 1:
        raise ValueError(f"a story has at least one sentence, not {sentences}")
    if split not in SPLITS:
        raise ValueError(unknown("split", split, SPLITS))
    stage = Stage(dice(generator), split)
    told, states, questions = [_sentence(_beginning(stage))], [stage.facts()], []
    questions += _ask(stage, 1, None, told[0])
    while len(told) < sentences:
        text, before = None, stage.subject
        while text is None or (_sentence(text) == told[-1] and stage.facts() == states[-1]):
            text = _event(stage)
        told.append(_sentence(text))
        states.append(stage.facts())
        questions += _ask(stage, len(told), before, told[-1])
    return Story(tuple(told), tuple(states), tuple(questions), split)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def _beginning(s: Stage) -> str:
    """ "A blue bear and two red cats are on the grass" """
    chosen = dict.fromkeys(s.pick(pairs(s.split)) for _ in range(1 + int(s.u() * 3)))
    parts = [(noun, colour, s.u() < 0.15) for noun, colour in chosen][:MOST]
    for noun, colour, two in parts:
        s.things += [Actor(noun, colour) for _ in range(1 + two)]
    named = [f"two {c} {plural(n)}" if two else f"{article(c)} {c} {n}" for n, c, two in parts]
    words = named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"
    s.backdrop = s.pick(v.BACKDROPS)
    if len(s.things) == 1:
        s.subject = s.things[0]
    return f"{words} {'is' if len(s.things) == 1 else 'are'} {' '.join(lexicon.backdrops[s.backdrop][0])}"


def _event(s: Stage) -> str | None:
    """Something happens; None where it could not be told without doubt (then nothing has changed)."""
    return s.pick(RARE if s.u() < 0.05 else EVENTS)(s, s.pick(s.things))


def _ask(s: Stage, after: int, before: Actor | None, sentence: str) -> list[Question]:
    """Questions that can be answered now."""
    asked = [Question(after, "How many things are there?", NUMBER_WORDS[len(s.things) - 1])]
    single = [t for t in s.things if sum(o.noun == t.noun for o in s.things) == 1]
    if single:
        thing = s.pick(single)
        asked.append(Question(after, f"What colour is the {thing.noun}?", thing.colour))
    noun = s.pick(v.NOUNS)
    asked.append(
        Question(after, f"Is there {article(noun)} {noun}?", "yes" if noun in s.facts().counts else "no")
    )
    if before and {"It", "it"} & set(sentence.rstrip(".").split()):
        asked.append(Question(after, f'What is "it" in "{sentence}"?', f"the {before.noun}"))
    return asked


def wrong_endings(told: Story, after: int, generator=0, n: int = 3) -> tuple[str, ...]:
    """n different sentences that cannot follow the first `after` sentences: they speak of things that are
    not there, count wrongly, or say that a colour is still what it is not. Raises ValueError for a bad
    `after`.
    """
    if not 1 <= after <= len(told.sentences):
        raise ValueError(f"after is {after}; the story has {len(told.sentences)} sentences to go by")
    u, state, found = dice(generator), told.states[after - 1], {}
    while len(found) < n:
        stage = Stage(
            u, told.split, [Actor(s.noun, s.colour, s.size) for s in state.things], backdrop=state.backdrop
        )
        if text := _wrong(stage):
            found[_sentence(text)] = None
    return tuple(found)


def _wrong(s: Stage) -> str | None:
    r, here = s.u(), {t.noun for t in s.things}
    if r < 0.2:
        number = s.pick([k for k in range(2, 7) if k != len(s.things)])
        return s.pick(("now there are {} things", "there are {} things now")).format(NUMBER_WORDS[number - 1])
    thing = s.pick(s.things)
    if r < 0.4:
        colours = [c for n, c in pairs(s.split) if n == thing.noun and c != thing.colour]
        alone = sum(t.noun == thing.noun for t in s.things) == 1
        return f"the {thing.noun} is still {s.pick(colours)}" if alone else None
    phantom = Actor(*s.pick([p for p in pairs(s.split) if p[0] not in here]))
    s.things.append(phantom)
    return s.pick((move, recolour, resize, leave, remain))(s, phantom)
