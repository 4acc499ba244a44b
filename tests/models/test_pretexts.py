"""What CLIP is compared with: a bag of words has no order, a caption is written from left to right."""

import math

import pytest
import torch
from torch.nn import functional as F

from lecture10.models.clip import PRESETS
from lecture10.models.pretexts import BagOfWords, CaptionModel

END = 63
IDS = torch.tensor([[5, 9, 7, END, END], [8, 8, 3, 4, END], [2, END, END, END, END]])
IMAGES = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def randomised(kind):
    torch.manual_seed(1)
    model = kind(PRESETS["tiny-vit"]).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return model


def test_a_bag_knows_which_tokens_are_held_and_not_how_often_nor_where():
    bag = randomised(BagOfWords)
    assert bag.held(IDS).nonzero().tolist() == [[0, 5], [0, 7], [0, 9], [1, 3], [1, 4], [1, 8], [2, 2]]
    shuffled = torch.tensor([[9, 7, 5, END, END], [3, 4, 8, END, END], [2, 2, 2, 2, END]])
    torch.testing.assert_close(bag.loss(IMAGES, shuffled), bag.loss(IMAGES, IDS))
    with pytest.raises(ValueError, match="text 1 is empty"):
        bag.held(torch.tensor([[1, END], [END, END]]))


def test_a_bags_loss_is_the_mean_over_its_words_and_not_below_the_logarithm_of_their_number():
    bag = randomised(BagOfWords)
    log_p = bag(IMAGES)
    by_hand = -(log_p[0, [5, 9, 7]].mean() + log_p[1, [8, 3, 4]].mean() + log_p[2, 2]) / 3
    torch.testing.assert_close(bag.loss(IMAGES, IDS), by_hand)
    with torch.no_grad():  # the best bag: all it holds, evenly
        bag.words.weight.zero_()
        bag.words.bias.fill_(-100)
        bag.words.bias[[5, 9, 7]] = 0
    assert bag.loss(IMAGES[:1], IDS[:1]).item() == pytest.approx(math.log(3), abs=1e-5)


def test_a_caption_is_written_from_left_to_right_and_sees_the_picture():
    model = randomised(CaptionModel)
    picture = model.features(IMAGES)
    log_p = model.log_tokens(picture, IDS)
    changed = IDS.clone()
    changed[:, 3] = 11
    same = model.log_tokens(picture, changed)
    torch.testing.assert_close(same[:, :3], log_p[:, :3])  # what comes later does not matter
    assert (same[:, 4] - log_p[:, 4]).abs().max() > 1e-4
    assert (model.log_tokens(picture.flip(0), IDS)[0] - log_p[0]).abs().min() > 1e-4  # the picture does


def test_a_captions_tokens_are_one_distribution_each():
    model = randomised(CaptionModel)
    picture = model.features(IMAGES[:1])
    start = torch.tensor([[5, 9]])
    each = torch.tensor([[5, 9, w] for w in range(END + 1)])
    log_p = model.log_tokens(picture.expand(END + 1, -1), each)[:, 2]
    assert log_p.exp().sum().item() == pytest.approx(1, abs=1e-5)
    torch.testing.assert_close(
        model.log_tokens(picture, start)[0], model.log_tokens(picture, each[:1])[0, :2]
    )


def test_the_caption_loss_counts_the_end_once_and_no_padding():
    model = randomised(CaptionModel)
    assert model.read(IDS).sum(1).tolist() == [4, 5, 2]
    assert model.read(torch.tensor([[5, END, 7, END]])).tolist() == [[True, True, False, False]]
    wide = F.pad(IDS, (0, 3), value=END)
    torch.testing.assert_close(model.loss(IMAGES, wide), model.loss(IMAGES, IDS))
    log_p = model.log_tokens(model.features(IMAGES), IDS)
    by_hand = -(log_p[0, :4].sum() + log_p[1].sum() + log_p[2, :2].sum()) / 11
    torch.testing.assert_close(model.loss(IMAGES, IDS), by_hand)


@pytest.mark.parametrize("kind", [BagOfWords, CaptionModel])
def test_scores_are_relative_to_the_other_pictures_and_every_weight_matters(kind):
    model = randomised(kind)
    scores = model.scores(IMAGES, IDS)
    assert scores.shape == (3, 3)
    torch.testing.assert_close(scores.mean(0), torch.zeros(3), atol=1e-5, rtol=0)
    if kind is CaptionModel:
        torch.testing.assert_close(model.scores(IMAGES, IDS, rows=2), scores)
    for name, parameter in model.named_parameters():
        if name.endswith("words.bias"):
            continue  # a word's frequency: taken out of the scores by their mean
        before = parameter.detach().clone()
        with torch.no_grad():
            parameter.add_(0.3 * torch.randn_like(parameter))
            assert (model.scores(IMAGES, IDS) - scores).abs().max() > 1e-5, name
            parameter.copy_(before)
