"""Drop seeds, move the margin, and watch a verdict change its word."""

from collections.abc import Iterable, Mapping

from lecture10.claims import Verdict, verdict
from lecture10.plots.figure import Picture, picture
from lecture10.plots.verdict import verdict_figure
from lecture10.widgets.live import Live


class VerdictReader:
    """The verdict on some of the seeds of a claim, at some margin.

    effects: seed -> effect, positive in the direction of the claim; unit: what it is measured in.
    """

    def __init__(self, effects: Mapping[int, float], unit: str = "effect"):
        self.effects, self.unit = dict(effects), unit

    def verdict(self, margin: float, kept: Iterable[int] | None = None) -> Verdict:
        """The verdict on the kept seeds (default: all). Raises ValueError for one that was not measured."""
        kept = list(self.effects) if kept is None else list(kept)
        if strange := sorted(set(kept) - set(self.effects)):
            raise ValueError(
                f"seed {strange[0]} was not measured; there are {', '.join(map(str, self.effects))}"
            )
        return verdict([self.effects[seed] for seed in kept], margin)

    def picture(self, margin: float, kept: Iterable[int] | None = None) -> Picture:
        """Seeds, interval and margin as a picture; its alternative text is the verdict."""
        import matplotlib.pyplot as plt

        kept = list(self.effects) if kept is None else list(kept)
        found = self.verdict(margin, kept)
        fig = verdict_figure(self.effects, found, kept=kept, unit=self.unit)
        try:
            return picture(fig, f"seeds {', '.join(map(str, sorted(kept))) or 'none'}: {found}")
        finally:
            plt.close(fig)


def verdict_reader(effects: Mapping[int, float], margin: float, unit: str = "effect") -> Live:
    """A tick for each seed and a slider for the margin over a claim's verdict; a still picture elsewhere.

    margin: where the slider starts: the claim's own. Raises ValueError where it is not positive.
    """
    import ipywidgets as widgets

    reader = VerdictReader(effects, unit)
    first = reader.picture(margin)
    ticks = {s: widgets.Checkbox(True, description=f"seed {s}", indent=False, layout={"width": "80px"})
             for s in effects}  # fmt: skip
    most = max(2 * margin, 1.5 * max(map(abs, effects.values())))
    slider = widgets.FloatSlider(
        margin, min=most / 100, max=most, step=most / 100, description="margin", readout_format=".3f",
        continuous_update=False,
    )  # fmt: skip
    image = widgets.Image(value=first.png, format="png")

    def redraw(_=None) -> None:
        image.value = reader.picture(slider.value, [s for s, tick in ticks.items() if tick.value]).png

    for control in (*ticks.values(), slider):
        control.observe(redraw, names="value")
    return Live(widgets.VBox([widgets.HBox([*ticks.values()]), slider, image]), first)
