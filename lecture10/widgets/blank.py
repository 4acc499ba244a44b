"""Blot out a word of a caption and watch what BERT expects there, beside a GPT that reads the left side."""

import torch

from lecture10.models.bert import BertPretraining
from lecture10.models.gpt import GPT
from lecture10.plots.bert import blank_figure
from lecture10.plots.figure import Picture, picture
from lecture10.recipes.world_text import CLS, MASK, SEP, SPECIAL, Words
from lecture10.widgets.live import Live

SHOWN = 6  # words
BERT, LEFT = "BERT reads both sides", "GPT has read the left side"


class Blank:
    """What both models expect in the place of one word of a text."""

    def __init__(self, bert: BertPretraining, gpt: GPT, words: Words):
        self.bert, self.gpt, self.words = bert, gpt, words

    def encode(self, text: str) -> list[int]:
        """Token ids. Raises ValueError, with the cure, for an empty, a too long or an unknown text."""
        ids, room = self.words.encode(text), self.bert.config.context - 2
        if not ids:
            raise ValueError("the text is empty: type a caption, such as 'a blue bear and a red cat'")
        if strange := self.words.unknown(text):
            raise ValueError(
                f"the models have never read {', '.join(map(repr, dict.fromkeys(strange)))}: use the little "
                f"world's own words, such as {', '.join(self.words.words[len(SPECIAL) + 13 :: 17])}"
            )
        if len(ids) > room:
            raise ValueError(f"the text has {len(ids)} words and stops, the models read {room}: shorten it")
        return ids

    def probs(self, text: str, place: int) -> dict[str, torch.Tensor]:
        """Model -> (V,) probabilities of the word at `place`, from 0. ValueError also for a bad place."""
        ids = self.encode(text)
        if not 0 <= place < len(ids):
            raise ValueError(f"place is {place}: the text has the places 0 to {len(ids) - 1}")
        device = next(self.bert.parameters()).device
        row = torch.tensor([[CLS, *ids, SEP]], device=device)
        masked = row.index_fill(1, torch.tensor([place + 1], device=device), MASK)
        with torch.no_grad():
            both = self.bert(masked)[0][0, place + 1]
            left = self.gpt(row[:, : place + 1])[0, place]
        return {BERT: both.softmax(-1).cpu(), LEFT: left.softmax(-1).cpu()}

    def expected(self, text: str, place: int) -> dict[str, dict[str, float]]:
        """Model -> its six likeliest words with their probabilities, likeliest first."""
        found = {}
        for name, p in self.probs(text, place).items():
            best = p.topk(SHOWN)
            found[name] = dict(
                zip(self.words.pieces(best.indices.tolist()), best.values.tolist(), strict=True)
            )
        return found

    def picture(self, text: str, place: int) -> Picture:
        """Both as a picture; its alternative text says the three likeliest of each."""
        import matplotlib.pyplot as plt

        expected = self.expected(text, place)
        pieces = self.words.pieces(self.encode(text))
        fig = blank_figure(expected, pieces[place])
        blotted = " ".join("___" if k == place else piece for k, piece in enumerate(pieces))
        alt = "; ".join(f"{name} and expects {_said(probs)}" for name, probs in expected.items())
        try:
            return picture(fig, f"{blotted}: {alt}")
        finally:
            plt.close(fig)


def _said(probs: dict[str, float]) -> str:
    return ", ".join(f"{word} {p:.2f}" for word, p in list(probs.items())[:3])


def blank_widget(bert: BertPretraining, gpt: GPT, words: Words, text: str, place: int = 1) -> Live:
    """A text to type and a slider over its words; a still picture of the first state elsewhere."""
    import ipywidgets as widgets

    shower = Blank(bert, gpt, words)
    typed = widgets.Text(text, description="text", continuous_update=False, layout={"width": "90%"})
    last = len(shower.encode(text)) - 1
    slider = widgets.IntSlider(place, min=0, max=last, description="blot out", continuous_update=False)
    first = shower.picture(text, place)
    image = widgets.Image(value=first.png, format="png")
    says = widgets.HTML(value=_blotted(shower, text, place))

    def redraw(_=None) -> None:
        try:
            slider.max = len(shower.encode(typed.value)) - 1
            says.value = _blotted(shower, typed.value, slider.value)
            image.value = shower.picture(typed.value, slider.value).png
        except ValueError as error:
            says.value = str(error)

    for control in (typed, slider):
        control.observe(redraw, names="value")
    return Live(widgets.VBox([typed, slider, says, image]), first)


def _blotted(shower: Blank, text: str, place: int) -> str:
    pieces = shower.words.pieces(shower.encode(text))
    return " ".join("<b>[MASK]</b>" if k == place else piece for k, piece in enumerate(pieces))
