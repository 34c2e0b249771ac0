"""Data that the parts of ingest exchange: a row's request, a band's image, places of files."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from lensing_core.arrays import BoolArray, Float32Array
from lensing_core.errors import BadInputError
from lensing_core.fetching.kept import position_name, why_absent
from lensing_core.ingest.choices import VarianceKind
from lensing_core.ingest.headers import HeaderCalibration
from lensing_core.ingest.limits import PIXEL_SCALE_ARCSEC, ZERO_POINT_MAG
from lensing_core.ingest.rejection import RowRejected
from lensing_core.ingest.sky import Shown
from lensing_core.surveys import Survey

Matrix = tuple[tuple[float, float], tuple[float, float]]
FETCHED = "{ra_dec}"
"""In the file-name pattern of images that were fetched for positions."""
_FIELD = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True)
class RowRequest:
    """Request to find and cut the images of one row; small, for it goes to other processes.

    Attributes
    ----------
    row_number : int
    object_id : str
    ra_deg, dec_deg : float or None
    values : dict of str to str
        Cells that file-name patterns use, by column.
    file : str or None
        Cell of the column of file names.
    band_files : dict of str to str
        Cells of the columns of file names that hold one band each.
    stack_index : int or None
        Place in a stack; None: the row number.
    """

    row_number: int
    object_id: str
    ra_deg: float | None = None
    dec_deg: float | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    file: str | None = None
    band_files: Mapping[str, str] = field(default_factory=dict)
    stack_index: int | None = None

    @property
    def position_deg(self) -> tuple[float, float] | None:
        """Right ascension and declination, where the table gives both."""
        if self.ra_deg is None or self.dec_deg is None:
            return None
        return self.ra_deg, self.dec_deg


@dataclass(frozen=True)
class BandImage:
    """One band of one object, as it was read.

    Attributes
    ----------
    data, variance : ndarray of shape (y, x), float32 of either byte order
        Flux per pixel; NaN where there is no data.
    psf : ndarray of shape (py, px), float32, or None
    pixel_scale_arcsec, psf_scale_arcsec : float
    zero_point_mag : float
        AB; NaN for a rendered picture.
    pixel_scale_from, zero_point_from : str
        A header keyword, "settings" or "survey".
    center : (y, x) or None
        The object's place in pixels; None: the middle of the image.
    source : str
        The file, with the HDU or plane.
    sky_deg : (ra, dec) or None
        Position of the image's middle by its WCS, looked up where the table has none.
    matrix_arcsec : ((float, float), (float, float)) or None
        How the sky lies around the object, as :class:`~lensing_core.ingest.sky.Place` has it.
    header : HeaderCalibration or None
        What the header said.
    """

    data: Float32Array
    pixel_scale_arcsec: float
    zero_point_mag: float
    source: str
    pixel_scale_from: str = "survey"
    zero_point_from: str = "survey"
    variance: Float32Array | None = None
    psf: Float32Array | None = None
    psf_scale_arcsec: float | None = None
    center: tuple[float, float] | None = None
    sky_deg: tuple[float, float] | None = None
    matrix_arcsec: Matrix | None = None
    header: HeaderCalibration | None = None


class ImageSource(Protocol):
    """Where the images of a catalog come from. Picklable."""

    @property
    def bands(self) -> tuple[str, ...]:
        """Bands in the order of the catalog."""

    def load(self, row: RowRequest) -> Sequence[BandImage | RowRejected]:
        """The bands of one object in order; a band that is not there as the reason.

        Raises
        ------
        RowRejected
            If nothing can be read.
        """


@dataclass(frozen=True)
class AlikeImages:
    """Images of several rows that were read together, without noise maps and PSFs.

    Attributes
    ----------
    known : ndarray of shape (n,), bool
        False for a row that has to be loaded by itself; what stands here of it means nothing.
    data : list of ndarray of shape (n, y, x), by band
        float32 of either byte order.
    pixel_scales_arcsec : list of float, by band
    zero_points_mag : list by band of list of float by row
    sources : list of str
        Of each row, the ``source`` of the image of its first band.
    shown : list of (int, Shown)
        Of each row, the first band whose header says how it lies on the sky, and that.
    """

    known: BoolArray
    data: list[Float32Array]
    pixel_scales_arcsec: list[float]
    zero_points_mag: list[list[float]]
    sources: list[str]
    shown: list[tuple[int, Shown]]


class AlikeReader(Protocol):
    """Reads images of rows together whose files have one layout."""

    @property
    def rows_at_once(self) -> int:
        """Return how many rows should be read together."""

    def load(self, rows: Sequence[RowRequest]) -> AlikeImages:
        """The images of ``rows``; what is wrong with a row shows when it is loaded by itself."""


@runtime_checkable
class AlikeSource(Protocol):
    """An :class:`ImageSource` that can read rows together."""

    def alike(self, row: RowRequest) -> AlikeReader | None:
        """A reader of rows whose files are like those of ``row``.

        None if they are of a kind that is not read together, or if the row is bad.
        """


@dataclass(frozen=True)
class Locator:
    """Finds the image file of a row.

    Attributes
    ----------
    root : Path
        Folder that relative names start from, or the one file of all rows.
    pattern : str
        A name with column names in braces, and ``{id}``, ``{band}`` and ``{ra_dec}`` (the position,
        as fetched images are called); empty: the table names files.
    more_roots : tuple of str
        Folders besides ``root`` that files may be in.
    """

    root: Path
    pattern: str = ""
    more_roots: tuple[str, ...] = ()

    def find(self, row: RowRequest, band: str = "", key: str = "") -> Path:
        """The file of a row (and band, called ``key`` in names); it need not exist.

        Raises
        ------
        RowRejected
            missing_file, if the table names none; outside_folder, if the name or a link leads out
            of the folders that files may be in; not_a_file.
        """
        if self.is_one_file and not self.pattern:
            return self.root
        if self.pattern:
            # Joining text is several times faster than joining paths.
            filled = self._fill(row, key or band)
            return self._confined(existing_spelling(Path(f"{self.root}/{filled}")))
        name = row.band_files.get(band) if row.band_files else row.file
        if name:
            return self._confined(existing_spelling(self.root / name))
        where = f" in band {band}" if band and row.band_files else ""
        raise RowRejected("missing_file", f"The table names no image file{where} for this row.")

    @property
    def is_one_file(self) -> bool:
        """Return whether one file holds the images of all rows, whatever names the table has."""
        return _is_file(self.root)

    def has(self, row: RowRequest, band: str = "", key: str = "") -> bool:
        """Return whether a row's file is there."""
        try:
            return self.find(row, band, key).is_file()
        except RowRejected:
            return False

    def _confined(self, path: Path) -> Path:
        folder, name = os.path.split(path)
        try:
            inside = name not in ("", "..") and _is_inside(folder, str(self.root), self.more_roots)
            mode = os.lstat(path).st_mode if inside else 0
            if stat.S_ISLNK(mode):
                target = os.path.realpath(path)
                inside = _is_inside(os.path.dirname(target), str(self.root), self.more_roots)
                mode = os.stat(path).st_mode if inside else 0
            if inside and not stat.S_ISREG(mode):
                raise irregular(path, mode)
        except FileNotFoundError:
            # Whoever opens it says so, unless a note says why it is not there.
            if inside and FETCHED in self.pattern and (why := why_absent(path)):
                raise RowRejected("not_fetched", why, str(path)) from None
        except (OSError, ValueError) as error:
            raise RowRejected(
                "missing_file", f"The name {str(path)[:200]!r} is none of a file: {error}."
            ) from error
        if not inside:
            raise RowRejected(
                "outside_folder",
                f"{path} leads out of the images folder {self.root}; add the folder that it is in "
                "to the setting more_roots if that is meant.",
                str(path),
            )
        return path

    def _fill(self, row: RowRequest, band: str) -> str:
        parts = list(_parts(self.pattern))
        for k in range(1, len(parts), 2):
            name = parts[k]
            if name == "id":
                parts[k] = row.object_id
            elif name == "band":
                parts[k] = band
            elif name == "ra_dec":
                parts[k] = _position_of(row)
            elif name in row.values:
                parts[k] = row.values[name]
            else:
                known = sorted({*row.values, "id", "band", "ra_dec"})
                raise BadInputError(
                    f"Pattern {self.pattern!r}: there is no column {name!r}; use "
                    f"{{{'}, {'.join(known)}}} or another column of the table."
                )
        return "".join(parts)


def _position_of(row: RowRequest) -> str:
    if row.position_deg is None:
        raise RowRejected(
            "bad_coordinates", "The row has no position, for which an image could be fetched."
        )
    return position_name(*row.position_deg)


@lru_cache(maxsize=256)
def _is_file(path: Path) -> bool:
    return path.is_file()


def irregular(path: Path, mode: int) -> RowRejected:
    """Why what is no regular file is not opened."""
    return RowRejected("not_a_file", f"{path} is {_kind(mode)}, not a file.", str(path))


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "something else")


@lru_cache(maxsize=4096)
def _is_inside(folder: str, root: str, more_roots: tuple[str, ...]) -> bool:
    """Return whether a folder, with all links followed, is one of the roots or below one."""
    real = os.path.realpath(folder)
    own = root if os.path.isdir(root) else os.path.dirname(root)
    roots = (os.path.realpath(os.path.expanduser(name)) for name in (own, *more_roots))
    return any(os.path.commonpath((real, top)) == top for top in roots)


@lru_cache(maxsize=64)
def _parts(pattern: str) -> tuple[str, ...]:
    """Text and names of columns, in turn."""
    return tuple(_FIELD.split(pattern))


def pattern_fields(pattern: str) -> set[str]:
    """Names in braces of a file-name pattern."""
    return set(_FIELD.findall(pattern))


def existing_spelling(path: Path) -> Path:
    """``path``, or the same name in the other Unicode normal form if only that exists.

    macOS and some archives store decomposed letters; tables mostly hold composed ones.
    """
    if str(path).isascii() or path.exists():
        return path
    for form in ("NFC", "NFD"):
        other = Path(unicodedata.normalize(form, str(path)))
        if other.exists():
            return other
    return path


@dataclass(frozen=True)
class BandCalibration:
    """Pixel scale and zero point of each band's images: settings, else header, else survey.

    Attributes
    ----------
    survey : Survey
    bands : tuple of str
    scales_arcsec, zero_points_mag : tuple of float or None
        What the user states, by band.
    """

    survey: Survey
    bands: tuple[str, ...]
    scales_arcsec: tuple[float | None, ...]
    zero_points_mag: tuple[float | None, ...]

    def scale(
        self, k: int, header: HeaderCalibration | None, source: str = "The header"
    ) -> tuple[float, str]:
        """Pixel scale of band ``k`` and where it is from.

        Raises
        ------
        RowRejected
            bad_calibration, if the header's cannot be true.
        """
        stated = self.scales_arcsec[k]
        if stated is not None:
            return stated, "settings"
        if header is not None and header.pixel_scale_arcsec is not None:
            scale, name = header.pixel_scale_arcsec, header.pixel_scale_from
            _check_between(scale, PIXEL_SCALE_ARCSEC, f"{source}: {name} gives", "arcsec a pixel")
            return scale, name
        return self.survey.pixel_scale_arcsec, "survey"

    def zero_point(
        self,
        k: int,
        header: HeaderCalibration | None,
        scale_arcsec: float,
        source: str = "The header",
    ) -> tuple[float, str]:
        """AB zero point of band ``k`` and where it is from.

        Raises
        ------
        RowRejected
            bad_calibration, if the header's cannot be true; unsupported_format, if it says that
            pixels are no fluxes.
        """
        if header is not None and header.not_flux:
            raise RowRejected("unsupported_format", f"{source}: {header.not_flux}.")
        stated = self.zero_points_mag[k]
        if stated is not None:
            return stated, "settings"
        if header is not None:
            if header.zero_point_mag is not None:
                value, name = header.zero_point_mag, header.zero_point_from
                _check_between(value, ZERO_POINT_MAG, f"{source}: {name} gives", "AB magnitudes")
                return value, name
            of_one_second = self.survey.exptime_zero_point_mag
            if of_one_second is not None and header.exposure_s is not None:
                return of_one_second + 2.5 * float(np.log10(header.exposure_s)), "EXPTIME"
        return self.survey.zero_point_mag(self.bands[k], scale_arcsec), "survey"

    def image(
        self,
        k: int,
        data: Float32Array,
        source: str,
        header: HeaderCalibration | None = None,
        **more: object,
    ) -> BandImage:
        """A calibrated :class:`BandImage` of band ``k``; ``more`` are further fields of it."""
        scale, scale_from = self.scale(k, header, source)
        zero_point, zero_point_from = self.zero_point(k, header, scale, source)
        return BandImage(
            data=data,
            pixel_scale_arcsec=scale,
            zero_point_mag=zero_point,
            source=source,
            pixel_scale_from=scale_from,
            zero_point_from=zero_point_from,
            header=header,
            **more,  # type: ignore[arg-type]  # passed on as they are named there
        )


def _check_between(value: float, bounds: tuple[float, float], what: str, unit: str) -> None:
    if not bounds[0] <= value <= bounds[1]:
        raise RowRejected(
            "bad_calibration",
            f"{what} {value:g} {unit}, outside of {bounds[0]:g} to {bounds[1]:g}; mend the header "
            "or state the value in the settings.",
        )


def to_variance(noise: Float32Array, kind: VarianceKind) -> Float32Array:
    """Variance from a noise map of the given kind; NaN where it says that there is no data."""
    if kind == "rms":
        return np.where(noise >= 0, noise**2, np.float32(np.nan))
    if kind == "inverse_variance":
        with np.errstate(divide="ignore"):
            return np.where(noise > 0, 1 / noise, np.float32(np.nan)).astype(np.float32)
    return np.where(noise >= 0, noise, np.float32(np.nan))
