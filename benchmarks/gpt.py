"""Our GPT against transformers' GPT-2 at equal configuration: a training step, and cached sampling.

    python benchmarks/gpt.py [--json FILE]

Exit status 1 where the lower 95 % bound of a median ratio lies below 0.95.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

import torch
from pairs import Pairs, alternate, too_slow

from lecture10.models.gpt import GPT, GPTConfig, language_model_loss
from lecture10.sampling import generate

BATCH, PROMPT, NEW = 16, 16, 96


def their_twin(config: GPTConfig):
    """transformers' GPT-2 of the same size, with the same dropout."""
    import transformers

    return transformers.GPT2LMHeadModel(
        transformers.GPT2Config(
            vocab_size=config.vocab_size, n_positions=config.context, n_embd=config.width,
            n_layer=config.layers, n_head=config.heads,
            resid_pdrop=config.dropout, attn_pdrop=config.dropout, embd_pdrop=config.dropout,
            bos_token_id=0, eos_token_id=0, pad_token_id=0,
        )
    )  # fmt: skip


def training_step(model, loss):
    """A closure that does one step of AdamW on one fixed batch."""
    optimizer = torch.optim.AdamW(model.train().parameters(), lr=1e-3)

    def step():
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()

    return step


def training(config: GPTConfig) -> Pairs:
    """Forward, backward and update on the same batch."""
    ids = torch.randint(0, config.vocab_size, (BATCH, config.context))
    ours, theirs = GPT(config), their_twin(config)
    return alternate(
        f"training step, dropout {config.dropout:g}",
        training_step(ours, lambda: language_model_loss(ours(ids), ids)),
        training_step(theirs, lambda: theirs(ids, labels=ids).loss),
        tokens=ids.numel(),
    )


def sampling(config: GPTConfig, batch: int) -> Pairs:
    """Cached sampling at temperature 1 from a short prompt."""
    ids = torch.randint(1, config.vocab_size, (batch, PROMPT))
    ours, theirs = GPT(config).eval(), their_twin(config).eval()
    how = {"do_sample": True, "top_k": 0, "max_new_tokens": NEW, "min_new_tokens": NEW, "use_cache": True}
    return alternate(
        f"cached sampling, {batch} at a time",
        lambda: generate(ours, ids, NEW),
        lambda: theirs.generate(ids, attention_mask=torch.ones_like(ids), **how),
        tokens=batch * NEW,
    )


def main() -> None:
    """Print a line a comparison; --json FILE stores every single time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    path = parser.parse_args().json
    torch.manual_seed(0)
    config = GPTConfig()
    print(f"{config}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    found = []
    for made in (
        lambda: training(config),
        lambda: training(GPTConfig(dropout=0.0)),
        lambda: sampling(config, 1),
        lambda: sampling(config, 16),
    ):
        found.append(made())
        print(found[-1], flush=True)
    if path:
        path.write_text(json.dumps([asdict(pairs) for pairs in found], indent=1) + "\n")
    sys.exit(too_slow(found))


if __name__ == "__main__":
    main()
