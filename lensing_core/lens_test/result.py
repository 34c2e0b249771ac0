"""Result of a lens test, and its storage."""

from __future__ import annotations

import io
import math
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from lensing_core.arrays import Float32Array
from lensing_core.errors import DamagedError
from lensing_core.lens_test.evidence import TITLES, Evidence, Verdict

INDICATIVE = (
    "Indicative: one isothermal mass and one smooth source, fitted in seconds. It is no lens model "
    "to publish."
)


@dataclass(frozen=True)
class Estimate:
    """A parameter with its standard error."""

    value: float
    error: float


@dataclass(frozen=True)
class LensTestPictures:
    """Pictures of a test, on the pixels that were fitted; flux in units of the cutout.

    Attributes
    ----------
    galaxy, arcs : ndarray of shape (band, y, x)
        Light of the lens with the sky, and of the source seen through it; NaN where nothing was
        fitted.
    sigma : ndarray of shape (band, y, x)
        Noise with the error of the galaxy's model; NaN where a pixel did not count.
    source : ndarray of shape (band, y, x)
        The source as it would be seen without a lens and without a PSF, around its center.
    source_scale_arcsec : float
    """

    galaxy: Float32Array
    arcs: Float32Array
    sigma: Float32Array
    source: Float32Array
    source_scale_arcsec: float


@dataclass(frozen=True)
class LensTestResult:
    """A lens test of one cutout.

    Lengths are in arcsec, places from the middle of the cutout (x with the column, y with the row),
    angles in degrees from x towards y.

    Attributes
    ----------
    verdict : {'supports', 'no_lens', 'unclear'}
    sentence : str
        The verdict with its reason.
    theta_e_arcsec, axis_ratio, angle_deg, shear, shear_angle_deg : Estimate
        Of the mass: an SIE of the intermediate-axis convention (without shear its critical curve
        encloses π θ_E²), and the external shear.
    source_x_arcsec, source_y_arcsec : Estimate
    source_radius_arcsec, source_index, source_axis_ratio : Estimate
    lens_x_arcsec, lens_y_arcsec : float
        Center of the mass.
    chi2, chi2_no_lens, n_pixels : float
        Of the lens and of the same galaxy without arcs, over the same pixels.
    reduced_chi2, reduced_chi2_no_lens : float
    evidence : Evidence
    noise_correlation : float
        By which χ² were divided in BIC, S/N and errors.
    critical_curve, caustic, cut : tuple of (x, y)
    images : tuple of (x, y, magnification)
        Of the source's center; negative magnification: mirrored.
    bands : tuple of str
        That were fitted.
    first_px, binning : int
        Which pixels of the cutout the pictures show.
    scale_arcsec : float
        Side of a pixel of the pictures.
    seconds : float
    version : int
    settings : dict
    pictures : LensTestPictures
    """

    verdict: Verdict
    sentence: str
    theta_e_arcsec: Estimate
    axis_ratio: Estimate
    angle_deg: Estimate
    shear: Estimate
    shear_angle_deg: Estimate
    source_x_arcsec: Estimate
    source_y_arcsec: Estimate
    source_radius_arcsec: Estimate
    source_index: Estimate
    source_axis_ratio: Estimate
    lens_x_arcsec: float
    lens_y_arcsec: float
    chi2: float
    chi2_no_lens: float
    n_pixels: int
    evidence: Evidence
    noise_correlation: float
    critical_curve: tuple[tuple[float, float], ...]
    caustic: tuple[tuple[float, float], ...]
    cut: tuple[tuple[float, float], ...]
    images: tuple[tuple[float, float, float], ...]
    bands: tuple[str, ...]
    first_px: int
    binning: int
    scale_arcsec: float
    seconds: float
    version: int
    settings: dict[str, Any]
    pictures: LensTestPictures

    @property
    def reduced_chi2(self) -> float:
        """χ² a pixel."""
        return self.chi2 / max(self.n_pixels, 1)

    @property
    def reduced_chi2_no_lens(self) -> float:
        """The same of the galaxy alone."""
        return self.chi2_no_lens / max(self.n_pixels, 1)

    def to_json(self) -> dict[str, Any]:
        """All but the pictures, as plain JSON; what is no number is null."""
        found = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name != "pictures"
        }
        for name, value in found.items():
            if isinstance(value, Estimate | Evidence):
                found[name] = asdict(value)
        found["title"] = TITLES[self.verdict]
        found["indicative"] = INDICATIVE
        found["reduced_chi2"] = self.reduced_chi2
        found["reduced_chi2_no_lens"] = self.reduced_chi2_no_lens
        plain: dict[str, Any] = _plain(found)
        return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value


def pack_pictures(pictures: LensTestPictures) -> bytes:
    """Pictures as compressed bytes, to three digits."""
    out = io.BytesIO()
    parts: dict[str, Any] = {}
    for name in ("galaxy", "arcs", "sigma", "source"):
        values = np.asarray(getattr(pictures, name), dtype=np.float64)
        # Fluxes of some surveys do not fit half precision: each picture has a scale of its own.
        largest = float(np.nanmax(np.abs(values), initial=0)) or 1.0
        parts[name] = (values / largest).astype(np.float16)
        parts[f"{name}_scale"] = np.float64(largest)
    np.savez_compressed(out, **parts, step=np.float64(pictures.source_scale_arcsec))
    return out.getvalue()


def unpack_pictures(packed: bytes) -> LensTestPictures:
    """Return what :func:`pack_pictures` kept; raises DamagedError."""
    try:
        with np.load(io.BytesIO(packed), allow_pickle=False) as found:
            galaxy, arcs, sigma, source = (
                np.asarray(found[name], dtype=np.float32) * np.float32(found[f"{name}_scale"])
                for name in ("galaxy", "arcs", "sigma", "source")
            )
            return LensTestPictures(galaxy, arcs, sigma, source, float(found["step"]))
    except Exception as error:
        raise DamagedError(
            f"The stored pictures of a lens test cannot be read ({error}); run the test again."
        ) from error
