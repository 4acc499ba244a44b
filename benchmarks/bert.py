"""Our BERT's training step against transformers' at equal configuration: masked words and next sentence.

    python benchmarks/bert.py [--json FILE]

Exit status 1 where the lower 95 % bound of a median ratio lies below 0.95.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

import torch
from pairs import Pairs, alternate, too_slow

from lecture10.models.bert import BertConfig, BertPretraining, mask_tokens

BATCH, N_SPECIAL, MASK = 16, 5, 3


def their_twin(config: BertConfig):
    """transformers' BertForPreTraining of the same size, with the same dropout."""
    import transformers

    return transformers.BertForPreTraining(
        transformers.BertConfig(
            vocab_size=config.vocab_size, max_position_embeddings=config.context,
            hidden_size=config.width, intermediate_size=4 * config.width,
            num_hidden_layers=config.layers, num_attention_heads=config.heads,
            hidden_dropout_prob=config.dropout, attention_probs_dropout_prob=config.dropout,
        )
    )  # fmt: skip


def training_step(model, loss):
    """A closure that does one step of AdamW on one fixed batch."""
    optimizer = torch.optim.AdamW(model.train().parameters(), lr=1e-4)

    def step():
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()

    return step


def training(config: BertConfig, padded: bool) -> Pairs:
    """Forward, backward and update on the same masked pairs of sentences; padded: rows of unequal length."""
    dice = torch.Generator().manual_seed(0)
    ids = torch.randint(N_SPECIAL, config.vocab_size, (BATCH, config.context), generator=dice)
    lengths = torch.randint(config.context // 2, config.context + 1, (BATCH, 1), generator=dice)
    real = torch.arange(config.context) < lengths if padded else None
    ids = ids if real is None else ids * real
    read, targets = mask_tokens(ids, dice, mask_id=MASK, n_special=N_SPECIAL, vocab_size=config.vocab_size)
    segments = (torch.arange(config.context) >= config.context // 2).long().expand(BATCH, -1)
    follows = torch.randint(2, (BATCH,), generator=dice)
    how = {"token_type_ids": segments, "labels": targets, "next_sentence_label": follows}
    if padded:
        how["attention_mask"] = real.long()
    ours, theirs = BertPretraining(config), their_twin(config)
    return alternate(
        f"training step, dropout {config.dropout:g}{', padded' if padded else ''}",
        training_step(ours, lambda: sum(ours.losses(read, targets, follows, segments, real))),
        training_step(theirs, lambda: theirs(read, **how).loss),
        tokens=ids.numel(),
    )


def main() -> None:
    """Print a line a comparison; --json FILE stores every single time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    path = parser.parse_args().json
    torch.manual_seed(0)
    config = BertConfig(vocab_size=1024, context=128, width=128, layers=4, heads=4)
    print(f"{config}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    found = []
    for dropout in (0.1, 0.0):
        for padded in (False, True):
            size = BertConfig(**{**asdict(config), "dropout": dropout})
            found.append(training(size, padded))
            print(found[-1], flush=True)
    if path:
        path.write_text(json.dumps([asdict(pairs) for pairs in found], indent=1) + "\n")
    sys.exit(too_slow(found))


if __name__ == "__main__":
    main()
