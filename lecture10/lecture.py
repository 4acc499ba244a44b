"""The lecture, slide by slide, and which part of which notebook covers each slide."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from lecture10 import papers
from lecture10.names import unknown
from lecture10.paths import data_path, notebooks_folder

NOTEBOOKS = (
    "00_start_here",
    "01_gpt1",
    "02_bert",
    "03_gpt3",
    "04_clip",
    "05_regionclip",
    "06_glip",
    "07_grounding_dino",
    "08_sam",
    "09_langsam",
    "10_dalle",
    "11_diffusion",
    "12_latent_diffusion",
    "13_dalle2",
    "14_imagen",
    "15_dalle3",
    "16_quiz",
)
STATUSES = ("planned", "written")
LANES = ("course", "language", "pictures and words", "regions", "generation")
PARTS = range(1, 7)


@dataclass(frozen=True)
class Slide:
    """One slide. `gist` is our own line; what is quoted from it stands in its `tables`, as printed."""

    number: int
    title: str  # as printed
    system: str
    gist: str
    section: str  # "01_gpt1#3": notebook and part
    status: str  # "planned" or "written"
    tables: tuple[str, ...] = ()  # names for papers.table
    figure_only: bool = False  # only title, source and link are in our text of the slide

    @property
    def notebook(self) -> str:
        """The notebook that covers the slide: "01_gpt1"."""
        return self.section.partition("#")[0]

    @property
    def part(self) -> int:
        """The part of the notebook, 1 to 6."""
        return int(self.section.partition("#")[2])


@dataclass(frozen=True)
class Chapter:
    """One notebook of the course.

    systems: name -> "2018-06", the month of the first public version; needs: the notebooks whose mechanism it
    takes for granted; minutes: as its first cell says, measured on two cores; None while it is planned.
    """

    notebook: str
    title: str
    lane: str
    systems: dict[str, str]
    needs: tuple[str, ...]
    minutes: float | None = None

    @property
    def written(self) -> bool:
        """Whether the notebook is there."""
        return self.minutes is not None


def course() -> list[Chapter]:
    """The course's notebooks in their order, with what each needs.

    Raises ValueError, naming the entry, where data/lecture/course.yaml does not fit.
    """
    entries = yaml.safe_load(data_path("lecture/course.yaml").read_text(encoding="utf-8"))
    chapters = [_chapter(entry) for entry in entries]
    if tuple(chapter.notebook for chapter in chapters) != NOTEBOOKS:
        raise ValueError("data/lecture/course.yaml: the notebooks are not those of the course, in its order")
    return chapters


def _chapter(entry: dict) -> Chapter:
    where = f"data/lecture/course.yaml, {entry.get('notebook')}"
    needs = tuple(entry["needs"])
    for name in needs:
        if name not in NOTEBOOKS[: NOTEBOOKS.index(entry["notebook"])]:
            raise ValueError(f"{where}: it needs {name!r}, which is no earlier notebook")
    if entry["lane"] not in LANES:
        raise ValueError(f"{where}: {unknown('lane', entry['lane'], LANES)}")
    return Chapter(**{**entry, "needs": needs}, minutes=_minutes(entry["notebook"]))


def _minutes(notebook: str) -> float | None:
    path = notebooks_folder() / f"{notebook}.ipynb"
    if not path.is_file():
        return None
    first = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
    found = re.search(r"\*\*Minutes:\*\* ([\d.]+)", first)
    return float(found[1]) if found else None


def slides() -> list[Slide]:
    """All slides in the lecture's order.

    Raises ValueError, naming the entry, where data/lecture/slides.yaml holds one that is not a slide.
    """
    return list(_read(data_path("lecture/slides.yaml")))


def slides_of(notebook: str) -> list[Slide]:
    """The slides that a notebook covers, in the lecture's order.

    Raises KeyError, suggesting the nearest name, for a notebook that the course does not have.
    """
    if notebook not in NOTEBOOKS:
        raise KeyError(unknown("notebook", notebook, NOTEBOOKS))
    return [slide for slide in slides() if slide.notebook == notebook]


def check_slides(notebooks_folder: Path | str) -> list[str]:
    """What is wrong between slides, stored tables and notebooks, a sentence each; empty where nothing is.

    Slides are numbered 1, 2, 3 …; every notebook of the course covers one at least; every table named is
    stored and every stored one named; where a slide is "written", its notebook lies in the folder and has a
    cell tagged "part-N".
    """
    found = slides()
    wrong = _wrong_with_list(found)
    for slide in found:
        if slide.status == "written":
            wrong += _wrong_with_written(slide, Path(notebooks_folder) / f"{slide.notebook}.ipynb")
    return wrong


@cache
def _read(path: Path) -> tuple[Slide, ...]:
    return tuple(_slide(entry) for entry in yaml.safe_load(path.read_text(encoding="utf-8")))


def _slide(entry: dict) -> Slide:
    where = f"data/lecture/slides.yaml, slide {entry.get('number')}"
    try:
        slide = Slide(**{**entry, "tables": tuple(entry.get("tables", ()))})
        part = slide.part
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}: {error}; a slide has {', '.join(Slide.__annotations__)}") from error
    if slide.notebook not in NOTEBOOKS:
        raise ValueError(f"{where}: {unknown('notebook', slide.notebook, NOTEBOOKS)}")
    if part not in PARTS:
        raise ValueError(f"{where}: part {part} of {slide.notebook}; a notebook has parts 1 to {PARTS[-1]}")
    if slide.status not in STATUSES:
        raise ValueError(f"{where}: status {slide.status!r} is neither {' nor '.join(STATUSES)}")
    return slide


def _wrong_with_list(found: list[Slide]) -> list[str]:
    wrong = []
    if [slide.number for slide in found] != list(range(1, len(found) + 1)):
        wrong.append("slides.yaml: the slides are not numbered 1, 2, 3 … in their order")
    covered = {slide.notebook for slide in found}
    wrong += [f"slides.yaml: no slide is covered by {name}" for name in NOTEBOOKS if name not in covered]
    stored = papers.names()
    for slide in found:
        missing = [name for name in slide.tables if name not in stored]
        wrong += [f"slides.yaml, slide {slide.number}: {unknown('table', name, stored)}" for name in missing]
    shown = {name for slide in found for name in slide.tables}
    return wrong + [f"slides.yaml: table {name!r} is on no slide" for name in stored if name not in shown]


def _wrong_with_written(slide: Slide, path: Path) -> list[str]:
    where = f"slide {slide.number} ({slide.title}) is written in {slide.section}"
    if not path.is_file():
        return [f"{where}, but there is no {path.name}; write it, or set the slide to planned"]
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (ValueError, KeyError, TypeError) as error:
        return [f"{where}, but {path.name} is no notebook ({type(error).__name__}: {error})"]
    tags = {tag for cell in cells for tag in cell.get("metadata", {}).get("tags", [])}
    if f"part-{slide.part}" not in tags:
        return [f"{where}, but no cell of {path.name} is tagged part-{slide.part}"]
    return []
