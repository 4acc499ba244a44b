"""Attempts at 02_bert, pairs and predictions: RIGHT ones, and WRONG ones with the property each breaks."""

import math

import torch

# --- honest_pairs: (documents, n) -> [(A, B, follows)]


def same_place(documents, n):
    pairs = []
    for k in range(n):
        one = int(torch.randint(len(documents), ()))
        other = (one + 1 + int(torch.randint(len(documents) - 1, ()))) % len(documents)
        place = 1 + int(torch.randint(len(documents[0]) - 1, ()))
        source = documents[one if k % 2 == 0 else other]
        pairs.append((documents[one][place - 1], source[place], k % 2 == 0))
    return pairs


def coin_by_coin(documents, n):
    pairs = []
    for _ in range(n):
        follows = bool(torch.rand(()) < 0.5)
        one, other = torch.randperm(len(documents))[:2].tolist()
        t = int(torch.randint(len(documents[one]) - 1, ()))
        pairs.append((documents[one][t], documents[one if follows else other][t + 1], follows))
    return pairs


def anywhere_but_first(documents, n):
    """B's place is spread evenly, the same under both labels: just as honest."""
    pairs = []
    for k in range(n):
        one, other = torch.randperm(len(documents))[:2].tolist()
        place = int(torch.randint(1, len(documents[one]), ()))
        far = int(torch.randint(1, len(documents[other]), ()))
        b = documents[one][place] if k % 2 else documents[other][far]
        pairs.append((documents[one][place - 1], b, bool(k % 2)))
    return pairs


def maybe_the_same_document(documents, n):
    pairs = []
    for k in range(n):
        one, other = torch.randint(len(documents), (2,)).tolist()
        place = int(torch.randint(1, len(documents[one]), ()))
        pairs.append((documents[one][place - 1], documents[one if k % 2 else other][place], bool(k % 2)))
    return pairs


def shuffled_within(documents, n):
    """The wrong B is a later sentence of the same document (that is sentence order, not NSP)."""
    pairs = same_place(documents, n)
    return [(a, b if f else next(d[-1] for d in documents if a in d), f) for a, b, f in pairs]


def openers(documents, n):
    return [
        (a, b if f else documents[0 if a not in documents[0] else 1][0], f)
        for a, b, f in same_place(documents, n)
    ]


def the_next_document(documents, n):
    """Wrong sentences always come from the same two documents."""
    pairs = []
    for a, b, f in same_place(documents, n):
        source = documents[0] if a not in documents[0] else documents[1]
        place = next(d.index(a) for d in documents if a in d) + 1
        pairs.append((a, b if f else source[place], f))
    return pairs


def mostly_true(documents, n):
    return [(a, b, True) for a, b, f in same_place(documents, 2 * n + 2) if f][:n]


def labels_turned(documents, n):
    return [(a, b, not f) for a, b, f in same_place(documents, n)]


def backwards(documents, n):
    return [(b, a, f) for a, b, f in same_place(documents, n)]


def too_few(documents, n):
    return same_place(documents, n)[: n // 2]


# --- fit_pair: (a, b, cls, sep, context) -> ids, segments


def step_by_step(a, b, cls, sep, context):
    na, nb = len(a), len(b)
    while na + nb > context - 3:
        if na > nb:
            na -= 1
        else:
            nb -= 1
    ids = [cls, *a[:na], sep, *b[:nb], sep]
    return ids, [int(t > na + 1) for t in range(len(ids))]


def by_arithmetic(a, b, cls, sep, context):
    room = context - 3
    na, nb = len(a), len(b)
    if na + nb > room:
        half = room // 2
        na, nb = (na, room - na) if na <= half else ((room - nb, nb) if nb <= half else (room - half, half))
    return [cls, *a[:na], sep, *b[:nb], sep], [0] * (na + 2) + [1] * (nb + 1)


def row_cut(a, b, cls, sep, context):
    ids = [cls, *a, sep, *b, sep]
    return ids[:context], ([0] * (len(a) + 2) + [1] * (len(b) + 1))[:context]


def nothing_cut(a, b, cls, sep, context):
    return [cls, *a, sep, *b, sep], [0] * (len(a) + 2) + [1] * (len(b) + 1)


def b_alone_cut(a, b, cls, sep, context):
    nb = max(0, context - 3 - len(a))
    a = a[: context - 3]
    return step_by_step(a, b[:nb], cls, sep, context)


def halves(a, b, cls, sep, context):
    half = (context - 3) // 2
    return step_by_step(a[:half], b[:half], cls, sep, context)


def the_front_cut(a, b, cls, sep, context):
    (na, nb) = (len(a), len(b))
    while na + nb + 3 > context:
        na, nb = (na - 1, nb) if na > nb else (na, nb - 1)
    return nothing_cut(a[len(a) - na :], b[len(b) - nb :], cls, sep, context)


def sep_in_the_second(a, b, cls, sep, context):
    ids, _ = step_by_step(a, b, cls, sep, context)
    first = ids.index(sep)
    return ids, [int(t >= first) for t in range(len(ids))]


def two_for_the_first_sep(a, b, cls, sep, context):
    ids, segments = step_by_step(a, b, cls, sep, context)
    return ids, segments[:-1]


def room_for_two_only(a, b, cls, sep, context):
    ids, segments = step_by_step(a, b, cls, sep, context + 1)
    return ids, segments


def a_cut_on_ties(a, b, cls, sep, context):
    na, nb = len(a), len(b)
    while na + nb + 3 > context:
        na, nb = (na - 1, nb) if na >= nb else (na, nb - 1)
    return nothing_cut(a[:na], b[:nb], cls, sep, context)


RIGHT = {
    "ltr_ceiling": [0.125, 1 / 8, torch.tensor(0.125)],
    "honest_pairs": [same_place, coin_by_coin, anywhere_but_first],
    "fit_pair": [step_by_step, by_arithmetic],
    "questions_needed": [2899, 2900.0, 3000],
}

WRONG = {
    "ltr_ceiling": [
        (12.5, "a share"),
        (1 / 141, "only colours"),
        (0.0, "only colours"),
        (1.0, "no cue yet"),
        (1 / 7, "one in K"),
        (0.5, "one in K"),
        ("one in eight", "one number"),
        (math.nan, "one number"),
    ],
    "honest_pairs": [
        (too_few, "n pairs"),
        (mostly_true, "half and half"),
        (labels_turned, "true pairs follow"),
        (backwards, "true pairs follow"),
        (maybe_the_same_document, "wrong pairs are wrong"),
        (shuffled_within, "wrong pairs are wrong"),
        (openers, "B alone tells nothing"),
        (the_next_document, "all of the text"),
    ],
    "fit_pair": [
        (two_for_the_first_sep, "two lists"),
        (row_cut, "the frame"),
        (nothing_cut, "it fits"),
        (room_for_two_only, "it fits"),
        (halves, "no more than needed"),
        (b_alone_cut, "the longer one is cut"),
        (the_front_cut, "the longer one is cut"),
        (a_cut_on_ties, "the longer one is cut"),
        (sep_in_the_second, "segments"),
    ],
    "questions_needed": [
        (0, "a number of questions"),
        ("thousands", "a number of questions"),
        (100, "more than 100"),
        (54, "more than 100"),
        (1000, "86.3 is outside"),
        (2000, "86.3 is outside"),
        (1_000_000, "no more than needed"),
    ],
}
