"""Official CLIP weights (OpenAI's, LAION's) -> our CLIP, from a local folder or the hub.

Two formats are read (`clip_names`): open_clip's folder and transformers' folder, with safetensors only.
Nothing is unpickled. The tokenizer is the official one, from the folder where it lies there, else open_clip's
own copy: its 49,408 tokens are lower case, and a text is put between a start and an end token.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from lecture10.models.clip import CLIP
from lecture10.pretrained.clip_names import TRANSPOSED, official_names, our_config
from lecture10.pretrained.folder import official_folder

NAMES = {
    "RN50": "timm/resnet50_clip.openai",
    "ViT-B/32": "timm/vit_base_patch32_clip_224.openai",
    "ViT-B/16": "timm/vit_base_patch16_clip_224.openai",
    "ViT-B/32-laion2b": "laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
}
FORMATS = (  # (config, weights), first come first served
    ("open_clip_config.json", "open_clip_model.safetensors"),
    ("open_clip_config.json", "open_clip_pytorch_model.safetensors"),
    ("config.json", "model.safetensors"),
)


class OfficialCLIP:
    """Official weights in our modules, with the words and the pictures that belong to them."""

    def __init__(self, clip: CLIP, tokenizer: Callable[[str], list[int]] | None):
        self.clip, self.tokenizer = clip, tokenizer

    def encode(self, texts: Sequence[str]) -> Tensor:
        """(n,) texts -> (n, T) token ids, filled up with zeros behind each end token.

        Raises ValueError for an empty text and for one longer than the context.
        """
        config, rows = self.clip.config.text, []
        for text in texts:
            if not text.strip():
                raise ValueError("an empty prompt says nothing: write a few words")
            row = self.tokenizer(text)
            if len(row) > config.context:
                raise ValueError(
                    f"{text[:40]!r}… has {len(row)} tokens, this CLIP reads {config.context}: shorten it"
                )
            rows.append(row)
        ids = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.int64)
        for row, into in zip(rows, ids, strict=True):
            into[: len(row)] = torch.tensor(row)
        return ids

    def pictures(self, images: Sequence) -> Tensor:
        """PIL images or uint8 arrays (H, W, 3) -> (n, 3, S, S) in [0, 1]; see `picture`."""
        return torch.stack([picture(image, self.clip.config.image.image_size) for image in images])


def picture(image, size: int) -> Tensor:
    """One photograph as CLIP sees it: (3, size, size) in [0, 1].

    image: a PIL image or an array (H, W, 3) or (H, W) of uint8. The shorter side becomes `size` (bicubic),
    the middle is cut out; mean and spread are the model's business. Raises ValueError for other arrays.
    """
    import numpy as np
    from PIL import Image
    from torchvision.transforms import functional as transforms

    if not isinstance(image, Image.Image):
        array = np.asarray(image)
        if array.dtype != np.uint8 or array.ndim not in (2, 3) or array.shape[2:] not in ((), (3,), (4,)):
            raise ValueError(
                f"a picture is a PIL image or a uint8 array (height, width, 3), not {array.shape} of "
                f"{array.dtype}; floats in [0, 1] become one by (255 * x).round().astype('uint8')"
            )
        image = Image.fromarray(array)
    bicubic = transforms.InterpolationMode.BICUBIC
    image = transforms.center_crop(transforms.resize(image, size, bicubic), [size, size])
    return transforms.to_tensor(image.convert("RGB"))


def from_official(config: Mapping, tensors: Mapping[str, Tensor]) -> CLIP:
    """A CLIP with an official checkpoint's weights.

    config: the parsed open_clip_config.json or config.json; tensors: names -> weights. Raises ValueError for
    other kinds of model, and for missing or mis-shaped tensors, naming them.
    """
    ours, kind = our_config(config)
    clip = CLIP(ours)
    clip.load_state_dict(our_state(clip, kind, tensors))
    return clip.eval()


def our_state(clip: CLIP, kind: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """An official checkpoint's tensors as the state of `clip`; kind: "open_clip" or "hf"."""
    state = {}
    for name, wanted in clip.state_dict().items():
        names = official_names(name, clip.config, kind)
        for theirs in names:
            if theirs not in tensors:
                raise ValueError(f"the checkpoint lacks {theirs!r}, our {name!r}: is the download whole?")
        parts = [tensors[theirs] for theirs in names]
        found = torch.cat(parts) if len(parts) > 1 else parts[0]
        if kind == "open_clip" and names[0] in TRANSPOSED:
            found = found.T
        if found.numel() == 1:  # t is stored as (1,) by some
            found = found.reshape(wanted.shape)
        if found.shape != wanted.shape:
            raise ValueError(
                f"{names[0]} has shape {tuple(found.shape)}, the config asks for {tuple(wanted.shape)}"
            )
        state[name] = found.to(wanted.dtype)
    return state


def load(source: str | Path = "ViT-B/32", *, download: bool = False) -> OfficialCLIP:
    """Official weights with their tokenizer: a name in NAMES, a hub name, or a local folder.

    Looks on this machine only, unless download=True (see `official_folder`). Raises FileNotFoundError, saying
    what to download and where to put it, when the weights are not here; ValueError for a damaged or foreign
    folder.
    """
    from safetensors.torch import load_file

    folder = official_folder(NAMES.get(str(source), source), needs=(), download=download)
    names = next((f for f in FORMATS if all((folder / name).is_file() for name in f)), None)
    if names is None:
        has = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
        raise ValueError(
            f"the folder {folder.name!r} holds no CLIP as safetensors (it holds {has}): download it again; "
            f"wanted is one of {'; '.join(' and '.join(f) for f in FORMATS)}"
        )
    try:
        config = json.loads((folder / names[0]).read_text(encoding="utf-8"))
        tensors = load_file(folder / names[1])
        if (folder / "preprocessor_config.json").is_file() and "model_cfg" not in config:
            said = json.loads((folder / "preprocessor_config.json").read_text(encoding="utf-8"))
            config["preprocess_cfg"] = {"mean": said["image_mean"], "std": said["image_std"]}
    except Exception as error:  # safetensors raises its own plain exception
        raise ValueError(f"{folder.name} is damaged ({error}): download it again") from error
    return OfficialCLIP(from_official(config, tensors), _tokenizer(folder))


def _tokenizer(folder: Path) -> Callable[[str], list[int]]:
    """text -> ids with start and end token: the folder's own tokenizer, else open_clip's."""
    if (folder / "tokenizer.json").is_file() or (folder / "vocab.json").is_file():
        from transformers import CLIPTokenizer

        theirs = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
        return lambda text: theirs(text)["input_ids"]
    from open_clip.tokenizer import SimpleTokenizer

    simple = SimpleTokenizer()
    return lambda text: [simple.sot_token_id, *simple.encode(text), simple.eot_token_id]
