"""Sky level and noise of cutouts, by which every picture is scaled.

Pictures are drawn in units of the sky noise: the same numbers (black point, stretch) then suit a
shallow and a deep survey, and every band of a color picture has grain of the same strength.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lensing_core.arrays import BoolArray, Float32Array, Float64Array
from lensing_core.cutouts import CutoutStore

_MAD_TO_SIGMA = 1.482602218505602  # 1 / Phi^-1(3/4)
_RING = 0.15  # of the side: the frame of a cutout that is mostly sky
_NOISELESS = 1e-3  # of the brightest per mille, where pixels of the frame do not scatter


@dataclass(frozen=True)
class SkyNoise:
    """Sky of each band, in the flux unit of the cutouts.

    Attributes
    ----------
    level, sigma : ndarray of shape (band,)
        Typical value and standard deviation of a sky pixel; NaN where a band has no data.
    """

    level: Float64Array
    sigma: Float64Array

    def scaled(self, cutout: Float32Array, band: int) -> Float32Array:
        """One band of ``cutout`` (band, y, x) in units of sky noise above the sky."""
        level, sigma = float(self.level[band]), float(self.sigma[band])
        return np.asarray((cutout[band] - level) * (1 / sigma), dtype=np.float32)


def frame_mask(size_px: int) -> BoolArray:
    """The frame of a cutout, mostly sky: True within 15 % of the side from an edge."""
    width = max(1, round(_RING * size_px))
    mask = np.ones((size_px, size_px), dtype=bool)
    mask[width:-width, width:-width] = False
    return mask


def sky_noise(cutouts: Float32Array) -> SkyNoise:
    """Median and scaled median absolute deviation of the frame around each cutout.

    The scatter is taken within each cutout about its own median and then the median over cutouts,
    so that neither objects in some frames nor a sky that changes between cutouts inflate it. A
    band without any scatter (a noiseless simulation) gets a thousandth of its 99.9th percentile,
    and one that is constant gets 1.

    Parameters
    ----------
    cutouts : ndarray of shape (n, band, y, x) or (band, y, x)
    """
    stack = cutouts[None] if cutouts.ndim == 3 else cutouts
    ring = stack[:, :, frame_mask(stack.shape[-1])].astype(np.float64)
    n_bands = stack.shape[1]
    level, sigma = np.full(n_bands, np.nan), np.full(n_bands, np.nan)
    for band in range(n_bands):
        pixels = ring[:, band]
        pixels = pixels[np.isfinite(pixels).any(axis=1)]
        if not len(pixels):
            inside = stack[:, band][np.isfinite(stack[:, band])]
            if not inside.size:
                continue
            pixels = inside[None].astype(np.float64)
        middle = np.nanmedian(pixels, axis=1)
        scatter = _MAD_TO_SIGMA * np.nanmedian(np.abs(pixels - middle[:, None]), axis=1)
        level[band] = np.median(middle)
        sigma[band] = np.median(scatter) or _noiseless_scale(stack[:, band], level[band])
    return SkyNoise(level, sigma)


def _noiseless_scale(pixels: Float32Array, level: float) -> float:
    bright = float(np.nanpercentile(np.abs(pixels - level), 99.9))
    return _NOISELESS * bright if bright > 0 else 1.0


def catalog_noise(store: CutoutStore, *, n_sample: int = 128) -> SkyNoise:
    """The sky of a catalog, from up to ``n_sample`` cutouts spread over its first shard.

    One scale for a whole catalog keeps the colors of its objects comparable; the first shard
    alone, so that a catalog that still grows does not change the look of what is shown already.
    """
    _, first = next(store.batches(len(store)))
    step = max(1, len(first) // n_sample)
    return sky_noise(np.asarray(first[::step][:n_sample]))
