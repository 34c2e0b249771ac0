"""Features of what a catalog knows of an object beside its pixels; missing stays missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from lensing_core.arrays import Float32Array, Float64Array
from lensing_core.cutouts import CutoutGeometry
from lensing_core.features.block import Metadata
from lensing_core.features.schema import FeatureSchema
from lensing_core.features.segments import CutoutBatch

PROXY_ERROR = 0.3
"""Relative error of the Einstein radius that richness, velocity or mass suggest."""
SOURCE_REDSHIFT = 1.2
"""Assumed behind clusters whose velocity dispersion or mass is known."""
SURVEYS = (
    *("sdss", "des", "decals", "kids", "hsc", "ps1"),
    *("lsst", "euclid", "hst_acs", "jwst_nircam", "cfhtls"),
)
"""Surveys with a column of their own; fixed, so that a new survey changes no model's features."""
_NUMBERS = {
    "psf_fwhm_arcsec": "arcsec",
    "depth_mag": "mag",
    "pixel_scale_arcsec": "arcsec",
    "redshift": "",
    "richness": "",
    "velocity_dispersion_km_s": "km/s",
    "x_ray_luminosity_erg_s": "log10 erg/s",
    "m200_msun": "log10 Msun",
}
_LOGARITHMS = ("x_ray_luminosity_erg_s", "m200_msun")
_PROXY = {"theta_e_proxy_arcsec": "arcsec", "theta_e_proxy_error_arcsec": "arcsec"}


@dataclass(frozen=True)
class CatalogFeatures:
    """Observing conditions and what is known of the deflector."""

    geometry: CutoutGeometry
    schema: ClassVar[FeatureSchema] = FeatureSchema(
        "catalog-1",
        (*_NUMBERS, *_PROXY, *(f"survey_{name}" for name in SURVEYS)),
        (*_NUMBERS.values(), *_PROXY.values(), *("" for _ in SURVEYS)),
    )
    monotone: ClassVar[Mapping[str, int]] = {"psf_fwhm_arcsec": -1}
    metadata_names: ClassVar[tuple[str, ...]] = (*_NUMBERS, "survey")

    def __call__(self, flux: Float32Array, metadata: Metadata | None = None) -> Float32Array:
        """Features of n objects from columns of ``metadata``, None or NaN where unknown."""
        n = len(flux)
        metadata = metadata or {}
        number = {name: _floats(metadata.get(name), n) for name in _NUMBERS}
        proxy = einstein_radius_proxy_arcsec(
            number["richness"],
            number["velocity_dispersion_km_s"],
            number["m200_msun"],
            number["redshift"],
        )
        for name in _LOGARITHMS:
            number[name] = np.log10(np.where(number[name] > 0, number[name], np.nan))
        surveys = metadata.get("survey") or [None] * n
        of_survey = [
            [np.nan if s is None else float(s == name) for name in SURVEYS] for s in surveys
        ]
        columns = [*number.values(), proxy, PROXY_ERROR * proxy]
        one_hot = np.array(of_survey).reshape(n, len(SURVEYS))
        return np.column_stack([*columns, one_hot]).astype(np.float32)

    def of(self, scene: CutoutBatch, metadata: Metadata | None = None) -> Float32Array:
        """Features of a scene's objects."""
        return self(scene.flux, metadata)


def einstein_radius_proxy_arcsec(
    richness: Float64Array,
    velocity_dispersion_km_s: Float64Array,
    m200_msun: Float64Array,
    redshift: Float64Array,
) -> Float64Array:
    """Einstein radius that a cluster's observables suggest, to about 30 %; NaN where none does.

    In this order: 10″ (λ / 50)^0.4 of the richness; that of a singular isothermal sphere of the
    velocity dispersion; the same with the dispersion that M_200 has in simulations,
    1082.9 km/s · (h(z) M_200 / 1e15 M_sun)^0.3361 (Evrard et al. 2008, ApJ 672, 122). The latter
    two need a redshift, and take the source to be at :data:`SOURCE_REDSHIFT`.
    """
    # Takes a second to import: not for features of pixels alone.
    from lensing_core.physics.cosmology import COSMOLOGY, sis_einstein_radius_arcsec

    with np.errstate(all="ignore"):
        of_richness = 10 * (np.where(richness > 0, richness, np.nan) / 50) ** 0.4
        known = np.where(np.isfinite(redshift) & (redshift > 0), redshift, 0.1)
        hubble = COSMOLOGY.H(known).value / 100
        sigma_m = 1082.9 * (hubble * np.where(m200_msun > 0, m200_msun, np.nan) / 1e15) ** 0.3361
        sigma = np.where(velocity_dispersion_km_s > 0, velocity_dispersion_km_s, sigma_m)
        of_sigma = sis_einstein_radius_arcsec(sigma, known, SOURCE_REDSHIFT)
        of_sigma = np.where(np.isfinite(redshift) & (of_sigma > 0), of_sigma, np.nan)
    return np.where(np.isfinite(of_richness), of_richness, of_sigma)


def _floats(column: Sequence[Any] | None, n: int) -> Float64Array:
    if column is None:
        return np.full(n, np.nan)
    return np.array([np.nan if v is None else float(v) for v in column], dtype=np.float64)
