"""GPT-1's pre-training at laptop size: this text, this model, this training. Rebuilds the shipped checkpoint:

python -m lecture10.recipes.gpt1
"""

import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from lecture10.devices import pick_device
from lecture10.metrics import bits_per_byte, token_losses
from lecture10.models.gpt import GPT, GPTConfig, language_model_loss
from lecture10.paths import data_folder, data_path
from lecture10.tokenizer import tokenizer
from lecture10.training import Card, History, TrainSettings, load_weights, save_weights, train
from lecture10.world import corpus

NAME, DATA = "checkpoints/gpt1", f"{corpus.VERSION}/bpe-1024"
CONFIG = GPTConfig(vocab_size=1024, context=128, width=128, layers=4, heads=4, dropout=0.1)
SETTINGS = TrainSettings(steps=4000, lr=3e-3, weight_decay=0.1, betas=(0.9, 0.95))
BATCH = 16
COMMAND = "python -m lecture10.recipes.gpt1"


def text_windows(ids: Sequence[int], context: int, batch: int) -> Callable[[torch.Generator], Tensor]:
    """A batch source: windows cut out of one long text at random places, (batch, context) token ids.

    Raises ValueError where the text is shorter than one window.
    """
    text = torch.as_tensor(ids)
    if len(text) < context:
        raise ValueError(
            f"a text of {len(text)} tokens is shorter than one window of {context}: give more text"
        )
    offsets = torch.arange(context)

    def draw(generator: torch.Generator) -> Tensor:
        starts = torch.randint(0, len(text) - context + 1, (batch, 1), generator=generator)
        return text[starts + offsets]  # (batch, context)

    return draw


def lm_loss(model: GPT, ids: Tensor) -> Tensor:
    """L1 of a batch of token ids, per token and negated: what pre-training lowers."""
    return language_model_loss(model(ids), ids)


def encoded(part: str) -> list[int]:
    """The token ids of the corpus's part: "train", "dev" or "test"."""
    return tokenizer().encode(getattr(corpus.english(), part))


def held_out_bits(model: GPT, part: str = "dev", context: int | None = None) -> float:
    """Bits per byte on a part of the corpus that was not trained on."""
    ids = encoded(part)
    lengths = tokenizer().byte_lengths()
    return bits_per_byte(token_losses(model, ids, context=context), sum(lengths[i] for i in ids[1:]))


def pretrain(
    config: GPTConfig,
    settings: TrainSettings,
    *,
    seed: int = 0,
    ids: Sequence[int] | None = None,
    batch: int = BATCH,
    **how,
) -> tuple[GPT, History]:
    """A fresh GPT trained on `ids` (default: the training text); `how` is handed to `train`."""
    torch.manual_seed(seed)
    model = GPT(config)
    source = text_windows(encoded("train") if ids is None else ids, config.context, batch)
    return model, train(model, lm_loss, source, settings, seed=seed, count=torch.numel, unit="tokens", **how)


def build(path=None, settings: TrainSettings = SETTINGS, seed: int = 0, **how) -> Card:
    """Train the shipped checkpoint and write it with its card to `data/checkpoints/gpt1` (or `path`)."""
    began = time.perf_counter()
    model, history = pretrain(CONFIG, settings, seed=seed, label="gpt1", **how)
    if history.interrupted:
        raise KeyboardInterrupt("stopped before the end: nothing was shipped; the same command goes on")
    metrics = {f"{part}_bits_per_byte": round(held_out_bits(model, part), 4) for part in ("dev", "test")}
    card = Card(
        architecture="gpt", config=CONFIG, seed=seed, steps=settings.steps, data_version=DATA,
        metrics=metrics, minutes=round((time.perf_counter() - began) / 60, 1), command=COMMAND, half=True,
    )  # fmt: skip
    return save_weights(model, path or data_folder() / NAME, card)


def load(device: str | None = None) -> GPT:
    """The shipped GPT, in eval mode. Raises WeightsError, with the command that rebuilds it, where it cannot
    be used.
    """
    model = GPT(CONFIG)
    load_weights(model, data_path(f"{NAME}.safetensors"), architecture="gpt", data_version=DATA)
    return model.eval().to(pick_device(device))


if __name__ == "__main__":
    print(build(checkpoint="runs/gpt1", evaluate=held_out_bits, evaluate_every=500).metrics)
