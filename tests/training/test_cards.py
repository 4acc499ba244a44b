"""Shipped weights: there and back, tied and halved; refused, with the command, where anything is wrong."""

import json
from dataclasses import dataclass

import pytest
import torch
from torch import nn

from lecture10.training import Card, WeightsError, load_weights, read_card, save_weights

COMMAND = "python -m lecture10 rebuild toy"


@dataclass(frozen=True)
class ToyConfig:
    width: int = 4
    sizes: tuple[int, ...] = (2, 3)


class Toy(nn.Module):
    """Tied weights, a buffer that is stored, one that is not, one that counts."""

    def __init__(self, config=None, seed=0):
        super().__init__()
        self.config = config or ToyConfig()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.table = nn.Embedding(6, self.config.width)
            self.head = nn.Linear(self.config.width, 6)
        self.head.weight = self.table.weight
        self.register_buffer("mean", torch.full((3,), 0.1 + seed))
        self.register_buffer("count", torch.tensor(7 + seed))
        self.register_buffer("mask", torch.ones(2), persistent=False)


def card(**changes):
    facts = {"architecture": "toy", "config": ToyConfig(), "seed": 0, "steps": 10, "data_version": "w1",
             "metrics": {"accuracy": 0.9}, "minutes": 1.5, "command": COMMAND}  # fmt: skip
    return Card(**(facts | changes))


def load(model, path, architecture="toy", data_version="w1", **options):
    return load_weights(model, path, architecture=architecture, data_version=data_version, **options)


@pytest.fixture
def saved(tmp_path):
    model = Toy(seed=1)
    return model, tmp_path / "toy-0.5M", save_weights(model, tmp_path / "toy-0.5M", card())


def test_there_and_back_with_everything_filled_in(saved):
    model, path, written = saved
    again = Toy(seed=2)
    assert load(again, path) == written
    assert all(
        torch.equal(a, b)
        for a, b in zip(model.state_dict().values(), again.state_dict().values(), strict=True)
    )
    assert again.head.weight is again.table.weight
    assert sorted(p.name for p in path.parent.iterdir()) == ["toy-0.5M.json", "toy-0.5M.safetensors"]
    assert written.parameters == 6 * 4 + 6
    assert len(written.sha256) == 64
    assert written.torch == torch.__version__
    assert written.config == {"width": 4, "sizes": [2, 3]}
    assert read_card(path.with_name("toy-0.5M.safetensors")) == written


def test_half_is_half_the_size_and_close(saved, tmp_path):
    model, path, _ = saved
    half = save_weights(model, tmp_path / "half", card(half=True))
    again = Toy(seed=2)
    load(again, tmp_path / "half")
    assert half.half
    assert again.table.weight.dtype == torch.float32
    assert again.count == 8
    assert torch.allclose(again.table.weight, model.table.weight, rtol=1e-3, atol=1e-3)
    assert not torch.equal(again.table.weight, model.table.weight)
    assert again.mean.dtype == torch.float32
    sizes = [p.with_name(p.name + ".safetensors").stat().st_size for p in (path, tmp_path / "half")]
    assert sizes[0] - sizes[1] > 2 * 30


def test_what_is_not_finite_is_not_saved(tmp_path):
    model = Toy()
    with torch.no_grad():
        model.head.bias[0] = 1e6
    save_weights(model, tmp_path / "big", card())
    with pytest.raises(ValueError, match=r"head\.bias is not finite in fp16.*half=False"):
        save_weights(model, tmp_path / "half", card(half=True))
    with torch.no_grad():
        model.head.bias[0] = float("nan")
    with pytest.raises(ValueError, match=r"head\.bias is not finite: train again"):
        save_weights(model, tmp_path / "nan", card())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["big.json", "big.safetensors"]


def refused(path, match, model=None, **options):
    """Loading is refused, with the command, and the model stays as it was."""
    model = model or Toy(seed=3)
    before = {name: t.clone() for name, t in model.state_dict().items()}
    with pytest.raises(WeightsError, match=match) as caught:
        load(model, path, **options)
    assert all(torch.equal(t, before[name]) for name, t in model.state_dict().items())
    return str(caught.value).endswith(f"rebuild it with\n    {COMMAND}")


@pytest.mark.parametrize("damage", ["cut", "edit", "longer"])
def test_a_file_cut_short_or_edited_is_refused(saved, damage):
    _, path, _ = saved
    file = path.with_name("toy-0.5M.safetensors")
    content = file.read_bytes()
    file.write_bytes({"cut": content[:-5], "edit": content[:-1] + b"\x7f", "longer": content + b"\0"}[damage])
    assert refused(path, "was changed or cut short")


def test_another_architecture_data_version_or_config_is_refused(saved):
    _, path, _ = saved
    assert refused(path, "architecture is 'toy', wanted is 'gpt'", architecture="gpt")
    assert refused(path, "data version 'w1', and this is 'w2'", data_version="w2")
    assert refused(path, "config has width = 4, wanted is 5", model=Toy(ToyConfig(width=5)))
    assert refused(path, r"config has sizes = \[2, 3\], wanted is \[2\]", config={"width": 4, "sizes": (2,)})
    assert refused(
        path, "config has depth = None, wanted is 2", config={"width": 4, "sizes": (2, 3), "depth": 2}
    )


def test_missing_files_and_tensors_are_refused(saved, tmp_path):
    _, path, _ = saved
    more = Toy(seed=3)
    more.extra = nn.Linear(1, 1)
    assert refused(path, r"lacks the tensor 'extra\.weight'", model=more)
    less = Toy(seed=3)
    del less.mean
    assert refused(path, "holds the tensor 'mean', which the model lacks", model=less)
    path.with_name("toy-0.5M.safetensors").unlink()
    assert refused(path, "the file is missing")
    path.with_name("toy-0.5M.json").unlink()
    assert not refused(path, r"no card toy-0\.5M\.json")


def test_a_damaged_card_is_refused(saved):
    _, path, written = saved
    file = path.with_name("toy-0.5M.json")
    facts = json.loads(file.read_text())
    file.write_text(json.dumps({k: v for k, v in facts.items() if k != "sha256"}))
    assert refused(path, "lacks 'sha256'")
    file.write_text(json.dumps(facts | {"config": 3}))
    assert refused(path, "is damaged")
    for text in ("", "[]", "{", "{}"):
        file.write_text(text)
        assert not refused(path, "card toy-0.5M.json (is damaged|lacks)")
    file.write_text(json.dumps(facts))
    assert load(Toy(), path) == written


@pytest.mark.parametrize("reason", ["ENOSPC", "EDQUOT"])
def test_an_earlier_pair_survives_a_full_disk(saved, monkeypatch, reason):
    import errno
    import os

    model, path, written = saved

    def no_space(handle):
        raise OSError(getattr(errno, reason), "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="Free some space"):
        save_weights(Toy(seed=9), path, card())
    monkeypatch.undo()
    again = Toy(seed=2)
    assert load(again, path) == written
    assert torch.equal(again.table.weight, model.table.weight)
