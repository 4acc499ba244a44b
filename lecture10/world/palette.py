"""Paint: what a colour, a role and a material come to in RGB, and how far apart the noun colours stay.

Separation is CIEDE2000 (Sharma, Wu & Dalal 2005), for usual sight and for three colour-vision deficiencies
simulated with the matrices of Machado, Oliveira & Fernandes (2009, severity 1.0) in linear RGB.
"""

from functools import cache
from itertools import combinations

import numpy as np

from lecture10.world import vocabulary as v

FIXED_ROLES = {"light": (252, 247, 236), "dark": (38, 33, 42), "accent": (250, 170, 150)}
SIGHTS = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def rgb(name: str) -> np.ndarray:
    """(3,) a colour of the vocabulary in [0, 1] sRGB."""
    return np.array(v.COLOURS[name]) / 255


def shade(body: np.ndarray) -> np.ndarray:
    """The darker tone of a body colour, (..., 3) in [0, 1]:
    the part of a thing that looks away from the light.
    """
    return 0.76 * body


def second(body: np.ndarray) -> np.ndarray:
    """What stripes, dots and mortar are painted in, (..., 3): dark on a light body, light on a dark one."""
    light, dark = np.array(FIXED_ROLES["light"]) / 255, np.array(FIXED_ROLES["dark"]) / 255
    bright = (to_lab(body)[..., :1] > 60).astype(float)
    return bright * (0.35 * body + 0.65 * dark) + (1 - bright) * (0.2 * body + 0.8 * light)


def to_lab(srgb: np.ndarray, sight: str = "usual") -> np.ndarray:
    """(..., 3) sRGB in [0, 1] to CIELAB (D65), as seen with one of SIGHTS."""
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear @ np.array(SIGHTS[sight]).T, 0, 1)
    to_xyz = np.array(
        [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
    )
    xyz = linear @ to_xyz.T / np.array([0.95047, 1.0, 1.08883])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def delta_e(lab_1: np.ndarray, lab_2: np.ndarray) -> np.ndarray:
    """CIEDE2000 between CIELAB colours (..., 3);
    about 2 is just visible. Sharma, Wu & Dalal 2005, eqs. 2–22.
    """
    (l1, a1, b1), (l2, a2, b2) = np.moveaxis(lab_1, -1, 0), np.moveaxis(lab_2, -1, 0)
    c_mean = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = 1 + 0.5 * (1 - np.sqrt(c_mean**7 / (c_mean**7 + 25.0**7)))
    c1, c2 = np.hypot(g * a1, b1), np.hypot(g * a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, g * a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    gray = c1 * c2 == 0
    turn = np.where(gray, 0, (h2 - h1 + 180) % 360 - 180)
    d_l, d_c, d_h = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2)
    l, c, h = (l1 + l2) / 2, (c1 + c2) / 2, np.where(gray, h1 + h2, h1 + turn / 2) % 360
    t = 1 - 0.17 * np.cos(np.radians(h - 30)) + 0.24 * np.cos(np.radians(2 * h))
    t += 0.32 * np.cos(np.radians(3 * h + 6)) - 0.20 * np.cos(np.radians(4 * h - 63))
    s_l = 1 + 0.015 * (l - 50) ** 2 / np.sqrt(20 + (l - 50) ** 2)
    s_c, s_h = 1 + 0.045 * c, 1 + 0.015 * c * t
    r = -2 * np.sqrt(c**7 / (c**7 + 25.0**7)) * np.sin(np.radians(60 * np.exp(-(((h - 275) / 25) ** 2))))
    x_c, x_h = d_c / s_c, d_h / s_h
    return np.sqrt((d_l / s_l) ** 2 + x_c**2 + x_h**2 + r * x_c * x_h)


@cache
def colour_separation() -> dict[str, tuple[float, str, str]]:
    """For each sight, the CIEDE2000 of the two most alike noun colours, and which they are."""
    found = {}
    for sight in SIGHTS:
        lab = {c: to_lab(rgb(c), sight) for c in v.COLOURS}
        found[sight] = min((float(delta_e(lab[a], lab[b])), a, b) for a, b in combinations(v.COLOURS, 2))
    return found
