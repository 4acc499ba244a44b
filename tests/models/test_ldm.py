"""Latent diffusion: what a prompt may and may not change, guidance, word maps; diffusers' loops around it."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F
from twins import randomised

from lecture10.models.bert import BertConfig
from lecture10.models.ddpm import ScheduleConfig
from lecture10.models.denoise import sample
from lecture10.models.guidance import from_ho_and_salimans, guide
from lecture10.models.ldm import LatentDiffusion, LDMConfig, watched, word_maps
from lecture10.models.unet import Attention, UNetConfig
from lecture10.pretrained.schedulers import sample_under, scheduler

CONFIG = LDMConfig(
    UNetConfig(2, (8, 16), 1, (False, True), heads=2, context=12, groups=4),
    BertConfig(vocab_size=20, context=10, width=12, layers=2, heads=2, dropout=0.0),
    ScheduleConfig(kind="cosine"),
)
CONDITIONS = {
    "cross-attention": CONFIG,
    "pooled": replace(CONFIG, unet=replace(CONFIG.unet, context=None, pooled=12)),
    "none": replace(CONFIG, unet=replace(CONFIG.unet, context=None)),
}
END = 19
roll = torch.Generator().manual_seed(0)
Z, EPS = (torch.randn(3, 2, 8, 8, generator=roll) for _ in range(2))
T = torch.tensor([3, 400, 990])
IDS = torch.tensor([[4, 7, 1, 9, END], [5, END, END, END, END], [2, 3, END, END, END]])
EMPTY = torch.full_like(IDS, END)


def model(config=CONFIG):
    torch.manual_seed(0)
    return randomised(LatentDiffusion(config))


def apart(a, b):
    return float((a - b).detach().abs().max())


@pytest.mark.parametrize("condition", CONDITIONS)
def test_the_condition_is_read_off_the_u_net(condition):
    net = model(CONDITIONS[condition])
    assert net.config.condition == condition
    said = net(Z, T, IDS)
    assert said.shape == Z.shape
    matters = apart(said, net(Z, T, IDS.flip(0)))
    assert matters == 0 if condition == "none" else matters > 1e-3


@pytest.mark.parametrize("condition", CONDITIONS)
def test_padding_and_what_stands_behind_the_end_do_not_matter(condition):
    net = model(CONDITIONS[condition])
    said = net(Z, T, IDS)
    longer = F.pad(IDS, (0, 4), value=END)
    torch.testing.assert_close(net(Z, T, longer), said, atol=1e-5, rtol=1e-5)
    rubbish = longer.clone()
    rubbish[:, 5:] = 8  # behind each text's first end
    rubbish[1, 2:5] = 6
    torch.testing.assert_close(net(Z, T, rubbish), said, atol=1e-5, rtol=1e-5)


def test_a_text_is_real_up_to_and_with_its_first_end():
    found = model().real(IDS)
    assert found.sum(1).tolist() == [5, 2, 3]
    assert (found.int().diff(dim=1) <= 0).all()  # from the start on, in one piece
    assert model().real(EMPTY).sum(1).tolist() == [1, 1, 1]
    assert model().real(IDS[:, :1]).all()  # a text that has no end is all real


def test_words_are_heard_each_in_its_place():
    net = model()
    said = net(Z[:1], T[:1], IDS[:1])
    for other in ([7, 4, 1, 9, END], [4, 7, 1, 8, END], [4, 7, 1, END, END]):
        assert apart(net(Z[:1], T[:1], torch.tensor([other])), said) > 1e-3
    torch.testing.assert_close(net(Z, T, IDS)[:1], said, atol=1e-5, rtol=1e-5)  # neighbours are not heard


# --- the loss -----------------------------------------------------------------------------------------------


def dice():
    return torch.Generator().manual_seed(5)


def test_the_loss_is_the_slides_formula():
    net = model(replace(CONFIG, target="eps", drop=0.0))
    net.scale.fill_(0.3)
    z_t = net.process.add_noise(0.3 * Z, EPS, T)
    expected = (EPS - net(z_t, T, IDS)).square().mean()  # ‖ε - ε_θ(z_t, t, τ_θ(y))‖², a number
    torch.testing.assert_close(net.loss(Z, IDS, T, EPS, dice()), expected)
    towards_v = model(replace(CONFIG, drop=0.0))
    v = towards_v.process.target("v", Z, EPS, T)
    expected = (v - towards_v(towards_v.process.add_noise(Z, EPS, T), T, IDS)).square().mean()
    torch.testing.assert_close(towards_v.loss(Z, IDS, T, EPS, dice()), expected)


def test_a_dropped_prompt_is_the_prompt_without_words():
    always, never = model(replace(CONFIG, drop=1.0)), model(replace(CONFIG, drop=0.0))
    dropped = always.loss(Z, IDS, T, EPS, dice())
    torch.testing.assert_close(dropped, never.loss(Z, EMPTY, T, EPS, dice()))
    torch.testing.assert_close(dropped, never.loss(Z, EMPTY[:, :1], T, EPS, dice()))
    assert apart(dropped, never.loss(Z, IDS, T, EPS, dice())) > 1e-4


def test_a_share_of_prompts_is_dropped_and_the_generator_decides():
    net = model(replace(CONFIG, drop=0.5))
    losses = [net.loss(Z, IDS, T, EPS, torch.Generator().manual_seed(s)).item() for s in (1, 1, 2, 3, 4, 5)]
    assert losses[0] == losses[1]
    assert len({round(x, 6) for x in losses}) > 2


@pytest.mark.parametrize("condition", ["cross-attention", "pooled"])
def test_the_gradient_reaches_u_net_and_text_encoder_alike(condition):
    net = model(CONDITIONS[condition])
    net.loss(Z, IDS, T, EPS, dice()).backward()
    silent = {n for n, p in net.named_parameters() if p.grad is None or not p.grad.abs().max() > 0}
    assert silent == ({"text.pooler.weight", "text.pooler.bias"} if condition == "cross-attention" else set())


def test_latents_are_scaled_to_variance_one_and_the_scale_travels_with_the_weights():
    net = model(replace(CONFIG, drop=0.0))
    before = net.loss(Z, IDS, T, EPS, dice())
    net.scale.fill_(1 / 5.5)
    torch.testing.assert_close(net.loss(5.5 * Z, IDS, T, EPS, dice()), before)
    other = LatentDiffusion(net.config)
    other.load_state_dict(net.state_dict())
    assert float(other.scale) == pytest.approx(1 / 5.5)
    assert "scale" not in dict(net.named_parameters())  # it is measured, not learnt


# --- guidance -----------------------------------------------------------------------------------------------


def test_guidance_of_one_is_none_and_of_zero_hears_no_prompt():
    net = model()
    with_prompt, without = net(Z, T, IDS), net(Z, T, EMPTY)
    assert apart(with_prompt, without) > 1e-3
    torch.testing.assert_close(net.guided(IDS, 1.0)(Z, T), with_prompt)
    torch.testing.assert_close(net.guided(IDS, 0.0)(Z, T), without, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(
        net.guided(IDS, 4.0)(Z, T), guide(without, with_prompt, 4.0), atol=1e-4, rtol=1e-4
    )
    theirs = 3.5 * with_prompt - 2.5 * without  # Ho & Salimans' w = 2.5
    torch.testing.assert_close(net.guided(IDS, from_ho_and_salimans(2.5))(Z, T), theirs, atol=1e-4, rtol=1e-4)


def test_pooled_words_are_guided_too_and_no_words_cannot_be():
    net = model(CONDITIONS["pooled"])
    expected = guide(net(Z, T, EMPTY), net(Z, T, IDS), 3.0)
    torch.testing.assert_close(net.guided(IDS, 3.0)(Z, T), expected, atol=1e-4, rtol=1e-4)
    net = model(CONDITIONS["none"])
    assert torch.equal(net.guided(IDS, 7.0)(Z, T), net(Z, T, EMPTY))


@pytest.mark.parametrize(("w", "rows"), [(1.0, 3), (0.0, 6), (3.0, 6)])
def test_the_prompt_free_answer_is_asked_for_only_where_it_counts(w, rows, monkeypatch):
    net, asked = model(), []
    forward = net.unet.forward
    monkeypatch.setattr(net.unet, "forward", lambda x, *a, **k: asked.append(len(x)) or forward(x, *a, **k))
    network = net.guided(IDS, w)
    network(Z, T), network(Z, T)
    assert asked == [rows, rows]


def test_prompts_are_read_once_for_all_steps(monkeypatch):
    net, read = model(), []
    hidden = net.text.hidden
    monkeypatch.setattr(net.text, "hidden", lambda *a, **k: read.append(1) or hidden(*a, **k))
    sample(net.guided(IDS, 2.0), net.process, Z, steps=5, kind="v", method="ddim")
    assert len(read) == 1


# --- word maps ----------------------------------------------------------------------------------------------


def test_word_maps_share_out_every_place_among_the_real_words():
    maps = word_maps(model(), Z, 500, IDS)
    assert maps.shape == (3, 5, 8, 8)
    torch.testing.assert_close(maps.sum(1), torch.ones(3, 8, 8))
    assert (maps[1, 2:] == 0).all()
    assert (maps[2, 3:] == 0).all()
    assert maps[0].std((1, 2)).min() > 0


def test_word_maps_are_of_the_right_places_and_words(monkeypatch):
    """Where every place is made to look at one known word, the map says so, coarse places grown to fine."""

    def weights(self, x, context=None, real=None):
        places, words = x.shape[1], context.shape[1]
        return F.one_hot(torch.arange(places) * 3 % words, words).float().expand(len(x), 2, -1, -1)

    monkeypatch.setattr(Attention, "weights", weights)
    maps = word_maps(model(), Z, 500, IDS)
    for row, column in ((0, 0), (0, 2), (2, 0), (3, 5), (7, 7)):
        place = row // 2 * 4 + column // 2  # attention is at 4 × 4 here
        assert maps[0, :, row, column].argmax() == place * 3 % 5
        assert maps[0, :, row, column].max() == 1


def test_what_is_watched_is_what_the_layers_use():
    net, used = model(), []
    layers = [m.cross for m in net.unet.modules() if getattr(m, "cross", None) is not None]

    def keep(layer, given, answer):
        _, words, _ = given
        v = layer.split(layer.v(words))
        used.append((layer.out((layer.weights(*given) @ v).transpose(1, 2).flatten(2)), answer))

    handles = [layer.register_forward_hook(keep) for layer in layers]
    with torch.no_grad(), watched(net.unet) as seen:
        net(Z, T, IDS)
    for handle in handles:
        handle.remove()
    assert len(seen) == len(layers) == len(used) == 4  # one down, one in the middle, two up
    for rebuilt, answer in used:
        torch.testing.assert_close(rebuilt, answer, atol=1e-5, rtol=1e-5)
    assert {tuple(weights.shape) for weights in seen} == {(3, 2, 16, 5)}


def test_watching_ends_with_its_block_also_after_an_error():
    net = model()
    with pytest.raises(ZeroDivisionError), watched(net.unet) as seen:
        raise ZeroDivisionError
    net(Z, T, IDS)
    assert seen == []


@pytest.mark.parametrize("condition", ["pooled", "none"])
def test_models_without_cross_attention_have_no_word_maps(condition):
    with pytest.raises(ValueError, match=f"words arrive by '{condition}': it has no map of them"):
        word_maps(model(CONDITIONS[condition]), Z, 500, IDS)


# --- bad input ----------------------------------------------------------------------------------------------


def test_configs_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="the U-Net's context is 12, the text's states are 16 wide: make th"):
        replace(CONFIG, text=replace(CONFIG.text, width=16))
    with pytest.raises(ValueError, match="the U-Net's pooled is 8, the text's states are 12 wide"):
        replace(CONFIG, unet=replace(CONFIG.unet, context=None, pooled=8))
    with pytest.raises(ValueError, match="there is no target 'epsilon'; did you mean 'eps'"):
        replace(CONFIG, target="epsilon")


def test_what_cannot_be_read_is_refused():
    net = model()
    with pytest.raises(ValueError, match=r"guidance is -1"):
        net.guided(IDS, -1)
    with pytest.raises(ValueError, match="12 tokens are more than this model's context of 10"):
        net(Z, T, F.pad(IDS, (0, 7), value=END))
    with pytest.raises(ValueError, match="token ids run from 1 to 20, this model's from 0 to 19"):
        net(Z, T, IDS.masked_fill(IDS == END, 20))
    with pytest.raises(ValueError, match="7 × 8 places are halved 1 times: choose multiples of 2"):
        net(Z[:, :, :7], T, IDS)


# --- diffusers' schedulers around the guided network --------------------------------------------------------


def theirs(method):
    """As one would make it by hand: no β of ours."""
    diffusers = pytest.importorskip("diffusers")
    own = {"ddim": {"set_alpha_to_one": True}, "ddpm": {"variance_type": "fixed_small"}}[method]
    kind = {"ddim": diffusers.DDIMScheduler, "ddpm": diffusers.DDPMScheduler}[method]
    return kind(
        num_train_timesteps=1000, beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction",
        timestep_spacing="trailing", clip_sample=False, **own,
    )  # fmt: skip


@pytest.mark.parametrize("method", ["ddim", "ddpm"])
@pytest.mark.parametrize("w", [0.0, 1.0, 3.0])
def test_our_loop_draws_what_diffusers_schedulers_draw(method, w):
    net = model()
    network = net.guided(IDS, w)
    dice_each = (torch.Generator().manual_seed(5), torch.Generator().manual_seed(5))
    with torch.no_grad():
        ours = sample(network, net.process, Z, steps=20, kind="v", method=method, generator=dice_each[0])
        how = {"eta": 0.0} if method == "ddim" else {}
        expected = sample_under(theirs(method), network, Z, 20, generator=dice_each[1], **how)
        door = sample_under(
            scheduler(net.process, method, kind="v"), network, Z, 20,
            generator=torch.Generator().manual_seed(5),
        )  # fmt: skip
        other = sample_under(theirs(method), net.guided(IDS, w + 0.2), Z, 20, generator=dice_each[1], **how)
    scale = float(expected.abs().max())
    assert apart(ours, expected) <= 1e-4 * scale
    assert apart(ours, door) <= 1e-4 * scale
    assert apart(ours, other) > 1e-3 * scale  # a slightly other guidance is told apart
