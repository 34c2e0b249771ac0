"""Bringing images to the catalog's grid: crop, pad, and area-weighted regridding.

The center of an image is kept. Where the pixel scale fits already, pixels are copied; otherwise an
output pixel gets from each input pixel the share of flux that lies within it, which conserves flux
exactly. Pixels without full coverage by data are NaN.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lensing_core.arrays import Float32Array, Float64Array

SAME_SCALE = 1e-2  # relative; 1 % is a third of a pixel at the edge of a 64 px cutout
_FULL = 1 - 1e-6

_Float = TypeVar("_Float", np.float32, np.float64)


def same_scale(one_arcsec: float, other_arcsec: float) -> bool:
    """Return whether two pixel scales are so near that pixels may be copied."""
    return abs(one_arcsec / other_arcsec - 1) <= SAME_SCALE


def crop_or_pad(image: NDArray[_Float], size_px: int, *, fill: float = np.nan) -> NDArray[_Float]:
    """The central ``size_px`` square of an image, with ``fill`` beyond its edges; or of many.

    Where the parities of the sizes differ the cutout's center lies half a pixel above the image's
    (see :func:`center_of_copy`).

    Parameters
    ----------
    image : ndarray of shape (…, y, x)

    Returns
    -------
    ndarray of shape (…, size_px, size_px)
        A view of ``image`` where nothing is padded.
    """
    *rest, height, width = image.shape
    if height == width == size_px:
        return image
    (to_y, from_y), (to_x, from_x) = (_overlap(n, size_px) for n in (height, width))
    inside = image[..., from_y, from_x]
    if inside.shape[-2:] == (size_px, size_px):
        return inside
    out = np.full((*rest, size_px, size_px), fill, dtype=image.dtype)
    out[..., to_y, to_x] = inside
    return out


def _overlap(n: int, size: int) -> tuple[slice, slice]:
    """Slices of the output and the input axis that show the same pixels."""
    start = (n - size) // 2  # negative when padding
    first, last = max(start, 0), min(start + size, n)
    return slice(first - start, last - start), slice(first, last)


def center_of_copy(n: int, size_px: int) -> float:
    """Center of an axis of ``n`` pixels after :func:`crop_or_pad`, in output pixels."""
    return (n - 1) / 2 - (n - size_px) // 2


@lru_cache(maxsize=256)
def area_weights(
    n_in: int, center_in: float, n_out: int, center_out: float, zoom: float
) -> Float64Array:
    """Share of each input pixel of one axis that falls into each output pixel.

    Parameters
    ----------
    n_in, n_out : int
        Pixels along the axis.
    center_in, center_out : float
        Coordinates (pixel centers are integers) of one point in both grids.
    zoom : float
        Input pixel scale over output pixel scale.

    Returns
    -------
    ndarray of shape (n_out, n_in)
        A column sums to 1 where the input pixel lies within the output grid.
    """
    edges = (np.arange(n_in + 1) - 0.5 - center_in) * zoom + center_out
    low, high = edges[:-1], edges[1:]
    pixel = np.arange(n_out)[:, None]
    shared = np.minimum(high, pixel + 0.5) - np.maximum(low, pixel - 0.5)
    weights: Float64Array = np.clip(shared, 0, None) / zoom
    weights.flags.writeable = False
    return weights


def regrid(
    image: Float32Array,
    scale_in_arcsec: float,
    size_px: int,
    scale_out_arcsec: float,
    *,
    center_in: tuple[float, float] | None = None,
    center_out: tuple[float, float] | None = None,
    is_variance: bool = False,
) -> Float32Array:
    """Flux per pixel on a grid of another pixel scale, conserved by area overlap.

    Parameters
    ----------
    image : ndarray of shape (y, x)
        Flux per pixel (not surface brightness), or its variance; NaN where there is no data.
    center_in, center_out : (y, x), optional
        One point in both grids; default: the centers of both.
    is_variance : bool
        Propagate variances: shares enter squared. Correlation between the new pixels is not kept.

    Returns
    -------
    ndarray of shape (size_px, size_px), float32
        NaN where the output pixel is not fully covered by data.
    """
    zoom = scale_in_arcsec / scale_out_arcsec
    middle = (size_px - 1) / 2
    points_in = center_in or ((image.shape[0] - 1) / 2, (image.shape[1] - 1) / 2)
    points_out = center_out or (middle, middle)
    wy, wx = (
        area_weights(n, a, size_px, b, zoom)
        for n, a, b in zip(image.shape, points_in, points_out, strict=True)
    )
    valid = np.isfinite(image)
    filled = np.where(valid, image, 0).astype(np.float64)
    coverage = (wy @ valid @ wx.T) * zoom**2
    out = (wy**2 @ filled @ (wx**2).T) if is_variance else (wy @ filled @ wx.T)
    return np.where(coverage >= _FULL, out, np.nan).astype(np.float32)


def regrid_psf(
    psf: Float32Array, scale_in_arcsec: float, size_px: int, scale_out_arcsec: float
) -> Float32Array:
    """A PSF on the catalog's pixel scale, centered, with unit sum.

    Parameters
    ----------
    psf : ndarray of shape (y, x)
    size_px : int
        Side of the result, odd.

    Returns
    -------
    ndarray of shape (size_px, size_px), float32
    """
    finite = np.where(np.isfinite(psf), psf, 0).astype(np.float32)
    if same_scale(scale_in_arcsec, scale_out_arcsec):
        out = crop_or_pad(finite, size_px, fill=0)
    else:
        # Zeros around the cutout are true values of a PSF, so that its edge is no missing data.
        margin = int(np.ceil(size_px * scale_out_arcsec / scale_in_arcsec)) + 1
        out = regrid(np.pad(finite, margin), scale_in_arcsec, size_px, scale_out_arcsec)
    total = float(out.sum(dtype=np.float64))
    return out / np.float32(total) if total > 0 else np.full_like(out, np.nan)
