"""The recipe behind the shipped CLIP: its words, its batches, its measure."""

from dataclasses import replace
from functools import partial

import pytest
import torch

from lecture10.models.clip import CLIP, CLIPConfig, TextConfig
from lecture10.models.vision import ResNetConfig
from lecture10.paths import data_path
from lecture10.recipes import captions as words
from lecture10.recipes import clip as recipe
from lecture10.recipes.captions import Pairs, decode, encode
from lecture10.tokenizer import tokenizer
from lecture10.training import TrainSettings
from lecture10.training.cards import load_weights, read_card
from lecture10.world.draft import Habits
from lecture10.world.parse import parse
from lecture10.world.producer import Producer
from lecture10.world.splits import pairs, split_of

TINY = CLIPConfig(ResNetConfig(32, 8, (1, 1), 2), TextConfig(512, 48, 16, 1, 2), embed=16, gelu="exact")
FEW = Pairs(8, 32, knobs={"things": 1})


def test_the_tokenizer_recipe_writes_the_shipped_file(tmp_path):
    path = words.build(tmp_path / "captions.json")
    assert path.read_bytes() == data_path("tokenizers/captions.json").read_bytes()
    assert tokenizer("captions").vocab_size == words.VOCAB_SIZE == recipe.CONFIG.text.vocab_size
    assert tokenizer("captions").end == recipe.CONFIG.text.end


def test_texts_end_and_are_filled_up_and_can_be_read_back():
    ids = encode(["A  blue bear", "an orange cup on the grass"])
    end = tokenizer("captions").end
    assert (ids == end).any(1).all()
    assert ids.shape[1] == (ids[1] != end).sum() + 1
    assert [decode(row) for row in ids] == ["a blue bear", "an orange cup on the grass"]
    assert torch.equal(encode(["a blue bear"])[0], ids[0, : (ids[0] != end).sum() + 1])
    assert (encode(["scarecrow astronaut"]) != end).sum() <= 4  # the world's words are hardly cut


def test_texts_that_cannot_be_encoded_are_refused():
    with pytest.raises(ValueError, match="text 1 is empty"):
        encode(["bear", " "])
    with pytest.raises(ValueError, match="the context is 4: shorten 'a blue"):
        encode(["a blue bear and a red fish"], context=4)
    with pytest.raises(ValueError, match="no texts"):
        encode([])


def test_a_batch_holds_pictures_their_captions_and_no_caption_twice():
    draw = Pairs(60, 32, knobs={"things": 1, "nouns": ("bear", "cup"), "backdrops": "studio"})
    image, ids, groups = draw(torch.Generator().manual_seed(0))
    assert image.shape == (60, 3, 32, 32)
    assert 0 <= image.min() <= image.max() <= 1
    texts = [decode(row) for row in ids]
    assert len(set(texts)) == 60
    assert groups.tolist() == list(range(60))
    repeated = replace(draw, distinct=False)(torch.Generator().manual_seed(0))
    texts = [decode(row) for row in repeated[1]]
    assert len(set(texts)) < 60
    assert (repeated[2][:, None] == repeated[2]).tolist() == [[a == b for b in texts] for a in texts]


def test_captions_belong_to_their_pictures_scenes():
    scenes, texts = Pairs(30, 32, knobs={"things": 1}).words(torch.Generator().manual_seed(3))
    for scene, text in zip(scenes, texts, strict=True):
        assert parse(text).things[0].noun == scene.things[0].noun
        assert split_of(scene.things[0].noun, scene.things[0].colour) == "train"


def test_too_few_different_captions_are_said():
    few = {"things": 1, "nouns": "bear", "colours": "brown", "sizes": "small", "backdrops": "studio"}
    pairs_of_few = Pairs(400, 32, habits=Habits(synonyms=False), knobs=few)
    with pytest.raises(ValueError, match=r"20 draws gave \d+ different captions .* take a smaller batch"):
        pairs_of_few(torch.Generator())
    with pytest.raises(ValueError, match="kind of caption"):
        Pairs(kind="long")
    with pytest.raises(ValueError, match="n=0"):
        Pairs(0)


def test_a_producer_draws_the_same_batches():
    with Producer(FEW, seed=3, workers=0) as here, Producer(FEW, seed=3, workers=1) as ahead:
        for a, b in zip(next(iter(here)), next(iter(ahead)), strict=True):
            assert torch.equal(a, b)


def test_it_learns_and_its_seed_decides():
    settings = TrainSettings(steps=12, lr=5e-3)
    (one, history), (again, _), (other, _) = (
        recipe.learn(TINY, settings, seed=seed, batches=FEW, workers=0, quiet=True) for seed in (0, 0, 1)
    )
    assert history.last("loss") < history.records[0]["loss"]
    assert torch.equal(one.logit_scale, again.logit_scale)
    assert not torch.equal(one.text_tower.projection.weight, other.text_tower.projection.weight)


def test_the_classes_are_all_300_and_the_held_out_ones_are_drawn_evenly():
    assert len(set(recipe.CLASSES)) == 300
    images, labels = recipe.one_thing_each("dev", each=2, size=32)
    assert images.shape == (60, 3, 32, 32)
    named = {recipe.CLASSES[i] for i in labels.tolist()}
    assert named == {f"{colour} {noun}" for noun, colour in pairs("dev")}
    assert labels.bincount().max() == 2


def test_accuracy_is_measured_among_all_classes():
    """A model that reads the label out of the picture's corner is right, and only that one."""

    class Cheat(torch.nn.Module):
        config = TINY

        def __init__(self):
            super().__init__()
            self.wrong = torch.nn.Parameter(torch.zeros(()))

        def embed_images(self, images):
            labels = recipe.one_thing_each("dev", 2, 32, seed=1000)[1]
            return torch.eye(300)[labels]

        def embed_texts(self, ids):
            names = {
                f"a photo of a{'n' * (name[0] in 'aeiou')} {name}.": i
                for i, name in enumerate(recipe.CLASSES)
            }
            return torch.eye(300)[[names[decode(row)] for row in ids]]

    assert recipe.zero_shot_accuracy(Cheat(), "dev", each=2) == 1.0
    torch.manual_seed(0)
    assert recipe.zero_shot_accuracy(CLIP(TINY), "dev", each=2) < 0.1


def test_shipping_writes_rounded_weights_with_a_card(tmp_path, monkeypatch):
    clip, history = recipe.learn(TINY, TrainSettings(steps=2), batches=FEW, workers=0, quiet=True)
    card = recipe.ship(clip, tmp_path / "clip", seed=0, steps=history.done, minutes=0.1, each=1)
    assert read_card(tmp_path / "clip") == card
    assert card.metrics.keys() == {"dev_zero_shot_300", "test_zero_shot_300"}
    back = CLIP(TINY)
    load_weights(back, tmp_path / "clip", architecture="clip", data_version=recipe.DATA)
    assert torch.equal(back.text_tower.tokens.weight, clip.text_tower.tokens.weight)
    assert recipe.zero_shot_accuracy(back, "dev", each=1) == card.metrics["dev_zero_shot_300"]


def test_an_interrupted_run_ships_nothing(tmp_path, monkeypatch):
    clip, history = recipe.learn(TINY, TrainSettings(steps=1), batches=FEW, workers=0, quiet=True)
    history.interrupted = True
    monkeypatch.setattr(recipe, "learn", lambda **how: (clip, history))
    with pytest.raises(KeyboardInterrupt, match="nothing was shipped"):
        recipe.build(tmp_path / "clip")
    assert not list(tmp_path.iterdir())


def test_the_shipped_size_fits():
    from lecture10.models.clip import count_parameters

    assert 2 * count_parameters(recipe.CONFIG) < 5e6  # bytes, in fp16
    assert partial(encode, context=recipe.CONFIG.text.context)(["a bear"]).shape[0] == 1


def test_the_shipped_clip_names_pairs_that_it_never_met_as_its_card_says():
    card = read_card(data_path("checkpoints/clip.json"))
    clip = recipe.load("cpu")
    assert data_path("checkpoints/clip.safetensors").stat().st_size < 5e6
    right = recipe.zero_shot_accuracy(clip, "dev", each=4, seed=77_000)
    said = card.metrics["dev_zero_shot_300"]
    assert abs(right - said) < 3 * (said * (1 - said) / 120) ** 0.5 + 0.01
