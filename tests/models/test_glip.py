"""GLIP: what grounding must do, whatever the weights."""

import math

import pytest
import torch

from lecture10.models import grounding as g
from lecture10.models.glip import GLIP, PRESETS, PRIOR, CrossAttention, GLIPConfig, count_parameters

TINY = PRESETS["tiny"]
SEPARATE = GLIPConfig(**{**vars(TINY), "fusion": False})
CLASSES = GLIPConfig(**{**vars(TINY), "classes": 7})


def model(config=TINY, seed=0):
    torch.manual_seed(seed)
    made = GLIP(config)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return made.eval()


def inputs(n=2, tokens=6, seed=1):
    roll = torch.Generator().manual_seed(seed)
    images = torch.rand(n, 3, 32, 32, generator=roll)
    ids = torch.randint(0, 500, (n, tokens), generator=roll)
    return images, ids, torch.ones(n, tokens, dtype=torch.bool)


# --- targets and scores -----------------------------------------------------------------------------------


def test_all_tokens_of_a_phrase_are_positive_and_no_other():
    T = torch.tensor([[1, 0], [0, 1], [0, 0]])  # three regions, two phrases
    phrase_tokens = torch.tensor([[1, 1, 0, 0, 0], [0, 0, 0, 1, 0]]).bool()
    wanted = torch.tensor([[1, 1, 0, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 0]])
    assert torch.equal(g.expand_target(T, phrase_tokens), wanted.float())


def test_a_token_of_two_phrases_of_one_region_is_one_not_two():
    T, shared = torch.ones(1, 2), torch.tensor([[1, 1, 0], [0, 1, 1]]).bool()
    assert g.expand_target(T, shared).tolist() == [[1, 1, 1]]


def test_target_and_score_are_inverse_for_a_perfect_model():
    T = torch.eye(3)
    tokens = torch.tensor([[1, 1, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]]).bool()
    S = (g.expand_target(T, tokens) - 0.5) * 60
    assert torch.allclose(g.phrase_scores(S, tokens), T, atol=1e-6)


def test_a_phrase_scores_the_mean_of_probabilities_not_of_logits_and_not_the_most():
    S = torch.tensor([[[4.0, -4.0, 0.0, 9.0]]])
    tokens = torch.tensor([[[True, True, True, False]]])
    wanted = (torch.sigmoid(torch.tensor(4.0)) + torch.sigmoid(torch.tensor(-4.0)) + 0.5) / 3
    assert float(g.phrase_scores(S, tokens)) == pytest.approx(float(wanted))


def test_permuting_the_phrases_permutes_the_scores_and_nothing_else():
    S, order = torch.randn(2, 4, 6), [2, 0, 1]
    tokens = torch.rand(2, 3, 6) > 0.4
    tokens[..., 0] = True
    scores = g.phrase_scores(S, tokens)
    assert torch.allclose(g.phrase_scores(S, tokens[:, order]), scores[..., order])


def test_empty_phrases_and_other_numbers_of_phrases_are_refused():
    with pytest.raises(ValueError, match="a phrase has no token"):
        g.phrase_scores(torch.zeros(1, 2, 3), torch.zeros(1, 1, 3).bool())
    with pytest.raises(ValueError, match="T has 2 phrases, phrase_tokens 3"):
        g.expand_target(torch.zeros(4, 2), torch.zeros(3, 5))


# --- losses and boxes -------------------------------------------------------------------------------------


def test_the_focal_loss_spares_the_sure_ones():
    logits, ones = torch.tensor([-3.0, 0.0, 3.0]), torch.ones(3)
    plain = g.focal_loss(logits, ones, 0.25, 0.0)
    assert torch.allclose(plain, -0.25 * torch.nn.functional.logsigmoid(logits))
    spared = g.focal_loss(logits, ones) / plain
    assert torch.allclose(spared, (1 - logits.sigmoid()) ** 2)
    assert spared[2] < 0.01 < 0.9 < spared[0]


def test_giou_of_equal_touching_and_far_boxes():
    a = torch.tensor([[0.0, 0.0, 0.5, 0.5]])
    assert float(g.giou_loss(a, a)) == pytest.approx(0)
    beside = torch.tensor([[0.5, 0.0, 1.0, 0.5]])
    assert float(g.giou_loss(a, beside)) == pytest.approx(1)
    corner = torch.tensor([[0.5, 0.5, 1.0, 1.0]])
    assert float(g.giou_loss(a, corner)) == pytest.approx(1.5)


def test_boxes_that_cannot_be_are_named():
    with pytest.raises(ValueError, match=r"boxes_xyxy\[1\] has x1 < x0"):
        g.check_boxes(torch.tensor([[0, 0, 1, 1], [0.7, 0, 0.2, 1.0]]))
    with pytest.raises(ValueError, match="outside the picture"):
        g.check_boxes(torch.tensor([[0, 0, 30, 30]]))
    g.check_boxes(torch.tensor([[0.0, 0.0, 1.0, 1.0]]))


def test_cells_around_the_middle_belong_to_a_thing_and_the_smaller_wins():
    big, small = (0.0, 0.0, 1.0, 1.0), (0.4, 0.4, 0.6, 0.6)
    owner = g.assign(torch.tensor([[big, small, (0.0, 0.0, 0.0, 0.0)]]), 4).view(4, 4)
    assert (owner[1:3, 1:3] == 1).all()
    assert (owner == 1).sum() == 4
    assert (owner == g.NOBODY).sum() == 12
    alone = g.assign(torch.tensor([[big]]), 4)
    assert (alone == 0).sum() == 4


def test_every_visible_thing_has_a_cell():
    corners = torch.rand(200, 2) * 0.9
    boxes = torch.cat([corners, corners + 0.02 + torch.rand(200, 2) * 0.07], 1)[:, None]
    owned = g.assign(boxes, 8) == 0
    assert owned.any(1).all()
    assert owned.sum(1).max() <= 4


def test_a_delta_of_zero_is_the_anchor_and_boxes_can_reach_any_place():
    boxes = g.decode(torch.zeros(1, 16, 4))
    assert torch.allclose((boxes[..., 2:] - boxes[..., :2]), torch.full((1, 16, 2), g.ANCHOR))
    middle = (boxes[..., :2] + boxes[..., 2:]) / 2
    assert torch.allclose(middle[0], g.centres(4))
    moved = g.decode(torch.tensor([0.5, 0.0, math.log(2), 0.0]).expand(1, 16, 4))
    assert torch.allclose(moved[0, :, 2] - moved[0, :, 0], torch.tensor(2 * g.ANCHOR))
    assert torch.allclose((moved[0, :, 0] + moved[0, :, 2]) / 2, g.centres(4)[:, 0] + g.ANCHOR / 2)


def test_picking_drops_doubles_of_one_phrase_and_keeps_other_phrases():
    boxes = torch.tensor([[0, 0, 0.5, 0.5], [0.01, 0, 0.5, 0.5], [0.6, 0.6, 1.2, 1.2]])
    scores = torch.tensor([[0.9, 0.0], [0.8, 0.7], [0.3, 0.01]])
    found = g.pick(boxes, scores)
    assert found.phrases.tolist() == [0, 1, 0]
    assert torch.allclose(found.scores, torch.tensor([0.9, 0.7, 0.3]))
    assert float(found.boxes.max()) == 1
    assert len(g.pick(boxes, scores, least=0.95).boxes) == 0


def test_padding_and_empty_pictures_cost_nothing_extra():
    roll = torch.Generator().manual_seed(0)
    S, boxes = torch.randn(2, 16, 5, generator=roll), g.decode(torch.zeros(2, 16, 4))
    wanted = torch.tensor([[[0.2, 0.2, 0.5, 0.5]], [[0.0, 0.0, 0.0, 0.0]]])
    owner = g.assign(wanted, 4)
    target = torch.zeros(2, 16, 5)
    real = torch.ones(2, 5, dtype=torch.bool)
    real[:, 3:] = False
    one, _ = g.grounding_loss(S, boxes, wanted, owner, target, real)
    S[:, :, 3:] = 50.0
    other, _ = g.grounding_loss(S, boxes, wanted, owner, target, real)
    assert torch.equal(one, other)
    nothing, parts = g.grounding_loss(S, boxes, 0 * wanted, g.assign(0 * wanted, 4), target, real)
    assert torch.isfinite(nothing)
    assert parts["boxes"] == 0


# --- the model --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("config", [TINY, SEPARATE])
def test_padding_does_not_matter(config):
    images, ids, real = inputs()
    net = model(config)
    with torch.no_grad():
        S, boxes = net(images, ids, real)
        longer = torch.cat([ids, torch.full((2, 4), 511)], 1)
        mask = torch.cat([real, torch.zeros(2, 4, dtype=torch.bool)], 1)
        padded, same = net(images, longer, mask)
    assert torch.allclose(padded[..., :6], S, atol=1e-5)
    assert torch.allclose(same, boxes, atol=1e-5)


def test_only_with_fusion_do_words_reach_the_boxes_and_pictures_the_words():
    images, ids, real = inputs()
    other_ids, other_images = inputs(seed=9)[1], inputs(seed=9)[0]
    for config, reaches in ((TINY, True), (SEPARATE, False)):
        net = model(config)
        with torch.no_grad():
            O, P = net.features(images, ids, real)
            O_other, _ = net.features(images, other_ids, real)
            _, P_other = net.features(other_images, ids, real)
        assert torch.equal(O, O_other) != reaches
        assert torch.equal(P, P_other) != reaches


def test_fusion_starts_almost_closed():
    torch.manual_seed(0)
    net = GLIP(TINY).eval()
    images, ids, real = inputs()
    with torch.no_grad():
        O, _ = net.features(images, ids, real)
        O_other, _ = net.features(images, inputs(seed=9)[1], real)
    assert 0 < float((O - O_other).abs().max()) < 1e-2 * float(O.abs().max())


def test_one_table_of_scores_is_read_both_ways():
    """With one token each region hears exactly that token; with one region each token hears that region."""
    net = CrossAttention(8, 8, 2)
    O, P = torch.randn(1, 5, 8), torch.randn(1, 1, 8)
    heard, _ = net(O, P)
    assert torch.allclose(heard, net.out_image(net.v_text(P)).expand(1, 5, 8), atol=1e-6)
    _, heard = net(O[:, :1], torch.randn(1, 4, 8))
    assert torch.allclose(heard, net.out_text(net.v_image(O[:, :1])).expand(1, 4, 8), atol=1e-6)
    with pytest.raises(ValueError, match="cannot be split into 3 heads"):
        CrossAttention(8, 8, 3)


def test_the_class_head_has_a_column_a_class_and_reads_no_text():
    net = model(CLASSES)
    S, boxes = net(inputs()[0])
    assert S.shape == (2, 16, 7)
    assert boxes.shape == (2, 16, 4)
    assert not any("tokens" in name or "fusion" in name for name, _ in net.named_parameters())


def test_first_probabilities_are_near_the_prior_and_gradients_reach_everything():
    torch.manual_seed(1)
    for config in (GLIPConfig(), GLIPConfig(fusion=False), GLIPConfig(classes=5)):
        net = GLIP(config)
        images, ids = torch.rand(2, 3, 64, 64), torch.randint(0, 500, (2, 7))
        S, boxes = net(images, ids, torch.ones(2, 7, dtype=torch.bool))
        assert 0.3 * PRIOR < float(S.detach().sigmoid().mean()) < 10 * PRIOR
        (S.sum() + boxes.sum()).backward()
        assert all(p.grad is not None for p in net.parameters())


def test_bad_input_has_its_cure():
    net = model()
    images, ids, real = inputs()
    with pytest.raises(ValueError, match=r"images have shape \(2, 3, 16, 32\).*resize"):
        net(images[:, :, :16], ids, real)
    with pytest.raises(ValueError, match="divide by 255"):
        net(images * 255, ids, real)
    with pytest.raises(ValueError, match="one prompt for each picture"):
        net(images, ids[:1], real[:1])
    with pytest.raises(ValueError, match="has 70 tokens, the context is 64: ask fewer"):
        net(images, torch.zeros(2, 70, dtype=torch.long))
    with pytest.raises(ValueError, match="a prompt is empty"):
        net(images, ids, real & False)


def test_the_laptop_size_is_small():
    assert count_parameters(GLIPConfig()) < 1.5e6
    assert count_parameters(GLIPConfig(fusion=False)) < count_parameters(GLIPConfig())
