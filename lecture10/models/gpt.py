"""GPT: a transformer that reads from left to right and says what comes next.

Radford et al. 2018, "Improving Language Understanding by Generative Pre-Training" (GPT-1: post-norm), and
Radford et al. 2019, "Language Models are Unsupervised Multitask Learners" (GPT-2: pre-norm, one more norm at
the end).
Simplified: dropout acts on activations only (GPT-1's code also drops whole entries of the embedding matrix),
and special tokens are ordinary entries of the vocabulary. B: batch, T: positions, D: width, V: vocabulary.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lecture10.layers import KVCache, TransformerBlock, attention_weights, causal_mask


@dataclass(frozen=True)
class GPTConfig:
    """The size and kind of a GPT. Defaults are GPT-2's kind (pre-norm) at laptop size."""

    vocab_size: int = 1024
    context: int = 128
    width: int = 128
    layers: int = 4
    heads: int = 4
    norm: str = "pre"  # "post" is GPT-1; "pre" is GPT-2's and trains without a careful warm-up
    dropout: float = 0.1


PRESETS = {
    "tiny": GPTConfig(vocab_size=64, context=16, width=16, layers=2, heads=2, dropout=0.0),
    "laptop": GPTConfig(),
    "paper": GPTConfig(vocab_size=40_478, context=512, width=768, layers=12, heads=12, norm="post"),
    "gpt2": GPTConfig(vocab_size=50_257, context=1024, width=768, layers=12, heads=12),
}


class GPT(nn.Module):
    """A left-to-right language model whose output layer is its embedding matrix, turned round."""

    def __init__(self, config: GPTConfig):
        super().__init__()
        self.config = config
        self.tokens = nn.Embedding(config.vocab_size, config.width)  # W_e
        self.positions = nn.Embedding(config.context, config.width)  # W_p
        self.drop = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(
            TransformerBlock(
                config.width, config.heads, causal=True, norm=config.norm, dropout=config.dropout
            )
            for _ in range(config.layers)
        )
        self.last_norm = nn.LayerNorm(config.width) if config.norm == "pre" else nn.Identity()
        self.apply(self._initialise)

    def _initialise(self, module: nn.Module) -> None:
        """Normal(0, 0.02) at the papers' width of 768; a narrower net's rows keep their norm by being larger.

        (At width 96, plain 0.02 costs a tenth of the loss after 600 steps.) GPT-2's layers that add to the
        stream are scaled down by √(2·layers).
        """
        std = 0.02 * math.sqrt(768 / self.config.width)
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=std)
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)
        if isinstance(module, TransformerBlock) and self.config.norm == "pre":
            for adds in (module.attention.out, module.feed_forward.down):
                nn.init.normal_(adds.weight, std=std / math.sqrt(2 * self.config.layers))

    def check(self, ids: Tensor, start: int = 0) -> None:
        """Raise ValueError, with the cure, for token ids that this model cannot read."""
        if ids.ndim != 2 or ids.shape[1] == 0:
            raise ValueError(
                f"token ids have shape {tuple(ids.shape)}; (batch, positions) with one or more is needed"
            )
        if start + ids.shape[1] > self.config.context:
            raise ValueError(
                f"{start + ids.shape[1]} tokens are more than this model's context of {self.config.context}: "
                f"keep the last {self.config.context} (ids[:, -{self.config.context}:]) or cut the text"
            )
        if ids.is_cpu and not 0 <= int(ids.min()) <= int(ids.max()) < self.config.vocab_size:
            raise ValueError(
                f"token ids run from {int(ids.min())} to {int(ids.max())}, the vocabulary from 0 to "
                f"{self.config.vocab_size - 1}: was the text encoded with another tokenizer?"
            )

    def embed(self, ids: Tensor, start: int = 0) -> Tensor:
        """h_0 = U W_e + W_p: (B, T) token ids at positions start … start + T - 1 -> (B, T, D)."""
        where = torch.arange(start, start + ids.shape[1], device=ids.device)
        return self.drop(self.tokens(ids) + self.positions(where))

    def hidden(self, ids: Tensor, *, cache: KVCache | None = None, fast: bool = True) -> Tensor:
        """h_n: (B, T) -> (B, T, D), the last block's output (after GPT-2's last norm). Raises ValueError as
        `check`.
        """
        start = cache.length if cache is not None else 0
        self.check(ids, start)
        h = self.embed(ids, start)
        for layer, block in enumerate(self.blocks):
            h = block(h, cache=cache, layer=layer, fast=fast)  # h_l = transformer_block(h_{l-1})
        if cache is not None:
            cache.advance(ids.shape[1])
        return self.last_norm(h)

    def unembed(self, h: Tensor) -> Tensor:
        """h W_eᵀ: (…, D) -> (…, V) logits; P(u) is their softmax."""
        return F.linear(h, self.tokens.weight)

    def forward(self, ids: Tensor, *, cache: KVCache | None = None, fast: bool = True) -> Tensor:
        """(B, T) token ids -> (B, T, V) logits of the token after each."""
        return self.unembed(self.hidden(ids, cache=cache, fast=fast))

    def use_attention(self, attend: Callable[..., Tensor] | None, mask=causal_mask) -> "GPT":
        """Let every block mix with these functions, not the fused attention (None: as before)."""
        for block in self.blocks:
            block.attention.own_attend, block.attention.mask = attend, mask
        return self

    def new_cache(self) -> KVCache:
        """An empty cache with room for this model's whole context."""
        return KVCache(self.config.context)

    @torch.no_grad()
    def attention_maps(self, ids: Tensor) -> Tensor:
        """(B, T) -> (layers, B, H, T, T): what each head looks at, by the plain attention. Rows sum to 1."""
        self.check(ids)
        h, maps = self.embed(ids), []
        for block in self.blocks:
            seen = block.norm1(h) if block.norm == "pre" else h
            q, k, _ = block.attention.split(seen)
            maps.append(attention_weights(q, k, causal_mask(ids.shape[1], ids.device)))
            h = block(h)
        return torch.stack(maps)


def language_model_loss(logits: Tensor, ids: Tensor) -> Tensor:
    """-L1 per token: the mean of -log P(u_i | u_1 … u_{i-1}), in nats.

    ids: (B, T); logits: (B, T - 1 or T, V), those at position t being about token t + 1: what stands at the
    last of T positions is about a token that is not there. Raises ValueError for sequences of one token.
    """
    if ids.shape[1] < 2:
        raise ValueError("a text of one token holds nothing to predict: give two tokens or more")
    logits = logits[:, : ids.shape[1] - 1]  # (B, T - 1, V)
    return F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())  # (B·(T-1), V), (B·(T-1),)


class DoubleHeads(nn.Module):
    """A GPT with its language-model head and a linear head that scores whole sequences (multiple choice)."""

    def __init__(self, gpt: GPT):
        super().__init__()
        self.gpt = gpt
        self.choice = nn.Linear(gpt.config.width, 1)

    def forward(self, ids: Tensor, ends: Tensor) -> tuple[Tensor, Tensor]:
        """Score C candidate sequences of each of B questions.

        ids: (B, C, T); ends: (B, C), the position whose hidden state h_n^m stands for the whole sequence.
        Returns language-model logits (B, C, T, V) and choice logits (B, C), to be compared by a softmax over
        C.
        """
        B, C, T = ids.shape
        h = self.gpt.hidden(ids.flatten(0, 1)).view(B, C, T, -1)  # (B, C, T, D)
        at_end = h.gather(2, ends[..., None, None].expand(B, C, 1, h.shape[-1])).squeeze(2)  # (B, C, D)
        return self.gpt.unembed(h), self.choice(self.gpt.drop(at_end)).squeeze(-1)

    def losses(self, ids: Tensor, ends: Tensor, answers: Tensor) -> tuple[Tensor, Tensor]:
        """(language-model loss over all tokens, choice loss) for right answers (B,), both in nats."""
        lm_logits, choice_logits = self(ids, ends)
        lm = language_model_loss(lm_logits.flatten(0, 1), ids.flatten(0, 1))
        return lm, F.cross_entropy(choice_logits, answers)


def count_parameters(config: GPTConfig) -> int:
    """How many numbers such a GPT learns; nothing is allocated (it is built on the meta device)."""
    with torch.device("meta"):
        return sum(p.numel() for p in GPT(replace(config, dropout=0.0)).parameters())
