"""Images in FITS files: an HDU a band, a cube, or a file a band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lensing_core.arrays import Float32Array
from lensing_core.ingest.band_calibration import BandCalibration, to_variance
from lensing_core.ingest.choices import BandAxis
from lensing_core.ingest.companions import Companions, long_axes, placed, read_plane
from lensing_core.ingest.fits_files import FitsImages, calibration, names_of, open_fits
from lensing_core.ingest.guard import each_band
from lensing_core.ingest.hdu_names import (
    BandHdus,
    HduName,
    find_bands,
    match_by_order,
    only_band,
)
from lensing_core.ingest.images import BandImage, RowRequest
from lensing_core.ingest.locators import Locator
from lensing_core.ingest.rejection import RowRejected
from lensing_core.ingest.simple_fits import NotSimpleFits, SimpleFitsFile, read_simple_fits
from lensing_core.ingest.uniform_layout import BandPlace, SimpleFitsReader

_NO_COMPANIONS = Companions()


def _simple_fits_files(paths: Sequence[Path]) -> tuple[SimpleFitsFile, ...]:
    """Read files; raises NotSimpleFits also for one that cannot be opened."""
    try:
        return tuple(read_simple_fits(path) for path in paths)
    except OSError as error:
        raise NotSimpleFits from error


def _is_plane(file: SimpleFitsFile, index: int) -> bool:
    return len(file.hdus[index].shape) == 2


def _names(file: SimpleFitsFile) -> tuple[HduName, ...]:
    return tuple(HduName(k, hdu.name, hdu.role) for k, hdu in enumerate(file.hdus) if hdu.shape)


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
    calibration: BandCalibration
    keys: tuple[str, ...]
    by_order: bool = False
    companions: Companions = _NO_COMPANIONS

    @property
    def bands(self) -> tuple[str, ...]:
        return self.calibration.bands

    def load(self, row: RowRequest) -> list[BandImage | RowRejected]:
        path = self.locator.find(row)
        with open_fits(path) as images:
            try:
                found = self._find(names_of(images))
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

    def uniform_reader(self, row: RowRequest) -> SimpleFitsReader | None:
        """Return a reader as in :class:`~lensing_core.ingest.images.UniformSource`."""
        if not self.companions.is_empty:
            return None
        try:
            (model,) = _simple_fits_files([self.locator.find(row)])
            found = self._find(_names(model))
        except (RowRejected, NotSimpleFits):
            return None
        places = [
            BandPlace(0, hdus.flux)
            for hdus in found
            if isinstance(hdus, BandHdus) and hdus.noise is None and hdus.psf is None
        ]
        if len(places) != len(self.bands) or not all(_is_plane(model, p.hdu) for p in places):
            return None
        return SimpleFitsReader(
            self.calibration,
            lambda other: [self.locator.find(other)],
            (model,),
            tuple(places),
            f"[{places[0].hdu}]",
        )

    def _find(self, names: tuple[HduName, ...]) -> tuple[BandHdus | RowRejected, ...]:
        """The HDUs of each band, among images of these numbers and names."""
        if self.by_order:
            return match_by_order(names, len(self.bands))
        return find_bands(names, self.keys)

    def _band(self, k: int, row: RowRequest, images: FitsImages, hdus: BandHdus) -> BandImage:
        key = self.keys[k] if self.keys else ""
        return _read_band(self, k, key, row, images, hdus)


@dataclass(frozen=True)
class FitsFiles:
    """One FITS file a band."""

    locator: Locator
    calibration: BandCalibration
    keys: tuple[str, ...]
    companions: Companions = _NO_COMPANIONS

    @property
    def bands(self) -> tuple[str, ...]:
        return self.calibration.bands

    def load(self, row: RowRequest) -> list[BandImage | RowRejected]:
        return each_band(len(self.bands), lambda k: self._band(k, row))

    def uniform_reader(self, row: RowRequest) -> SimpleFitsReader | None:
        """Return a reader as in :class:`~lensing_core.ingest.images.UniformSource`."""
        if not self.companions.is_empty:
            return None
        try:
            models = _simple_fits_files(self._paths(row))
        except (RowRejected, NotSimpleFits):
            return None
        places = []
        for k, model in enumerate(models):
            names = _names(model)
            hdus = only_band(names) if names else None
            if hdus is None or hdus.noise is not None or hdus.psf is not None:
                return None
            if not _is_plane(model, hdus.flux):
                return None
            places.append(BandPlace(k, hdus.flux))
        return SimpleFitsReader(self.calibration, self._paths, models, tuple(places))

    def _paths(self, row: RowRequest) -> list[Path]:
        bands = zip(self.bands, self.keys, strict=True)
        return [self.locator.find(row, band, key) for band, key in bands]

    def _band(self, k: int, row: RowRequest) -> BandImage:
        band, key = self.bands[k], self.keys[k]
        path = self.locator.find(row, band, key)
        with open_fits(path) as images:
            hdus = only_band(names_of(images))
            return _read_band(self, k, key, row, images, hdus, str(path))


def _read_band(
    source: FitsHdus | FitsFiles,
    k: int,
    key: str,
    row: RowRequest,
    images: FitsImages,
    hdus: BandHdus,
    name: str = "",
) -> BandImage:
    """Band ``k`` of an object, with noise and PSF from its file, else from files of their own."""
    band = source.bands[k]
    if hdus.noise is None:
        variance = source.companions.read_variance(row, band, key, images.path)
    else:
        variance = to_variance(read_plane(images, hdus.noise), hdus.noise_kind)
    if hdus.psf is None:
        psf, psf_scale = source.companions.read_psf(row, band, key)
    else:
        psf = read_plane(images, hdus.psf)
        psf_scale = calibration(images, hdus.psf).pixel_scale_arcsec
    pixels = read_plane(images, hdus.flux)
    return source.calibration.image(
        k,
        pixels,
        name or f"{images.path}[{hdus.flux}]",
        calibration(images, hdus.flux),
        variance=variance,
        psf=psf,
        psf_scale_arcsec=psf_scale,
        **placed(images, hdus.flux, row, pixels.shape),
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
    calibration: BandCalibration
    planes: tuple[int, ...]
    axis: BandAxis
    n_planes: int = 0
    companions: Companions = _NO_COMPANIONS

    @property
    def bands(self) -> tuple[str, ...]:
        return self.calibration.bands

    def load(self, row: RowRequest) -> list[BandImage | RowRejected]:
        path = self.locator.find(row)
        with open_fits(path) as images:
            hdus = self._hdus(images)
            cube = self._read(images, hdus.flux)
            noise = None if hdus.noise is None else self._read(images, hdus.noise)
            header = calibration(images, hdus.flux)
            where = placed(images, hdus.flux, row, cube.shape[1:])
            result: list[BandImage | RowRejected] = []
            for k, plane in enumerate(self.planes):
                band = self.bands[k]
                psf, psf_scale = self.companions.read_psf(row, band, band)
                if noise is None:
                    variance = self.companions.read_variance(row, band, band, path)
                else:
                    variance = to_variance(noise[plane], hdus.noise_kind)
                result.append(
                    self.calibration.image(
                        k,
                        cube[plane],
                        f"{path}[{hdus.flux}] plane {plane}",
                        header,
                        variance=variance,
                        psf=psf,
                        psf_scale_arcsec=psf_scale,
                        **where,
                    )
                )
            return result

    def _hdus(self, images: FitsImages) -> BandHdus:
        """The cube of fluxes and that of its noise, by their names among all cubes."""
        cubes = tuple(hdu.named for hdu in images.hdus if len(long_axes(hdu.shape)) == 3)
        return only_band(cubes or names_of(images))

    def _read(self, images: FitsImages, index: int) -> Float32Array:
        pixels = images.read(index)
        if pixels.ndim > 3:
            pixels = pixels.reshape(long_axes(pixels.shape))
        cube = bands_first(pixels, self.axis, str(images.path))
        check_planes(len(cube), self.planes, self.n_planes, str(images.path))
        return cube


def bands_first(pixels: Float32Array, axis: BandAxis, source: str) -> Float32Array:
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
