"""Type a prompt, move the sliders, watch the distribution of the next token."""

import torch

from lecture10.plots.figure import Picture, picture
from lecture10.plots.language import next_token_figure, readable
from lecture10.sampling import next_token_probs
from lecture10.widgets.live import Live

SHOWN = 8  # tokens


class NextToken:
    """The distribution over the next token of a prompt, before and after temperature, top-k and top-p."""

    def __init__(self, model, tokenizer):
        self.model, self.tokenizer = model, tokenizer

    def logits(self, prompt: str) -> torch.Tensor:
        """(V,) logits after the prompt, of which the last `context` tokens are read.

        Raises ValueError for an empty prompt.
        """
        ids = self.tokenizer.encode(prompt)[-self.model.config.context :]
        if not ids:
            raise ValueError("the prompt is empty: type at least one character")
        device = next(self.model.parameters()).device
        with torch.no_grad():
            return self.model(torch.tensor([ids], device=device))[0, -1].cpu()

    def distributions(
        self, prompt: str, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
    ) -> tuple[dict[str, float], dict[str, float]]:
        """(the model's, the one drawn from): the eight likeliest tokens -> probability, likeliest first."""
        logits = self.logits(prompt)
        before, after = logits.softmax(-1), next_token_probs(logits, temperature, top_k, top_p)
        best = before.topk(SHOWN).indices.tolist()
        names = self.tokenizer.pieces(best)
        return (
            {name: float(before[i]) for name, i in zip(names, best, strict=True)},
            {name: float(after[i]) for name, i in zip(names, best, strict=True)},
        )

    def picture(
        self, prompt: str, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
    ) -> Picture:
        """Both distributions as a picture; its alternative text says the three likeliest of each."""
        before, after = self.distributions(prompt, temperature, top_k, top_p)
        fig = next_token_figure(before, after)
        alt = f"after {prompt!r} the model expects {_said(before)}; drawn from {_said(after)}"
        try:
            return picture(fig, alt)
        finally:
            import matplotlib.pyplot as plt

            plt.close(fig)


def _said(probs: dict[str, float]) -> str:
    best = sorted(probs.items(), key=lambda pair: -pair[1])[:3]
    return ", ".join(f"{readable(token)} {p:.3f}" for token, p in best)


def next_token_widget(model, tokenizer, prompt: str = "The value of the") -> Live:
    """A prompt to type and three sliders over the next token's distribution; a still picture elsewhere.

    model: a GPT; tokenizer: the one it was trained with.
    """
    import ipywidgets as widgets

    shower = NextToken(model, tokenizer)
    still = {"continuous_update": False}  # one drawing when the slider is let go, not one a pixel
    text = widgets.Text(prompt, description="prompt", continuous_update=False, layout={"width": "90%"})
    temperature = widgets.FloatSlider(1.0, min=0, max=2, step=0.1, description="temperature", **still)
    top_k = widgets.IntSlider(SHOWN * 4, min=1, max=SHOWN * 4, description="top k", **still)
    top_p = widgets.FloatSlider(1.0, min=0.05, max=1, step=0.05, description="top p", **still)
    first = shower.picture(prompt)
    image = widgets.Image(value=first.png, format="png")
    says = widgets.HTML(value="")

    def redraw(_=None) -> None:
        k = None if top_k.value == top_k.max else top_k.value
        try:
            image.value = shower.picture(text.value, temperature.value, k, top_p.value).png
            says.value = "greedy: the likeliest token always" if temperature.value == 0 else ""
        except ValueError as error:
            says.value = str(error)

    for control in (text, temperature, top_k, top_p):
        control.observe(redraw, names="value")
    box = widgets.VBox([text, widgets.HBox([temperature, top_k, top_p]), says, image])
    return Live(box, first)
