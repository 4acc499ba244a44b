"""SWAG's twin from the little world: four endings, one that can follow; five readers of about one size.

A small story is told up to its middle; one of four sentences comes next. The three wrong ones are
`wrong_endings`: they speak of things that are not there, or say that a colour is still what it is not. SWAG's
were picked to fool a machine, and so are these: of all that were drawn, those with most words from the story.
The ending alone must not tell: all four have the same form, word for word but for nouns and colours. A BERT
that sees the ending alone says how well that worked.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lecture10.claims import Claim, Row, difference
from lecture10.devices import pick_device
from lecture10.models.bert import Bert, BertChoice, BertConfig, pad
from lecture10.models.gpt import GPT, DoubleHeads, GPTConfig
from lecture10.recipes.small_stories import small_stories
from lecture10.recipes.world_text import (
    CLS,
    PAD,
    SEP,
    encoded,
    gpt_loss,
    pretrain_bert,
    rows,
    some_rows,
    whole,
    words,
)
from lecture10.training import TrainSettings, train
from lecture10.world.stories import wrong_endings

SIZE = {"vocab_size": words().vocab_size, "context": 32, "width": 64, "layers": 2, "heads": 2, "dropout": 0.0}
TEXTS, BATCH = 10_000, 32
PRETRAIN = TrainSettings(steps=600, lr=2e-3, betas=(0.9, 0.98), weight_decay=0.01)
ITEMS, ITEM_BATCH, ASKED, ENDINGS = 1500, 16, 1000, 4
TUNE = TrainSettings(steps=400, lr=2e-3, betas=(0.9, 0.98), weight_decay=0.01)
BAG, RECURRENT, ALONE = "bag of words", "LSTM", "BERT, ending alone"

HOW = {"slide": "BERT: Table 4, SWAG", "table": "bert_swag", "minutes": 9, "seeds": 5, "runs": 8}
NOT_TESTED = (
    "SWAG itself: 113,000 questions about everyday life; BERT-large, which is three times the size of GPT; "
    "training until nobody improves"
)
CLAIMS = (
    Claim(
        "bert.swag",
        says="A BERT chooses the ending of a story right more often than a GPT of its size that read the "
        "same text.",
        effect=difference("BERT", "GPT", metric="accuracy"),
        margin=0.03,
        paper="86.3 (BERT_LARGE) against 78.0 (OpenAI GPT)",
        expects="shown",
        does_not_test=NOT_TESTED,
        **HOW,
    ),
    Claim(
        "bert.swag.lstm",
        says="A BERT chooses the ending of a story right more often than an LSTM of its size that read the "
        "same text.",
        effect=difference("BERT", RECURRENT, metric="accuracy"),
        margin=0.03,
        paper="86.3 (BERT_LARGE) against 59.2 (ESIM+ELMo)",
        expects="shown",
        does_not_test=NOT_TESTED,
        **HOW,
    ),
    Claim(
        "bert.swag.alone",
        says="The ending alone, without its story, tells which one is right.",
        effect=difference(ALONE, 1 / ENDINGS, metric="accuracy"),
        margin=0.05,
        expects="no difference",
        does_not_test="hints that a larger reader, or more examples, would find",
        **HOW,
    ),
)


class Items(NamedTuple):
    """Questions: the story so far, its endings (the same number for each), which one is right (N,)."""

    contexts: list[list[int]]
    endings: list[list[list[int]]]
    answers: Tensor


def items(n: int, seed: int) -> Items:
    """n questions from as many small stories."""
    dice, known = torch.Generator().manual_seed(seed), words()
    contexts, endings, answers = [], [], []
    for k, told in enumerate(small_stories(n, seed)):
        context = known.encode(" ".join(told.sentences[:2]))
        drawn = wrong_endings(told, 2, seed * 100_000 + k, n=80)
        wrong = [known.encode(ending) for ending in drawn if " is still " in ending]
        wrong.sort(key=lambda ending: -len(set(ending) & set(context)))  # the most tempting ones first
        order = torch.randperm(ENDINGS, generator=dice).tolist()
        choices = [known.encode(told.sentences[2]), *wrong[: ENDINGS - 1]]
        contexts.append(context)
        endings.append([choices[i] for i in order])
        answers.append(order.index(0))
    return Items(contexts, endings, torch.tensor(answers))


def item_rows(asked: Items, alone: bool = False) -> tuple[Tensor, Tensor]:
    """[CLS] story [SEP] ending [SEP] for each ending: ids and segments, both (N, C, T); alone: no story."""
    parts = [
        ([CLS, *([] if alone else context), SEP], [*ending, SEP])
        for context, endings in zip(asked.contexts, asked.endings, strict=True)
        for ending in endings
    ]
    ids = pad([[*first, *second] for first, second in parts], PAD)
    segments = pad([[0] * len(first) + [1] * len(second) for first, second in parts])
    return ids.view(-1, ENDINGS, ids.shape[1]), segments.view(-1, ENDINGS, ids.shape[1])


class BagOfWords(nn.Module):
    """The mean word of the story, that of the ending and their product, through one hidden layer."""

    def __init__(self, vocab_size: int, width: int):
        super().__init__()
        self.tokens = nn.Embedding(vocab_size, width)
        self.score = nn.Sequential(nn.Linear(3 * width, 8 * width), nn.GELU(), nn.Linear(8 * width, 1))

    def forward(self, ids: Tensor, segments: Tensor) -> Tensor:
        """(B, C, T) -> scores (B, C)."""
        vectors, means = self.tokens(ids), []
        for segment in (0, 1):
            here = ((ids > SEP) & (segments == segment))[..., None]  # (B, C, T, 1)
            means.append((vectors * here).sum(2) / here.sum(2).clamp(min=1))
        return self.score(torch.cat([*means, means[0] * means[1]], -1)).squeeze(-1)


class LSTM(nn.Module):
    """A left-to-right language model of one recurrent layer; its state after the last word scores a text."""

    def __init__(self, vocab_size: int, width: int):
        super().__init__()
        self.tokens = nn.Embedding(vocab_size, width)
        self.reader = nn.LSTM(width, 2 * width, batch_first=True)
        self.back = nn.Linear(2 * width, width)
        self.choice = nn.Linear(width, 1)

    def hidden(self, ids: Tensor) -> Tensor:
        """(B, T) -> (B, T, D)."""
        return self.back(self.reader(self.tokens(ids))[0])

    def forward(self, ids: Tensor) -> Tensor:
        """(B, T) -> logits of the next word (B, T, V)."""
        return F.linear(self.hidden(ids), self.tokens.weight)


def scores(model: nn.Module, ids: Tensor, segments: Tensor) -> Tensor:
    """How well each ending goes with its story: (B, C, T) -> (B, C)."""
    if isinstance(model, BertChoice):
        return model(ids, segments, ids != PAD)
    if isinstance(model, BagOfWords):
        return model(ids, segments)
    ends = (ids != PAD).sum(-1) - 1  # the last [SEP], (B, C)
    h = (model.gpt if isinstance(model, DoubleHeads) else model).hidden(ids.flatten(0, 1))
    at_end = h[torch.arange(len(h), device=h.device), ends.flatten()]  # (B·C, D)
    return model.choice(at_end).view(ends.shape)


def tune(model: nn.Module, asked: tuple[Tensor, Tensor, Tensor], seed: int) -> None:
    """Fine-tune all of a model to choose: cross-entropy over the endings."""

    def draw(generator: torch.Generator) -> tuple[Tensor, ...]:
        chosen = torch.randint(len(asked[0]), (ITEM_BATCH,), generator=generator)
        return tuple(part[chosen] for part in asked)

    def loss(model: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        return F.cross_entropy(scores(model, *batch[:2]), batch[2])

    train(model, loss, draw, TUNE, seed=seed, quiet=True, device=pick_device().type)


@torch.no_grad()
def accuracy(model: nn.Module, ids: Tensor, segments: Tensor, answers: Tensor) -> float:
    """The share of questions whose right ending has the highest score."""
    device = next(model.parameters()).device
    found = [
        scores(model, i.to(device), s.to(device)).argmax(-1).cpu()
        for i, s in zip(ids.split(100), segments.split(100), strict=True)
    ]
    return float((torch.cat(found) == answers).float().mean())


def readers(seed: int) -> dict[str, nn.Module]:
    """The five readers; BERT, GPT and LSTM have read the same stories, in as many steps."""
    texts = rows(map(whole, encoded(small_stories(TEXTS, 3 * seed))))
    how = {"seed": seed, "quiet": True, "device": pick_device().type}
    bert, _ = pretrain_bert(BertConfig(**SIZE), texts, PRETRAIN, batch=BATCH, **how)
    torch.manual_seed(seed)
    gpt, lstm = GPT(GPTConfig(**SIZE, norm="post")), LSTM(SIZE["vocab_size"], SIZE["width"])
    for model in (gpt, lstm):
        train(model, gpt_loss, some_rows(texts, BATCH), PRETRAIN, **how)
    return {
        BAG: BagOfWords(SIZE["vocab_size"], SIZE["width"]),
        RECURRENT: lstm,
        "GPT": DoubleHeads(gpt),
        "BERT": BertChoice(bert.bert),
        ALONE: BertChoice(Bert(BertConfig(**SIZE))),
    }


def run(seed: int) -> list[Row]:
    """One paired seed: the same stories, the same questions to learn from, 1,000 fresh ones to answer."""
    learnt, asked, found = items(ITEMS, 3 * seed + 1), items(ASKED, 3 * seed + 2), []
    for name, model in readers(seed).items():
        alone = name == ALONE
        tune(model, (*item_rows(learnt, alone), learnt.answers), seed)
        share = accuracy(model, *item_rows(asked, alone), asked.answers)
        found.append(Row(name, "accuracy", share, seed=seed, n=ASKED))
    return found
