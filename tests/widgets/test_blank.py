"""The widget shows what both models expect, follows its controls, and is a picture where it cannot move."""

import pytest
import torch

from lecture10.models.bert import BertConfig, BertPretraining
from lecture10.models.gpt import GPT, GPTConfig
from lecture10.recipes.world_text import CLS, MASK, SEP, words
from lecture10.widgets.blank import BERT, LEFT, Blank, blank_widget

widgets = pytest.importorskip("ipywidgets")
TEXT = "a blue bear and a red cat"


@pytest.fixture(scope="module")
def models():
    torch.manual_seed(0)
    size = {"vocab_size": words().vocab_size, "context": 12, "width": 16, "layers": 1, "heads": 2}
    bert, gpt = BertPretraining(BertConfig(**size)).eval(), GPT(GPTConfig(**size)).eval()
    with torch.no_grad():
        for model in (bert, gpt):
            for parameter in model.parameters():
                parameter.mul_(3)  # so that the distributions are not flat
    return bert, gpt


@pytest.fixture
def shower(models):
    return Blank(*models, words())


def test_the_distributions_are_the_models(models, shower):
    bert, gpt = models
    ids = words().encode(TEXT)
    row = [CLS, *ids, SEP]
    row[2] = MASK
    with torch.no_grad():
        both = bert(torch.tensor([row]))[0][0, 2].softmax(-1)
        left = gpt(torch.tensor([[CLS, ids[0]]]))[0, -1].softmax(-1)
    found = shower.probs(TEXT, 1)
    torch.testing.assert_close(found[BERT], both)
    torch.testing.assert_close(found[LEFT], left)
    best = shower.expected(TEXT, 1)[BERT]
    assert list(best.values()) == sorted(both.tolist(), reverse=True)[:6]


def test_the_word_itself_is_never_seen(shower):
    other = TEXT.replace("blue", "green")
    for name, probs in shower.probs(TEXT, 1).items():
        assert torch.equal(probs, shower.probs(other, 1)[name])


def test_the_right_side_counts_for_bert_alone(shower):
    other = TEXT.replace("cat", "dog")
    before, after = shower.probs(TEXT, 1), shower.probs(other, 1)
    assert (before[BERT] - after[BERT]).abs().max() > 1e-4
    assert torch.equal(before[LEFT], after[LEFT])


def test_the_still_picture_says_its_numbers(shower):
    shown = shower.picture(TEXT, 1)
    word, p = next(iter(shower.expected(TEXT, 1)[BERT].items()))
    assert shown.alt.startswith("a ___ bear and a red cat: ")
    assert f"{word} {p:.2f}" in shown.alt
    assert len(shown.png) < 40_000


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the text is empty: type a caption"),
        (
            "a blue panda and a tapir",
            "never read 'panda', 'tapir': use the little world's own words, such as",
        ),
        ("a blue bear and " * 4, r"has 16 words and stops, the models read 10: shorten it"),
    ],
)
def test_texts_that_cannot_be_read_are_refused(shower, text, says):
    with pytest.raises(ValueError, match=says):
        shower.picture(text, 0)


@pytest.mark.parametrize("place", [-1, 7])
def test_a_place_outside_is_refused(shower, place):
    with pytest.raises(ValueError, match=rf"place is {place}: the text has the places 0 to 6"):
        shower.probs(TEXT, place)


def find(widget, kind):
    found = [widget] if isinstance(widget, kind) else []
    for child in getattr(widget, "children", ()):
        found += find(child, kind)
    return found


def parts(live):
    return (
        find(live.widget, kind)[0] for kind in (widgets.Image, widgets.Text, widgets.IntSlider, widgets.HTML)
    )


def test_every_control_moves_the_picture(models):
    live = blank_widget(*models, words(), TEXT, place=1)
    image, typed, slider, says = parts(live)
    assert image.value == live.still.png
    assert says.value == "a <b>[MASK]</b> bear and a red cat"
    slider.value = 6
    assert image.value != live.still.png
    assert says.value.endswith("<b>[MASK]</b>")
    typed.value = "two dogs"
    assert slider.max == slider.value == 1
    assert says.value == "two <b>[MASK]</b>"


def test_a_bad_text_is_said_and_not_raised(models):
    live = blank_widget(*models, words(), TEXT)
    image, typed, _, says = parts(live)
    before = image.value
    for text, part in {"": "the text is empty", "a panda": "never read"}.items():
        typed.value = text
        assert part in says.value
        assert image.value == before


def test_where_widgets_do_not_run_there_is_a_picture(models):
    bundle, about = blank_widget(*models, words(), TEXT)._repr_mimebundle_()
    assert bundle["image/png"][:4] == b"\x89PNG"
    assert about["image/png"]["alt"] in bundle["text/plain"]
