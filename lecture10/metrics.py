"""How good a model is, in units that can be compared across models."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@torch.no_grad()
def token_losses(
    model: nn.Module,
    ids: Sequence[int],
    *,
    context: int | None = None,
    stride: int | None = None,
    batch: int = 64,
) -> Tensor:
    """-log P of every token but the first, each scored once, in nats.

    model: a GPT; ids: one long text; context: how many tokens a prediction may look back at (default: as many
    as the model reads). The text is cut into overlapping windows, each `stride` further (default: half of
    `context`), so that except at the very beginning a token is predicted from context - stride + 1 … context
    earlier ones. Returns (len(ids) - 1,). Raises ValueError for a text of fewer than two tokens, a context
    outside 1 … the model's, and a stride outside 1 … context.
    """
    longest = model.config.context
    context = longest if context is None else context
    if not 1 <= context <= longest:
        raise ValueError(f"context is {context}: this model reads 1 to {longest} tokens")
    stride = max(1, context // 2) if stride is None else stride
    if not 1 <= stride <= context:
        raise ValueError(f"stride is {stride}: windows of {context} tokens move on by 1 to {context}")
    if len(ids) < 2:
        raise ValueError(f"a text of {len(ids)} tokens holds nothing to predict: give two or more")
    device = next(model.parameters()).device
    text = torch.as_tensor(ids, device=device)
    was_training = model.training
    model.eval()
    losses = text.new_empty(len(text) - 1, dtype=torch.float32)
    starts = list(range(0, max(1, len(text) - context + stride - 1), stride))
    whole = [start for start in starts if start + context < len(text)]
    for some in (whole[i : i + batch] for i in range(0, len(whole), batch)):
        windows = torch.stack([text[start : start + context + 1] for start in some])  # (B, context + 1)
        for start, row in zip(some, _window_losses(model, windows), strict=True):
            fresh = 0 if start == 0 else context - stride
            losses[start + fresh : start + context] = row[fresh:]
    tail = max(0, len(text) - 1 - context)
    scored = whole[-1] + context if whole else 0
    losses[scored:] = _window_losses(model, text[None, tail:])[0, scored - tail :]
    model.train(was_training)
    return losses


def _window_losses(model: nn.Module, windows: Tensor) -> Tensor:
    """(B, T + 1) tokens -> (B, T) nats."""
    logits = model(windows[:, :-1])
    return F.cross_entropy(logits.transpose(1, 2).float(), windows[:, 1:], reduction="none")


def bits_per_byte(losses: Tensor, n_bytes: int) -> float:
    """Summed nats over the bytes they predict, in bits: comparable across tokenizers; uniform bytes cost 8.

    losses: (N,) nats per token; n_bytes: UTF-8 bytes of these N tokens. Raises ValueError for no bytes.
    """
    if n_bytes < 1:
        raise ValueError(f"{n_bytes} bytes were predicted: bits per byte need at least one")
    return float(losses.cpu().double().sum()) / math.log(2) / n_bytes


def perplexity(losses: Tensor) -> float:
    """exp(mean nats per token): as unsure as a fair choice among so many. Raises ValueError for none."""
    if losses.numel() == 0:
        raise ValueError("perplexity of no tokens is undefined: give at least one loss")
    return math.exp(float(losses.cpu().double().mean()))


def longest_copied_span(text: str, source: str) -> str:
    """The longest run of characters of `text` that also stands in `source`; of equals the first."""
    best, start = "", 0
    for end in range(1, len(text) + 1):
        while text[start:end] not in source:
            start += 1
        if end - start > len(best):
            best = text[start:end]
    return best
