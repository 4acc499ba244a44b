"""The one door for official weights, with tiny checkpoints saved in the official format; no network."""

import json

import pytest
import torch

from lecture10.pretrained import gpt as door
from lecture10.pretrained.folder import official_folder

transformers = pytest.importorskip("transformers")
TINY = {"vocab_size": 300, "n_positions": 16, "n_embd": 12, "n_layer": 2, "n_head": 3}
TEXT = "the little world"


def save(folder, kind):
    """A tiny model and a byte-level tokenizer, saved by transformers itself."""
    torch.manual_seed(0)
    if kind == "gpt1":
        model = transformers.OpenAIGPTLMHeadModel(transformers.OpenAIGPTConfig(**TINY))
    else:
        model = transformers.GPT2LMHeadModel(transformers.GPT2Config(**TINY, bos_token_id=1, eos_token_id=1))
    for parameter in model.parameters():
        parameter.data.add_(0.2 * torch.randn_like(parameter))
    model.eval().save_pretrained(folder)
    from lecture10.tokenizer import Tokenizer
    from lecture10.world.corpus import english

    library = Tokenizer.train(english().train[:20_000], 300).library
    transformers.PreTrainedTokenizerFast(tokenizer_object=library).save_pretrained(folder)
    return model


@pytest.mark.parametrize("kind", ["gpt1", "gpt2"])
def test_a_folder_saved_by_transformers_loads_and_agrees(tmp_path, kind):
    model = save(tmp_path / "weights", kind)
    official = door.load(tmp_path / "weights")
    ids = torch.tensor([official.encode(TEXT)])
    assert official.decode(ids[0].tolist()) == TEXT
    with torch.no_grad():
        torch.testing.assert_close(official.gpt(ids), model(ids).logits, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", ["gpt1", "gpt2"])
def test_what_we_save_transformers_loads(tmp_path, kind):
    from safetensors.torch import save_file

    save(tmp_path / "theirs", kind)
    ours = door.load(tmp_path / "theirs").gpt
    config, tensors = door.to_official(ours)
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "config.json").write_text(json.dumps(config))
    save_file(tensors, tmp_path / "ours" / "model.safetensors", metadata={"format": "pt"})
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "ours", local_files_only=True).eval()
    ids = torch.randint(0, 300, (2, 9))
    with torch.no_grad():
        torch.testing.assert_close(ours(ids), model(ids).logits, atol=1e-5, rtol=1e-5)


def test_named_weights_are_found_on_the_learners_shelf(tmp_path, monkeypatch):
    monkeypatch.setenv("LECTURE10_HOME", str(tmp_path / "home"))
    save(tmp_path / "home" / "weights" / "gpt2", "gpt2")
    assert door.load("gpt2").gpt.config.width == 12
    monkeypatch.setenv("LECTURE10_WEIGHTS", str(tmp_path / "shelf"))
    save(tmp_path / "shelf" / "openai-gpt", "gpt1")
    assert door.load("gpt1").gpt.config.norm == "post"


def test_without_weights_and_network_it_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("LECTURE10_HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"hf download openai-community/openai-gpt .*--local-dir"):
        door.load("gpt1")
    with pytest.raises(FileNotFoundError, match="the hub cannot be reached"):
        door.load("gpt1", download=True)


def test_nothing_is_downloaded_unasked(monkeypatch, tmp_path):
    import huggingface_hub

    asked = []

    def snapshot(source, **how):
        asked.append(how["local_files_only"])
        raise OSError("not in the cache")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    monkeypatch.setenv("LECTURE10_HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="nothing is downloaded unasked"):
        door.load("gpt2")
    assert asked == [True]


def test_a_cache_with_the_tokenizer_alone_counts_as_not_here(monkeypatch, tmp_path):
    import huggingface_hub

    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: str(tmp_path))
    monkeypatch.setenv("LECTURE10_HOME", str(tmp_path / "home"))
    with pytest.raises(FileNotFoundError, match="nothing is downloaded unasked"):
        door.load("gpt2")


def test_a_pickle_is_not_opened(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"cos\nsystem\n")
    with pytest.raises(
        ValueError, match=r"lacks model\.safetensors \(it holds config\.json, pytorch_model\.bin\)"
    ):
        door.load(tmp_path)


def test_damaged_and_foreign_folders_are_refused(tmp_path):
    save(tmp_path, "gpt2")
    whole = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="damaged"):
        door.load(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(whole)
    config = json.loads((tmp_path / "config.json").read_text())
    for change, says in [
        ({"model_type": "bert"}, "openai-gpt and gpt2"),
        ({"n_layer": 3}, r"lacks 'h\.2\."),
        ({"n_positions": 8}, "wpe.weight has shape"),
        ({"activation_function": "relu"}, "activation is 'relu'"),
        ({"layer_norm_epsilon": 1e-6}, "1e-06"),
    ]:
        (tmp_path / "config.json").write_text(json.dumps(config | change))
        with pytest.raises(ValueError, match=says):
            door.load(tmp_path)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder 'gone'"):
        official_folder(tmp_path / "gone", needs=("config.json",))
