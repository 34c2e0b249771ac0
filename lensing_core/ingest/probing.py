"""Looking at the first images of an import: what kind they are, and which bands they hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from lensing_core.errors import BadInputError, LensTriageError, about, of_setting
from lensing_core.ingest.band_calibration import BandCalibration
from lensing_core.ingest.choices import BandAxis, ImageKind
from lensing_core.ingest.columns import ColumnMap
from lensing_core.ingest.companions import Companions
from lensing_core.ingest.contents import kind_of_file
from lensing_core.ingest.fits_files import calibration as read_header
from lensing_core.ingest.fits_files import names_of, open_fits
from lensing_core.ingest.fits_sources import FitsCube, FitsFiles, FitsHdus
from lensing_core.ingest.guard import load_row
from lensing_core.ingest.hdu_names import BandHdus, find_bands, flux_hdus, only_band
from lensing_core.ingest.images import BandImage, ImageSource, RowRequest
from lensing_core.ingest.locating import PROBED_FILES, files_by_layout, typical_files
from lensing_core.ingest.locators import Locator
from lensing_core.ingest.mosaics import Mosaic
from lensing_core.ingest.pictures import Pictures
from lensing_core.ingest.rejection import RowRejected
from lensing_core.ingest.request import ImportRequest
from lensing_core.ingest.stacks import PictureStack, Stack, open_array, picture_axis
from lensing_core.surveys import Survey


@dataclass(frozen=True)
class Probe:
    """Result of probing the first files.

    Attributes
    ----------
    source : ImageSource
    kind : str
    pattern : str
        In use; may have been guessed.
    warnings : list of str
    """

    source: ImageSource
    kind: ImageKind
    pattern: str
    warnings: list[str] = field(default_factory=list)

    @property
    def is_rendered(self) -> bool:
        """Return whether pixels are those of pictures, which are no fluxes."""
        return isinstance(self.source, Pictures | PictureStack)


def probe(
    request: ImportRequest,
    columns: ColumnMap,
    survey: Survey,
    rows: Sequence[RowRequest],
    pattern: str,
) -> Probe:
    """Find the kind of the images, their bands, and how to read them.

    Raises
    ------
    BadInputError
        If bands or sizes must be stated, saying what was found.
    """
    locator = request.locator(pattern)
    per_band = "{band}" in pattern or bool(columns.files)
    keys = request.keys_of(survey.band_names)
    layouts = files_by_layout(
        locator, rows, keys if "{band}" in pattern else tuple(columns.files), request.dataset
    )
    probes: list[Probe] = []
    problems: list[LensTriageError] = []
    for paths in layouts:
        for path in paths:
            kind = request.image_kind
            builder = _Builder(request, columns, survey, rows, locator, path, [])
            try:
                if kind == "auto":
                    by_position = bool(request.table) and _no_object(pattern)
                    kind = _guess_kind(request, path, per_band=per_band, by_position=by_position)
                with about("bands"):
                    source = builder.build(kind, per_band=per_band)
                request.check_bands(source.bands)
            except RowRejected as problem:  # of this file: another of its layout may be good
                problems.append(BadInputError(f"The first image cannot be used: {problem}"))
                continue
            except LensTriageError as problem:
                problems.append(problem)
            else:
                if all(source != earlier.source for earlier in probes):
                    probes.append(Probe(source, kind, pattern, builder.warnings))
            break
    if not probes:
        raise problems[0]
    if len(probes) == 1:
        return probes[0]
    return max(probes, key=lambda probe: _count_read(probe.source, rows))


def _count_read(source: ImageSource, rows: Sequence[RowRequest]) -> tuple[int, int]:
    """Return how many of the first rows a source reads, and how many bands of them in all."""
    n_rows = n_bands = 0
    for row in rows[:PROBED_FILES]:
        with suppress(RowRejected):
            n_bands += sum(isinstance(image, BandImage) for image in load_row(source, row))
            n_rows += 1
    return n_rows, n_bands


def _no_object(pattern: str) -> bool:
    """Return whether one file serves all rows, so that cutouts must come from positions."""
    return bool(pattern) and "{" not in pattern.replace("{band}", "")


def _guess_kind(
    request: ImportRequest, path: Path, *, per_band: bool, by_position: bool
) -> ImageKind:
    kind = kind_of_file(path)
    if kind != "fits":
        return "picture" if kind == "picture" else "stack"
    if by_position or request.root.is_file():
        return "mosaic"
    if per_band:
        return "fits_per_band"
    with open_fits(path) as images:
        cubes = [h for h in images.hdus if len([n for n in h.shape if n > 1]) == 3]
        return "fits_cube" if cubes else "fits_hdus"


@dataclass(frozen=True)
class _Builder:
    request: ImportRequest
    columns: ColumnMap
    survey: Survey
    rows: Sequence[RowRequest]
    locator: Locator
    path: Path
    warnings: list[str]

    def build(self, kind: ImageKind, *, per_band: bool) -> ImageSource:
        if kind == "picture" and kind_of_file(self.path) != "stack":
            return self._pictures()
        if kind == "fits_per_band":
            bands = self._bands_of_files()
            return FitsFiles(
                self.locator,
                self._calibration(bands),
                self.request.keys_of(bands),
                self._companions(),
            )
        if kind == "fits_cube":
            return self._cube()
        if kind in ("stack", "picture"):
            return self._stack()
        if kind == "mosaic":
            return self._mosaic(per_band)
        bands, by_order = self._bands_of_hdus()
        return FitsHdus(
            self.locator,
            self._calibration(bands),
            self.request.keys_of(bands),
            by_order,
            self._companions(),
        )

    def _calibration(self, bands: tuple[str, ...]) -> BandCalibration:
        for band in bands:
            self.survey.band(band)  # raises with the bands that there are
        return BandCalibration(
            self.survey, bands, self.request.scales_of(bands), self.request.zero_points_of(bands)
        )

    def _locator(self, pattern: str) -> Locator | None:
        return replace(self.locator, pattern=pattern) if pattern else None

    def _companions(self) -> Companions:
        return Companions(
            self._locator(self.request.variance_pattern),
            self.request.variance_kind,
            self._locator(self.request.psf_pattern),
        )

    def _pictures(self) -> Pictures:
        scale = self._picture_scale()
        if self.request.bands and tuple(self.request.bands) != ("R", "G", "B"):
            raise BadInputError(
                f"A picture has the colors R, G, B, not the bands {', '.join(self.request.bands)}."
            )
        return Pictures(self.locator, scale, self.request.frame_crop_px)

    def _bands_of_files(self) -> tuple[str, ...]:
        if self.request.bands:
            return tuple(self.request.bands)
        if self.columns.files:
            found = [b for b in self.survey.band_names if b in self.columns.files]
        else:
            found = [
                band
                for band in self.survey.band_names
                if any(self._exists(row, band) for row in self.rows)
            ]
        return tuple(found)

    def _exists(self, row: RowRequest, band: str) -> bool:
        return self.locator.has(row, band, self.request.band_keys.get(band, band))

    def _bands_of_hdus(self) -> tuple[tuple[str, ...], bool]:
        """Bands of the first file, and whether they go by the order of HDUs."""
        with open_fits(self.path) as images:
            names = names_of(images)
        flux = flux_hdus(names)
        bands = tuple(self.request.bands) or self.survey.band_names
        found = find_bands(names, self.request.keys_of(bands))
        present = tuple(b for b, f in zip(bands, found, strict=True) if isinstance(f, BandHdus))
        if present:
            return (bands if self.request.bands else present), False
        if not self.request.bands and not self.request.band_keys:
            named = self._bands_of_filters(flux)
            if len(named) == len(flux) > 0:
                return named, True
        if self.request.band_keys or len(flux) != len(bands):
            listing = ", ".join(f"{index}: {name or 'no name'}" for index, name, _ in names)
            raise BadInputError(
                f"{self.path.name} has the image HDUs {listing}; none is called after a band of "
                f"{self.survey.name} ({', '.join(self.survey.band_names)}). Name the bands, and "
                "with band keys the HDU of each."
            )
        if len(bands) > 1:
            self.warnings.append(
                f"HDUs do not name their bands: taken in their order as {', '.join(bands)}."
            )
        return bands, True

    def _bands_of_filters(self, flux: Sequence[int]) -> tuple[str, ...]:
        """The bands that filter keywords name, in the order of HDUs; each once."""
        named: dict[str, None] = {}
        with suppress(RowRejected), open_fits(self.path) as images:  # told when the row is read
            for index in flux:
                band = self._band_of_filters(read_header(images, index).filters)
                if band is not None:
                    named[band] = None
        return tuple(named)

    def _band_of_filters(self, values: Sequence[str]) -> str | None:
        """The band that the keywords of filters name: ``i``, ``HSC-I``, ``g DECam SDSS c0001``."""
        for value in values:
            words = {word for word in re.split(r"[\s._,;:/-]+", value.casefold()) if word}
            whole = (value.casefold(), value.casefold().removeprefix(f"{self.survey.name}_"))
            found = [b for b in self.survey.band_names if b.casefold() in whole] or [
                b for b in self.survey.band_names if b.casefold() in words
            ]
            if len(found) == 1:
                return found[0]
        return None

    def _planes(self, n_found: int) -> tuple[tuple[str, ...], tuple[int, ...], int]:
        """Bands, their planes, and how many planes there must be (0: enough)."""
        bands = tuple(self.request.bands) or self.survey.band_names
        if self.request.band_keys:
            keys = self.request.keys_of(bands)
            if not all(key.isdecimal() for key in keys):
                raise BadInputError(
                    "Band keys of a cube or stack are plane numbers from 0, one for each band; "
                    f"found {', '.join(f'{b}={k}' for b, k in zip(bands, keys, strict=True))}."
                )
            return bands, tuple(int(key) for key in keys), 0
        if n_found != len(bands):
            raise BadInputError(
                f"{self.path.name} has {n_found} planes for {len(bands)} bands "
                f"({', '.join(bands)}); name the bands in order, or give their plane numbers as "
                "band keys."
            )
        return bands, tuple(range(len(bands))), n_found

    def _axis(self, shape: tuple[int, ...]) -> tuple[BandAxis, int]:
        """Band axis of a cube, and its length."""
        if len(shape) == 2:
            return "first", 1
        stated = self.request.band_axis
        if stated != "auto":
            return stated, shape[0] if stated == "first" else shape[-1]
        wanted = len(self.request.bands) or len(self.survey.bands)
        if shape[0] != wanted and (shape[-1] == wanted or shape[-1] < shape[0]):
            return "last", shape[-1]
        return "first", shape[0]

    def _cube(self) -> FitsCube:
        with open_fits(self.path) as images:
            shape = max((hdu.shape for hdu in images.hdus), key=lambda shape: len(shape) == 3)
        axis, n_found = self._axis(shape)
        bands, planes, n_planes = self._planes(n_found)
        return FitsCube(
            self.locator, self._calibration(bands), planes, axis, n_planes, self._companions()
        )

    def _stack(self) -> Stack | PictureStack:
        array = open_array(self.path, self.request.dataset)
        one_file = not self.locator.pattern and (
            self.locator.is_one_file or "file" not in self.columns.roles
        )
        whole = not one_file and len(array.shape) <= 3 and "stack_index" not in self.columns.roles
        shape = array.shape if whole else array.shape[1:]
        colors = picture_axis(array.dtype, shape)
        as_stated = tuple(self.request.bands) in ((), ("R", "G", "B"))
        if colors is not None and as_stated and not self.request.band_keys:
            scale = self._picture_scale()
            return PictureStack(
                self.locator,
                scale,
                colors,
                self.request.frame_crop_px,
                self.request.dataset,
                whole,
            )
        axis, n_found = self._axis(shape)
        bands, planes, n_planes = self._planes(n_found)
        return Stack(
            self.locator,
            self._calibration(bands),
            planes,
            axis,
            n_planes,
            self.request.dataset,
            whole,
        )

    def _picture_scale(self) -> float:
        if not self.request.pixel_scale_arcsec:
            problem = BadInputError(
                "A picture does not say its pixel scale; state it (arcsec per pixel)."
            )
            raise of_setting(problem, "pixel_scale_arcsec")
        return self.request.pixel_scale_arcsec

    def _mosaic(self, per_band: bool) -> Mosaic:
        if not self.request.size_px:
            problem = BadInputError(
                "Cutting from a mosaic needs the size of the cutouts in pixels."
            )
            raise of_setting(problem, "size_px")
        if not {"ra", "dec"} <= self.columns.roles.keys():
            problem = BadInputError(
                "Cutting from a mosaic needs positions; map the columns of right ascension (ra) "
                "and declination (dec)."
            )
            raise of_setting(problem, "columns")
        bands = self._bands_of_files() if per_band else self._bands_of_hdus()[0]
        calibration = self._calibration(bands)
        keys = self.request.keys_of(bands)
        return Mosaic(
            self.locator,
            calibration,
            keys,
            self.request.size_px,
            self.request.grid_scale_arcsec or self._finest_scale(calibration, keys, per_band),
            not per_band and len(bands) > 1,
            self._locator(self.request.variance_pattern),
            self.request.variance_kind,
        )

    def _finest_scale(
        self, calibration: BandCalibration, keys: tuple[str, ...], per_band: bool
    ) -> float:
        scales = []
        for k in range(len(calibration.bands)):
            path = self.path
            if per_band:
                path = typical_files(self.locator, self.rows, (keys[k],))[0]
            with open_fits(path) as images:
                names = names_of(images)
                found = find_bands(names, (keys[k],))[0]
                hdus = found if isinstance(found, BandHdus) else only_band(names)
                header = read_header(images, hdus.flux)
                scales.append(calibration.scale(k, header, str(path))[0])
        return min(scales)
