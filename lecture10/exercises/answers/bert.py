"""Model answers to the exercises of 02_bert. Their docstrings are the tasks that the learner reads."""

import torch


def ltr_ceiling() -> float:
    """Before the cue is read all K = 8 colours are equally likely: a guess is right once in 8 times."""
    return 1 / 8


def mask_words(
    ids: torch.Tensor, words: torch.Tensor, mask_id: int, n_special: int, vocab_size: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """BERT's masking for whole words: the pieces of a word are chosen together and share one fate.

    ids (T,): one text's tokens; words (T,): which word a token is a piece of, 0, 1, 2 …; -1: a special token.
    Choose round(0.15 · number of words) of the words, at least one, each as likely as any other. Of these
    80 % show mask_id at all their pieces, 10 % a random token (n_special … vocab_size - 1) at each, 10 % stay
    as they are. Returns what the model reads and the targets, both (T,): the token that stood there at all
    pieces of a chosen word, -100 elsewhere. Draw with torch's own generator; ids stays as it is.
    """
    n_words = int(words.max()) + 1
    chosen = torch.randperm(n_words)[: max(1, round(0.15 * n_words))]
    read, targets = ids.clone(), torch.full_like(ids, -100)
    for word in chosen:
        pieces = words == word
        targets[pieces] = ids[pieces]
        fate = torch.rand(())
        if fate < 0.8:
            read[pieces] = mask_id
        elif fate < 0.9:
            read[pieces] = torch.randint(n_special, vocab_size, (int(pieces.sum()),))
    return read, targets


def whole_batch_loss(parts: list) -> torch.Tensor:
    """The masked-word loss of a batch that was too large for the memory and comes in parts.

    parts: pairs of logits (B, T, V) and targets (B, T), the targets -100 where nothing is asked. B and T may
    differ from part to part, and so does the number of words asked for; in some part it may be 0.
    Returns one number in nats: what one call on the whole batch would give, however it was cut.
    """
    total, asked = 0.0, 0
    for logits, targets in parts:
        total = total + torch.nn.functional.cross_entropy(logits.mT, targets, reduction="sum")  # -100 costs 0
        asked += int((targets != -100).sum())
    return total / asked


def honest_pairs(documents: list, n: int) -> list:
    """n pairs for next-sentence prediction, (A, B, follows), half of them with follows = True.

    documents: lists of sentences, all of the same length, two or more. True: B is the sentence after A in its
    document. False: B stands in another document. B alone must not tell which of the two it is.
    """
    pairs = []
    for k in range(n):
        one, other = torch.randperm(len(documents))[:2].tolist()
        place = int(torch.randint(1, len(documents[one]), ()))
        source = documents[one] if k % 2 else documents[other]
        pairs.append((documents[one][place - 1], source[place], bool(k % 2)))
    return pairs


def fit_pair(a: list, b: list, cls: int, sep: int, context: int) -> tuple:
    """Pack two texts for BERT, [CLS] a [SEP] b [SEP], and cut them where they are too long together.

    a, b: token ids. While the row would be longer than context, the last token of the longer text is dropped
    (of b where both are equally long). cls, sep: the ids of [CLS] and [SEP].
    Returns two lists of equal length: the ids, and the segments, 0 up to the first [SEP] with it, then 1.
    """
    a, b = list(a), list(b)
    while len(a) + len(b) + 3 > context:
        (a if len(a) > len(b) else b).pop()
    return [cls, *a, sep, *b, sep], [0] * (len(a) + 2) + [1] * (len(b) + 1)


def questions_needed() -> int:
    """1.96² · p (1 - p) / gap², with p = 0.85 and a gap of 0.013: about 2,900 (Wilson's interval: 2,848)."""
    return round(1.96**2 * 0.85 * 0.15 / 0.013**2)
