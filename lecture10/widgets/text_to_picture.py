"""Type a prompt and see it drawn: guidance, steps, seed, and the film of how it came."""

from lecture10.models.autoencoder import Autoencoder
from lecture10.models.ldm import LatentDiffusion
from lecture10.plots.figure import Picture, picture
from lecture10.plots.ldm import film_figure
from lecture10.recipes.ldm import film
from lecture10.widgets.live import Live

PROMPT = "a blue bear to the left of a red ball"
STEPS = (1, 2, 5, 10, 20, 50)


class Painter:
    """Draws one prompt at a time. model, decoder: the shipped ones or others, on the CPU."""

    def __init__(self, model: LatentDiffusion, decoder: Autoencoder):
        self.model, self.decoder = model, decoder

    def picture(self, prompt: str, guidance: float = 3.0, steps: int = 20, seed: int = 0) -> Picture:
        """The film of a prompt. Raises ValueError, with the cure, for a prompt that is empty or too long,
        guidance below 0, and 0 or too many steps.
        """
        import matplotlib.pyplot as plt

        if not prompt.strip():
            raise ValueError("the prompt is empty: write what should be drawn, such as 'a red cat'")
        shot = film(self.model, self.decoder, prompt, guidance=guidance, steps=steps, seed=seed)
        rows = {"latent, decoded": shot.noisy, "taken for": shot.taken_for}
        fig = film_figure(rows, shot.stops, prompt)
        try:
            return picture(
                fig, f"{prompt!r} drawn in {steps} steps with guidance {guidance:g}, seed {seed}: the latent "
                f"on its way from noise, decoded at {len(shot.stops)} moments",
            )  # fmt: skip
        finally:
            plt.close(fig)


def text_to_picture(model: LatentDiffusion, decoder: Autoencoder, prompt: str = PROMPT, note=None) -> Live:
    """A field for the prompt, sliders for guidance, steps and seed; else a picture.

    note: prompt -> a sentence about it (such as which of its words are rare), or None.
    """
    import ipywidgets as widgets

    painter, still = Painter(model, decoder), {"continuous_update": False}
    text = widgets.Text(prompt, description="prompt", layout={"width": "480px"}, **still)
    guidance = widgets.FloatSlider(3.0, min=0, max=10, step=0.5, description="guidance", **still)
    steps = widgets.SelectionSlider(options=STEPS, value=20, description="steps", **still)
    seed = widgets.IntSlider(0, min=0, max=99, description="seed", **still)
    says, image = widgets.HTML(""), widgets.Image(format="png")

    def current() -> Picture:
        return painter.picture(text.value, guidance.value, steps.value, seed.value)

    first = current()
    image.value = first.png

    def redraw(_=None) -> None:
        try:
            image.value = current().png
            says.value = (note(text.value) if note else None) or ""
        except ValueError as error:
            says.value = str(error)

    for control in (text, guidance, steps, seed):
        control.observe(redraw, names="value")
    return Live(widgets.VBox([text, widgets.HBox([guidance, steps, seed]), says, image]), first)
