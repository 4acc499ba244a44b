"""What a BERT must do whatever its weights: look both ways, never at padding; mask as the recipe says."""

import math
from collections import Counter
from itertools import pairwise

import pytest
import torch

from lecture10.models.bert import (
    IGNORE,
    IS_NEXT,
    NOT_NEXT,
    PRESETS,
    BertChoice,
    BertConfig,
    BertPretraining,
    count_parameters,
    mask_tokens,
    masked_word_loss,
    next_sentence_pair,
    pack,
    pad,
)

MASK, N_SPECIAL, VOCAB = 3, 5, 40


def dice(seed=0):
    return torch.Generator().manual_seed(seed)


def random_bert(**changes) -> BertPretraining:
    torch.manual_seed(0)
    sizes = {
        "vocab_size": VOCAB,
        "context": 12,
        "width": 16,
        "layers": 2,
        "heads": 4,
        "dropout": 0.0,
    } | changes
    bert = BertPretraining(BertConfig(**sizes)).eval()
    with torch.no_grad():
        for parameter in bert.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return bert


@pytest.fixture(scope="module")
def bert():
    return random_bert()


IDS = torch.randint(N_SPECIAL, VOCAB, (2, 12), generator=dice(4))


def test_the_papers_sizes():
    """The encoder with its pooler; the games' heads come on top."""
    assert count_parameters(PRESETS["base"]) == 109_482_240
    assert count_parameters(PRESETS["large"]) == 335_141_888
    heads = 768 * 768 + 768 + 2 * 768 + 30_522 + 2 * 768 + 2
    assert count_parameters(PRESETS["base"], heads=True) == 109_482_240 + heads == 110_106_428


def test_the_audit_counts_the_same():
    from lecture10 import audit

    assert count_parameters(PRESETS["base"]) == audit.bert_parameters(**audit.BERT_BASE)
    assert count_parameters(PRESETS["large"]) == audit.bert_parameters(**audit.BERT_LARGE)


def test_every_token_changes_every_position(bert):
    before = bert(IDS)[0]
    for place in (0, 5, 11):
        changed = IDS.clone()
        changed[:, place] = (changed[:, place] - N_SPECIAL + 1) % (VOCAB - N_SPECIAL) + N_SPECIAL
        assert (bert(changed)[0] - before).abs().amax((0, 2)).min() > 1e-4


def test_padding_is_never_looked_at(bert):
    real = torch.arange(12) < torch.tensor([[7], [12]])
    before, next_before = bert(IDS, real=real)
    other = torch.where(real, IDS, (IDS + 7) % VOCAB)
    after, next_after = bert(other, real=real)
    assert torch.equal(before[real], after[real])
    assert torch.equal(next_before, next_after)
    alone, next_alone = bert(IDS[:1, :7])
    torch.testing.assert_close(before[:1, :7], alone, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(next_before[:1], next_alone, atol=1e-5, rtol=1e-5)


def test_fast_and_plain_agree(bert):
    real = torch.arange(12) < torch.tensor([[7], [12]])
    for how in ({}, {"real": real}):
        torch.testing.assert_close(bert(IDS, **how)[0], bert(IDS, fast=False, **how)[0], atol=1e-5, rtol=1e-5)


def test_segments_and_positions_matter(bert):
    segments = (torch.arange(12) > 5).long().expand(2, 12)
    assert (bert(IDS, segments)[0] - bert(IDS)[0]).abs().max() > 1e-2
    torch.testing.assert_close(bert(IDS, torch.zeros_like(IDS))[0], bert(IDS)[0])
    same = torch.full((1, 12), 9)
    assert (bert(same)[0][0].diff(dim=0)).abs().amax(-1).min() > 1e-4


def test_a_fresh_bert_prefers_no_word_and_no_answer():
    torch.manual_seed(0)
    bert = BertPretraining(PRESETS["laptop"])
    ids = torch.randint(N_SPECIAL, 512, (8, 32), generator=dice())
    words, follows = bert.losses(ids, ids, torch.zeros(8, dtype=torch.long))
    assert float(words) == pytest.approx(math.log(512), rel=0.25)
    assert float(follows) == pytest.approx(math.log(2), rel=0.6)


def test_an_edited_attention_is_used(bert):
    def nowhere(q, k, v, may_look):
        return torch.zeros_like(q)

    edited = random_bert()
    for block in edited.bert.blocks:
        block.attention.own_attend = nowhere
    changed = IDS.clone()
    changed[:, 5] = 6
    same = torch.arange(12) != 5
    assert torch.equal(edited(IDS)[0][:, same], edited(changed)[0][:, same])


# --- the loss


def test_the_loss_is_a_mean_over_what_is_asked():
    logits = torch.randn(3, 7, 9, generator=dice())
    targets = torch.full((3, 7), IGNORE)
    targets[0, 1], targets[0, 4], targets[2, 6] = 3, 0, 8
    paid = [-logits[b, t].log_softmax(-1)[v] for b, t, v in [(0, 1, 3), (0, 4, 0), (2, 6, 8)]]
    assert float(masked_word_loss(logits, targets)) == pytest.approx(float(sum(paid) / 3))
    noise = torch.where((targets == IGNORE)[..., None], 100.0, 0.0)
    assert float(masked_word_loss(logits + noise * torch.randn(9), targets)) == pytest.approx(
        float(sum(paid) / 3)
    )


def test_where_nothing_is_asked_the_loss_is_0_with_gradient_0():
    bert = random_bert()
    nothing = torch.full_like(IDS, IGNORE)
    words, follows = bert.losses(IDS, nothing, torch.tensor([IGNORE, IGNORE]))
    assert float(words) == float(follows) == 0.0
    (words + follows).backward()
    assert all(p.grad is None or not p.grad.any() for p in bert.parameters())
    assert float(bert.losses(IDS, nothing)[1]) == 0.0


def test_the_head_sees_only_what_is_asked_and_gives_the_same(bert):
    read, targets = mask_tokens(IDS, dice(1), mask_id=MASK, n_special=N_SPECIAL, vocab_size=VOCAB)
    words, follows = bert.losses(read, targets, torch.tensor([0, 1]))
    all_logits, next_logits = bert(read)
    assert float(words) == pytest.approx(float(masked_word_loss(all_logits, targets)), rel=1e-5)
    assert float(follows) == pytest.approx(
        float(masked_word_loss(next_logits, torch.tensor([0, 1]))), rel=1e-5
    )


# --- masking


def masked(ids, seed=0, **how):
    return mask_tokens(ids, dice(seed), mask_id=MASK, n_special=N_SPECIAL, vocab_size=1000, **how)


def text(n, length, seed=0):
    """[CLS] `length` words [SEP] [PAD]."""
    words = torch.randint(N_SPECIAL, 1000, (n, length), generator=dice(seed))
    edge = torch.ones(n, 1, dtype=torch.long)
    return torch.cat([edge, words, 2 * edge, 0 * edge], 1)


@pytest.mark.parametrize(
    ("length", "wanted"), [(1, 1), (2, 1), (9, 1), (10, 2), (20, 3), (100, 15), (128, 19)]
)
def test_the_number_chosen_is_exact(length, wanted):
    _, targets = masked(text(50, length))
    assert (targets != IGNORE).sum(1).tolist() == [wanted] * 50


def test_special_tokens_are_never_chosen_and_targets_are_the_truth():
    ids = text(400, 12)
    read, targets = masked(ids)
    asked = targets != IGNORE
    assert (ids[asked] >= N_SPECIAL).all()
    assert torch.equal(targets[asked], ids[asked])
    assert torch.equal(read[~asked], ids[~asked])


def test_eighty_ten_ten():
    ids = text(2000, 40)
    read, targets = masked(ids)
    asked = targets != IGNORE
    shares = Counter(
        "mask" if r == MASK else "kept" if r == t else "random"
        for r, t in zip(read[asked].tolist(), targets[asked].tolist(), strict=True)
    )
    n = int(asked.sum())
    assert n == 2000 * 6
    assert shares["mask"] / n == pytest.approx(0.8, abs=0.015)
    assert shares["random"] / n == pytest.approx(0.1, abs=0.01)
    assert shares["kept"] / n == pytest.approx(0.1, abs=0.01)
    assert read[asked & (read != MASK)].min() >= N_SPECIAL
    always, targets = masked(ids, fates=(1.0, 0.0, 0.0))
    assert (always[targets != IGNORE] == MASK).all()


def test_every_place_is_as_likely():
    _, targets = masked(text(6000, 10))
    shares = (targets[:, 1:11] != IGNORE).float().mean(0)  # two of ten
    assert shares.min() > 0.18
    assert shares.max() < 0.22


def test_a_row_without_words_is_left_alone_and_the_generator_decides():
    ids = torch.tensor([[1, 2, 0, 0], [1, 7, 2, 0]])
    read, targets = masked(ids)
    assert torch.equal(read[0], ids[0])
    assert (targets[0] == IGNORE).all()
    assert (targets[1] != IGNORE).sum() == 1
    ids = text(5, 30)
    assert torch.equal(masked(ids, seed=1)[0], masked(ids, seed=1)[0])
    assert not torch.equal(masked(ids, seed=1)[0], masked(ids, seed=2)[0])


def test_shares_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match=r"share is 15: .* the paper's is 0\.15"):
        masked(text(1, 4), share=15)
    with pytest.raises(ValueError, match="three shares that sum to 1"):
        masked(text(1, 4), fates=(0.8, 0.1, 0.2))


# --- packing, padding, pairs


def test_packing_two_texts():
    how = {"cls_id": 1, "sep_id": 2, "context": 8}
    assert pack([10, 11], [20], **how) == ([1, 10, 11, 2, 20, 2], [0, 0, 0, 0, 1, 1])
    assert pack([10], **how) == ([1, 10, 2], [0, 0, 0])
    with pytest.raises(ValueError, match="the text is empty"):
        pack([], [20], **how)
    with pytest.raises(ValueError, match=r"9 tokens long .* context is 8: shorten the text by 1"):
        pack([10] * 4, [20] * 2, **how)
    assert torch.equal(pad([[1, 2], [3]], 9), torch.tensor([[1, 2], [3, 9]]))


DOCUMENTS = [[[100 * d + s] for s in range(4)] for d in range(1, 9)]


def test_half_of_the_pairs_follow_and_b_alone_never_tells():
    generator, places, n = dice(), {IS_NEXT: Counter(), NOT_NEXT: Counter()}, 3000
    for _ in range(n):
        a, b, label = next_sentence_pair(DOCUMENTS, generator)
        (d, s) = divmod(b[0], 100)
        places[label][s] += 1
        assert a == [100 * (a[0] // 100) + k for k in range(s)]  # A is all that stands before
        assert (a[0] // 100 == d) == (label == IS_NEXT)
    assert sum(places[IS_NEXT].values()) / n == pytest.approx(0.5, abs=0.04)
    for s in (1, 2, 3):
        for label in (IS_NEXT, NOT_NEXT):
            assert places[label][s] / sum(places[label].values()) == pytest.approx(1 / 3, abs=0.05)
    assert not places[IS_NEXT][0] + places[NOT_NEXT][0]


def test_documents_that_make_no_pairs_are_refused():
    with pytest.raises(ValueError, match=r"has 1 sentence\(s\): A and B need two"):
        next_sentence_pair([[[5]], [[6]]], dice())
    coin_says_no = next(seed for seed in range(50) if torch.randint(2, (3,), generator=dice(seed))[2])
    with pytest.raises(ValueError, match="no other one has"):
        next_sentence_pair([[[5], [6], [7]]], dice(coin_says_no))


# --- what it cannot read


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"ids": IDS[0]}, r"shape \(12,\); \(batch, positions\)"),
        ({"ids": IDS[:, :0]}, "with one or more"),
        ({"ids": IDS.repeat(1, 2)}, r"24 tokens are more than this model's context of 12: cut the text"),
        ({"ids": IDS + 100}, "another tokenizer"),
        ({"ids": IDS - 50}, "token ids run from -"),
        (
            {"segments": torch.full_like(IDS, 2)},
            r"segment ids run from 2 to 2, .* 0 to 1: 0 stands for the first",
        ),
        ({"segments": torch.zeros(2, 3, dtype=torch.long)}, "each token needs its segment"),
        ({"real": torch.ones(2, 12)}, r"real is \(2, 12\) torch.float32; it is bool"),
        ({"real": torch.zeros(2, 12, dtype=torch.bool)}, "padding alone: its text is empty"),
    ],
)
def test_what_it_cannot_read_is_named(bert, how, says):
    with pytest.raises(ValueError, match=says):
        bert(**{"ids": IDS} | how)


def test_choices_need_three_dimensions(bert):
    choice = BertChoice(bert.bert).eval()
    assert choice(IDS[None]).shape == (1, 2)
    with pytest.raises(ValueError, match=r"\(batch, endings, positions\) is needed"):
        choice(IDS)
    swapped = choice(IDS.flip(0)[None])
    torch.testing.assert_close(swapped.flip(1), choice(IDS[None]))  # endings do not know of one another


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match="width 16 cannot be split into 3 heads"):
        BertPretraining(BertConfig(width=16, heads=3))


def test_sizes_rise_in_the_presets():
    sizes = [count_parameters(PRESETS[name]) for name in ("tiny", "laptop", "base", "large")]
    assert all(a < b for a, b in pairwise(sizes))
