"""The question bank: every question is sound, and every kind of mistake is named with its cure."""

import csv
from collections import Counter

import pytest
import yaml

from lecture10 import paths
from lecture10.quiz import QuizError, bank, quiz

QUESTIONS = bank.all_questions()


def by_id(name: str) -> bank.Question:
    return next(q for q in QUESTIONS if q.id == name)


def test_each_notebook_has_five_questions():
    assert "01_gpt1" in bank.known()
    for name in bank.known():
        assert len(bank.load(name)) == 5
        assert {q.notebook for q in bank.load(name)} == {name}


def test_the_right_answer_is_balanced_over_the_letters():
    for name in bank.known():
        counts = Counter(q.letter for q in bank.load(name))
        assert max(counts.values()) <= 2
        assert set(counts) == set("ABCD")
    total = Counter(q.letter for q in QUESTIONS)
    assert max(total.values()) <= 0.4 * len(QUESTIONS)


def test_the_length_of_a_choice_gives_nothing_away():
    """Neither the longest nor the shortest choice is right in more than four of ten questions."""
    for extreme in (max, min):
        hits = [len(q.choices[q.answer].text) == extreme(len(c.text) for c in q.choices) for q in QUESTIONS]
        assert sum(hits) <= 0.4 * len(QUESTIONS)


def test_questions_read_like_sentences():
    for q in QUESTIONS:
        assert q.question.endswith(("?", "."))
        assert all(len(c.why) > 30 for c in q.choices), q.id
        assert q.where.startswith("part "), q.id
        assert "all of the above" not in " ".join(c.text.lower() for c in q.choices)
        assert q.why == q.choices[q.answer].why


def test_the_window_of_the_sentence():
    words, k = ["the", "cat", "sat", "on", "the", "mat"], 3
    right = by_id("gpt1-window")
    assert right.choices[right.answer].text == ", ".join(words[5 - k : 5])
    assert right.choices[0].text == ", ".join(words[5 - k + 1 : 5])
    assert right.choices[2].text == ", ".join(words[:5])


def test_table5_says_what_the_question_says():
    with open(paths.data_path("papers/gpt1_table5.csv"), encoding="utf-8") as handle:
        rows = [[cell.strip() for cell in row] for row in csv.reader(handle)]
    table = {row[0]: row[1:] for row in rows}
    header, *_ = [row[1:] for row in rows if "CoLA" in " ".join(row)]
    full, without, scratch = (
        [float(v) for v in next(cells for name, cells in table.items() if part in name)[:9]]
        for part in ("(full)", "w/o aux", "w/o pre-training")
    )
    ahead = [
        name.split()[0].lower()
        for name, a, b in zip(header[1:], without[1:], full[1:], strict=False)
        if a > b
    ]
    assert ahead == ["cola", "sst2", "mrpc", "stsb"]
    assert (full[0], without[0]) == (74.7, 75.0)
    assert round(full[0] - scratch[0], 1) == 14.8
    assert "each of the two rows is ahead in four tasks" in by_id("gpt1-table5-aux").choices[1].text


GOOD = {
    "id": "q1",
    "slide": "A slide",
    "level": "recall",
    "basis": ["slide"],
    "where": "part 3",
    "question": "What is it?",
    "answer": "B",
    "choices": [{"text": f"choice {i}", "why": f"since {i}"} for i in range(4)],
}


def saved(tmp_path, *questions, notebook="01_x"):
    path = tmp_path / "01_x.yaml"
    path.write_text(yaml.safe_dump({"notebook": notebook, "questions": list(questions)}), encoding="utf-8")
    return path


def changed(**parts):
    return GOOD | parts


def choices_with(index, **parts):
    return [c | parts if i == index else c for i, c in enumerate(GOOD["choices"])]


def test_a_good_file_is_read(tmp_path):
    (question,) = bank.read(saved(tmp_path, GOOD))
    assert (question.letter, question.answer, question.why) == ("B", 1, "since 1")
    assert (question.notebook, question.basis) == ("01_x", ("slide",))


MISTAKES = {
    "answer out of range": (changed(answer="E"), r"q1, answer: is 'E'; write the letter.*A to D"),
    "answer as a number": (changed(answer=1), r"q1, answer: is 1; write the letter"),
    "no answer": (changed(answer=None), r"q1, answer: is None"),
    "three choices": (changed(choices=GOOD["choices"][:3]), r"q1, choices: there are 3; .* exactly 4"),
    "five choices": (changed(choices=[*GOOD["choices"], {"text": "x", "why": "y"}]), r"there are 5"),
    "choices no list": (changed(choices="four"), r"q1, choices: there are 0"),
    "repeated choice": (
        changed(choices=choices_with(2, text="Choice  0.")),
        r"q1, choices, C, text: says the same",
    ),
    "no explanation": (changed(choices=choices_with(3, why="")), r"q1, choices, D, why: is ''; explain why"),
    "explanation missing": (
        changed(choices=[*GOOD["choices"][:3], {"text": "t"}]),
        r"D, why: is None; explain",
    ),
    "empty choice": (changed(choices=choices_with(0, text=" ")), r"q1, choices, A, text: is ' '; write what"),
    "a choice that YAML read as a number": (changed(choices=choices_with(1, text=3.5)), r"B, text: is 3.5"),
    "no question": (changed(question=None), r"q1, question: is None; write a sentence"),
    "no slide": (changed(slide=""), r"q1, slide: is ''"),
    "no section": (changed(where=None), r"q1, where: is None"),
    "no id": (changed(id=None), r"question 1, id: is None"),
    "a level unknown": (changed(level="hard"), r"q1, level: is 'hard'; write one of recall, understand"),
    "from memory": (
        changed(basis=["memory"]),
        r"q1, basis: is \['memory'\]; write a list out of slide, paper",
    ),
    "a field misspelt": (
        changed(anwser="A"),
        r"q1, anwser: there is no field 'anwser'; did you mean 'answer'",
    ),
    "not a question": ("text", r"question 1: is 'text'; write its fields"),
}


@pytest.mark.parametrize(("question", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_mistakes_name_file_question_field_and_cure(tmp_path, question, said):
    with pytest.raises(QuizError, match=said) as caught:
        bank.read(saved(tmp_path, question))
    assert str(caught.value).startswith("01_x.yaml, ")
    assert str(tmp_path) not in str(caught.value)


def test_all_mistakes_are_told_at_once(tmp_path):
    with pytest.raises(QuizError) as caught:
        bank.read(saved(tmp_path, changed(answer="E", level="hard"), changed(slide=""), notebook="02_y"))
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[0].removeprefix("01_x.yaml, ") for line in lines] == [
        "notebook",
        "q1, level",
        "q1, answer",
        "q1, id",
        "q1, slide",
    ]


@pytest.mark.parametrize("text", ["", "[1, 2]", "notebook: 01_x", "notebook: 01_x\nquestions: []"])
def test_files_without_questions(tmp_path, text):
    (tmp_path / "01_x.yaml").write_text(text)
    with pytest.raises(QuizError, match=r"01_x\.yaml, the file: it should hold"):
        bank.read(tmp_path / "01_x.yaml")


def test_what_is_not_yaml_is_told_with_its_line(tmp_path):
    (tmp_path / "01_x.yaml").write_text('notebook: 01_x\nquestions:\n  - id: "open\n')
    with pytest.raises(QuizError, match=r"01_x.yaml, line \d: not YAML"):
        bank.read(tmp_path / "01_x.yaml")
    (tmp_path / "01_x.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(QuizError, match="not YAML"):
        bank.read(tmp_path / "01_x.yaml")


def test_ids_are_unique_over_the_whole_course(tmp_path, monkeypatch):
    (tmp_path / "quiz").mkdir()
    for name in ("01_x", "02_y"):
        raw = {"notebook": name, "questions": [GOOD]}
        (tmp_path / "quiz" / f"{name}.yaml").write_text(yaml.safe_dump(raw))
    monkeypatch.setenv("LECTURE10_DATA", str(tmp_path))
    assert [q.id for name in bank.known() for q in bank.load(name)] == ["q1", "q1"]
    with pytest.raises(QuizError, match=r"02_y.yaml, q1, id: 01_x.yaml has it too"):
        bank.all_questions()


def test_unknown_quizzes_get_the_nearest_name():
    with pytest.raises(ValueError, match=r"there is no quiz 'gpt1'; did you mean '01_gpt1'\?"):
        bank.load("gpt1")
    with pytest.raises(ValueError, match=r"there is no quiz '\.\./secret'"):
        quiz("../secret")
