"""Hints, answers and progress: one step at a time, remembered, never in the way."""

import errno
import json
import os
import warnings

import pytest

from lecture10 import files, paths
from lecture10.exercises import answer, check, find, hint, progress, record
from lecture10.exercises.shelf import asked


def state(name: str) -> str:
    return next(row[2] for row in progress().rows if row[1] == name)


def stored() -> dict:
    return json.loads((paths.home_folder() / record.FILE).read_text())["exercises"]


def test_each_call_opens_one_hint_more(capsys):
    texts = find("tied_loss").hints
    for shown in (1, 2, 3, 3):
        hint("tied_loss")
        out = capsys.readouterr().out
        assert [t in out for t in texts] == [i < shown for i in range(3)]
        assert ('l10.answer("tied_loss")' in out) == (shown == 3)
    assert stored()["tied_loss"]["hints"] == 3
    assert state("tied_loss") == "not yet"


def test_hint_and_answer_take_the_function_too(capsys):
    def prefix_mask(n_prefix, length): ...

    hint(prefix_mask)
    answer(prefix_mask)
    out = capsys.readouterr().out
    assert "hint 1 of 3" in out
    assert "def prefix_mask(n_prefix: int, length: int)" in out


def test_the_four_states(capsys):
    assert state("first_loss") == "not yet"
    check("first_loss", ...)
    assert state("first_loss") == "not yet"
    check("first_loss", 15.3)
    assert state("first_loss") == "tried"
    check("first_loss", 10.6)
    assert state("first_loss") == "done"
    check("first_loss", 15.3)
    answer("first_loss")
    assert state("first_loss") == "done"
    answer("tied_loss")
    assert state("tied_loss") == "looked up"
    assert "cross_entropy" in capsys.readouterr().out


def test_an_answer_seen_first_stays_looked_up():
    answer("first_loss")
    assert check("first_loss", 10.6).passed
    assert state("first_loss") == "looked up"
    assert progress().summary == f"0 of {len(asked())} done, 1 looked up"


def test_a_stub_leaves_no_trace():
    check("first_loss", ...)
    assert not (paths.home_folder() / record.FILE).exists()


def test_the_table_lists_all_and_knows_neither_dates_nor_paths(monkeypatch, tmp_path):
    check("first_loss", 10.6)
    hint("prefix_mask")
    table = progress()
    assert [row[1] for row in table.rows] == [e.name for e in asked()]
    assert "| 01_gpt1 | `first_loss` | ✓ done |  |" in table._repr_markdown_().splitlines()
    assert "01_gpt1 prefix_mask · not yet 1 hint" in [" ".join(x.split()) for x in repr(table).splitlines()]
    monkeypatch.setenv("LECTURE10_HOME", str(tmp_path / "elsewhere"))
    check("first_loss", 10.6)
    hint("prefix_mask")
    assert repr(progress()) == repr(table)
    assert str(tmp_path) not in repr(table) + table._repr_markdown_()


SPOILT = {
    "empty": b"",
    "truncated": b'{"version": 1, "exercises": {"first_lo',
    "binary": b"\xff\xfe\x00",
    "a list": b"[1, 2]",
    "no exercises": b'{"version": 1}',
    "a list of exercises": b'{"exercises": ["first_loss"]}',
    "wrong kind": b'{"exercises": {"first_loss": {"tries": "many"}}}',
    "true as a number": b'{"exercises": {"first_loss": {"tries": true}}}',
    "strange part": b'{"exercises": {"first_loss": {"colour": 3}}}',
    "not an entry": b'{"exercises": {"first_loss": 3}}',
}


@pytest.mark.parametrize("content", SPOILT.values(), ids=SPOILT.keys())
def test_a_spoilt_file_is_set_aside(content, capsys):
    home = paths.home_folder()
    (home / record.FILE).write_bytes(content)
    assert check("first_loss", 10.6).passed
    out = capsys.readouterr().out
    assert "progress.json could not be read. It was set aside as progress.unreadable.json" in out
    assert str(home) not in out
    assert (home / "progress.unreadable.json").read_bytes() == content
    assert state("first_loss") == "done"
    assert "set aside" not in capsys.readouterr().out


def test_a_second_spoilt_file_does_not_replace_the_first():
    home = paths.home_folder()
    for content in (b"one", b"two"):
        (home / record.FILE).write_bytes(content)
        progress()
    kept = [home / "progress.unreadable.json", home / "progress.unreadable-2.json"]
    assert [p.read_bytes() for p in kept] == [b"one", b"two"]


def test_unknown_exercises_in_the_file_are_kept(capsys):
    path = paths.home_folder() / record.FILE
    path.write_text('{"version": 1, "exercises": {"from_a_later_notebook": {"tries": 2, "done": true}}}')
    check("first_loss", 10.6)
    assert stored()["from_a_later_notebook"]["done"] is True
    assert "from_a_later_notebook" not in repr(progress())
    assert "set aside" not in capsys.readouterr().out


def test_a_home_that_cannot_be_written_falls_back_for_the_session(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("LECTURE10_HOME", str(tmp_path / "file" / "home"))
    with pytest.warns(UserWarning, match="cannot be written"):
        assert check("first_loss", 10.6).passed
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # said once is enough
        assert state("first_loss") == "done"
        assert (tmp_path / "file").read_text() == "in the way"
        progress(reset=True)


def test_a_full_disk_keeps_the_old_file_and_the_session_goes_on(monkeypatch, capsys):
    check("first_loss", 10.6)
    before = (paths.home_folder() / record.FILE).read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        for shown in (1, 2):
            hint("prefix_mask")
            out = capsys.readouterr().out
            assert f"hint {shown} of 3" in out
            assert ("the disk is full" in out) == (shown == 1)
        assert (paths.home_folder() / record.FILE).read_bytes() == before
        assert [p.name for p in paths.home_folder().iterdir()] == [record.FILE]
    hint("prefix_mask")
    assert stored()["prefix_mask"]["hints"] == 3
    assert stored()["first_loss"]["done"] is True


def test_a_file_that_cannot_be_opened_is_no_error(capsys):
    (paths.home_folder() / record.FILE).mkdir()
    assert check("first_loss", 10.6).passed
    assert "could not be read" in capsys.readouterr().out
    assert state("first_loss") == "done"


def test_a_spoilt_file_that_cannot_be_moved_is_no_error(monkeypatch, capsys):
    path = paths.home_folder() / record.FILE
    path.write_text("spoilt")
    monkeypatch.setattr(type(path), "rename", lambda *_: (_ for _ in ()).throw(OSError(errno.EACCES, "no")))
    assert "not yet" in repr(progress())
    assert "could not be read or moved" in capsys.readouterr().out
    assert path.read_text() == "spoilt"


def test_reset_begins_anew_and_keeps_the_old_file():
    check("first_loss", 10.6)
    assert progress(reset=True).summary.startswith("0 of")
    assert json.loads((paths.home_folder() / "progress.before-reset.json").read_text())["exercises"][
        "first_loss"
    ]["done"]
    check("first_loss", 10.6)
    assert state("first_loss") == "done"


def test_the_file_is_written_whole_or_not_at_all(monkeypatch):
    written = []
    real = files.write_text
    monkeypatch.setattr(files, "write_text", lambda path, text: (written.append(path.name), real(path, text)))
    check("first_loss", 10.6)
    assert written == [record.FILE]


def test_unknown_names_are_answered_with_the_nearest():
    for ask in (hint, answer):
        with pytest.raises(ValueError, match="did you mean 'generate_greedy'"):
            ask("generate_gredy")


def test_exercises_of_a_planned_notebook_are_not_listed(monkeypatch, tmp_path):
    (tmp_path / "01_gpt1.ipynb").write_text("{}")
    monkeypatch.setattr("lecture10.exercises.shelf.notebooks_folder", lambda: tmp_path)
    assert {row[0] for row in progress().rows} == {"01_gpt1"}
