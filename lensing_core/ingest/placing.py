"""Pixels, variances and PSFs of bands put on the grid of a catalog."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lensing_core.arrays import Float32Array
from lensing_core.ingest.anchors import (
    Anchor,
    is_copied,
)
from lensing_core.ingest.geometry import (
    crop_or_pad,
    regrid,
    regrid_psf,
    same_scale,
)
from lensing_core.ingest.images import (
    BandImage,
)
from lensing_core.ingest.pixel_buffers import Grid
from lensing_core.ingest.rejection import RowRejected

MIN_SIDE_PX = 8
_SAME_MAG = 1e-6


def check_shape(image: BandImage) -> None:
    height, width = image.data.shape
    if min(height, width) < MIN_SIDE_PX:
        raise RowRejected(
            "wrong_shape",
            f"{image.source} has {width} by {height} pixels; at least {MIN_SIDE_PX} are needed.",
            image.source,
        )
    if image.variance is not None and image.variance.shape != image.data.shape:
        raise RowRejected(
            "wrong_shape",
            f"{image.source} has shape {image.data.shape}, its noise map {image.variance.shape}.",
            image.source,
        )


def flux_factor(image: BandImage, grid: Grid, k: int) -> float:
    """Factor from the pixels of band ``k`` to the catalog's zero point; colors are averaged."""
    if grid.is_rendered:
        scale = image.pixel_scale_arcsec / grid.pixel_scale_arcsec
        return 1.0 if same_scale(scale, 1.0) else scale**2
    return zero_point_factor(image.zero_point_mag, grid, k)


def zero_point_factor(zero_point_mag: float, grid: Grid, k: int) -> float:
    excess_mag = grid.zero_points_mag[k] - zero_point_mag
    return 1.0 if abs(excess_mag) < _SAME_MAG else 10 ** (0.4 * excess_mag)


def place_band(
    out: Float32Array,
    pixels: Float32Array,
    image: BandImage,
    grid: Grid,
    anchor: Anchor,
    factor: float,
    *,
    is_variance: bool = False,
) -> None:
    if is_copied(image, grid):
        out[:] = crop_or_pad(pixels, grid.size_px)
    else:
        out[:] = regrid(
            np.asarray(pixels, dtype=np.float32),
            image.pixel_scale_arcsec,
            grid.size_px,
            grid.pixel_scale_arcsec,
            center_in=anchor.of_image,
            center_out=anchor.of_cutout,
            is_variance=is_variance,
        )
    if factor != 1:
        out *= np.float32(factor)


def place_variance(
    out: Float32Array,
    present: Mapping[int, BandImage],
    grid: Grid,
    anchors: Mapping[int, Anchor],
) -> bool:
    """Put the noise maps that there are; return whether there is any."""
    out[:] = np.nan
    for k, image in present.items():
        if image.variance is not None:
            factor = flux_factor(image, grid, k) ** 2
            place_band(out[k], image.variance, image, grid, anchors[k], factor, is_variance=True)
    return any(image.variance is not None for image in present.values())


def place_psfs(out: Float32Array, present: Mapping[int, BandImage], grid: Grid) -> None:
    out[:] = np.nan
    for k, image in present.items():
        if image.psf is not None:
            scale = image.psf_scale_arcsec or image.pixel_scale_arcsec
            psf = np.asarray(image.psf, dtype=np.float32)
            out[k] = regrid_psf(psf, scale, grid.psf_size_px, grid.pixel_scale_arcsec)
