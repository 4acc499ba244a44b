"""Pictures: small, the same every time, labelled, described, readable by every eye."""

import io
import itertools

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from lecture10.plots.figure import MAX_BYTES, Picture, figure, picture, picture_of, show, unlabelled
from lecture10.plots.style import COLOURS, STYLE, use_style

ALT = "loss falls from 5.5 to 2.1 in 400 steps"


@pytest.fixture(autouse=True)
def no_figure_left():
    yield
    plt.close("all")


def curves(lines=8):
    fig, ax = figure()
    x = np.linspace(0, 400, 200)
    for k in range(lines):
        ax.plot(x, 5.5 - k / 4 - x / 100 + 0.1 * np.sin(x / 9 + k), label=f"model {k}")
    ax.set(xlabel="training step", ylabel="held-out loss (nats per token)", title="Loss")
    ax.legend()
    return fig


def noise(width=640, height=480):
    return np.random.default_rng(0).random((height, width, 3))


def decoded(shown: Picture) -> Image.Image:
    return Image.open(io.BytesIO(shown.png))


def test_a_line_plot_is_small_and_has_the_size_asked_for():
    shown = picture(curves(), ALT)
    assert decoded(shown).size == (shown.width, shown.height) == (800, 400)
    assert 2_000 < len(shown.png) < 30_000


def test_a_photograph_is_made_small_enough():
    fig, ax = figure()
    ax.imshow(noise(64, 48), interpolation="bicubic")
    ax.axis("off")
    assert len(picture(fig, ALT).png) <= MAX_BYTES


def test_a_picture_that_is_too_large_is_made_smaller_not_worse_only():
    photo = Image.fromarray((noise(60, 40) * 255).astype("uint8")).resize(
        (900, 600), Image.Resampling.BICUBIC
    )
    shown = picture_of(photo, ALT)
    assert len(shown.png) <= MAX_BYTES
    assert 320 <= shown.width < 900
    assert shown.width / shown.height == pytest.approx(1.5, abs=0.01)


def test_what_cannot_be_made_small_is_told():
    with pytest.warns(UserWarning, match="show fewer images, or smaller"):
        shown = picture_of(Image.fromarray((noise(900, 900) * 255).astype("uint8")), ALT)
    assert len(shown.png) > MAX_BYTES, "it is shown all the same"


def test_few_colours_change_nothing_that_an_eye_could_see():
    fig = curves()
    raw = io.BytesIO()
    fig.savefig(raw, format="png", dpi=100)
    before = np.asarray(Image.open(raw).convert("RGB")).astype(float)
    after = np.asarray(decoded(picture(fig, ALT)).convert("RGB")).astype(float)
    assert np.abs(before - after).mean() < 1
    assert (np.abs(before - after).max(-1) > 40).mean() < 0.001
    assert (after[0, 0] == 255).all(), "white paper stays white"


def test_the_same_figure_gives_the_same_bytes_without_stamps():
    first, second = (picture(curves(), ALT) for _ in range(2))
    assert first.png == second.png
    assert decoded(first).info.keys() <= {"transparency"}
    assert matplotlib.__version__.encode() not in first.png


def test_the_text_line_is_what_strict_comparison_sees():
    data, about = picture(curves(), f"  {ALT}\n ")._repr_mimebundle_()
    assert data["text/plain"] == f"[picture, 800×400: {ALT}]"
    assert data["image/png"][:4] == b"\x89PNG"
    assert about == {"image/png": {"alt": ALT, "width": 800, "height": 400}}


def test_ipython_shows_png_and_text_only():
    formatter = pytest.importorskip("IPython.core.formatters").DisplayFormatter()
    data, about = formatter.format(picture(curves(), ALT))
    assert set(data) == {"image/png", "text/plain"}
    assert about["image/png"]["alt"] == ALT


def test_show_displays_and_closes(capsys):
    fig = curves()
    assert show(fig, ALT) is None
    assert capsys.readouterr().out.strip() == f"[picture, 800×400: {ALT}]"
    assert not plt.fignum_exists(fig.number)


@pytest.mark.parametrize("alt", ["", "  ", "loss", None, 3])
def test_a_picture_must_say_what_it_shows(alt):
    with pytest.raises(ValueError, match="alt must say"):
        show(curves(1), alt)


@pytest.mark.parametrize("axis", ["x", "y"])
def test_numbers_without_a_label_are_refused_with_the_cure(axis):
    fig = curves(1)
    fig.axes[0].set(**{f"{axis}label": " "})
    with pytest.raises(
        ValueError, match=rf"panel 1 \(Loss\) has numbers on its {axis} axis.*set_{axis}label"
    ):
        picture(fig, ALT)


def test_powers_of_ten_are_numbers():
    fig, ax = figure()
    ax.loglog([1, 1e6], [1e-3, 1])
    ax.set_xlabel("parameters")
    with pytest.raises(ValueError, match="on its y axis"):
        picture(fig, ALT)


def unlabelled_cases():
    def image(fig, ax):
        ax.imshow(noise(8, 8))
        ax.axis("off")

    def no_ticks(fig, ax):
        ax.imshow(noise(8, 8))
        ax.set(xticks=[], yticks=[])

    def words(fig, ax):
        ax.bar(["greedy", "top-k", "4-shot"], [1, 2, 3])
        ax.set_ylabel("repeated words (%)")

    def overall(fig, ax):
        ax.plot([0, 1])
        fig.supxlabel("step")
        fig.supylabel("loss (bits)")

    def twin(fig, ax):
        ax.plot([0, 1])
        ax.set(xlabel="step", ylabel="loss (nats)")
        ax.twinx().set_ylabel("rate")

    def bar(fig, ax):
        ax.set(xticks=[], yticks=[])
        fig.colorbar(ax.imshow(noise(8, 8)[..., 0]), ax=ax, label="attention (share)")

    return [image, no_ticks, words, overall, twin, bar]


@pytest.mark.parametrize("draw", unlabelled_cases(), ids=lambda f: f.__name__)
def test_what_needs_no_label(draw):
    fig, ax = figure(width=4, height=3)
    draw(fig, ax)
    fig.canvas.draw()
    assert unlabelled(fig) == []


def test_a_colour_bar_needs_one():
    fig, ax = figure(width=4, height=3)
    ax.set(xticks=[], yticks=[])
    fig.colorbar(ax.imshow(noise(8, 8)[..., 0]), ax=ax)
    fig.canvas.draw()
    assert len(unlabelled(fig)) == 1


def test_shared_axes_are_labelled_at_the_edge_only():
    fig, axes = figure(2, 2, sharex=True, sharey=True)
    for ax in axes.flat:
        ax.plot([0, 1])
    for ax in axes[1]:
        ax.set_xlabel("step")
    for ax in axes[:, 0]:
        ax.set_ylabel("loss (nats)")
    fig.canvas.draw()
    assert unlabelled(fig) == []


def test_panels_come_as_an_array():
    fig, axes = figure(2, 3, width=9)
    assert axes.shape == (2, 3)
    assert tuple(fig.get_size_inches()) == (9, 6)


@pytest.mark.parametrize("size", [{"rows": 0}, {"width": 40}, {"height": -1}, {"rows": 30}])
def test_a_size_that_no_notebook_shows_is_refused(size):
    with pytest.raises(ValueError, match="figure"):
        figure(**size)


def test_letters_are_large_enough_for_a_projector():
    """Shown 800 pixels wide on a 1080-pixel-high wall, 12 points are 17 pixels: about 1/60 of its height."""
    use_style()
    fig = curves(1)
    fig.canvas.draw()
    ax = fig.axes[0]
    texts = [ax.xaxis.label, ax.yaxis.label, ax.title, *ax.get_xticklabels(), *ax.get_legend().get_texts()]
    assert min(text.get_fontsize() for text in texts) >= 12
    assert ax.lines[0].get_linewidth() >= 2


def test_figure_leaves_the_readers_own_settings_alone(monkeypatch):
    monkeypatch.setitem(matplotlib.rcParams, "font.size", 20.0)
    figure()
    assert matplotlib.rcParams["font.size"] == 20


# Machado, Oliveira & Fernandes (2009), severity 1, on linear RGB.
BLIND = {
    "nobody": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def oklab(rgb):
    """Björn Ottosson's OKLab of a linear RGB colour: distances there are about as large as they look."""
    to_cone = [[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]]
    to_lab = [[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]]
    return np.array(to_lab) @ np.cbrt(np.clip(np.array(to_cone) @ rgb, 0, None))


@pytest.mark.parametrize("eye", BLIND)
def test_the_first_five_colours_are_told_apart(eye):
    srgb = [np.array(matplotlib.colors.to_rgb(colour)) for colour in list(COLOURS.values())[:5]]
    linear = [np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) for c in srgb]
    seen = [oklab(np.clip(np.array(BLIND[eye]) @ c, 0, 1)) for c in linear]
    apart = min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2))
    assert apart > 0.05, f"{eye}: {apart:.3f}"  # 0.02 is just noticeable


def test_the_style_has_no_setting_that_matplotlib_ignores():
    assert set(STYLE) <= set(matplotlib.rcParams)
