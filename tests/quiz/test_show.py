"""How a quiz is shown: static, folded, the same each time, and reachable as l10.quiz."""

import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from lecture10.quiz import Choice, Question, Quiz, quiz

VOID = {"br", "hr", "img"}


class Tags(HTMLParser):
    """Collects tags and checks that they nest."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def parsed(html: str) -> Tags:
    tags = Tags()
    tags.feed(html)
    assert tags.open == []
    return tags


def tricky(**parts) -> Quiz:
    choices = tuple(
        Choice(f"choice {i} with h_n, W_e and a_b", f"because {i} > 0 & `x < y`") for i in range(4)
    )
    question = Question(
        "q",
        "01_x",
        "Slide",
        "Is `a < b` &amp; c_d_e *now* <i>[x]</i>?",
        choices,
        2,
        "part 3",
        "recall",
        ("slide",),
    )
    return Quiz("01_x", (question,), **parts)


def test_html_nests_and_needs_no_script():
    tags = parsed(quiz("01_gpt1")._repr_html_())
    names = [name for name, _ in tags.seen]
    assert names.count("details") == names.count("summary") == 5
    assert [a for name, a in tags.seen if name == "ol"].count({"type": "A"}) == 5
    assert not {"script", "style", "iframe", "img"} & set(names)
    assert not any(key.startswith("on") or key in ("id", "style") for _, attrs in tags.seen for key in attrs)


def test_every_word_of_every_question_is_shown():
    shown = parsed(quiz("01_gpt1")._repr_html_()).text
    plain = str(quiz("01_gpt1"))
    for q in quiz("01_gpt1").questions:
        for text in (q.question, q.slide, q.where, *(c.text for c in q.choices), *(c.why for c in q.choices)):
            assert text in shown
            assert text in plain


def test_markdown_renders_to_the_same_words():
    made = MarkdownIt("commonmark", {"html": True}).render(quiz("01_gpt1")._repr_markdown_())
    tags = parsed(made)
    flat = " ".join(tags.text.split())
    for q in quiz("01_gpt1").questions:
        for text in (q.question, *(c.text for c in q.choices), *(c.why for c in q.choices)):
            assert text in flat
    assert [name for name, _ in tags.seen].count("details") == 5


def test_special_characters_survive():
    tags = parsed(tricky()._repr_html_())
    assert "Is a < b &amp; c_d_e *now* <i>[x]</i>?" in tags.text
    assert ("code", {}) in tags.seen
    made = parsed(MarkdownIt("commonmark", {"html": True}).render(tricky()._repr_markdown_()))
    assert "Is a < b &amp; c_d_e *now* <i>[x]</i>?" in made.text
    assert [name for name, _ in made.seen].count("em") == 1  # only the level


def test_the_right_letter_comes_first_in_the_answer():
    folded = re.findall(r"<details>.*?</details>", tricky()._repr_html_(), flags=re.S)
    assert re.findall(r"<b>(\w)</b> (is \w+)", folded[0]) == [
        ("C", "is right"),
        ("A", "is wrong"),
        ("B", "is wrong"),
        ("D", "is wrong"),
    ]


@pytest.mark.parametrize(("answers", "details"), [("folded", "<details>"), ("open", "<details open>")])
def test_answers_are_folded_or_open(answers, details):
    for made in (quiz("01_gpt1", answers)._repr_html_(), quiz("01_gpt1", answers)._repr_markdown_()):
        assert made.count(details) == made.count("<details") == 5


def test_a_test_sheet_gives_nothing_away():
    sheet = quiz("01_gpt1", answers="none")
    for made in (sheet._repr_html_(), sheet._repr_markdown_(), str(sheet)):
        assert "details" not in made
        assert "is right" not in made
        assert sheet.questions[0].why not in made


def test_shown_twice_is_shown_the_same_and_says_little_as_text():
    assert quiz("01_gpt1")._repr_html_() == quiz("01_gpt1")._repr_html_()
    assert repr(quiz("01_gpt1")) == "Quiz('01_gpt1': 5 questions)"


def test_other_ways_to_answer_are_refused():
    with pytest.raises(ValueError, match="answers is 'hidden'; it can be folded, open, none"):
        quiz("01_gpt1", answers="hidden")


def test_the_room_itself_can_be_called():
    """Importing it sets the attribute lecture10.quiz to the room, which then stands for the function."""
    room = sys.modules["lecture10.quiz"]
    assert room("01_gpt1") == quiz("01_gpt1")
    assert room("01_gpt1", "open").answers == "open"
    for first in ("import lecture10.quiz", "import lecture10", "from lecture10.quiz import bank"):
        code = f"{first}; import lecture10, sys\n"
        code += "print(len(lecture10.quiz('01_gpt1').questions), 'torch' in sys.modules)"
        out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
        assert out == "5 False\n", first
