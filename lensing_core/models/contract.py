"""Input contract of a model: the images it takes, and how a catalog's cutouts are fitted to it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from lensing_core.arrays import Float32Array
from lensing_core.cutouts import CutoutGeometry
from lensing_core.errors import ContractError

PIXEL_SCALE_TOLERANCE = 0.05


@dataclass(frozen=True)
class InputContract:
    """Bands, size, pixel scale and kind of pixel of a model's input.

    Attributes
    ----------
    bands : tuple of str
        In the model's order.
    size_px : int
    pixel_scale_arcsec : float
        Catalogs within 5 % of it are taken.
    pixel_kind : {'flux', 'rendered'}
    """

    bands: tuple[str, ...]
    size_px: int
    pixel_scale_arcsec: float
    pixel_kind: str

    @property
    def size_arcsec(self) -> float:
        """Side of the input on the sky."""
        return self.size_px * self.pixel_scale_arcsec

    @classmethod
    def of(cls, geometry: CutoutGeometry) -> InputContract:
        """The contract of a model that is trained on cutouts of this geometry."""
        return cls(
            geometry.bands, geometry.size_px, geometry.pixel_scale_arcsec, geometry.pixel_kind
        )

    def fit(self, geometry: CutoutGeometry, catalog: str) -> CutoutSelection:
        """Return how to take this model's input from cutouts of ``geometry``.

        Bands are matched by name, further bands are left out, larger cutouts are cropped to the
        center.

        Raises
        ------
        ContractError
            Saying what does not fit.
        """
        problems = []
        if geometry.pixel_kind != self.pixel_kind:
            problems.append(f"pixels are {geometry.pixel_kind}, not {self.pixel_kind}")
        missing = [band for band in self.bands if band not in geometry.bands]
        if missing:
            problems.append(f"bands {', '.join(missing)} are missing")
        ratio = geometry.pixel_scale_arcsec / self.pixel_scale_arcsec
        if abs(ratio - 1) > PIXEL_SCALE_TOLERANCE:
            problems.append(
                f"pixels are {geometry.pixel_scale_arcsec:g}″, not {self.pixel_scale_arcsec:g}″"
            )
        if geometry.size_px < self.size_px:
            why = ""
            if geometry.size_arcsec < self.size_arcsec:
                why = f": {geometry.size_arcsec:.1f}″ cannot hold the arcs that it was trained on"
            problems.append(f"cutouts have {geometry.size_px} px, fewer than {self.size_px}{why}")
        if problems:
            raise ContractError(
                f"Catalog {catalog} does not fit the model: {'; '.join(problems)}. Train on such "
                "cutouts, or choose another ensemble."
            )
        index = [geometry.bands.index(band) for band in self.bands]
        first = (geometry.size_px - self.size_px) // 2
        reduced = replace(
            geometry,
            bands=self.bands,
            size_px=self.size_px,
            zero_points_mag=tuple(geometry.zero_points_mag[i] for i in index),
            psf_fwhm_arcsec=tuple(geometry.psf_fwhm_arcsec[i] for i in index),
        )
        return CutoutSelection(tuple(index), slice(first, first + self.size_px), reduced)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**asdict(self), "bands": list(self.bands)}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> InputContract:
        """Read what :meth:`to_json` wrote."""
        return cls(**{**stored, "bands": tuple(stored["bands"])})


@dataclass(frozen=True)
class CutoutSelection:
    """The bands and the crop that a model takes, and the geometry of the result."""

    bands: tuple[int, ...]
    window: slice
    geometry: CutoutGeometry

    def __call__(self, flux: Float32Array) -> Float32Array:
        """The model's input (n, band, y, x) from cutouts (n, band, y, x)."""
        return flux[:, list(self.bands), self.window, self.window]


def flux_scale(geometry: CutoutGeometry) -> Float32Array:
    """Factors, shape (band,), from stored flux to flux at AB zero point 25; 1 for pictures."""
    if geometry.pixel_kind == "rendered":
        return np.ones(len(geometry.bands), dtype=np.float32)
    zero_points = np.array(geometry.zero_points_mag)
    if np.isnan(zero_points).any():
        unknown = [
            b for b, z in zip(geometry.bands, geometry.zero_points_mag, strict=True) if z != z
        ]
        raise ContractError(f"Bands {', '.join(unknown)} have no zero point; give it at import.")
    return (10 ** (-0.4 * (zero_points - 25.0))).astype(np.float32)
