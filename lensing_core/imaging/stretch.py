"""Single-band stretches, from pixel values to gray levels.

All take pixels in units of sky noise above the sky (see :mod:`lensing_core.imaging.noise`) and
return levels from 0 to 1; NaN stays NaN.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from lensing_core.errors import BadInputError

Pixels = NDArray[np.floating[Any]]
StretchKind = Literal["asinh", "linear", "sqrt", "log", "percentile"]
STRETCH_KINDS: tuple[StretchKind, ...] = get_args(StretchKind)

BLACK_BELOW_SKY = -1.5  # sigma: sky grain stays dark gray instead of turning into colored specks
_FRACTION = 0.1  # the level that the asinh curve gives to a tenth of ``stretch``, whatever Q
_LOG_CONTRAST = 1000.0
_WHITE_PERCENTILE = 99.9
_PERCENTILES = (0.5, 99.5)
_LEAST_RANGE = 5.0  # in units of noise: pure sky is drawn as faint grain, not as full contrast


@dataclass(frozen=True)
class AsinhStretch:
    """The parameters of a picture, in units of the sky noise.

    Attributes
    ----------
    black : float
        Intensity drawn as black.
    stretch : float
        Intensities up to about a Q-th of this above ``black`` are drawn linearly.
    q : float
        Softening: larger shows more of bright cores. 0 is a linear stretch.
    """

    black: float = BLACK_BELOW_SKY
    stretch: float = 10.0
    q: float = 8.0

    def __post_init__(self) -> None:
        for name, low, high in (("black", -1e6, 1e6), ("stretch", 1e-3, 1e6), ("q", 0.0, 100.0)):
            value = getattr(self, name)
            if not low <= value <= high:  # NaN fails too
                raise BadInputError(f"{name} {value}: give a number from {low:g} to {high:g}.")

    def level(self, intensity: Pixels) -> Pixels:
        """Gray level of ``intensity``, not clipped.

        F(x) = asinh(Q x / stretch) · f / asinh(f Q) with x = intensity − black and f = 0.1
        (Lupton et al. 2004, PASP 116, 133, eq. 2, in the normalization of
        ``astropy.visualization.LuptonAsinhStretch``); x / stretch for Q → 0.
        """
        x = intensity - self.black
        if self.q < 1e-6:
            return x / self.stretch
        scale = _FRACTION / math.asinh(_FRACTION * self.q)
        return np.asarray(np.arcsinh(x * (self.q / self.stretch)) * scale)

    def intensity_at(self, level: float) -> float:
        """The intensity that :meth:`level` maps to ``level``."""
        if self.q < 1e-6:
            return self.black + level * self.stretch
        argument = level * math.asinh(_FRACTION * self.q) / _FRACTION
        return self.black + self.stretch / self.q * math.sinh(argument)


def stretch_band(pixels: Pixels, kind: StretchKind, parameters: AsinhStretch) -> Pixels:
    """Gray levels, 0 to 1, of one band.

    Parameters
    ----------
    pixels : ndarray of shape (y, x)
        In units of sky noise above the sky.
    kind : str
        ``asinh`` uses all of ``parameters``. ``linear``, ``sqrt`` and ``log`` run from the black
        point to the 99.9th percentile of this band, at least 5 sigma above it. ``percentile`` is
        linear between the 0.5th and the 99.5th percentile and ignores ``parameters``.

    Raises
    ------
    BadInputError
        If ``kind`` is not one of these.
    """
    if kind == "asinh":
        return np.clip(parameters.level(pixels), 0, 1)
    if kind not in STRETCH_KINDS:
        raise BadInputError(f"Stretch {kind!r}: choose one of {', '.join(STRETCH_KINDS)}.")
    seen = pixels[np.isfinite(pixels)]
    if not seen.size:
        return np.full(pixels.shape, np.nan)
    if kind == "percentile":
        low, high = (float(value) for value in np.percentile(seen, _PERCENTILES))
    else:
        low = parameters.black
        high = max(float(np.percentile(seen, _WHITE_PERCENTILE)), low + _LEAST_RANGE)
    fraction = np.clip((pixels - low) / max(high - low, np.finfo(float).tiny), 0, 1)
    if kind == "sqrt":
        return np.sqrt(fraction)
    if kind == "log":
        return np.asarray(np.log1p(_LOG_CONTRAST * fraction) / math.log1p(_LOG_CONTRAST))
    return fraction
