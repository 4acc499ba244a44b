"""The stored tables as files: loading, numbers, printed strings, slips, errors, and how a table is shown."""

import csv
import dataclasses
import math
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from lecture10 import papers
from lecture10.paper_page import Page
from lecture10.paths import data_path

EXPECTED_ROWS = {
    "bert_swag": 7, "clip_robustness": 6, "dalle2_fid": 13, "dalle2_table1": 2, "formulas": 9,
    "gpt1_table5": 4, "gpt3_lambada": 4, "gpt3_superglue": 3, "gpt3_table2_1": 8, "gpt3_table2_2": 5,
    "gpt_sizes": 4, "grounding_dino_design": 12, "imagen_fid": 12, "prompts": 23, "regionclip_top3": 18,
    "statements": 11,
}  # fmt: skip


@pytest.fixture
def own_data(tmp_path, monkeypatch):
    """A copy of the stored tables that a test may spoil."""
    shutil.copytree(data_path("papers"), tmp_path / "papers")
    monkeypatch.setenv("LECTURE10_DATA", str(tmp_path))
    papers._read.cache_clear()
    papers._about.cache_clear()
    yield tmp_path / "papers"
    papers._read.cache_clear()
    papers._about.cache_clear()


def test_every_table_of_the_slides_is_stored():
    assert {name: len(papers.printed(name)) for name in papers.names()} == EXPECTED_ROWS


@pytest.mark.parametrize("name", EXPECTED_ROWS)
def test_printed_gives_the_file_s_cells_untouched(name):
    with open(data_path(f"papers/{name}.csv"), newline="", encoding="utf-8") as handle:
        lines = [line[:-1] for line in csv.reader(handle)]
    strings = papers.printed(name)
    assert [list(strings.columns), *strings.to_numpy().tolist()] == lines
    assert papers.table(name).attrs["printed"] == strings.to_dict("list")


@pytest.mark.parametrize("name", EXPECTED_ROWS)
def test_the_slips_column_names_cells_and_owners(name):
    with open(data_path(f"papers/{name}.csv"), newline="", encoding="utf-8") as handle:
        lines = list(csv.DictReader(handle))
    listed = {
        (next(iter(line.values())), part) for line in lines for part in line["slips"].split("; ") if part
    }
    cells = {(s.cell.row, f"{s.cell.column}: {s.owner}") for s in papers.slips(name)}
    assert listed == {pair for pair in cells if pair[0] not in ("heading", "caption")}


def test_slips_say_what_is_printed_and_differ_from_what_is_right():
    found = [slip for name in papers.names() for slip in papers.slips(name)]
    assert len(found) == 26
    assert {slip.owner for slip in found} == {"paper", "slide", "transcript"}
    for slip in found:
        assert slip.printed
        assert slip.printed != slip.should_be
        assert slip.why
        assert slip.on_the_quiz.startswith("on the quiz")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("69.1", 69.1), ("125M", 1.25e8), ("175.0B", 1.75e11), ("410 billion", 4.1e11), ("60%", 60),
        ("+5.8%", 5.8), ("−2.5", -2.5), ("-3", -3), ("6.0×10⁻⁴", 6e-4), ("∼10⁸", 1e8),
        ("∼1.75×10¹¹", 1.75e11), ("~ 28", 28),
        ("68.0ᵃ", 68), ("47.1% ± 3.1%", 47.1), ("0%", 0), ("", None), ("-", None), ("A,C", None), ("✓", None),
        ("GPT-3 2.7B", None), ("DETR [2]", None), ("11/29", None), ("1.2.3", None), ("1e5", None),
    ],
)  # fmt: skip
def test_number_reads_what_is_printed(text, value):
    assert papers.number(text) == (value if value is None else pytest.approx(value))


def test_columns_become_numbers_only_where_every_cell_is_one():
    frame = papers.table("gpt3_table2_1")
    assert frame["n_layers"].dtype.kind == "i"
    assert frame["Learning Rate"].tolist() == pytest.approx(
        [6e-4, 3e-4, 2.5e-4, 2e-4, 1.6e-4, 1.2e-4, 1e-4, 0.6e-4]
    )
    swag = papers.table("bert_swag")
    assert math.isnan(swag["Dev"].iloc[2])
    assert swag.attrs["printed"]["Dev"][2] == "-"
    assert papers.table("grounding_dino_design")["Base Detector"].iloc[8] == "-"
    assert papers.table("dalle2_table1")["Diversity ±"].tolist() == [3.0, 2.8]


def test_a_table_may_be_changed_without_changing_the_next():
    frame = papers.table("gpt_sizes")
    frame.loc[0, "Parameters"] = 0
    frame.attrs["printed"]["Parameters"][0] = "none"
    again = papers.table("gpt_sizes")
    assert again["Parameters"].iloc[0] == 1e8
    assert again.attrs["printed"]["Parameters"][0] == "∼10⁸"


def test_an_unknown_table_suggests_the_nearest():
    for ask in (papers.table, papers.slips, papers.show, papers.cautions, papers.printed):
        with pytest.raises(KeyError, match=r"no table 'gpt1_tabel5'; did you mean 'gpt1_table5'"):
            ask("gpt1_tabel5")


def test_pandas_waits_until_a_table_is_asked_for():
    code = (
        "import sys; from lecture10 import papers, lecture; papers.slips('gpt1_table5');"
        "papers.show('gpt_sizes'); lecture.slides(); print('pandas' in sys.modules, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("gpt1_table5.csv", "Avg. Score: paper", "", "column 'slips', and tables.yaml differ"),
        ("gpt1_table5.csv", "Avg. Score: paper", "Avg. Score: slide", "and tables.yaml differ"),
        ("gpt1_table5.csv", "LSTM w/ aux LM,69.1", "LSTM w/ aux LM,", "no such cell"),
        ("gpt1_table5.csv", "54.6,Avg", "Avg", "11 cells in every row"),
        ("tables.yaml", "row: LSTM w/ aux LM", "row: LSTM", "no such cell"),
        ("tables.yaml", "printed: Mathews correlation", "printed: Matews", "no such cell"),
        ("tables.yaml", "Avg. Score\n      owner: paper", "Avg. Score\n      owner: teacher", "'teacher'"),
        ("tables.yaml", "gpt1_table5:", "gpt1_table6:", "needs an entry in tables.yaml"),
    ],
)  # fmt: skip
def test_a_file_that_contradicts_itself_is_refused(own_data, file, old, new, message):
    text = (own_data / file).read_text(encoding="utf-8")
    assert old in text
    (own_data / file).write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match=re.escape(message)):
        papers.slips("gpt1_table5")


class Reader(HTMLParser):
    """Collects a page's cells and checks that its tags are balanced."""

    def __init__(self, html: str):
        super().__init__()
        self.open, self.cells, self.scopes = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")
            self.scopes.append(dict(attrs).get("scope"))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & set(self.open):
            self.cells[-1] += data


@pytest.mark.parametrize("name", EXPECTED_ROWS)
def test_the_page_shows_every_cell_and_its_slips_in_words(name):
    page, stored = papers.show(name), papers.paper(name)
    read = Reader(page._repr_html_())
    assert read.open == []
    plain = [*stored.headings, *(cell for line in stored.rows for cell in line)]
    assert [re.sub(r" \[\d+ \w+\]$", "", cell) for cell in read.cells] == plain
    assert read.scopes.count("col") == len(stored.headings)
    assert read.scopes.count("row") == len(stored.rows)
    for i, slip in enumerate(stored.slips, start=1):
        assert f"[{i}] Slip of the {slip.owner}" in " ".join(repr(page).split())
        if slip.cell.row != "caption":
            assert any(cell.endswith(f" [{i} {slip.owner}]") for cell in read.cells)


def test_a_mark_stands_at_its_cell_and_nowhere_else():
    read = Reader(papers.show("gpt3_table2_1")._repr_html_())
    marked = [cell for cell in read.cells if "[" in cell]
    assert marked == [
        "350M [1 paper]",
        "24 [2 paper]",
        "13.0B [4 paper]",
        "5140 [3 paper]",
        "175.0B [5 paper]",
    ]
    assert "69.1 [1] " in repr(papers.show("gpt1_table5"))


def test_the_exercise_s_page_gives_nothing_away():
    page = papers.show("gpt1_table5", slips=False)
    assert "69.1" in repr(page)
    for text in (repr(page), page._repr_html_()):
        assert "69.2" not in text
        assert "Slip" not in text
        assert "[1" not in text


def test_the_page_is_the_same_every_time_and_escapes_what_it_shows():
    once, twice = (papers.show("formulas")._repr_html_() for _ in range(2))
    assert once == twice
    assert "h_0 &amp;= UW_e" in once
    odd = dataclasses.replace(papers.paper("gpt_sizes"), rows=(("<b>", "a & b"),), title="x < y")
    assert all(text in Page(odd)._repr_html_() for text in ("&lt;b&gt;", "a &amp; b", "x &lt; y"))
    assert "color" not in once.lower().replace("currentcolor", "")
