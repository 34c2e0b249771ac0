"""Cutouts from large images with a WCS: one mosaic a band, or an HDU of it a band."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.nddata import NoOverlapError
from astropy.nddata.utils import overlap_slices
from astropy.wcs import WCS
from astropy.wcs.wcs import NoConvergence
from numpy.typing import NDArray

from lensing_core.ingest.choices import VarianceKind
from lensing_core.ingest.fits_files import FitsImages, open_fits
from lensing_core.ingest.geometry import same_scale
from lensing_core.ingest.guard import each_band
from lensing_core.ingest.hdu_names import BandHdus, find_bands, flux_hdus
from lensing_core.ingest.headers import celestial_wcs
from lensing_core.ingest.images import (
    BandImage,
    Calibration,
    Locator,
    RowRequest,
    to_variance,
)
from lensing_core.ingest.rejection import RowRejected


@dataclass(frozen=True)
class Mosaic:
    """Cuts the surroundings of a position from a mosaic, as :class:`astropy.nddata.Cutout2D` does.

    Attributes
    ----------
    keys : tuple of str
        How file names or HDUs call the bands.
    hdus_are_bands : bool
        Whether all bands stand in one file.
    size_px, grid_scale_arcsec
        Of the catalog's grid.
    variance : Locator or None
        Mosaics of the noise, on the pixels of the images.
    """

    locator: Locator
    calibration: Calibration
    keys: tuple[str, ...]
    size_px: int
    grid_scale_arcsec: float
    hdus_are_bands: bool = False
    variance: Locator | None = None
    variance_kind: VarianceKind = "variance"

    @property
    def bands(self) -> tuple[str, ...]:
        return self.calibration.bands

    def load(self, row: RowRequest) -> Sequence[BandImage | RowRejected]:
        if row.ra_deg is None or row.dec_deg is None:
            raise RowRejected(
                "bad_coordinates", "The row has no position, which cutting from a mosaic needs."
            )
        return each_band(len(self.bands), lambda k: self._band(k, row), foremost="outside_mosaic")

    def _band(self, k: int, row: RowRequest) -> BandImage | RowRejected:
        path = self.locator.find(row, self.bands[k], self.keys[k])
        with open_fits(path) as images:
            hdus = self._hdus(k, images)
            if isinstance(hdus, RowRejected):
                return RowRejected(hdus.reason, f"{path}: {hdus.message}", str(path))
            return self._cut(k, row, images, hdus)

    def _hdus(self, k: int, images: FitsImages) -> BandHdus | RowRejected:
        names = tuple((hdu.index, hdu.name) for hdu in images.hdus)
        if self.hdus_are_bands:
            return find_bands(names, self.keys)[k]
        return BandHdus((flux_hdus(names) or [images.hdus[0].index])[0])

    def _cut(
        self, k: int, row: RowRequest, images: FitsImages, hdus: BandHdus
    ) -> BandImage | RowRejected:
        header = images.calibration(hdus.flux)
        scale, _ = self.calibration.scale(k, header, str(images.path))
        shape = next(hdu.shape for hdu in images.hdus if hdu.index == hdus.flux)
        x, y = _position(images.path, hdus.flux, row)
        if same_scale(scale, self.grid_scale_arcsec):
            side = self.size_px
        else:
            side = ceil(self.size_px * self.grid_scale_arcsec / scale) + 3
        try:
            window = _Window(side, *overlap_slices(shape, (side, side), (y, x), mode="partial"))
        except NoOverlapError:
            return _outside(images.path, row)
        first_y, first_x = (ceil(at - side / 2) for at in (y, x))  # as overlap_slices rounds
        return self.calibration.image(
            k,
            window.cut(images, hdus.flux),
            f"{images.path}[{hdus.flux}]",
            header,
            centre=(y - first_y, x - first_x),
            variance=self._cut_variance(k, row, images, hdus, window),
        )

    def _cut_variance(
        self, k: int, row: RowRequest, images: FitsImages, hdus: BandHdus, window: _Window
    ) -> NDArray[np.float32] | None:
        if hdus.noise is not None:
            return to_variance(window.cut(images, hdus.noise), hdus.noise_kind)
        if self.variance is None:
            return None
        with open_fits(self.variance.find(row, self.bands[k], self.keys[k])) as noise:
            return to_variance(window.cut(noise, noise.hdus[0].index), self.variance_kind)


@dataclass(frozen=True)
class _Window:
    """A square of a mosaic, which may stand over its edge."""

    side: int
    inside: tuple[slice, slice]  # of the mosaic
    within: tuple[slice, slice]  # of the square

    def cut(self, images: FitsImages, index: int) -> NDArray[np.float32]:
        out = np.full((self.side, self.side), np.nan, dtype=np.float32)
        out[self.within] = images.section(index, *self.inside)
        return out


def _outside(path: Path, row: RowRequest) -> RowRejected:
    return RowRejected(
        "outside_mosaic",
        f"Position {row.ra_deg:.6f} {row.dec_deg:+.6f} lies outside {path}.",
        str(path),
    )


@lru_cache(maxsize=64)
def read_wcs(path: Path, index: int) -> WCS:
    """The celestial WCS of an HDU; raises RowRejected unsupported_format where there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fits.verify.VerifyWarning)
        wcs = celestial_wcs(fits.getheader(path, index))
    if wcs is None:
        raise RowRejected(
            "unsupported_format",
            f"{path}, HDU {index} has no celestial WCS, which cutting by position needs.",
            str(path),
        )
    return wcs


def _position(path: Path, index: int, row: RowRequest) -> tuple[float, float]:
    """(x, y) in pixels from 0."""
    try:
        x, y = read_wcs(path, index).all_world2pix(row.ra_deg, row.dec_deg, 0)
    except NoConvergence as error:
        raise _outside(path, row) from error
    if not np.isfinite(x) or not np.isfinite(y):  # the other half of the sky
        raise _outside(path, row)
    # A whole pixel must not be missed by the last digit of the projection.
    return round(float(x), 6), round(float(y), 6)
