"""The recipe behind the shipped text-to-picture model: what it learns from, and how it draws."""

from dataclasses import replace

import pytest
import torch

from lecture10.models.autoencoder import Autoencoder, AutoencoderConfig
from lecture10.models.bert import BertConfig
from lecture10.models.ldm import LatentDiffusion, LDMConfig
from lecture10.models.unet import UNetConfig
from lecture10.recipes import ldm as recipe
from lecture10.recipes.captions import decode, encode
from lecture10.tokenizer import tokenizer
from lecture10.training import TrainSettings, WeightsError
from lecture10.training.cards import load_weights, read_card
from lecture10.world.draft import Habits
from lecture10.world.parse import parse
from lecture10.world.splits import split_of

TINY = LDMConfig(
    UNetConfig(2, (8, 16), 1, (False, True), heads=2, context=16, groups=4),
    BertConfig(512, 32, 16, 1, 2, dropout=0.0),
)
END = tokenizer(recipe.WORDS).end
QUIET = {"quiet": True, "device": "cpu"}


@pytest.fixture(scope="module")
def decoder():
    torch.manual_seed(0)
    return Autoencoder(AutoencoderConfig((8, 8, 8), latent=2, groups=4)).eval()


@pytest.fixture(scope="module")
def latents(decoder):
    return recipe.collect(decoder, 40, seed=3, size=16)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    net = LatentDiffusion(TINY).eval()
    net.scale.fill_(2.5)
    return net


# --- what it learns from ------------------------------------------------------------------------------------


def test_a_collection_is_the_same_twice_and_a_longer_one_begins_alike(decoder, latents, monkeypatch):
    again = recipe.collect(decoder, 40, seed=3, size=16)
    assert torch.equal(latents.z, again.z)
    assert torch.equal(latents.ids, again.ids)
    assert not torch.equal(latents.z, recipe.collect(decoder, 40, seed=4, size=16).z)
    monkeypatch.setattr(recipe, "PART", 16)
    parts = recipe.collect(decoder, 40, seed=3, size=16)
    assert parts.z.shape == latents.z.shape == (40, 2, 4, 4)
    assert torch.equal(parts.z[:16], recipe.collect(decoder, 16, seed=3, size=16).z)
    assert not torch.equal(parts.z[:16], parts.z[16:32])  # each part has scenes of its own


def test_every_latent_has_four_captions_of_its_own_scene(latents):
    assert latents.ids.shape == (40, 4, 32)
    assert latents.ids.dtype == torch.int16
    assert (latents.ids == END).any(2).all()  # each text ends
    scenes = recipe.training_scenes(0, 40, 3)
    for scene, rows in zip(scenes, latents.ids.long(), strict=True):
        for at, row in enumerate(rows):
            found = parse(decode(row))
            known = {(t.noun, t.colour) for t in scene.things}
            said = {(t.noun, t.colour) for t in found.things}
            assert {n for n, _ in said} <= {n for n, _ in known}, decode(row)
            if at < 3:  # plain habits: every thing is named
                assert {n for n, _ in said} == {n for n, _ in known}, decode(row)


def test_nothing_that_is_kept_back_is_drawn_or_named():
    scenes = recipe.training_scenes(0, 400, 0)
    pairs = {(t.noun, t.colour) for scene in scenes for t in scene.things}
    assert {split_of(*pair) for pair in pairs} == {"train"}
    assert {noun for noun, _ in pairs} == set(recipe.KNOBS["nouns"])
    roll = torch.Generator().manual_seed(0)
    named = set()
    for habits in recipe.HABITS:
        for row in recipe.written(scenes, roll, habits, 32).long():
            named |= {(t.noun, t.colour) for t in parse(decode(row)).things if t.noun and t.colour}
    assert len(named) > 60
    assert {split_of(*pair) for pair in named} == {"train"}


@pytest.mark.parametrize("split", ["dev", "test"])
@pytest.mark.parametrize("new", [0, 1, 2])
def test_prompts_hold_as_many_kept_back_pairs_as_asked_for(new, split):
    prompts = recipe.prompts_of(30, 5, new, split)
    assert prompts == recipe.prompts_of(30, 5, new, split)
    assert len(prompts) == 30
    for prompt in prompts:
        facts = parse(prompt)
        assert len({t.noun for t in facts.things}) == 2
        assert len(facts.relations) == 1
        splits = [split_of(t.noun, t.colour) for t in facts.things]
        assert sorted(splits) == sorted([split] * new + ["train"] * (2 - new))
        assert (recipe.prompt_ids([prompt]) != END).sum() < TINY.text.context


def test_more_than_two_things_cannot_be_new():
    with pytest.raises(ValueError, match="new=3: of two things 0, 1 or 2"):
        recipe.prompts_of(3, 0, new=3)


def test_captions_that_are_too_long_are_written_plainly():
    scenes = recipe.training_scenes(0, 30, 0)
    plain = recipe.written(scenes, torch.Generator().manual_seed(0), Habits(synonyms=False), 32)
    longest = int((plain != END).sum(1).max())
    roll = torch.Generator().manual_seed(0)
    tight = recipe.written(scenes, roll, Habits(), longest + 1)
    assert tight.shape == (30, longest + 1)
    assert (tight == END).any(1).all()


def test_a_batch_takes_one_of_the_captions_and_is_no_longer_than_it_needs(latents):
    draw = replace(latents, n=64)
    (z, ids), (z_again, ids_again) = (draw(torch.Generator().manual_seed(7)) for _ in range(2))
    assert torch.equal(z, z_again)
    assert torch.equal(ids, ids_again)
    assert (z.shape, z.dtype, ids.dtype) == ((64, 2, 4, 4), torch.float32, torch.int64)
    assert (ids == END).any(1).all()
    assert (ids[:, -2] != END).any()  # the last column is the longest text's end
    known = {row.numpy().tobytes(): at for at, row in enumerate(latents.z)}
    chosen = set()
    for row, said in zip(z, ids, strict=True):
        at = known[row.half().numpy().tobytes()]
        same = (latents.ids[at, :, : ids.shape[1]].long() == said).all(1)
        assert same.any()
        chosen.add(int(same.int().argmax()))
    assert len(chosen) > 1


# --- learning -----------------------------------------------------------------------------------------------


def test_it_learns_latents_of_variance_one_and_its_seed_decides(latents):
    settings = TrainSettings(steps=25, lr=5e-3)
    (one, history), (again, _), (other, _) = (
        recipe.learn(replace(latents, n=16), TINY, settings, seed=seed, **QUIET) for seed in (0, 0, 1)
    )
    assert history.last("loss") < history.records[0]["loss"]
    assert float((latents.z.float() * one.scale).std()) == pytest.approx(1, abs=1e-3)
    assert torch.equal(one.unet.out.weight, again.unet.out.weight)
    assert not torch.equal(one.unet.out.weight, other.unet.out.weight)
    moved = (one.text.tokens.weight - other.text.tokens.weight).abs().max()
    assert moved > 0  # τ_θ learns as well


def test_the_loss_draws_steps_noise_and_dropped_prompts_from_torchs_seed(model, latents):
    batch = latents(torch.Generator().manual_seed(0))
    found = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        found.append(recipe.diffusion_loss(model, batch).item())
    assert found[0] == found[1] != found[2]


# --- drawing ------------------------------------------------------------------------------------------------

PROMPTS = ["a red ball", "", "a blue cat to the left of a green star"]


def test_no_words_are_an_end_alone_and_words_are_encoded_as_ever():
    ids = recipe.prompt_ids(PROMPTS)
    assert (ids[1] == END).all()
    expected = encode([PROMPTS[0], PROMPTS[2]])
    assert torch.equal(ids[[0, 2]], expected)
    assert recipe.prompt_ids(["", " "]).tolist() == [[END], [END]]
    with pytest.raises(ValueError, match=r"tokens and an end, the context is 32: shorten 'a red"):
        recipe.prompt_ids(["a red ball and " * 20])


def test_pictures_are_a_prompts_and_a_seeds(model, decoder):
    drawn = recipe.draw(model, decoder, PROMPTS, steps=3)
    assert drawn.shape == (3, 3, 64, 64)
    assert 0 <= drawn.min() < drawn.max() <= 1
    assert torch.equal(drawn, recipe.draw(model, decoder, PROMPTS, steps=3))
    assert not torch.allclose(drawn, recipe.draw(model, decoder, PROMPTS, steps=3, seed=1))
    noise = torch.randn(3, 2, 16, 16, generator=torch.Generator().manual_seed(0))
    assert torch.equal(drawn, recipe.draw(model, decoder, PROMPTS, steps=3, seed=noise))
    parts = recipe.draw(model, decoder, PROMPTS, steps=3, batch=2)
    torch.testing.assert_close(parts, drawn, atol=1e-4, rtol=1e-4)
    other = recipe.draw(model, decoder, ["a green house", *PROMPTS[1:]], steps=3)
    assert not torch.allclose(other[0], drawn[0])
    torch.testing.assert_close(other[1:], drawn[1:], atol=1e-4, rtol=1e-4)


def test_latents_are_divided_back_before_they_are_decoded(model, decoder):
    seen = []

    class Watched(torch.nn.Module):
        config = decoder.config

        def decode(self, z):
            seen.append(z)
            return decoder.decode(z)

    for scale in (2.5, 5.0):
        model.scale.fill_(scale)
        recipe.draw(model, Watched(), PROMPTS, steps=2)
    model.scale.fill_(2.5)
    torch.testing.assert_close(seen[0], 2 * seen[1])


@pytest.mark.parametrize(("said", "seen"), [(-1.0, 0.0), (0.0, 0.5), (0.6, 0.8), (3.0, 1.0), (-3.0, 0.0)])
def test_what_the_decoder_says_becomes_a_picture(model, decoder, said, seen):
    class Plain(torch.nn.Module):
        config = decoder.config

        def decode(self, z):
            return torch.full((len(z), 3, 64, 64), said)

    drawn = recipe.draw(model, Plain(), PROMPTS[:1], steps=1)
    torch.testing.assert_close(drawn, torch.full((1, 3, 64, 64), seen))


@pytest.mark.parametrize("prompt", ["a bluue zebra", "çedilla ☃", "purple " * 20, "a cubist umbrella"])
def test_unknown_and_misspelt_words_are_drawn_anyway(model, decoder, prompt):
    drawn = recipe.draw(model, decoder, [prompt], steps=2)
    assert drawn.isfinite().all()


def test_what_cannot_be_drawn_is_refused(model, decoder):
    with pytest.raises(ValueError, match=r"guidance is -2"):
        recipe.draw(model, decoder, PROMPTS, guidance=-2)
    for steps in (0, 1001):
        with pytest.raises(ValueError, match=f"{steps} sampling steps: this schedule has 1000, take 1 to 10"):
            recipe.draw(model, decoder, PROMPTS, steps=steps)
    with pytest.raises(ValueError, match=r"the context is 32: shorten"):
        recipe.draw(model, decoder, ["one small red ball " * 12])
    with pytest.raises(ValueError, match="7 × 8 places are halved 1 times: choose multiples of 2"):
        recipe.draw(model, decoder, PROMPTS, seed=torch.randn(3, 2, 7, 8))
    with pytest.raises(ValueError, match="the method is 'euler'"):
        recipe.draw(model, decoder, PROMPTS, method="euler")


# --- what is shipped ----------------------------------------------------------------------------------------


@pytest.fixture
def built(tmp_path, monkeypatch, decoder, latents):
    """A data folder of one's own, with a model of two steps in it."""
    (tmp_path / "checkpoints").mkdir()
    monkeypatch.setattr(recipe, "CONFIG", TINY)
    monkeypatch.setattr(recipe.autoencoder, "load", lambda device: decoder)
    monkeypatch.setattr(recipe, "collect", lambda decoder: replace(latents, n=8))
    card = recipe.build(tmp_path / recipe.NAME, TrainSettings(steps=2, ema=0.5), config=TINY, **QUIET)
    return tmp_path, card


def test_a_built_model_comes_back_with_its_scale(built, latents):
    folder, card = built
    assert read_card(folder / recipe.NAME) == card
    assert (card.architecture, card.half, card.command) == ("ldm", True, recipe.COMMAND)
    back = LatentDiffusion(TINY)
    load_weights(back, folder / recipe.NAME, architecture="ldm", data_version=recipe.DATA)
    assert float((latents.z.float() * back.scale).std()) == pytest.approx(1, abs=2e-3)  # fp16


def test_a_missing_or_damaged_file_is_refused_with_the_command(built, monkeypatch):
    folder, _ = built
    monkeypatch.setenv("LECTURE10_DATA", str(folder))
    assert not recipe.load("cpu").training
    path = folder / f"{recipe.NAME}.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-50])
    with pytest.raises(WeightsError, match=r"cut short[\s\S]*python -m lecture10\.recipes\.ldm"):
        recipe.load("cpu")
    path.write_bytes(whole)
    monkeypatch.setattr(recipe, "CONFIG", replace(TINY, drop=0.2))
    with pytest.raises(WeightsError, match=r"drop = 0\.1, wanted is 0\.2; rebuild it with"):
        recipe.load("cpu")
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"no data file 'checkpoints/ldm\.safetensors'"):
        recipe.load("cpu")


def test_an_interrupted_run_ships_nothing(tmp_path, monkeypatch, decoder, latents, model):
    history = type("History", (), {"interrupted": True})()
    monkeypatch.setattr(recipe.autoencoder, "load", lambda device: decoder)
    monkeypatch.setattr(recipe, "collect", lambda decoder: latents)
    monkeypatch.setattr(recipe, "learn", lambda *given, **how: (model, history))
    with pytest.raises(KeyboardInterrupt, match="nothing was shipped"):
        recipe.build(tmp_path / "ldm")
    assert not list(tmp_path.iterdir())


def test_the_shipped_size_fits():
    with torch.device("meta"):
        numbers = sum(t.numel() for t in LatentDiffusion(recipe.CONFIG).state_dict().values())
    assert 2 * numbers < 12e6  # bytes, in fp16
    assert recipe.CONFIG.text.vocab_size == tokenizer(recipe.WORDS).vocab_size
    assert recipe.CONFIG.end == END
