"""Request of an import. The settings of a run explain each field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from lensing_core.errors import BadInputError, of_setting
from lensing_core.ingest.choices import BandAxis, ImageKind, MissingBands, VarianceKind
from lensing_core.ingest.labels import LabelRule
from lensing_core.ingest.limits import Limits
from lensing_core.ingest.locators import Locator


@dataclass(frozen=True)
class ImportRequest:
    """One import. Empty texts and zeros stand for "find out".

    ``band_keys`` says what files call a band: an HDU's name or number, a plane's number, or the
    text that stands for ``{band}`` in file names.
    """

    table: str
    table_format: str
    table_part: str
    columns: Mapping[str, str]
    position_unit: str
    position_frame: str
    survey: str
    images: str
    image_kind: ImageKind
    pattern: str
    bands: Sequence[str]
    band_keys: Mapping[str, str]
    band_axis: BandAxis | Literal["auto"]
    dataset: str
    frame_crop_px: int
    missing_bands: MissingBands
    size_px: int
    pixel_scale_arcsec: float
    pixel_scales: Mapping[str, str]
    grid_scale_arcsec: float
    zero_points: Mapping[str, str]
    variance_pattern: str
    variance_kind: VarianceKind
    psf_pattern: str
    more_roots: Sequence[str]
    image_mpx: float
    expanded_mb: int
    memory_gb: float
    file_seconds: float
    table_seconds: float
    labels: LabelRule

    @property
    def limits(self) -> Limits:
        """Return what reading a file may cost."""
        return Limits(**{f.name: getattr(self, f.name) for f in fields(Limits)})

    def locator(self, pattern: str) -> Locator:
        """Return what finds the image files."""
        return Locator(self.root, pattern, tuple(self.more_roots))

    @property
    def root(self) -> Path:
        """Folder (or file) of the images: the table's folder where none is named."""
        if self.images:
            root = Path(self.images).expanduser()
            if not root.exists():
                missing = BadInputError(f"Images {root}: there is no such folder or file.")
                raise of_setting(missing, "images")
            return root
        if not self.table:
            nothing = BadInputError("Name a table, or a folder of images, or both.")
            raise of_setting(nothing, "table")
        return Path(self.table).expanduser().parent

    def scales_of(self, bands: Sequence[str]) -> tuple[float | None, ...]:
        """Pixel scales that the user states, by band."""
        return tuple(
            _stated(self.pixel_scales, band, "pixel_scales") or self.pixel_scale_arcsec or None
            for band in bands
        )

    def zero_points_of(self, bands: Sequence[str]) -> tuple[float | None, ...]:
        """Zero points that the user states, by band."""
        return tuple(_stated(self.zero_points, band, "zero_points") for band in bands)

    def keys_of(self, bands: Sequence[str]) -> tuple[str, ...]:
        """Return what files call the bands."""
        return tuple(str(self.band_keys.get(band, band)) for band in bands)

    def check_bands(self, bands: Sequence[str]) -> None:
        """Raise BadInputError where a setting speaks of a band that the catalog does not have."""
        for name in ("pixel_scales", "zero_points", "band_keys"):
            unknown = sorted(set(getattr(self, name)) - set(bands))
            if unknown:
                problem = BadInputError(
                    f"{name} speaks of {', '.join(unknown)}; the bands are {', '.join(bands)}."
                )
                raise of_setting(problem, name)


def _stated(values: Mapping[str, str], band: str, setting: str) -> float | None:
    if band not in values:
        return None
    try:
        return float(values[band])
    except ValueError:
        problem = BadInputError(f"{setting}: {values[band]!r} for band {band} is not a number.")
        raise of_setting(problem, setting) from None
