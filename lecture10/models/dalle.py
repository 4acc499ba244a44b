"""DALL·E, stages two and three: one transformer over a caption's tokens, then a picture's; the best of many.

Ramesh et al. 2021, "Zero-Shot Text-to-Image Generation", sections 2.2 and 2.6. Stage one, the dVAE, is in
`models/dvae.py`. The transformer is our GPT. Simplified: every position looks at all before it (the paper's
sparse layers look along rows, columns or a window), positions are learnt one by one (the paper adds a row's
and a column's), and captions are filled up with their end token (the paper learns one filler a position).

    stream:  t_0 t_1 … t_{T-1} | z_0 z_1 … z_{P-1}    z counted from text_vocab on: two vocabularies, one list

B: batch; T: tokens of a caption; P: of a picture, row by row; V: text_vocab; K: codes.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lecture10.layers import KVCache
from lecture10.models.gpt import GPT, GPTConfig
from lecture10.sampling import generate

TEXT_WEIGHT, IMAGE_WEIGHT = 1 / 8, 7 / 8  # section 2.2: mainly pictures are to be modelled


@dataclass(frozen=True)
class DALLEConfig:
    """Defaults are a laptop's. The caption's last token, text_vocab - 1, ends it and fills it up."""

    text_vocab: int = 512  # V
    text_length: int = 24  # T
    codes: int = 128  # K
    grid: int = 8  # P = grid · grid
    width: int = 128
    layers: int = 4
    heads: int = 4

    def __post_init__(self):
        if self.codes < 2:
            raise ValueError(
                f"codes is {self.codes}: a codebook of one entry can say nothing; take 2 or more"
            )
        if min(self.text_length, self.grid) < 1:
            raise ValueError(f"text_length={self.text_length}, grid={self.grid}: give at least 1 of each")

    @property
    def image_length(self) -> int:
        """P: tokens of a picture."""
        return self.grid**2

    @property
    def end(self) -> int:
        """The id of the token that ends a caption."""
        return self.text_vocab - 1

    @property
    def gpt(self) -> GPTConfig:
        """The transformer over both."""
        vocab, context = self.text_vocab + self.codes, self.text_length + self.image_length
        return GPTConfig(vocab, context, self.width, self.layers, self.heads, dropout=0.0)


PRESETS = {
    "tiny": DALLEConfig(text_vocab=20, text_length=5, codes=8, grid=2, width=16, layers=2, heads=2),
    "laptop": DALLEConfig(),
    "paper": DALLEConfig(16_384, 256, 8192, 32, width=3968, layers=64, heads=62),
}


class DALLE(nn.Module):
    """A transformer that reads a caption and goes on with a picture."""

    def __init__(self, config: DALLEConfig):
        super().__init__()
        self.config = config
        self.gpt = GPT(config.gpt)

    def text(self, ids: Tensor) -> Tensor:
        """Captions (B, any length) cut or filled with end tokens to (B, T). Raises ValueError for longer."""
        T, end = self.config.text_length, self.config.end
        if ids.ndim != 2 or not len(ids):
            raise ValueError(
                f"captions have shape {tuple(ids.shape)}: one row of token ids a caption is needed"
            )
        words = (ids != end).sum(1)
        if int(words.max()) > T - 1:
            raise ValueError(
                f"a caption has {int(words.max())} tokens and an end, this model reads {T}: shorten it"
            )
        return F.pad(ids[:, :T], (0, max(0, T - ids.shape[1])), value=end)

    def stream(self, ids: Tensor, codes: Tensor) -> Tensor:
        """One list of both: captions (B, ≤ T), codes (B, grid, grid) or (B, P) -> (B, T + P).

        A picture's tokens start at V, so that code 3 and word 3 are two different things.
        """
        return torch.cat([self.text(ids), codes.flatten(1) + self.config.text_vocab], 1)

    def codes(self, stream: Tensor) -> Tensor:
        """The picture's part of whole streams (B, T + P) as codes (B, grid, grid)."""
        return (stream[:, self.config.text_length :] - self.config.text_vocab).unflatten(
            1, 2 * (self.config.grid,)
        )

    def allowed(self, start: int, length: int, device: torch.device | None = None) -> Tensor:
        """(length, V + K) bool: what may follow positions start …: words up to T - 2, codes from T - 1 on.

        The caption's *last* position already speaks of the picture's first token.
        """
        position = torch.arange(start, start + length, device=device)[:, None]
        token = torch.arange(self.config.gpt.vocab_size, device=device)
        return (position >= self.config.text_length - 1) == (token >= self.config.text_vocab)

    def forward(self, ids: Tensor, *, cache: KVCache | None = None, fast: bool = True) -> Tensor:
        """(B, L) the first L tokens of streams -> (B, L, V + K) logits of the next, -inf if it cannot be."""
        start = cache.length if cache is not None else 0
        logits = self.gpt(ids, cache=cache, fast=fast)
        return logits.masked_fill(~self.allowed(start, ids.shape[1], ids.device), -torch.inf)

    def new_cache(self) -> KVCache:
        """An empty cache for one whole stream."""
        return self.gpt.new_cache()

    def losses(self, ids: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        """(text, picture): mean nats a token of captions (B, ≤ T) and codes (B, grid, grid).

        The first word is given, so T - 1 of a caption are told, and all P of a picture.
        """
        stream = self.stream(ids, codes)
        told = F.cross_entropy(self(stream[:, :-1]).transpose(1, 2), stream[:, 1:], reduction="none")
        before = self.config.text_length - 1
        return told[:, :before].mean(), told[:, before:].mean()  # (B, T - 1), (B, P)

    def loss(self, ids: Tensor, codes: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """text / 8 + 7 · picture / 8, and both."""
        text, image = self.losses(ids, codes)
        return TEXT_WEIGHT * text + IMAGE_WEIGHT * image, {"text": text.detach(), "image": image.detach()}

    def draw(self, ids: Tensor, *, temperature: float = 1.0, top_k: int | None = None,
             generator: torch.Generator | None = None, cached: bool = True) -> Tensor:  # fmt: skip
        """Codes (B, grid, grid) of a picture for each caption (B, ≤ T), token by token.

        temperature, top_k: as in `sampling.next_token_probs`. Raises ValueError for long captions and bad
        settings.
        """
        how = {"temperature": temperature, "top_k": top_k, "generator": generator, "cached": cached}
        return self.codes(generate(_Reader(self), self.text(ids), self.config.image_length, **how))


class _Reader(nn.Module):
    """A DALLE as `sampling.generate` reads models: its context is that of the transformer."""

    def __init__(self, dalle: DALLE):
        super().__init__()
        self.dalle, self.config, self.new_cache = dalle, dalle.config.gpt, dalle.new_cache

    def forward(self, ids: Tensor, **how) -> Tensor:
        return self.dalle(ids, **how)


def rerank(scores: Tensor, n: int) -> Tensor:
    """Which of the first n samples of each prompt scores best: (prompts, N) -> (prompts,).

    Stage three: scores are CLIP's cosines of caption and picture (section 2.6). n = 1 takes the first. Raises
    ValueError for n below 1, and where there are fewer samples.
    """
    if scores.ndim != 2:
        raise ValueError(f"scores have shape {tuple(scores.shape)}: (prompts, samples) is needed")
    if not 1 <= n <= scores.shape[1]:
        raise ValueError(
            f"best of N = {n}: draw at least 1 picture, and no more than the {scores.shape[1]} "
            "that were scored"
        )
    return scores[:, :n].argmax(1)


def best_of(values: Tensor, scores: Tensor, n: int) -> Tensor:
    """What the chosen samples are worth by another measure: values, scores (prompts, N) -> (prompts,)."""
    return values.gather(1, rerank(scores, n)[:, None]).squeeze(1)


def count_parameters(config: DALLEConfig) -> int:
    """How many numbers such a transformer learns; nothing is allocated (it is built on the meta device)."""
    with torch.device("meta"):
        return sum(p.numel() for p in DALLE(config).parameters())
