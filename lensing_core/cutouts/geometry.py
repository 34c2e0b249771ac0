"""The geometry that all cutouts of a catalog share."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from lensing_core.errors import BadInputError

PixelKind = Literal["flux", "rendered"]
FORMAT_VERSION = 1
HEADER = "catalog.json"


@dataclass(frozen=True)
class CutoutGeometry:
    """Bands, size, pixel scale and calibration of a catalog's cutouts.

    Attributes
    ----------
    survey : str
        Key of the survey definition.
    bands : tuple of str
        Names, in the order of the band axis.
    size_px : int
        Side of the square cutout.
    pixel_scale_arcsec : float
        Of the stored grid.
    pixel_kind : {'flux', 'rendered'}
        Linear flux, or an 8-bit color picture (values 0 to 255, no photometry).
    zero_points_mag : tuple of float
        AB magnitude of one flux unit, by band (NaN for a rendered picture).
    psf_fwhm_arcsec : tuple of float
        Typical PSF FWHM by band.
    """

    survey: str
    bands: tuple[str, ...]
    size_px: int
    pixel_scale_arcsec: float
    pixel_kind: PixelKind
    zero_points_mag: tuple[float, ...]
    psf_fwhm_arcsec: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.bands or len(set(self.bands)) != len(self.bands):
            raise BadInputError(f"Bands {list(self.bands)}: give at least one, each once.")
        for name in ("zero_points_mag", "psf_fwhm_arcsec"):
            if len(getattr(self, name)) != len(self.bands):
                raise BadInputError(
                    f"{name} has {len(getattr(self, name))} values for {len(self.bands)} bands."
                )
        if self.size_px < 8:
            raise BadInputError(f"Cutout size {self.size_px} px: use at least 8.")
        if not 0.001 <= self.pixel_scale_arcsec <= 10:
            raise BadInputError(f"Pixel scale {self.pixel_scale_arcsec} arcsec: outside 0.001-10.")

    @property
    def shape(self) -> tuple[int, int, int]:
        """(band, y, x) of one cutout."""
        return (len(self.bands), self.size_px, self.size_px)

    @property
    def size_arcsec(self) -> float:
        """Side of the cutout on the sky."""
        return self.size_px * self.pixel_scale_arcsec

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, NaN as null."""
        fields = asdict(self)
        for name in ("zero_points_mag", "psf_fwhm_arcsec"):
            fields[name] = [None if v != v else v for v in fields[name]]
        fields["bands"] = list(self.bands)
        return {"format": FORMAT_VERSION, **fields}

    @classmethod
    def read(cls, folder: Path) -> CutoutGeometry:
        """Read a catalog folder's header."""
        path = folder / HEADER
        try:
            fields = json.loads(path.read_text())
        except FileNotFoundError:
            raise BadInputError(f"{folder} holds no cutouts (no {HEADER}).") from None
        except json.JSONDecodeError as error:
            raise BadInputError(f"{path} is not valid JSON: {error}.") from error
        if (version := fields.pop("format", None)) != FORMAT_VERSION:
            raise BadInputError(
                f"{path} has format {version}; this program reads {FORMAT_VERSION}."
            )
        for name in ("zero_points_mag", "psf_fwhm_arcsec"):
            fields[name] = tuple(float("nan") if v is None else v for v in fields[name])
        fields["bands"] = tuple(fields["bands"])
        return cls(**fields)
