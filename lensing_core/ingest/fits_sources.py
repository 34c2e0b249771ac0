"""Images in FITS files: an HDU a band, a cube, or a file a band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lensing_core.ingest.alike import BandPlace, PlainReader
from lensing_core.ingest.choices import BandAxis, VarianceKind
from lensing_core.ingest.fits_files import FitsImages, open_fits
from lensing_core.ingest.guard import each_band
from lensing_core.ingest.hdu_names import BandHdus, find_bands, flux_hdus, match_by_order
from lensing_core.ingest.images import (
    BandImage,
    Calibration,
    Locator,
    RowRequest,
    to_variance,
)
from lensing_core.ingest.plain_fits import NotPlain, PlainFile, read_plain
from lensing_core.ingest.rejection import RowRejected


@dataclass(frozen=True)
class Companions:
    """Noise maps and PSFs in files of their own, a file a band."""

    variance: Locator | None = None
    variance_kind: VarianceKind = "variance"
    psf: Locator | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there are no such files."""
        return self.variance is None and self.psf is None

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


def _plain_files(paths: Sequence[Path]) -> tuple[PlainFile, ...]:
    """Read files; raises NotPlain also for one that cannot be opened."""
    try:
        return tuple(read_plain(path) for path in paths)
    except OSError as error:
        raise NotPlain from error


def _is_plane(file: PlainFile, index: int) -> bool:
    return len(file.hdus[index].shape) == 2


def _flux_hdu(names: Sequence[tuple[int, str]]) -> int:
    """Number of the first image that holds fluxes by its name, else of the first."""
    named = flux_hdus(names)
    return named[0] if named else names[0][0]


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
            try:
                found = self._find(tuple((hdu.index, hdu.name) for hdu in images.hdus))
            except RowRejected as problem:
                raise RowRejected(
                    problem.reason, f"{path}: {problem.message}", str(path)
                ) from problem

            def read(k: int) -> BandImage | RowRejected:
                hdus = found[k]
                if isinstance(hdus, RowRejected):
                    return RowRejected(hdus.reason, f"{path}: {hdus.message}", str(path))
                return self._band(k, row, images, hdus)

            return each_band(len(found), read, path)

    def alike(self, row: RowRequest) -> PlainReader | None:
        """As in :class:`~lensing_core.ingest.images.AlikeSource`."""
        if not self.companions.is_empty:
            return None
        try:
            (model,) = _plain_files([self.locator.find(row)])
            found = self._find(
                tuple((k, hdu.name) for k, hdu in enumerate(model.hdus) if hdu.shape)
            )
        except (RowRejected, NotPlain):
            return None
        places = [
            BandPlace(0, hdus.flux)
            for hdus in found
            if isinstance(hdus, BandHdus) and hdus.noise is None and hdus.psf is None
        ]
        if len(places) != len(self.bands) or not all(_is_plane(model, p.hdu) for p in places):
            return None
        return PlainReader(
            self.calibration,
            lambda other: [self.locator.find(other)],
            (model,),
            tuple(places),
            f"[{places[0].hdu}]",
        )

    def _find(self, names: tuple[tuple[int, str], ...]) -> tuple[BandHdus | RowRejected, ...]:
        """The HDUs of each band, among images of these numbers and names."""
        if self.by_order:
            return match_by_order(names, len(self.bands))
        return find_bands(names, self.keys)

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
        return each_band(len(self.bands), lambda k: self._band(k, row))

    def alike(self, row: RowRequest) -> PlainReader | None:
        """As in :class:`~lensing_core.ingest.images.AlikeSource`."""
        if not self.companions.is_empty:
            return None
        try:
            models = _plain_files(self._paths(row))
        except (RowRejected, NotPlain):
            return None
        places = []
        for k, model in enumerate(models):
            names = [(index, hdu.name) for index, hdu in enumerate(model.hdus) if hdu.shape]
            if not names or not _is_plane(model, _flux_hdu(names)):
                return None
            places.append(BandPlace(k, _flux_hdu(names)))
        return PlainReader(self.calibration, self._paths, models, tuple(places))

    def _paths(self, row: RowRequest) -> list[Path]:
        bands = zip(self.bands, self.keys, strict=True)
        return [self.locator.find(row, band, key) for band, key in bands]

    def _band(self, k: int, row: RowRequest) -> BandImage:
        band, key = self.bands[k], self.keys[k]
        path = self.locator.find(row, band, key)
        with open_fits(path) as images:
            index = _flux_hdu([(hdu.index, hdu.name) for hdu in images.hdus])
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
