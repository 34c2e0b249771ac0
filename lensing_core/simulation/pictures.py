"""Color pictures of simulated objects, as public viewers hand them out.

A picture has lost its photometry: three bands are stretched together (Lupton et al. 2004) and cut
to 8 bits. A member that is to score such pictures must be trained on such pictures. Nobody knows
the stretch of a picture that was found somewhere, so each simulated object draws its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lensing_core.arrays import Float32Array
from lensing_core.imaging import AsinhStretch, lupton_rgb
from lensing_core.simulation.noise import sky_sigma
from lensing_core.surveys import Band

CHANNELS = ("R", "G", "B")
Q_RANGE = (3.0, 12.0)
STRETCH_RANGE_SIGMA = (3.0, 20.0)
BLACK_RANGE_SIGMA = (-2.0, 0.5)


def simulated_picture(
    flux: Float32Array,
    bands: Sequence[Band],
    pixel_scale_arcsec: float,
    rng: np.random.Generator,
) -> Float32Array:
    """Levels 0 to 255 (whole numbers), shape (3, y, x).

    Parameters
    ----------
    flux : ndarray of shape (3, y, x)
        In the survey's units.
    bands : three bands
        Shown as red, green and blue.
    rng : Generator
        Draws black point, stretch (both in units of the noise of the mean) and Q.
    """
    common = np.array([10 ** (-0.4 * (band.zero_point_mag - 25.0)) for band in bands])
    noise = common * [sky_sigma(band, pixel_scale_arcsec) for band in bands]
    mean_noise = float(np.sqrt((noise**2).sum())) / 3
    low, high = np.log(STRETCH_RANGE_SIGMA)
    parameters = AsinhStretch(
        float(rng.uniform(*BLACK_RANGE_SIGMA)),
        float(np.exp(rng.uniform(low, high))),
        float(rng.uniform(*Q_RANGE)),
    )
    levels, _ = lupton_rgb(flux * common[:, None, None] / mean_noise, parameters)
    levels = np.nan_to_num(levels)  # viewers paint black where there is no data
    return np.round(255 * levels).transpose(2, 0, 1).astype(np.float32)
