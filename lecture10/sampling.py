"""From logits to a token, and from a prompt to a text. B: batch, T: positions, V: vocabulary."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def next_token_probs(
    logits: Tensor, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> Tensor:
    """The distribution that the next token is drawn from.

    logits: (…, V). temperature: divides the logits; 0 puts everything on the largest (greedy). top_k: only
    the k most probable stay. top_p: only the smallest set stays whose probability reaches p (Holtzman et al.
    2020, "nucleus"), the most probable one always. Returns (…, V) that sums to 1. Raises ValueError for
    values outside these ranges.
    """
    _check(temperature, top_k, top_p)
    if temperature == 0:
        return torch.zeros_like(logits).scatter(-1, logits.argmax(-1, keepdim=True), 1.0)
    logits = logits - logits.amax(-1, keepdim=True)  # divided by the smallest temperature, 0 still is 0
    probs = (logits / temperature).softmax(-1)
    if top_k is not None and top_k < probs.shape[-1]:
        best = probs.topk(top_k, dim=-1)
        probs = torch.zeros_like(probs).scatter(-1, best.indices, best.values)
        probs = probs / probs.sum(-1, keepdim=True)
    if top_p is not None and top_p < 1:
        ordered, order = probs.sort(dim=-1, descending=True)
        before = ordered.cumsum(-1) - ordered  # the probability of all that are likelier
        ordered = ordered.where(before < top_p, 0.0)
        probs = torch.zeros_like(probs).scatter(-1, order, ordered)
        probs = probs / probs.sum(-1, keepdim=True)
    return probs


def _check(temperature: float, top_k: int | None, top_p: float | None) -> None:
    if not temperature >= 0:
        raise ValueError(
            f"temperature is {temperature}: it is 0 (greedy) or more, 1 leaves the model as it is"
        )
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k is {top_k}: keep at least 1 token, or leave it out to keep all")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p is {top_p}: it is a probability above 0 and at most 1")


@torch.no_grad()
def generate(
    model: nn.Module,
    ids: Tensor,
    steps: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
    cached: bool = True,
) -> Tensor:
    """Continue each prompt by `steps` tokens; with or without the cache the result is the same.

    model: a GPT (`config.context`, `new_cache()`, `forward(ids, cache=)`); ids: (B, T) with T ≥ 1.
    Past the context the window slides: every position changes, so the cache no longer helps and each step
    reads the last `context` tokens anew. Returns (B, T + steps). Raises ValueError for an empty prompt or bad
    settings.
    """
    if ids.ndim != 2 or ids.shape[1] == 0:
        raise ValueError(
            "the prompt is empty: begin with at least one token (the end token <|end|> also will do)"
        )
    if steps < 0:
        raise ValueError(f"steps is {steps}: ask for 0 new tokens or more")
    _check(temperature, top_k, top_p)
    was_training = model.training
    model.eval()
    try:
        ids = ids.to(next(model.parameters()).device)

        def choose(logits: Tensor) -> Tensor:
            if temperature == 0:
                return logits.argmax(-1)
            probs = next_token_probs(logits, temperature, top_k, top_p)
            return torch.multinomial(probs, 1, generator=generator).squeeze(1)

        return _continued(model, ids, steps, choose, cached)
    finally:
        model.train(was_training)


def _continued(
    model: nn.Module, ids: Tensor, steps: int, choose: Callable[[Tensor], Tensor], cached: bool
) -> Tensor:
    """(B, T) -> (B, T + steps); choose: (B, V) logits -> (B,) tokens."""
    context, cache, T = model.config.context, None, ids.shape[1]
    ids = torch.cat([ids, ids.new_zeros(ids.shape[0], steps)], dim=1)  # filled from the left
    for end in range(T, T + steps):
        if cached and end <= context:
            new = ids[:, :end] if cache is None else ids[:, end - 1 : end]
            cache = cache or model.new_cache()
            logits = model(new, cache=cache)[:, -1]  # (B, V)
        else:
            logits = model(ids[:, max(0, end - context) : end])[:, -1]
        ids[:, end] = choose(logits)
    return ids


def continue_text(model: nn.Module, tokenizer, prompt: str, steps: int, *, seed: int = 0, **how) -> str:
    """The prompt and `steps` more tokens as text. `how`: temperature, top_k, top_p, cached (see `generate`).

    Only the last `context` tokens of a longer prompt are read. Raises ValueError for an empty prompt.
    """
    ids = tokenizer.encode(prompt)
    if not ids:
        raise ValueError("the prompt is empty: type at least one character")
    device = next(model.parameters()).device
    generator = torch.Generator(device).manual_seed(seed)
    new = generate(model, torch.tensor([ids], device=device), steps, generator=generator, **how)
    return prompt + tokenizer.decode(new[0, len(ids) :].tolist())
