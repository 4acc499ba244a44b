"""Prompts, classes, probes and maps; the classifier equals open_clip's."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from lecture10 import zero_shot as z


class Toy(nn.Module):
    """A 'CLIP' whose texts are bags of letters and whose pictures are their own embeddings."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.letters = nn.Embedding(128, 6)
        self.drop = nn.Dropout(0.5)

    def embed_texts(self, ids):
        return F.normalize(self.drop(self.letters(ids)).mean(1), dim=-1)

    def embed_images(self, images):
        return F.normalize(self.drop(images.flatten(1)[:, :6]), dim=-1)

    def embed_places(self, images):
        return F.normalize(images.permute(0, 2, 3, 1), dim=-1)

    def held_logit_scale(self):
        return torch.tensor(2.0)


def encode(texts):
    return torch.tensor([[ord(c) for c in text.ljust(60)] for text in texts])


def test_prompts_put_the_name_in_each_template():
    assert z.prompts("blue bear", ("{}", "A {} here", "the {}")) == [
        "blue bear",
        "A blue bear here",
        "the blue bear",
    ]
    assert z.prompts("orange cup", ("A {}!", "a big {}", "{}", "pizza {}")) == [
        "An orange cup!", "a big orange cup", "orange cup", "pizza orange cup",
    ]  # fmt: skip
    assert len(z.TEMPLATES) == 8 == len(set(z.TEMPLATES))


def test_a_class_is_the_normalised_mean_of_its_normalised_prompts():
    clip, names = Toy().eval(), ["bear", "red cup", "orange fish"]
    found = z.class_embeddings(clip, encode, names)
    for name, row in zip(names, found, strict=True):
        each = clip.embed_texts(encode(z.prompts(name)))
        torch.testing.assert_close(row, F.normalize(each.mean(0), dim=0))
    torch.testing.assert_close(found.norm(dim=1), torch.ones(3))


def test_the_classifier_equals_open_clips():
    open_clip = pytest.importorskip("open_clip")
    from lecture10.pretrained.clip import from_official

    torch.manual_seed(0)
    config = {
        "embed_dim": 8, "quick_gelu": True,
        "vision_cfg": {"image_size": 16, "layers": 1, "width": 16, "head_width": 8, "patch_size": 8},
        "text_cfg": {"context_length": 40, "vocab_size": 300, "width": 16, "heads": 2, "layers": 1},
    }  # fmt: skip
    theirs = open_clip.model.CLIP(**config).eval()
    for parameter in theirs.parameters():
        parameter.data.add_(0.2 * torch.randn_like(parameter))
    ours = from_official({"model_cfg": config}, theirs.state_dict())

    def tokens(texts):
        return torch.tensor([[*map(ord, text), 299, *[0] * (39 - len(text))] for text in texts])

    names = ["bear", "cup", "orange fish", "red star"]
    wanted = open_clip.build_zero_shot_classifier(
        theirs, tokens, names, [lambda name, t=t: z.prompts(name, [t])[0] for t in z.TEMPLATES]
    )  # (E, C)
    found = z.class_embeddings(ours, tokens, names)
    torch.testing.assert_close(found, wanted.T, atol=1e-6, rtol=1e-5)
    images = torch.rand(5, 3, 16, 16)
    I_e = z.embed_images(ours, images)
    with torch.no_grad():
        logits = theirs.logit_scale.exp() * theirs.encode_image(ours.pixels(images), normalize=True) @ wanted
    torch.testing.assert_close(
        z.class_probabilities(ours, I_e, found), logits.softmax(-1), atol=1e-5, rtol=1e-5
    )


def test_embedding_is_done_in_eval_mode_in_parts_and_the_mode_comes_back():
    clip = Toy().train()
    texts = [f"text {i}" for i in range(7)]
    torch.testing.assert_close(
        z.embed_texts(clip, encode, texts, batch=3), z.embed_texts(clip, encode, texts)
    )
    images = torch.rand(5, 3, 4, 4)
    torch.testing.assert_close(
        z.embed_images(clip, images, batch=2), F.normalize(images.flatten(1)[:, :6], dim=1)
    )
    assert clip.training
    with pytest.raises(RuntimeError):
        z.embed_images(clip, torch.tensor(3))
    assert clip.training


def test_probabilities_use_the_models_scale_or_the_one_given():
    I_e, classes = F.normalize(torch.randn(4, 6), dim=1), F.normalize(torch.randn(3, 6), dim=1)
    wanted = (I_e @ classes.T * torch.tensor(2.0).exp()).softmax(1)
    torch.testing.assert_close(z.class_probabilities(Toy(), I_e, classes), wanted)
    assert z.class_probabilities(Toy(), I_e, classes, scale=0.0).allclose(torch.tensor(1 / 3))


def test_accuracy_shares_ties():
    scores = torch.tensor([[1.0, 1.0, 0.0], [0.0, 2.0, 1.0], [3.0, 3.0, 3.0]])
    assert z.accuracy(scores, torch.tensor([0, 1, 2])) == pytest.approx((1 / 2 + 1 + 1 / 3) / 3)
    assert z.accuracy(scores, torch.tensor([2, 0, 0])) == pytest.approx(1 / 9)


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ([], "give a list of names"),
        ("cat", "give a list of names"),
        (["cat", "dog", "Cat "], "class 'cat' stands at 0 and at 2.*Leave one out"),
        (["cat", " "], "a class without a name"),
    ],
)
def test_lists_of_classes_that_cannot_work_are_refused(names, says):
    with pytest.raises(ValueError, match=says):
        z.class_embeddings(Toy(), encode, names)


def test_templates_and_prompts_that_say_nothing_are_refused():
    for bad in ((), "a {}", ("a cat",), ("{} {}",)):
        with pytest.raises(ValueError, match="template"):
            z.prompts("cat", bad)
    with pytest.raises(ValueError, match="prompt 1 is empty"):
        z.embed_texts(Toy(), encode, ["a cat", "  "])


def test_a_word_map_has_its_peak_where_the_word_is():
    clip = Toy()
    word = clip.eval().embed_texts(encode(["bear"]))[0].detach()
    images = torch.randn(2, 6, 4, 5)
    images[1, :, 2, 3] = word
    found = z.word_map(clip, encode, images, ["bear", "cup"])
    assert found.shape == (2, 2, 4, 5)
    assert found[1, 0].argmax() == 2 * 5 + 3
    assert found[1, 0].max().item() == pytest.approx(1, abs=1e-5)


def test_few_shots_are_that_many_of_each_class():
    labels = torch.tensor([0, 1, 2] * 10)
    chosen = z.few_shots(labels, 4)
    assert labels[chosen].bincount().tolist() == [4, 4, 4]
    assert len(set(chosen.tolist())) == 12
    assert not torch.equal(chosen, z.few_shots(labels, 4, seed=1))
    with pytest.raises(ValueError, match="class 0 has 10 examples, 11 are asked for"):
        z.few_shots(labels, 11)


def test_a_linear_probe_learns_what_is_linear():
    pytest.importorskip("sklearn")
    features = torch.randn(200, 4, generator=torch.Generator().manual_seed(0))
    labels = (features[:, 1] > 0).long()
    probe = z.linear_probe(features[:100], labels[:100], C=10.0)
    assert z.probe_accuracy(probe, features[100:], labels[100:]) > 0.9
    assert z.probe_accuracy(probe, features[100:], 1 - labels[100:]) < 0.1
    with pytest.raises(ValueError, match="two classes"):
        z.linear_probe(features, torch.zeros(200))
