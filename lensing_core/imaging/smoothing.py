"""Gaussian smoothing of a few planes of one image, which may have gaps, at several widths at once.

By one Fourier transform forth and one back for each width: no library beside numpy has to be loaded
for a picture, and no threads of BLAS are started, which cost more than small images.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from lensing_core.arrays import Float32Array
from lensing_core.imaging.stretch import Pixels

FWHM_TO_SIGMA = 0.42466090014400953  # 1 / (2 sqrt(2 ln 2))
_REACH = 3.0  # sigma: what lies farther than this is left out of account at the edges
_LEAST_PX = 0.1
_NOTHING = 1e-3  # of the kernel on pixels with data


def smooth(planes: Pixels, *sigmas_px: Sequence[float]) -> list[Float32Array]:
    """Smooth each plane by Gaussians, as means over the pixels that have data.

    Parameters
    ----------
    planes : ndarray of shape (n, y, x)
        NaN where there is no data; such pixels take part nowhere.
    *sigmas_px : sequences of n float
        One width for each plane; each sequence makes a result. Below 0.1 a plane stays as it is.

    Returns
    -------
    list of ndarray of shape (n, y, x), float32
        NaN where no pixel with data lies near.
    """
    known = np.isfinite(planes)
    whole = bool(known.all())
    filled = planes if whole else np.where(known, planes, 0)
    if not whole:
        filled = np.concatenate([filled, known])
    size = filled.shape[1:]
    widest = max(max(sigmas) for sigmas in sigmas_px)
    margin = int(np.ceil(_REACH * widest))
    shape = (_quick(size[0] + margin), _quick(size[1] + margin))
    waves = np.fft.rfft2(filled.astype(np.float32), s=shape)
    smoothed = []
    for sigmas in sigmas_px:
        times = tuple(round(max(0.0, float(sigma)), 3) for sigma in sigmas) * (1 if whole else 2)
        damped = waves * np.stack([_transfer(shape, sigma) for sigma in times])
        blurred = np.fft.irfft2(damped, s=shape)[:, : size[0], : size[1]].astype(np.float32)
        n = len(planes)
        if whole:
            weight = np.stack([_weight(size, sigma) for sigma in times])
        else:
            weight, blurred = blurred[n:], blurred[:n]
        weight = np.where(weight > _NOTHING, weight, np.nan)
        result = blurred / weight
        for k, sigma in enumerate(times[:n]):
            if sigma < _LEAST_PX:
                result[k] = planes[k]
        smoothed.append(result)
    return smoothed


def _quick(size: int) -> int:
    """Return the next size whose Fourier transform is quick: a product of 2, 3 and 5."""
    while True:
        rest = size
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return size
        size += 1


@lru_cache(maxsize=64)
def _transfer(shape: tuple[int, int], sigma_px: float) -> Float32Array:
    """The transform of the kernel, exp(-2 (pi sigma f)^2)."""

    def along(frequencies: Pixels) -> Pixels:
        return np.asarray(np.exp(-2 * (np.pi * sigma_px * frequencies) ** 2))

    rows, columns = np.fft.fftfreq(shape[0]), np.fft.rfftfreq(shape[1])
    return np.outer(along(rows), along(columns)).astype(np.float32)


@lru_cache(maxsize=64)
def _weight(size: tuple[int, int], sigma_px: float) -> Float32Array:
    """The part of the kernel that lies on the image, (y, x)."""

    def along(n: int) -> Pixels:
        if sigma_px < _LEAST_PX:
            return np.ones(n)
        steps = np.arange(-n, n + 1)
        kernel = np.exp(-0.5 * (steps / sigma_px) ** 2)
        return np.asarray(np.convolve(np.ones(n), kernel / kernel.sum())[n : 2 * n])

    return np.outer(along(size[0]), along(size[1])).astype(np.float32)
