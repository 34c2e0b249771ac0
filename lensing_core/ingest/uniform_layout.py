"""Reading many small FITS files of one layout together.

Of the files of a survey mostly the pixels and some values in the headers differ. One file is taken
for a model; that others have its layout is checked in one comparison of bytes, and their pixels are
taken over by band, not by file. A file that differs is left to the way that reads one at a time, so
that nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path

import numpy as np

from lensing_core.arrays import BoolArray
from lensing_core.ingest.band_calibration import BandCalibration
from lensing_core.ingest.headers import Cards, read_calibration
from lensing_core.ingest.images import RowRequest, UniformImages
from lensing_core.ingest.rejection import RowRejected
from lensing_core.ingest.simple_fits import SimpleFitsFile, read_uniform
from lensing_core.ingest.sky import Shown, rotation_against, sky_of_cards

_NO_FILE = Path()  # cannot be opened
_BYTES_AT_ONCE = 2**20  # stays in the cache of a core from reading to hashing


@dataclass(frozen=True)
class BandPlace:
    """Location of a band: the number of the row's file, and of the HDU."""

    file: int
    hdu: int


@dataclass(frozen=True)
class SimpleFitsReader:
    """An :class:`~lensing_core.ingest.images.UniformReader` of plain files.

    Attributes
    ----------
    find : callable
        The files of a row; may raise RowRejected.
    models : tuple of SimpleFitsFile
        One for each of a row's files.
    bands : tuple of BandPlace
    source : str
        What is added to the name of the first band's file.
    """

    calibration: BandCalibration
    find: Callable[[RowRequest], Sequence[Path]]
    models: tuple[SimpleFitsFile, ...]
    bands: tuple[BandPlace, ...]
    source: str = ""

    @property
    def rows_at_once(self) -> int:
        """Number of rows in one step of about 1 MiB."""
        return max(1, _BYTES_AT_ONCE // sum(len(model.content) for model in self.models))

    def load(self, rows: Sequence[RowRequest]) -> UniformImages:
        paths = [self._find(row) for row in rows]
        files = [
            read_uniform([of_row[k] for of_row in paths], model)
            for k, model in enumerate(self.models)
        ]
        # Where the table has no position the WCS is asked, file by file.
        known = np.array([row.ra_deg is not None for row in rows], dtype=bool)
        for file in files:
            known &= file.is_uniform
        scales: list[float] = []
        zero_points: list[list[float]] = []
        cards = [files[place.file].cards(place.hdu) for place in self.bands]
        for k, of_band in enumerate(cards):
            scale, of_rows, same_scale = self._calibrate(k, [of_row.common for of_row in of_band])
            scales.append(scale)
            zero_points.append(of_rows)
            known &= same_scale
        known &= self._aligned(rows, cards, known)
        first = self.bands[0].file
        return UniformImages(
            known=known,
            data=[files[place.file].read(place.hdu) for place in self.bands],
            pixel_scales_arcsec=scales,
            zero_points_mag=zero_points,
            sources=[f"{of_row[first]}{self.source}" for of_row in paths],
            shown=self._shown(rows, cards, known),
        )

    def _shown(
        self, rows: Sequence[RowRequest], cards: Sequence[Sequence[Cards]], known: BoolArray
    ) -> list[tuple[int, Shown]]:
        """The first band of each row whose header says what it shows, and that."""
        found = [(0, Shown())] * len(known)
        for band in range(len(self.bands)):
            left = [k for k in np.flatnonzero(known).tolist() if found[k][1].matrix_arcsec is None]
            for k in left:
                shown = self._shown_by(band, cards[band][k], rows[k])
                if shown is not None:
                    found[k] = band, shown
        return found

    def _shown_by(self, band: int, cards: Cards, row: RowRequest) -> Shown | None:
        place = self.bands[band]
        sky = sky_of_cards(cards)
        if sky is None:
            return None
        height, width = self.models[place.file].hdus[place.hdu].shape
        return sky.shown(row.position_deg, (height, width))

    def _aligned(
        self, rows: Sequence[RowRequest], cards: Sequence[Sequence[Cards]], known: BoolArray
    ) -> BoolArray:
        """Rows whose bands are not turned against each other."""
        aligned = np.ones(len(rows), dtype=bool)
        seen: dict[tuple[bytes, ...], bool] = {}  # of rows whose bands have one place on the sky
        for k in np.flatnonzero(known).tolist():
            of_row = [of_band[k] for of_band in cards]
            together = all(other.placing == of_row[0].placing for other in of_row)
            common = tuple(other.common for other in of_row)
            if together and all(other == common[0] for other in common):
                continue
            if together and common in seen:
                aligned[k] = seen[common]
                continue
            shown = [self._shown_by(band, of_row[band], rows[k]) for band in range(len(of_row))]
            matrices = [one.matrix_arcsec for one in shown if one is not None and one.matrix_arcsec]
            aligned[k] = not any(rotation_against(matrices[0], other) for other in matrices[1:])
            if together:
                seen[common] = bool(aligned[k])
        return aligned

    def _find(self, row: RowRequest) -> Sequence[Path]:
        try:
            return self.find(row)
        except RowRejected:
            return [_NO_FILE] * len(self.models)

    def _calibrate(self, k: int, cards: Sequence[bytes]) -> tuple[float, list[float], BoolArray]:
        """Pixel scale of band ``k``, zero point by row, and which rows have that pixel scale."""
        place = self.bands[k]
        of_model = self.models[place.file].cards(place.hdu).common
        found: dict[bytes, tuple[float, float]] = {}
        for of_row in (of_model, *cards):
            if of_row not in found:
                found[of_row] = self._values(k, of_row)
        scale = found[of_model][0]  # a number that equals no other where it is bad
        same_scale = np.array([found[of_row][0] == scale for of_row in cards], dtype=bool)
        return scale, [found[of_row][1] for of_row in cards], same_scale

    def _values(self, k: int, cards: bytes) -> tuple[float, float]:
        """Pixel scale and zero point; NaN where a row has to be loaded by itself to say why."""
        try:
            header = read_calibration(cards)
            scale, _ = self.calibration.scale(k, header)
            return scale, self.calibration.zero_point(k, header, scale)[0]
        except Exception:  # noqa: BLE001 - of a library on a damaged header; it is read again
            return nan, nan
