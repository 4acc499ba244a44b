"""`python -m lecture10 report`: as text, JSON and one HTML page."""

import json
import re
from html.parser import HTMLParser

import pytest
from fake_lab import Lab

FIELDS = {"name", "system", "slide", "seeds", "paper", "ours", "low", "high", "margin", "verdict", "expected"}
FIELDS |= {"holm", "post_hoc", "stale", "does_not_test"}
SECOND = """
from lecture10.claims import Claim, Row, difference

def claim(name, metric, expects):
    effect = difference("a", "b", metric=metric)
    return Claim(name, slide="Others", says=name, effect=effect, margin=0.1, expects=expects,
                 does_not_test="much", minutes=3, seeds=3)

CLAIMS = (claim("other.close", "close", "no difference"), claim("other.weak", "weak", "can't tell"))

def run(seed):
    rows = [Row("b", metric, 0, seed) for metric in ("close", "weak")]
    return rows + [Row("a", "close", seed / 100, seed), Row("a", "weak", (0.25, 0.3, 0.4)[seed], seed)]
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Lab:
    """Two measured experiments with three claims, and one not measured."""
    lab = Lab(tmp_path_factory.mktemp("report"), "reportlab10")
    lab.write("other", SECOND)
    lab.write("unmeasured", SECOND.replace("other.", "unmeasured."))
    assert lab.run("measure", "toy")[0] == 0
    assert lab.run("measure", "other")[0] == 0
    return lab


def records(lab: Lab) -> dict[str, dict]:
    code, out, _ = lab.run("report", "--json")
    assert code == 0
    return {record["name"]: record for record in json.loads(out)}


def test_json_has_every_field_of_every_claim(lab):
    found = records(lab)
    assert list(found) == ["other.close", "other.weak", "toy.gain", "unmeasured.close", "unmeasured.weak"]
    assert all(set(record) >= FIELDS for record in found.values())
    toy = found["toy.gain"]
    assert [toy[name] for name in ("system", "slide", "seeds")] == ["toy", "Toys", 5]
    assert toy["paper"] == "74.7 against 59.9"
    assert toy["low"] < toy["ours"] < toy["high"]
    assert (toy["verdict"], toy["expected"], toy["post_hoc"], toy["stale"]) == ("shown", "shown", False, [])


def test_what_is_not_measured_has_no_numbers(lab):
    record = records(lab)["unmeasured.weak"]
    assert (record["verdict"], record["holm"]) == ("not measured", "not measured")
    assert [record[name] for name in ("ours", "low", "high", "p", "holm_p", "post_hoc")] == [None] * 6


def test_holm_is_over_the_measured_claims_and_can_take_a_verdict_back(lab):
    found = records(lab)
    assert (found["other.weak"]["verdict"], found["other.weak"]["holm"]) == ("shown", "shown")
    ordered = sorted(
        (found[name] for name in ("toy.gain", "other.close", "other.weak")), key=lambda r: r["p"]
    )
    expected, least = [], 0.0
    for factor, record in zip((3, 2, 1), ordered, strict=True):
        least = max(least, factor * record["p"])
        expected.append(min(1.0, least))
    assert [record["holm_p"] for record in ordered] == pytest.approx(expected)


def test_the_text_is_a_table_with_footnotes(lab):
    code, out, _ = lab.run("report")
    lines = out.splitlines()
    assert code == 0
    assert re.split(r"\s{2,}", lines[0]) == [
        "claim", "paper", "ours [95 %]", "margin", "seeds", "verdict", "after Holm", "expected",
    ]  # fmt: skip
    toy = next(line for line in lines if line.startswith("toy.gain"))
    assert re.search(r"74\.7 against 59\.9 +0\.\d+ \[0\.\d+, 0\.\d+\] +0\.02 +5 +shown +shown +shown$", toy)
    assert any(re.match(r"unmeasured\.weak +— +not measured", line) for line in lines)
    assert "5 claims, 3 measured" in lines[-1]


class Page(HTMLParser):
    """Counts what opens and closes, and collects what a browser would fetch."""

    VOID = "meta", "br", "rect", "path", "circle"

    def __init__(self, text: str):
        super().__init__()
        self.open, self.fetched, self.tags = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.fetched += [value for name, value in attributes if name in ("src", "href", "data", "srcset")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_self_contained_and_escaped(lab):
    path = lab.folder / "report.html"
    code, out, err = lab.run("report", "--html", str(path))
    assert (code, out) == (0, "")
    assert "wrote" in err
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert not page.open
    assert not page.fetched
    assert not re.search(r"https?:|url\(|@import|<script|<link", text)
    assert page.tags.count("svg") == 3  # one interval per measured claim
    assert "anything &lt;real&gt;" in text
    assert "<real>" not in text
    assert "@media print" in text
    for word in ("✓ shown", "= no difference", "– not measured"):
        assert word in text


def test_reworded_and_changed_and_damaged_show_and_the_rest_goes_on(lab, tmp_path_factory):
    own = Lab(tmp_path_factory.mktemp("marks"), "markslab")
    own.run("measure", "toy", "--seeds", "3")
    own.toy(margin=0.03)
    own.helper("GAIN = 0.2")
    record = records(own)["toy.gain"]
    assert (record["post_hoc"], record["stale"], record["wordings"]) == (True, [0, 1, 2], 2)
    _, out, _ = own.run("report")
    assert "toy.gain: post hoc\n" in out
    assert "toy.gain: stale (seeds 0, 1, 2)" in out
    assert "toy.gain: 3 of 5 planned seeds" in out
    own.write("other", SECOND)
    own.run("measure", "other")
    (own.results / "toy.json").write_text("{")
    found = records(own)
    assert "damaged" in found["toy.gain"]["problem"]
    assert found["toy.gain"]["verdict"] == "not measured"
    assert found["other.weak"]["verdict"] == "shown"
    assert "--rebuild" in own.run("report")[1]


def test_a_package_without_experiments_gives_an_empty_report(lab, tmp_path):
    empty = Lab(tmp_path, "emptylab")
    (empty.folder / "emptylab/toy.py").unlink()
    code, out, _ = empty.run("report")
    assert code == 0
    assert out.splitlines()[-1].startswith("0 claims, 0 measured")
    assert empty.run("report", "--json")[1].strip() == "[]"
