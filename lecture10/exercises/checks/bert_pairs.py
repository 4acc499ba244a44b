"""What is true of every right pair of texts, and of every right prediction, of 02_bert."""

from collections import Counter

from torch import Tensor

from lecture10.audit import wilson
from lecture10.exercises.exercise import Broken
from lecture10.exercises.expect import number

# --- ltr_ceiling --------------------------------------------------------------------------------------------


def one_number(value):
    """A finite scalar."""
    number(value)


def a_share(value):
    """In [0, 1]."""
    if not 0 <= number(value) <= 1:
        raise Broken(f"{number(value):.4g} is no share: from 0, never right, to 1, always")


def not_blind(value):
    """Above one in the whole vocabulary."""
    if number(value) < 0.1:
        raise Broken(f"{number(value):.3g} would be right if all words were possible there")


def not_certain(value):
    """The cue is not there yet."""
    if number(value) > 0.5:
        raise Broken(f"{number(value):.3g} means that it mostly knows a colour that has not been said yet")


def one_in_k(value):
    """1/8."""
    if abs(number(value) - 1 / 8) > 0.005:
        raise Broken(f"{number(value):.4g} would be one of {1 / max(number(value), 1e-9):.3g} colours")


# --- honest_pairs -------------------------------------------------------------------------------------------


def _documents(n: int = 8, length: int = 4) -> list[list[str]]:
    return [[f"document {d}, sentence {s}" for s in range(length)] for d in range(n)]


def _place(documents, sentence) -> tuple[int, int]:
    for d, document in enumerate(documents):
        if sentence in document:
            return d, document.index(sentence)
    raise Broken(f"{sentence!r} is no sentence of the documents")


def _pairs(fn, n: int, documents=None):
    """(document of A, place of A, document of B, place of B, follows) of each pair."""
    documents = documents or _documents()
    got = fn(documents, n)
    if (
        not isinstance(got, list)
        or len(got) != n
        or not all(isinstance(p, tuple) and len(p) == 3 for p in got)
    ):
        raise Broken(f"asked for {n} pairs, it should return a list of {n} tuples (A, B, follows)")
    return [(*_place(documents, a), *_place(documents, b), bool(follows)) for a, b, follows in got]


def n_pairs(fn):
    """A list of n triples of known sentences."""
    for n in (1, 10):
        _pairs(fn, n)


def half_and_half(fn):
    """As many of each."""
    share = sum(follows for *_, follows in _pairs(fn, 400)) / 400
    if abs(share - 0.5) > 0.1:
        raise Broken(f"of 400 pairs {share:.0%} are said to follow")


def true_pairs_follow(fn):
    """B is the sentence after A."""
    for da, sa, db, sb, follows in _pairs(fn, 200):
        if follows and (da, sa + 1) != (db, sb):
            raise Broken(f"a pair with follows = True: A is sentence {sa} of document {da}, B {sb} of {db}")


def wrong_pairs_are_wrong(fn):
    """B stands in another document."""
    for documents in (_documents(), _documents(n=2, length=3)):
        for da, _, db, _, follows in _pairs(fn, 200, documents):
            if not follows and da == db:
                raise Broken(f"a pair with follows = False has A and B from the same document, {da}")


def b_alone_tells_nothing(fn):
    """B's place in its document is as likely under both labels."""
    for length in (4, 2, 6):
        seen = {True: Counter(), False: Counter()}
        for _, _, _, place, follows in _pairs(fn, 1200, _documents(length=length)):
            seen[follows][place] += 1
        totals = {follows: sum(counts.values()) for follows, counts in seen.items()}
        for place in range(length):
            shares = {follows: seen[follows][place] / totals[follows] for follows in (True, False)}
            if abs(shares[True] - shares[False]) > 0.1:
                raise Broken(
                    f"documents of {length} sentences: B is sentence {place} in {shares[True]:.0%} of "
                    f"the pairs that follow and in {shares[False]:.0%} of those that do not"
                )


def all_of_the_text(fn):
    """Every document, and every sentence but the first as B."""
    pairs = _pairs(fn, 1200)
    for follows in (True, False):
        where = {(db, sb) for _, _, db, sb, f in pairs if f == follows}
        lacking = [(d, s) for d in range(8) for s in range(1, 4) if (d, s) not in where]
        if lacking:
            raise Broken(
                f"in 1200 pairs sentence {lacking[0][1]} of document {lacking[0][0]} is never a B "
                f"with follows = {follows}"
            )


# --- fit_pair -----------------------------------------------------------------------------------------------

PAIRS = ((3, 4, 20), (6, 2, 8), (2, 6, 8), (5, 5, 9), (9, 3, 10), (1, 9, 6), (4, 4, 11), (7, 7, 12))


def _fitted(fn):
    """Each example: how it reads, a, b, context, ids and segments as lists."""
    for na, nb, context in PAIRS:
        a, b = list(range(10, 10 + na)), list(range(50, 50 + nb))
        got = fn(a, b, 1, 2, context)
        if not isinstance(got, tuple | list) or len(got) != 2:
            raise Broken("it should return two lists: ids and segments")
        ids, segments = (one.tolist() if isinstance(one, Tensor) else one for one in got)
        yield f"{na} and {nb} tokens, context {context}", a, b, context, ids, segments


def two_lists(fn):
    """Of equal length."""
    for example, *_, ids, segments in _fitted(fn):
        if not isinstance(ids, list) or not isinstance(segments, list) or len(ids) != len(segments):
            raise Broken(f"{example}: ids and segments should be two lists of equal length")


def the_frame(fn):
    """[CLS] … [SEP] … [SEP]."""
    for example, *_, ids, _ in _fitted(fn):
        if not ids or ids[0] != 1 or ids[-1] != 2 or ids.count(1) != 1 or ids.count(2) != 2:
            raise Broken(f"{example}: with [CLS] = 1 and [SEP] = 2 it gives {ids}")


def it_fits(fn):
    """No longer than the context."""
    for example, _, _, context, ids, _ in _fitted(fn):
        if len(ids) > context:
            raise Broken(f"{example}: the row is {len(ids)} long")


def cut_no_more_than_needed(fn):
    """As long as can be."""
    for example, a, b, context, ids, _ in _fitted(fn):
        wanted = min(context, len(a) + len(b) + 3)
        if len(ids) < wanted:
            raise Broken(f"{example}: the row is {len(ids)} long and could be {wanted}")


def the_longer_is_cut(fn):
    """From its end, b where both are equally long."""
    for example, a, b, context, ids, _ in _fitted(fn):
        na, nb = len(a), len(b)
        while na + nb + 3 > context:
            na, nb = (na - 1, nb) if na > nb else (na, nb - 1)
        if ids != [1, *a[:na], 2, *b[:nb], 2]:
            middle = ids.index(2)
            kept = f"{middle - 1} and {len(ids) - middle - 2}"
            raise Broken(f"{example}: it keeps {kept} tokens, {ids}; wanted {na} and {nb}, the first ones")


def the_segments(fn):
    """0 up to and with the first [SEP]."""
    for example, *_, ids, segments in _fitted(fn):
        wanted = [0] * (ids.index(2) + 1)
        wanted += [1] * (len(ids) - len(wanted))
        if segments != wanted:
            raise Broken(f"{example}: the segments are {segments}, wanted {wanted}")


# --- questions_needed ---------------------------------------------------------------------------------------


def a_number_of_questions(value):
    """A finite scalar of at least 1."""
    if number(value) < 1:
        raise Broken(f"{number(value):.4g} is no number of questions")


def more_than_were_asked(value):
    """100 were not enough."""
    if number(value) <= 100:
        low, high = wilson(0.85, max(1, round(number(value))))
        raise Broken(f"with {number(value):.0f} questions the interval is {low:.1%} to {high:.1%}")


def outside(value):
    """86.3 lies above the interval."""
    low, high = wilson(0.85, round(number(value)))
    if high > 0.8632:
        raise Broken(
            f"with {number(value):.0f} questions the interval is {low:.1%} to {high:.1%}, 86.3 % inside"
        )


def no_more_than_needed(value):
    """Within a fifth of the least number."""
    if number(value) > 3500:
        raise Broken(f"{number(value):,.0f} are enough, but so are fewer")
