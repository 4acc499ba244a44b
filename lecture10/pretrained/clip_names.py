"""The names and settings of CLIP checkpoints in the two official formats, and ours.

"open_clip": OpenAI's own names, in open_clip's `open_clip_model.safetensors` beside `open_clip_config.json`.
"hf": transformers' `CLIPModel`, in `model.safetensors` beside `config.json`; vision transformers only.
"""

from collections.abc import Mapping
from itertools import accumulate

from lecture10.models.clip import OPENAI_MEAN, OPENAI_STD, CLIPConfig, TextConfig
from lecture10.models.vision import ResNetConfig, ViTConfig

OPEN = {
    "logit_scale": "logit_scale",
    "text_tower.tokens.weight": "token_embedding.weight",
    "text_tower.positions": "positional_embedding",
    "text_tower.last_norm": "ln_final",
    "text_tower.projection.weight": "text_projection",
    "image_tower.class_token": "visual.class_embedding",
    "image_tower.positions": "visual.positional_embedding",
    "image_tower.patches": "visual.conv1",
    "image_tower.norm_pre": "visual.ln_pre",
    "image_tower.norm_post": "visual.ln_post",
    "image_tower.projection.weight": "visual.proj",
    "image_tower.pool.positions": "visual.attnpool.positional_embedding",
    "image_tower.pool.q": "visual.attnpool.q_proj",
    "image_tower.pool.k": "visual.attnpool.k_proj",
    "image_tower.pool.v": "visual.attnpool.v_proj",
    "image_tower.pool.out": "visual.attnpool.c_proj",
}
HF = {
    "logit_scale": "logit_scale",
    "text_tower.tokens": "text_model.embeddings.token_embedding",
    "text_tower.positions": "text_model.embeddings.position_embedding.weight",
    "text_tower.last_norm": "text_model.final_layer_norm",
    "text_tower.projection": "text_projection",
    "image_tower.class_token": "vision_model.embeddings.class_embedding",
    "image_tower.positions": "vision_model.embeddings.position_embedding.weight",
    "image_tower.patches": "vision_model.embeddings.patch_embedding",
    "image_tower.norm_pre": "vision_model.pre_layrnorm",  # so spelt
    "image_tower.norm_post": "vision_model.post_layernorm",
    "image_tower.projection": "visual_projection",
}
OPEN_BLOCK = {
    "norm1": "ln_1",
    "attention.out": "attn.out_proj",
    "norm2": "ln_2",
    "feed_forward.up": "mlp.c_fc",
    "feed_forward.down": "mlp.c_proj",
}
HF_BLOCK = {
    "norm1": "layer_norm1",
    "attention.out": "self_attn.out_proj",
    "norm2": "layer_norm2",
    "feed_forward.up": "mlp.fc1",
    "feed_forward.down": "mlp.fc2",
}
TRANSPOSED = ("text_projection", "visual.proj")  # open_clip stores these (in, out), ours are (out, in)


def official_names(ours: str, config: CLIPConfig, kind: str) -> tuple[str, ...]:
    """The official tensors that make one of ours, to be stacked along the first axis.

    kind: "open_clip" or "hf".

    >>> official_names("text_tower.blocks.3.attention.qkv.bias", CLIPConfig(), "open_clip")
    ('transformer.resblocks.3.attn.in_proj_bias',)
    """
    if "tower.blocks." in ours:
        tower, _, number, rest = ours.split(".", 3)
        if tower == "image_tower" and isinstance(config.image, ResNetConfig):
            return (_resnet_block(int(number), rest, config.image),)
        return _block(tower, number, rest, kind)
    if ours.startswith("image_tower.stem."):
        _, _, number, leaf = ours.split(".")
        stage, part = divmod(int(number), 3)
        return (f"visual.{('conv', 'bn')[part]}{stage + 1}.{leaf}",)
    outer = OPEN if kind == "open_clip" else HF
    if ours in outer:
        return (outer[ours],)
    part, leaf = ours.rsplit(".", 1)
    return (f"{outer[part]}.{leaf}",)


def _block(tower: str, number: str, rest: str, kind: str) -> tuple[str, ...]:
    """A transformer block's tensor."""
    part, leaf = rest.rsplit(".", 1)
    if kind == "open_clip":
        where = "visual.transformer" if tower == "image_tower" else "transformer"
        inside = f"attn.in_proj_{leaf}" if part == "attention.qkv" else f"{OPEN_BLOCK[part]}.{leaf}"
        return (f"{where}.resblocks.{number}.{inside}",)
    where = f"{'vision' if tower == 'image_tower' else 'text'}_model.encoder.layers.{number}"
    if part == "attention.qkv":
        return tuple(f"{where}.self_attn.{name}_proj.{leaf}" for name in "qkv")
    return (f"{where}.{HF_BLOCK[part]}.{leaf}",)


def _resnet_block(number: int, rest: str, config: ResNetConfig) -> str:
    """A residual block's tensor: ours are counted through, theirs stage by stage."""
    ends = list(accumulate(config.layers))
    stage = next(s for s, end in enumerate(ends) if number < end)
    within = number - (ends[stage - 1] if stage else 0)
    part, leaf = rest.rsplit(".", 1)
    theirs = {"shortcut.1": "downsample.0", "shortcut.2": "downsample.1"}.get(
        part, part.replace("norm", "bn")
    )
    return f"visual.layer{stage + 1}.{within}.{theirs}.{leaf}"


def our_config(config: Mapping) -> tuple[CLIPConfig, str]:
    """(an official config as ours, "open_clip" or "hf"). Raises ValueError for what ours does not have."""
    if "model_cfg" in config:
        return _from_open_clip(config["model_cfg"], config.get("preprocess_cfg") or {}), "open_clip"
    if config.get("model_type") == "clip":
        return _from_hf(config), "hf"
    raise ValueError(
        f"the config says model_type {config.get('model_type')!r} and has no model_cfg: this door is for "
        "CLIP, as saved by open_clip or by transformers"
    )


KNOWN = {
    "vision": {"image_size", "layers", "width", "head_width", "patch_size", "mlp_ratio"},
    "text": {"context_length", "vocab_size", "width", "heads", "layers", "mlp_ratio"},
    "model": {"embed_dim", "vision_cfg", "text_cfg", "quick_gelu"},
}


def _from_open_clip(config: Mapping, preprocess: Mapping) -> CLIPConfig:
    image, text = config["vision_cfg"], config["text_cfg"]
    for name, part in (("model", config), ("vision", image), ("text", text)):
        more = sorted(key for key in part.keys() - KNOWN[name] if part[key])
        if more or part.get("mlp_ratio", 4) != 4:
            what = ", ".join(more) or f"mlp_ratio {part['mlp_ratio']}"
            raise ValueError(f"this checkpoint's {name} config has {what}: our CLIP is OpenAI's, without it")
    size, width, head = image["image_size"], image["width"], image.get("head_width", 64)
    if isinstance(image["layers"], int):
        tower = ViTConfig(size, image["patch_size"], width, image["layers"], width // head)
    else:
        tower = ResNetConfig(size, width, tuple(image["layers"]), heads=32 * width // head)
    words = TextConfig(
        text.get("vocab_size", 49_408), text.get("context_length", 77),
        text["width"], text["layers"], text["heads"],
    )  # fmt: skip
    return CLIPConfig(
        tower, words, config["embed_dim"],
        gelu="quick" if config.get("quick_gelu") else "exact",
        mean=tuple(preprocess.get("mean", OPENAI_MEAN)), std=tuple(preprocess.get("std", OPENAI_STD)),
    )  # fmt: skip


HF_TEXT = {
    "vocab_size": 49_408, "hidden_size": 512, "intermediate_size": 2048, "num_hidden_layers": 12,
    "num_attention_heads": 8, "max_position_embeddings": 77, "eos_token_id": 49_407,
}  # fmt: skip
HF_IMAGE = {
    "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12,
    "image_size": 224, "patch_size": 32,
}  # fmt: skip


def _from_hf(config: Mapping) -> CLIPConfig:
    image, text = HF_IMAGE | config["vision_config"], HF_TEXT | config["text_config"]
    preprocess = config.get("preprocess_cfg") or {}
    for part in (image, text):
        if part["intermediate_size"] != 4 * part["hidden_size"]:
            raise ValueError(
                f"intermediate_size is {part['intermediate_size']}: our blocks are four times as wide inside "
                f"as outside, {4 * part['hidden_size']} here"
            )
        if part.get("layer_norm_eps", 1e-5) != 1e-5:
            raise ValueError(f"layer_norm_eps is {part['layer_norm_eps']}: our CLIP's is 1e-5")
    gelus = {part.get("hidden_act", "quick_gelu") for part in (image, text)}
    if len(gelus) > 1 or not gelus <= {"quick_gelu", "gelu"}:
        raise ValueError(f"hidden_act is {', '.join(sorted(gelus))}: our CLIP has quick_gelu or gelu in both")
    vocab, end = text["vocab_size"], text["eos_token_id"]
    if end not in (2, vocab - 1):  # 2: an old mistake in official configs, read as "the highest id"
        raise ValueError(f"eos_token_id is {end}: our CLIP reads at the vocabulary's last id, {vocab - 1}")
    tower = ViTConfig(
        image["image_size"], image["patch_size"], image["hidden_size"],
        image["num_hidden_layers"], image["num_attention_heads"],
    )  # fmt: skip
    words = TextConfig(
        vocab, text["max_position_embeddings"], text["hidden_size"],
        text["num_hidden_layers"], text["num_attention_heads"],
    )  # fmt: skip
    gelu = "quick" if gelus == {"quick_gelu"} else "exact"
    return CLIPConfig(
        tower, words, config.get("projection_dim", 512), gelu,
        mean=tuple(preprocess.get("mean", OPENAI_MEAN)), std=tuple(preprocess.get("std", OPENAI_STD)),
    )  # fmt: skip
