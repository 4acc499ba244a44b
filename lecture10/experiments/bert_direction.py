"""Which way must one read? The same texts with a blank whose cue stands only to its right, or to its left."""

import torch
from torch import Tensor

from lecture10.claims import Claim, Row, difference
from lecture10.devices import pick_device
from lecture10.models.bert import BertConfig, BertPretraining
from lecture10.models.gpt import GPT, GPTConfig
from lecture10.recipes.world_text import MASK, pretrain_bert, pretrain_gpt, rows, words
from lecture10.training import TrainSettings
from lecture10.world.splits import pairs
from lecture10.world.vocabulary import NOUNS

SIZE = {"vocab_size": words().vocab_size, "context": 32, "width": 64, "layers": 2, "heads": 2, "dropout": 0.0}
SETTINGS = TrainSettings(steps=600, lr=2e-3, betas=(0.9, 0.98), weight_decay=0.01)
BATCH, TEXTS, ASKED = 32, 10_000, 2000
COLOURS = 8  # K: each noun's colours in training text, all equally likely

HOW = {"slide": "BERT: bidirectional against left to right", "minutes": 4, "seeds": 5, "runs": 2}
RIGHT, LEFT = "accuracy, cue to the right", "accuracy, cue to the left"
CLAIMS = (
    Claim(
        "bert.direction",
        says="Where the cue stands only to the right of a blank, BERT fills it right far more often than a "
        "left-to-right model of its size.",
        effect=difference("BERT", "left to right", metric=RIGHT),
        margin=0.5,
        expects="shown",
        does_not_test="how often natural text hides its cues to the right; whether reading both ways helps a "
        "task in which all cues stand to the left",
        **HOW,
    ),
    Claim(
        "bert.direction.ceiling",
        says="A left-to-right model fills a blank whose cue stands to its right more often than one in K "
        "times, the most that is possible without the cue (K = 8).",
        effect=difference("left to right", 1 / COLOURS, metric=RIGHT),
        margin=0.03,
        expects="no difference",
        does_not_test="a left-to-right model that is given several tries, or a hint in its prompt",
        **HOW,
    ),
    Claim(
        "bert.direction.left",
        says="Where the same cue stands to the left of the blank, BERT is better than a left-to-right model "
        "too.",
        effect=difference("BERT", "left to right", metric=LEFT),
        margin=0.05,
        expects="no difference",
        does_not_test="cues that are hard to use, or texts longer than two dozen words",
        **HOW,
    ),
)


def texts(n: int, seed: int) -> tuple[Tensor, Tensor]:
    """n texts "The bear turns blue. The cat turns red. The bear is still blue. The cat is still red."

    Returns their rows (n, T) and the places of the four colours (n, 4): the first two have their cue to the
    right, the last two to the left. Nouns differ; each colour is one of its noun's K, all equally likely.
    """
    dice, known = torch.Generator().manual_seed(seed), words()
    colours = {noun: [c for n, c in pairs("train") if n == noun] for noun in NOUNS}
    found, places = [], []
    for _ in range(n):
        nouns = [NOUNS[i] for i in torch.randperm(len(NOUNS), generator=dice)[:2]]
        painted = [colours[noun][int(torch.randint(COLOURS, (), generator=dice))] for noun in nouns]
        told = [f"The {noun} turns {colour}." for noun, colour in zip(nouns, painted, strict=True)]
        again = [f"The {noun} is still {colour}." for noun, colour in zip(nouns, painted, strict=True)]
        ids = known.encode(" ".join(told + again))
        found.append(ids)
        said = {known.ids[colour] for colour in painted}
        places.append([1 + t for t, i in enumerate(ids) if i in said])  # 1 for [CLS]
    return rows(found), torch.tensor(places)


@torch.no_grad()
def filled(model: BertPretraining | GPT, ids: Tensor, at: Tensor) -> float:
    """The share of rows whose blank at `at` (N,) the model fills right, reading all that it can read."""
    device = next(model.parameters()).device
    ids, at = ids.to(device), at.to(device)
    each, right = torch.arange(len(ids), device=device), ids.gather(1, at[:, None])[:, 0]
    if isinstance(model, BertPretraining):
        logits = model(ids.scatter(1, at[:, None], MASK))[0][each, at]
    else:
        logits = model(ids)[each, at - 1]  # what it expects there after all that stands before
    return float((logits.argmax(-1) == right).float().mean())


def run(seed: int) -> list[Row]:
    """One paired seed: a BERT and a GPT of one size read the same texts; both fill the same blanks."""
    train_ids, _ = texts(TEXTS, seed=2 * seed)
    test_ids, places = texts(ASKED, seed=2 * seed + 1)
    how = {"seed": seed, "batch": BATCH, "quiet": True, "device": pick_device().type}
    models = {
        "BERT": pretrain_bert(BertConfig(**SIZE), train_ids, SETTINGS, **how)[0],
        "left to right": pretrain_gpt(GPTConfig(**SIZE, norm="post"), train_ids, SETTINGS, **how)[0],
    }
    rows = []
    for name, model in models.items():
        for metric, first in ((RIGHT, 0), (LEFT, 2)):
            shares = [filled(model, test_ids, places[:, first + k]) for k in (0, 1)]
            rows.append(Row(name, metric, sum(shares) / 2, seed=seed, n=2 * ASKED))
    return rows
