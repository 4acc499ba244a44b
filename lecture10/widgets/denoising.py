"""Scrub a cloud and some digits to noise and back; choose how many steps the way back takes, and whose."""

from functools import lru_cache

import torch
from torch import Tensor

from lecture10.distances import sliced_wasserstein
from lecture10.models.denoise import METHODS, path
from lecture10.plots.diffusion import way_figure
from lecture10.plots.figure import Picture, picture
from lecture10.recipes.denoising import spiral
from lecture10.recipes.diffusion import recipe
from lecture10.recipes.digits import digits
from lecture10.widgets.live import Live

COUNTS = (1, 2, 5, 10, 20, 50)
POINTS, DIGITS = 600, 4
MOMENTS = 20  # places of the slider on each of the two ways


class Way:
    """Both ways of a cloud of points and of a few digits. points, digits: the two networks, on the CPU."""

    def __init__(self, points: torch.nn.Module, digit_network: torch.nn.Module):
        self.networks = {"points": points, "digits": digit_network}
        dice = torch.Generator().manual_seed(1)
        self.data = {"points": spiral(POINTS, dice), "digits": digits("train")[0][:DIGITS]}
        self.noise = {
            "points": recipe("points").noise(POINTS, 2),
            "digits": recipe("digits").noise(DIGITS, 2),
        }
        self.colours = torch.atan2(*self.data["points"].T).numpy()
        self.back = lru_cache(maxsize=16)(self._back)

    def _back(self, name: str, steps: int, method: str) -> tuple[list[int], Tensor, Tensor]:
        how = {"steps": steps, "method": method, "generator": torch.Generator().manual_seed(3)}
        return path(self.networks[name], recipe(name).process, self.noise[name], **how)

    def there(self, share: float) -> tuple[int, dict[str, Tensor]]:
        """On the way to noise, `share` in [0, 1] of it done: t, and both data at t (-1: not begun)."""
        process = recipe("points").process
        t = round(share * process.steps) - 1
        return t, {name: process.add_noise(self.data[name], self.noise[name], t) for name in self.data}

    def moment(self, place: float, steps: int = 50, method: str = "ddim"):
        """(t, data, guesses) at a place from -1 (data) over 0 (pure noise) to 1 (back again).

        guesses is None on the way to noise. Raises ValueError for other places, and for an unknown method.
        """
        if not -1 <= place <= 1:
            raise ValueError(f"the place is {place}: it runs from -1 (data) over 0 (noise) to 1 (data again)")
        if method not in METHODS:
            raise ValueError(f"the method is {method!r}: it is one of {', '.join(map(repr, METHODS))}")
        if place < 0:
            t, data = self.there(1 + place)
            return t, data, None
        now, taken_for = {}, {}
        for name in self.networks:
            stops, noisy, guessed = self.back(name, steps, method)
            at = round(place * steps)
            now[name], taken_for[name] = noisy[at], guessed[at]
        return stops[at], now, taken_for

    def picture(self, place: float, steps: int = 50, method: str = "ddim") -> Picture:
        """The moment as a picture; its alternative text says t and how far the cloud is from the spiral."""
        import matplotlib.pyplot as plt

        t, data, guesses = self.moment(place, steps, method)
        apart = sliced_wasserstein(data["points"], spiral(2000, torch.Generator().manual_seed(9)))
        way = "to noise" if place < 0 else f"back by {method.upper()} in {steps} steps"
        where = "data" if t < 0 else f"t = {t}"
        title = f"{where}, on the way {'to noise' if place < 0 else 'back'}"
        colours = self.colours if place < 0 else None
        fig = way_figure(
            data["points"], data["digits"], guesses and guesses["digits"], title, colours=colours
        )
        try:
            return picture(
                fig, f"{way}, {where}: the cloud is {apart:.2f} from the spiral (sliced Wasserstein)"
            )
        finally:
            plt.close(fig)


def denoising_widget(points: torch.nn.Module, digit_network: torch.nn.Module, place: float = 0.9) -> Live:
    """A slider from data over noise back to data, one for the steps, a menu of methods; else a picture."""
    import ipywidgets as widgets

    way = Way(points, digit_network)
    still = {"continuous_update": False}
    where = widgets.FloatSlider(
        place, min=-1, max=1, step=1 / MOMENTS, description="way", readout_format=".2f", **still
    )
    steps = widgets.SelectionSlider(options=COUNTS, value=50, description="steps", **still)
    method = widgets.Dropdown(options=METHODS, value="ddim", description="method")
    says = widgets.HTML("−1 data · 0 pure noise · 1 data again")
    first = way.picture(place)
    image = widgets.Image(value=first.png, format="png")

    def redraw(_=None) -> None:
        image.value = way.picture(where.value, steps.value, method.value).png

    for control in (where, steps, method):
        control.observe(redraw, names="value")
    return Live(widgets.VBox([widgets.HBox([where, steps, method]), says, image]), first)
