"""Does a GPT use its context? The same held-out tokens, predicted from more and more of what came before."""

from lecture10.claims import Claim, Row, difference
from lecture10.metrics import token_losses
from lecture10.models.gpt import GPTConfig
from lecture10.recipes.english import encoded, pretrain
from lecture10.training import TrainSettings

CONFIG = GPTConfig(vocab_size=1024, context=128, width=96, layers=2, heads=3, dropout=0.0)
SETTINGS = TrainSettings(steps=1000, lr=6e-3, betas=(0.9, 0.95))
BATCH = 8
CONTEXTS = (1, 2, 4, 8, 16, 32, 64, 128)

CLAIM = Claim(
    "gpt1.context",
    slide="GPT-1: L1 conditions each token on the k before it",
    says="A GPT predicts a token better from the last 128 tokens than from the last 8 alone.",
    effect=difference("last 8", "last 128", metric="nats per token"),
    margin=0.05,
    expects="shown",
    does_not_test="whether a context of more than 128 tokens would help further, or what in it is used",
    minutes=9,
    seeds=5,
    runs=1,
)


def run(seed: int) -> list[Row]:
    """One paired seed: one GPT, every held-out token scored once for each length of context."""
    model, _ = pretrain(CONFIG, SETTINGS, seed=seed, batch=BATCH, quiet=True, label="context")
    ids = encoded("test")
    rows = []
    for context in CONTEXTS:
        losses = token_losses(model, ids, context=context, stride=max(1, context // 16))
        where = {"seed": seed, "n": len(losses)}
        rows.append(Row(f"last {context}", "nats per token", float(losses.mean()), **where))
        rows.append(Row("GPT", "nats per token", float(losses.mean()), at=context, **where))
    return rows
