"""Official BERT weights <-> our BERT, from a local folder or the hub.

The official format is the hub's: a folder with `config.json` and `model.safetensors`, with the names of
transformers' `BertForPreTraining` and `BertForMultipleChoice`. Query, key and value are three matrices there
and one here; old files call a norm's numbers gamma and beta. Nothing is unpickled: a folder with only
`pytorch_model.bin` is refused.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from lecture10.models.bert import EPS, Bert, BertChoice, BertConfig, BertPretraining
from lecture10.pretrained.folder import official_folder, read_folder

NAMES = {
    "base": "google-bert/bert-base-uncased",
    "large": "google-bert/bert-large-uncased",
}
EMBEDDINGS = {
    "tokens": "word_embeddings",
    "positions": "position_embeddings",
    "segments": "token_type_embeddings",
    "norm": "LayerNorm",
}
BLOCK = {
    "attention.out": "attention.output.dense",
    "norm1": "attention.output.LayerNorm",
    "feed_forward.up": "intermediate.dense",
    "feed_forward.down": "output.dense",
    "norm2": "output.LayerNorm",
}
HEADS = {
    "words.dense": "cls.predictions.transform.dense",
    "words.norm": "cls.predictions.transform.LayerNorm",
    "words": "cls.predictions",
    "next": "cls.seq_relationship",
    "choice": "classifier",
}


def official_names(ours: str) -> list[str]:
    """The names in an official checkpoint that make up one of our parameters: one, or three for `qkv`.

    >>> official_names("bert.blocks.3.attention.out.weight")
    ['bert.encoder.layer.3.attention.output.dense.weight']
    """
    part, leaf = ours.rsplit(".", 1)
    if part in HEADS:
        return [f"{HEADS[part]}.{leaf}"]
    part = part.removeprefix("bert.")
    if part in EMBEDDINGS:
        return [f"bert.embeddings.{EMBEDDINGS[part]}.{leaf}"]
    if part == "pooler":
        return [f"bert.pooler.dense.{leaf}"]
    _, layer, inner = part.split(".", 2)
    names = [f"attention.self.{name}" for name in ("query", "key", "value")]
    if inner != "attention.qkv":
        names = [BLOCK[inner]]
    return [f"bert.encoder.layer.{layer}.{name}.{leaf}" for name in names]


def our_config(config: Mapping) -> BertConfig:
    """An official config.json as ours. Raises ValueError for settings that our BERT does not have."""
    if config.get("model_type") != "bert":
        raise ValueError(f"config.json says model_type {config.get('model_type')!r}: this door is for bert")
    width = config["hidden_size"]
    wanted = {
        "hidden_act": "gelu", "layer_norm_eps": EPS, "intermediate_size": 4 * width, "is_decoder": False,
        "position_embedding_type": "absolute", "tie_word_embeddings": True,
    }  # fmt: skip
    for name, value in wanted.items():
        if config.get(name, value) != value:
            raise ValueError(f"{name} is {config[name]!r} in this checkpoint: our BERT's is {value!r}")
    return BertConfig(
        vocab_size=config["vocab_size"],
        context=config.get("max_position_embeddings", 512),
        width=width,
        layers=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        segments=config.get("type_vocab_size", 2),
        dropout=config.get("hidden_dropout_prob", 0.1),
    )


def from_official(config: Mapping, tensors: Mapping[str, Tensor]) -> BertPretraining:
    """A BERT with both pre-training heads and an official checkpoint's weights.

    config: the parsed config.json; tensors: names -> weights.
    Raises ValueError for other kinds of model, and for missing or mis-shaped tensors, naming them.
    """
    return _filled(BertPretraining(our_config(config)), tensors)


def choice_from_official(config: Mapping, tensors: Mapping[str, Tensor]) -> BertChoice:
    """The same for a multiple-choice checkpoint (`BertForMultipleChoice`)."""
    return _filled(BertChoice(Bert(our_config(config))), tensors)


def _filled(model: nn.Module, tensors: Mapping[str, Tensor]) -> nn.Module:
    theirs = {_modern(name): tensor for name, tensor in tensors.items()}
    state = {}
    for ours, parameter in model.state_dict().items():
        names = official_names(ours)
        for name in names:
            if name not in theirs:
                raise ValueError(f"the checkpoint lacks {name!r}, our {ours!r}: is the download whole?")
        whole = torch.cat([theirs[name] for name in names])  # q, k and v below one another
        if whole.shape != parameter.shape:
            raise ValueError(
                f"{' and '.join(names)} have shape {tuple(whole.shape)}, config.json asks for "
                f"{tuple(parameter.shape)}"
            )
        state[ours] = whole.to(parameter.dtype)
    model.load_state_dict(state)
    return model.eval()


def _modern(name: str) -> str:
    """Today's name of a tensor: norms had gamma and beta, the decoder's bias stands under two names."""
    for old, new in (
        (".gamma", ".weight"),
        (".beta", ".bias"),
        ("predictions.decoder.bias", "predictions.bias"),
    ):
        if name.endswith(old):
            return name.removesuffix(old) + new
    return name


def to_official(model: BertPretraining | BertChoice) -> tuple[dict, dict[str, Tensor]]:
    """(config.json's content, tensors) of our BERT in the official format; what transformers loads."""
    ours = model.bert.config
    kind = "BertForPreTraining" if isinstance(model, BertPretraining) else "BertForMultipleChoice"
    config = {
        "model_type": "bert", "architectures": [kind], "vocab_size": ours.vocab_size,
        "max_position_embeddings": ours.context, "hidden_size": ours.width,
        "num_hidden_layers": ours.layers, "num_attention_heads": ours.heads,
        "intermediate_size": 4 * ours.width, "type_vocab_size": ours.segments,
        "hidden_act": "gelu", "layer_norm_eps": EPS,
        "hidden_dropout_prob": ours.dropout, "attention_probs_dropout_prob": ours.dropout,
    }  # fmt: skip
    tensors = {}
    for name, tensor in model.state_dict().items():
        names = official_names(name)
        for theirs, piece in zip(names, tensor.chunk(len(names)), strict=True):
            tensors[theirs] = piece.contiguous()
    return config, tensors


class OfficialBert:
    """Official weights in our modules, with the tokenizer that belongs to them."""

    def __init__(self, model: BertPretraining, tokenizer):
        self.model, self.tokenizer = model, tokenizer

    @torch.no_grad()
    def fill(self, text: str, n: int = 5) -> list[tuple[str, float]]:
        """The n likeliest words for the first [MASK] of a text, with their probabilities.

        Raises ValueError where there is no [MASK].
        """
        ids = self.tokenizer(text)["input_ids"]
        if self.tokenizer.mask_token_id not in ids:
            raise ValueError(
                f"{text!r} holds no {self.tokenizer.mask_token}: write it where a word is missing"
            )
        at = ids.index(self.tokenizer.mask_token_id)
        found = self.model(torch.tensor([ids]))[0][0, at].softmax(-1).topk(n)
        names = self.tokenizer.convert_ids_to_tokens(found.indices.tolist())
        return list(zip(names, found.values.tolist(), strict=True))


def load(source: str | Path = "base", *, download: bool = False) -> OfficialBert:
    """Official weights and tokenizer: "base", "large", a hub name, or a local folder in the official format.

    Looks on this machine only, unless download=True (see `official_folder`). Raises FileNotFoundError, saying
    what to download and where to put it, when the weights are not here; ValueError for a damaged or foreign
    folder.
    """
    folder = official_folder(
        NAMES.get(str(source), source), needs=("config.json", "model.safetensors"), download=download
    )
    config, tensors = read_folder(folder)
    model = from_official(config, tensors)
    from transformers import AutoTokenizer

    return OfficialBert(model, AutoTokenizer.from_pretrained(folder, local_files_only=True))
