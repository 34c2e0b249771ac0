"""From the images of a row to its cutout on the catalog's grid. Runs in worker processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lensing_core.cutouts import cutout_sha256
from lensing_core.ingest.choices import MissingBands
from lensing_core.ingest.geometry import (
    centre_of_copy,
    crop_or_pad,
    regrid,
    regrid_psf,
    same_scale,
)
from lensing_core.ingest.images import BandImage, ImageSource, RowRequest
from lensing_core.ingest.rejection import RowRejected

MIN_SIDE_PX = 8
_SAME_MAG = 1e-6


@dataclass(frozen=True)
class Grid:
    """What the cutouts of a catalog have in common.

    Attributes
    ----------
    zero_points_mag : tuple of float
        AB, by band; images of another zero point are scaled to it. NaN: leave values alone.
    psf_size_px : int
        Side of the stored PSFs, odd; 0: none are stored.
    """

    size_px: int
    pixel_scale_arcsec: float
    zero_points_mag: tuple[float, ...]
    with_variance: bool = False
    psf_size_px: int = 0
    missing_bands: MissingBands = "nan"


@dataclass(frozen=True)
class CutoutFacts:
    """What became of a row's images.

    Attributes
    ----------
    band_flags : list of int
        1 where the band has data.
    nan_fraction : float
        Of the pixels of the bands that have data.
    source : str
        The first file.
    source_scale_arcsec : float
        Pixel scale before regridding, of the first band that has data.
    regridded : bool
        Whether any band was brought to another pixel scale.
    scaled_zero_points_mag : dict or None
        Zero points that the images had, by band number, where any differs from the catalog's.
    has_variance : bool
    sha256 : str
        Of the cutout.
    """

    band_flags: list[int]
    nan_fraction: float
    source: str
    source_scale_arcsec: float
    regridded: bool
    scaled_zero_points_mag: dict[int, float] | None
    has_variance: bool
    sha256: str


@dataclass(frozen=True)
class Decoded:
    """The outcome of some rows, in their order; arrays hold the good rows only.

    Attributes
    ----------
    good : list of int
        Which of the rows given have a cutout.
    flux, variance : ndarray of shape (len(good), band, y, x), float32
    psf : ndarray of shape (len(good), band, py, px), float32
    facts : list of CutoutFacts
    rejected : list of (int, RowRejected)
    """

    good: list[int]
    flux: NDArray[np.float32]
    variance: NDArray[np.float32] | None
    psf: NDArray[np.float32] | None
    facts: list[CutoutFacts]
    rejected: list[tuple[int, RowRejected]]


@dataclass(frozen=True)
class Cutout:
    """One object on the catalog's grid; arrays as in :class:`Decoded`, without the row axis."""

    flux: NDArray[np.float32]
    variance: NDArray[np.float32] | None
    psf: NDArray[np.float32] | None
    facts: CutoutFacts


def decode_rows(source: ImageSource, grid: Grid, rows: Sequence[RowRequest]) -> Decoded:
    """Read, cut and calibrate the images of ``rows``; what cannot be read is reported."""
    cutouts: list[Cutout] = []
    good, rejected = [], []
    for k, row in enumerate(rows):
        try:
            cutouts.append(assemble(source.load(row), grid))
            good.append(k)
        except RowRejected as problem:
            rejected.append((k, problem))
    n_bands, side = len(source.bands), grid.size_px
    flux = np.empty((len(good), n_bands, side, side), dtype=np.float32)
    variance = np.full_like(flux, np.nan) if grid.with_variance else None
    stamp = (len(good), n_bands, grid.psf_size_px, grid.psf_size_px)
    psf = np.full(stamp, np.nan, dtype=np.float32) if grid.psf_size_px else None
    for k, cutout in enumerate(cutouts):
        flux[k] = cutout.flux
        if variance is not None and cutout.variance is not None:
            variance[k] = cutout.variance
        if psf is not None and cutout.psf is not None:
            psf[k] = cutout.psf
    return Decoded(good, flux, variance, psf, [c.facts for c in cutouts], rejected)


def assemble(images: Sequence[BandImage | RowRejected], grid: Grid) -> Cutout:
    """Bring a row's images to the catalog's grid and zero points.

    Raises
    ------
    RowRejected
        If a band is missing and that is not allowed, no band is there, an image is too small, or
        no pixel has data.
    """
    present = {k: image for k, image in enumerate(images) if isinstance(image, BandImage)}
    missing = [image for image in images if isinstance(image, RowRejected)]
    if missing and (grid.missing_bands == "quarantine" or not present):
        raise missing[0]
    shape = (len(images), grid.size_px, grid.size_px)
    flux = np.full(shape, np.nan, dtype=np.float32)
    has_variance = grid.with_variance and any(i.variance is not None for i in present.values())
    variance = np.full(shape, np.nan, dtype=np.float32) if has_variance else None
    centre = _common_centre(list(present.values()), grid)
    for k, image in present.items():
        _check_shape(image)
        factor = _flux_factor(image, grid.zero_points_mag[k])
        _place(flux[k], image.data, image, grid, centre, factor)
        if not np.isnan(grid.zero_points_mag[k]) and not np.nan_to_num(flux[k]).any():
            flux[k] = np.nan  # pipelines fill what they never observed with zeros
        if variance is not None and image.variance is not None:
            _place(variance[k], image.variance, image, grid, centre, factor**2, is_variance=True)
    flags = [int(np.isfinite(plane).any()) for plane in flux]
    if not any(flags):
        source = next(iter(present.values())).source
        raise RowRejected("all_nan", f"{source}: no pixel of the cutout has data.", source)
    return Cutout(flux, variance, _psfs(images, grid), _facts(present, flux, flags, variance, grid))


def _check_shape(image: BandImage) -> None:
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


def _common_centre(images: Sequence[BandImage], grid: Grid) -> tuple[float, float]:
    """Where the object lies in the cutout: as copying places it in the first band that is copied.

    Bands of another pixel scale are then regridded about the same point.
    """
    for image in images:
        if same_scale(image.pixel_scale_arcsec, grid.pixel_scale_arcsec):
            y, x = (centre_of_copy(n, grid.size_px) for n in image.data.shape)
            if image.centre is not None:
                middle_y, middle_x = ((n - 1) / 2 for n in image.data.shape)
                y, x = y + image.centre[0] - middle_y, x + image.centre[1] - middle_x
            return y, x
    return (grid.size_px - 1) / 2, (grid.size_px - 1) / 2


def _flux_factor(image: BandImage, zero_point_mag: float) -> np.float32:
    if np.isnan(zero_point_mag) or abs(image.zero_point_mag - zero_point_mag) < _SAME_MAG:
        return np.float32(1)
    return np.float32(10 ** (0.4 * (zero_point_mag - image.zero_point_mag)))


def _place(
    out: NDArray[np.float32],
    pixels: NDArray[np.float32],
    image: BandImage,
    grid: Grid,
    centre: tuple[float, float],
    factor: np.float32,
    *,
    is_variance: bool = False,
) -> None:
    if same_scale(image.pixel_scale_arcsec, grid.pixel_scale_arcsec):
        out[:] = crop_or_pad(pixels, grid.size_px)
    else:
        out[:] = regrid(
            pixels,
            image.pixel_scale_arcsec,
            grid.size_px,
            grid.pixel_scale_arcsec,
            centre_in=image.centre,
            centre_out=centre,
            is_variance=is_variance,
        )
    if factor != 1:
        out *= factor
    out[np.isinf(out)] = np.nan


def _psfs(images: Sequence[BandImage | RowRejected], grid: Grid) -> NDArray[np.float32] | None:
    if not grid.psf_size_px:
        return None
    psfs = np.full((len(images), grid.psf_size_px, grid.psf_size_px), np.nan, dtype=np.float32)
    for k, image in enumerate(images):
        if isinstance(image, BandImage) and image.psf is not None:
            scale = image.psf_scale_arcsec or image.pixel_scale_arcsec
            psfs[k] = regrid_psf(image.psf, scale, grid.psf_size_px, grid.pixel_scale_arcsec)
    return psfs


def _facts(
    present: dict[int, BandImage],
    flux: NDArray[np.float32],
    flags: list[int],
    variance: NDArray[np.float32] | None,
    grid: Grid,
) -> CutoutFacts:
    first = next(iter(present.values()))
    seen = flux[np.array(flags, dtype=bool)]
    scaled = {
        k: image.zero_point_mag
        for k, image in present.items()
        if _flux_factor(image, grid.zero_points_mag[k]) != 1
    }
    return CutoutFacts(
        band_flags=flags,
        nan_fraction=float(np.isnan(seen).mean()),
        source=first.source,
        source_scale_arcsec=first.pixel_scale_arcsec,
        regridded=any(
            not same_scale(image.pixel_scale_arcsec, grid.pixel_scale_arcsec)
            for image in present.values()
        ),
        scaled_zero_points_mag=scaled or None,
        has_variance=variance is not None,
        sha256=cutout_sha256(flux),
    )
