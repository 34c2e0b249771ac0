"""From the images of a row to its cutout on the catalog's grid. Runs in worker processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite, isnan, prod
from pathlib import Path
from typing import Any, Literal

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

    @property
    def is_rendered(self) -> bool:
        """Whether pixels are colours, not fluxes."""
        return isnan(self.zero_points_mag[0])


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
    sky_deg : (ra, dec) or None
        Position by the WCS, where the table has none.
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
    sky_deg: tuple[float, float] | None
    sha256: str


@dataclass(frozen=True)
class Pixels:
    """Room for the pixels of some objects.

    Attributes
    ----------
    flux, variance : ndarray of shape (n, band, y, x), float32
        NaN where there is no data.
    psf : ndarray of shape (n, band, py, px), float32
    """

    flux: NDArray[np.float32]
    variance: NDArray[np.float32] | None
    psf: NDArray[np.float32] | None

    def rows(self, places: Sequence[int]) -> Pixels:
        """The objects at ``places``: a view if they are the first in a row, else a copy."""
        n = len(places)
        chosen = slice(n) if list(places) == list(range(n)) else list(places)
        return Pixels(
            self.flux[chosen],
            None if self.variance is None else self.variance[chosen],
            None if self.psf is None else self.psf[chosen],
        )


@dataclass(frozen=True)
class Room:
    """Where pixels of a catalog are put: how much is needed, and in which file, if any.

    Attributes
    ----------
    path : Path or None
        A scratch file that several processes map; None: this process's memory.
    slots, capacity : int
        Objects in all are ``slots * capacity``.
    """

    n_bands: int
    size_px: int
    with_variance: bool
    psf_size_px: int
    capacity: int
    slots: int = 1
    path: Path | None = None

    @classmethod
    def of(cls, grid: Grid, n_bands: int, capacity: int, **more: Any) -> Room:
        """Room for ``capacity`` objects of a grid."""
        return cls(n_bands, grid.size_px, grid.with_variance, grid.psf_size_px, capacity, **more)

    def open(self, slot: int = 0) -> Pixels:
        """The pixels of a slot."""
        cutouts = (self.capacity, self.n_bands, self.size_px, self.size_px)
        psfs = (self.capacity, self.n_bands, self.psf_size_px, self.psf_size_px)
        n = prod(cutouts)
        n_variance = n if self.with_variance else 0
        flat = self._floats(slot, n + n_variance + prod(psfs))
        return Pixels(
            flat[:n].reshape(cutouts),
            flat[n : n + n_variance].reshape(cutouts) if self.with_variance else None,
            flat[n + n_variance :].reshape(psfs) if self.psf_size_px else None,
        )

    def _floats(self, slot: int, count: int) -> NDArray[np.float32]:
        if self.path is None:
            return np.empty(count, dtype=np.float32)
        mode: Literal["r+", "w+"] = "r+" if self.path.exists() else "w+"
        whole = np.memmap(self.path, np.float32, mode, shape=(self.slots, count))
        return whole[slot].view(np.ndarray)


@dataclass(frozen=True)
class Decoded:
    """The outcome of some rows.

    Attributes
    ----------
    facts : dict of int to CutoutFacts
        Of the good rows, by their place among those given.
    rejected : dict of int to RowRejected
    """

    facts: dict[int, CutoutFacts]
    rejected: dict[int, RowRejected]


def decode_rows(
    source: ImageSource, grid: Grid, rows: Sequence[RowRequest], pixels: Pixels, first: int = 0
) -> Decoded:
    """Read, cut and calibrate the images of ``rows`` into ``pixels`` from place ``first`` on."""
    facts: dict[int, CutoutFacts] = {}
    rejected: dict[int, RowRejected] = {}
    for k, row in enumerate(rows):
        try:
            facts[k] = assemble(source.load(row), grid, pixels, first + k)
        except RowRejected as problem:
            rejected[k] = problem
    return Decoded(facts, rejected)


opened = lru_cache(maxsize=8)(Room.open)


def decode_into_room(
    source: ImageSource, grid: Grid, rows: Sequence[RowRequest], room: Room, slot: int, first: int
) -> Decoded:
    """:func:`decode_rows` into a slot of a shared file; for other processes."""
    return decode_rows(source, grid, rows, opened(room, slot), first)


def assemble(
    images: Sequence[BandImage | RowRejected], grid: Grid, pixels: Pixels, place: int
) -> CutoutFacts:
    """Bring a row's images to the catalog's grid and zero points, into ``pixels`` at ``place``.

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
    flux = pixels.flux[place]
    centre = _common_centre(list(present.values()), grid)
    for k in range(len(images)):
        if k not in present:
            flux[k] = np.nan
            continue
        image = present[k]
        _check_shape(image)
        _place(flux[k], image.data, image, grid, centre, _flux_factor(image, grid, k))
    has_variance = False
    if pixels.variance is not None:
        has_variance = _place_variance(pixels.variance[place], present, grid, centre)
    if pixels.psf is not None:
        _place_psfs(pixels.psf[place], present, grid)
    first = next(iter(present.values()))
    has_data, nan_fraction = _mask_missing(flux, grid, first.source)
    return CutoutFacts(
        band_flags=has_data.astype(int).tolist(),
        nan_fraction=nan_fraction,
        source=first.source,
        source_scale_arcsec=first.pixel_scale_arcsec,
        regridded=any(
            not same_scale(image.pixel_scale_arcsec, grid.pixel_scale_arcsec)
            for image in present.values()
        ),
        scaled_zero_points_mag={
            k: image.zero_point_mag
            for k, image in present.items()
            if not grid.is_rendered and _flux_factor(image, grid, k) != 1
        }
        or None,
        has_variance=has_variance,
        sky_deg=next((image.sky_deg for image in present.values() if image.sky_deg), None),
        sha256=cutout_sha256(flux),
    )


def _mask_missing(
    flux: NDArray[np.float32], grid: Grid, source: str
) -> tuple[NDArray[np.bool_], float]:
    """Turn all that is no data into NaN; which bands have data, and the NaN part of those.

    Raises
    ------
    RowRejected
        all_nan
    """
    middle = grid.size_px // 2
    if isfinite(flux.sum()) and flux[:, middle, middle].all():  # what is not finite stays in a sum
        return np.ones(len(flux), dtype=bool), 0.0
    known = np.isfinite(flux)
    # Pipelines fill what they never observed with zeros, which is no flux.
    seen = known if grid.is_rendered else known & (flux != 0)
    has_data = np.asarray(seen.any(axis=(1, 2)))
    if not has_data.any():
        raise RowRejected("all_nan", f"{source}: no pixel of the cutout has data.", source)
    flux[~known] = np.nan
    flux[~has_data] = np.nan
    return has_data, 1 - float(known[has_data].mean())


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


def _flux_factor(image: BandImage, grid: Grid, k: int) -> float:
    """What brings the pixels of band ``k`` to the catalog's zero point; colours are averaged."""
    if grid.is_rendered:
        scale = image.pixel_scale_arcsec / grid.pixel_scale_arcsec
        return 1.0 if same_scale(scale, 1.0) else scale**2
    excess_mag = grid.zero_points_mag[k] - image.zero_point_mag
    return 1.0 if abs(excess_mag) < _SAME_MAG else 10 ** (0.4 * excess_mag)


def _place(
    out: NDArray[np.float32],
    pixels: NDArray[np.float32],
    image: BandImage,
    grid: Grid,
    centre: tuple[float, float],
    factor: float,
    *,
    is_variance: bool = False,
) -> None:
    if same_scale(image.pixel_scale_arcsec, grid.pixel_scale_arcsec):
        out[:] = crop_or_pad(pixels, grid.size_px)
    else:
        out[:] = regrid(
            np.asarray(pixels, dtype=np.float32),
            image.pixel_scale_arcsec,
            grid.size_px,
            grid.pixel_scale_arcsec,
            centre_in=image.centre,
            centre_out=centre,
            is_variance=is_variance,
        )
    if factor != 1:
        out *= np.float32(factor)


def _place_variance(
    out: NDArray[np.float32],
    present: Mapping[int, BandImage],
    grid: Grid,
    centre: tuple[float, float],
) -> bool:
    """Put the noise maps that there are; return whether there is any."""
    out[:] = np.nan
    for k, image in present.items():
        if image.variance is not None:
            factor = _flux_factor(image, grid, k) ** 2
            _place(out[k], image.variance, image, grid, centre, factor, is_variance=True)
    return any(image.variance is not None for image in present.values())


def _place_psfs(out: NDArray[np.float32], present: Mapping[int, BandImage], grid: Grid) -> None:
    out[:] = np.nan
    for k, image in present.items():
        if image.psf is not None:
            scale = image.psf_scale_arcsec or image.pixel_scale_arcsec
            psf = np.asarray(image.psf, dtype=np.float32)
            out[k] = regrid_psf(psf, scale, grid.psf_size_px, grid.pixel_scale_arcsec)
