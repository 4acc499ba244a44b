"""The prompts that the slides quote, and the scenes of the little world that show them, as far as it can.

drawable()["horse_astronaut"].scene      Scene('large brown horse', 'large gray astronaut', …)
undrawable()["panda_latte"].missing      'no panda, and nobody makes anything'
"""

from dataclasses import dataclass
from functools import cache

import yaml

from lecture10 import papers
from lecture10.names import unknown
from lecture10.paths import data_path
from lecture10.world.scene import Scene, thing

FILE = "lecture/prompts.yaml"


@dataclass(frozen=True)
class Prompt:
    """One quoted prompt.

    text: as printed; system: on whose slides it stands; scene: its twin in the little world, or None; lost:
    what the twin leaves out or replaces; missing: why there is no twin.
    """

    name: str
    text: str
    system: str
    scene: Scene | None = None
    lost: str = ""
    missing: str = ""


@cache
def prompts() -> dict[str, Prompt]:
    """All prompts by their name in `papers.paper("prompts")`, the drawable ones first.

    Raises ValueError, naming the entry and the cure, where data/lecture/prompts.yaml does not fit.
    """
    quoted = {row[0]: (row[2], row[1]) for row in papers.paper("prompts").rows}
    entries = yaml.safe_load(data_path(FILE).read_text(encoding="utf-8"))
    found = {entry["prompt"]: _prompt(entry, quoted) for entry in entries}
    if absent := sorted(set(quoted) - set(found)):
        raise ValueError(
            f"data/{FILE} lacks {', '.join(absent)}: give each things to draw, or what is missing"
        )
    return found


def drawable() -> dict[str, Prompt]:
    """Those with a scene."""
    return {name: prompt for name, prompt in prompts().items() if prompt.scene}


def undrawable() -> dict[str, Prompt]:
    """Those without, each with the reason."""
    return {name: prompt for name, prompt in prompts().items() if not prompt.scene}


def _prompt(entry: dict, quoted: dict[str, tuple[str, str]]) -> Prompt:
    name = entry["prompt"]
    if name not in quoted:
        raise ValueError(f"data/{FILE}: {unknown('prompt', name, quoted)}")
    if ("things" in entry) == bool(entry.get("missing")):
        raise ValueError(f"data/{FILE}, {name}: give either things to draw or what is missing")
    if "things" not in entry:
        return Prompt(name, *quoted[name], missing=entry["missing"])
    relations = tuple(tuple(relation) for relation in entry.get("relations", ()))
    places = entry.get("places", [(None, None)] * len(entry["things"]))
    things = [thing(phrase, x=x, y=y) for phrase, (x, y) in zip(entry["things"], places, strict=True)]
    scene = Scene(things, entry.get("backdrop", "studio"), relations=relations)
    return Prompt(name, *quoted[name], scene, entry["lost"])
