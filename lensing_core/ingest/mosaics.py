"""Cutouts from large images with a WCS: one mosaic a band, or an HDU of it a band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from astropy.nddata import NoOverlapError
from astropy.nddata.utils import overlap_slices

from lensing_core.arrays import Float32Array
from lensing_core.ingest.band_calibration import BandCalibration, to_variance
from lensing_core.ingest.choices import VarianceKind
from lensing_core.ingest.companions import choose_noise, plane_of
from lensing_core.ingest.fits_files import FitsImages, calibration, names_of, open_fits, sky
from lensing_core.ingest.geometry import same_scale
from lensing_core.ingest.guard import each_band
from lensing_core.ingest.hdu_names import BandHdus, find_bands, only_band
from lensing_core.ingest.images import BandImage, RowRequest
from lensing_core.ingest.locators import Locator
from lensing_core.ingest.rejection import RowRejected
from lensing_core.ingest.sky import Place


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
    calibration: BandCalibration
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
        at = row.position_deg
        if at is None:
            raise RowRejected(
                "bad_coordinates", "The row has no position, which cutting from a mosaic needs."
            )
        return each_band(
            len(self.bands), lambda k: self._band(k, row, at), foremost="outside_mosaic"
        )

    def _band(
        self, k: int, row: RowRequest, position: tuple[float, float]
    ) -> BandImage | RowRejected:
        path = self.locator.find(row, self.bands[k], self.keys[k])
        with open_fits(path) as images:
            hdus = self._hdus(k, images)
            if isinstance(hdus, RowRejected):
                return RowRejected(hdus.reason, f"{path}: {hdus.message}", str(path))
            return self._cut(k, row, images, hdus, position)

    def _hdus(self, k: int, images: FitsImages) -> BandHdus | RowRejected:
        names = names_of(images)
        if self.hdus_are_bands:
            return find_bands(names, self.keys)[k]
        return only_band(names)

    def _cut(
        self,
        k: int,
        row: RowRequest,
        images: FitsImages,
        hdus: BandHdus,
        position: tuple[float, float],
    ) -> BandImage | RowRejected:
        header = calibration(images, hdus.flux)
        scale, _ = self.calibration.scale(k, header, str(images.path))
        hdu = next(hdu for hdu in images.hdus if hdu.index == hdus.flux)
        shape = plane_of(images, hdus.flux, hdu.shape)
        place = _place(images, hdus.flux, row, position)
        # A whole pixel must not be missed by the last digit of the projection.
        x, y = round(place.x, 6), round(place.y, 6)
        if same_scale(scale, self.grid_scale_arcsec):
            side = self.size_px
        else:
            side = ceil(self.size_px * self.grid_scale_arcsec / scale) + 3
        try:
            window = _Window(side, *overlap_slices(shape, (side, side), (y, x), mode="partial"))
        except NoOverlapError:
            return _outside(images, row)
        first_y, first_x = (ceil(at - side / 2) for at in (y, x))  # as overlap_slices rounds
        return self.calibration.image(
            k,
            window.cut(images, hdus.flux),
            f"{images.path}[{hdus.flux}]",
            header,
            center=(y - first_y, x - first_x),
            matrix_arcsec=place.matrix_arcsec,
            variance=self._cut_variance(k, row, images, hdus, window),
        )

    def _cut_variance(
        self, k: int, row: RowRequest, images: FitsImages, hdus: BandHdus, window: _Window
    ) -> Float32Array | None:
        if hdus.noise is not None:
            return to_variance(window.cut(images, hdus.noise), hdus.noise_kind)
        if self.variance is None:
            return None
        with open_fits(self.variance.find(row, self.bands[k], self.keys[k])) as noise:
            index, kind = choose_noise(noise, self.variance_kind, images.path)
            return to_variance(window.cut(noise, index), kind)


@dataclass(frozen=True)
class _Window:
    """A square of a mosaic, which may stand over its edge."""

    side: int
    inside: tuple[slice, slice]  # of the mosaic
    within: tuple[slice, slice]  # of the square

    def cut(self, images: FitsImages, index: int) -> Float32Array:
        out = np.full((self.side, self.side), np.nan, dtype=np.float32)
        out[self.within] = images.section(index, *self.inside)
        return out


def _place(images: FitsImages, index: int, row: RowRequest, position: tuple[float, float]) -> Place:
    """Place of a row's position (right ascension, declination).

    Raises
    ------
    RowRejected
        unsupported_format without a celestial WCS; outside_mosaic.
    """
    on_sky = sky(images, index)
    if on_sky is None or not on_sky.has_reference:
        raise RowRejected(
            "unsupported_format",
            f"{images.path}, HDU {index} has no celestial WCS in a frame that is known, which "
            "cutting by position needs.",
            str(images.path),
        )
    place = on_sky.place(*position)
    if place is None:  # the other half of the sky
        raise _outside(images, row)
    return place


def _outside(images: FitsImages, row: RowRequest) -> RowRejected:
    return RowRejected(
        "outside_mosaic",
        f"Position {row.ra_deg:.6f} {row.dec_deg:+.6f} lies outside {images.path}.",
        str(images.path),
    )
