"""Why not always [MASK]? 80/10/10 against 100 % [MASK], judged on text in which nothing is masked.

The paper's argument: [MASK] never occurs when BERT is put to use. A net that always saw [MASK] where it was
asked never had to keep anything at the words that it can read. Its own Table 8 finds little of that after
fine-tuning (MNLI 84.2 against 84.3, NER 95.4 against 94.9), more where the features are frozen (NER 94.9
against 94.0). So here are both: what colour has the thing that a word of a text names? Asked of frozen
features by a linear layer, and after fine-tuning.
"""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lecture10.claims import Claim, Row, difference
from lecture10.devices import pick_device
from lecture10.models.bert import Bert, BertConfig
from lecture10.recipes.world_text import pretrain_bert, rows, words
from lecture10.training import TrainSettings, train
from lecture10.world.splits import pairs
from lecture10.world.vocabulary import COLOUR_NAMES

CONFIG = BertConfig(vocab_size=words().vocab_size, context=32, width=64, layers=2, heads=2, dropout=0.0)
TEXTS, BATCH = 10_000, 32
SETTINGS = TrainSettings(steps=800, lr=2e-3, betas=(0.9, 0.98), weight_decay=0.01)
FATES = {"80/10/10": (0.8, 0.1, 0.1), "100 % [MASK]": (1.0, 0.0, 0.0)}
LEARNT, ASKED = 1000, 2000
PROBE = TrainSettings(steps=300, lr=1e-2, weight_decay=0.0)
TUNE = TrainSettings(steps=150, lr=1e-3, betas=(0.9, 0.98), weight_decay=0.01)
FROZEN, TUNED = "accuracy, frozen", "accuracy, fine-tuned"
EVENTS = ("grows", "shrinks", "leaves", "disappears")

HOW = {"slide": "BERT: masked language model", "minutes": 6, "seeds": 5, "runs": 2}
CLAIMS = (
    Claim(
        "bert.masking",
        says="On text without [MASK], a BERT trained with 80/10/10 has better frozen features than one "
        "trained with 100 % [MASK].",
        effect=difference("80/10/10", "100 % [MASK]", metric=FROZEN),
        margin=0.02,
        paper="94.9 against 94.0 (NER F1, features; Table 8)",
        expects="shown",
        does_not_test="features of several layers together, as the paper's; other questions than a colour",
        **HOW,
    ),
    Claim(
        "bert.masking.tuned",
        says="After fine-tuning on text without [MASK], 80/10/10 is better than 100 % [MASK].",
        effect=difference("80/10/10", "100 % [MASK]", metric=TUNED),
        margin=0.02,
        paper="84.2 against 84.3 (MNLI), 95.4 against 94.9 (NER; Table 8)",
        expects="no difference",
        does_not_test="fine-tuning on a handful of examples, where the start matters more",
        **HOW,
    ),
)


def texts(n: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """n texts "The bear turns blue. The cat turns red. The cat grows. The bear is still blue."

    Returns their rows (n, T), the place of the noun in the sentence that names no colour (n,), and the colour
    of the thing it names (n,). The last two sentences speak of the two things in either order.
    """
    dice, known = torch.Generator().manual_seed(seed), words()
    train_pairs, found, places, colours = pairs("train"), [], [], []

    def below(k: int) -> int:
        return int(torch.randint(k, (), generator=dice))

    while len(found) < n:
        painted = [train_pairs[below(len(train_pairs))] for _ in range(2)]
        if painted[0][0] == painted[1][0]:
            continue
        told = [f"The {noun} turns {colour}." for noun, colour in painted]
        asked, other = (0, 1) if below(2) else (1, 0)
        last = [
            f"The {painted[asked][0]} {EVENTS[below(len(EVENTS))]}.",
            f"The {painted[other][0]} is still {painted[other][1]}.",
        ]
        first = below(2)
        ids = known.encode(" ".join(told + (last if first else last[::-1])))
        found.append(ids)
        places.append(1 + max(t for t, i in enumerate(ids) if i == known.ids[painted[asked][0]]))
        colours.append(COLOUR_NAMES.index(painted[asked][1]))
    return rows(found), torch.tensor(places), torch.tensor(colours)


class ColourReader(nn.Module):
    """A BERT's state at one word, through one linear layer."""

    def __init__(self, bert: Bert):
        super().__init__()
        self.bert, self.colour = bert, nn.Linear(bert.config.width, len(COLOUR_NAMES))

    def states(self, ids: Tensor, at: Tensor) -> Tensor:
        """(B, T), (B,) -> (B, D)."""
        return self.bert.hidden(ids)[torch.arange(len(ids), device=ids.device), at]

    def forward(self, ids: Tensor, at: Tensor) -> Tensor:
        """(B, T), (B,) -> logits of the colours (B, 10)."""
        return self.colour(self.states(ids, at))


Asked = tuple[Tensor, Tensor, Tensor]  # rows, places, colours


@torch.no_grad()
def accuracy(reader: ColourReader, asked: Asked) -> float:
    """The share of colours named right."""
    return float((reader(*asked[:2]).argmax(-1) == asked[2]).float().mean())


def frozen_accuracy(reader: ColourReader, learnt: Asked, asked: Asked, seed: int) -> float:
    """A linear layer learnt on the states as they are, each of their numbers standardised."""
    with torch.no_grad():
        features, tests = (reader.states(ids, at) for ids, at, _ in (learnt, asked))
    mean, std = features.mean(0), features.std(0) + 1e-6
    batch = (features - mean) / std, learnt[2]

    def loss(layer: nn.Linear, batch: tuple[Tensor, Tensor]) -> Tensor:
        return F.cross_entropy(layer(batch[0]), batch[1])

    torch.manual_seed(seed)
    probe = nn.Linear(features.shape[1], len(COLOUR_NAMES))
    train(probe, loss, lambda _: batch, PROBE, seed=seed, quiet=True, device=features.device.type)
    with torch.no_grad():
        return float((probe((tests - mean) / std).argmax(-1) == asked[2]).float().mean())


def tuned_accuracy(reader: ColourReader, learnt: Asked, asked: Asked, seed: int) -> float:
    """All of the net fine-tuned on the same examples."""

    def draw(generator: torch.Generator) -> Asked:
        chosen = torch.randint(len(learnt[0]), (BATCH,), generator=generator)
        return tuple(part[chosen] for part in learnt)

    def loss(model: ColourReader, batch: Asked) -> Tensor:
        return F.cross_entropy(model(*batch[:2]), batch[2])

    train(reader, loss, draw, TUNE, seed=seed, quiet=True, device=learnt[0].device.type)
    return accuracy(reader, asked)


def run(seed: int) -> list[Row]:
    """One paired seed: two BERTs that differ only in what is shown at the words chosen."""
    device = pick_device().type
    ids, _, _ = texts(TEXTS, seed=3 * seed)
    learnt, asked = (
        tuple(part.to(device) for part in texts(n, seed=3 * seed + k)) for k, n in ((1, LEARNT), (2, ASKED))
    )
    found = []
    for name, fates in FATES.items():
        how = {"seed": seed, "batch": BATCH, "quiet": True, "device": device}
        model, _ = pretrain_bert(CONFIG, ids, SETTINGS, masking={"fates": fates}, **how)
        torch.manual_seed(seed)
        reader = ColourReader(model.bert).to(device).eval()
        frozen = frozen_accuracy(copy.deepcopy(reader), learnt, asked, seed)
        tuned = tuned_accuracy(reader, learnt, asked, seed)
        where = {"seed": seed, "n": ASKED}
        found += [Row(name, FROZEN, frozen, **where), Row(name, TUNED, tuned, **where)]
    return found
