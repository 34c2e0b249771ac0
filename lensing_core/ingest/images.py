"""Data that the parts of ingest exchange: a row's request, a band's image, places of files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from lensing_core.arrays import BoolArray, Float32Array
from lensing_core.ingest.headers import HeaderCalibration
from lensing_core.ingest.rejection import RowRejected
from lensing_core.ingest.sky import Shown

Matrix = tuple[tuple[float, float], tuple[float, float]]


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
    """Source of the images of a catalog. Picklable."""

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
class UniformImages:
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


class UniformReader(Protocol):
    """Reads images of rows together whose files have one layout."""

    @property
    def rows_at_once(self) -> int:
        """Return how many rows should be read together."""

    def load(self, rows: Sequence[RowRequest]) -> UniformImages:
        """The images of ``rows``; what is wrong with a row shows when it is loaded by itself."""


@runtime_checkable
class UniformSource(Protocol):
    """An :class:`ImageSource` that can read rows together."""

    def uniform_reader(self, row: RowRequest) -> UniformReader | None:
        """A reader of rows whose files are like those of ``row``.

        None if they are of a kind that is not read together, or if the row is bad.
        """
