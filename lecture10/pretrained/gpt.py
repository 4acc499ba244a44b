"""Official GPT-1 and GPT-2 weights <-> our GPT, from a local folder or the hub.

The official format is the hub's: a folder with `config.json` and `model.safetensors`, with the names of
transformers' `OpenAIGPTLMHeadModel` and `GPT2LMHeadModel` (as saved, with or without the leading
"transformer."). Their linear layers are stored (in, out), ours (out, in). Nothing is unpickled: a folder with
only `pytorch_model.bin` is refused.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from lecture10.models.gpt import GPT, DoubleHeads, GPTConfig
from lecture10.pretrained.folder import official_folder, read_folder

NAMES = {"gpt1": "openai-community/openai-gpt", "gpt2": "openai-community/gpt2"}
TRANSPOSED = (
    "attention.qkv.weight",
    "attention.out.weight",
    "feed_forward.up.weight",
    "feed_forward.down.weight",
)
BLOCK = {
    "attention.qkv": "attn.c_attn",
    "attention.out": "attn.c_proj",
    "norm1": "ln_1",
    "feed_forward.up": "mlp.c_fc",
    "feed_forward.down": "mlp.c_proj",
    "norm2": "ln_2",
}


def official_name(ours: str, kind: str) -> str:
    """The name in an official checkpoint of one of our parameters; kind: "gpt1" or "gpt2".

    >>> official_name("blocks.3.attention.out.weight", "gpt2")
    'h.3.attn.c_proj.weight'
    """
    outer = {"tokens": "tokens_embed", "positions": "positions_embed"} if kind == "gpt1" else {}
    outer = {"tokens": "wte", "positions": "wpe", "last_norm": "ln_f"} | outer
    if ours.startswith("blocks."):
        _, layer, rest = ours.split(".", 2)
        part, leaf = rest.rsplit(".", 1)
        return f"h.{layer}.{BLOCK[part]}.{leaf}"
    part, leaf = ours.rsplit(".", 1)
    return f"{outer[part]}.{leaf}"


def from_official(config: Mapping, tensors: Mapping[str, Tensor]) -> GPT:
    """A GPT with an official checkpoint's weights.

    config: the parsed config.json; tensors: names -> weights, with or without "transformer.".
    Raises ValueError for other kinds of model, and for missing or mis-shaped tensors, naming them.
    """
    kind = {"openai-gpt": "gpt1", "gpt2": "gpt2"}.get(config.get("model_type"))
    if kind is None:
        raise ValueError(
            f"config.json says model_type {config.get('model_type')!r}: this door is for openai-gpt and gpt2"
        )
    gpt = GPT(our_config(config))
    bare = {name.removeprefix("transformer."): tensor for name, tensor in tensors.items()}
    state = {}
    for ours, parameter in gpt.state_dict().items():
        name = official_name(ours, kind)
        if name not in bare:
            raise ValueError(f"the checkpoint lacks {name!r}, our {ours!r}: is the download whole?")
        theirs = bare[name].T if ours.endswith(TRANSPOSED) else bare[name]
        if theirs.shape != parameter.shape:
            raise ValueError(
                f"{name} has shape {tuple(theirs.shape)}, config.json asks for {tuple(parameter.shape)}"
            )
        state[ours] = theirs.to(parameter.dtype)
    gpt.load_state_dict(state)
    return gpt.eval()


def our_config(config: Mapping) -> GPTConfig:
    """An official config.json as ours. Raises ValueError for settings that our GPT does not have."""
    gpt1 = config["model_type"] == "openai-gpt"
    activation = config.get("afn" if gpt1 else "activation_function", "gelu" if gpt1 else "gelu_new")
    if activation not in ("gelu", "gelu_new") or (
        activation == "gelu" and not gpt1
    ):  # GPT-1's "gelu" is the tanh one
        raise ValueError(f"this checkpoint's activation is {activation!r}: our GPT has the tanh GELU only")
    if config.get("layer_norm_epsilon", 1e-5) != 1e-5:
        raise ValueError(f"layer_norm_epsilon is {config['layer_norm_epsilon']}: our GPT's is 1e-5")
    return GPTConfig(
        vocab_size=config["vocab_size"],
        context=config.get("n_positions", 512 if gpt1 else 1024),
        width=config["n_embd"],
        layers=config["n_layer"],
        heads=config["n_head"],
        norm="post" if gpt1 else "pre",
        dropout=config.get("resid_pdrop", 0.1),
    )


def to_official(gpt: GPT) -> tuple[dict, dict[str, Tensor]]:
    """(config.json's content, tensors) of our GPT in the official format; what transformers loads."""
    ours, kind = gpt.config, "gpt1" if gpt.config.norm == "post" else "gpt2"
    config = {
        "model_type": "openai-gpt" if kind == "gpt1" else "gpt2",
        "architectures": ["OpenAIGPTLMHeadModel" if kind == "gpt1" else "GPT2LMHeadModel"],
        "vocab_size": ours.vocab_size, "n_positions": ours.context, "n_embd": ours.width,
        "n_layer": ours.layers, "n_head": ours.heads, "resid_pdrop": ours.dropout,
    }  # fmt: skip
    tensors = {}
    for name, tensor in gpt.state_dict().items():
        theirs = tensor.T if name.endswith(TRANSPOSED) else tensor
        tensors[f"transformer.{official_name(name, kind)}"] = theirs.contiguous()
    return config, tensors


def choice_head(heads: DoubleHeads, tensors: Mapping[str, Tensor]) -> DoubleHeads:
    """Fill the linear head of `heads` from a double-heads checkpoint's tensors; returns `heads`."""
    with torch.no_grad():
        heads.choice.weight.copy_(tensors["multiple_choice_head.summary.weight"])
        heads.choice.bias.copy_(tensors["multiple_choice_head.summary.bias"])
    return heads


class OfficialGPT:
    """Official weights in our modules, with the tokenizer that belongs to them."""

    def __init__(self, gpt: GPT, tokenizer):
        self.gpt, self.tokenizer = gpt, tokenizer

    def encode(self, text: str) -> list[int]:
        """Token ids of a text."""
        return self.tokenizer(text, add_special_tokens=False)["input_ids"]

    def decode(self, ids) -> str:
        """The text of token ids."""
        return self.tokenizer.decode(ids)


def load(source: str | Path = "gpt1", *, download: bool = False) -> OfficialGPT:
    """Official weights and tokenizer: "gpt1", "gpt2", a hub name, or a local folder in the official format.

    Looks on this machine only, unless download=True (see `official_folder`). Raises FileNotFoundError, saying
    what to download and where to put it, when the weights are not here; ValueError for a damaged or foreign
    folder.
    """
    folder = official_folder(
        NAMES.get(str(source), source), needs=("config.json", "model.safetensors"), download=download
    )
    config, tensors = read_folder(folder)
    from transformers import AutoTokenizer

    return OfficialGPT(
        from_official(config, tensors), AutoTokenizer.from_pretrained(folder, local_files_only=True)
    )
