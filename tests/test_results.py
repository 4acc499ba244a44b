"""The store: whole after any interruption, refusing what is damaged, never losing a seed."""

import json
import os
import stat
from pathlib import Path

import pytest

from lecture10 import files, paths
from lecture10.claims import Claim, Row, difference
from lecture10.results import Damaged, Run, Store, Stored, default_store, results_folder

CLAIM = Claim(
    "toy.gain",
    slide="Toys",
    says="New beats old.",
    effect=difference("new", "old", metric="accuracy"),
    margin=0.02,
    expects="shown",
    does_not_test="anything",
    minutes=5,
)


def rows(seed: int, gain: float = 0.1) -> list[Row]:
    return [
        Row("new", "accuracy", 0.7 + gain, seed, n=500),
        Row('old, "quoted" — ünïcode', "accuracy", 0.1 + 0.2, seed, at=1e-7),
    ]


def run(when: str = "2026-01-01", module: str = "code") -> Run:
    return Run(when, module, 1.5, {CLAIM.name: CLAIM.hash()}, {"threads": 2, "torch": None})


def filled(folder: Path, seeds=(0, 1, 2)) -> Store:
    store = Store(folder)
    for seed in seeds:
        store.add("toy", rows(seed), run(), (CLAIM,))
    return store


def test_what_is_stored_is_read_again_exactly(tmp_path):
    stored = filled(tmp_path, (2, 0, 1)).load("toy")
    assert list(stored.seeds) == [0, 1, 2]
    assert stored.rows() == rows(0) + rows(1) + rows(2)
    assert stored.rows({1}) == rows(1)
    assert stored.seeds[1].runs == (run(),)
    (kept,) = stored.wordings[CLAIM.name].values()
    assert kept == CLAIM.wording() | {"first": "2026-01-01"}


def test_the_csv_is_tidy_and_the_json_says_where_it_comes_from(tmp_path):
    filled(tmp_path, [3])
    head, first, second = (tmp_path / "toy.csv").read_text(encoding="utf-8").splitlines()
    assert head == "variant,metric,at,value,n,seed"
    assert first == "new,accuracy,,0.7999999999999999,500,3"
    assert second == '"old, ""quoted"" — ünïcode",accuracy,1e-07,0.30000000000000004,,3'
    record = json.loads((tmp_path / "toy.json").read_text(encoding="utf-8"))
    assert record["seeds"]["3"]["runs"][0]["machine"] == {"threads": 2, "torch": None}


def test_the_files_do_not_depend_on_the_order_of_storing(tmp_path):
    filled(tmp_path / "a", (0, 1, 2))
    filled(tmp_path / "b", (2, 0, 1))
    for suffix in ("csv", "json"):
        assert (tmp_path / f"a/toy.{suffix}").read_bytes() == (tmp_path / f"b/toy.{suffix}").read_bytes()


def test_nothing_there_is_nothing_stored_and_reading_makes_no_folder(tmp_path):
    assert Store(tmp_path / "none").load("toy") == Stored("toy")
    assert not (tmp_path / "none").exists()


def test_a_second_run_replaces_the_rows_and_keeps_the_first_run(tmp_path):
    store = filled(tmp_path)
    store.add("toy", rows(1, gain=0.5), run("2026-02-02", "other code"), (CLAIM,))
    stored = store.load("toy")
    assert stored.rows({1}) == rows(1, gain=0.5)
    assert [each.when for each in stored.seeds[1].runs] == ["2026-01-01", "2026-02-02"]
    assert stored.wordings[CLAIM.name][CLAIM.hash()]["first"] == "2026-01-01"
    assert stored.rows({0, 2}) == rows(0) + rows(2)


class TestInterrupted:
    """Killed between any two writes, no finished seed is lost, and the next store mends the files."""

    @pytest.mark.parametrize("survives", [0, 1, 2])
    @pytest.mark.parametrize("seed", [1, 3])  # measured again, and new
    def test_after_any_number_of_writes(self, tmp_path, monkeypatch, seed, survives):
        store, written = filled(tmp_path), []
        write = files.write_text

        def dies(path, text):
            if path.suffix in (".csv", ".json"):
                if len(written) == survives:
                    raise SystemError("killed")
                written.append(path)
            write(path, text)

        monkeypatch.setattr(files, "write_text", dies)
        with pytest.raises(SystemError):
            store.add("toy", rows(seed, gain=0.5), run("later"), (CLAIM,))
        monkeypatch.undo()
        stored = Store(tmp_path).load("toy")
        if survives:  # its own file was written: it counts
            assert stored.rows({seed}) == rows(seed, gain=0.5)
        assert stored.rows({0, 2}) == rows(0) + rows(2)
        store.add("toy", rows(7), run(), (CLAIM,))
        mended = store.load("toy")
        assert set(mended.seeds) == {0, 1, 2, 7} | ({seed} if survives else set())
        assert len(mended.seeds[1].runs) == (2 if survives and seed == 1 else 1)
        assert not list(tmp_path.glob(".partial/toy/seed_*.json"))

    def test_killed_before_tidying_up_counts_the_run_once(self, tmp_path, monkeypatch):
        store = filled(tmp_path)
        monkeypatch.setattr(Path, "unlink", lambda path, missing_ok=False: None)
        store.add("toy", rows(3), run("later"), (CLAIM,))
        monkeypatch.undo()
        assert list(tmp_path.glob(".partial/toy/seed_3.json"))
        assert store.load("toy").seeds[3].runs == (run("later"),)
        store.add("toy", rows(4), run(), (CLAIM,))
        assert store.load("toy").seeds[3].runs == (run("later"),)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def edit(path: Path) -> None:
    path.write_text(path.read_text().replace("0.7999999999999999", "0.9", 1))


def drop_a_line(path: Path) -> None:
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")


def foreign(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00 not text")


def nan(path: Path) -> None:
    path.write_text(path.read_text().replace("0.7999999999999999", "nan", 1))


def lists(path: Path) -> None:
    path.write_text("[1, 2]")


class TestDamaged:
    @pytest.mark.parametrize(
        ("name", "harm"),
        [
            *[("toy.csv", harm) for harm in (cut, edit, drop_a_line, foreign, nan, os.remove)],
            *[("toy.json", harm) for harm in (cut, foreign, lists, os.remove)],
        ],
    )
    def test_it_is_refused_with_the_cure_and_left_as_it_is(self, tmp_path, name, harm):
        store = filled(tmp_path)
        harm(tmp_path / name)
        before = {path: path.read_bytes() for path in tmp_path.glob("toy.*")}
        with pytest.raises(Damaged, match=r"damaged: .*python -m lecture10 measure toy --rebuild"):
            store.load("toy")
        assert {path: path.read_bytes() for path in tmp_path.glob("toy.*")} == before

    def test_a_seed_that_ends_meanwhile_is_kept(self, tmp_path):
        store = filled(tmp_path)
        cut(tmp_path / "toy.csv")
        with pytest.raises(Damaged):
            store.add("toy", rows(3), run(), (CLAIM,))
        store.set_aside("toy")
        store.add("toy", rows(4), run(), (CLAIM,))
        assert {3, 4} <= set(store.load("toy").seeds)

    def test_rebuilding_keeps_the_whole_seeds_the_history_and_the_damaged_files(self, tmp_path):
        store = filled(tmp_path)
        edit(tmp_path / "toy.csv")  # seed 0
        aside = store.set_aside("toy")
        assert [path.name for path in aside] == ["toy.csv.damaged1", "toy.json.damaged1"]
        assert "0.9," in aside[0].read_text()
        stored = store.load("toy")
        assert list(stored.seeds) == [1, 2]
        assert stored.history[0].runs == (run(),)
        assert stored.history[0].rows == ()
        store.add("toy", rows(0), run("later"), (CLAIM,))
        assert store.load("toy").seeds[0].runs == (run(), run("later"))

    def test_seeds_of_a_lost_provenance_are_known_to_have_been_measured(self, tmp_path):
        store = filled(tmp_path)
        os.remove(tmp_path / "toy.json")
        store.set_aside("toy")
        stored = store.load("toy")
        assert not stored.seeds
        assert [stored.history[seed].runs[0].claims for seed in (0, 1, 2)] == [{}, {}, {}]

    def test_a_damaged_seed_of_its_own_is_named(self, tmp_path):
        store = filled(tmp_path)
        path = tmp_path / ".partial/toy/seed_5.json"
        path.write_text('{"rows": [')
        with pytest.raises(Damaged, match=r"seed_5\.json is damaged .*delete it"):
            store.load("toy")


class TestPlaces:
    def test_a_wheel_reads_what_it_came_with_and_writes_to_the_home(self, tmp_path):
        filled(tmp_path / "shipped")
        before = (tmp_path / "shipped/toy.csv").read_bytes()
        store = Store(tmp_path / "home", shipped=tmp_path / "shipped")
        assert list(store.load("toy").seeds) == [0, 1, 2]
        store.add("toy", rows(3), run(), (CLAIM,))
        assert list(store.load("toy").seeds) == [0, 1, 2, 3]
        assert list(Store(tmp_path / "home").load("toy").seeds) == [0, 1, 2, 3]
        assert (tmp_path / "shipped/toy.csv").read_bytes() == before

    def test_the_default_folder(self, tmp_path, monkeypatch):
        (tmp_path / "data").mkdir()
        monkeypatch.setenv("LECTURE10_DATA", str(tmp_path / "data"))
        assert results_folder() == tmp_path / "data/results"
        monkeypatch.delenv("LECTURE10_DATA")
        monkeypatch.setattr(paths, "in_checkout", lambda: False)
        monkeypatch.setattr(paths, "PACKAGE", tmp_path)
        assert results_folder() == paths.home_folder() / "results"
        assert default_store().shipped == tmp_path / "data/results"

    @pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
    def test_a_folder_that_cannot_be_written_is_found_before_the_work(self, tmp_path, monkeypatch):
        blocked = tmp_path / "file"
        blocked.write_text("not a folder")
        with pytest.raises(OSError, match="file"):
            Store(blocked / "results").prepare("toy")

        def no_space(*_):
            raise OSError(28, "No space left on device")

        store = filled(tmp_path / "full")
        monkeypatch.setattr("os.fsync", no_space)
        with pytest.raises(OSError, match="disk is full"):
            store.prepare("toy")
        monkeypatch.undo()
        assert list(store.load("toy").seeds) == [0, 1, 2]

    def test_the_working_folder_is_kept_out_of_version_control(self, tmp_path):
        filled(tmp_path)
        assert (tmp_path / ".partial/.gitignore").read_text() == "*\n"
        assert stat.S_IMODE((tmp_path / "toy.csv").stat().st_mode) == 0o644


def test_a_lock_is_held_by_one_at_a_time(tmp_path):
    one, other = Store(tmp_path), Store(tmp_path)
    with one.lock("toy", "seed_0"):
        with pytest.raises(TimeoutError, match=r"'seed_0' of toy"), other.lock("toy", "seed_0"):
            raise AssertionError("two hold one lock")
        with other.lock("toy", "seed_1"):
            assert True
    with other.lock("toy", "seed_0"):
        assert True
