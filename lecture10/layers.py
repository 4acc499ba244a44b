"""The layers that the course's models share: attention written out, its fast twin, and the transformer block.

B: batch; T: positions that ask; S: positions that are looked at; H: heads; d: width of a head; D = H·d: model
width.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def causal_mask(length: int, device: torch.device | None = None) -> Tensor:
    """(T, T) bool, True where position t may look at s: at itself and at what came before."""
    return torch.ones(length, length, dtype=torch.bool, device=device).tril()


def attention_weights(q: Tensor, k: Tensor, may_look: Tensor | None = None) -> Tensor:
    """Softmax(q kᵀ / √d): how much each position looks at each other one; every row sums to 1.

    q: (B, H, T, d); k: (B, H, S, d); may_look: (T, S) bool, True where t may look at s (None: everywhere).
    Returns (B, H, T, S). Raises ValueError when some position may look at nothing.
    """
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (B, H, T, S)
    if may_look is not None:
        if not may_look.any(-1).all():
            raise ValueError("some position may look at nothing: its softmax is undefined. Let it see itself")
        scores = scores.masked_fill(~may_look, -math.inf)
    return scores.softmax(-1)


def attend(q: Tensor, k: Tensor, v: Tensor, may_look: Tensor | None = None) -> Tensor:
    """Softmax(q kᵀ / √d) v, written out (Vaswani et al. 2017, eq. 1).

    q: (B, H, T, d); k, v: (B, H, S, d); may_look as in `attention_weights`. Returns (B, H, T, d).
    """
    return attention_weights(q, k, may_look) @ v  # (B, H, T, S) (B, H, S, d) -> (B, H, T, d)


@dataclass
class KVCache:
    """Keys and values of the positions already read, so that a new token costs one step instead of all.

    One pair of (B, H, room, d) tensors per layer, of which the first `length` positions are filled.
    """

    room: int
    length: int = 0
    layers: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Append this layer's new keys and values (B, H, T, d); return all of them (B, H, length + T, d).

        Raises ValueError when they do not fit. `length` moves on only when the whole model calls `advance`.
        """
        end = self.length + k.shape[2]
        if end > self.room:
            raise ValueError(f"{end} positions do not fit into a cache of {self.room}: start a new cache")
        if layer not in self.layers:
            shape = (*k.shape[:2], self.room, k.shape[3])
            self.layers[layer] = (k.new_empty(shape), v.new_empty(shape))
        keys, values = self.layers[layer]
        keys[:, :, self.length : end] = k
        values[:, :, self.length : end] = v
        return keys[:, :, :end], values[:, :, :end]

    def advance(self, steps: int) -> None:
        """Count `steps` more positions as read; a model calls it once, after its last layer."""
        self.length += steps


class SelfAttention(nn.Module):
    """Multi-head self-attention; causal or not, plain or fast, with or without a cache.

    own_attend, mask: functions with the arguments of `attend` and `causal_mask`, such as a notebook's edited
    ones. Where own_attend is set it mixes, in place of the fused attention.
    """

    own_attend: Callable[..., Tensor] | None = None
    mask: Callable[..., Tensor] = staticmethod(causal_mask)

    def __init__(self, width: int, heads: int, *, causal: bool, dropout: float = 0.0):
        super().__init__()
        if width % heads:
            raise ValueError(
                f"width {width} cannot be split into {heads} heads: choose a multiple of {heads}"
            )
        self.heads, self.causal, self.dropout = heads, causal, dropout
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.drop = nn.Dropout(dropout)

    def split(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, T, D) -> queries, keys and values, each (B, H, T, d)."""
        B, T, D = x.shape
        qkv = self.qkv(x).view(B, T, 3, self.heads, D // self.heads)
        return qkv.permute(2, 0, 3, 1, 4).unbind(0)  # 3 of (B, H, T, d)

    def may_look(self, T: int, S: int, device: torch.device) -> Tensor | None:
        """(T, S) mask of the last T of S positions; None where every position may look everywhere."""
        return self.mask(S, device)[S - T :] if self.causal and T > 1 else None

    def forward(
        self, x: Tensor, *, cache: KVCache | None = None, layer: int = 0, fast: bool = True
    ) -> Tensor:
        """(B, T, D) -> (B, T, D). With a cache the T positions follow those that it holds.

        fast: torch's fused attention; else `attend` above. They agree (a test says so).
        """
        q, k, v = self.split(x)
        T = q.shape[2]
        if cache is not None:
            k, v = cache.extend(layer, k, v)
        S, dropout = k.shape[2], self.dropout if self.training else 0.0
        whole = self.causal and T == S > 1  # the usual case, which the fused kernel masks by itself
        if self.own_attend is not None:
            mixed = self.own_attend(q, k, v, self.may_look(T, S, x.device))
        elif fast:
            mask = None if whole else self.may_look(T, S, x.device)
            mixed = F.scaled_dot_product_attention(
                q, k, v, attn_mask=mask, dropout_p=dropout, is_causal=whole
            )
        else:
            weights = attention_weights(q, k, self.may_look(T, S, x.device))
            mixed = F.dropout(weights, dropout) @ v  # (B, H, T, S) (B, H, S, d) -> (B, H, T, d)
        return self.drop(self.out(mixed.transpose(1, 2).flatten(2)))  # (B, H, T, d) -> (B, T, D)


class FeedForward(nn.Module):
    """Two linear layers around a GELU, four times as wide inside: D -> 4D -> D."""

    def __init__(self, width: int, *, dropout: float = 0.0, gelu: str = "tanh"):
        super().__init__()
        self.up = nn.Linear(width, 4 * width)
        self.gelu = nn.GELU(approximate=gelu)  # "tanh" is GPT's, "none" the exact one of BERT
        self.down = nn.Linear(4 * width, width)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D) -> (B, T, D)."""
        return self.drop(self.down(self.gelu(self.up(x))))


class TransformerBlock(nn.Module):
    """Attention, then feed-forward, each added to what came in.

    norm="post" normalises after each addition (Vaswani 2017, GPT-1, BERT); "pre" before each branch (GPT-2,
    ViT).
    """

    def __init__(self, width: int, heads: int, *, causal: bool, norm: str = "pre", dropout: float = 0.0,
                 gelu: str = "tanh", eps: float = 1e-5):  # fmt: skip
        super().__init__()
        if norm not in ("pre", "post"):
            raise ValueError(f"norm is {norm!r}: it is 'pre' (GPT-2) or 'post' (GPT-1)")
        self.norm = norm
        self.attention = SelfAttention(width, heads, causal=causal, dropout=dropout)
        self.norm1 = nn.LayerNorm(width, eps=eps)
        self.feed_forward = FeedForward(width, dropout=dropout, gelu=gelu)
        self.norm2 = nn.LayerNorm(width, eps=eps)

    def forward(self, x: Tensor, **how) -> Tensor:
        """(B, T, D) -> (B, T, D); `how` is handed to the attention."""
        if self.norm == "pre":
            x = x + self.attention(self.norm1(x), **how)
            return x + self.feed_forward(self.norm2(x))
        x = self.norm1(x + self.attention(x, **how))
        return self.norm2(x + self.feed_forward(x))
