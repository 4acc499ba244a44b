"""The recipes behind the shipped student and proposals: what they draw, who teaches, what is shipped."""

import pytest
import torch

from lecture10.models.clip import CLIP
from lecture10.models.proposals import ProposalConfig, ProposalNet
from lecture10.models.regionclip import NO_LABEL, RegionCLIP, whole
from lecture10.paths import data_path
from lecture10.recipes import clip as clip_recipe
from lecture10.recipes import proposals as proposals_recipe
from lecture10.recipes import region_cases, regions
from lecture10.recipes import regionclip as recipe
from lecture10.recipes.clip import CLASSES
from lecture10.training import TrainSettings
from lecture10.training.cards import load_weights, read_card
from lecture10.world.splits import pairs, split_of


@pytest.fixture(scope="module")
def taught_by():
    return recipe.teacher("cpu")


def dice(seed):
    return torch.Generator().manual_seed(seed)


def test_regions_are_the_things_of_a_split_with_their_boxes():
    found = regions.regions("dev", 20, 5)
    assert {(CLASSES[i].split()[1], CLASSES[i].split()[0]) for i in found.labels.tolist()} <= set(
        pairs("dev")
    )
    assert len(found) == len(found.of) == len(found.boxes_xyxy)
    assert 2 <= len(found) / 20 <= 4
    assert (found.boxes_xyxy[:, :2] < found.boxes_xyxy[:, 2:]).all()
    assert (found.of.diff() >= 0).all()


def test_the_concept_pool_is_what_training_captions_speak_of():
    pool = regions.concept_pool()
    assert {split_of(name.split()[1], name.split()[0]) for name in pool} == {"train"}
    assert len(pool) == 240
    assert len(regions.concept_pool(5)) < 30


def test_shares_tell_noun_and_colour_apart():
    classes = torch.eye(300)
    red_cat, red_dog = (CLASSES.index(name) for name in ("red cat", "red dog"))
    found = regions.shares(classes[[red_cat, red_cat]], classes, torch.tensor([red_cat, red_dog]))
    assert found == {"both": 0.5, "noun": 0.5, "colour": 1.0}


def test_regions_are_embedded_in_their_order_however_many_pictures_a_time():
    found = regions.regions("train", 7, 1)
    read = regions.readings(clip_recipe.load("cpu"))["CLIP's places"]
    whole_set = regions.embed_regions(read, found)
    assert torch.allclose(regions.embed_regions(read, found, pictures=3), whole_set, atol=1e-5)


def test_a_lesson_holds_pictures_captions_and_the_truth():
    images, ids, groups, boxes, labels = recipe.Lessons(6)(dice(0))
    assert images.shape == (6, 3, 64, 64)
    assert len(ids) == len(groups) == 6
    assert boxes.shape == (6, 6, 4)
    assert labels.shape == (6, 6)
    named = [CLASSES[i] for i in labels.flatten().tolist() if i != NO_LABEL]
    assert {split_of(name.split()[1], name.split()[0]) for name in named} == {"train"}
    assert ((labels != NO_LABEL).sum(1) >= 1).all()


def test_true_labels_go_to_the_proposals_that_show_the_thing():
    true_boxes = torch.zeros(2, 6, 4)
    true_boxes[0, 0], true_boxes[0, 1] = (
        torch.tensor([0.1, 0.1, 0.4, 0.4]),
        torch.tensor([0.5, 0.5, 0.9, 0.9]),
    )
    true_boxes[1, 0] = torch.tensor([0.1, 0.1, 0.4, 0.4])
    true = torch.full((2, 6), NO_LABEL)
    true[0, 0], true[0, 1], true[1, 0] = 7, 3, 5
    pool = (CLASSES[5], CLASSES[7])  # 3 is not in the pool
    boxes = torch.tensor(
        [[0.1, 0.1, 0.4, 0.38], [0.5, 0.5, 0.9, 0.9], [0.6, 0.1, 0.9, 0.4], [0.1, 0.1, 0.4, 0.4]]
    )
    of = torch.tensor([0, 0, 0, 1])
    assert recipe.true_labels(boxes, of, true_boxes, true, pool).tolist() == [1, NO_LABEL, NO_LABEL, 0]


def test_the_teacher_is_shut_off_from_the_truth(taught_by):
    """The student's lesson is the same whatever the true boxes and labels say; the oracle's is not."""
    images, ids, groups, boxes, labels = recipe.Lessons(4)(dice(1))
    student = RegionCLIP.beginning_as(taught_by.clip).eval()
    lie = (images, ids, groups, boxes.flip(0), labels.flip(0))
    told = (images, ids, groups, boxes, labels)
    for oracle in (False, True):
        with torch.no_grad():
            one, parts = recipe.Loss(taught_by, oracle=oracle)(student, told)
            other, _ = recipe.Loss(taught_by, oracle=oracle)(student, lie)
        assert (one == other) == (not oracle)
        assert ("distillation" in parts) == (not oracle)
        assert float(one) == pytest.approx(sum(parts.values()), rel=1e-5)


def test_a_threshold_leaves_labels_out_and_the_frozen_teacher_learns_nothing(taught_by):
    batch = recipe.Lessons(4)(dice(2))
    student = RegionCLIP.beginning_as(taught_by.clip)
    before = {name: tensor.clone() for name, tensor in taught_by.clip.state_dict().items()}
    loss, parts = recipe.Loss(taught_by, 1.0)(student, batch)
    assert parts["region_text"] == 0
    loss.backward()
    assert all(p.grad is None for p in taught_by.clip.parameters())
    assert all(p.grad is not None for p in student.parameters())
    recipe.learn(taught_by, TrainSettings(steps=1), batches=recipe.Lessons(3), quiet=True, device="cpu")
    assert all(torch.equal(before[name], t) for name, t in taught_by.clip.state_dict().items())


def test_a_batch_without_proposals_is_read_as_whole_pictures(taught_by, monkeypatch):
    nothing = (torch.zeros(0, 4), torch.zeros(0, dtype=torch.long), torch.zeros(0))
    monkeypatch.setattr(ProposalNet, "propose", lambda self, images, most: nothing)
    images = torch.rand(2, 3, 64, 64)
    boxes, of = taught_by.regions(images)
    assert torch.equal(boxes, whole(2, images)[0])
    assert of.tolist() == [0, 1]


def test_it_learns_and_its_seed_decides(taught_by):
    settings = TrainSettings(steps=6, lr=2e-3)
    few = recipe.Lessons(6)
    (one, history), (again, _), (other, _) = (
        recipe.learn(taught_by, settings, seed=seed, batches=few, quiet=True, device="cpu")
        for seed in (0, 0, 1)
    )
    weight = "image_tower.pool.out.weight"
    assert torch.equal(one.state_dict()[weight], again.state_dict()[weight])
    assert not torch.equal(one.state_dict()[weight], other.state_dict()[weight])
    assert history.last("loss") > 0


def test_shipping_writes_rounded_weights_with_a_card(taught_by, tmp_path):
    student = RegionCLIP.beginning_as(taught_by.clip)
    card = recipe.ship(student, taught_by, tmp_path / "regionclip", seed=0, steps=0, minutes=0.1, n=10)
    assert read_card(tmp_path / "regionclip") == card
    assert card.metrics.keys() == {"train_regions_300", "dev_regions_300", "test_regions_300"}
    back = RegionCLIP(clip_recipe.CONFIG)
    load_weights(back, tmp_path / "regionclip", architecture="regionclip", data_version=recipe.DATA)
    again = recipe.region_accuracy(back.eval(), taught_by, n=10)
    assert again == pytest.approx(card.metrics["dev_regions_300"], abs=1e-4)


def test_an_interrupted_run_ships_nothing(tmp_path, monkeypatch, taught_by):
    class Stopped:
        interrupted = True

    monkeypatch.setattr(recipe, "learn", lambda *args, **how: (None, Stopped()))
    monkeypatch.setattr(proposals_recipe, "learn", lambda **how: (None, Stopped()))
    for build in (recipe.build, proposals_recipe.build):
        with pytest.raises(KeyboardInterrupt, match="nothing was shipped"):
            build(tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_the_shipped_proposals_find_things_as_their_card_says():
    card = read_card(data_path("checkpoints/proposals.json"))
    found = proposals_recipe.recall(proposals_recipe.load("cpu"), "dev", n=60, seed=77_000)
    assert found == pytest.approx(card.metrics["dev_recall_50"], abs=0.05)
    assert found > 0.9
    assert proposals_recipe.recall(ProposalNet(ProposalConfig()).eval(), n=20) < 0.3  # an untrained one


def test_the_shipped_student_names_regions_as_its_card_says(taught_by):
    card = read_card(data_path("checkpoints/regionclip.json"))
    student = recipe.load("cpu")
    size = sum(data_path(f"checkpoints/{n}.safetensors").stat().st_size for n in ("regionclip", "proposals"))
    assert size < 2e6
    right = recipe.region_accuracy(student, taught_by, "dev", n=80, seed=77_000)
    said = card.metrics["dev_regions_300"]
    assert abs(right - said) < 3 * (said * (1 - said) / 240) ** 0.5 + 0.02
    assert isinstance(taught_by.clip, CLIP)


# --- cases chosen by a rule --------------------------------------------------------------------------------


def test_cases_are_chosen_by_the_printed_rule_alone():
    labels = torch.tensor([0, 0, 0, 0, 1, 1])
    student = torch.tensor(
        [
            [0.9, 0.1, 0.0],
            [0.6, 0.4, 0.0],
            [0.7, 0.3, 0.0],
            [0.2, 0.8, 0.0],
            [0.55, 0.45, 0.0],
            [0.1, 0.8, 0.1],
        ]
    )
    clip = torch.tensor([[0.3, 0.7, 0.0]] * 3 + [[0.9, 0.1, 0.0]] + [[0.4, 0.6, 0.0]] * 2)
    cases = region_cases.chosen(clip, student, labels)
    assert [(case.kind, case.row) for case in cases] == [
        ("success, the surest", 0),
        ("success, in the middle", 2),
        ("failure, the surest", 3),
    ]
    assert region_cases.outcomes(clip, student, labels) == {
        "both right": 1, "student alone (success)": 3, "CLIP alone (failure)": 2, "both wrong": 0,
    }  # fmt: skip
    turn = torch.tensor([5, 3, 1, 0, 4, 2])
    again = region_cases.chosen(clip[turn], student[turn], labels[turn])
    assert [int(turn[case.row]) for case in again] == [0, 2, 3]
    assert region_cases.chosen(student, student, labels) == []


def test_the_three_likeliest_come_with_their_probabilities():
    q = torch.tensor([[0.1, 0.2, 0.4, 0.3]])
    assert region_cases.top(q, 2, names="abcd")[0] == [("c", pytest.approx(0.4)), ("d", pytest.approx(0.3))]
