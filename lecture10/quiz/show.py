"""A quiz as a notebook shows it: a static list with folded answers, in HTML, Markdown and plain text."""

import html
import re
from dataclasses import dataclass

from lecture10.quiz import bank
from lecture10.quiz.bank import LETTERS, Question

WAYS = ("folded", "open", "none")


@dataclass(frozen=True)
class Quiz:
    """A notebook's questions. answers: "folded" (to click), "open" (for print) or "none" (a test)."""

    name: str
    questions: tuple[Question, ...]
    answers: str = "folded"

    def __repr__(self) -> str:
        return f"Quiz({self.name!r}: {len(self.questions)} questions)"

    def __str__(self) -> str:
        """Plain text: the questions, then the answers (unless there are to be none)."""
        asked = [f"{n}. {_with_choices(q)}" for n, q in enumerate(self.questions, start=1)]
        key = [f"{n}. {_explained(q)}" for n, q in enumerate(self.questions, start=1)]
        return "\n\n".join(asked if self.answers == "none" else [*asked, "Answers", *key])

    def _repr_markdown_(self) -> str:
        parts = []
        for number, q in enumerate(self.questions, start=1):
            choices = [f"- **{letter}.** {_md(c.text)}" for letter, c in zip(LETTERS, q.choices, strict=True)]
            parts.append("\n".join([f"**{number}.** {_md(q.question)} *({q.level})*", "", *choices]))
            if self.answers != "none":
                reasons = [f"- **{letter}** {word}: {_md(why)}" for letter, word, why in _reasons(q)]
                again = f"Slide: {_md(q.slide)}. Read again: {_md(q.where)}."
                parts.append(self._fold("\n".join(["", *reasons, "", again, ""])))
        return "\n\n".join(parts) + "\n"

    def _repr_html_(self) -> str:
        items = []
        for q in self.questions:
            choices = "".join(f"<li>{_ht(c.text)}</li>" for c in q.choices)
            items.append(f'<li><p>{_ht(q.question)} <em>({q.level})</em></p><ol type="A">{choices}</ol>')
            if self.answers != "none":
                reasons = "".join(
                    f"<li><b>{letter}</b> {word}: {_ht(why)}</li>" for letter, word, why in _reasons(q)
                )
                again = f"<p>Slide: {_ht(q.slide)}. Read again: {_ht(q.where)}.</p>"
                items.append(self._fold(f"<ul>{reasons}</ul>{again}"))
            items.append("</li>")
        return f"<ol>\n{chr(10).join(items)}\n</ol>"

    def _fold(self, inside: str) -> str:
        state = " open" if self.answers == "open" else ""
        return f"<details{state}><summary>Answer</summary>\n{inside}\n</details>"


def quiz(name: str, answers: str = "folded") -> Quiz:
    """The questions of a notebook, such as "01_gpt1". Raises ValueError with the nearest known name."""
    if answers not in WAYS:
        raise ValueError(f"answers is {answers!r}; it can be {', '.join(WAYS)}")
    return Quiz(name, bank.load(name), answers)


def _with_choices(q: Question) -> str:
    lines = [f"   {letter}. {c.text}" for letter, c in zip(LETTERS, q.choices, strict=True)]
    return "\n".join([q.question, *lines])


def _explained(q: Question) -> str:
    lines = [f"   {letter} {word}: {why}" for letter, word, why in _reasons(q)]
    return "\n".join([f"{q.letter}.", *lines, f"   Slide: {q.slide}. Read again: {q.where}."])


def _reasons(q: Question) -> list[tuple[str, str, str]]:
    """(letter, "is right" or "is wrong", why), the right one first."""
    order = sorted(range(len(LETTERS)), key=lambda i: (i != q.answer, i))
    return [(LETTERS[i], "is right" if i == q.answer else "is wrong", q.choices[i].why) for i in order]


def _ht(text: str) -> str:
    """Escaped for HTML; `code` in backticks becomes <code>."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))


def _md(text: str) -> str:
    """Escaped for Markdown, except for `code` in backticks."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(p if p.startswith("`") else re.sub(r"([\\*_<>&|$#\[\]])", r"\\\1", p) for p in parts)
