"""Metadata of candidates beside their pixels, as members take them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lensing_core.store.batches import in_batches
from lensing_core.store.tables import Candidate, Catalog, Observation, SurveyRow

CLUSTER_COLUMNS = {
    "velocity_dispersion_km_s": ("velocity_dispersion_km_s", "velocity_dispersion", "sigma_v"),
    "x_ray_luminosity_erg_s": ("x_ray_luminosity_erg_s", "x_ray_luminosity", "l_x", "lx"),
    "m200_msun": ("m200_msun", "m200", "m_200"),
}
"""Columns of the imported table, in any case, that are read as these."""
_CATALOG_UNITS = {"x_ray_luminosity_erg_s": (1e30, 1e44), "m200_msun": (1e6, 1e14)}
"""Catalogs of clusters count in 1e44 erg/s and 1e14 solar masses: values below the first number are
multiplied by the second."""
NAMES = (
    *("psf_fwhm_arcsec", "depth_mag", "pixel_scale_arcsec", "redshift", "richness", "survey"),
    *CLUSTER_COLUMNS,
)


def fetch_metadata(session: Session, candidate_ids: Sequence[int]) -> dict[str, list[Any]]:
    """Columns of :data:`NAMES` for candidates, in their order; None where unknown.

    The redshift is spectroscopic where there is one; the depth is the mean 5σ depth of the
    catalog's bands.
    """
    metadata: dict[int, dict[str, Any]] = {}
    for part in in_batches(candidate_ids):
        rows = session.execute(
            select(Candidate.id, Observation, Catalog, SurveyRow)
            .join(Catalog, Catalog.id == Candidate.catalog_id)
            .join(SurveyRow, SurveyRow.id == Catalog.survey_id)
            .outerjoin(Observation, Observation.candidate_id == Candidate.id)
            .where(Candidate.id.in_(part))
        )
        for candidate_id, observed, catalog, survey in rows:
            metadata[candidate_id] = _metadata(observed, catalog, survey)
    return {name: [metadata[k][name] for k in candidate_ids] for name in NAMES}


def _metadata(observed: Observation | None, catalog: Catalog, survey: SurveyRow) -> dict[str, Any]:
    known = {
        "survey": survey.name,
        "pixel_scale_arcsec": catalog.pixel_scale_arcsec,
        "depth_mag": _depth(survey.definition.get("bands", ()), set(catalog.bands)),
        "psf_fwhm_arcsec": None,
        "redshift": None,
        "richness": None,
        **dict.fromkeys(CLUSTER_COLUMNS),
    }
    if observed is None:
        return known
    z = observed.z_phot if observed.z_spec is None else observed.z_spec
    scale = observed.source_pixel_scale_arcsec or catalog.pixel_scale_arcsec
    return {
        **known,
        "psf_fwhm_arcsec": observed.psf_fwhm_arcsec,
        "pixel_scale_arcsec": scale,
        "redshift": z,
        "richness": observed.richness,
        **{name: cluster_value(observed.properties, name) for name in CLUSTER_COLUMNS},
    }


def cluster_value(properties: Mapping[str, Any], name: str) -> float | None:
    """A positive number of a column that is read as ``name``; None where there is none."""
    lower = {key.lower(): value for key, value in properties.items()}
    for column in CLUSTER_COLUMNS[name]:
        value = lower.get(column)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            below, factor = _CATALOG_UNITS.get(name, (0.0, 1.0))
            return float(value) * factor if value < below else float(value)
    return None


def _depth(bands: Iterable[Mapping[str, Any]], used: set[str]) -> float | None:
    depths = [band.get("depth_mag") for band in bands if band.get("name") in used]
    known = [depth for depth in depths if depth is not None and depth == depth]
    return sum(known) / len(known) if known else None
