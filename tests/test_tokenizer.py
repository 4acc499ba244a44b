"""Ours and the library's byte-level BPE are one algorithm; every text survives the round trip."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lecture10 import tokenizer as module
from lecture10.tokenizer import BPE, BYTES, END, Tokenizer, tokenizer
from lecture10.world.corpus import english

SAMPLE = english().train[:20_000]


@pytest.fixture(scope="module")
def both():
    return BPE().train(SAMPLE, 356), Tokenizer.train(SAMPLE, 357)


def test_ours_learns_the_librarys_merges_in_the_same_order(both):
    ours, library = both
    ids = library.library.get_vocab()
    merges = [
        tuple(ids[part] for part in pair) for pair in json.loads(library.library.to_str())["model"]["merges"]
    ]
    assert list(ours.merges) == merges
    assert len(merges) == 100


def test_ours_encodes_what_the_library_encodes(both):
    ours, library = both
    for text in (english().dev, "  spaces\n\n\ttabs, don't — ²½ Größe 漢字 🐻", "", "a"):
        assert ours.encode(text) == library.encode(text)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.text(max_size=40))
def test_every_text_survives(text):
    ours = BPE([(BYTES.index(ord("t")), BYTES.index(ord("h")))])
    assert ours.decode(ours.encode(text)) == text
    assert tokenizer().decode(tokenizer().encode(text)) == text


def test_merges_never_cross_a_word():
    ours = BPE().train("ab ab ab ab cd cd", 259)
    assert all(b" " not in token[1:] for token in ours.tokens)


def test_equal_counts_are_broken_by_the_smallest_ids():
    ours = BPE().train("zy ab", 257)
    assert ours.tokens[-1] == b"ab"


def test_the_shipped_tokenizer_is_what_training_gives():
    again = Tokenizer.train(english().train, 1024)
    assert json.loads(again.library.to_str()) == json.loads(tokenizer().library.to_str())


def test_byte_lengths_add_up_to_the_text():
    lengths, text = tokenizer().byte_lengths(), english().test
    assert sum(lengths[i] for i in tokenizer().encode(text)) == len(text.encode())
    assert lengths[tokenizer().end] == 0
    assert len(lengths) == tokenizer().vocab_size == 1024


def test_the_end_token_is_no_text():
    assert tokenizer().decode([tokenizer().end]) == END
    assert tokenizer().end not in tokenizer().encode(f"a {END} b".replace(END, ""))


def test_too_little_text_or_too_small_a_vocabulary_is_refused():
    with pytest.raises(ValueError, match="give more"):
        Tokenizer.train("abc", 400)
    with pytest.raises(ValueError, match="give more text"):
        BPE().train("abc", 400)
    with pytest.raises(ValueError, match="no room for a merge"):
        Tokenizer.train("abc", 200)


def test_a_damaged_file_is_refused_with_the_command_that_rebuilds_it(tmp_path, monkeypatch):
    (tmp_path / "tokenizers").mkdir()
    (tmp_path / "tokenizers" / "english.json").write_text('{"version": "1.0", "trunc')
    monkeypatch.setenv("LECTURE10_DATA", str(tmp_path))
    tokenizer.cache_clear()
    with pytest.raises(ValueError, match=r"python -m lecture10\.recipes\.tokenizer"):
        tokenizer()
    with pytest.raises(FileNotFoundError, match="englsh"):
        tokenizer("englsh")
    monkeypatch.undo()
    tokenizer.cache_clear()
    assert module.tokenizer().vocab_size == 1024
