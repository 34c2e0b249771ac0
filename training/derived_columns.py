"""Derived columns for filters: arcs, colors and the θ_E proxy.

Arcs and colors are features that a classic member computes when it scores; the θ_E proxy follows
from the catalog's own columns. All are kept with the candidate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lensing_core.arrays import Float32Array, Float64Array
from lensing_core.ingest.proxies import theta_e_proxies
from lensing_core.models.classic import ClassicMember
from lensing_core.models.files import StoredMember, load_member
from lensing_core.models.member import MemberOutput
from lensing_core.models.outputs import outputs_path, stored_output
from lensing_core.store import open_database
from lensing_core.store.candidates import candidates_by_cutout, write_columns
from lensing_core.store.catalogs import find_catalog
from lensing_core.store.models import newest_models
from lensing_core.store.observations import observed_for_proxies
from lensing_core.stored_arrays import StoredArray
from lensing_core.workspace import Workspace

_FEATURES = {
    "arc_radius_arcsec": "arc_radius",
    "arc_length_arcsec": "arc_length",
    "arc_snr": "arc_snr",
    "color_consistency": "colour_consistency",
}
_AGAINST = "colour_against_galaxy_"
_AT_ONCE = 5000


def columns_of_features(names: Sequence[str], table: Float32Array) -> dict[str, Float64Array]:
    """Columns of the candidate table from features (n, len(names)); NaN where unknown.

    Empty where the features hold no segments.
    """
    if "arc_angle" not in names:
        return {}
    place = {name: k for k, name in enumerate(names)}
    columns = {
        column: table[:, place[name]].astype(np.float64)
        for column, name in _FEATURES.items()
        if name in place
    }
    columns["arc_angle_deg"] = np.degrees(table[:, place["arc_angle"]].astype(np.float64))
    colors = [k for name, k in place.items() if name.startswith(_AGAINST)]
    if colors:  # differences of neighboring bands add up to first minus last
        columns["arc_galaxy_color_mag"] = table[:, colors].astype(np.float64).sum(axis=1)
    return columns


def columns_of_members(
    members: Sequence[StoredMember], outputs: Mapping[str, MemberOutput]
) -> dict[str, Float64Array]:
    """The same from what members gave; of the last classic one that knows segments."""
    columns: dict[str, Float64Array] = {}
    for stored in members:
        features = outputs[stored.id].features if stored.id in outputs else None
        if isinstance(stored.member, ClassicMember) and features is not None:
            columns = columns_of_features(stored.member.features["names"], features) or columns
    return columns


def derive_columns(workspace: Workspace, name: str) -> dict[str, int]:
    """Fill the columns of a catalog that was imported or scored before they were kept.

    Arcs and colors come from the stored features of the newest model that has them; no pixel is
    looked at.

    Returns
    -------
    dict
        How many candidates have each measure now.

    Raises
    ------
    NotFoundError
        If there is no such catalog.
    """
    with open_database(workspace).session() as session:
        catalog = find_catalog(session, name)
        models = newest_models(session, "lightgbm")
    source = _features(workspace, models, name)
    counts: dict[str, int] = {}
    for start in range(0, catalog.n_candidates, _AT_ONCE):
        with open_database(workspace).session() as session:
            rows = candidates_by_cutout(session, catalog.id, start, start + _AT_ONCE)
            ids = list(rows)
            derived = {"theta_e_proxy_arcsec": theta_e_proxies(observed_for_proxies(session, ids))}
            if source is not None:
                names, table = source
                index = np.array(list(rows.values()), dtype=np.int64)
                features = np.full((len(index), table.shape[1]), np.nan, dtype=np.float32)
                inside = index < len(table)
                features[inside] = table[index[inside]]
                derived |= columns_of_features(names, features)
            write_columns(session, ids, derived)
        for column, values in derived.items():
            counts[column] = counts.get(column, 0) + int(np.isfinite(values).sum())
    return counts


def _features(
    workspace: Workspace, models: Sequence[str], catalog: str
) -> tuple[Sequence[str], StoredArray] | None:
    """Names and stored table of the newest model that has segments of the catalog."""
    for model_id in models:
        table = stored_output(outputs_path(workspace, model_id, catalog, "features"))
        if table is not None:
            member = load_member(workspace, model_id).member
            if isinstance(member, ClassicMember) and "arc_angle" in member.features["names"]:
                return member.features["names"], table
    return None
