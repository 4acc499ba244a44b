"""How sure is sure enough: thresholds set on spoilt pictures, shipped with what was measured."""

import json
from dataclasses import asdict, dataclass
from functools import lru_cache

from lecture10.paths import data_folder, data_path
from lecture10.training import WeightsError, read_card

MEASURED = "checkpoints/judge_confusion.json"
REBUILD = "rebuild it with\n    python -m lecture10.recipes.judge"


@dataclass(frozen=True)
class Thresholds:
    """Least probabilities: that a thing is there, and of each word; below, it is unclear."""

    centre: float = 0.3
    noun: float = 0.6
    colour: float = 0.6
    material: float = 0.6
    size: float = 0.6
    style: float = 0.5
    backdrop: float = 0.5

    def of(self, name: str) -> float:
        """The threshold of one attribute."""
        return getattr(self, name)

    def as_dict(self) -> dict[str, float]:
        """By name."""
        return asdict(self)


@lru_cache(maxsize=1)
def measured() -> dict:
    """What was measured of the shipped judge: thresholds, accuracies, error matrices by style and size.

    Raises WeightsError where it is missing, damaged, or of other weights than the shipped ones.
    """
    name = MEASURED.rsplit("/", 1)[1]
    try:
        facts = json.loads(data_path(MEASURED).read_text(encoding="utf-8"))
        weights, _ = facts["weights"], facts["thresholds"]
    except FileNotFoundError as error:
        raise WeightsError(f"the judge's error matrix {name} is missing; {REBUILD}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"the judge's error matrix {name} is damaged ({error!r}); {REBUILD}") from error
    if weights != read_card(data_folder() / "checkpoints/judge").sha256:
        raise WeightsError(f"{name} was measured with other weights than those shipped; {REBUILD}")
    return facts


def shipped_thresholds() -> Thresholds:
    """Those of the shipped judge."""
    return Thresholds(**measured()["thresholds"])
