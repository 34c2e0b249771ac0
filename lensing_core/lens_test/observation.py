"""Data of a lens fit: a cutout with its noise, its PSF and its mask."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lensing_core.arrays import Float32Array
from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import BadInputError
from lensing_core.imaging.noise import sky_noise
from lensing_core.lens_test.settings import LEAST_PX

FWHM_OF_SIGMA = 2 * math.sqrt(2 * math.log(2))
MOFFAT_BETA = 3.5
"""Wings of a PSF of which only the width is known; seeing has 2.5 to 4.8 (Trujillo et al. 2001)."""
MOST_PX = 110
"""Side of the largest picture of three bands that is fitted; larger ones are binned. Of fewer bands
it is larger, of more smaller, by the square root."""
LEAST_VALID = 0.5
"""Share of the pixels of a band that must have data for the band to be used."""
_MOST_KERNEL_PX = 41
_FINE = 5
_MAD_TO_SIGMA = 1.482602218505602


@dataclass(frozen=True)
class Observation:
    """Bands of a cutout in units of their sky noise.

    Attributes
    ----------
    flux, sigma : ndarray of shape (band, y, x)
        0 and infinite where there is no data.
    unit : ndarray of shape (band,)
        Flux of the cutout that is 1 here.
    kernels : ndarray of shape (band, py, px)
        PSF of each band on the pixels of ``flux``, of sum 1.
    bands : tuple of str
    scale_arcsec : float
        Side of a pixel.
    binning : int
        Pixels of the cutout along a side of one of these.
    first_px : int
        First pixel of the cutout, in both directions, that is used.
    correlation : float
        Variance of means over 3 × 3 pixels over that of independent pixels; 1 for white noise.
    """

    flux: Float32Array
    sigma: Float32Array
    unit: NDArray[np.float64]
    kernels: Float32Array
    bands: tuple[str, ...]
    scale_arcsec: float
    binning: int
    first_px: int
    correlation: float = 1.0

    @property
    def size_px(self) -> int:
        """Side of the picture."""
        return int(self.flux.shape[-1])

    @property
    def half_arcsec(self) -> float:
        """Distance from the middle to an edge."""
        return self.size_px * self.scale_arcsec / 2

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Mask of pixels with data, (band, y, x)."""
        return np.isfinite(self.sigma)

    @property
    def fwhm_arcsec(self) -> float:
        """FWHM of the sharpest band's PSF, by the area of its kernel: 4π σ² = 1 / Σ psf²."""
        area = min(1 / float((kernel**2).sum()) for kernel in self.kernels)
        return FWHM_OF_SIGMA * math.sqrt(area / (4 * math.pi)) * self.scale_arcsec

    def axis_arcsec(self) -> NDArray[np.float64]:
        """Places of the pixels along a side, from the middle."""
        places = np.arange(self.size_px, dtype=np.float64) - (self.size_px - 1) / 2
        return np.asarray(places * self.scale_arcsec)


def observe(
    cutout: NDArray[np.floating],
    geometry: CutoutGeometry,
    *,
    variance: NDArray[np.floating] | None = None,
    psf: NDArray[np.floating] | None = None,
    reach_arcsec: float = math.inf,
) -> Observation:
    """Prepare a cutout.

    Parameters
    ----------
    cutout : ndarray of shape (band, y, x)
    geometry : CutoutGeometry
    variance : ndarray of shape (band, y, x), optional
        Without it the noise is that of the sky, by the scatter of the cutout's frame.
    psf : ndarray of shape (band, py, px), optional
        Without it PSFs are Moffat profiles of the geometry's FWHM.
    reach_arcsec : float, optional
        From the middle; what is farther away is cut off.

    Raises
    ------
    BadInputError
        If it is a rendered picture, too small, without a PSF, or without data.
    """
    if geometry.pixel_kind != "flux":
        raise BadInputError("These are rendered pictures without flux: no lens can be fitted.")
    side = cutout.shape[-1]
    if side < LEAST_PX:
        raise BadInputError(
            f"The cutout has {side} pixels a side: a lens test needs at least {LEAST_PX}."
        )
    scale = geometry.pixel_scale_arcsec
    drop = math.floor(max(0.0, min(side / 2 - reach_arcsec / scale, (side - LEAST_PX) // 2)))
    most = MOST_PX * math.sqrt(3 / len(geometry.bands))
    binning = max(1, math.ceil((side - 2 * drop) / most))
    binning += binning % 2 == 0 and side % 2  # the middle stays in the middle
    while (side - 2 * drop) % binning:
        drop += 1
    keep = slice(drop, side - drop)
    noise = sky_noise(np.asarray(cutout, dtype=np.float32))
    flux_, sigma_, unit, kernels, names = [], [], [], [], []
    for band, name in enumerate(geometry.bands):
        pixels = np.asarray(cutout[band, keep, keep], dtype=np.float64)
        if variance is None:
            spread = np.where(np.isfinite(pixels), float(noise.sigma[band]) ** 2, np.nan)
        else:
            spread = np.asarray(variance[band, keep, keep], dtype=np.float64)
        known = np.isfinite(pixels) & np.isfinite(spread) & (spread > 0)
        kernel = None if psf is None else psf[band]
        if kernel is None and math.isnan(geometry.psf_fwhm_arcsec[band]):
            continue
        if known.mean() < LEAST_VALID:
            continue
        sky = float(noise.level[band])
        pixels = np.where(known, pixels - sky, np.nan)
        spread = np.where(known, spread, np.nan)
        pixels, spread = _bin(pixels, binning), _bin(spread, binning)
        known = np.isfinite(pixels)
        one = float(np.sqrt(np.nanmedian(spread[known])))
        flux_.append(np.where(known, pixels / one, 0))
        sigma_.append(np.where(known, np.sqrt(spread) / one, np.inf))
        unit.append(one)
        kernels.append(
            _moffat(geometry.psf_fwhm_arcsec[band] / scale, binning)
            if kernel is None
            else _binned_kernel(np.asarray(kernel, dtype=np.float64), binning)
        )
        names.append(name)
    if not names:
        raise BadInputError(
            "No band of this cutout has both a PSF width and data in half of its pixels: no lens "
            "can be fitted."
        )
    return Observation(
        np.asarray(flux_, dtype=np.float32),
        np.asarray(sigma_, dtype=np.float32),
        np.asarray(unit),
        _one_size(kernels),
        tuple(names),
        scale * binning,
        binning,
        drop,
    )


def _bin(pixels: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Sum over n × n pixels; NaN where one of them is."""
    if n == 1:
        return pixels
    side = len(pixels) // n
    return np.asarray(pixels[: side * n, : side * n].reshape(side, n, side, n).sum(axis=(1, 3)))


def _moffat(fwhm_px: float, binning: int) -> NDArray[np.float64]:
    """A Moffat PSF averaged over (binned) pixels, odd-sized."""
    width = max(fwhm_px / binning, 0.5)
    half = min(max(2, math.ceil(3 * width)), _MOST_KERNEL_PX // 2)
    n = 2 * half + 1
    axis = (np.arange(n * _FINE) + 0.5) / _FINE - n / 2
    alpha = width / (2 * math.sqrt(2 ** (1 / MOFFAT_BETA) - 1))
    r2 = np.add.outer(axis**2, axis**2)
    profile = (1 + r2 / alpha**2) ** -MOFFAT_BETA
    kernel = profile.reshape(n, _FINE, n, _FINE).mean(axis=(1, 3))
    return np.asarray(kernel / kernel.sum())


def _binned_kernel(kernel: NDArray[np.float64], binning: int) -> NDArray[np.float64]:
    """A PSF image on (binned) pixels, odd-sized, around its middle, of sum 1.

    With an even ``binning`` its middle stands between pixels, to either side by halves.
    """
    kernel = np.nan_to_num(kernel)
    if binning > 1:
        half = max(1, math.ceil((max(kernel.shape) + binning) / (2 * binning)))
        n = 2 * half + 1
        wide = np.zeros((n * binning, n * binning))
        spread = np.zeros_like(wide)
        height, width = kernel.shape
        shifts = (0.0,) if (n * binning - kernel.shape[0]) % 2 == 0 else (-0.5, 0.5)
        for dy in shifts:
            for dx in shifts:
                wide[:] = 0
                top = round((n * binning - height) / 2 + dy)
                left = round((n * binning - width) / 2 + dx)
                top, left = max(0, top), max(0, left)
                part = kernel[: n * binning - top, : n * binning - left]
                wide[top : top + part.shape[0], left : left + part.shape[1]] = part
                spread += wide
        kernel = spread.reshape(n, binning, n, binning).sum(axis=(1, 3))
    else:
        height, width = kernel.shape
        kernel = kernel[: height - 1 + height % 2, : width - 1 + width % 2]
    side = min(*kernel.shape, _MOST_KERNEL_PX)
    side -= 1 - side % 2
    top, left = ((length - side) // 2 for length in kernel.shape)
    kernel = kernel[top : top + side, left : left + side]
    total = kernel.sum()
    if not total > 0:
        raise BadInputError("A PSF image of this catalog has no light in it.")
    return np.asarray(kernel / total)


def _one_size(kernels: list[NDArray[np.float64]]) -> Float32Array:
    side = max(len(kernel) for kernel in kernels)
    padded = [np.pad(kernel, (side - len(kernel)) // 2) for kernel in kernels]
    return np.asarray(padded, dtype=np.float32)


def measure_noise(
    observed: Observation, residual: Float32Array, empty: NDArray[np.bool_]
) -> Observation:
    """The same with σ scaled to the scatter of a residual, and how far its noise is correlated.

    A variance map that is off by a factor would make any model fit, or none.

    Parameters
    ----------
    residual : ndarray of shape (band, y, x)
        Without the galaxy.
    empty : ndarray of shape (y, x)
        Pixels without light.
    """
    scaled, correlations = observed.sigma.copy(), []
    for band, pixels in enumerate(residual):
        known = empty & np.isfinite(observed.sigma[band])
        if known.sum() < 100:
            continue
        z = np.where(known, pixels / np.where(known, observed.sigma[band], 1), np.nan)
        z -= float(np.nanmedian(z))
        spread = _MAD_TO_SIGMA * float(np.nanmedian(np.abs(z)))
        if not spread > 0:
            continue
        scaled[band] *= float(np.clip(spread, 0.3, 3.0))
        n = len(z) // 3
        blocks = z[: 3 * n, : 3 * n].reshape(n, 3, n, 3).mean(axis=(1, 3))
        blocks = blocks[np.isfinite(blocks)]
        if len(blocks) >= 30:
            wide = 3 * _MAD_TO_SIGMA * float(np.median(np.abs(blocks - np.median(blocks))))
            correlations.append((wide / spread) ** 2)
    found = float(np.median(correlations)) if correlations else 1.0
    return replace(observed, sigma=scaled, correlation=float(np.clip(found, 1.0, 9.0)))
