"""Results: what experiments measured. Two files each, `NAME.csv` (tidy rows) and `NAME.json` (where they
come from).

A seed that has been paid for is never lost. When it ends, it is first written whole to a file of its own
(`.partial/NAME/seed_3.json`), then merged into the two files under a lock, and only then is its own file
removed. Reading lays such seeds over the two files, so a process killed at any moment leaves nothing
half-done, and many processes may measure at once. Locks are the operating system's: they end with the
process that holds them.

The JSON keeps every measurement of every seed, with the wording that each claim had when it began: the
first one decides what is *post hoc* (`lecture10.findings`).
"""

import csv
import hashlib
import io
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from filelock import FileLock, Timeout

from lecture10 import files, paths
from lecture10.claims import Claim, Row, by_seed

FORMAT = 1
COLUMNS = ("variant", "metric", "at", "value", "n", "seed")


class Damaged(ValueError):
    """A results file is not what was written; the message says how to rebuild it."""


@dataclass(frozen=True)
class Run:
    """One measurement of one seed.

    when: UTC, ISO.  module: hash of the code (`lecture10.sources`).  minutes: wall clock.  claims: the
    wording of each claim when it began, name -> hash.  machine: versions, threads, device.
    """

    when: str
    module: str
    minutes: float
    claims: Mapping[str, str]
    machine: Mapping[str, str | int | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Seed:
    """One seed: its rows, and every run of it, oldest first (the last one made the rows).

    No rows: it was measured once, but its rows are damaged and were set aside.
    """

    rows: tuple[Row, ...]
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class Stored:
    """All that is stored of one experiment. wordings: claim -> hash -> the wording, from the oldest on."""

    experiment: str
    history: Mapping[int, Seed] = field(default_factory=dict)
    wordings: Mapping[str, Mapping[str, dict]] = field(default_factory=dict)

    @property
    def seeds(self) -> dict[int, Seed]:
        """The seeds whose rows are here, rising."""
        return {seed: found for seed, found in sorted(self.history.items()) if found.rows}

    def rows(self, seeds: object = None) -> list[Row]:
        """The rows of these seeds (default: all)."""
        return [row for seed, one in self.seeds.items() if seeds is None or seed in seeds for row in one.rows]


def results_folder() -> Path:
    """Where new results go: the checkout's data/results, or LECTURE10_DATA's; of a wheel, the home folder."""
    own = paths.in_checkout() or paths.data_folder() != paths.PACKAGE / "data"
    return (paths.data_folder() if own else paths.home_folder()) / "results"


def default_store(folder: Path | None = None) -> "Store":
    """The store in a folder; by default where new results go, over the results that the course came with."""
    return Store(Path(folder)) if folder else Store(results_folder(), shipped=paths.data_folder() / "results")


class Store:
    """A folder of results. shipped: where to read an experiment from that the folder does not hold yet."""

    def __init__(self, folder: Path, shipped: Path | None = None):
        self.folder, self.shipped = Path(folder), Path(shipped or folder)

    def path(self, experiment: str, suffix: str = ".csv") -> Path:
        """Where an experiment's rows (".csv") or their provenance (".json") will be written."""
        return self.folder / f"{experiment}{suffix}"

    def load(self, experiment: str) -> Stored:
        """All that is stored of an experiment, seeds not yet merged included; empty where nothing is.

        Raises Damaged where the files are not what was written.
        """
        for wait in (0.05, 0.1, 0.2):  # a merge in another process replaces two files, one after the other
            with suppress(Damaged):
                return self._load(experiment)
            time.sleep(wait)
        return self._load(experiment)

    def add(self, experiment: str, rows: list[Row], run: Run, claims: tuple[Claim, ...] = ()) -> None:
        """Store one finished seed in place of an earlier run of it. Raises Damaged, OSError, TimeoutError.

        Whatever goes wrong after the seed's own file is written, the seed is kept and merged by the next
        call.
        """
        wordings = {claim.name: {claim.hash(): claim.wording() | {"first": run.when}} for claim in claims}
        parcel = {"rows": [asdict(row) for row in rows], "run": asdict(run), "wordings": wordings}
        files.write_text(self._partial(experiment) / f"seed_{rows[0].seed}.json", _json(parcel))
        with self.lock(experiment, "merge", wait=60):
            self._merge(experiment)

    @contextmanager
    def lock(self, experiment: str, what: str, wait: float = 0) -> Iterator[None]:
        """Hold a lock of an experiment: "seed_3", "merge". Raises TimeoutError where another has it."""
        self.prepare(experiment)
        try:
            with FileLock(self._partial(experiment) / f"{what}.lock", timeout=wait):
                yield
        except Timeout:
            raise TimeoutError(f"another process holds {what!r} of {experiment}; try again later") from None

    def prepare(self, experiment: str) -> None:
        """Make the folders, so that a folder that cannot be written is found before hours are spent."""
        ignore = self.folder / ".partial" / ".gitignore"
        if not ignore.is_file():
            files.write_text(ignore, "*\n")
        probe = self._partial(experiment) / "probe"
        files.write_text(probe, "")
        probe.unlink(missing_ok=True)

    def set_aside(self, experiment: str) -> list[Path]:
        """Rename damaged files to `*.damaged…`, keep the seeds that are whole, return the new names.

        Seeds that are not whole are remembered without rows, so that measuring them again does not make a
        claim that was reworded since look as if it had been there first.
        """
        with self.lock(experiment, "merge", wait=60):
            kept = self._salvage(experiment)
            aside = []
            for path in (self.path(experiment), self.path(experiment, ".json")):
                if path.is_file():
                    free = next(n for n in range(1, 10**6) if not Path(f"{path}.damaged{n}").exists())
                    aside.append(path.rename(f"{path}.damaged{free}"))
            self._write(kept)
        return aside

    def _partial(self, experiment: str) -> Path:
        return self.folder / ".partial" / experiment

    def _reading(self, experiment: str, suffix: str) -> Path:
        own = self.path(experiment, suffix)
        return own if own.exists() else self.shipped / own.name

    def _load(self, experiment: str) -> Stored:
        record = self._record(experiment)
        rows = self._rows(experiment)
        parcels = self._parcels(experiment)
        for seed in (set(rows) | {int(seed) for seed in record["seeds"]}) - set(parcels):
            recorded = record["seeds"].get(str(seed), {"sha": None})["sha"]
            if recorded != _sha(rows.get(seed, [])):
                raise self._damaged(experiment, f"seed {seed}'s rows are not those that the .json recorded")
        return _overlay(_stored(experiment, record, rows), parcels)

    def _merge(self, experiment: str) -> None:
        merged = list(self._parcels(experiment))
        self._write(self._load(experiment))
        for seed in merged:
            (self._partial(experiment) / f"seed_{seed}.json").unlink(missing_ok=True)

    def _write(self, stored: Stored) -> None:
        files.write_text(self.path(stored.experiment), _csv(stored.rows()))
        files.write_text(self.path(stored.experiment, ".json"), _json(_record(stored)))

    def _record(self, experiment: str) -> dict:
        path = self._reading(experiment, ".json")
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            if record["format"] != FORMAT:
                raise ValueError(f"its format is {record['format']!r}, not {FORMAT}")
            _ = record["claims"].items()
            for seed, known in record["seeds"].items():
                _ = int(seed), [Run(**run) for run in known["runs"]], known["sha"]
            return record
        except FileNotFoundError:
            return {"format": FORMAT, "seeds": {}, "claims": {}}
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise self._damaged(experiment, f"{path.name} cannot be read ({error})") from None

    def _rows(self, experiment: str) -> dict[int, list[Row]]:
        path = self._reading(experiment, ".csv")
        try:
            with open(path, encoding="utf-8", newline="") as handle:
                return by_seed(_row(line) for line in csv.DictReader(handle))
        except FileNotFoundError:
            return {}
        except (KeyError, TypeError, ValueError, csv.Error) as error:
            raise self._damaged(experiment, f"{path.name} cannot be read ({error})") from None

    def _parcels(self, experiment: str) -> dict[int, dict]:
        found = {}
        for path in sorted(self._partial(experiment).glob("seed_*.json")):
            with suppress(FileNotFoundError):  # merged by another process just now
                try:
                    parcel = json.loads(path.read_text(encoding="utf-8"))
                    parcel["rows"] = [Row(**row) for row in parcel["rows"]]
                    parcel["run"] = Run(**parcel["run"])
                except (KeyError, TypeError, ValueError) as error:
                    cure = "delete it; its seed is then measured again"
                    raise Damaged(f"{path} is damaged ({error}); {cure}") from None
                found[parcel["rows"][0].seed] = parcel
        return found

    def _damaged(self, experiment: str, what: str) -> Damaged:
        path = self._reading(experiment, ".csv")
        return Damaged(
            f"the results in {path} (and .json) are damaged: {what}. Nothing was changed. "
            "Restore both files from version control; or keep the seeds that are whole, set the files aside "
            f"and measure the rest again: python -m lecture10 measure {experiment} --rebuild"
        )

    def _salvage(self, experiment: str) -> Stored:
        rows, record = {}, {"seeds": {}, "claims": {}}
        with suppress(FileNotFoundError):
            text = self._reading(experiment, ".csv").read_text(encoding="utf-8", errors="replace")
            for line in csv.DictReader(io.StringIO(text)):
                with suppress(KeyError, TypeError, ValueError):
                    rows.setdefault(int(line["seed"]), []).append(_row(line))
        with suppress(Damaged):
            record = self._record(experiment)
        for seed in set(rows) | {int(seed) for seed in record["seeds"]}:
            known = record["seeds"].setdefault(str(seed), {"sha": None, "runs": [asdict(UNKNOWN)]})
            if known["sha"] != _sha(rows.get(seed, [])):
                rows[seed] = []
        return _stored(experiment, record, rows)


UNKNOWN = Run(when="unknown", module="", minutes=0.0, claims={})


def _stored(experiment: str, record: dict, rows: Mapping[int, list[Row]]) -> Stored:
    history = {
        int(seed): Seed(tuple(rows.get(int(seed), ())), tuple(Run(**run) for run in known["runs"]))
        for seed, known in record["seeds"].items()
    }
    return Stored(experiment, history, record["claims"])


def _overlay(stored: Stored, parcels: Mapping[int, dict]) -> Stored:
    history, wordings = dict(stored.history), {name: dict(known) for name, known in stored.wordings.items()}
    for seed, parcel in parcels.items():
        before = history[seed].runs if seed in history else ()
        # The run is there already where a process was killed after merging and before tidying up.
        runs = before if parcel["run"] in before else (*before, parcel["run"])
        history[seed] = Seed(tuple(parcel["rows"]), runs)
        for name, wording in parcel["wordings"].items():
            wordings[name] = wording | wordings.get(name, {})
    return replace(stored, history=history, wordings=wordings)


def _record(stored: Stored) -> dict:
    seeds = {
        str(seed): {"sha": _sha(found.rows), "runs": [asdict(run) for run in found.runs]}
        for seed, found in sorted(stored.history.items())
    }
    claims = {
        name: dict(sorted(known.items(), key=lambda item: item[1]["first"]))
        for name, known in sorted(stored.wordings.items())
    }
    return {"format": FORMAT, "experiment": stored.experiment, "claims": claims, "seeds": seeds}


def _json(record: dict) -> str:
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"


def _csv(rows: list[Row]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        cells = (getattr(row, column) for column in COLUMNS)
        writer.writerow(
            "" if cell is None else repr(cell) if isinstance(cell, float) else cell for cell in cells
        )
    return out.getvalue()


def _row(line: Mapping[str, str]) -> Row:
    at, n = (line[name] or None for name in ("at", "n"))
    return Row(
        line["variant"],
        line["metric"],
        float(line["value"]),
        int(line["seed"]),
        at and float(at),
        n and int(n),
    )


def _sha(rows: list[Row] | tuple[Row, ...]) -> str | None:
    return hashlib.sha256(_csv(list(rows)).encode()).hexdigest()[:12] if rows else None
