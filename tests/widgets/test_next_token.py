"""The widget shows the model's distribution, follows its sliders, and is a picture where it cannot move."""

import pytest
import torch

from lecture10.models.gpt import GPT, GPTConfig
from lecture10.plots.language import readable
from lecture10.sampling import next_token_probs
from lecture10.tokenizer import tokenizer
from lecture10.widgets.next_token import NextToken, next_token_widget

widgets = pytest.importorskip("ipywidgets")


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    gpt = GPT(GPTConfig(width=16, layers=1, heads=2, context=8)).eval()
    with torch.no_grad():
        gpt.tokens.weight.mul_(20)  # so that the distribution is not flat
    return gpt


def test_the_distributions_are_the_models(model):
    before, after = NextToken(model, tokenizer()).distributions("An object", 0.5, None, 0.9)
    logits = model(torch.tensor([tokenizer().encode("An object")]))[0, -1].detach()
    best = logits.softmax(-1).topk(8)
    assert list(before) == tokenizer().pieces(best.indices.tolist())
    assert list(before.values()) == pytest.approx(best.values.tolist())
    assert list(after.values()) == pytest.approx(
        next_token_probs(logits, 0.5, None, 0.9)[best.indices].tolist()
    )


def test_the_still_picture_says_its_numbers(model):
    shower = NextToken(model, tokenizer())
    shown = shower.picture("An object")
    token, probability = next(iter(shower.distributions("An object")[0].items()))
    assert f"{readable(token)} {probability:.3f}" in shown.alt
    assert len(shown.png) < 40_000


def find(widget, kind):
    found = [widget] if isinstance(widget, kind) else []
    for child in getattr(widget, "children", ()):
        found += find(child, kind)
    return found


def test_every_control_moves_the_picture(model):
    live = next_token_widget(model, tokenizer(), "An object")
    image = find(live.widget, widgets.Image)[0]
    text = find(live.widget, widgets.Text)[0]
    first = image.value
    assert first == live.still.png
    temperature, top_p = find(live.widget, widgets.FloatSlider)
    top_k = find(live.widget, widgets.IntSlider)[0]
    for control, value in [(temperature, 0.3), (top_p, 0.1), (top_k, 2), (text, "An attribute of")]:
        before, start = image.value, control.value
        control.value = value
        assert image.value != before, control.description
        if control is not text:
            control.value = start
            assert image.value == first


def test_an_empty_prompt_is_said_and_not_raised(model):
    live = next_token_widget(model, tokenizer(), "An object")
    text = find(live.widget, widgets.Text)[0]
    before = find(live.widget, widgets.Image)[0].value
    text.value = ""
    assert any("the prompt is empty" in html.value for html in find(live.widget, widgets.HTML))
    assert find(live.widget, widgets.Image)[0].value == before


def test_a_prompt_longer_than_the_context_is_read_at_its_end(model):
    shower = NextToken(model, tokenizer())
    ids = tokenizer().encode("one two three four five six seven eight nine ten")
    torch.testing.assert_close(
        shower.logits("one two three four five six seven eight nine ten"),
        model(torch.tensor([ids[-8:]]))[0, -1].detach(),
    )


def test_where_widgets_do_not_run_there_is_a_picture(model):
    bundle, about = next_token_widget(model, tokenizer())._repr_mimebundle_()
    assert bundle["image/png"][:4] == b"\x89PNG"
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert "0x" not in bundle["text/plain"]
    assert about["image/png"]["alt"] in bundle["text/plain"]
