"""Inverse of the stretch of color pictures: from levels to light, and to the same levels again.

Viewers and pipelines stretch three bands together (Lupton et al. 2004, PASP 116, 133): the mean
intensity I is drawn at level F(I) = A asinh(I / s), every channel is multiplied by F(I) / I, and
where a channel would exceed 1 all three are divided by the largest. Up to its unit, which is taken
from the noise, a picture's light depends on A alone; by the programs' own documentation:

============================================ ===========================
HumVI (CFHTLS pictures), ``Q``               A = 1 / Q
Legacy Surveys' viewer (``sdss_rgb``), ``Q`` A = 1 / √Q; Q = 20 there
astropy's ``make_lupton_rgb``, ``Q``         A = 0.1 / asinh(0.1 Q)
============================================ ===========================
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lensing_core.arrays import Float32Array, Float64Array
from lensing_core.errors import BadInputError

RECIPES = ("humvi", "legacy", "lupton")
GAIN_RANGE = (0.05, 2.0)
_FRACTION = 0.1
_BINS = 16
_DIFFERENCE = (1.0, -4.0, 6.0, -4.0, 1.0)
_LEAST_PIXELS = 300


@dataclass(frozen=True)
class PictureStretch:
    """Stretch of a picture.

    Attributes
    ----------
    gain : float
        A of F(I) = A asinh(I), with light in units of the stretch's softening s.
    """

    gain: float

    def __post_init__(self) -> None:
        if not 1e-3 <= self.gain <= 1e3:
            raise BadInputError(f"Stretch gain {self.gain}: give a number from 0.001 to 1000.")

    @classmethod
    def of_recipe(cls, recipe: str, q: float) -> PictureStretch:
        """Stretch of a program that makes pictures (of :data:`RECIPES`), with its softening Q."""
        if not q > 0:
            raise BadInputError(f"Softening Q = {q}: give a number above 0.")
        gains = {
            "humvi": 1 / q,
            "legacy": 1 / math.sqrt(q),
            "lupton": _FRACTION / math.asinh(_FRACTION * q),
        }
        if recipe not in gains:
            raise BadInputError(f"Stretch {recipe!r}: choose one of {', '.join(RECIPES)}.")
        return cls(gains[recipe])

    def light(self, picture: Float32Array) -> Float64Array:
        """Light of the channels from levels of 0 to 255; shape (…, channel, y, x) both.

        Where a channel was cut off at 255 or at black, the light is the least that gives the
        picture: what was cut off is lost.
        """
        levels = np.asarray(picture, dtype=np.float64) / 255
        mean = levels.mean(axis=-3, keepdims=True)
        intensity = np.sinh(mean / self.gain)
        factor = np.where(mean > 0, intensity / np.where(mean > 0, mean, 1), 1 / self.gain)
        return levels * factor

    def picture(self, light: Float64Array) -> Float32Array:
        """Levels, whole numbers from 0 to 255, of light (…, channel, y, x).

        ``picture(light(p))`` is ``p`` for every picture of whole levels.
        """
        intensity = light.mean(axis=-3, keepdims=True)
        positive = intensity > 0
        safe = np.where(positive, intensity, 1)
        factor = np.where(positive, self.gain * np.arcsinh(safe) / safe, 0)
        levels = np.maximum(light * factor, 0)
        levels /= np.maximum(levels.max(axis=-3, keepdims=True), 1)
        return np.round(255 * levels).astype(np.float32)


def estimate_stretch(
    pictures: Float32Array, *, electrons_per_sigma: float = math.inf
) -> PictureStretch:
    """The stretch of pictures (n, channel, y, x) by how their noise shrinks with brightness.

    The slope of the curve is F'(I) ∝ 1 / cosh(F / A), and in light of one noise the grain of a
    picture follows it. Grain is the median absolute fourth difference along rows of the mean of the
    channels, which smooth galaxies hardly add to; it is measured in bins of level and fitted with
    its own unit and A by least squares of logarithms. What structure adds to the grain makes the A
    found too large: to a factor of two for simulated pictures; a known recipe is better.

    Parameters
    ----------
    electrons_per_sigma : float
        Electrons in light of one σ of an empty pixel (gain · σ): photons of galaxies add as much
        variance as the sky where they are as many σ. Infinite: photons are left out.

    Raises
    ------
    BadInputError
        If there are too few pixels between sky and white to measure.
    """
    mean = np.asarray(pictures, dtype=np.float64).mean(axis=1) / 255
    level = mean[:, :, 2:-2].ravel()
    fourth = sum(w * mean[:, :, k : mean.shape[2] - 4 + k] for k, w in enumerate(_DIFFERENCE))
    grain = np.abs(np.asarray(fourth)).ravel() / math.sqrt(sum(w * w for w in _DIFFERENCE))
    inside = (level > np.percentile(level, 20)) & (level < 0.8)
    level, grain = level[inside], grain[inside]
    if len(level) < _LEAST_PIXELS:
        raise BadInputError(
            f"Stretch of pictures: only {len(level)} pixels lie between sky and white, too few to "
            "estimate it; give its recipe and Q."
        )
    edges = np.linspace(level.min(), level.max(), _BINS + 1)
    place = np.clip(np.digitize(level, edges) - 1, 0, _BINS - 1)
    centers, noise, weight = [], [], []
    for k in range(_BINS):
        mine = place == k
        if mine.sum() >= _LEAST_PIXELS / 10:
            centers.append(float(level[mine].mean()))
            noise.append(max(float(np.median(grain[mine])), 0.1 / 255))
            weight.append(float(mine.sum()))
    if len(centers) < 4:
        raise BadInputError(
            "Stretch of pictures: they show too few levels of brightness to estimate it; give its "
            "recipe and Q."
        )
    return PictureStretch(
        _fit_gain(np.array(centers), np.log(noise), np.sqrt(weight), electrons_per_sigma)
    )


def _fit_gain(
    level: Float64Array, log_noise: Float64Array, weight: Float64Array, electrons_per_sigma: float
) -> float:
    """A of log noise = constant + ½ log(1 + photons) − log cosh(level / A), by a scan."""
    scan = np.geomspace(*GAIN_RANGE, 200)[:, None]
    light = np.sinh(level / scan) - np.sinh(level[0] / scan)
    sigma = np.exp(log_noise[0]) * np.cosh(level[0] / scan) / scan
    photons = np.clip(light, 0, None) / (sigma * electrons_per_sigma)
    left = log_noise - 0.5 * np.log1p(photons) + np.log(np.cosh(level / scan))
    left = left - (left * weight).sum(axis=1, keepdims=True) / weight.sum()
    return float(scan[np.argmin((left**2 * weight).sum(axis=1)), 0])
