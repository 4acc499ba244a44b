"""Official SAM weights (Meta's, as transformers stores them) -> our SAM, and back; from a folder or the hub.

Read are transformers' `config.json` and `model.safetensors`; nothing is unpickled. A photograph's longer side
becomes 1024 pixels; what is missing below or at the right is filled with the mean colour.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from lecture10.models.sam import IMAGENET, SAM, SAMConfig
from lecture10.models.sam_vit import SamViTConfig
from lecture10.pretrained.folder import official_folder, read_folder

NAMES = {
    "ViT-B": "facebook/sam-vit-base",
    "ViT-L": "facebook/sam-vit-large",
    "ViT-H": "facebook/sam-vit-huge",
}
NEEDS = ("config.json", "model.safetensors")
PLAIN = {  # ours -> theirs, where one tensor or module is one
    "encoder.patches": "vision_encoder.patch_embed.projection",
    "encoder.positions": "vision_encoder.pos_embed",
    "encoder.neck.0": "vision_encoder.neck.conv1",
    "encoder.neck.1": "vision_encoder.neck.layer_norm1",
    "encoder.neck.2": "vision_encoder.neck.conv2",
    "encoder.neck.3": "vision_encoder.neck.layer_norm2",
    "prompts.places.waves": "shared_image_embedding.positional_embedding",
    "prompts.nothing": "prompt_encoder.not_a_point_embed.weight",
    "prompts.no_mask": "prompt_encoder.no_mask_embed.weight",
    "prompts.mask.0": "prompt_encoder.mask_embed.conv1",
    "prompts.mask.1": "prompt_encoder.mask_embed.layer_norm1",
    "prompts.mask.3": "prompt_encoder.mask_embed.conv2",
    "prompts.mask.4": "prompt_encoder.mask_embed.layer_norm2",
    "prompts.mask.6": "prompt_encoder.mask_embed.conv3",
    "decoder.iou_token": "mask_decoder.iou_token.weight",
    "decoder.mask_tokens": "mask_decoder.mask_tokens.weight",
    "decoder.last_norm": "mask_decoder.transformer.layer_norm_final_attn",
    "decoder.up1": "mask_decoder.upscale_conv1",
    "decoder.up_norm": "mask_decoder.upscale_layer_norm",
    "decoder.up2": "mask_decoder.upscale_conv2",
}
VIT_BLOCK = {
    "norm1": "layer_norm1",
    "attention.qkv": "attn.qkv",
    "attention.out": "attn.proj",
    "attention.rows": "attn.rel_pos_h",
    "attention.columns": "attn.rel_pos_w",
    "norm2": "layer_norm2",
    "up": "mlp.lin1",
    "down": "mlp.lin2",
}
TWO_WAY = {
    "among_tokens": "self_attn",
    "to_picture": "cross_attn_token_to_image",
    "to_tokens": "cross_attn_image_to_token",
    "up": "mlp.lin1",
    "down": "mlp.lin2",
} | {f"norm{i}": f"layer_norm{i}" for i in (1, 2, 3, 4)}
LOOKS = {"q": "q_proj", "k": "k_proj", "v": "v_proj", "out": "out_proj"}


def official_names(ours: str, config: SAMConfig) -> tuple[str, ...]:
    """The official tensors that make one of ours, to be stacked along the first axis.

    >>> official_names("decoder.blocks.1.to_picture.q.bias", SAMConfig())
    ('mask_decoder.transformer.layers.1.cross_attn_token_to_image.q_proj.bias',)
    """
    if ours == "prompts.kinds":
        return tuple(f"prompt_encoder.point_embed.{i}.weight" for i in range(4))
    if ours in PLAIN:
        return (PLAIN[ours],)
    part, leaf = ours.rsplit(".", 1)
    if part in PLAIN:
        return (f"{PLAIN[part]}.{leaf}",)
    words = part.split(".")
    if ours.startswith("encoder.blocks."):
        inside = ".".join([*words[3:], leaf])
        if inside in VIT_BLOCK:
            return (f"vision_encoder.layers.{words[2]}.{VIT_BLOCK[inside]}",)
        return (f"vision_encoder.layers.{words[2]}.{VIT_BLOCK['.'.join(words[3:])]}.{leaf}",)
    if ours.startswith("decoder.blocks."):
        inside = ".".join([TWO_WAY[words[3]], *(LOOKS[w] for w in words[4:])])
        return (f"mask_decoder.transformer.layers.{words[2]}.{inside}.{leaf}",)
    if ours.startswith("decoder.last_look."):
        return (f"mask_decoder.transformer.final_attn_token_to_image.{LOOKS[words[2]]}.{leaf}",)
    if ours.startswith("decoder.hyper."):
        return (f"mask_decoder.output_hypernetworks_mlps.{words[2]}.{_layer(int(words[4]), 3)}.{leaf}",)
    return (f"mask_decoder.iou_prediction_head.{_layer(int(words[3]), config.iou_layers)}.{leaf}",)


def _layer(number: int, layers: int) -> str:
    return {0: "proj_in", layers - 1: "proj_out"}.get(number, f"layers.{number - 1}")


def our_config(config: Mapping) -> SAMConfig:
    """A parsed config.json as ours. Raises ValueError for what ours does not have."""
    if config.get("model_type") != "sam":
        raise ValueError(f"the config says model_type {config.get('model_type')!r}: this door is for 'sam'")
    image, prompt, mask = (
        config.get(f"{part}_config") or {} for part in ("vision", "prompt_encoder", "mask_decoder")
    )
    fixed = [(image, "use_abs_pos", True), (image, "use_rel_pos", True), (image, "qkv_bias", True),
             (image, "hidden_act", "gelu"), (prompt, "hidden_act", "gelu"), (mask, "hidden_act", "relu"),
             (mask, "attention_downsample_rate", 2), (prompt, "mask_input_channels", 16)]  # fmt: skip
    fixed += [(part, "layer_norm_eps", 1e-6) for part in (image, prompt, mask)]
    for part, name, wanted in fixed:
        if part.get(name, wanted) != wanted:
            raise ValueError(f"this checkpoint has {name} = {part[name]!r}, our SAM has {wanted!r}")
    width = image.get("hidden_size", 768)
    encoder = SamViTConfig(
        image.get("image_size", 1024), image.get("patch_size", 16), width,
        image.get("num_hidden_layers", 12), image.get("num_attention_heads", 12),
        image.get("mlp_dim") or int(width * image.get("mlp_ratio", 4.0)),
        window=image.get("window_size", 14),
        everywhere=tuple(image.get("global_attn_indexes", (2, 5, 8, 11))),
    )  # fmt: skip
    return SAMConfig(
        encoder, image.get("output_channels", 256), mask.get("num_attention_heads", 8),
        mask.get("mlp_dim", 2048), mask.get("num_hidden_layers", 2), mask.get("num_multimask_outputs", 3),
        mask.get("iou_head_hidden_dim", 256), mask.get("iou_head_depth", 3), **IMAGENET,
    )  # fmt: skip


def our_state(sam: SAM, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """An official checkpoint's tensors as the state of `sam`. Raises ValueError for missing or other ones."""
    state = {}
    for name, wanted in sam.state_dict().items():
        names = official_names(name, sam.config)
        for theirs in names:
            if theirs not in tensors:
                raise ValueError(f"the checkpoint lacks {theirs!r}, our {name!r}: is the download whole?")
        found = torch.cat([tensors[theirs] for theirs in names])
        if found.numel() != wanted.numel() or found.squeeze().shape != wanted.squeeze().shape:
            raise ValueError(
                f"{names[0]} has shape {tuple(found.shape)}, the config asks for {tuple(wanted.shape)}"
            )
        state[name] = found.reshape(wanted.shape).to(wanted.dtype)
    return state


def official_state(sam: SAM, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The other way: our weights under the official names, in the shapes of `like` (an official state)."""
    state = {}
    for name, tensor in sam.state_dict().items():
        names = official_names(name, sam.config)
        parts = tensor.split(1) if len(names) > 1 else [tensor]
        state |= {theirs: part.reshape(like[theirs].shape) for theirs, part in zip(names, parts, strict=True)}
    twin = "prompt_encoder.shared_embedding.positional_embedding"  # tied to the picture's
    return state | {twin: state["shared_image_embedding.positional_embedding"]}


def from_official(config: Mapping, tensors: Mapping[str, Tensor]) -> SAM:
    """A SAM with an official checkpoint's weights, in eval mode; see `our_config` and `our_state`."""
    sam = SAM(our_config(config))
    sam.load_state_dict(our_state(sam, tensors))
    return sam.eval()


class OfficialSAM:
    """Official weights in our modules, for photographs of any size."""

    def __init__(self, sam: SAM):
        self.sam = sam

    def picture(self, image) -> tuple[Tensor, tuple[int, int]]:
        """A PIL image or an array (H, W, 3) of uint8 -> (1, 3, S, S) in [0, 1], and (height, width) of what
        of it is the photograph. Raises ValueError for other arrays.
        """
        import numpy as np

        array = np.asarray(image)
        if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3:
            raise ValueError(f"a picture is (height, width, 3) of uint8, not {array.shape} of {array.dtype}")
        pixels = torch.from_numpy(array.copy()).permute(2, 0, 1)[None].float() / 255
        S = self.sam.image_size
        height, width = (round(side * S / max(array.shape[:2])) for side in array.shape[:2])
        pixels = F.interpolate(pixels, (height, width), mode="bilinear", antialias=True, align_corners=False)
        square = self.sam.mean.expand(1, 3, S, S).clone()
        square[..., :height, :width] = pixels.clamp(0, 1)
        return square, (height, width)

    @torch.no_grad()
    def segment(
        self, image, points: Sequence = (), labels: Sequence[int] = (), box: Sequence[float] | None = None
    ):
        """Masks of one prompt on a photograph, x and y in its own pixels.

        Returns masks (M, H, W) bool, guessed IoUs (M,): three for one click alone, else one.
        """
        import numpy as np

        size = np.asarray(image).shape[:2]
        square, (height, width) = self.picture(image)
        scale = torch.tensor([width / size[1], height / size[0]])
        clicks = (torch.tensor(points, dtype=torch.float32).view(1, -1, 2) * scale) if len(points) else None
        marks = torch.tensor(labels)[None] if len(points) else None
        boxes = None if box is None else (torch.tensor(box).view(2, 2) * scale).view(1, 4)
        logits, guessed = self.sam.decode(self.sam.embed(square), clicks, marks, boxes)
        logits = self.sam.full_size(logits)[..., :height, :width]
        return F.interpolate(logits, size, mode="bilinear", align_corners=False)[0] > 0, guessed[0]


def load(source: str | Path = "ViT-B", *, download: bool = False) -> OfficialSAM:
    """Official weights: a name in NAMES, a hub name, or a local folder.

    Looks on this machine only, unless download=True (see `official_folder`). Raises FileNotFoundError, saying
    what to download and where to put it, when the weights are not here; ValueError for a damaged or foreign
    folder.
    """
    folder = official_folder(NAMES.get(str(source), source), NEEDS, download=download)
    return OfficialSAM(from_official(*read_folder(folder)))
