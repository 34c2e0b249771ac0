"""Looks of the color picture: our own, the classic one, and those of two well-known viewers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from lensing_core.arrays import BoolArray
from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import BadInputError
from lensing_core.imaging.stretch import Pixels

Look = Literal["detail", "lupton", "legacy", "hsc"]
LOOKS: tuple[Look, ...] = get_args(Look)
FIXED_LOOKS: tuple[Look, ...] = ("legacy", "hsc")
"""Looks with a stretch of their own, by flux: black point, stretch and Q do not apply."""

_LEGACY_ZERO_POINT, _LEGACY_PIXEL_ARCSEC = 22.5, 0.262
_LEGACY_SCALES = {"g": 6.0, "r": 3.4, "i": 3.0, "z": 2.2}
_LEGACY_BY_PLACE = (2.2, 3.4, 6.0)  # of red, green and blue, for bands of other names
_LEGACY_OFFSET, _LEGACY_Q = 0.03, 20.0
_HSC_ZERO_POINT, _HSC_PIXEL_ARCSEC = 19.0, 0.168
_HSC_SOFTENING = float(np.exp(10.0))
_HSC_BLACK, _HSC_WHITE = -0.05, 2 / 3


def looks_of(geometry: CutoutGeometry) -> tuple[Look, ...]:
    """Looks that a catalog can be drawn in: those by flux need zero points."""
    if geometry.pixel_kind == "rendered":
        return ()
    known = bool(np.isfinite(geometry.zero_points_mag).all())
    return tuple(look for look in LOOKS if known or look not in FIXED_LOOKS)


def check_look(look: Look, geometry: CutoutGeometry) -> None:
    """Raise BadInputError where a catalog cannot be drawn in a look."""
    if geometry.pixel_kind == "flux" and look not in looks_of(geometry):
        raise BadInputError(
            f"Look {look} is by flux, and this catalog has bands without a zero point; choose "
            f"{' or '.join(looks_of(geometry))}."
        )


def legacy_rgb(flux: Pixels, names: Sequence[str]) -> tuple[Pixels, BoolArray]:
    """Levels (y, x, 3) as the Legacy Surveys' viewer draws its images, and where all is known.

    I = mean of max(0, s f + m); every channel is (s f + m) asinh(Q I) / (sqrt(Q) I), clipped to
    0 to 1, with f in nanomaggies a pixel of 0.262 arcsec, s = 6.0, 3.4, 2.2 for g, r, z, m = 0.03
    and Q = 20 (``dr2_rgb`` in ``map/views.py`` of github.com/legacysurvey/imagine; s of i as for
    data release 10).

    Parameters
    ----------
    flux : ndarray of shape (3, y, x)
        Red, green, blue, as :func:`flux_of` gives them for this look.
    names : sequence of three str
        Bands; a name that the viewer does not have takes the scale of its place.
    """
    known = np.asarray(np.isfinite(flux).all(axis=0))
    scales = [_LEGACY_SCALES.get(n, s) for n, s in zip(names, _LEGACY_BY_PLACE, strict=True)]
    scaled = np.where(known, flux, 0) * np.reshape(scales, (3, 1, 1)) + _LEGACY_OFFSET
    intensity = np.maximum(scaled, 0).mean(axis=0)
    stretched = np.arcsinh(_LEGACY_Q * intensity) / np.sqrt(_LEGACY_Q)
    levels = np.clip(scaled * (stretched / np.maximum(intensity, 1e-6)), 0, 1)
    return np.where(known, levels, 0).transpose(1, 2, 0), known


def hsc_rgb(flux: Pixels) -> tuple[Pixels, BoolArray]:
    """Levels (y, x, 3) as the HSC map draws its images, and where all is known.

    Each channel by itself: (asinh(a f) / asinh(a) - b) / (w - b) with a = e^10, b = -0.05 and
    w = 2/3, f in units of AB magnitude 19 a pixel of 0.168 arcsec (``hscColor`` of the data access
    tool ``colorPostage`` of HSC-SSC PDR3).
    """
    known = np.asarray(np.isfinite(flux).all(axis=0))
    values = np.arcsinh(_HSC_SOFTENING * np.where(known, flux, 0)) / np.arcsinh(_HSC_SOFTENING)
    levels = np.clip((values - _HSC_BLACK) / (_HSC_WHITE - _HSC_BLACK), 0, 1)
    return np.where(known, levels, 0).transpose(1, 2, 0), known


def flux_scale(look: Look, zero_point_mag: float, pixel_scale_arcsec: float) -> float:
    """Factor from stored flux to the unit of a look by flux, which keeps surface brightness."""
    own = (
        (_LEGACY_ZERO_POINT, _LEGACY_PIXEL_ARCSEC)
        if look == "legacy"
        else (_HSC_ZERO_POINT, _HSC_PIXEL_ARCSEC)
    )
    return float(10 ** (-0.4 * (zero_point_mag - own[0])) * (own[1] / pixel_scale_arcsec) ** 2)
