"""The door for official BERT weights, with tiny checkpoints saved in the official format; no network."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from lecture10.pretrained import bert as door

transformers = pytest.importorskip("transformers")
TINY = {
    "vocab_size": 60, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4,
    "intermediate_size": 64, "max_position_embeddings": 20,
}  # fmt: skip
WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "the",
    "man",
    "went",
    "to",
    "store",
    "he",
    "bought",
    "a",
    "gallon",
    "of",
    "milk",
    ".",
    "##s",
    "penguin",
]
IDS = torch.randint(0, 60, (2, 9), generator=torch.Generator().manual_seed(0))


def save(folder, kind="BertForPreTraining"):
    """A tiny model and a word-piece tokenizer, saved by transformers itself."""
    torch.manual_seed(0)
    model = getattr(transformers, kind)(transformers.BertConfig(**TINY))
    for parameter in model.parameters():
        parameter.data.add_(0.2 * torch.randn_like(parameter))
    model.eval().save_pretrained(folder)
    vocab = {word: i for i, word in enumerate(WORDS)}
    transformers.BertTokenizer(vocab=vocab).save_pretrained(folder)
    return model


def same(ours, theirs):
    with torch.no_grad():
        words, follows = ours(IDS)
        wanted = theirs(IDS)
    torch.testing.assert_close(words, wanted.prediction_logits, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(follows, wanted.seq_relationship_logits, atol=1e-5, rtol=1e-5)


def test_a_folder_saved_by_transformers_loads_and_agrees(tmp_path):
    model = save(tmp_path / "weights")
    official = door.load(tmp_path / "weights")
    same(official.model, model)
    found = official.fill("the man went to [MASK] store", n=3)
    assert len(found) == 3
    ids = official.tokenizer("the man went to [MASK] store")["input_ids"]
    with torch.no_grad():
        wanted = model(torch.tensor([ids])).prediction_logits[0, ids.index(4)].softmax(-1).topk(3)
    assert [p for _, p in found] == pytest.approx(wanted.values.tolist(), rel=1e-4)
    with pytest.raises(ValueError, match=r"holds no \[MASK\]: write it where a word is missing"):
        official.fill("the man went to the store")


def test_what_we_save_transformers_loads(tmp_path):
    save(tmp_path / "theirs")
    ours = door.load(tmp_path / "theirs").model
    config, tensors = door.to_official(ours)
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "config.json").write_text(json.dumps(config))
    save_file(tensors, tmp_path / "ours" / "model.safetensors", metadata={"format": "pt"})
    how = {"local_files_only": True}
    same(ours, transformers.BertForPreTraining.from_pretrained(tmp_path / "ours", **how).eval())


def test_a_multiple_choice_checkpoint_goes_both_ways(tmp_path):
    model = save(tmp_path / "theirs", "BertForMultipleChoice")
    config = json.loads((tmp_path / "theirs" / "config.json").read_text())
    ours = door.choice_from_official(config, load_file(tmp_path / "theirs" / "model.safetensors"))
    with torch.no_grad():
        torch.testing.assert_close(ours(IDS[None]), model(IDS[None]).logits, atol=1e-5, rtol=1e-5)
    config, tensors = door.to_official(ours)
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "config.json").write_text(json.dumps(config))
    save_file(tensors, tmp_path / "ours" / "model.safetensors", metadata={"format": "pt"})
    back = transformers.BertForMultipleChoice.from_pretrained(tmp_path / "ours", local_files_only=True).eval()
    with torch.no_grad():
        torch.testing.assert_close(ours(IDS[None]), back(IDS[None]).logits, atol=1e-5, rtol=1e-5)


def test_the_names_of_the_first_release_are_understood(tmp_path):
    """Google's files say gamma and beta, and keep the decoder's bias under its old name alone."""
    model = save(tmp_path)
    old = {}
    for name, tensor in load_file(tmp_path / "model.safetensors").items():
        if name == "cls.predictions.bias":
            name = "cls.predictions.decoder.bias"
        if "LayerNorm" in name:
            name = name.replace("weight", "gamma").replace("bias", "beta")
        old[name] = tensor
    save_file(old, tmp_path / "model.safetensors")
    same(door.load(tmp_path).model, model)


def test_without_weights_and_network_it_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("LECTURE10_HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"hf download google-bert/bert-base-uncased .*--local-dir"):
        door.load("base")


def test_named_weights_are_found_on_the_learners_shelf(tmp_path, monkeypatch):
    monkeypatch.setenv("LECTURE10_HOME", str(tmp_path / "home"))
    save(tmp_path / "home" / "weights" / "bert-base-uncased")
    assert door.load().model.config.width == 16


def test_damaged_and_foreign_folders_are_refused(tmp_path):
    save(tmp_path)
    whole = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="damaged"):
        door.load(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(whole)
    config = json.loads((tmp_path / "config.json").read_text())
    for change, says in [
        ({"model_type": "gpt2"}, "this door is for bert"),
        ({"num_hidden_layers": 3}, r"lacks 'bert\.encoder\.layer\.2\."),
        ({"max_position_embeddings": 8}, "position_embeddings.weight have shape"),
        ({"hidden_act": "relu"}, "hidden_act is 'relu'"),
        ({"layer_norm_eps": 1e-5}, "layer_norm_eps is 1e-05"),
        ({"intermediate_size": 32}, "intermediate_size is 32 in this checkpoint: our BERT's is 64"),
        ({"is_decoder": True}, "is_decoder is True"),
    ]:
        (tmp_path / "config.json").write_text(json.dumps(config | change))
        with pytest.raises(ValueError, match=says):
            door.load(tmp_path)


def test_a_pickle_is_not_opened(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"cos\nsystem\n")
    with pytest.raises(ValueError, match=r"lacks model\.safetensors"):
        door.load(tmp_path)
