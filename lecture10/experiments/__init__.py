"""Experiments: one module per table or figure of the lecture, each with its claims and `run(seed) -> rows`.

    names()                 the modules here, without importing them
    load("gpt1.scaling")    one experiment, by its own name or by a claim's
    summary("gpt1.scaling") a claim judged on the stored results: for part 5 of a notebook

A module that begins with an underscore is a helper, not an experiment. `package` names another package of
experiments: your own, say, measured with `python -m lecture10 measure NAME --package mine`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lecture10.claims import Claim, Row
    from lecture10.findings import Finding


@dataclass(frozen=True)
class Experiment:
    """name: what its results are stored under.  module: where it is.  run: one paired seed -> its rows."""

    name: str
    module: str
    claims: tuple[Claim, ...]
    run: Callable[[int], list[Row]]

    @property
    def seeds(self) -> int:
        """How many seeds are planned: the most that one of its claims plans."""
        return max(claim.seeds for claim in self.claims)

    @property
    def minutes(self) -> float:
        """Minutes a seed on two cores, as declared."""
        return max(claim.minutes / claim.seeds for claim in self.claims)


def names(package: str = __name__) -> list[str]:
    """The names of the experiments in a package, found without importing them."""
    here = importlib.import_module(package).__path__
    return sorted(found.name for found in pkgutil.iter_modules(here) if not found.name.startswith("_"))


def load(name: str, package: str = __name__) -> Experiment:
    """The experiment of that name ("gpt1_scaling"), or with a claim of that name ("gpt1.scaling").

    Raises KeyError, with the nearest name, where there is none; ValueError where the module is not an
    experiment.
    """
    known = names(package)
    if name in known:
        return _read(name, package)
    likely = [module for module in known if module == name.replace(".", "_")]
    for module in [*likely, *(module for module in known if module not in likely)]:
        experiment = _read(module, package)
        if module in likely or name in (claim.name for claim in experiment.claims):
            return experiment
    from lecture10.names import unknown

    raise KeyError(
        unknown("claim or experiment", name, [claim.name for claim in all_claims(package)] + known)
    )


def everything(package: str = __name__) -> Iterator[Experiment]:
    """Every experiment, in the order of their names. Imports them all."""
    owner: dict[str, str] = {}
    for name in names(package):
        experiment = _read(name, package)
        for claim in experiment.claims:
            if claim.name in owner:
                raise ValueError(f"claim {claim.name!r} is made twice: in {owner[claim.name]} and in {name}")
            owner[claim.name] = name
        yield experiment


def all_claims(package: str = __name__) -> list[Claim]:
    """Every claim, in the order of their experiments."""
    return [claim for experiment in everything(package) for claim in experiment.claims]


def summary(name: str, folder: Path | None = None, package: str = __name__) -> Finding:
    """A claim ("gpt1.scaling") judged on its stored results: estimate, interval, verdict, rows.

    An experiment's name will do where it has one claim. Not measured yet is no error: the finding says so.
    Raises KeyError for an unknown name, `lecture10.results.Damaged` for a damaged file.
    """
    from lecture10.findings import find
    from lecture10.results import default_store
    from lecture10.sources import module_hash

    experiment = load(name, package)
    claims = [claim for claim in experiment.claims if claim.name == name] or list(experiment.claims)
    if len(claims) > 1:
        raise KeyError(
            f"{name!r} makes {len(claims)} claims; choose one: {', '.join(c.name for c in claims)}"
        )
    return find(claims[0], default_store(folder).load(experiment.name), module_hash(experiment.module))


def _read(name: str, package: str) -> Experiment:
    from lecture10.claims import Claim

    module = importlib.import_module(f"{package}.{name}")
    claims = tuple(getattr(module, "CLAIMS", ())) or (getattr(module, "CLAIM", None),)
    if not all(isinstance(claim, Claim) for claim in claims) or not callable(getattr(module, "run", None)):
        raise ValueError(
            f"{module.__name__} is no experiment: it needs CLAIM or CLAIMS, and run(seed) -> rows"
        )
    return Experiment(name, module.__name__, claims, module.run)
