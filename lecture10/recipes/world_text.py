"""The little world's texts for language models: a word a token, and training on rows of them.

Stories and plain captions use some 170 words, so each word is a token here and nothing is cut into pieces:
what is masked is a word. The list is shipped (`data/tokenizers/world.json`, by `recipes.world_words`), so
that everybody's ids are the same.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F

from lecture10.models.bert import (
    IGNORE,
    BertConfig,
    BertPretraining,
    mask_tokens,
    next_sentence_pair,
    pack,
    pad,
)
from lecture10.models.gpt import GPT, GPTConfig
from lecture10.paths import data_path
from lecture10.training import History, TrainSettings, train
from lecture10.world.stories import Story, story

NAME = "tokenizers/world.json"
SPECIAL = ("[PAD]", "[CLS]", "[SEP]", "[MASK]", "[UNK]")
PAD, CLS, SEP, MASK, UNK = range(len(SPECIAL))
WORD = re.compile(r"\[[A-Z]+\]|\w+|[^\w\s]")
MASKING = {"mask_id": MASK, "n_special": len(SPECIAL)}


class Words:
    """A vocabulary of words: small letters, full stops and commas by themselves, [UNK] for all others."""

    def __init__(self, words: Iterable[str]):
        self.words = [*SPECIAL, *words]
        self.ids = {word: i for i, word in enumerate(self.words)}
        self.vocab_size = len(self.words)

    def encode(self, text: str) -> list[int]:
        """Token ids of a text, without [CLS] and [SEP]; "[MASK]" may be written in it."""
        return [self.ids.get(word if word in SPECIAL else word.lower(), UNK) for word in WORD.findall(text)]

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """Each token as text."""
        return [self.words[i] for i in ids]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of token ids, in small letters."""
        return " ".join(self.pieces(ids)).replace(" .", ".").replace(" ,", ",")

    def unknown(self, text: str) -> list[str]:
        """The words of a text that are not in the vocabulary."""
        return [word for word, i in zip(WORD.findall(text), self.encode(text), strict=True) if i == UNK]


@cache
def words() -> Words:
    """The shipped vocabulary. Raises FileNotFoundError or ValueError, with the cure, without it."""
    path = data_path(NAME)
    try:
        return Words(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        cure = "rebuild it: python -m lecture10.recipes.world_words"
        raise ValueError(f"{path.name} is damaged ({error}); {cure}") from None


def stories(n: int, seed: int, sentences: int = 4, split: str = "train") -> list[Story]:
    """n stories; the same seed tells the same ones."""
    return [story(seed * 1_000_003 + k, sentences, split) for k in range(n)]


def encoded(told: Sequence[Story]) -> list[list[list[int]]]:
    """Stories as documents: lists of sentences, each a list of token ids."""
    return [[words().encode(sentence) for sentence in one.sentences] for one in told]


def whole(document: Sequence[Sequence[int]]) -> list[int]:
    """The sentences of a document as one text."""
    return [token for sentence in document for token in sentence]


def rows(texts: Iterable[Sequence[int]]) -> Tensor:
    """Texts as rows [CLS] text [SEP], padded: (N, T)."""
    return pad([[CLS, *text, SEP] for text in texts], PAD)


def some_rows(ids: Tensor, batch: int) -> Callable[[torch.Generator], Tensor]:
    """A batch source: `batch` rows at random, cut where the longest of them ends."""
    lengths = (ids != PAD).sum(1)

    def draw(generator: torch.Generator) -> Tensor:
        chosen = torch.randint(len(ids), (batch,), generator=generator)
        return ids[chosen, : int(lengths[chosen].max())]

    return draw


def masked_rows(ids: Tensor, batch: int, **masking) -> Callable[[torch.Generator], tuple[Tensor, ...]]:
    """A batch source for BERT: (what it reads, targets), masked anew each time a row is drawn."""
    draw, how = some_rows(ids, batch), {**MASKING, "vocab_size": words().vocab_size, **masking}
    return lambda generator: mask_tokens(draw(generator), generator, **how)


def pair_rows(documents: Sequence, n: int, seed: int, context: int) -> tuple[Tensor, Tensor, Tensor]:
    """n next-sentence pairs: rows (n, T), segments (n, T) and whether B follows (n,)."""
    dice = torch.Generator().manual_seed(seed)
    drawn = [next_sentence_pair(documents, dice) for _ in range(n)]
    packed = [pack(a, b, cls_id=CLS, sep_id=SEP, context=context) for a, b, _ in drawn]
    ids, segments = (pad(column) for column in zip(*packed, strict=True))
    return ids, segments, torch.tensor([follows for _, _, follows in drawn])


def masked_pairs(
    pairs: tuple[Tensor, Tensor, Tensor], batch: int
) -> Callable[[torch.Generator], tuple[Tensor, ...]]:
    """A batch source for both games: (what is read, targets, whether B follows, segments)."""
    ids, segments, follows = pairs
    lengths, how = (ids != PAD).sum(1), {**MASKING, "vocab_size": words().vocab_size}

    def draw(generator: torch.Generator) -> tuple[Tensor, ...]:
        chosen = torch.randint(len(ids), (batch,), generator=generator)
        longest = int(lengths[chosen].max())
        read, targets = mask_tokens(ids[chosen, :longest], generator, **how)
        return read, targets, follows[chosen], segments[chosen, :longest]

    return draw


def both_games(model: BertPretraining, batch: tuple[Tensor, ...]) -> tuple[Tensor, dict[str, float]]:
    """The sum of both losses of a batch of `masked_pairs`, and each by itself for the history."""
    read, targets, follows, segments = batch
    word, following = model.losses(read, targets, follows, segments, read != PAD)
    return word + following, {"words": word.item(), "next": following.item()}


def bert_loss(model: BertPretraining, batch: tuple[Tensor, Tensor]) -> Tensor:
    """The masked-word loss of (what is read, targets)."""
    read, targets = batch
    return model.losses(read, targets, real=read != PAD)[0]


def gpt_loss(model: GPT, ids: Tensor) -> Tensor:
    """The next-word loss of padded rows; padding is never asked for."""
    logits = model(ids[:, :-1])  # (B, T - 1, V)
    targets = ids[:, 1:].masked_fill(ids[:, 1:] == PAD, IGNORE)
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORE)


def pretrain_bert(
    config: BertConfig, ids: Tensor, settings: TrainSettings, *, seed: int, batch: int, masking=None, **how
) -> tuple[BertPretraining, History]:
    """A fresh BERT trained to fill masked words of rows (N, T); `how` is handed to `train`."""
    torch.manual_seed(seed)
    model = BertPretraining(config)
    source = masked_rows(ids, batch, **(masking or {}))
    return model, train(model, bert_loss, source, settings, seed=seed, **how)


def pretrain_gpt(
    config: GPTConfig, ids: Tensor, settings: TrainSettings, *, seed: int, batch: int, **how
) -> tuple[GPT, History]:
    """A fresh GPT trained to say the next word of rows (N, T)."""
    torch.manual_seed(seed)
    model = GPT(config)
    return model, train(model, gpt_loss, some_rows(ids, batch), settings, seed=seed, **how)


def pretrain_both(
    config: BertConfig,
    pairs: tuple[Tensor, Tensor, Tensor],
    settings: TrainSettings,
    *,
    seed: int,
    batch: int,
    **how,
) -> tuple[BertPretraining, History]:
    """A fresh BERT trained on both games at once, as the paper's."""
    torch.manual_seed(seed)
    model = BertPretraining(config)
    return model, train(model, both_games, masked_pairs(pairs, batch), settings, seed=seed, **how)
