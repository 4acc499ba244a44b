"""A run that was killed and goes on ends with the weights of one that was not; damage is noticed."""

import errno
import os
from dataclasses import replace

import pytest
import tiny_run
import torch
from torch import nn
from torch.utils.data import DataLoader

from lecture10.training import CheckpointError, TrainSettings, state, train


@pytest.fixture(scope="module")
def uninterrupted():
    return {kind: tiny_run.run(kind) for kind in ("function", "loader")}


class Stop(Exception):
    """Stands for a crash."""


def crash_at(step):
    def hook(n):
        if n == step:
            raise Stop

    return hook


@pytest.mark.parametrize("kind", ["function", "loader"])
@pytest.mark.parametrize("step", [7, 8, 22])
def test_crashed_and_resumed_is_bit_identical(tmp_path, uninterrupted, kind, step):
    with pytest.raises(Stop):
        tiny_run.run(kind, tmp_path, crash_at(step))
    model, history = tiny_run.run(kind, tmp_path)
    assert tiny_run.same(tiny_run.weights(model), tiny_run.weights(uninterrupted[kind][0]))
    assert tiny_run.records(history) == tiny_run.records(uninterrupted[kind][1])


def test_a_finished_run_is_only_read(tmp_path, uninterrupted):
    tiny_run.run("function", tmp_path)
    model, history = tiny_run.run("function", tmp_path, crash_at(0))
    assert tiny_run.same(tiny_run.weights(model), tiny_run.weights(uninterrupted["function"][0]))
    assert history.done == tiny_run.STEPS
    assert not history.interrupted


def test_a_one_shot_iterator_is_wound_forward(tmp_path):
    batches = [tiny_run.draw(torch.Generator().manual_seed(i)) for i in range(tiny_run.STEPS)]
    options = {"save_every": 7, "quiet": True, "device": "cpu"}
    whole, killed = tiny_run.tiny_model(), tiny_run.tiny_model()
    train(whole, tiny_run.tiny_loss, iter(batches), tiny_run.SETTINGS, **options)
    with pytest.raises(Stop):
        train(killed, tiny_run.tiny_loss, iter(tiny_run.hooked(batches, crash_at(20))), tiny_run.SETTINGS,
              checkpoint=tmp_path, **options)  # fmt: skip
    with pytest.raises(ValueError, match=r"ended after 3 batches, but 14 were drawn"):
        train(
            killed, tiny_run.tiny_loss, iter(batches[:3]), tiny_run.SETTINGS, checkpoint=tmp_path, **options
        )
    train(killed, tiny_run.tiny_loss, iter(batches), tiny_run.SETTINGS, checkpoint=tmp_path, **options)
    assert tiny_run.same(tiny_run.weights(killed), tiny_run.weights(whole))


def test_only_safetensors_and_json_are_stored_and_two_steps_kept(tmp_path):
    tiny_run.run("function", tmp_path)
    steps = sorted(p.name for p in tmp_path.iterdir())
    assert steps == ["step-000035", "step-000040"]
    stored = sorted(p.name for p in (tmp_path / "step-000040").iterdir())
    assert stored == ["average.safetensors", "model.safetensors", "optimizer.safetensors", "state.json"]


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.safetensors", "state.json"])
@pytest.mark.parametrize("damage", ["cut", "edit", "remove"])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path, uninterrupted, name, damage):
    with pytest.raises(Stop):
        tiny_run.run("function", tmp_path, crash_at(30))
    path = tmp_path / "step-000028" / name
    content = path.read_bytes()
    if damage == "remove":
        path.unlink()
    else:
        middle = (
            content.replace(b'"position": 0', b'"position": 1')
            if name == "state.json"
            else content[:-1] + b"\1"
        )
        path.write_bytes(content[: len(content) // 2] if damage == "cut" else middle)
    with pytest.warns(UserWarning, match=r"damaged \(step-000028.*going on from step-000021 instead"):
        model, _ = tiny_run.run("function", tmp_path)
    assert tiny_run.same(tiny_run.weights(model), tiny_run.weights(uninterrupted["function"][0]))


def test_all_damaged_is_refused_with_the_cure(tmp_path):
    with pytest.raises(Stop):
        tiny_run.run("function", tmp_path, crash_at(16))
    for folder in tmp_path.glob("step-*"):
        (folder / "state.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"every checkpoint in .* is damaged .*Delete that folder"):
        tiny_run.run("function", tmp_path)
    assert len(list(tmp_path.glob("step-*"))) == 2


def test_what_a_kill_left_half_written_is_swept_out(tmp_path):
    half = tmp_path / "step-000007.part"
    half.mkdir(parents=True)
    (half / "model.safetensors").write_bytes(b"half")
    _, history = tiny_run.run("function", tmp_path)
    assert history.done == tiny_run.STEPS
    assert not half.exists()


@pytest.mark.parametrize(
    ("change", "named"),
    [({"lr": 0.5}, r"lr = 0\.01 there, 0\.5 here"), ({"ema": None}, r"ema = 0\.9 there, None here"),
     ({"steps": 80}, r"steps = 40 there, 80 here")],
)  # fmt: skip
def test_other_settings_are_refused_by_name(tmp_path, change, named):
    tiny_run.run("function", tmp_path)
    with pytest.raises(CheckpointError, match=named):
        train(tiny_run.tiny_model(), tiny_run.tiny_loss, tiny_run.draw, replace(tiny_run.SETTINGS, **change),
              seed=3, checkpoint=tmp_path, quiet=True)  # fmt: skip


def test_another_seed_model_or_frozen_part_is_refused_by_name(tmp_path):
    tiny_run.run("function", tmp_path)

    def again(model, seed=3):
        train(
            model,
            tiny_run.tiny_loss,
            tiny_run.draw,
            tiny_run.SETTINGS,
            seed=seed,
            checkpoint=tmp_path,
            quiet=True,
        )

    with pytest.raises(CheckpointError, match="seed = 3 there, 4 here"):
        again(tiny_run.tiny_model(), seed=4)
    wider = nn.Sequential(nn.Linear(4, 9), nn.BatchNorm1d(9), nn.ReLU(), nn.Dropout(), nn.Linear(9, 1))
    with pytest.raises(CheckpointError, match=r"0\.weight is \(8, 4\) in the file and \(9, 4\) in the model"):
        again(wider)
    with pytest.raises(CheckpointError, match=r"lacks the tensor '2\.weight'"):
        again(nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 1)))
    frozen = tiny_run.tiny_model()
    frozen[0].weight.requires_grad_(False)
    with pytest.raises(CheckpointError, match=r"0\.weight requires a gradient in only one"):
        again(frozen)


def test_a_full_disk_costs_no_weights_and_no_earlier_checkpoint(tmp_path, uninterrupted, monkeypatch):
    write, calls = state.write_bytes, []

    def full(path, data):
        calls.append(path)
        if "step-000014" in str(path) or "step-000021" in str(path):
            raise OSError(errno.ENOSPC, "the disk is full while writing; free some space")
        write(path, data)

    monkeypatch.setattr(state, "write_bytes", full)
    with pytest.warns(UserWarning, match="no checkpoint at step") as warned, pytest.raises(Stop):
        tiny_run.run("function", tmp_path, crash_at(24))
    assert [str(w.message)[:58] for w in warned] == [
        "model: no checkpoint at step 14: the disk is full while wr",
        "model: no checkpoint at step 21: the disk is full while wr",
    ]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step-000007"]
    monkeypatch.undo()
    model, _ = tiny_run.run("function", tmp_path)
    assert any("step-000014" in str(path) for path in calls)
    assert tiny_run.same(tiny_run.weights(model), tiny_run.weights(uninterrupted["function"][0]))


def test_the_real_writer_says_disk_full_with_the_cure(tmp_path, monkeypatch):
    def no_space(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    folder = state.CheckpointFolder(tmp_path, tiny_run.SETTINGS, 0)
    folder.save(1, {"model": {"w": torch.ones(2)}}, {})
    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="Free some space"):
        folder.save(2, {"model": {"w": torch.ones(2)}}, {})
    assert [p.name for p in tmp_path.iterdir()] == ["step-000001"]


def test_a_folder_that_cannot_be_written_is_refused_before_training(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError):  # noqa: PT011 - the message is the system's
        tiny_run.run("function", tmp_path / "file" / "run", crash_at(0))


def test_a_save_every_step_keeps_the_order_of_steps(tmp_path):
    folder = state.CheckpointFolder(tmp_path, TrainSettings(steps=2_000_000), 0)
    for step in (999_999, 1_000_000, 1_000_001):
        folder.save(step, {"model": {"w": torch.tensor([float(step)])}}, {})
    facts, groups = folder.load()
    assert facts["step"] == 1_000_001
    assert groups["model"]["w"].item() == 1_000_001
    assert [p.name for p in folder.steps()] == ["step-1000000", "step-1000001"]


def test_tied_weights_and_buffers_go_through_a_checkpoint(tmp_path):
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.head = nn.Embedding(6, 4), nn.Linear(4, 6, bias=False)
            self.head.weight = self.table.weight
            self.register_buffer("scratch", torch.zeros(3), persistent=False)
            self.register_buffer("seen", torch.zeros(()))

        def forward(self, ids):
            self.seen += 1
            return self.head(self.table(ids))

    def loss(model, ids):
        return nn.functional.cross_entropy(model(ids), ids)

    def fresh():
        with torch.random.fork_rng():
            torch.manual_seed(1)
            return Tied()

    loader = DataLoader(torch.arange(6).repeat(4), batch_size=6, shuffle=True)
    settings = TrainSettings(steps=12, lr=1e-2)
    whole, killed = fresh(), fresh()
    train(whole, loss, loader, settings, quiet=True)
    with pytest.raises(Stop):
        train(killed, loss, tiny_run.hooked(loader, crash_at(9)), settings, quiet=True, checkpoint=tmp_path,
              save_every=5)  # fmt: skip
    killed = fresh()
    train(killed, loss, loader, settings, quiet=True, checkpoint=tmp_path, save_every=5)
    assert killed.head.weight is killed.table.weight
    assert killed.seen == 12
    assert tiny_run.same(tiny_run.weights(killed), tiny_run.weights(whole))
