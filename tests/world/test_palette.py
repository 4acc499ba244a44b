"""Colours stay apart, for everyone; roles never pass for a noun's colour."""

import numpy as np
import pytest

from lecture10.world import colour_separation
from lecture10.world import vocabulary as v
from lecture10.world.palette import FIXED_ROLES, SIGHTS, delta_e, rgb, shade, to_lab


def test_our_colour_difference_is_the_reference_librarys():
    """CIELAB and CIEDE2000 agree with scikit-image on random colours, grays included."""
    color = pytest.importorskip("skimage.color")
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 500, 3))
    a[:20] = a[:20, :1]
    assert np.abs(to_lab(a) - color.rgb2lab(a)).max() < 2e-3
    ours, theirs = delta_e(to_lab(a), to_lab(b)), color.deltaE_ciede2000(color.rgb2lab(a), color.rgb2lab(b))
    assert np.abs(ours - theirs).max() < 2e-3


def test_simulated_sights_keep_white_white():
    """Each matrix's rows sum to one, as published, so that grays stay gray."""
    for matrix in SIGHTS.values():
        assert np.abs(np.array(matrix).sum(1) - 1).max() < 2e-6


def test_the_ten_colours_stay_apart_for_everyone():
    """The stated smallest pairs: 19.6 for usual sight,
    15.1 over three deficiencies (just visible is about 2).
    """
    found = colour_separation()
    assert set(found) == set(SIGHTS)
    assert found["usual"][0] == pytest.approx(19.6, abs=0.1)
    assert min(value for value, _, _ in found.values()) == pytest.approx(15.1, abs=0.1)


def test_no_role_passes_for_a_colour():
    """Fixed roles are at least 20 from every noun colour; a shade is nearest to its own colour."""
    lab = {c: to_lab(rgb(c)) for c in v.COLOURS}
    for tone in FIXED_ROLES.values():
        assert min(delta_e(to_lab(np.array(tone) / 255), c) for c in lab.values()) > 20
    for name in v.COLOURS:
        assert min(v.COLOURS, key=lambda c: delta_e(to_lab(shade(rgb(name))), lab[c])) == name
