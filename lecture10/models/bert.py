"""BERT: a transformer that reads in both directions and fills in what was blotted out.

Devlin et al. 2019, "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding". An
encoder of post-norm blocks without a causal mask, two pre-training games (masked words, next sentence), and
one linear layer more for each task that it is fine-tuned on.
Simplified: dropout is one number (the paper's are equal too), and the special tokens come first in the
vocabulary. B: batch, T: positions, D: width, V: vocabulary, N: positions that are asked for.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lecture10.layers import SelfAttention, TransformerBlock, attention_weights

IGNORE = -100  # a target that asks for nothing; torch's and transformers' mark
IS_NEXT, NOT_NEXT = 0, 1  # the order of the next-sentence logits, as in the released weights
EPS = 1e-12  # of BERT's layer norms


@dataclass(frozen=True)
class BertConfig:
    """The size of a BERT. Defaults are laptop size."""

    vocab_size: int = 512
    context: int = 64
    width: int = 96
    layers: int = 3
    heads: int = 3
    segments: int = 2
    dropout: float = 0.1


PRESETS = {
    "tiny": BertConfig(vocab_size=64, context=16, width=16, layers=2, heads=2, dropout=0.0),
    "laptop": BertConfig(),
    "base": BertConfig(vocab_size=30_522, context=512, width=768, layers=12, heads=12),
    "large": BertConfig(vocab_size=30_522, context=512, width=1024, layers=24, heads=16),
}


class BertAttention(SelfAttention):
    """Self-attention without a causal mask: each position may look at every real one, before it or after."""

    def __init__(self, width: int, heads: int, *, dropout: float = 0.0):
        super().__init__(width, heads, causal=False, dropout=dropout)

    def forward(self, x: Tensor, *, real: Tensor | None = None, fast: bool = True) -> Tensor:
        """(B, T, D) -> (B, T, D). real: (B, T) bool, False where there is only padding; None: all is real.

        fast: torch's fused attention; else `lecture10.layers.attention_weights`. They agree (a test says so).
        """
        q, k, v = self.split(x)  # (B, H, T, d) each
        may_look = None if real is None else real[:, None, None, :]  # (B, 1, 1, T): the same for all that ask
        dropout = self.dropout if self.training else 0.0
        if self.own_attend is not None:
            mixed = self.own_attend(q, k, v, may_look)
        elif fast:
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=may_look, dropout_p=dropout)
        else:
            mixed = F.dropout(attention_weights(q, k, may_look), dropout) @ v  # (B, H, T, d)
        return self.drop(self.out(mixed.transpose(1, 2).flatten(2)))  # (B, H, T, d) -> (B, T, D)


class BertBlock(TransformerBlock):
    """A post-norm block with the exact GELU, whose attention looks both ways."""

    def __init__(self, width: int, heads: int, *, dropout: float = 0.0):
        super().__init__(width, heads, causal=False, norm="post", dropout=dropout, gelu="none", eps=EPS)
        self.attention = BertAttention(width, heads, dropout=dropout)


class Bert(nn.Module):
    """The encoder: embeddings of token, position and segment, blocks, and a pooler that reads [CLS]."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.config = config
        self.tokens = nn.Embedding(config.vocab_size, config.width)
        self.positions = nn.Embedding(config.context, config.width)
        self.segments = nn.Embedding(config.segments, config.width)
        self.norm = nn.LayerNorm(config.width, eps=EPS)
        self.drop = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(
            BertBlock(config.width, config.heads, dropout=config.dropout) for _ in range(config.layers)
        )
        self.pooler = nn.Linear(config.width, config.width)
        self.apply(initialise(config))

    def check(self, ids: Tensor, segments: Tensor | None = None, real: Tensor | None = None) -> None:
        """Raise ValueError, with the cure, for what this model cannot read."""
        sizes = self.config
        if ids.ndim != 2 or ids.shape[1] == 0:
            raise ValueError(
                f"token ids have shape {tuple(ids.shape)}; (batch, positions) with one or more is needed"
            )
        if ids.shape[1] > sizes.context:
            raise ValueError(
                f"{ids.shape[1]} tokens are more than this model's context of {sizes.context}: cut the text "
                "before [CLS] and [SEP] are added, so that they stay"
            )
        for name, given, limit in (("token", ids, sizes.vocab_size), ("segment", segments, sizes.segments)):
            if given is None:
                continue
            if given.shape != ids.shape:
                raise ValueError(
                    f"{name} ids have shape {tuple(given.shape)}, token ids {tuple(ids.shape)}: "
                    f"each token needs its {name}"
                )
            if given.is_cpu and not 0 <= int(given.min()) <= int(given.max()) < limit:
                cure = "was the text encoded with another tokenizer?"
                if name == "segment":
                    cure = "0 stands for the first text, 1 for the second"
                raise ValueError(
                    f"{name} ids run from {int(given.min())} to {int(given.max())}, this model's from 0 to "
                    f"{limit - 1}: {cure}"
                )
        if real is not None and (real.dtype != torch.bool or real.shape != ids.shape):
            raise ValueError(
                f"real is {tuple(real.shape)} {real.dtype}; it is bool, {tuple(ids.shape)}, "
                "True where a token is no padding"
            )
        if real is not None and real.is_cpu and not real.any(1).all():
            raise ValueError("a row of the batch is padding alone: its text is empty; leave it out")

    def embed(self, ids: Tensor, segments: Tensor | None = None) -> Tensor:
        """Token + position + segment, normalised: (B, T) ids -> (B, T, D). segments None: all 0."""
        where = torch.arange(ids.shape[1], device=ids.device)
        segment = self.segments.weight[0] if segments is None else self.segments(segments)
        return self.drop(self.norm(self.tokens(ids) + self.positions(where) + segment))

    def hidden(
        self, ids: Tensor, segments: Tensor | None = None, real: Tensor | None = None, *, fast: bool = True
    ) -> Tensor:
        """(B, T) -> (B, T, D), the last block's output. Raises ValueError as `check`."""
        self.check(ids, segments, real)
        h = self.embed(ids, segments)
        for block in self.blocks:
            h = block(h, real=real, fast=fast)
        return h

    def pool(self, h: Tensor) -> Tensor:
        """The first position, [CLS], through a linear layer and tanh: (B, T, D) -> (B, D)."""
        return self.pooler(h[:, 0]).tanh()

    def forward(self, ids: Tensor, segments: Tensor | None = None, real: Tensor | None = None) -> Tensor:
        """As `hidden`."""
        return self.hidden(ids, segments, real)


def initialise(config: BertConfig):
    """What `apply` calls: normal(0, 0.02) at the paper's width of 768, larger in a narrower net, as GPT."""
    std = 0.02 * math.sqrt(768 / config.width)

    def on(module: nn.Module) -> None:
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=std)
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)

    return on


class MaskedWords(nn.Module):
    """The masked-word head: dense, GELU, norm, the embedding matrix turned round, and a bias a token."""

    def __init__(self, width: int, vocab_size: int):
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width, eps=EPS)
        self.bias = nn.Parameter(torch.zeros(vocab_size))

    def forward(self, h: Tensor, embedding: Tensor) -> Tensor:
        """(…, D) states and the (V, D) token embedding -> (…, V) logits."""
        return F.linear(self.norm(F.gelu(self.dense(h))), embedding, self.bias)


class BertPretraining(nn.Module):
    """BERT with the heads of its two games: masked words, and whether text B follows text A."""

    def __init__(self, config: BertConfig):
        super().__init__()
        self.config = config
        self.bert = Bert(config)
        self.words = MaskedWords(config.width, config.vocab_size)
        self.next = nn.Linear(config.width, 2)
        self.words.apply(initialise(config))
        self.next.apply(initialise(config))

    def forward(
        self, ids: Tensor, segments: Tensor | None = None, real: Tensor | None = None, *, fast: bool = True
    ) -> tuple[Tensor, Tensor]:
        """(B, T) -> logits of every position's word (B, T, V), and of IS_NEXT and NOT_NEXT (B, 2)."""
        h = self.bert.hidden(ids, segments, real, fast=fast)
        return self.words(h, self.bert.tokens.weight), self.next(self.bert.pool(h))

    def losses(
        self,
        ids: Tensor,
        targets: Tensor,
        follows: Tensor | None = None,
        segments: Tensor | None = None,
        real: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """(masked-word loss, next-sentence loss) in nats; the paper trains their sum.

        targets: (B, T), IGNORE where nothing is asked; follows: (B,) IS_NEXT, NOT_NEXT or IGNORE (None: not
        asked, 0). Only the positions that are asked for go through the head, which saves most of its work.
        """
        h = self.bert.hidden(ids, segments, real)
        asked = targets != IGNORE
        words = masked_word_loss(self.words(h[asked], self.bert.tokens.weight), targets[asked])
        if follows is None:
            return words, words.new_zeros(())
        return words, masked_word_loss(self.next(self.bert.pool(h)), follows)


class BertChoice(nn.Module):
    """BERT with one number more: how well a context and an ending go together. A softmax over C endings."""

    def __init__(self, bert: Bert):
        super().__init__()
        self.bert = bert
        self.choice = nn.Linear(bert.config.width, 1)
        self.choice.apply(initialise(bert.config))

    def forward(self, ids: Tensor, segments: Tensor | None = None, real: Tensor | None = None) -> Tensor:
        """(B, C, T): one row [CLS] context [SEP] ending [SEP] for each ending -> scores (B, C)."""
        if ids.ndim != 3:
            raise ValueError(
                f"token ids have shape {tuple(ids.shape)}; (batch, endings, positions) is needed"
            )
        rows = [None if given is None else given.flatten(0, 1) for given in (ids, segments, real)]
        pooled = self.bert.pool(self.bert.hidden(*rows))  # (B·C, D)
        return self.choice(self.bert.drop(pooled)).view(ids.shape[:2])


def masked_word_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """The mean of -log P(word that stood there) over the positions asked for, and over no others, in nats.

    logits: (…, V); targets: (…), IGNORE where nothing is asked. The sum is divided by how many were asked, so
    that a batch's padding and its unmasked words weigh nothing. Where none is asked it is 0, with gradient 0.
    """
    asked = targets != IGNORE
    if not asked.any():
        return logits.sum() * 0.0
    return F.cross_entropy(logits[asked], targets[asked])  # (N, V), (N,)


def mask_tokens(
    ids: Tensor, generator: torch.Generator, *, mask_id: int, n_special: int, vocab_size: int,
    share: float = 0.15, fates: tuple[float, float, float] = (0.8, 0.1, 0.1),
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """BERT's recipe: choose 15 % of the tokens; show 80 % as [MASK], 10 % as any word, 10 % as they are.

    ids: (B, T), special tokens (padding too) being below n_special: they are never chosen. Chosen are pieces,
    not whole words, as in the paper: of the n others in a row round(share · n), but at least one; in a row
    with none, none. fates: the shares of chosen tokens that become [MASK], a random word, and stay.
    Returns what the model reads and the targets, both (B, T): the token that stood there where it was chosen,
    IGNORE elsewhere. Raises ValueError for a share outside (0, 1] and for fates that do not sum to 1.
    """
    check_masking(share, fates)
    may_choose = ids >= n_special  # (B, T)
    wanted = (share * may_choose.sum(1, keepdim=True)).round().clamp(min=1)  # (B, 1)
    lot = torch.rand(ids.shape, generator=generator).masked_fill(~may_choose, 2.0)
    chosen = (lot.argsort(1).argsort(1) < wanted) & may_choose  # the smallest lots, row by row
    fate = torch.rand(ids.shape, generator=generator)
    words = torch.randint(n_special, vocab_size, ids.shape, generator=generator)
    read = ids.masked_fill(chosen & (fate < fates[0]), mask_id)
    read = torch.where(chosen & (fate >= fates[0]) & (fate < fates[0] + fates[1]), words, read)
    return read, ids.masked_fill(~chosen, IGNORE)


def check_masking(share: float, fates: tuple[float, float, float]) -> None:
    """Raise ValueError, with the paper's figures, for shares that cannot be."""
    if not 0 < share <= 1:
        raise ValueError(
            f"share is {share}: the share of tokens to choose lies in (0, 1], the paper's is 0.15"
        )
    if min(fates) < 0 or not math.isclose(sum(fates), 1):
        raise ValueError(f"fates are {fates}: three shares that sum to 1, the paper's (0.8, 0.1, 0.1)")


def pack(first: Sequence[int], second: Sequence[int] = (), *, cls_id: int, sep_id: int, context: int):
    """[CLS] first [SEP] second [SEP] and the segment of each token; one text: [CLS] first [SEP].

    Returns (ids, segments), lists of equal length. The first text, its [CLS] and its [SEP] are segment 0.
    Raises ValueError for an empty text, and where the row would be longer than `context`.
    """
    if not len(first):
        raise ValueError("the text is empty: give at least one token")
    ids, segments = [cls_id, *first, sep_id], [0] * (len(first) + 2)
    if len(second):
        ids, segments = [*ids, *second, sep_id], segments + [1] * (len(second) + 1)
    if len(ids) > context:
        raise ValueError(
            f"the row is {len(ids)} tokens long with [CLS] and [SEP], this model's context is {context}: "
            f"shorten the text by {len(ids) - context}"
        )
    return ids, segments


def pad(rows: Sequence[Sequence[int]], value: int = 0) -> Tensor:
    """Lists of token ids as one (B, T) tensor, filled up with `value` behind the shorter ones."""
    length = max(map(len, rows))
    return torch.tensor([[*row, *[value] * (length - len(row))] for row in rows])


def next_sentence_pair(
    documents: Sequence[Sequence[Sequence[int]]], generator: torch.Generator
) -> tuple[list[int], list[int], int]:
    """A coin: (A, B, IS_NEXT) with B the sentence that follows A, or (A, B, NOT_NEXT) with B from elsewhere.

    documents: lists of sentences, each a list of token ids; two sentences or more each. A is the beginning of
    a document, B one sentence. A wrong B is taken from the same place of another document, so that B by
    itself never tells. (The paper takes it from anywhere; but a first sentence reads unlike a later one.)
    Raises ValueError where a document has one sentence, and where no other seems to be long enough.
    """

    def below(n: int) -> int:
        return int(torch.randint(n, (), generator=generator))

    one = below(len(documents))
    if len(documents[one]) < 2:
        raise ValueError(f"document {one} has {len(documents[one])} sentence(s): A and B need two")
    place = 1 + below(len(documents[one]) - 1)
    first = [token for sentence in documents[one][:place] for token in sentence]
    if below(2) == IS_NEXT:
        return first, list(documents[one][place]), IS_NEXT
    for _ in range(100):
        other = below(len(documents))
        if other != one and len(documents[other]) > place:
            return first, list(documents[other][place]), NOT_NEXT
    raise ValueError(
        f"of 100 documents drawn no other one has {place + 1} sentences: give more, or longer ones"
    )


def count_parameters(config: BertConfig, heads: bool = False) -> int:
    """How many numbers such a BERT learns: the encoder with its pooler; heads=True counts both games' too.

    Nothing is allocated (it is built on the meta device). The paper's 110 M and 340 M are the encoder's.
    """
    with torch.device("meta"):
        model = BertPretraining(replace(config, dropout=0.0))
    return sum(p.numel() for p in (model if heads else model.bert).parameters())
