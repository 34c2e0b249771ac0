"""Color pictures whose brightness is sharp and whose color is measured where it can be.

Brightness is that of the sharpest bands. Red, green and blue are brought to one PSF, and their
ratios color the picture where there is enough light to measure them: noise is gray, and a faint arc
keeps the detail of the sharp band and the color of all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lensing_core.arrays import BoolArray
from lensing_core.cutouts import CutoutGeometry
from lensing_core.imaging.noise import frame_mask
from lensing_core.imaging.smoothing import FWHM_TO_SIGMA, smooth
from lensing_core.imaging.stretch import AsinhStretch, Pixels
from lensing_core.surveys import Survey

_AS_SHARP = 1.5  # of the smallest PSF FWHM: bands up to this give brightness
_STILL_SHARP, _DEEPER_MAG = 3.0, 1.0  # so do those up to this that are so much deeper
_UNKNOWN_FWHM_PX = 3.0
_FINE, _COARSE = 0.6, 1.8  # of the widest FWHM: smoothing of colors beyond the common PSF
_FINE_FROM, _FINE_ABOVE = 6.0, 20.0  # sigma of the finely smoothed intensity
_GRAY_BELOW, _COLORED_ABOVE = 3.0, 9.0  # sigma of the coarsely smoothed intensity
_SEEN = 1.5, 6.0  # sigma of the smoothed brightness: no halo that other bands see colors its noise
_BINS_IN_FWHM, _MOST_BINNED = 2.0, 3  # colors are smooth: they are made on fewer pixels
_SATURATION = 0.8  # power of the ratios: red galaxies are no pure orange
_MOST_COLOR = 2.4  # of a channel over the mean of the three
_GREEN = 0.4  # stars and galaxies differ from red to blue; green against purple is mostly noise
_NEUTRAL_SLOPE = 1.5
"""A spectrum F_nu ~ lambda^1.5 is drawn gray, near to what the viewer of the Legacy Surveys does:
its scales 6.0, 3.4 and 2.2 of g, r and z are lambda^1.54 from g to z."""


@dataclass(frozen=True)
class DetailPlanes:
    """Brightness and color of a picture, before any stretch.

    Attributes
    ----------
    intensity : ndarray of shape (y, x)
        In units of sky noise; the noise is that of the mean of all bands of the picture. NaN where
        nothing is known.
    color : ndarray of shape (3, y, x)
        Red, green and blue over their mean; 1 where the picture is gray.
    """

    intensity: Pixels
    color: Pixels


def color_gains(geometry: CutoutGeometry, survey: Survey | None) -> tuple[float, ...] | None:
    """Factors that make a unit of flux of every band equally bright for a typical galaxy.

    Parameters
    ----------
    survey : Survey or None
        With the wavelengths of the bands.

    Returns
    -------
    tuple of float, or None
        One for each band; None where a zero point or a wavelength is not known, or there is none.
    """
    if survey is None or geometry.pixel_kind != "flux":
        return None
    known = {band.name: band.wavelength_nm for band in survey.bands}
    gains = [
        10 ** (-0.4 * zero_point) * known.get(band, math.nan) ** -_NEUTRAL_SLOPE
        for band, zero_point in zip(geometry.bands, geometry.zero_points_mag, strict=True)
    ]
    if not all(math.isfinite(gain) and gain > 0 for gain in gains):
        return None
    largest = max(gains)
    return tuple(gain / largest for gain in gains)


def detail_planes(
    channels: Pixels,
    colors: Pixels,
    fwhm_px: Sequence[float],
    is_band: Sequence[bool],
    limits: Sequence[float] | None = None,
) -> DetailPlanes:
    """Brightness and color of three channels.

    Parameters
    ----------
    channels : ndarray of shape (3, y, x)
        Red, green, blue in units of sky noise above the sky; NaN where there is no data.
    colors : ndarray of shape (3, y, x)
        The same pixels on the scale by which colors are told.
    fwhm_px : sequence of three float
        PSF FWHM of each channel; NaN: not known.
    is_band : sequence of three bool
        False for a channel that is made of the others or repeats one.
    limits : sequence of three float, optional
        Noise within the PSF on the scale of ``colors``, by which one band is deeper than another.
    """
    widths = np.array([value if value > 0 else np.nan for value in fwhm_px])
    sharp = _sharp_bands(widths, np.asarray(is_band), limits)
    intensity = _intensity(channels, sharp, np.asarray(is_band))
    if sum(is_band) < 2:
        return DetailPlanes(intensity, np.ones_like(channels))
    widest = float(np.nanmax(widths)) if np.isfinite(widths).any() else _UNKNOWN_FWHM_PX
    widths = np.where(np.isfinite(widths), widths, widest)
    step = max(1, min(_MOST_BINNED, int(widest / _BINS_IN_FWHM)))
    planes = _binned(np.concatenate([colors, intensity[None]]), step)
    color = _color(planes, widths / step, widest / step)
    size = intensity.shape
    color = color.repeat(step, axis=1).repeat(step, axis=2)[:, : size[0], : size[1]]
    complete = np.isfinite(channels).all(axis=0)
    return DetailPlanes(intensity, np.where(complete, color, 1))  # no color is made up


def _color(planes: Pixels, widths: Pixels, widest: float) -> Pixels:
    """Red, green and blue over their mean, (3, y, x), from these and the brightness, (4, y, x).

    Smoothed to the common PSF where there is much light, more where there is little; 1 where
    there is too little to tell.
    """
    complete = np.asarray(np.isfinite(planes[:3]).all(axis=0))
    fine, coarse = (
        FWHM_TO_SIGMA * np.sqrt(widest**2 * (1 + beyond**2) - widths**2)
        for beyond in (_FINE, _COARSE)
    )
    eye = FWHM_TO_SIGMA * widest
    finely, coarsely = smooth(planes, (*fine, eye), (*coarse, eye))
    sharp_color, snr = _ratios(finely[:3], complete)
    soft_color, soft_snr = _ratios(coarsely[:3], complete)
    color = soft_color + _step(snr, _FINE_FROM, _FINE_ABOVE) * (sharp_color - soft_color)
    bright = np.where(np.isfinite(finely[3]), finely[3], 0)
    weight = _step(soft_snr, _GRAY_BELOW, _COLORED_ABOVE)
    weight *= _step(bright / _scatter(bright, complete), *_SEEN)
    return np.asarray(1 + weight * (color - 1))


def _binned(planes: Pixels, step: int) -> Pixels:
    """Means over squares of ``step`` pixels of what is known, (n, y / step, x / step)."""
    if step == 1:
        return planes
    n, rows, columns = planes.shape
    padding = ((0, 0), (0, -rows % step), (0, -columns % step))
    padded = np.pad(planes, padding, mode="edge")
    squares = padded.reshape(n, padded.shape[1] // step, step, padded.shape[2] // step, step)
    known = np.isfinite(squares)
    if known.all():
        return np.asarray(squares.mean(axis=(2, 4)))
    count = known.sum(axis=(2, 4))
    total = np.where(known, squares, 0).sum(axis=(2, 4))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def detail_rgb(planes: DetailPlanes, parameters: AsinhStretch) -> tuple[Pixels, BoolArray]:
    """Red, green and blue levels from 0 to 1, (y, x, 3), and where anything is known, (y, x).

    Where a channel would exceed 1, all three are divided by the largest, as
    :func:`~lensing_core.imaging.rgb.lupton_rgb` does.
    """
    known = np.isfinite(planes.intensity)
    level = np.maximum(parameters.level(np.where(known, planes.intensity, parameters.black)), 0)
    levels = level * planes.color
    levels /= np.maximum(levels.max(axis=0), 1)
    return np.where(known, levels, 0).transpose(1, 2, 0), known


def _sharp_bands(widths: Pixels, is_band: BoolArray, limits: Sequence[float] | None) -> BoolArray:
    """Return which channels give brightness: sharp ones, and wider ones that are far deeper."""
    if not np.isfinite(widths[is_band]).all():
        return is_band
    relative = widths / widths[is_band].min()
    sharp = is_band & (relative <= _AS_SHARP)
    if limits is not None:
        deepest = np.asarray(limits)[sharp].min()
        deeper = np.asarray(limits) < deepest * 10 ** (-0.4 * _DEEPER_MAG)
        sharp |= is_band & deeper & (relative <= _STILL_SHARP)
    return sharp


def _intensity(channels: Pixels, sharp: BoolArray, is_band: BoolArray) -> Pixels:
    """Sum of sharp bands, scaled so that its noise is that of the mean of all bands.

    In units of its own noise the deeper of two bands weighs more. Where the sharp bands have no
    data, the others stand in.
    """
    n_bands = int(is_band.sum())
    finite = np.isfinite(channels)

    def mean(of: BoolArray) -> Pixels:
        seen = finite[of]
        n = seen.sum(axis=0)
        total = np.where(seen, channels[of], 0).sum(axis=0)
        scale = np.sqrt(np.maximum(n, 1) * n_bands)
        return np.where(n > 0, total / scale, np.nan)

    intensity = mean(sharp)
    missing = ~np.isfinite(intensity)
    return np.where(missing, mean(is_band), intensity) if missing.any() else intensity


def _ratios(smoothed: Pixels, complete: BoolArray) -> tuple[Pixels, Pixels]:
    """Channels over their mean, (3, y, x), and the mean in units of its scatter on the sky.

    A channel is drawn towards the mean by the scatter, so that a pixel near the sky is no pure red.
    """
    values = np.where(np.isfinite(smoothed), smoothed, 0)
    mean = values.mean(axis=0)
    sigma = _scatter(mean, complete)
    ratio = np.maximum(values, 0) + sigma
    ratio /= ratio.mean(axis=0)
    middle = (ratio[0] + ratio[2]) / 2
    ratio[1] = middle + _GREEN * (ratio[1] - middle)
    ratio **= _SATURATION
    ratio /= ratio.mean(axis=0)
    return np.minimum(ratio, _MOST_COLOR), mean / sigma


def _step(values: Pixels, low: float, high: float) -> Pixels:
    """0 below ``low``, 1 above ``high``, smooth between."""
    fraction = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(fraction * fraction * (3 - 2 * fraction))


def _scatter(image: Pixels, complete: BoolArray) -> float:
    """Standard deviation of the sky, from the darker half of the frame of the cutout.

    Half of the distance below the median, so that objects in the frame do not count as noise.
    """
    frame = image[complete & frame_mask(image.shape[-1])]
    if not frame.size:
        frame = image.ravel()
    low, middle = np.percentile(frame, [15.865525393145708, 50])
    spread = float(middle - low)
    return spread if spread > 0 else float(np.abs(image).max()) * 1e-3 or 1.0
