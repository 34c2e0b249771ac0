"""Measurements of cutouts by which a catalog is compared with a training set."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from lensing_core.arrays import Float32Array, Float64Array
from lensing_core.cutouts import CutoutGeometry
from lensing_core.evaluation.appearance import measure_appearance
from lensing_core.imaging.noise import frame_mask
from lensing_core.models.contract import flux_scale

_MAD_TO_SIGMA = 1.482602218505602  # 1 / Phi^-1(3/4)
_ZERO_POINT_MAG = 25.0


@dataclass(frozen=True)
class Quantity:
    """A kind of column.

    Attributes
    ----------
    title : str
        For people; the band follows it, where the column is of one.
    unit : str
    least_spread : float
        Smallest standard deviation that differences are measured in: training objects of one
        image have all the same.
    """

    title: str
    unit: str
    least_spread: float


QUANTITIES = {
    "noise": Quantity("Noise of a pixel", "mag", 0.1),
    "sky": Quantity("Sky level", "σ of a pixel", 0.1),
    "missing": Quantity("Pixels without data", "share", 0.02),
    "brightness": Quantity("Brightness within 2″", "mag", 0.1),
    "color": Quantity("Color", "mag", 0.05),
    "size": Quantity("Radius of half the light", "″", 0.05),
    "psf_fwhm_arcsec": Quantity("PSF FWHM", "″", 0.05),
    "depth_mag": Quantity("5σ depth", "mag", 0.1),
    "redshift": Quantity("Redshift", "", 0.02),
}
"""By the part of a column's name before its space; the rest is the band, or two of a color."""
METADATA = ("psf_fwhm_arcsec", "depth_mag", "redshift")


def quantity_of(column: str) -> Quantity | None:
    """Return what a column measures; None for a feature of a member."""
    return QUANTITIES.get(column.partition(" ")[0])


def title_of(column: str) -> str:
    """Name of a column for people: its quantity and its band."""
    quantity, band = quantity_of(column), column.partition(" ")[2]
    if quantity is None:
        return column
    return f"{quantity.title}, {band}" if band else quantity.title


def measure_columns(flux: Float32Array, geometry: CutoutGeometry) -> dict[str, Float64Array]:
    """Measure cutouts (n, band, y, x) as stored: columns (n,) by name; NaN where unknown.

    ``noise BAND`` is the magnitude of 1.4826 MAD of the pixels of the frame, ``sky BAND`` their
    median in units of that, ``missing BAND`` the share of pixels without data; ``brightness``,
    ``color BAND-BAND`` and ``size`` are those of
    :class:`~lensing_core.evaluation.appearance.Appearance`, in AB magnitudes and arcsec. Of
    rendered pictures magnitudes are instrumental: −2.5 log10 of counts.

    Raises
    ------
    ContractError
        If a band of flux has no zero point.
    """
    zero_point = _ZERO_POINT_MAG if geometry.pixel_kind == "flux" else 0.0
    frame = (flux[..., frame_mask(flux.shape[-1])] * flux_scale(geometry)[:, None]).astype(float)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN")  # a band without data has no sky
        sky = np.nanmedian(frame, axis=-1)
        sigma = _MAD_TO_SIGMA * np.nanmedian(np.abs(frame - sky[..., None]), axis=-1)
    sigma = np.where(sigma > 0, sigma, np.nan)  # no scatter: a picture's clipped sky
    missing = np.isnan(flux).mean(axis=(-1, -2), dtype=np.float64)
    look = measure_appearance(flux, geometry)
    columns: dict[str, Float64Array] = {}
    for k, band in enumerate(geometry.bands):
        columns[f"noise {band}"] = zero_point - 2.5 * np.log10(sigma[:, k])
        columns[f"sky {band}"] = sky[:, k] / sigma[:, k]
        columns[f"missing {band}"] = missing[:, k]
    columns["brightness"] = zero_point - 2.5 * look.brightness[:, 0]
    for k, (blue, red) in enumerate(zip(geometry.bands, geometry.bands[1:], strict=False)):
        columns[f"color {blue}-{red}"] = 2.5 * look.color[:, k]
    columns["size"] = 10 ** look.size[:, 0]
    return columns
