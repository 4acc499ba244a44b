"""The one door for official weights: a folder on this machine, or the hub when asked to download."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from lecture10.paths import home_folder

if TYPE_CHECKING:
    from torch import Tensor


def official_folder(source: str | Path, needs: tuple[str, ...], *, download: bool = False) -> Path:
    """The folder that holds an official checkpoint.

    source: a folder, or a hub name such as "openai-community/gpt2". Looked for, in this order: the folder
    itself; `LECTURE10_WEIGHTS`/NAME and ~/.lecture10/weights/NAME, NAME being the hub name's last part; the
    hub's local cache; and only with download=True the hub. needs: the files that must lie there.
    Raises FileNotFoundError with the ways to get it, ValueError where files are missing.
    """
    source = str(source)
    if Path(source).is_absolute() or Path(source).is_dir():
        return _checked(Path(source), needs)
    name = source.rsplit("/", 1)[-1]
    shelves = [Path(os.environ["LECTURE10_WEIGHTS"])] if os.environ.get("LECTURE10_WEIGHTS") else []
    for shelf in [*shelves, home_folder() / "weights"]:
        if (shelf / name).is_dir():
            return _checked(shelf / name, needs)
    return _from_hub(source, name, needs, download)


def _from_hub(source: str, name: str, needs: tuple[str, ...], download: bool) -> Path:
    wanted = ["*.json", "*.txt", "*.safetensors", "*.model"]
    try:
        from huggingface_hub import snapshot_download

        found = snapshot_download(source, allow_patterns=wanted, local_files_only=not download)
        return _checked(Path(found), needs)  # a cache may hold the tokenizer alone
    except Exception as error:  # no network, no such name, not in the cache: one cure
        why = "and the hub cannot be reached" if download else "and nothing is downloaded unasked"
        raise FileNotFoundError(
            f"{source} is not on this machine, {why}. With a network: "
            f'hf download {source} --include "*.json" "*.txt" "*.safetensors" '
            f"--local-dir ~/.lecture10/weights/{name} (or the weights folder in your LECTURE10_HOME)"
        ) from error


def _checked(folder: Path, needs: tuple[str, ...]) -> Path:
    if not folder.is_dir():
        raise FileNotFoundError(
            f"there is no folder {folder.name!r} there: name one that holds {', '.join(needs)}"
        )
    missing = [name for name in needs if not (folder / name).is_file()]
    if missing:
        has = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
        raise ValueError(
            f"the folder {folder.name!r} lacks {', '.join(missing)} (it holds {has}): download it again"
        )
    return folder


def read_folder(
    folder: Path, weights: str = "model.safetensors", called: str = ""
) -> tuple[dict, dict[str, "Tensor"]]:
    """(config, weights by name) of a folder with config.json and a file of weights.

    called: the folder's name in a message, where its own says too little. Raises ValueError, with the cure,
    where one of them is damaged.
    """
    from safetensors.torch import load_file

    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return config, load_file(folder / weights)
    except Exception as error:  # safetensors raises its own plain exception
        raise ValueError(f"{called or folder.name} is damaged ({error}): download it again") from error
