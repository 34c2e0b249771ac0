"""Color pictures: asinh scaling of the mean intensity, color ratios preserved."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lensing_core.arrays import BoolArray
from lensing_core.imaging.noise import frame_mask
from lensing_core.imaging.stretch import BLACK_BELOW_SKY, AsinhStretch, Pixels

_BRIGHT_LEVEL = 0.85
_LEAST_STRETCH = 3.0  # in units of noise


def lupton_rgb(channels: Pixels, parameters: AsinhStretch) -> tuple[Pixels, BoolArray]:
    """Red, green and blue levels from 0 to 1 by Lupton et al. (2004, PASP 116, 133).

    The mean intensity I = (r + g + b) / 3 is stretched and every channel multiplied by the same
    factor F(I) / (I − black), so that color does not depend on brightness; where a channel would
    exceed 1, all three are divided by the largest, so that bright cores keep their color.

    Parameters
    ----------
    channels : ndarray of shape (3, y, x)
        Red, green, blue, on one flux scale.

    Returns
    -------
    levels : ndarray of shape (y, x, 3)
        0 where nothing is known.
    known : ndarray of bool, shape (y, x)
        Whether any channel has data there. A pixel that lacks some channel is drawn in gray
        by the mean of those that it has: no color is made up.
    """
    finite = np.isfinite(channels)
    if complete := bool(finite.all()):
        known = finite[0]
        intensity = channels.mean(axis=0)
        values = channels
    else:
        known = np.asarray(finite.any(axis=0))
        intensity = np.where(finite, channels, 0).sum(axis=0) / np.maximum(finite.sum(axis=0), 1)
        values = np.where(finite.all(axis=0), channels, intensity)
    above = intensity - parameters.black
    positive = above > 0
    factor = np.where(positive, parameters.level(intensity) / np.where(positive, above, 1), 0)
    levels = np.maximum((values - parameters.black) * factor, 0)
    levels /= np.maximum(levels.max(axis=0), 1)
    return (levels if complete else np.where(known, levels, 0)).transpose(1, 2, 0), known


def auto_stretch(
    channels: Pixels, *, q: float = 8.0, black_below_sky: float = BLACK_BELOW_SKY
) -> AsinhStretch:
    """Parameters that suit one object: black just below its own sky, nearly white where brightest.

    Parameters
    ----------
    channels : ndarray of shape (n, y, x)
        Pixels in units of sky noise. The black point lies 1.5 (``-black_below_sky``) below the
        median of the mean intensity in the frame of the cutout; the 99.5th percentile is drawn at
        level 0.85, unless that would blow up the noise.
    """
    finite = np.isfinite(channels)
    known = finite.any(axis=0)
    if not known.any():
        return AsinhStretch(q=q)
    total = np.where(finite, channels, 0.0).sum(axis=0)
    intensity = total / np.maximum(finite.sum(axis=0), 1)
    sky = known & frame_mask(known.shape[0])
    black = float(np.median(intensity[sky if sky.any() else known])) + black_below_sky
    bright = float(np.percentile(intensity[known], 99.5)) - black
    stretch = bright / AsinhStretch(0.0, 1.0, q).intensity_at(_BRIGHT_LEVEL)
    return AsinhStretch(
        round(float(np.clip(black, -1e5, 1e5)), 2),
        round(float(np.clip(stretch, _LEAST_STRETCH, 1e5)), 2),
        q,
    )


def choose_rgb_bands(
    bands: Sequence[str], preferred: Sequence[str] | None = None
) -> tuple[str, str, str]:
    """Bands for red, green and blue; an empty name stands for the mean of the other two.

    The survey's own choice where the catalog has all three; else, with ``bands`` taken to run from
    blue to red, the last, the middle and the first. With two bands green is their mean, and with
    one the picture is gray.
    """
    if preferred is not None and len(preferred) == 3 and set(preferred) <= set(bands):
        return (preferred[0], preferred[1], preferred[2])
    middle = "" if len(bands) == 2 else bands[len(bands) // 2]
    return (bands[-1], middle, bands[0])
