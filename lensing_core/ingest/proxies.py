"""Proxies of a lens's size from a catalog's own columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lensing_core.arrays import Float64Array
from lensing_core.features.catalog import einstein_radius_proxy_arcsec
from lensing_core.store.metadata import cluster_value


def theta_e_proxies(observations: Sequence[Mapping[str, Any]]) -> Float64Array:
    """Einstein radii that richness, velocity dispersion or mass suggest, arcsec; NaN if nothing.

    Parameters
    ----------
    observations : sequence of mapping
        Columns of :class:`~lensing_core.store.tables.Observation` by name, as far as known.
    """
    table = np.full((4, len(observations)), np.nan)
    for k, known in enumerate(observations):
        properties = known.get("properties") or {}
        z = known.get("z_phot") if known.get("z_spec") is None else known.get("z_spec")
        values = (
            known.get("richness"),
            cluster_value(properties, "velocity_dispersion_km_s"),
            cluster_value(properties, "m200_msun"),
            z,
        )
        table[:, k] = [np.nan if v is None else v for v in values]
    found = np.full(len(observations), np.nan)
    some = np.isfinite(table[:3]).any(axis=0)
    if some.any():  # distances are slow to compute where nothing can come of them
        found[some] = einstein_radius_proxy_arcsec(*table[:, some])
    return found
