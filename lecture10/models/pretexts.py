"""Two other things to ask of CLIP's image tower: name the caption's words, or write the caption.

What CLIP's loss is compared with in Radford et al. 2021, section 2.3 and figure 2: predicting a bag of words
(after Joulin et al. 2016, "Learning Visual Features from Large Weakly Supervised Data") and an image-
conditioned language model (after Desai & Johnson 2021, VirTex). Simplified: the language model sees the
picture as one token in front of the caption; words are the tokenizer's tokens.
B: batch; T: positions; D: width; E: width of the embedding; V: vocabulary; C: classes.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lecture10.models.clip import CLIPConfig
from lecture10.models.vision import image_tower, transformer


class BagOfWords(nn.Module):
    """An image tower and one linear layer: which tokens stand in the caption, in whatever order?"""

    def __init__(self, config: CLIPConfig):
        super().__init__()
        self.config = config
        self.image_tower = image_tower(config.image, config.embed, config.gelu)
        self.words = nn.Linear(config.embed, config.text.vocab_size)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, S, S) in [0, 1] -> (B, V): the logarithm of each token's share of the caption."""
        return self.words(self.image_tower(2 * images - 1)).log_softmax(-1)

    def loss(self, images: Tensor, ids: Tensor) -> Tensor:
        """-(1/K) Σ log p(w) over the K different tokens of each caption, the mean over captions; nats.

        ids: (B, T), each text with its end token. Not below ln K: the softmax has to share itself out.
        """
        held = self.held(ids).float()  # (B, V)
        return -((held * self(images)).sum(1) / held.sum(1)).mean()

    def held(self, ids: Tensor) -> Tensor:
        """(B, T) -> (B, V) bool: which tokens stand before the text's end."""
        held = torch.zeros(len(ids), self.config.text.vocab_size, dtype=torch.bool, device=ids.device)
        held.scatter_(1, ids, True)
        held[:, self.config.text.end] = False
        if not held.any(1).all():
            raise ValueError(f"text {int(held.any(1).int().argmin())} is empty: it has no words to predict")
        return held

    def scores(self, images: Tensor, ids: Tensor) -> Tensor:
        """Pictures against class names: (B, 3, S, S), (C, T) -> (B, C), the sum of log p of a name's tokens
        above their mean over these pictures.

        What is frequent in all captions speaks for no class: pointwise mutual information, with the mean of
        log p in place of log of the mean.
        """
        log_words = self(images)  # (B, V)
        return (log_words - log_words.mean(0)) @ self.held(ids).to(log_words.dtype).T


class CaptionModel(nn.Module):
    """A causal transformer that writes the caption, token by token, with the picture as its first token."""

    def __init__(self, config: CLIPConfig):
        super().__init__()
        text = config.text
        self.config = config
        self.image_tower = image_tower(config.image, config.embed, config.gelu)
        self.picture = nn.Linear(config.embed, text.width)
        self.tokens = nn.Embedding(text.vocab_size, text.width)
        self.positions = nn.Parameter(0.01 * torch.randn(text.context, text.width))
        self.blocks = transformer(text.width, text.layers, text.heads, causal=True, gelu=config.gelu)
        self.last_norm = nn.LayerNorm(text.width)
        nn.init.normal_(self.tokens.weight, std=text.width**-0.5)

    def features(self, images: Tensor) -> Tensor:
        """(B, 3, S, S) in [0, 1] -> (B, D): the picture as a token."""
        return self.picture(self.image_tower(2 * images - 1))

    def log_tokens(self, picture: Tensor, ids: Tensor) -> Tensor:
        """(B, D), (B, T) -> (B, T): log p of each token, given the picture and the tokens before it."""
        before = self.tokens(ids[:, :-1])  # (B, T - 1, D)
        x = torch.cat([picture[:, None], before], 1) + self.positions[: ids.shape[1]]  # (B, T, D)
        for block in self.blocks:
            x = block(x)
        logits = F.linear(self.last_norm(x), self.tokens.weight)  # (B, T, V)
        return -F.cross_entropy(logits.transpose(1, 2), ids, reduction="none")

    def read(self, ids: Tensor) -> Tensor:
        """(B, T) bool: which tokens belong to the text, its first end token included."""
        ended = (ids == self.config.text.end).long().cumsum(1)
        return (ended == 0) | ((ended == 1) & (ids == self.config.text.end))

    def loss(self, images: Tensor, ids: Tensor) -> Tensor:
        """-log p of a caption's tokens and of its end, the mean over all tokens of the batch; nats."""
        read = self.read(ids)
        return -self.log_tokens(self.features(images), ids)[read].mean()

    def scores(self, images: Tensor, ids: Tensor, *, rows: int = 20) -> Tensor:
        """Pictures against class names: (B, 3, S, S), (C, T) -> (B, C), log p(name | picture) above its mean
        over these pictures; a name's end is not asked for, since a caption may go on. `rows` pictures at a
        time.
        """
        name = self.read(ids) & (ids != self.config.text.end)  # (C, T)
        found = []
        for part in self.features(images).split(rows):
            pairs = part.repeat_interleave(len(ids), 0), ids.repeat(len(part), 1)  # (b·C, D), (b·C, T)
            found.append((self.log_tokens(*pairs) * name.repeat(len(part), 1)).sum(1).view(len(part), -1))
        log_p = torch.cat(found)  # (B, C)
        return log_p - log_p.mean(0)
