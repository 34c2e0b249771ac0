"""Reading images from FITS files: small plain ones at once, others by fitsio, then by astropy.

astropy also has the last word on a file that fitsio refuses: what both cannot read is rejected.
"""

from __future__ import annotations

import gzip
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, Protocol

import fitsio
import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyUserWarning
from numpy.typing import NDArray

from lensing_core.ingest.guard import guarded, opening
from lensing_core.ingest.headers import (
    HeaderCalibration,
    celestial_wcs,
    read_calibration,
    relevant_cards,
)
from lensing_core.ingest.limits import check_compressed, check_pixels
from lensing_core.ingest.plain_fits import NotPlain, PlainFile, read_plain
from lensing_core.ingest.rejection import RowRejected

# CFITSIO takes these for its own syntax (filters, output files, extension numbers).
_CFITSIO_SYNTAX = re.compile(r"[\[\](){}*?!]|\+\d+$")
FITS_SUFFIXES = (".fits", ".fit", ".fts", ".fits.gz", ".fit.gz", ".fits.fz", ".fit.fz", ".fz")


def is_fits(name: str) -> bool:
    """Whether a file name is that of a FITS file."""
    return name.lower().endswith(FITS_SUFFIXES)


@dataclass(frozen=True)
class ImageHdu:
    """An HDU with an image: number, EXTNAME and (…, y, x) shape."""

    index: int
    name: str
    shape: tuple[int, ...]


class FitsImages(Protocol):
    """An open FITS file."""

    path: Path
    hdus: tuple[ImageHdu, ...]

    def read(self, index: int) -> NDArray[np.float32]:
        """All pixels of an HDU, float32, BLANK as NaN."""

    def section(self, index: int, y: slice, x: slice) -> NDArray[np.float32]:
        """Part of a two-dimensional image."""

    def calibration(self, index: int) -> HeaderCalibration:
        """Pixel scale and zero point of an HDU."""

    def sky_middle(self, index: int) -> tuple[float, float] | None:
        """ICRS position in degrees of the middle of a two-dimensional image, if it has a WCS."""


@contextmanager
def open_fits(path: Path) -> Iterator[FitsImages]:
    """Open a FITS file.

    Raises
    ------
    RowRejected
        missing_file, not_a_file, unreadable_file, too_large or wrong_shape (no image in it); also
        for what fails later, while pixels are read.
    """
    opening(path)
    with guarded(str(path)), _open_either(path) as images:
        if not images.hdus:
            raise RowRejected("wrong_shape", f"{path} has no image in any HDU.", str(path))
        yield images


@contextmanager
def _open_either(path: Path) -> Iterator[FitsImages]:
    try:
        plain = read_plain(path)
    except NotPlain:
        plain = None
    if plain is not None:
        yield _PlainImages(path, plain)
        return
    check_compressed(path)
    if not _CFITSIO_SYNTAX.search(str(path)):
        try:
            opened = fitsio.FITS(str(path.absolute()))  # "-" alone would be standard input
        except OSError:
            opened = None  # astropy judges
        if opened is not None:
            with opened:
                yield _FitsioImages(path, opened)
            return
    with _open_by_astropy(path) as hdus:
        yield _AstropyImages(path, hdus)


@contextmanager
def _open_by_astropy(path: Path) -> Iterator[fits.HDUList]:
    with warnings.catch_warnings():
        # Of padding and of HDUs that are not wanted; pixels that are not there raise all the same.
        warnings.simplefilter("ignore", AstropyUserWarning)
        with fits.open(path) as hdus:
            yield hdus


class _PlainImages:
    def __init__(self, path: Path, file: PlainFile) -> None:
        self.path = path
        self._file = file
        self.hdus = tuple(
            ImageHdu(k, hdu.name, hdu.shape) for k, hdu in enumerate(file.hdus) if hdu.shape
        )

    def read(self, index: int) -> NDArray[np.float32]:
        return self._file.read(index)

    def section(self, index: int, y: slice, x: slice) -> NDArray[np.float32]:
        return self._file.read(index)[y, x]

    def calibration(self, index: int) -> HeaderCalibration:
        return read_calibration(self._file.hdus[index].cards)

    def sky_middle(self, index: int) -> tuple[float, float] | None:
        with _open_by_astropy(self.path) as hdus:
            return _sky_middle(hdus[index].header, hdus[index].shape)


class _FitsioImages:
    def __init__(self, path: Path, opened: Any) -> None:
        self.path = path
        self._hdus = list(opened)
        self._calibrations: dict[int, HeaderCalibration] = {}
        self._check_end()
        self.hdus = tuple(
            ImageHdu(k, hdu.get_extname(), tuple(hdu.get_dims()))
            for k, hdu in enumerate(self._hdus)
            if hdu.get_exttype(num=True) == fitsio.IMAGE_HDU and hdu.get_dims()
        )

    def _check_end(self) -> None:
        """CFITSIO leaves out an HDU whose header is cut off by the end of the file, silently."""
        if self._bytes(self._hdus[-1].get_offsets()["data_end"], 8) == b"XTENSION":
            raise OSError("it is truncated within a header")

    def _bytes(self, start: int, count: int) -> bytes:
        opener: Any = gzip.open if self.path.suffix == ".gz" else open
        with opener(self.path, "rb") as stream:
            stream.seek(start)
            return bytes(stream.read(count))

    def read(self, index: int) -> NDArray[np.float32]:
        shape = next(hdu.shape for hdu in self.hdus if hdu.index == index)
        check_pixels(shape, self.path)
        return self._pixels(index, lambda hdu: hdu.read(), lambda hdu: hdu.data)

    def section(self, index: int, y: slice, x: slice) -> NDArray[np.float32]:
        return self._pixels(index, lambda hdu: hdu[y, x], lambda hdu: hdu.section[y, x])

    def _pixels(
        self, index: int, by_fitsio: Callable[[Any], Any], by_astropy: Callable[[Any], Any]
    ) -> NDArray[np.float32]:
        # Only astropy turns an integer BLANK beside BSCALE and BZERO into NaN.
        if self.calibration(index).blank is None:
            try:
                return np.asarray(by_fitsio(self._hdus[index]), dtype=np.float32)
            except OSError:
                pass  # astropy judges
        with _open_by_astropy(self.path) as hdus:
            return np.asarray(by_astropy(hdus[index]), dtype=np.float32)

    def calibration(self, index: int) -> HeaderCalibration:
        if index not in self._calibrations:
            offsets = self._hdus[index].get_offsets()
            start = offsets["header_start"]
            header = self._bytes(start, offsets["data_start"] - start)
            self._calibrations[index] = read_calibration(relevant_cards(header))
        return self._calibrations[index]

    def sky_middle(self, index: int) -> tuple[float, float] | None:
        with _open_by_astropy(self.path) as hdus:
            return _sky_middle(hdus[index].header, hdus[index].shape)


class _AstropyImages:
    def __init__(self, path: Path, hdus: fits.HDUList) -> None:
        self.path = path
        self._hdus = hdus
        self.hdus = tuple(
            ImageHdu(k, "" if hdu.name == "PRIMARY" else hdu.name, tuple(hdu.shape))
            for k, hdu in enumerate(hdus)
            if hdu.is_image and hdu.shape
        )

    def read(self, index: int) -> NDArray[np.float32]:
        check_pixels(tuple(self._hdus[index].shape), self.path)
        return np.asarray(self._hdus[index].data, dtype=np.float32)

    def section(self, index: int, y: slice, x: slice) -> NDArray[np.float32]:
        return np.asarray(self._hdus[index].section[y, x], dtype=np.float32)

    def calibration(self, index: int) -> HeaderCalibration:
        return read_calibration(
            relevant_cards(self._hdus[index].header.tostring(sep="", padding=False).encode())
        )

    def sky_middle(self, index: int) -> tuple[float, float] | None:
        return _sky_middle(self._hdus[index].header, self._hdus[index].shape)


def _sky_middle(header: fits.Header, shape: tuple[int, ...]) -> tuple[float, float] | None:
    wcs = celestial_wcs(header)
    if wcs is None:
        return None
    middle = wcs.celestial.pixel_to_world((shape[-1] - 1) / 2, (shape[-2] - 1) / 2).icrs
    ra_deg, dec_deg = float(middle.ra.deg), float(middle.dec.deg)
    return (ra_deg, dec_deg) if isfinite(ra_deg) and isfinite(dec_deg) else None
