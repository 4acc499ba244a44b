"""Our latent diffusion as a folder in diffusers' layout, and back: vae/, unet/, text_encoder/, scheduler/.

Each part is a config.json with safetensors beside it, as AutoencoderKL, UNet2DConditionModel (diffusers) and
BertModel (transformers) read them with `from_pretrained`; the number that gives latents the variance 1 is the
VAE's `scaling_factor`. Nothing is unpickled. Settings that ours do not have are refused.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from lecture10.files import write_bytes, write_text
from lecture10.models.autoencoder import Autoencoder, AutoencoderConfig
from lecture10.models.bert import Bert, BertChoice
from lecture10.models.ddpm import ScheduleConfig
from lecture10.models.ldm import LatentDiffusion, LDMConfig
from lecture10.models.unet import UNet, UNetConfig
from lecture10.pretrained.bert import choice_from_official, to_official
from lecture10.pretrained.diffusion_names import official_autoencoder_name, official_name
from lecture10.pretrained.folder import read_folder
from lecture10.pretrained.schedulers import KINDS

CLASSES = {"unet": "UNet2DConditionModel", "vae": "AutoencoderKL"}
WEIGHTS = "diffusion_pytorch_model.safetensors"
SCHEDULES = {"linear": "linear", "cosine": "squaredcos_cap_v2", "scaled linear": "scaled_linear"}
UNET_FIXED = {  # what our U-Net is; a config that says nothing means the same
    "center_input_sample": False, "flip_sin_to_cos": True, "freq_shift": 0, "only_cross_attention": False,
    "mid_block_type": "UNetMidBlock2DCrossAttn", "downsample_padding": 1, "mid_block_scale_factor": 1,
    "act_fn": "silu", "norm_eps": 1e-5, "transformer_layers_per_block": 1, "dual_cross_attention": False,
    "use_linear_projection": False, "class_embed_type": None, "addition_embed_type": None,
    "num_class_embeds": None, "encoder_hid_dim": None, "resnet_time_scale_shift": "default",
    "resnet_skip_time_act": False, "time_embedding_type": "positional", "time_cond_proj_dim": None,
    "conv_in_kernel": 3, "conv_out_kernel": 3, "attention_type": "default", "dropout": 0.0,
}  # fmt: skip
VAE_FIXED = {
    "in_channels": 3, "out_channels": 3, "act_fn": "silu", "shift_factor": None, "latents_mean": None,
    "latents_std": None, "use_quant_conv": True, "use_post_quant_conv": True,
}  # fmt: skip
OLD_ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}


def _same(config: Mapping, fixed: Mapping, kind: str) -> None:
    """Raise ValueError for the first setting that ours does not have."""
    if config.get("_class_name", kind) != kind:
        raise ValueError(f"config.json says {config['_class_name']!r}: this door is for {kind}")
    for name, value in fixed.items():
        if config.get(name, value) != value:
            raise ValueError(f"this checkpoint has {name} = {config[name]!r}, ours has {value!r}")


def unet_config(config: Mapping) -> UNetConfig:
    """UNet2DConditionModel's config.json as ours. Raises ValueError for settings that ours does not have."""
    _same(config, UNET_FIXED, CLASSES["unet"])
    heads = config.get("num_attention_heads") or config.get("attention_head_dim", 8)  # theirs is misnamed
    blocks, width = config["layers_per_block"], config["cross_attention_dim"]
    for name, value in (("heads", heads), ("layers_per_block", blocks), ("cross_attention_dim", width)):
        if not isinstance(value, int):
            raise ValueError(f"{name} is {value!r} in this checkpoint, ours is one number for all levels")
    kinds = {True: "CrossAttnDownBlock2D", False: "DownBlock2D"}
    attention = tuple(name == kinds[True] for name in config["down_block_types"])
    ups = [kinds[attends].replace("Down", "Up") for attends in reversed(attention)]
    if [kinds[a] for a in attention] != list(config["down_block_types"]) or ups != list(
        config["up_block_types"]
    ):
        raise ValueError(
            f"blocks are {config['down_block_types']} and {config['up_block_types']}: ours are DownBlock2D "
            "or CrossAttnDownBlock2D, and on the way up their mirror image"
        )
    if config["in_channels"] != config["out_channels"]:
        raise ValueError(
            f"{config['in_channels']} channels go in and {config['out_channels']} come out: ours are equal"
        )
    return UNetConfig(
        config["in_channels"], tuple(config["block_out_channels"]), blocks, attention, heads, width,
        groups=config.get("norm_num_groups", 32),
    )  # fmt: skip


def official_unet_config(config: UNetConfig, size: int) -> dict:
    """The other way; size: side of the latents. Raises ValueError for a U-Net without cross-attention."""
    if config.context is None or config.pooled is not None:
        raise ValueError("this U-Net has no cross-attention, or a pooled vector: diffusers has none like it")
    kinds = ["CrossAttn" if attends else "" for attends in config.attention]
    return {"_class_name": CLASSES["unet"]} | UNET_FIXED | {
        "sample_size": size, "in_channels": config.channels, "out_channels": config.channels,
        "block_out_channels": list(config.widths), "layers_per_block": config.blocks,
        "norm_num_groups": config.groups, "cross_attention_dim": config.context,
        "attention_head_dim": config.heads,
        "down_block_types": [f"{kind}DownBlock2D" for kind in kinds],
        "up_block_types": [f"{kind}UpBlock2D" for kind in reversed(kinds)],
    }  # fmt: skip


def vae_config(config: Mapping) -> AutoencoderConfig:
    """AutoencoderKL's config.json as ours. Raises ValueError for settings that ours does not have."""
    _same(config, VAE_FIXED, CLASSES["vae"])
    for name, kind in (("down_block_types", "DownEncoderBlock2D"), ("up_block_types", "UpDecoderBlock2D")):
        if set(config[name]) != {kind}:
            raise ValueError(f"{name} is {config[name]}: ours are {kind}")
    return AutoencoderConfig(
        tuple(config["block_out_channels"]), config["latent_channels"], config["layers_per_block"],
        config.get("norm_num_groups", 32), config.get("mid_block_add_attention", True),
    )  # fmt: skip


def official_vae_config(config: AutoencoderConfig, size: int, scale: float) -> dict:
    """The other way; size: side of a picture. Raises ValueError for one with a codebook."""
    if config.codes is not None:
        raise ValueError("this autoencoder has a codebook: AutoencoderKL has none")
    levels = len(config.widths)
    return {"_class_name": CLASSES["vae"]} | VAE_FIXED | {
        "block_out_channels": list(config.widths), "latent_channels": config.latent,
        "layers_per_block": config.blocks, "norm_num_groups": config.groups, "sample_size": size,
        "mid_block_add_attention": config.attention, "scaling_factor": scale, "force_upcast": False,
        "down_block_types": ["DownEncoderBlock2D"] * levels, "up_block_types": ["UpDecoderBlock2D"] * levels,
    }  # fmt: skip


def name_in(model: UNet | Autoencoder, ours: str) -> str:
    """The official name of one of the model's tensors."""
    if isinstance(model, UNet):
        return official_name(ours)
    return official_autoencoder_name(ours, model.config.blocks)


def filled(model: UNet | Autoencoder, tensors: Mapping[str, Tensor]) -> UNet | Autoencoder:
    """The model with an official checkpoint's weights, in eval mode.

    Raises ValueError for a tensor that is missing, left over or of another shape, naming it.
    """
    theirs, state = {_modern(name): tensor for name, tensor in tensors.items()}, {}
    for name, wanted in model.state_dict().items():
        official = name_in(model, name)
        if official not in theirs:
            raise ValueError(f"the checkpoint lacks {official!r}, our {name!r}: is the download whole?")
        found = theirs.pop(official)
        if found.ndim == 4 and wanted.ndim == 2 and found.shape[2:] == (1, 1):  # old: 1 × 1 convolutions
            found = found[:, :, 0, 0]
        if found.shape != wanted.shape:
            raise ValueError(
                f"{official} has shape {tuple(found.shape)}, config.json asks for {tuple(wanted.shape)}"
            )
        state[name] = found.to(wanted.dtype)
    if theirs:
        raise ValueError(f"the checkpoint also has {min(theirs)!r}, which config.json does not ask for")
    model.load_state_dict(state)
    return model.eval()


def _modern(name: str) -> str:
    """Today's name of a tensor: Stable Diffusion's VAE called its attention query, key, value, proj_attn."""
    return re.sub(
        r"(attentions\.0\.)(query|key|value|proj_attn)\.", lambda m: m[1] + OLD_ATTENTION[m[2]] + ".", name
    )


def read_part(folder: Path, part: str) -> tuple[dict, UNet | Autoencoder]:
    """(config.json, our module with its weights) of "unet" or "vae"."""
    config, tensors = read_folder(folder / part, WEIGHTS, f"{folder.name}/{part}")
    model = UNet(unet_config(config)) if part == "unet" else Autoencoder(vae_config(config))
    return config, filled(model, tensors)


def read_schedule(folder: Path) -> tuple[ScheduleConfig, str]:
    """(our schedule, what the network says: "eps", "x0" or "v") of scheduler/scheduler_config.json.

    Raises ValueError for a schedule that ours has not.
    """
    config = json.loads((folder / "scheduler" / "scheduler_config.json").read_text(encoding="utf-8"))
    kinds = {theirs: ours for ours, theirs in SCHEDULES.items()}
    says = {theirs: ours for ours, theirs in KINDS.items()}
    kind, said = config.get("beta_schedule", "linear"), config.get("prediction_type", "epsilon")
    if kind not in kinds or said not in says or config.get("trained_betas"):
        raise ValueError(
            f"the scheduler's noise is {kind!r} and its network says {said!r}: ours knows neither"
        )
    steps = config.get("num_train_timesteps", 1000)
    ends = config.get("beta_start", 1e-4), config.get("beta_end", 0.02)
    return ScheduleConfig(steps, kinds[kind], *ends, rescale=False), says[said]


def _write(folder: Path, config: dict, tensors: Mapping[str, Tensor], weights: str = WEIGHTS) -> None:
    _write_json(folder / "config.json", config)
    whole = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}
    write_bytes(folder / weights, safetensors.torch.save(whole, metadata={"format": "pt"}))


def _write_json(path: Path, facts: dict) -> None:
    write_text(path, json.dumps(facts, indent=2) + "\n")


def save_folder(model: LatentDiffusion, decoder: Autoencoder, folder: str | Path, size: int = 64) -> Path:
    """Write our model and autoencoder as vae/, unet/, text_encoder/ and scheduler/; returns the folder.

    size: side of its pictures. Raises ValueError for parts that diffusers has not (see above).
    """
    folder, schedule = Path(folder), model.config.schedule
    parts = {
        "unet": (model.unet, official_unet_config(model.config.unet, size // decoder.config.factor)),
        "vae": (decoder, official_vae_config(decoder.config, size, float(model.scale))),
    }
    for part, (module, config) in parts.items():
        _write(folder / part, config, {name_in(module, name): t for name, t in module.state_dict().items()})
    _write(folder / "text_encoder", *_text_out(model.text), "model.safetensors")
    times = 1000 / schedule.steps if schedule.rescale else 1.0
    facts = {
        "_class_name": "DDIMScheduler", "num_train_timesteps": schedule.steps,
        "beta_schedule": SCHEDULES[schedule.kind], "beta_start": schedule.first * times,
        "beta_end": schedule.last * times, "prediction_type": KINDS[model.config.target],
        "timestep_spacing": "trailing", "clip_sample": False, "set_alpha_to_one": True,
    }  # fmt: skip
    _write_json(folder / "scheduler" / "scheduler_config.json", facts)
    return folder


def _text_out(text: Bert) -> tuple[dict, dict[str, Tensor]]:
    """BertModel's config and tensors: those of a whole BERT, without head and prefix."""
    config, tensors = to_official(BertChoice(text))
    kept = {n.removeprefix("bert."): t for n, t in tensors.items() if n.startswith("bert.")}
    return config | {"architectures": ["BertModel"]}, kept


def _text_in(folder: Path) -> Bert:
    config, tensors = read_folder(folder)
    width = config.get("hidden_size", 0)
    head = {"classifier.weight": torch.zeros(1, width), "classifier.bias": torch.zeros(1)}  # thrown away
    return choice_from_official(config, {f"bert.{n}": t for n, t in tensors.items()} | head).bert


def load_folder(folder: str | Path) -> tuple[LatentDiffusion, Autoencoder]:
    """Our model and its autoencoder from such a folder, in eval mode.

    Raises FileNotFoundError or ValueError, naming the part, where it is not whole or not ours.
    """
    folder = Path(folder)
    for part in ("unet/config.json", "vae/config.json", "text_encoder/config.json"):
        if not (folder / part).is_file():
            raise FileNotFoundError(f"{folder.name} lacks {part}: name a folder that save_folder wrote")
    (_, unet), (said, decoder) = read_part(folder, "unet"), read_part(folder, "vae")
    text = _text_in(folder / "text_encoder")
    schedule, target = read_schedule(folder)
    model = LatentDiffusion(LDMConfig(unet.config, text.config, schedule, target))
    model.unet, model.text = unet, text
    model.scale.fill_(said["scaling_factor"])
    return model.eval(), decoder
