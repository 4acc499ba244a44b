"""What is true of every right masking and masked-word loss of 02_bert, on small seeded examples."""

import math
from collections import Counter

import torch
from torch import Tensor
from torch.nn import functional as F

from lecture10.exercises.exercise import Broken
from lecture10.exercises.expect import dice, number, same

# --- mask_words ---------------------------------------------------------------------------------------------

MASK, N_SPECIAL, VOCAB = 3, 5, 900
LENGTHS = (
    (1, 2, 1, 3),
    (2,) * 7,
    (1,) * 20,
    (3, 1, 2, 2, 1, 1, 4, 1, 1, 2, 1, 3, 1),
    (1,),
)  # pieces per word


def _text(pieces: tuple[int, ...], seed: int) -> tuple[Tensor, Tensor]:
    """[CLS] words [SEP] [PAD] [PAD]: ids and words."""
    words = [word for word, n in enumerate(pieces) for _ in range(n)]
    ids = torch.randint(N_SPECIAL, VOCAB, (len(words),), generator=dice(seed)).tolist()
    return torch.tensor([1, *ids, 2, 0, 0]), torch.tensor([-1, *words, -1, -1, -1])


def _masked(fn, times: int):
    """Each example `times` times: pieces, ids, words, what is read, targets."""
    for seed, pieces in enumerate(LENGTHS):
        ids, words = _text(pieces, seed)
        for _ in range(times):
            got = fn(ids, words, MASK, N_SPECIAL, VOCAB)
            if not isinstance(got, tuple | list) or len(got) != 2:
                raise Broken("it should return two tensors: what the model reads, and the targets")
            read, targets = got
            for name, one in (("what is read", read), ("targets", targets)):
                if not isinstance(one, Tensor) or one.shape != ids.shape or one.dtype != ids.dtype:
                    raise Broken(f"{name} should be like ids: {tuple(ids.shape)}, whole numbers")
            yield pieces, ids, words, read, targets


def like_the_ids(fn):
    """Two tensors of ids' shape."""
    for _ in _masked(fn, 2):
        pass


def special_tokens_stay(fn):
    """[CLS], [SEP] and [PAD] are neither asked nor changed."""
    for _, ids, words, read, targets in _masked(fn, 20):
        special = words < 0
        if (targets[special] != -100).any() or (read[special] != ids[special]).any():
            raise Broken("a special token ([CLS], [SEP] or [PAD], words = -1) was chosen")


def the_truth_is_asked(fn):
    """Targets are ids or -100, and what is not asked is read as it stands."""
    for _, ids, _, read, targets in _masked(fn, 20):
        asked = targets != -100
        if (targets[asked] != ids[asked]).any():
            raise Broken("a target is not the token that stood there")
        if (read[~asked] != ids[~asked]).any():
            raise Broken("a token was changed that is not asked for")


def whole_words(fn):
    """All pieces or none."""
    for pieces, _, words, _, targets in _masked(fn, 20):
        for word, n in enumerate(pieces):
            asked = int((targets[words == word] != -100).sum())
            if asked not in (0, n):
                raise Broken(f"of a word of {n} pieces {asked} are asked for")


def fifteen_per_cent(fn):
    """round(0.15 n), at least one."""
    for pieces, _, words, _, targets in _masked(fn, 20):
        chosen = len(set(words[targets != -100].tolist()))
        wanted = max(1, round(0.15 * len(pieces)))
        if chosen != wanted:
            raise Broken(f"of {len(pieces)} words {chosen} were chosen, wanted {wanted}")


def all_words_alike(fn):
    """No word is favoured."""
    seen, times = Counter(), 0
    for pieces, _, words, _, targets in _masked(fn, 200):
        if len(pieces) == 13:
            times += 1
            seen.update(set(words[targets != -100].tolist()))
    wanted = 2 * times / 13
    for word in range(13):
        if abs(seen[word] - wanted) > 6 * math.sqrt(wanted):
            raise Broken(
                f"in {times} draws word {word} of 13 was chosen {seen[word]} times, not about {wanted:.0f}"
            )


def _fates(fn):
    """What happened to each chosen word of several pieces, in many draws."""
    fates: Counter = Counter()
    for pieces, ids, words, read, targets in _masked(fn, 250):
        for word in set(words[targets != -100].tolist()):
            here = words == word
            if pieces[word] > 1:
                masked, kept = (read[here] == MASK), (read[here] == ids[here])
                if masked.any() and not masked.all():
                    fates["mixed"] += 1
                elif kept.any() and not kept.all():
                    fates["half kept"] += 1
                else:
                    fates["mask" if masked.all() else "kept" if kept.all() else "random"] += 1
                if ((read[here] < N_SPECIAL) & ~masked & ~kept).any():
                    raise Broken("a special token was put in as a random one")
    return fates


def one_fate_a_word(fn):
    """All pieces [MASK], all random, or all as they are."""
    fates = _fates(fn)
    if fates["mixed"] or fates["half kept"] > 0.01 * sum(fates.values()):
        raise Broken("in one chosen word some pieces were masked, replaced or kept, and others not")


def eighty_ten_ten(fn):
    """The shares of the fates."""
    fates = _fates(fn)
    total = sum(fates.values())
    for name, wanted in (("mask", 0.8), ("random", 0.1), ("kept", 0.1)):
        if abs(fates[name] / total - wanted) > 0.055:
            raise Broken(f"of {total} chosen words {fates[name] / total:.0%} ended as '{name}'")


# --- whole_batch_loss ---------------------------------------------------------------------------------------


def _parts(seed: int, asked: list[list[int]], vocab: int = 7, length: int = 6) -> list[tuple[Tensor, Tensor]]:
    """Parts of a batch; asked[p][b]: how many words of row b of part p are asked for."""
    roll, found = dice(seed), []
    for rows in asked:
        logits = 2 * torch.randn(len(rows), length, vocab, generator=roll)
        targets = torch.full((len(rows), length), -100)
        for b, n in enumerate(rows):
            where = torch.randperm(length, generator=roll)[:n]
            targets[b, where] = torch.randint(vocab, (n,), generator=roll)
        found.append((logits, targets))
        length += 1
    return found


def _wanted(parts) -> float:
    logits = torch.cat([part.flatten(0, 1) for part, _ in parts])
    return float(F.cross_entropy(logits, torch.cat([targets.flatten() for _, targets in parts])))


def loss_is_one_number(fn):
    """A finite scalar."""
    number(fn(_parts(0, [[2, 2], [2, 2]])))


def knowing_nothing_costs_ln_v(fn):
    """All logits 0."""
    for vocab, asked in ((7, [[1, 1], [1, 1]]), (20, [[2]])):
        parts = [(torch.zeros_like(logits), targets) for logits, targets in _parts(1, asked, vocab)]
        same(number(fn(parts)), math.log(vocab), f"logits 0, {vocab} words")


def unasked_weigh_nothing(fn):
    """Other logits where nothing is asked."""
    parts = _parts(2, [[1, 3], [2, 2]])
    before = number(fn(parts))
    moved = [(torch.where(t[..., None] == -100, -x, x), t) for x, t in parts]
    same(number(fn(moved)), before, "other logits where nothing is asked")


def each_word_weighs_the_same(fn):
    """Parts and rows with different numbers of words asked for."""
    for seed, asked in enumerate([[[1, 1], [5, 4]], [[6], [1], [2]], [[1, 5], [5, 1]]]):
        parts = _parts(10 + seed, asked)
        same(number(fn(parts)), _wanted(parts), f"words asked for, row by row of each part: {asked}")


def an_empty_part(fn):
    """A part in which nothing is asked."""
    for asked in ([[0, 0], [2, 1]], [[3], [0], [1]]):
        parts = _parts(20, asked)
        value = fn(parts)
        if isinstance(value, Tensor) and value.numel() == 1 and not torch.isfinite(value):
            raise Broken(f"words asked for, row by row of each part: {asked}: it gives {float(value)}")
        same(number(value), _wanted(parts), f"words asked for, row by row of each part: {asked}")


def trainable(fn):
    """The gradient reaches every part."""
    parts = [(logits.requires_grad_(), targets) for logits, targets in _parts(5, [[1, 2], [3, 1]])]
    loss = fn(parts)
    if not getattr(loss, "requires_grad", False):
        raise Broken("the loss has no gradient: .item(), .detach() or float(...) cut it off")
    grads = torch.autograd.grad(loss, [logits for logits, _ in parts], allow_unused=True)
    if any(grad is None or not grad.any() for grad in grads):
        raise Broken("no gradient reaches the logits of some part")
