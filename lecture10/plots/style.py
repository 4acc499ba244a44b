"""How pictures look: readable on a projector, told apart by every eye, small in the file."""

from cycler import cycler

# Okabe & Ito (2008), a palette made for colour-blind readers; yellow last, since it is faint on white.
COLOURS = {
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "green": "#009E73",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
    "orange": "#E69F00",
    "black": "#000000",
    "yellow": "#F0E442",
}

DPI = 100  # 8 inches are 800 pixels: a notebook's column

STYLE = {
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
    "figure.constrained_layout.use": True,  # a fixed size, unlike a tight box
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same letters everywhere
    "font.size": 13,
    "axes.titlesize": 14,
    "axes.labelsize": 13,
    "xtick.labelsize": 12,
    "ytick.labelsize": 12,
    "legend.fontsize": 12,
    "legend.frameon": False,
    "lines.linewidth": 2.5,
    "lines.markersize": 7,
    "axes.prop_cycle": cycler(color=list(COLOURS.values())),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.8,
    "image.cmap": "cividis",  # even steps of lightness, safe for colour-blind readers
    "image.interpolation": "nearest",
}


def use_style() -> None:
    """Make the course's look matplotlib's default for the rest of this session."""
    import matplotlib

    matplotlib.rcParams.update(STYLE)
