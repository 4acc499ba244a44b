"""RegionCLIP's mechanism: RoIAlign is torchvision's, the student begins as CLIP, and what the losses say."""

import math

import pytest
import torch
import torchvision.ops
from torch.nn import functional as F

from lecture10.models.clip import CLIP, CLIPConfig, TextConfig
from lecture10.models.contrastive import pair_loss
from lecture10.models.regionclip import (
    NO_LABEL,
    RegionCLIP,
    bilinear,
    distillation_loss,
    fast_roi_align,
    grown,
    image_text_loss,
    pseudo_labels,
    read_crops,
    read_places,
    read_pool,
    region_text_loss,
    roi_align,
    soft_scores,
    whole,
)
from lecture10.models.vision import ResNetConfig, ViTConfig

TOLERANCE = 1e-5
TINY = CLIPConfig(ResNetConfig(32, 8, (1, 1), 2, stem_stride=2), TextConfig(64, 12, 16, 1, 2), embed=16)


def dice(seed):
    return torch.Generator().manual_seed(seed)


def randomise(module, seed=1):
    """Noise in every parameter and running statistic: default first weights hide mistakes."""
    generator = dice(seed)
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if not tensor.is_floating_point() or name == "logit_scale":
                continue
            noise = torch.randn(tensor.shape, generator=generator)
            if name.endswith("running_var"):
                tensor.copy_(0.5 + 0.5 * noise.abs())
            elif tensor.ndim > 1:
                tensor.copy_(noise * (2 / tensor[0].numel()) ** 0.5)
            else:
                tensor.copy_(0.4 * noise + (1.0 if name.endswith("weight") else 0.1))
    return module.eval()


def some_boxes(n, seed=0, pictures=3):
    ends = torch.rand(n, 2, 2, generator=dice(seed)).sort(1).values  # (n, low/high, x/y)
    boxes = torch.cat([ends[:, 0], (ends[:, 1] + 0.05).clamp(max=1)], 1)
    boxes[:, :2] = torch.minimum(boxes[:, :2], boxes[:, 2:] - 0.04)
    return boxes.clamp(0, 1), torch.randint(pictures, (n,), generator=dice(seed + 1))


def units(n, e=8, seed=0):
    return F.normalize(torch.randn(n, e, generator=dice(seed)), dim=1)


# --- RoIAlign ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("samples", [1, 2, 3])
@pytest.mark.parametrize("shape", [(8, 8), (5, 9), (1, 1)])
def test_our_roi_align_is_torchvisions(shape, samples):
    maps = torch.randn(3, 4, *shape, generator=dice(2))
    boxes, of = some_boxes(40)
    h, w = shape
    rows = torch.cat([of[:, None].float(), boxes * torch.tensor([w, h, w, h])], 1)
    for out in (1, 2, 7):
        wanted = torchvision.ops.roi_align(maps, rows, out, 1.0, samples, aligned=True)
        for ours in (roi_align, fast_roi_align):
            got = ours(maps, boxes, of, out, samples)
            assert (got - wanted).abs().max() <= TOLERANCE * wanted.abs().max()
        if shape == (8, 8):  # the half cell is no matter of taste
            off = torchvision.ops.roi_align(maps, rows, out, 1.0, samples, aligned=False)
            assert (off - wanted).abs().max() > 0.1


def test_our_roi_aligns_gradient_is_torchvisions():
    boxes, of = some_boxes(12)
    grads = []
    for align in (roi_align, fast_roi_align):
        maps = torch.randn(3, 4, 8, 8, generator=dice(3), requires_grad=True)
        (align(maps, boxes, of, 5, 2) * torch.arange(5.0)).square().sum().backward()
        grads.append(maps.grad)
    assert (grads[0] - grads[1]).abs().max() <= TOLERANCE * grads[1].abs().max()


def test_the_whole_map_in_as_many_cells_is_the_map():
    maps = torch.randn(2, 3, 8, 8, generator=dice(4))
    for align in (roi_align, fast_roi_align):
        assert torch.allclose(align(maps, *whole(2, maps), 8), maps, atol=1e-6)


def test_a_ramp_is_read_where_it_is_asked():
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)  # the value of a cell is its column
    assert bilinear(ramp, torch.tensor([0]), torch.tensor([[2.25, 5.5]]), torch.tensor([[3.0]])).tolist() == [
        [[[2.25, 5.5]]]
    ]
    box = torch.tensor([[0.25, 0.0, 0.75, 1.0]])  # columns 2 to 6 of 8: the middle is at 3.5 cells
    assert roi_align(ramp, box, torch.tensor([0]), 1).item() == pytest.approx(3.5)
    assert roi_align(ramp, box, torch.tensor([0]), 2)[0, 0, 0].tolist() == pytest.approx([2.5, 4.5])


def test_a_box_moved_by_a_fraction_of_a_cell_moves_what_is_read():
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    moved = [
        roi_align(ramp, torch.tensor([[x, 0.2, x + 0.3, 0.8]]), torch.tensor([0]), 1).item()
        for x in (0.3, 0.31, 0.32)
    ]
    assert moved[1] - moved[0] == pytest.approx(0.08, abs=1e-4)  # RoIPool would round this away
    assert moved[2] - moved[1] == pytest.approx(0.08, abs=1e-4)


def test_crop_and_resize_is_interpolate_inside_a_box_of_whole_pixels():
    images = torch.rand(1, 3, 32, 32, generator=dice(5))
    cut = images[..., 8:24, 4:20]
    wanted = F.interpolate(cut, size=32, mode="bilinear", align_corners=False)
    got = fast_roi_align(images, torch.tensor([[4, 8, 20, 24]]) / 32, torch.tensor([0]), 32)
    inside = slice(2, -2)  # at the crop's edge interpolate repeats it, RoIAlign looks across
    assert torch.allclose(got[..., inside, inside], wanted[..., inside, inside], atol=1e-5)


def test_grown_boxes_keep_their_centre_and_the_picture():
    boxes = torch.tensor([[0.4, 0.4, 0.6, 0.5], [0.0, 0.0, 0.5, 0.5]])
    assert grown(boxes, 2.0)[0].tolist() == pytest.approx([0.3, 0.35, 0.7, 0.55])
    assert grown(boxes, 2.0)[1].tolist() == pytest.approx([0, 0, 0.75, 0.75])
    assert torch.allclose(grown(boxes, 1.0), boxes)
    with pytest.raises(ValueError, match=r"factor is 0: 1 keeps a box"):
        grown(boxes, 0)


# --- the readings and the student ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clip():
    torch.manual_seed(0)
    return randomise(CLIP(TINY))


@pytest.fixture(scope="module")
def images():
    return torch.rand(3, 3, 32, 32, generator=dice(6))


def test_the_student_begins_as_clip_on_whole_pictures(clip, images):
    student = RegionCLIP.beginning_as(clip).eval()
    with torch.no_grad():
        wanted = clip.embed_images(images)
        assert torch.allclose(student(images, *whole(3, images)), wanted, atol=TOLERANCE)
        assert torch.allclose(
            read_pool(clip, images, *whole(3, images)), wanted, atol=0.5
        )  # close, not equal
        assert torch.allclose(
            read_crops(clip, images, *whole(3, images)), clip.embed_images(images), atol=0.5
        )


def test_the_student_is_torchvision_and_clips_own_layers_put_together(clip, images):
    boxes, of = some_boxes(9)
    student, tower = RegionCLIP.beginning_as(clip).eval(), clip.image_tower
    with torch.no_grad():
        maps = tower.blocks[:1](tower.stem(clip.pixels(images)))
        rows = torch.cat([of[:, None].float(), boxes * 32], 1)
        cells = torchvision.ops.roi_align(maps, rows, maps.shape[-1], maps.shape[-1] / 32, 1, aligned=True)
        wanted = F.normalize(tower.pool(tower.blocks[1:](cells)), dim=-1)
        assert (student(images, boxes, of) - wanted).abs().max() <= TOLERANCE


def test_every_tensor_of_the_student_matters(clip, images):
    boxes, of = some_boxes(9)
    student = RegionCLIP.beginning_as(clip).eval()
    with torch.no_grad():
        before = student(images, boxes, of)
        for name, tensor in student.state_dict().items():
            if not tensor.is_floating_point() or name.endswith("pool.k.bias"):
                continue  # a bias of the keys adds the same to all logits of a softmax
            kept = tensor.clone()
            tensor.add_(0.1 * torch.randn(tensor.shape, generator=dice(7)))
            assert (student(images, boxes, of) - before).abs().max() > 1e-5, name
            tensor.copy_(kept)


@pytest.mark.parametrize("read", ["crops", "pool", "places", "student"])
def test_a_reading_sees_its_own_picture_and_keeps_the_order(clip, images, read):
    student = RegionCLIP.beginning_as(clip).eval()
    how = {"crops": read_crops, "pool": read_pool, "places": read_places}
    boxes, of = some_boxes(8)

    def get(pictures, b, o):
        with torch.no_grad():
            return student(pictures, b, o) if read == "student" else how[read](clip, pictures, b, o)

    found = get(images, boxes, of)
    assert found.shape == (8, 16)
    assert torch.allclose(found.norm(dim=1), torch.ones(8), atol=1e-5)
    turn = torch.tensor([3, 1, 7, 0, 2, 6, 5, 4])
    assert torch.allclose(get(images, boxes[turn], of[turn]), found[turn], atol=1e-5)
    other = images.clone()
    other[1] = 0.5
    changed = (get(other, boxes, of) - found).abs().amax(1) > 1e-5
    assert changed.tolist() == (of == 1).tolist()


def test_wrong_boxes_and_pictures_are_refused_with_the_cure(clip, images):
    student = RegionCLIP.beginning_as(clip)
    of = torch.tensor([0])
    for box, said in (
        ([0.7, 0.1, 0.2, 0.5], r"boxes_xyxy\[0\] is \(0.7, 0.1, 0.2, 0.5\): x0 < x1"),
        ([0.2, 0.1, 0.2, 0.5], "x0 < x1 and y0 < y1"),
        ([0.2, 0.1, 1.3, 0.5], "outside of .0, 1.: clamp it"),
        ([3.0, 4.0, 20.0, 24.0], "divide pixels by the picture's side"),
    ):
        with pytest.raises(ValueError, match=said):
            student(images, torch.tensor([box]), of)
    good = torch.tensor([[0.1, 0.1, 0.5, 0.5]])
    for boxes, whose, said in (
        (good[0], of, "a single box is"),
        (good[:0], of[:0], "no box is given"),
        (good, torch.tensor([3]), "`of` runs from 3 to 3"),
        (good, torch.tensor([0, 1]), "one row a box"),
    ):
        with pytest.raises(ValueError, match=said):
            student(images, boxes, whose)
        with pytest.raises(ValueError, match=said):
            read_places(clip, images, boxes, whose)
    with pytest.raises(ValueError, match=r"reads \(batch, 3, 32, 32\)"):
        student(torch.rand(1, 3, 64, 64), good, of)
    with pytest.raises(ValueError, match="divide by 255"):
        student(images * 255, good, of)
    with pytest.raises(ValueError, match="build it on a CLIP with a ResNet"):
        RegionCLIP(CLIPConfig(ViTConfig()))


# --- pseudo-labels and losses -------------------------------------------------------------------------------


def test_pseudo_labels_take_the_likeliest_and_leave_out_the_unsure():
    q = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8], [0.4, 0.35, 0.25]])
    labels, sure = pseudo_labels(q, 0.5)
    assert labels.tolist() == [0, 2, NO_LABEL]
    assert sure.tolist() == pytest.approx([0.5, 0.8, 0.4])
    assert pseudo_labels(q)[0].tolist() == [0, 2, 0]
    assert (pseudo_labels(q, 0.9)[0] == NO_LABEL).all()
    with pytest.raises(ValueError, match=r"threshold is 90: a confidence is a probability"):
        pseudo_labels(q, 90)


def test_soft_scores_are_a_softmax_of_scaled_cosines():
    v, l = units(4), units(6, seed=1)
    q = soft_scores(v, l, 20.0)
    assert torch.allclose(q.sum(1), torch.ones(4))
    assert torch.allclose(q, F.softmax(20 * v @ l.T, 1))
    assert soft_scores(v, l, 0.0).unique().tolist() == pytest.approx([1 / 6])


def test_a_region_picks_among_the_concepts_of_its_batch():
    v, l = units(5), units(30, seed=1)
    labels = torch.tensor([4, 9, 17, 2, 25])
    wanted = F.cross_entropy(7 * v @ l[labels].T, torch.arange(5))
    assert region_text_loss(v, l, labels, 7.0).item() == pytest.approx(wanted.item(), rel=1e-6)
    # with all labels different it is the pictures' half of CLIP's loss
    half = 2 * pair_loss(v, l[labels], torch.tensor(7.0).log()) - F.cross_entropy(
        7 * l[labels] @ v.T, torch.arange(5)
    )
    assert region_text_loss(v, l, labels, 7.0).item() == pytest.approx(half.item(), rel=1e-5)


def test_a_concept_that_two_regions_share_is_nobodys_wrong_answer():
    l = torch.eye(4)
    v = l[[0, 0, 1]]
    assert region_text_loss(v, l, torch.tensor([0, 0, 1]), 100.0).item() == pytest.approx(0, abs=1e-6)
    same = torch.ones(3, 4) / 2
    assert region_text_loss(same, l, torch.tensor([0, 0, 1]), 5.0).item() == pytest.approx(math.log(2))
    assert region_text_loss(v, l, torch.tensor([2, 2, 2]), 5.0).item() == 0  # one concept is no choice


def test_concepts_that_nobody_is_called_do_not_matter_and_regions_without_a_label_neither():
    v, l = units(5), units(30, seed=1)
    labels = torch.tensor([4, NO_LABEL, 17, 4, NO_LABEL])
    found = region_text_loss(v, l, labels, 7.0)
    other = l.clone()
    other[9] = -other[9]
    assert region_text_loss(v, other, labels, 7.0) == found
    assert region_text_loss(v[[0, 2, 3]], l, labels[[0, 2, 3]], 7.0) == found


def test_no_label_at_all_is_a_loss_of_zero_with_a_gradient():
    v = units(3).requires_grad_()
    loss = region_text_loss(v, units(4, seed=1), torch.full((3,), NO_LABEL), 5.0)
    loss.backward()
    assert loss.item() == 0
    assert (v.grad == 0).all()


def test_distillation_is_torchs_kl_and_zero_where_the_scores_agree():
    v, l, teacher = units(5), units(30, seed=1), units(5, seed=2)
    q = soft_scores(teacher, l, 9.0)
    wanted = F.kl_div((9 * v @ l.T).log_softmax(1), q, reduction="batchmean")
    assert distillation_loss(v, l, q, 9.0).item() == pytest.approx(wanted.item(), rel=1e-5)
    assert distillation_loss(teacher, l, q, 9.0).item() == pytest.approx(0, abs=1e-6)
    assert distillation_loss(v, l, q, 9.0) > 0
    backwards = F.kl_div(q.log(), soft_scores(v, l, 9.0), reduction="batchmean")
    assert abs(backwards - wanted) > 0.01  # the direction matters


def test_distillation_of_a_sure_teacher_is_a_cross_entropy():
    v, l = units(5), units(30, seed=1)
    labels = torch.tensor([4, 9, 17, 2, 25])
    sure = F.one_hot(labels, 30).float()
    wanted = F.cross_entropy(9 * v @ l.T, labels)
    assert distillation_loss(v, l, sure, 9.0).item() == pytest.approx(wanted.item(), rel=1e-5)


def test_the_picture_loss_is_clips():
    open_clip = pytest.importorskip("open_clip")
    I_f, T_f = units(6), units(6, seed=1)
    wanted = open_clip.ClipLoss()(I_f, T_f, torch.tensor(11.0))
    assert image_text_loss(I_f, T_f, 11.0).item() == pytest.approx(wanted.item(), rel=1e-5)
    groups = torch.tensor([0, 1, 2, 3, 4, 4])
    assert image_text_loss(I_f, T_f, 11.0, groups).item() != pytest.approx(wanted.item(), rel=1e-5)
