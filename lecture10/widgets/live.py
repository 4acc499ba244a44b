"""Widgets that are also pictures: live where a kernel runs, a stored PNG on GitHub, in print and before a
run.
"""

from lecture10.plots.figure import Picture


class Live:
    """A widget with a still picture of its first state; notebooks show whichever they can.

    widget: any ipywidgets widget; still: a `Picture` of what it shows at first.
    """

    def __init__(self, widget, still: Picture):
        self.widget, self.still = widget, still

    def __repr__(self) -> str:
        return f"[widget; its first state: {self.still.alt}]"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> tuple[dict, dict]:
        shown, about = self.still._repr_mimebundle_()
        view = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
        return {**shown, "text/plain": repr(self), "application/vnd.jupyter.widget-view+json": view}, about
