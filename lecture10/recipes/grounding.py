"""Prompts with phrases for grounding: categories in a row, captions, and phrases that refer; as batches.

    ask(["a blue bear", "a red ball"])                        what a model reads: ids, real, phrase_tokens
    Batches(painted(4000, 0, things=(1, 4)), (categories,))   a source of training batches

A prompt is a text with phrases (spans of characters), each speaking of some things of its picture. It becomes
tokens with the tokenizer of the captions; a phrase's tokens are those whose characters lie in its span.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from lecture10.models.grounding import assign, expand_target
from lecture10.recipes.captions import NAME, clean
from lecture10.tokenizer import tokenizer
from lecture10.world import captions as write_captions
from lecture10.world import lexicon, render, sample
from lecture10.world import vocabulary as v
from lecture10.world.batch import SceneBatch
from lecture10.world.splits import pairs

Span = tuple[int, int]
ASKED = 8  # categories in a training prompt, of which at most four are in the picture
SMALL_WORDS = ["a", "an", "the", "of", "and", "to", "at", "in", "left", "right", "upper", "lower"]


class Prompt(NamedTuple):
    """A text, the spans of its phrases in characters, and the things (their numbers) that each speaks of."""

    text: str
    spans: tuple[Span, ...]
    things: tuple[tuple[int, ...], ...] = ()


class Asked(NamedTuple):
    """Prompts as a model reads them: ids (B, M), real (B, M) bool, phrase_tokens (B, c, M) bool."""

    ids: Tensor
    real: Tensor
    phrase_tokens: Tensor


def joined(phrases: Sequence[str], things: Sequence[Sequence[int]] = ()) -> Prompt:
    """Phrases in a row, "a blue bear. a red ball.", as GLIP writes the classes of a detector.

    Raises ValueError for no phrase and for an empty one.
    """
    if not phrases:
        raise ValueError("no phrase is asked for: name at least one thing, such as 'a blue bear'")
    text, spans = "", []
    for at, phrase in enumerate(phrases):
        words = clean(phrase).strip().rstrip(".").strip()
        if not any(letter.isalnum() for letter in words):
            raise ValueError(f"phrase {at} is empty ({phrase!r}): write a few words, such as 'a blue bear'")
        spans.append((len(text), len(text) + len(words)))
        text += words + ". "
    return Prompt(text.strip(), tuple(spans), tuple(map(tuple, things)))


def ask(prompts: Sequence[Prompt | Sequence[str]], context: int = 96) -> Asked:
    """Prompts (or lists of phrases) -> token ids, which of them are real, and each phrase's tokens.

    Raises ValueError for an empty phrase, and for a text of more than `context` tokens.
    """
    if prompts and isinstance(prompts[0], str):
        prompts = [joined(prompts)]
    prompts = [p if isinstance(p, Prompt) else joined(p) for p in prompts]
    read = tokenizer(NAME).library.encode_batch([clean(p.text) for p in prompts], add_special_tokens=False)
    longest, most = max(len(e.ids) for e in read), max(len(p.spans) for p in prompts)
    if longest > context:
        raise ValueError(
            f"a prompt has {longest} tokens, the context is {context}: ask fewer phrases at once"
        )
    ids = torch.full((len(prompts), longest), tokenizer(NAME).end)
    real = torch.zeros(ids.shape, dtype=torch.bool)
    tokens = torch.zeros(len(prompts), most, longest, dtype=torch.bool)
    for row, (prompt, encoding) in enumerate(zip(prompts, read, strict=True)):
        ids[row, : len(encoding.ids)] = torch.tensor(encoding.ids)
        real[row, : len(encoding.ids)] = True
        offsets = torch.tensor(encoding.offsets) - 1  # `clean` puts one space in front
        for k, (start, end) in enumerate(prompt.spans):
            tokens[row, k, : len(offsets)] = (offsets[:, 0] < end) & (offsets[:, 1] > start)
    return Asked(ids, real, tokens)


def strangers(phrase: str) -> list[str]:
    """The words of a phrase that no training text holds."""
    known = {w for table in lexicon.vocabulary().values() for words in table.values() for w in words}
    parts = {part for word in known for part in word.replace("-", " ").split()} | known | set(SMALL_WORDS)
    said = clean(phrase)
    for mark in ".,-":
        said = said.replace(mark, " ")
    return [word for word in said.split() if word not in parts]


@dataclass(frozen=True, eq=False)
class Painted:
    """Scenes painted once: image (n, 3, S, S) uint8, boxes (n, 6, 4), and the scenes."""

    image: Tensor
    boxes: Tensor
    scenes: SceneBatch

    def __len__(self) -> int:
        return len(self.image)

    @classmethod
    def cat(cls, parts: Sequence["Painted"]) -> "Painted":
        """Several, one after the other."""
        image, boxes = (torch.cat([getattr(p, name) for p in parts]) for name in ("image", "boxes"))
        return cls(image, boxes, SceneBatch.cat([p.scenes for p in parts]))

    def pictures(self, rows: Tensor) -> Tensor:
        """(B, 3, S, S) floats in [0, 1]."""
        return self.image[rows].float().div_(255)

    def things(self, row: int) -> list["Seen"]:
        """The things of one scene that can be seen, by their number."""
        s, box = self.scenes, self.boxes[row].tolist()
        return [
            Seen(k, v.NOUNS[n], v.COLOUR_NAMES[c], (box[k][0] + box[k][2]) / 2, (box[k][1] + box[k][3]) / 2)
            for k, (n, c) in enumerate(zip(s.noun[row].tolist(), s.colour[row].tolist(), strict=True))
            if n >= 0 and box[k][2] > box[k][0]
        ]


class Seen(NamedTuple):
    """A thing's number in its scene, noun, colour, and the middle of its box."""

    number: int
    noun: str
    colour: str
    x: float
    y: float

    @property
    def name(self) -> str:
        """Its category: "blue bear"."""
        return f"{self.colour} {self.noun}"


def painted(n: int, seed: int | torch.Generator, size: int = 64, *, part: int = 500, **knobs) -> Painted:
    """n scenes, painted; knobs as for `world.sample`."""
    scenes = sample(n, seed, **knobs)
    done = [render(scenes[k : k + part], size) for k in range(0, n, part)]
    image = torch.cat([(p.image * 255).round_().to(torch.uint8) for p in done])
    return Painted(image, torch.cat([p.boxes for p in done]), scenes)


# --- writers: (painted, rows, dice) -> a prompt for each row ----------------------------------------------

Writer = Callable[[Painted, list[int], random.Random], list[Prompt]]


TRAIN_NAMES = tuple(f"{colour} {noun}" for noun, colour in pairs("train"))


def categories(
    pool: Painted, rows: list[int], dice: random.Random, names: Sequence[str] = TRAIN_NAMES
) -> list[Prompt]:
    """Detection as grounding: the categories in the picture among others that are not, in a random order.

    names: the categories that there are.
    """
    return [_categories(pool.things(row), dice, names) for row in rows]


def _categories(things: list[Seen], dice: random.Random, others: Sequence[str]) -> Prompt:
    speaks: dict[str, list[int]] = {}
    for seen in things:
        speaks.setdefault(seen.name, []).append(seen.number)
    while len(speaks) < ASKED:
        speaks.setdefault(others[int(dice.random() * len(others))], [])
    names = list(speaks)
    dice.shuffle(names)
    return joined(names, [speaks[name] for name in names])


def told(pool: Painted, rows: list[int], dice: random.Random, kind: str = "short") -> list[Prompt]:
    """Grounded captions: whole sentences, whose phrases know their things."""
    written = write_captions(pool.scenes[rows], kind, dice)
    return [
        Prompt(c.text, tuple((p.start, p.end) for p in c.phrases), tuple(p.things for p in c.phrases))
        for c in written
    ]


FIRST_OF_TWO = ("left", "right", "upper", "lower")


def refers(things: list[Seen], hard: bool = False) -> dict[str, list[Prompt]]:
    """What can be said of one thing only because of the others, and what can be said of it alone.

    "place": one of two things of a noun by its side ("the left ball"); "relation": one of two by its side of
    a third thing, where the other is not there ("the ball left of the cat"); "plain": a thing by colour and
    noun, where no other thing has its noun. hard: only sides on which another thing lies clearly further
    out, so that neither the side alone nor the noun alone tells which it is. Empty where nothing fits.
    """
    found: dict[str, list[Prompt]] = {"place": [], "relation": [], "plain": []}
    nouns = [t.noun for t in things]
    for t in things:
        twins = [o for o in things if o.noun == t.noun and o is not t]
        if not twins:
            found["plain"].append(_one(f"the {t.name}", t))
        if len(twins) != 1:
            continue
        for side, word in enumerate(FIRST_OF_TWO):
            if hard and not any(_beyond(other, t, side) > CLEAR for other in things):
                continue
            if _beyond(t, twins[0], side) > CLEAR:
                found["place"].append(_one(f"the {word} {t.noun}", t))
            for third in things:
                if (
                    nouns.count(third.noun) == 1
                    and _beyond(t, third, side) > CLEAR
                    and _beyond(twins[0], third, side) < 0
                ):
                    found["relation"].append(_one(f"the {t.noun} {v.DIRECTIONS[side]} the {third.noun}", t))
    return found


CLEAR = 0.1  # of the picture's side: how far two middles are apart at least


def _one(phrase: str, thing: Seen) -> Prompt:
    return joined([phrase], [[thing.number]])


def _beyond(a: Seen, b: Seen, side: int) -> float:
    """How far a lies from b towards a side: 0 left, 1 right, 2 up, 3 down."""
    return (b.x - a.x, a.x - b.x, b.y - a.y, a.y - b.y)[side]


def referring(
    pool: Painted, rows: list[int], dice: random.Random, names: Sequence[str] = TRAIN_NAMES
) -> list[Prompt]:
    """One to three phrases that each mean one thing; categories where nothing can be referred to."""
    prompts = []
    for row in rows:
        things = pool.things(row)
        found = [p for group in refers(things).values() for p in dice.sample(group, min(2, len(group)))]
        chosen = dice.sample(found, min(3, len(found)))
        if chosen:
            prompts.append(joined([p.text for p in chosen], [p.things[0] for p in chosen]))
        else:
            prompts.append(_categories(things, dice, names))
    return prompts


@dataclass(frozen=True, eq=False)
class Batches:
    """Draws n pictures from a pool, and for each a prompt by one of the writers, in turn.

    A batch is a dict: image (n, 3, S, S); ids, real, phrase_tokens as in `Asked`; speaks (n, 6, c) bool,
    which thing is meant by which phrase, boxes (n, 6, 4).
    """

    pool: Painted
    writers: tuple[Writer, ...] = (categories,)
    n: int = 32
    context: int = 96

    def __call__(self, generator: torch.Generator) -> dict[str, Tensor]:
        """The batch that this generator leads to."""
        rows = torch.randint(len(self.pool), (self.n,), generator=generator)
        dice = random.Random(int(torch.randint(2**62, (), generator=generator)))
        prompts: list[Prompt] = []
        share = len(self.writers)
        for k, writer in enumerate(self.writers):
            mine = rows[k * self.n // share : (k + 1) * self.n // share].tolist()
            prompts += writer(self.pool, mine, dice) if mine else []
        asked = ask(prompts, self.context)
        image, boxes = self.pool.pictures(rows), self.pool.boxes[rows]
        return {"image": image, "boxes": boxes, "speaks": speaks(prompts, asked), **asked._asdict()}


def speaks(prompts: Sequence[Prompt], asked: Asked) -> Tensor:
    """(B, 6, c) bool: which thing is meant by which phrase."""
    table = torch.zeros(len(prompts), v.MAX_THINGS, asked.phrase_tokens.shape[1], dtype=torch.bool)
    for row, prompt in enumerate(prompts):
        for k, numbers in enumerate(prompt.things):
            table[row, list(numbers), k] = True
    return table


def targets(
    batch: dict[str, Tensor], g: int, expand: Callable[[Tensor, Tensor], Tensor] = expand_target
) -> tuple[Tensor, Tensor]:
    """owner (B, N), and T′ (B, N, M): which region is to align with which token. expand: T -> T′."""
    owner = assign(batch["boxes"], g)
    meant = batch["speaks"].float()  # (B, K, c)
    nobody = torch.zeros_like(meant[:, :1])
    index = torch.where(owner < 0, meant.shape[1], owner)[..., None].expand(-1, -1, meant.shape[2])
    T = torch.cat([meant, nobody], 1).gather(1, index)  # (B, N, c)
    return owner, expand(T, batch["phrase_tokens"])
