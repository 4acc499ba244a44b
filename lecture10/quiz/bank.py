"""The question bank: what a question is, and how data/quiz/*.yaml is read and checked."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lecture10 import names, paths

LETTERS = "ABCD"
LEVELS = ("recall", "understand", "apply", "analyse")
BASES = ("slide", "paper", "computed")  # what a question's facts rest on; memory is no basis
TEXTS = ("id", "slide", "question", "where")
FIELDS = (*TEXTS, "level", "basis", "choices", "answer")


class QuizError(ValueError):
    """The bank has mistakes; the message lists them all: file, question, field, cure."""


@dataclass(frozen=True)
class Choice:
    """One of four: what it says, and why it is right or wrong."""

    text: str
    why: str


@dataclass(frozen=True)
class Question:
    """One question. `answer` is the index (0 to 3) of the right choice; `where` the section to read again.

    slide: the slide that it is about; level: one of LEVELS; basis: what its facts rest on, out of BASES.
    """

    id: str
    notebook: str
    slide: str
    question: str
    choices: tuple[Choice, Choice, Choice, Choice]
    answer: int
    where: str
    level: str
    basis: tuple[str, ...]

    @property
    def letter(self) -> str:
        """The letter of the right choice."""
        return LETTERS[self.answer]

    @property
    def why(self) -> str:
        """Why the right choice is right."""
        return self.choices[self.answer].why


def known() -> list[str]:
    """The notebooks that have questions, in order."""
    return sorted(p.stem for p in paths.data_path("quiz").glob("*.yaml"))


def load(name: str) -> tuple[Question, ...]:
    """That notebook's questions. Raises ValueError with the nearest name, QuizError for mistakes."""
    if name not in known():
        raise ValueError(names.unknown("quiz", str(name), known()))
    return read(paths.data_path("quiz") / f"{name}.yaml")


def all_questions() -> tuple[Question, ...]:
    """Every question of the course. Raises QuizError where two share an id."""
    questions = [q for name in known() for q in load(name)]
    first: dict[str, str] = {}
    for q in questions:
        if q.id in first:
            raise QuizError(f"{q.notebook}.yaml, {q.id}, id: {first[q.id]}.yaml has it too; give it another")
        first[q.id] = q.notebook
    return tuple(questions)


def read(path: Path) -> tuple[Question, ...]:
    """The questions in one file. Raises QuizError, which lists every mistake in it."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or error
        raise QuizError(
            f"{path.name}{line}: not YAML ({problem}); quote texts that hold ': ' or ' #'"
        ) from None
    if mistakes := list(_mistakes(raw, path.stem)):
        raise QuizError("\n".join(f"{path.name}, {m}" for m in mistakes))
    return tuple(_question(q, path.stem) for q in raw["questions"])


def _question(raw: dict[str, Any], notebook: str) -> Question:
    choices = tuple(Choice(" ".join(c["text"].split()), " ".join(c["why"].split())) for c in raw["choices"])
    texts = {name: " ".join(raw[name].split()) for name in TEXTS}
    answer, basis = LETTERS.index(raw["answer"]), tuple(raw["basis"])
    return Question(
        **texts, notebook=notebook, choices=choices, answer=answer, level=raw["level"], basis=basis
    )


def _mistakes(raw: Any, notebook: str) -> Iterator[str]:
    """Everything wrong with a file's content: "question, field: what, cure"."""
    if not isinstance(raw, dict) or not isinstance(raw.get("questions"), list) or not raw["questions"]:
        yield "the file: it should hold `notebook:` and a list `questions:`"
        return
    if raw.get("notebook") != notebook:
        yield f"notebook: is {raw.get('notebook')!r}; write {notebook!r}, as the file is named"
    seen: set[str] = set()
    for number, q in enumerate(raw["questions"], start=1):
        if not isinstance(q, dict):
            yield f"question {number}: is {q!r:.40}; write its fields, {', '.join(FIELDS)}"
            continue
        name = str(q.get("id") or f"question {number}")
        if name in seen:
            yield f"{name}, id: an earlier question has it too; give it another"
        seen.add(name)
        yield from (f"{name}, {m}" for m in _mistakes_of_one(q))


def _mistakes_of_one(q: dict[str, Any]) -> Iterator[str]:
    for field in sorted(q.keys() - set(FIELDS), key=str):
        yield f"{field}: {names.unknown('field', str(field), FIELDS)}"
    for field in TEXTS:
        if not _is_text(q.get(field)):
            yield f"{field}: is {q.get(field)!r}; write a sentence (in quotes where YAML reads a number)"
    if q.get("level") not in LEVELS:
        yield f"level: is {q.get('level')!r}; write one of {', '.join(LEVELS)}"
    basis = q.get("basis")
    if not isinstance(basis, list) or not basis or any(b not in BASES for b in basis):
        yield f"basis: is {basis!r}; write a list out of {', '.join(BASES)}: what the facts rest on"
    if q.get("answer") not in list(LETTERS):
        yield f"answer: is {q.get('answer')!r}; write the letter of the right choice, A to D"
    yield from _mistakes_of_choices(q.get("choices"))


def _mistakes_of_choices(choices: Any) -> Iterator[str]:
    count = len(choices) if isinstance(choices, list) else 0
    if count != len(LETTERS):
        yield f"choices: there are {count}; write a list of exactly {len(LETTERS)}, each with text and why"
        return
    texts = []
    for letter, choice in zip(LETTERS, choices, strict=True):
        parts = choice if isinstance(choice, dict) else {}
        for part, cure in (("text", "write what it says"), ("why", "explain why it is right or wrong")):
            if not _is_text(parts.get(part)):
                yield f"choices, {letter}, {part}: is {parts.get(part)!r}; {cure}"
        texts.append(" ".join(str(parts.get("text")).lower().split()).rstrip("."))
    for letter, text in zip(LETTERS, texts, strict=True):
        if text in texts[: LETTERS.index(letter)]:
            yield f"choices, {letter}, text: says the same as an earlier one; write another"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
