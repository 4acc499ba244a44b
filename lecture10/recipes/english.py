"""Training a GPT on the course's English: what the shipped recipe, the experiments and notebook 01 share."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from lecture10.metrics import bits_per_byte, token_losses
from lecture10.models.gpt import GPT, GPTConfig, language_model_loss
from lecture10.tokenizer import tokenizer
from lecture10.training import History, TrainSettings, train
from lecture10.world import corpus

DATA = f"{corpus.VERSION}/bpe-1024"  # what a checkpoint says that it learnt from


def text_windows(ids: Sequence[int], context: int, batch: int) -> Callable[[torch.Generator], Tensor]:
    """A batch source: windows cut out of one long text at random places, (batch, context + 1) token ids.

    One more than the model reads: each of the `context` positions has a next token to be asked for, the last
    one too. Raises ValueError where the text is shorter than one window.
    """
    text = torch.as_tensor(ids)
    if len(text) <= context:
        raise ValueError(
            f"a text of {len(text)} tokens is shorter than one window of {context} + 1: give more text"
        )
    offsets = torch.arange(context + 1)

    def draw(generator: torch.Generator) -> Tensor:
        starts = torch.randint(0, len(text) - context, (batch, 1), generator=generator)
        return text[starts + offsets]  # (batch, context + 1)

    return draw


def lm_loss(model: GPT, ids: Tensor) -> Tensor:
    """L1 of a batch of windows (B, T + 1), per token and negated: what pre-training lowers."""
    return language_model_loss(model(ids[:, :-1]), ids)


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
    batch: int = 16,
    **how,
) -> tuple[GPT, History]:
    """A fresh GPT trained on `ids` (default: the training text); `how` is handed to `train`."""
    torch.manual_seed(seed)
    model = GPT(config)
    source = text_windows(encoded("train") if ids is None else ids, config.context, batch)
    return model, train(model, lm_loss, source, settings, seed=seed, count=torch.numel, unit="tokens", **how)
