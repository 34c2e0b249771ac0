"""Images in FITS files: an HDU a band, a cube, or a file a band."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lensing_core.ingest.choices import BandAxis, VarianceKind
from lensing_core.ingest.fits_files import FitsImages, open_fits
from lensing_core.ingest.hdu_names import BandHdus, find_bands, flux_hdus, match_by_order
from lensing_core.ingest.images import (
    BandImage,
    Calibration,
    Locator,
    RowRequest,
    to_variance,
)
from lensing_core.ingest.rejection import RowRejected


@dataclass(frozen=True)
class Companions:
    """Noise maps and PSFs in files of their own, a file a band."""

    variance: Locator | None = None
    variance_kind: VarianceKind = "variance"
    psf: Locator | None = None

    def read_variance(self, row: RowRequest, band: str, key: str) -> NDArray[np.float32] | None:
        """The variance map of a band; None where there is no file."""
        if self.variance is None:
            return None
        found = _only_image(self.variance.find(row, band, key))
        return None if found is None else to_variance(found[0], self.variance_kind)

    def read_psf(
        self, row: RowRequest, band: str, key: str
    ) -> tuple[NDArray[np.float32] | None, float | None]:
        """The PSF of a band and its pixel scale, if its header says so."""
        if self.psf is None:
            return None, None
        return _only_image(self.psf.find(row, band, key)) or (None, None)


def _only_image(path: Path) -> tuple[NDArray[np.float32], float | None] | None:
    if not path.is_file():
        return None
    with open_fits(path) as images:
        index = images.hdus[0].index
        return read_plane(images, index), images.calibration(index).pixel_scale_arcsec


def read_plane(images: FitsImages, index: int) -> NDArray[np.float32]:
    """The two-dimensional image of an HDU; axes of length one are dropped."""
    pixels = images.read(index)
    if pixels.ndim < 2 or pixels.size != pixels.shape[-1] * pixels.shape[-2]:
        raise RowRejected(
            "wrong_shape",
            f"{images.path}, HDU {index}: an image of shape {pixels.shape}, not two-dimensional.",
            str(images.path),
        )
    return pixels.reshape(pixels.shape[-2:])


@dataclass(frozen=True)
class FitsHdus:
    """One FITS file an object, one HDU a band.

    Attributes
    ----------
    keys : tuple of str
        EXTNAME (or part of it) or number of each band's HDU.
    by_order : bool
        Take the image HDUs in their order, whatever their names.
    """

    locator: Locator
    calibration: Calibration
    keys: tuple[str, ...]
    by_order: bool = False
    companions: Companions = Companions()

    @property
    def bands(self) -> tuple[str, ...]:
        return self.calibration.bands

    def load(self, row: RowRequest) -> list[BandImage | RowRejected]:
        path = self.locator.find(row)
        with open_fits(path) as images:
            names = tuple((hdu.index, hdu.name) for hdu in images.hdus)
            try:
                found = (
                    match_by_order(names, len(self.bands))
                    if self.by_order
                    else find_bands(names, self.keys)
                )
            except RowRejected as problem:
                raise RowRejected(
                    problem.reason, f"{path}: {problem.message}", str(path)
                ) from problem
            return [
                RowRejected(hdus.reason, f"{path}: {hdus.message}", str(path))
                if isinstance(hdus, RowRejected)
                else self._band(k, row, images, hdus)
                for k, hdus in enumerate(found)
            ]

    def _band(self, k: int, row: RowRequest, images: FitsImages, hdus: BandHdus) -> BandImage:
        band, key = self.bands[k], self.keys[k] if self.keys else ""
        if hdus.noise is None:
            variance = self.companions.read_variance(row, band, key)
        else:
            variance = to_variance(read_plane(images, hdus.noise), hdus.noise_kind)
        if hdus.psf is None:
            psf, psf_scale = self.companions.read_psf(row, band, key)
        else:
            psf = read_plane(images, hdus.psf)
            psf_scale = images.calibration(hdus.psf).pixel_scale_arcsec
        return self.calibration.image(
            k,
            read_plane(images, hdus.flux),
            f"{images.path}[{hdus.flux}]",
            images.calibration(hdus.flux),
            variance=variance,
            psf=psf,
            psf_scale_arcsec=psf_scale,
            sky_deg=images.sky_middle(hdus.flux) if row.ra_deg is None else None,
        )


@dataclass(frozen=True)
class FitsFiles:
    """One FITS file a band."""

    locator: Locator
    calibration: Calibration
    keys: tuple[str, ...]
    companions: Companions = Companions()

    @property
    def bands(self) -> tuple[str, ...]:
        return self.calibration.bands

    def load(self, row: RowRequest) -> list[BandImage | RowRejected]:
        return [self._band(k, row) for k in range(len(self.bands))]

    def _band(self, k: int, row: RowRequest) -> BandImage | RowRejected:
        band, key = self.bands[k], self.keys[k]
        try:
            path = self.locator.find(row, band, key)
        except RowRejected as missing:
            return missing
        if not path.is_file():
            return RowRejected("missing_file", f"{path} does not exist.", str(path))
        with open_fits(path) as images:
            named = flux_hdus([(hdu.index, hdu.name) for hdu in images.hdus])
            index = named[0] if named else images.hdus[0].index
            psf, psf_scale = self.companions.read_psf(row, band, key)
            return self.calibration.image(
                k,
                read_plane(images, index),
                str(path),
                images.calibration(index),
                variance=self.companions.read_variance(row, band, key),
                psf=psf,
                psf_scale_arcsec=psf_scale,
                sky_deg=images.sky_middle(index) if row.ra_deg is None else None,
            )


@dataclass(frozen=True)
class FitsCube:
    """One FITS file an object, with all bands in one array.

    Attributes
    ----------
    planes : tuple of int
        Place of each band along the band axis.
    n_planes : int
        Length of the band axis; 0: any that holds ``planes``.
    """

    locator: Locator
    calibration: Calibration
    planes: tuple[int, ...]
    axis: BandAxis
    n_planes: int = 0
    companions: Companions = Companions()

    @property
    def bands(self) -> tuple[str, ...]:
        return self.calibration.bands

    def load(self, row: RowRequest) -> list[BandImage | RowRejected]:
        path = self.locator.find(row)
        with open_fits(path) as images:
            hdu = max(images.hdus, key=lambda hdu: len(hdu.shape) == 3)
            cube = bands_first(images.read(hdu.index), self.axis, str(path))
            check_planes(len(cube), self.planes, self.n_planes, str(path))
            header = images.calibration(hdu.index)
            sky_deg = images.sky_middle(hdu.index) if row.ra_deg is None else None
            result: list[BandImage | RowRejected] = []
            for k, plane in enumerate(self.planes):
                psf, psf_scale = self.companions.read_psf(row, self.bands[k], self.bands[k])
                result.append(
                    self.calibration.image(
                        k,
                        cube[plane],
                        f"{path}[{hdu.index}] plane {plane}",
                        header,
                        variance=self.companions.read_variance(row, self.bands[k], self.bands[k]),
                        psf=psf,
                        psf_scale_arcsec=psf_scale,
                        sky_deg=sky_deg,
                    )
                )
            return result


def bands_first(pixels: NDArray[np.float32], axis: BandAxis, source: str) -> NDArray[np.float32]:
    """An array of shape (band, y, x) from one with its band axis first or last."""
    if pixels.ndim == 2:
        return pixels[None]
    if pixels.ndim != 3:
        raise RowRejected(
            "wrong_shape", f"{source}: an array of shape {pixels.shape}, not a cube.", source
        )
    return np.moveaxis(pixels, -1, 0) if axis == "last" else pixels


def check_planes(found: int, planes: tuple[int, ...], n_planes: int, source: str) -> None:
    """Raise RowRejected unless a cube of ``found`` planes holds those wanted."""
    if found <= max(planes) or (n_planes and found != n_planes):
        raise RowRejected(
            "wrong_band_count",
            f"{source} has {found} planes; {n_planes or max(planes) + 1} were expected.",
            source,
        )
