"""CLIP: a picture tower and a text tower that learn which caption goes with which picture.

Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision". The towers of
pictures are in `models/vision.py`, the loss in `models/contrastive.py`. Simplified: texts have no start
token; a text ends with the vocabulary's last id, and there it is read.
B: batch; S: side of a picture; T: positions; D: width; E: width of the embedding.
"""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lecture10.models.vision import ResNetConfig, ViTConfig, image_tower, transformer

FIRST_LOGIT_SCALE = math.log(1 / 0.07)  # 2.659: cosines are first multiplied by 14.29
MOST_LOGIT_SCALE = math.log(100)  # 4.605: "clipped to prevent scaling the logits by more than 100"
OPENAI_MEAN = (0.48145466, 0.4578275, 0.40821073)
OPENAI_STD = (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True)
class TextConfig:
    """The text tower, a causal transformer. Its last token, vocab_size - 1, ends a text."""

    vocab_size: int = 512
    context: int = 48
    width: int = 128
    layers: int = 2
    heads: int = 4

    @property
    def end(self) -> int:
        """The id of the end token."""
        return self.vocab_size - 1


@dataclass(frozen=True)
class CLIPConfig:
    """Two towers and the space where they meet. Defaults are a laptop's, with the modified ResNet."""

    image: ResNetConfig | ViTConfig = field(default_factory=ResNetConfig)
    text: TextConfig = field(default_factory=TextConfig)
    embed: int = 128
    gelu: str = "quick"  # OpenAI's; "exact" is LAION's, and what new models use
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)  # pixels in [0, 1] become (pixel - mean) / std
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)


def _resnet(image_size: int, width: int, layers: tuple[int, ...], embed: int, text: int) -> CLIPConfig:
    image = ResNetConfig(image_size, width, layers, heads=width // 2)  # heads of 64 channels
    return CLIPConfig(image, _paper_text(text), embed, mean=OPENAI_MEAN, std=OPENAI_STD)


def _vit(image_size: int, patch: int, width: int, layers: int, embed: int, text: int) -> CLIPConfig:
    image = ViTConfig(image_size, patch, width, layers, heads=width // 64)
    return CLIPConfig(image, _paper_text(text), embed, mean=OPENAI_MEAN, std=OPENAI_STD)


def _paper_text(width: int) -> TextConfig:
    return TextConfig(49_408, 77, width, 12, heads=width // 64)


PRESETS = {
    "tiny": CLIPConfig(
        ResNetConfig(32, width=8, layers=(1, 1), heads=2, stem_stride=4),
        TextConfig(64, 12, width=16, layers=1, heads=2),
        embed=16,
    ),
    "tiny-vit": CLIPConfig(
        ViTConfig(32, patch=8, width=16, layers=2, heads=2),
        TextConfig(64, 12, width=16, layers=1, heads=2),
        embed=16,
    ),
    "laptop": CLIPConfig(),
    "laptop-vit": CLIPConfig(ViTConfig()),
    "RN50": _resnet(224, 64, (3, 4, 6, 3), embed=1024, text=512),
    "RN101": _resnet(224, 64, (3, 4, 23, 3), embed=512, text=512),
    "RN50x4": _resnet(288, 80, (4, 6, 10, 6), embed=640, text=640),
    "RN50x16": _resnet(384, 96, (6, 8, 18, 8), embed=768, text=768),
    "RN50x64": _resnet(448, 128, (3, 15, 36, 10), embed=1024, text=1024),
    "ViT-B/32": _vit(224, 32, 768, 12, embed=512, text=512),
    "ViT-B/16": _vit(224, 16, 768, 12, embed=512, text=512),
    "ViT-L/14": _vit(224, 14, 1024, 24, embed=768, text=768),
    "ViT-L/14@336px": _vit(336, 14, 1024, 24, embed=768, text=768),
}


class TextTower(nn.Module):
    """A GPT-2-like transformer without an output layer: the hidden state at the end token is the text's."""

    def __init__(self, config: TextConfig, embed: int, gelu: str):
        super().__init__()
        self.config = config
        self.tokens = nn.Embedding(config.vocab_size, config.width)
        self.positions = nn.Parameter(0.01 * torch.randn(config.context, config.width))
        self.blocks = transformer(config.width, config.layers, config.heads, causal=True, gelu=gelu)
        self.last_norm = nn.LayerNorm(config.width)
        self.projection = nn.Linear(config.width, embed, bias=False)  # W_t of the slide
        nn.init.normal_(self.tokens.weight, std=0.02)
        nn.init.normal_(self.projection.weight, std=config.width**-0.5)

    def check(self, ids: Tensor) -> None:
        """Raise ValueError, with the cure, for token ids that this tower cannot read."""
        context, end = self.config.context, self.config.end
        if ids.ndim != 2 or 0 in ids.shape:
            raise ValueError(
                f"token ids have shape {tuple(ids.shape)}; (texts, positions) with one or more is needed"
            )
        if ids.shape[1] > context:
            raise ValueError(
                f"{ids.shape[1]} tokens are more than this text tower's context of {context}: shorten the "
                "text before it is encoded (cutting its ids would cut off the end token, where it is read)"
            )
        if not ids.is_cpu:
            return
        if not 0 <= int(ids.min()) <= int(ids.max()) <= end:
            raise ValueError(
                f"token ids run from {int(ids.min())} to {int(ids.max())}, the vocabulary from 0 to {end}: "
                "was the text encoded with another tokenizer?"
            )
        ended = ids == end
        if not ended.any(1).all():
            raise ValueError(
                f"text {int(ended.any(1).int().argmin())} lacks the end token {end}, where the tower reads: "
                "append it to every text"
            )
        if ended[:, 0].any():
            raise ValueError(
                f"text {int(ended[:, 0].int().argmax())} is empty: the end token is its first. Write a prompt"
            )

    def hidden(self, ids: Tensor) -> Tensor:
        """(B, T) token ids -> (B, T, D), after the last norm."""
        x = self.tokens(ids) + self.positions[: ids.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.last_norm(x)

    def forward(self, ids: Tensor) -> Tensor:
        """(B, T) -> (B, E), read at each text's first end token; what stands after it does not matter."""
        self.check(ids)
        end = (ids == self.config.end).int().argmax(1)  # (B,)
        at_end = self.hidden(ids)[torch.arange(len(ids), device=ids.device), end]  # (B, D)
        return self.projection(at_end)


class CLIP(nn.Module):
    """Pictures and texts as unit vectors of one space; matching ones are to point the same way."""

    def __init__(self, config: CLIPConfig):
        super().__init__()
        self.config = config
        self.image_tower = image_tower(config.image, config.embed, config.gelu)
        self.text_tower = TextTower(config.text, config.embed, config.gelu)
        self.logit_scale = nn.Parameter(torch.tensor(FIRST_LOGIT_SCALE))  # t = log(1/τ)
        for name in ("mean", "std"):
            value = torch.tensor(getattr(config, name)).view(3, 1, 1)
            self.register_buffer(name, value, persistent=False)

    def check_images(self, images: Tensor) -> None:
        """Raise ValueError, with the cure, for what is not (B, 3, S, S) of floats in [0, 1]."""
        side, shape = self.config.image.image_size, tuple(images.shape)
        if len(shape) == 3:
            raise ValueError(f"images have shape {shape}: one picture is a batch of one, images[None]")
        if len(shape) == 4 and shape[1] != 3 and shape[3] == 3:
            raise ValueError(
                f"images have shape {shape}, colours last: bring them forward, images.permute(0, 3, 1, 2)"
            )
        if shape[1:] != (3, side, side) or not shape[0]:
            raise ValueError(
                f"images have shape {shape}, this model reads (batch, 3, {side}, {side}): resize or crop them"
            )
        if not images.is_floating_point():
            raise ValueError(f"images are {images.dtype}, wanted are floats in [0, 1]: images.float() / 255")
        if images.is_cpu:
            _check_range(images)

    def pixels(self, images: Tensor) -> Tensor:
        """(B, 3, S, S) in [0, 1] -> the same shape, (pixel - mean) / std of each colour."""
        self.check_images(images)
        return (images - self.mean) / self.std

    def embed_images(self, images: Tensor, *, normalise: bool = True) -> Tensor:
        """(B, 3, S, S) in [0, 1] -> (B, E); unit vectors unless normalise=False."""
        features = self.image_tower(self.pixels(images))
        return F.normalize(features, dim=-1) if normalise else features

    def embed_texts(self, ids: Tensor, *, normalise: bool = True) -> Tensor:
        """(B, T) token ids, each text with its end token -> (B, E); unit vectors unless normalise=False."""
        features = self.text_tower(ids)
        return F.normalize(features, dim=-1) if normalise else features

    def embed_places(self, images: Tensor, *, normalise: bool = True) -> Tensor:
        """(B, 3, S, S) in [0, 1] -> (B, h, w, E): the embedding, were the last look at that place alone."""
        features = self.image_tower.places(self.pixels(images))
        return F.normalize(features, dim=-1) if normalise else features

    def held_logit_scale(self) -> Tensor:
        """t, brought back to at most ln 100 first: a clamp in the graph would leave it without a gradient."""
        with torch.no_grad():
            self.logit_scale.clamp_(max=MOST_LOGIT_SCALE)
        return self.logit_scale

    def forward(self, images: Tensor, ids: Tensor) -> Tensor:
        """Scaled cosines e^t I_e T_eᵀ of every picture with every text: (B pictures, B' texts)."""
        return self.embed_images(images) @ self.embed_texts(ids).T * self.held_logit_scale().exp()


def _check_range(images: Tensor) -> None:
    low, high = (float(x) for x in images.detach().aminmax())
    if low >= -1e-3 and high <= 1 + 1e-3:
        return
    if low >= 0:
        cure = "divide by 255" if high <= 255 else "scale them down"
    elif low < 0:
        cure = "give the pixels themselves, the model subtracts the mean and divides by the spread"
    else:
        cure = "some pixels are no numbers (NaN)"
    raise ValueError(f"images run from {low:.3g} to {high:.3g}, wanted is [0, 1]: {cure}")


def count_parameters(config: CLIPConfig) -> int:
    """How many numbers such a CLIP learns; nothing is allocated (it is built on the meta device)."""
    with torch.device("meta"):
        return sum(p.numel() for p in CLIP(config).parameters())
