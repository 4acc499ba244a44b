"""The second game: does sentence B follow? BERT against readers that only count shared words.

A is the first half of a small story, "The bear turns blue. The cat turns red."; B the sentence that follows,
"The cat is still red.", or with the same chance that of another story. B is always of one form, so that by
itself it never tells.
"""

import torch
from torch import Tensor

from lecture10.claims import Claim, Row, difference
from lecture10.devices import pick_device
from lecture10.models.bert import IS_NEXT, NOT_NEXT, BertConfig, BertPretraining
from lecture10.recipes.small_stories import small_stories
from lecture10.recipes.world_text import PAD, encoded, pair_rows, pretrain_both, words
from lecture10.training import TrainSettings
from lecture10.world.vocabulary import COLOUR_NAMES, NOUNS

CONFIG = BertConfig(vocab_size=words().vocab_size, context=32, width=64, layers=2, heads=2, dropout=0.0)
TEXTS, BATCH, ASKED = 10_000, 32, 2000
SETTINGS = TrainSettings(steps=2000, lr=2e-3, betas=(0.9, 0.98), weight_decay=0.01)
BERT, ALL, NAMES = "BERT", "overlap of all words", "overlap of nouns and colours"

CLAIM = Claim(
    "bert.nsp",
    slide="BERT: IsNext, NotNext",
    says="BERT tells the next sentence from another story's more often than does counting how many of its "
    "nouns and colours the story has named.",
    effect=difference(BERT, NAMES, metric="accuracy"),
    margin=0.02,
    expects="no difference",
    does_not_test="whether this game helps any task (RoBERTa later found that it does not); sentences that "
    "share no word with what they follow",
    minutes=6,
    seeds=5,
    runs=1,
)


def nsp_pairs(n: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """n pairs from as many stories: rows (n, T), segments (n, T), whether B follows (n,)."""
    documents = [[one + two, three] for one, two, three, _ in encoded(small_stories(n, seed))]
    return pair_rows(documents, n, seed, CONFIG.context)


def overlap(ids: Tensor, segments: Tensor, counted: Tensor) -> Tensor:
    """The share of B's words that stand in A too: (N, T) -> (N,). counted: (V,) bool, words that count."""
    found = []
    for row, segment in zip(ids, segments, strict=True):
        first, second = row[(segment == 0) & (row != PAD)], row[segment == 1]
        found.append(torch.isin(second[counted[second]], first).float().mean())
    return torch.stack(found)


def best_threshold(shares: Tensor, follows: Tensor) -> float:
    """The share from which on to say IS_NEXT, so that most of these pairs are judged right."""
    places = torch.cat([shares.unique(), torch.tensor([2.0])])
    right = ((shares[:, None] >= places) == (follows[:, None] == IS_NEXT)).float().mean(0)
    return float(places[right.argmax()])


@torch.no_grad()
def judged(model: BertPretraining, ids: Tensor, segments: Tensor) -> Tensor:
    """IS_NEXT or NOT_NEXT for each row (N, T), as the next-sentence head has it."""
    device = next(model.parameters()).device
    h = model.bert.hidden(ids.to(device), segments.to(device), ids.to(device) != PAD)
    return model.next(model.bert.pool(h)).argmax(-1).cpu()


def run(seed: int) -> list[Row]:
    """One paired seed: a BERT trained on both games; the counters' thresholds from the same pairs."""
    learnt, (ids, segments, follows) = nsp_pairs(TEXTS, 2 * seed), nsp_pairs(ASKED, 2 * seed + 1)
    how = {"seed": seed, "batch": BATCH, "quiet": True, "device": pick_device().type}
    found = {BERT: judged(pretrain_both(CONFIG, learnt, SETTINGS, **how)[0], ids, segments)}
    known = words().words
    names = torch.tensor([word in NOUNS or word in COLOUR_NAMES for word in known])
    nouns = torch.tensor([word in NOUNS for word in known])
    for name, counted in {ALL: torch.ones_like(names), "overlap of nouns": nouns, NAMES: names}.items():
        some = [part[:4000] for part in learnt]
        threshold = best_threshold(overlap(*some[:2], counted), some[2])
        found[name] = torch.where(overlap(ids, segments, counted) >= threshold, IS_NEXT, NOT_NEXT)
    return [
        Row(name, "accuracy", float((said == follows).float().mean()), seed=seed, n=ASKED)
        for name, said in found.items()
    ]
