"""The English: three parts that share nothing, the same on every machine."""

import platform

import pytest

from lecture10.world.corpus import PARTS, build, english, windows


@pytest.mark.parametrize(("part", "other"), [("train", "test"), ("train", "dev"), ("dev", "test")])
def test_no_two_parts_share_eighty_characters(part, other):
    mine = set(windows(getattr(english(), part)))
    assert len(mine) > 20_000
    assert mine.isdisjoint(windows(getattr(english(), other)))


def test_nothing_is_said_twice():
    for part in PARTS:
        runs = list(windows(getattr(english(), part)))
        assert len(runs) - len(set(runs)) < 10, part  # a rule of dashes or two


def test_a_leak_would_be_seen():
    """The check can fail: move one held-out sentence into the training text."""
    sentence = english().test[2000:2200]
    leaky = set(windows(english().train + sentence))
    assert not leaky.isdisjoint(windows(english().test))


def test_the_snapshot_is_what_its_python_builds():
    if platform.python_version() == "3.11.7":
        assert build() == english()
    else:  # other Pythons carry other topics; the recipe must still give three clean parts
        corpus = build()
        assert set(windows(corpus.train)).isdisjoint(windows(corpus.test))
        assert len(corpus.train) > 5 * len(corpus.test) > 0


def test_repetitions_and_tables_are_dropped():
    said = (
        "This sentence is long enough to count as a window, since it has well over eighty characters in it. "
    )
    corpus = build(
        {f"topic{n:02}": f"{said}\n\n+---+\n| a |\n\nSentence number {n} of this topic." for n in range(24)}
    )
    whole = corpus.train + corpus.dev + corpus.test
    assert whole.count("well over eighty") == 1
    assert "| a |" not in whole
    assert all(f"Sentence number {n} of" in whole for n in range(24))
