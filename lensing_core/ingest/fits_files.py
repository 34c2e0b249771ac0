"""Reading images from FITS files: small plain ones at once, others by fitsio, then by astropy.

astropy also has the last word on a file that fitsio refuses: what both cannot read is rejected.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import fitsio
import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyUserWarning

from lensing_core.arrays import Float32Array
from lensing_core.ingest.guard import guarded, opening
from lensing_core.ingest.hdu_names import HduName, role_of_class
from lensing_core.ingest.headers import (
    Cards,
    HeaderCalibration,
    effective_cards,
    read_calibration,
    relevant_cards,
)
from lensing_core.ingest.limits import check_pixels, compression_of, expanded
from lensing_core.ingest.rejection import RowRejected
from lensing_core.ingest.simple_fits import (
    MAX_BYTES,
    NotSimpleFits,
    SimpleFitsFile,
    parse_simple_fits,
    read_simple_fits,
)
from lensing_core.ingest.sky import ImageSky, sky_of_cards

# CFITSIO takes these for its own syntax (filters, output files, extension numbers).
_CFITSIO_SYNTAX = re.compile(r"[\[\](){}*?!]|\+\d+$")
_ENDINGS = (".fits", ".fit", ".fts")
_PACKED = ("", ".gz", ".bz2", ".xz", ".zip", ".fz")
FITS_SUFFIXES = (*(end + packed for end in _ENDINGS for packed in _PACKED), ".fz")


def is_fits(name: str) -> bool:
    """Return whether a file name is that of a FITS file."""
    return name.lower().endswith(FITS_SUFFIXES)


@dataclass(frozen=True)
class ImageHdu:
    """An HDU with an image.

    Attributes
    ----------
    index : int
    name : str
        EXTNAME.
    shape : tuple of int
        (…, y, x).
    role : str
        By the keywords HDUCLAS2 and HDUCLAS3; empty where they are missing.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    role: str = ""

    @property
    def named(self) -> HduName:
        """Return what :mod:`~lensing_core.ingest.hdu_names` asks for."""
        return HduName(self.index, self.name, self.role)


class FitsImages(Protocol):
    """An open FITS file."""

    path: Path
    hdus: tuple[ImageHdu, ...]

    def read(self, index: int) -> Float32Array:
        """All pixels of an HDU, float32, BLANK as NaN."""

    def section(self, index: int, y: slice, x: slice) -> Float32Array:
        """Part of an image, whose axes of length one are dropped."""

    def cards(self, index: int) -> Cards:
        """Return what the header of an HDU says, with what it inherits from the primary header."""


def calibration(images: FitsImages, index: int) -> HeaderCalibration:
    """Pixel scale, zero point and exposure of an HDU."""
    return read_calibration(images.cards(index).common)


def sky(images: FitsImages, index: int) -> ImageSky | None:
    """Return how the pixels of an HDU lie on the sky; None without a celestial WCS."""
    return sky_of_cards(images.cards(index))


def names_of(images: FitsImages) -> tuple[HduName, ...]:
    """The names of all images of a file."""
    return tuple(hdu.named for hdu in images.hdus)


@contextmanager
def open_fits(path: Path) -> Iterator[FitsImages]:
    """Open a FITS file, compressed or not, whatever its name.

    Raises
    ------
    RowRejected
        missing_file, not_a_file, unreadable_file, too_large or wrong_shape (no image in it); also
        for what fails later, while pixels are read.
    """
    opening(path)
    with guarded(str(path)), _open_any(path) as images:
        if not images.hdus:
            raise RowRejected("wrong_shape", f"{path} has no image in any HDU.", str(path))
        yield images


@contextmanager
def _open_any(path: Path) -> Iterator[FitsImages]:
    if compression_of(path) is not None:
        with _open_packed(path) as images:
            yield images
        return
    try:
        plain = read_simple_fits(path)
    except NotSimpleFits:
        plain = None
    if plain is not None:
        yield _SimpleFitsImages(path, plain)
        return
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
def _open_packed(path: Path) -> Iterator[FitsImages]:
    """Open a file that is compressed as a whole, by its expanded content."""
    content = bytearray()
    for chunk in expanded(path):
        content += chunk
    try:
        if len(content) > MAX_BYTES:
            raise NotSimpleFits
        plain = parse_simple_fits(bytes(content))
    except NotSimpleFits:
        with _open_by_astropy(io.BytesIO(content)) as hdus:
            yield _AstropyImages(path, hdus)
    else:
        yield _SimpleFitsImages(path, plain)


@contextmanager
def _open_by_astropy(file: Path | io.BytesIO) -> Iterator[fits.HDUList]:
    with warnings.catch_warnings():
        # Of padding and of HDUs that are not wanted; pixels that are not there raise all the same.
        warnings.simplefilter("ignore", AstropyUserWarning)
        with fits.open(file, uint=False) as hdus:  # unsigned integers have no NaN
            yield hdus


class _SimpleFitsImages:
    def __init__(self, path: Path, file: SimpleFitsFile) -> None:
        self.path = path
        self._file = file
        self.hdus = tuple(
            ImageHdu(k, hdu.name, hdu.shape, hdu.role)
            for k, hdu in enumerate(file.hdus)
            if hdu.shape
        )

    def read(self, index: int) -> Float32Array:
        return self._file.read(index)

    def section(self, index: int, y: slice, x: slice) -> Float32Array:
        return without_unit_axes(self._file.read(index))[y, x]

    def cards(self, index: int) -> Cards:
        return self._file.cards(index)


class _FitsioImages:
    def __init__(self, path: Path, opened: Any) -> None:
        self.path = path
        self._hdus = list(opened)
        self._cards: dict[int, Cards] = {}
        self._headers: dict[int, bytes] = {}
        self._check_end()
        self.hdus = tuple(
            ImageHdu(k, hdu.get_extname(), tuple(hdu.get_dims()), _role_of_cards(self._header(k)))
            for k, hdu in enumerate(self._hdus)
            if hdu.get_exttype(num=True) == fitsio.IMAGE_HDU and hdu.get_dims()
        )

    def _check_end(self) -> None:
        """CFITSIO leaves out an HDU whose header is cut off by the end of the file, silently."""
        if self._bytes(self._hdus[-1].get_offsets()["data_end"], 8) == b"XTENSION":
            raise OSError("it is truncated within a header")

    def _bytes(self, start: int, count: int) -> bytes:
        with self.path.open("rb") as stream:
            stream.seek(start)
            return stream.read(count)

    def _header(self, index: int) -> bytes:
        if index not in self._headers:
            offsets = self._hdus[index].get_offsets()
            start = offsets["header_start"]
            self._headers[index] = self._bytes(start, offsets["data_start"] - start)
        return self._headers[index]

    def read(self, index: int) -> Float32Array:
        shape = next(hdu.shape for hdu in self.hdus if hdu.index == index)
        check_pixels(shape, self.path)
        return self._pixels(index, lambda hdu: hdu.read(), lambda hdu: hdu.data)

    def section(self, index: int, y: slice, x: slice) -> Float32Array:
        shape = next(hdu.shape for hdu in self.hdus if hdu.index == index)
        where = within_unit_axes(shape, y, x)
        found = self._pixels(index, lambda hdu: hdu[where], lambda hdu: hdu.section[where])
        return found.reshape(y.stop - y.start, x.stop - x.start)

    def _pixels(
        self, index: int, by_fitsio: Callable[[Any], Any], by_astropy: Callable[[Any], Any]
    ) -> Float32Array:
        if not self._has_blank_integers(index):
            try:
                return np.asarray(by_fitsio(self._hdus[index]), dtype=np.float32)
            except OSError:
                pass  # astropy judges
        with _open_by_astropy(self.path) as hdus:
            return np.asarray(by_astropy(hdus[index]), dtype=np.float32)

    def _has_blank_integers(self, index: int) -> bool:
        """Return whether an integer may stand for "no data", which astropy alone turns into NaN.

        BLANK beside BSCALE and BZERO; ZBLANK, a keyword or a column, of compressed integers.
        """
        if read_calibration(self.cards(index).common).blank is not None:
            return True
        header = self._header(index)
        bits = _card(header, b"ZBITPIX ")
        return bits is not None and not bits.strip().startswith(b"-") and b"ZBLANK" in header

    def cards(self, index: int) -> Cards:
        if index not in self._cards:
            own = relevant_cards(self._header(index))
            if index:
                is_empty = not self._hdus[0].get_dims()
                own = effective_cards(own, self.cards(0), primary_is_empty=is_empty)
            self._cards[index] = own
        return self._cards[index]


class _AstropyImages:
    def __init__(self, path: Path, hdus: fits.HDUList) -> None:
        self.path = path
        self._hdus = hdus
        self.hdus = tuple(
            ImageHdu(
                k, "" if hdu.name == "PRIMARY" else hdu.name, tuple(hdu.shape), _role(hdu.header)
            )
            for k, hdu in enumerate(hdus)
            if hdu.is_image and hdu.shape
        )

    def read(self, index: int) -> Float32Array:
        check_pixels(tuple(self._hdus[index].shape), self.path)
        return np.asarray(self._hdus[index].data, dtype=np.float32)

    def section(self, index: int, y: slice, x: slice) -> Float32Array:
        hdu = self._hdus[index]
        found = np.asarray(hdu.section[within_unit_axes(hdu.shape, y, x)], dtype=np.float32)
        return found.reshape(y.stop - y.start, x.stop - x.start)

    def cards(self, index: int) -> Cards:
        own = relevant_cards(
            self._hdus[index].header.tostring(sep="", padding=False).encode("ascii", "replace")
        )
        if index == 0:
            return own
        is_empty = not self._hdus[0].shape
        return effective_cards(own, self.cards(0), primary_is_empty=is_empty)


def _role(header: fits.Header) -> str:
    return role_of_class(str(header.get("HDUCLAS2", "")), str(header.get("HDUCLAS3", "")))


def _role_of_cards(header: bytes) -> str:
    classes = (_card(header, key) or b"" for key in (b"HDUCLAS2", b"HDUCLAS3"))
    return role_of_class(*(text.decode("ascii", "replace").strip(" '") for text in classes))


def _card(header: bytes, key: bytes) -> bytes | None:
    """The value of a card as it is written; None where there is none."""
    for k in range(0, len(header), 80):
        if header[k : k + 8] == key:
            return header[k + 10 : k + 80].partition(b"/")[0]
    return None


def without_unit_axes(pixels: Float32Array) -> Float32Array:
    """An image of two axes, from one with further axes of length one on any side.

    Raises
    ------
    ValueError
        If there are more axes.
    """
    return pixels.reshape(plane_shape(pixels.shape))


def plane_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    """(y, x) of an image without axes of length one; raises ValueError where more than two remain.

    An image of a single row or column keeps its last two axes.
    """
    longer = [n for n in shape if n > 1]
    if len(longer) < 2 <= len(shape) and max(shape[:-2], default=1) == 1:
        longer = list(shape[-2:])
    if len(longer) != 2:
        raise ValueError(f"an image of shape {shape}, not two-dimensional")
    return longer[0], longer[1]


def within_unit_axes(shape: tuple[int, ...], y: slice, x: slice) -> tuple[slice, ...]:
    """Slices of all axes that cut ``y``, ``x`` of the plane."""
    plane = list(plane_shape(tuple(shape)))
    cuts = [y, x]
    found: list[slice] = []
    for k, n in enumerate(shape):
        left = len(shape) - k
        if cuts and n == plane[0] and (n > 1 or left == len(cuts)):
            plane.pop(0)
            found.append(cuts.pop(0))
        else:
            found.append(slice(0, 1))
    return tuple(found)
