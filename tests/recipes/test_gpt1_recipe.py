"""The recipe behind the shipped GPT, and the shipped GPT itself."""

from dataclasses import replace

import pytest
import torch

from lecture10.metrics import longest_copied_span
from lecture10.models.gpt import GPTConfig
from lecture10.paths import data_path
from lecture10.recipes import english as english_recipe
from lecture10.recipes import gpt1
from lecture10.recipes import tokenizer as tokenizer_recipe
from lecture10.sampling import continue_text
from lecture10.tokenizer import tokenizer
from lecture10.training import TrainSettings
from lecture10.training.cards import WeightsError, load_weights, read_card
from lecture10.world.corpus import english

TINY = GPTConfig(context=16, width=16, layers=1, heads=1, dropout=0.0)


def test_windows_are_stretches_of_the_text_and_reach_both_ends():
    draw = english_recipe.text_windows(list(range(100, 112)), context=4, batch=500)
    windows = draw(torch.Generator().manual_seed(0))
    assert windows.shape == (500, 5)  # four to read, each with the next
    assert (windows.diff(dim=1) == 1).all()
    assert set(windows[:, 0].tolist()) == set(range(100, 108))


def test_the_same_generator_draws_the_same_windows():
    draw = english_recipe.text_windows(list(range(50)), context=4, batch=3)
    first, again, other = (draw(torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_text_shorter_than_a_window_is_refused():
    with pytest.raises(ValueError, match=r"4 tokens is shorter than one window of 4 \+ 1"):
        english_recipe.text_windows([1, 2, 3, 4], context=4, batch=1)


def test_every_position_is_trained_the_last_one_too():
    torch.manual_seed(0)
    model = gpt1.GPT(TINY)
    draw = english_recipe.text_windows(english_recipe.encoded("dev"), TINY.context, batch=4)
    english_recipe.lm_loss(model, draw(torch.Generator().manual_seed(0))).backward()
    norms = model.positions.weight.grad.norm(dim=1)
    assert (norms > 0).all()


def test_pretraining_learns_and_its_seed_decides():
    settings = TrainSettings(steps=150, lr=1e-2)
    (first, history), (again, _), (other, _) = (
        english_recipe.pretrain(TINY, settings, seed=seed, batch=8, quiet=True) for seed in (0, 0, 1)
    )
    assert history.records[0]["loss"] > 6.5 > 6.0 > history.last("loss")
    assert torch.equal(first.tokens.weight, again.tokens.weight)
    assert not torch.equal(first.tokens.weight, other.tokens.weight)


def test_building_writes_weights_with_a_card(tmp_path, monkeypatch):
    monkeypatch.setattr(gpt1, "CONFIG", TINY)
    card = gpt1.build(tmp_path / "gpt1", replace(gpt1.SETTINGS, steps=2), quiet=True)
    assert read_card(tmp_path / "gpt1") == card
    assert card.metrics.keys() == {"dev_bits_per_byte", "test_bits_per_byte"}
    model = gpt1.GPT(TINY)
    load_weights(model, tmp_path / "gpt1", architecture="gpt", data_version=gpt1.DATA)
    assert english_recipe.held_out_bits(model.eval(), "dev") == pytest.approx(
        card.metrics["dev_bits_per_byte"], abs=2e-3
    )
    with pytest.raises(WeightsError, match=r"python -m lecture10\.recipes\.gpt1"):
        load_weights(model, tmp_path / "gpt1", architecture="gpt", data_version="other words")


def test_the_shipped_gpt_is_as_good_as_its_card_says():
    card = read_card(data_path("checkpoints/gpt1.safetensors"))
    model = gpt1.load("cpu")
    assert card.seed == 0
    assert card.steps == gpt1.SETTINGS.steps
    for part in ("dev", "test"):
        assert english_recipe.held_out_bits(model, part) == pytest.approx(
            card.metrics[f"{part}_bits_per_byte"], abs=2e-3
        )


def test_the_shipped_gpt_writes_english_and_does_not_only_copy():
    text = continue_text(gpt1.load("cpu"), tokenizer(), "An object is", 60, temperature=0.8, top_p=0.9)
    known = set(english().train.split())
    written = text.split()[3:-1]
    assert sum(word in known for word in written) > 0.6 * len(written)
    assert len(longest_copied_span(text, english().train)) < len(text) - 20


def test_the_tokenizer_recipe_writes_the_shipped_file(tmp_path):
    path = tokenizer_recipe.build(tmp_path / "english.json")
    assert path.read_bytes() == data_path("tokenizers/english.json").read_bytes()
