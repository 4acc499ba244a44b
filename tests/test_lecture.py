"""The list of slides: complete, in order, and agreeing with stored tables and written notebooks."""

import json
import re
import shutil

import pytest
import yaml

from lecture10 import lecture
from lecture10.paths import CHECKOUT, data_path, notebooks_folder

WRITTEN = sorted({slide.notebook for slide in lecture.slides() if slide.status == "written"})


@pytest.fixture
def own_slides(tmp_path, monkeypatch):
    """The entries of slides.yaml, and a function that stores changed ones for the test."""
    (tmp_path / "lecture").mkdir()
    shutil.copytree(data_path("papers"), tmp_path / "papers")
    entries = yaml.safe_load(data_path("lecture/slides.yaml").read_text(encoding="utf-8"))
    for entry in entries:  # the folders of these tests hold 01_gpt1 alone
        if not entry["section"].startswith("01_gpt1"):
            entry["status"] = "planned"

    def store(changed):
        (tmp_path / "lecture/slides.yaml").write_text(yaml.safe_dump(changed), encoding="utf-8")
        monkeypatch.setenv("LECTURE10_DATA", str(tmp_path))
        lecture._read.cache_clear()

    return entries, store


def notebook(folder, name, *tags):
    cells = [{"cell_type": "markdown", "metadata": {"tags": [tag]}, "source": ""} for tag in tags]
    (folder / f"{name}.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")


def test_the_lecture_has_59_slides_in_order():
    slides = lecture.slides()
    assert [slide.number for slide in slides] == list(range(1, 60))
    systems = list(dict.fromkeys(slide.system for slide in slides))
    assert systems == [
        "the lecture", "GPT-1", "BERT", "GPT-3", "GPT-4", "CLIP", "RegionCLIP", "GLIP", "Grounding DINO",
        "SAM", "LangSAM", "DALL-E", "LDM", "diffusion", "DALL-E 2", "Imagen", "DALL-E 3",
    ]  # fmt: skip
    assert sum(slide.figure_only for slide in slides) == 11
    assert all(slide.gist.endswith((".", "?")) and len(slide.gist) <= 110 for slide in slides)


def test_every_notebook_covers_slides_and_slides_of_finds_them():
    per_notebook = {name: lecture.slides_of(name) for name in lecture.NOTEBOOKS}
    assert all(per_notebook.values())
    assert sum(map(len, per_notebook.values())) == 59
    assert [slide.title for slide in per_notebook["11_diffusion"]] == ["Diffusion model"]


def test_gpt1_s_pre_training_is_written():
    written = {slide.number: slide.section for slide in lecture.slides() if slide.status == "written"}
    assert (written[2], written[3]) == ("01_gpt1#3", "01_gpt1#3")


def test_an_unknown_notebook_suggests_the_nearest():
    with pytest.raises(KeyError, match=r"no notebook '04_clipp'; did you mean '04_clip'"):
        lecture.slides_of("04_clipp")


def test_the_course_s_own_notebooks_hold_what_is_written():
    assert lecture.check_slides(CHECKOUT / "notebooks") == []


def test_a_folder_with_the_written_parts_passes(tmp_path):
    for name in WRITTEN:
        notebook(tmp_path, name, *{f"part-{slide.part}" for slide in lecture.slides_of(name)})
    assert lecture.check_slides(tmp_path) == []


def test_a_missing_notebook_a_missing_part_and_a_broken_file_are_named(tmp_path):
    notebook(tmp_path, "00_start_here", "part-1")  # covers slide 1, the title
    assert "there is no 01_gpt1.ipynb" in lecture.check_slides(tmp_path)[0]
    notebook(tmp_path, "01_gpt1", "part-1", "part-2")
    assert "no cell of 01_gpt1.ipynb is tagged part-3" in lecture.check_slides(tmp_path)[0]
    for text in ("{", "{}", "[]"):
        (tmp_path / "01_gpt1.ipynb").write_text(text)
        assert "01_gpt1.ipynb is no notebook" in lecture.check_slides(tmp_path)[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"status": "done"}, "status 'done' is neither planned nor written"),
        ({"section": "01_gpt#3"}, "did you mean '01_gpt1'"),
        ({"section": "01_gpt1#7"}, "part 7 of 01_gpt1"),
        ({"section": "01_gpt1"}, "slide 5"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_an_entry_that_is_no_slide_is_refused(own_slides, change, message):
    entries, store = own_slides
    entries[4] |= change
    store(entries)
    with pytest.raises(ValueError, match=message):
        lecture.slides()


@pytest.mark.parametrize(
    ("number", "change", "message"),
    [
        (9, {"tables": ["bert_swagg"]}, "did you mean 'bert_swag'"),
        (9, {"tables": []}, "table 'bert_swag' is on no slide"),
        (47, {"section": "12_latent_diffusion#3"}, "no slide is covered by 11_diffusion"),
        (47, {"number": 46}, "not numbered 1, 2, 3"),
    ],
)
def test_a_list_that_does_not_fit_is_named(own_slides, tmp_path, number, change, message):
    entries, store = own_slides
    entries[number - 1] |= change
    store(entries)
    notebook(tmp_path, "01_gpt1", "part-3")
    wrong = lecture.check_slides(tmp_path)
    assert len(wrong) in (1, 2)
    assert message in " ".join(wrong)


def test_the_course_is_listed_in_its_order_and_builds_only_on_what_came_before():
    chapters = lecture.course()
    assert tuple(c.notebook for c in chapters) == lecture.NOTEBOOKS
    for c in chapters:
        assert all(lecture.NOTEBOOKS.index(n) < lecture.NOTEBOOKS.index(c.notebook) for n in c.needs)
        assert all(re.fullmatch(r"20[12]\d-(0[1-9]|1[0-2])", date) for date in c.systems.values())


def test_the_minutes_are_those_of_the_notebooks_first_cell():
    gpt1 = next(c for c in lecture.course() if c.notebook == "01_gpt1")
    cell = json.loads((notebooks_folder() / "01_gpt1.ipynb").read_text(encoding="utf-8"))["cells"][0]
    assert f"**Minutes:** {gpt1.minutes:g} on two cores" in "".join(cell["source"])
    assert gpt1.written
    for c in lecture.course():
        assert c.written == (notebooks_folder() / f"{c.notebook}.ipynb").is_file()


@pytest.mark.parametrize(
    ("change", "says"),
    [({"needs": ["04_clip"]}, "no earlier notebook"), ({"lane": "languages"}, "language")],
)
def test_a_course_entry_that_cannot_be_is_named(change, says, monkeypatch):
    entry = {"notebook": "02_bert", "title": "t", "lane": "language", "systems": {}, "needs": []}
    monkeypatch.setattr(lecture.yaml, "safe_load", lambda text: [entry | change])
    with pytest.raises(ValueError, match=says) as caught:
        lecture.course()
    assert "02_bert" in str(caught.value)
