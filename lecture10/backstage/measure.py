"""`python -m lecture10 measure NAME`: run an experiment seed by seed, and store what it finds.

Before it starts it says what this will cost. Each seed is stored as soon as it ends, so that Ctrl-C, a
crash or a second process beside it costs at most the seed in hand; the same command goes on where it stopped.
A pilot belongs in another folder (`--folder`): a seed measured here counts for the claims as they are
worded now.
"""

import importlib.metadata
import platform
import random
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path
from typing import Annotated

import typer

from lecture10 import experiments
from lecture10.claims import Claim, Row
from lecture10.devices import budget, pick_device
from lecture10.effects import seen
from lecture10.experiments import Experiment
from lecture10.findings import own_seeds, whole
from lecture10.results import Run, Store, Stored, default_store
from lecture10.sources import module_hash


def measure(
    name: Annotated[str, typer.Argument(help="A claim (gpt1.scaling) or an experiment.")] = "",
    seeds: Annotated[
        int | None, typer.Option(help="How many seeds there shall be (default: as planned).")
    ] = None,
    show: Annotated[
        bool, typer.Option("--list", help="List all experiments, with costs; measure nothing.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Seeds never measured before, for a reworded claim.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Measure stale seeds again.")] = False,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Set damaged files aside first.")] = False,
    folder: Annotated[Path | None, typer.Option(help="Where results go.")] = None,
    package: Annotated[str, typer.Option(help="Another package of experiments.")] = experiments.__name__,
) -> None:
    """Measure a claim: run its experiment over some seeds, resumable, storing each seed as it ends."""
    store = default_store(folder)
    if show or not name:
        for experiment in experiments.everything(package):
            print(plan(experiment, experiment.claims, store).text())
        if not show:
            raise ValueError("which claim? Name one of those above: python -m lecture10 measure NAME")
        return
    if seeds is not None and seeds < 1:
        raise ValueError(f"--seeds {seeds}: it takes at least one seed, and three for a verdict")
    experiment = experiments.load(name, package)
    if rebuild:
        for path in store.set_aside(experiment.name):
            print(f"set aside: {path}")
    claims = tuple(claim for claim in experiment.claims if claim.name == name) or experiment.claims
    work = plan(experiment, claims, store, seeds, fresh, again)
    print(work.text(), flush=True)
    carry_out(work)


@dataclass(frozen=True)
class Plan:
    """What is to be measured. todo: the seeds to run.  code: the module hash they will carry."""

    experiment: Experiment
    claims: tuple[Claim, ...]
    store: Store
    stored: Stored
    todo: tuple[int, ...]
    code: str

    @property
    def minutes(self) -> float:
        """Minutes a seed: as measured before where it was, else as declared."""
        known = [seed.runs[-1].minutes for seed in self.stored.seeds.values()]
        return sum(known) / len(known) if known else self.experiment.minutes

    def text(self) -> str:
        """What is there, what is to do, and what it will cost."""
        experiment, here = self.experiment, list(self.stored.seeds)
        source = "as measured before" if here else "as declared, on two cores"
        cost = f"about {self.minutes * len(self.todo):.3g} minutes" if self.todo else "nothing"
        lines = [
            f"{experiment.name} ({'; '.join(claim.name for claim in experiment.claims)})",
            f"  tier     {self._tiers()}; {experiment.seeds} seeds planned, "
            f"{self.minutes:.2g} minutes each ({source})",
            f"  there    {_listed(here)}" + (f"; stale: {_listed(self.stale)}" if self.stale else ""),
            f"  to do    {_listed(self.todo)}: {cost}",
            f"  results  {self.store.path(experiment.name)}",
        ]
        if self.stale and not set(self.stale) & set(self.todo):
            lines.append(
                "  the code has changed since the stale seeds were measured: --again measures them again"
            )
        late = [c.name for c in self.claims if here and set(own_seeds(c, self.stored)) < set(here)]
        if late and not set(self.todo) - set(self.stored.history):
            lines.append(
                f"  reworded since it was first measured: {', '.join(late)}; --fresh measures other seeds"
            )
        return "\n".join(lines)

    @property
    def stale(self) -> list[int]:
        """The stored seeds that were measured with other code than today's."""
        return [seed for seed, one in self.stored.seeds.items() if one.runs[-1].module != self.code]

    def _tiers(self) -> str:
        return "long" if any(claim.tier == "long" for claim in self.experiment.claims) else "quick"


def plan(
    experiment: Experiment,
    claims: tuple[Claim, ...],
    store: Store,
    seeds: int | None = None,
    fresh: bool = False,
    again: bool = False,
) -> Plan:
    """What is left to do until there are so many seeds. Raises Damaged where the results are.

    fresh: until so many seeds were first measured under the present wording of the claims.
    """
    stored, code = store.load(experiment.name), module_hash(experiment.module)
    wanted = seeds or experiment.seeds
    if fresh:
        own = set.intersection(*(set(own_seeds(claim, stored)) for claim in claims))
        new = (seed for seed in count() if seed not in stored.history)
        todo = list(islice(new, max(0, wanted - len(own))))
    else:
        todo = [seed for seed in range(wanted) if seed not in stored.seeds]
    work = Plan(experiment, claims, store, stored, tuple(todo), code)
    return (
        Plan(experiment, claims, store, stored, tuple(sorted({*todo, *work.stale})), code) if again else work
    )


def carry_out(work: Plan) -> None:
    """Run the seeds of a plan that no other process has in hand, and store each as it ends.

    Raises what the experiment raises (finished seeds are kept), ValueError where its rows lack what a
    claim needs.
    """
    if not work.todo:
        return
    _refuse_mixtures(work)
    name = work.experiment.name
    work.store.prepare(name)
    done: list[int] = []
    try:
        for seed, rows, run in _measured(work):
            work.store.add(name, rows, run, work.experiment.claims)
            done.append(seed)
            print(f"  seed {seed}: {len(rows)} rows in {run.minutes:.2g} minutes, stored", flush=True)
    except BaseException:
        kept = _listed(sorted({*work.stored.seeds, *done}))
        print(f"  stopped. Stored: {kept}. The same command goes on from there", file=sys.stderr, flush=True)
        raise
    if elsewhere := [seed for seed in work.todo if seed not in done]:
        print(f"  {_listed(elsewhere)}: measured by another process, which stores them")
    print(f"  verdicts: python -m lecture10 report (all), or summary({work.claims[0].name!r}) in a notebook")


def _measured(work: Plan) -> Iterator[tuple[int, list[Row], Run]]:
    """Each seed that is still to do, with its rows; its lock is held until the next one is asked for."""
    name = work.experiment.name
    for seed in work.todo:
        with ExitStack() as held:
            try:
                held.enter_context(work.store.lock(name, f"seed_{seed}"))
            except TimeoutError:
                continue
            if _runs(work.store.load(name), seed) > _runs(work.stored, seed):
                continue  # another process finished it after our plan was made
            start, when = time.perf_counter(), datetime.now(UTC).isoformat(timespec="seconds")
            _seed_everything(seed)
            where = machine()  # before the run: what cannot be told must not cost a paid-for seed
            rows = checked(work.experiment, seed, work.experiment.run(seed))
            minutes = round((time.perf_counter() - start) / 60, 4)
            hashes = {claim.name: claim.hash() for claim in work.experiment.claims}
            yield seed, rows, Run(when, work.code, minutes, hashes, where)


def checked(experiment: Experiment, seed: int, rows: object) -> list[Row]:
    """The rows of one run. Raises ValueError where they are not rows of this seed, or a claim lacks one."""
    if not isinstance(rows, list) or not rows or not all(isinstance(row, Row) for row in rows):
        raise ValueError(f"{experiment.module}.run({seed}) returned {type(rows).__name__}, not a list of Row")
    if other := {row.seed for row in rows} - {seed}:
        raise ValueError(f"{experiment.module}.run({seed}) returned rows of seed {min(other)}")
    seen(rows)
    whole(experiment.claims, rows)
    return rows


def machine() -> dict[str, str | int | None]:
    """What the rows may depend on besides the code: versions, threads, device, budget."""
    torch = sys.modules.get("torch")
    return {
        "lecture10": importlib.metadata.version("lecture10"),
        "python": platform.python_version(),
        "torch": importlib.metadata.version("torch"),
        "threads": torch.get_num_threads() if torch else None,
        "device": pick_device().type if torch else "cpu",
        "budget": budget(),
    }


def _refuse_mixtures(work: Plan) -> None:
    before = {seed.runs[-1].machine.get("budget", budget()) for seed in work.stored.seeds.values()}
    if budget() == "smoke" and work.store.folder == default_store().folder:
        raise ValueError(
            "LECTURE10_BUDGET=smoke only tries things out: give it a --folder of its own, or unset it"
        )
    if other := before - {budget()}:
        raise ValueError(
            f"{work.experiment.name} was measured with LECTURE10_BUDGET={min(other)}, not {budget()}: "
            "these seeds cannot be compared. Set it to the same, or give a --folder of its own"
        )


def _seed_everything(seed: int) -> None:
    """So that a forgotten generator depends on the seed, and not on which seeds ran before it."""
    import numpy as np

    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    if torch := sys.modules.get("torch"):
        torch.manual_seed(seed)


def _runs(stored: Stored, seed: int) -> int:
    return len(stored.history[seed].runs) if seed in stored.history else 0


def _listed(seeds: object) -> str:
    seeds = list(seeds)
    return f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}" if seeds else "nothing"
