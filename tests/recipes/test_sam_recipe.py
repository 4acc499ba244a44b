"""SAM's recipe, everything at once, the watershed, the coins; and the shipped weights as their card says."""

from dataclasses import replace

import pytest
import torch

from lecture10.models.sam import PRESETS, SAM
from lecture10.models.sam_loss import iou
from lecture10.paths import data_path
from lecture10.recipes import sam as recipe
from lecture10.recipes import watershed
from lecture10.recipes.clicks import Clicks, next_click
from lecture10.recipes.coins import coins, windows
from lecture10.recipes.everything import Everything, everything, grid, stability
from lecture10.recipes.photographs import NAMES, photograph
from lecture10.training import TrainSettings, load_weights, read_card

TINY = PRESETS["tiny"]
FEW = Clicks(3, 2, 32, knobs={"things": 1, "sizes": "large"})


@pytest.fixture
def batch():
    return FEW(torch.Generator().manual_seed(0))


def test_first_prompts_are_clicks_or_boxes(batch):
    points, labels = recipe.first_prompts(batch, boxes=0.0)
    assert torch.equal(points[:, 0], batch.point)
    assert labels.tolist() == [[1, -1]] * len(batch.row)
    corners, labels = recipe.first_prompts(batch, boxes=1.0)
    assert labels.tolist() == [[2, 3]] * len(batch.row)
    assert (corners[:, 1] > corners[:, 0]).all()


def test_the_surest_mask_is_taken():
    logits = torch.arange(6.0).view(2, 3, 1, 1)
    guessed = torch.tensor([[0.1, 0.9, 0.3], [0.5, 0.2, 0.1]])
    assert recipe.best_guess(logits, guessed).flatten().tolist() == [1, 3]


def test_it_learns_and_its_seed_decides():
    settings = TrainSettings(steps=15, lr=5e-3)
    (one, history), (again, _), (other, _) = (
        recipe.learn(TINY, settings, seed=seed, batches=FEW, quiet=True) for seed in (0, 0, 1)
    )
    assert history.last("loss") < history.records[0]["loss"]
    assert torch.equal(one.decoder.mask_tokens, again.decoder.mask_tokens)
    assert not torch.equal(one.decoder.mask_tokens, other.decoder.mask_tokens)


def test_all_parts_get_a_gradient(batch):
    torch.manual_seed(0)
    sam = SAM(TINY)
    for name, p in sam.named_parameters():
        if name.endswith("norm2.weight"):
            torch.nn.init.ones_(p)  # else a residual block starts as its shortcut
    loss, more = recipe.click_loss(sam, batch, later=(3,))
    loss.backward()
    silent = [name for name, p in sam.named_parameters() if p.grad is None or not p.grad.any()]
    assert all(name.endswith("k.bias") for name in silent), silent  # a softmax forgets a constant
    assert sum(float(more[f"won_{k}"]) for k in (1, 2, 3)) == pytest.approx(1)


class Oracle:
    """Answers every prompt with the target; what is asked is written down."""

    image_size, training = 8, False
    mean = torch.zeros(())

    def __init__(self, target):
        self.target, self.asked = target, []

    def embed(self, images):
        return torch.zeros(len(images), 1, 1, 1)

    def ask(self, picture, points, labels, masks, *, several):
        self.asked.append((points.shape[1], masks is not None, several))
        logits = (2.0 * self.target.float() - 1)[:, None].repeat(1, 3 if several else 1, 1, 1)
        return logits, torch.ones(len(points), logits.shape[1])

    def full_size(self, masks):
        return masks


def test_interaction_asks_as_in_the_paper():
    target = torch.zeros(1, 8, 8, dtype=torch.bool)
    target[0, 2:6, 3:7] = True
    batch = FEW(torch.Generator().manual_seed(0))._replace(
        image=torch.zeros(1, 3, 8, 8), row=torch.tensor([0]), target=target, point=torch.tensor([[4.0, 4.0]])
    )
    oracle = Oracle(target)
    found, answer = recipe.click_through(oracle, batch, 3)
    assert oracle.asked == [(2, False, True), (3, True, False), (4, True, False)]
    assert [float(x) for x in found] == [1, 1, 1]
    assert answer["ious"].shape == (1, 3)


def test_shipping_writes_rounded_weights_with_a_card(tmp_path):
    sam, history = recipe.learn(TINY, TrainSettings(steps=2), batches=FEW, quiet=True)
    card = recipe.ship(sam, tmp_path / "sam", seed=0, steps=history.done, minutes=0.1, pictures=3)
    assert {"dev_best_of_three", "test_guessed_best", "test_3_clicks"} <= card.metrics.keys()
    back = SAM(TINY)
    load_weights(back, tmp_path / "sam", architecture="sam", data_version=recipe.DATA)
    assert torch.equal(back.decoder.iou_token, sam.decoder.iou_token)
    assert torch.equal(
        back.prompts.places.waves, sam.prompts.places.waves
    )  # the random waves are shipped too


def test_an_interrupted_run_ships_nothing(tmp_path, monkeypatch):
    sam, history = recipe.learn(TINY, TrainSettings(steps=1), batches=FEW, quiet=True)
    history.interrupted = True
    monkeypatch.setattr(recipe, "learn", lambda **how: (sam, history))
    with pytest.raises(KeyboardInterrupt, match="nothing was shipped"):
        recipe.build(tmp_path / "sam")
    assert not list(tmp_path.iterdir())


def test_the_shipped_sam_cuts_out_pairs_that_it_never_met_as_its_card_says():
    card = read_card(data_path("checkpoints/sam.json"))
    assert data_path("checkpoints/sam.safetensors").stat().st_size < 4e6
    found = recipe.mean_ious(recipe.load("cpu"), "dev", pictures=20, seed=77_000, clicks=1)
    assert found["best_of_three"] == pytest.approx(card.metrics["dev_best_of_three"], abs=0.1)


# --- everything -------------------------------------------------------------------------------------------


def test_the_grid_covers_the_picture_evenly():
    points = grid(4, 32)
    assert points[0].tolist() == [3.5, 3.5]
    assert points.mean(0).tolist() == [15.5, 15.5]
    assert len(points.unique(dim=0)) == 16


def test_stability_is_the_iou_of_two_cuts():
    logits = torch.tensor([[[2.0, 0.5, -0.5, -3.0]]])
    assert stability(logits, 1.0).item() == pytest.approx(1 / 3)
    assert stability(10 * logits, 1.0).item() == pytest.approx(1.0)
    assert stability(-5 * torch.ones(1, 2, 2)).item() == 0


def test_everything_keeps_what_is_sure_stable_and_new(batch):
    torch.manual_seed(0)
    sam = SAM(TINY).eval()
    loose = Everything(points=3, sure=0.0, stable=0.0, overlap=1.0, least=1)
    with torch.no_grad():
        sam.decoder.iou.layers[-1].bias += 0.5
    every = everything(sam, batch.image[0], loose)
    new = everything(sam, batch.image[0], replace(loose, overlap=0.3))
    assert len(every.masks) > len(new.masks) > 0
    assert (every.guessed.diff() <= 0).all()
    steady = everything(sam, batch.image[0], replace(loose, stable=float(every.stability.median())))
    assert (steady.stability >= every.stability.median()).all()
    assert len(everything(sam, batch.image[0], replace(loose, sure=1.0)).masks) == 0
    for mask, box in zip(new.masks, new.boxes.long().tolist(), strict=True):
        x0, y0, x1, y1 = box
        assert mask[y0:y1, x0:x1].sum() == mask.sum()


def test_settings_that_make_no_sense_are_refused():
    for wrong, says in (({"points": 0}, "at least one point"), ({"sure": 88}, "no share")):
        with pytest.raises(ValueError, match=says):
            Everything(**wrong)


# --- the classical way, and photographs --------------------------------------------------------------------


def test_a_watershed_floods_up_to_an_edge_and_minds_clicks_against():
    pytest.importorskip("skimage")
    image = torch.zeros(3, 40, 40)
    image[:, 8:30, 8:20] = 1.0
    image[:, 8:30, 20:32] = 0.6
    steep = watershed.edges(image)
    both = watershed.cut_out(steep, torch.tensor([[12, 20], [26, 20]]).numpy(), [1, 1])
    one = watershed.cut_out(steep, torch.tensor([[12, 20], [26, 20]]).numpy(), [1, 0])
    assert both[10:28, 10:30].mean() > 0.95
    assert one[10:28, 10:18].all()
    assert not one[10:28, 23:].any()
    assert not both[0].any()


def test_more_clicks_help_the_watershed():
    pytest.importorskip("skimage")
    batch = Clicks(4, 2, 64, knobs={"things": 1, "sizes": "large"})(torch.Generator().manual_seed(1))
    found = watershed.click_through(batch, 5)
    assert float(found[4].mean()) > float(found[0].mean())
    dice = torch.Generator().manual_seed(0)
    anywhere = watershed.click_through(batch, 2, where=lambda m, t: next_click(m, t, dice), first=batch.point)
    assert len(anywhere) == 2


def test_there_are_24_coins_and_a_window_holds_its_own():
    pytest.importorskip("skimage")
    photo, labels = coins()
    assert photo.shape == labels.shape
    assert sorted(set(labels.ravel().tolist())) == list(range(25))
    image, target, point = windows(96, 64)
    assert image.shape == (24, 3, 64, 64)
    assert target[:, 32, 32].all()
    wide = windows(192, 64)[1]
    assert (wide.sum((1, 2)) < 0.4 * target.sum((1, 2))).all()
    assert torch.equal(point, torch.full((24, 2), 32.0))
    assert float(iou(target[:, None], target).min()) == 1


def test_photographs_are_squares():
    pytest.importorskip("skimage")
    for name in NAMES:
        image = photograph(name, 48)
        assert image.shape == (3, 48, 48)
        assert 0 <= image.min() < image.max() <= 1
    with pytest.raises(ValueError, match="choose one of cat"):
        photograph("dog", 48)
