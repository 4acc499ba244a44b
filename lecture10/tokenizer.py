"""Byte-level byte-pair encoding: ours to read, the `tokenizers` library's to run.

Sennrich et al. 2016, "Neural Machine Translation of Rare Words with Subword Units"; on bytes as in Radford et
al. 2019.
Any text can be encoded: a token is one or more bytes, and all 256 bytes are tokens. `data/tokenizers/` holds
what was trained, so that everybody's ids are the same.
"""

from collections import Counter
from collections.abc import Iterable
from functools import cache
from itertools import pairwise

import regex

from lecture10.paths import data_path

# GPT-2's cut into words: a word keeps the space before it, and no token crosses a cut
WORDS = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")
PRINTABLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
BYTES = PRINTABLE + [
    byte for byte in range(256) if byte not in PRINTABLE
]  # the order in which GPT-2 numbers them
END = "<|end|>"


class BPE:
    """Byte-pair encoding in forty lines: start from bytes, join the commonest neighbours, again and again."""

    def __init__(self, merges: Iterable[tuple[int, int]] = ()):
        self.tokens = [bytes([byte]) for byte in BYTES]
        self.merges: dict[tuple[int, int], int] = {}  # a pair of ids -> the id of the two joined
        for pair in merges:
            self.add(pair)

    def add(self, pair: tuple[int, int]) -> None:
        """Make one new token of a pair of old ones."""
        self.merges[pair] = len(self.tokens)
        self.tokens.append(self.tokens[pair[0]] + self.tokens[pair[1]])

    def join(self, word: tuple[int, ...], pair: tuple[int, int]) -> tuple[int, ...]:
        """The word with every occurrence of the pair, from the left, made one token."""
        joined, i = [], 0
        while i < len(word):
            here = word[i : i + 2] == pair
            joined.append(self.merges[pair] if here else word[i])
            i += 2 if here else 1
        return tuple(joined)

    def train(self, text: str, vocab_size: int) -> "BPE":
        """Learn merges until there are `vocab_size` tokens; of equally common pairs, the one with the
        smallest ids.
        """
        words = Counter(tuple(map(BYTES.index, word.encode())) for word in WORDS.findall(text))
        while len(self.tokens) < vocab_size:
            pairs = Counter()
            for word, times in words.items():
                for pair in pairwise(word):
                    pairs[pair] += times
            if not pairs:
                raise ValueError(
                    f"the text holds only {len(self.tokens)} tokens, not {vocab_size}: give more text"
                )
            best = min(pairs, key=lambda pair: (-pairs[pair], pair))
            self.add(best)
            words = Counter({self.join(word, best): times for word, times in words.items()})
        return self

    def encode(self, text: str) -> list[int]:
        """Token ids of a text: in each word, merges are applied in the order in which they were learnt."""
        ids = []
        for cut in WORDS.findall(text):
            word = tuple(map(BYTES.index, cut.encode()))
            while known := [pair for pair in pairwise(word) if pair in self.merges]:
                word = self.join(word, min(known, key=self.merges.get))
            ids.extend(word)
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """The text of token ids; bytes that are no UTF-8 show as �."""
        return b"".join(self.tokens[i] for i in ids).decode("utf-8", errors="replace")


class Tokenizer:
    """The `tokenizers` library's byte-level BPE, with the few calls that the course needs."""

    def __init__(self, library):
        self.library = library
        self.end = library.token_to_id(END)
        self.vocab_size = library.get_vocab_size()

    @classmethod
    def train(cls, text: str, vocab_size: int) -> "Tokenizer":
        """Train on a text: 256 bytes, merges, and the end token, `vocab_size` in all.

        Raises ValueError where `vocab_size` leaves no room for a merge or the text holds too little.
        """
        from tokenizers import Tokenizer as Library
        from tokenizers import decoders, models, pre_tokenizers, trainers

        if vocab_size <= len(BYTES) + 1:
            raise ValueError(
                f"vocab_size is {vocab_size}: 256 bytes and the end token leave no room for a merge"
            )
        library = Library(models.BPE())
        library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        library.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size - 1, initial_alphabet=alphabet, show_progress=False
        )
        library.train_from_iterator([text], trainer)
        if library.get_vocab_size() < vocab_size - 1:
            raise ValueError(
                f"the text holds only {library.get_vocab_size() + 1} tokens, not {vocab_size}: give more"
            )
        library.add_special_tokens([END])
        return cls(library)

    def encode(self, text: str) -> list[int]:
        """Token ids of a text; an empty text has none."""
        return self.library.encode(text, add_special_tokens=False).ids

    def decode(self, ids: Iterable[int]) -> str:
        """The text of token ids; bytes that are no UTF-8 show as �."""
        return self.library.decode(list(ids), skip_special_tokens=False)

    def pieces(self, ids: Iterable[int]) -> list[str]:
        """Each token as text, spaces kept: for labels. Parts of a letter show as �."""
        return [self.decode([i]) for i in ids]

    def byte_lengths(self) -> list[int]:
        """How many bytes each token of the vocabulary stands for; the end token stands for none."""
        by_id = sorted((i, token) for token, i in self.library.get_vocab().items())
        return [
            0 if i == self.end else len(token) for i, token in by_id
        ]  # one character a byte in this alphabet

    def save(self, path) -> None:
        """Write the library's JSON file, atomically."""
        from lecture10.files import write_text

        write_text(path, self.library.to_str(pretty=False))


@cache
def tokenizer(name: str = "english") -> Tokenizer:
    """A trained tokenizer of the course: "english" has 1,024 tokens, learnt from the corpus's training text.

    Raises FileNotFoundError for an unknown name and ValueError for a damaged file, each with the cure.
    """
    from tokenizers import Tokenizer as Library

    path = data_path(f"tokenizers/{name}.json")
    try:
        return Tokenizer(Library.from_file(str(path)))
    except Exception as error:  # the library raises plain Exception
        raise ValueError(
            f"{path.name} is damaged ({error}); rebuild it: python -m lecture10.recipes.tokenizer"
        ) from None
