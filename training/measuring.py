"""What lists of candidates are filtered by beside scores: arcs, colours and the θ_E proxy.

Arcs and colours are features that a classic member computes when it scores; the θ_E proxy follows
from the catalog's own columns. All are kept with the candidate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lensing_core.errors import NotFoundError
from lensing_core.ingest.proxies import theta_e_proxies
from lensing_core.models.classic import ClassicMember
from lensing_core.models.files import StoredMember, load_member
from lensing_core.models.member import MemberOutput
from lensing_core.models.outputs import outputs_path, stored_output
from lensing_core.store import open_database
from lensing_core.store.tables import Candidate, Catalog, Model, Observation
from lensing_core.stored_arrays import StoredArray
from lensing_core.workspace import Workspace

Column = NDArray[np.float64]
_FEATURES = {
    "arc_radius_arcsec": "arc_radius",
    "arc_length_arcsec": "arc_length",
    "arc_snr": "arc_snr",
    "colour_consistency": "colour_consistency",
}
_AGAINST = "colour_against_galaxy_"
_AT_ONCE = 5000


def measures_of_features(names: Sequence[str], table: NDArray[np.float32]) -> dict[str, Column]:
    """Columns of the candidate table from features (n, len(names)); NaN where unknown.

    Empty where the features hold no segments.
    """
    if "arc_angle" not in names:
        return {}
    place = {name: k for k, name in enumerate(names)}
    found = {
        column: table[:, place[name]].astype(np.float64)
        for column, name in _FEATURES.items()
        if name in place
    }
    found["arc_angle_deg"] = np.degrees(table[:, place["arc_angle"]].astype(np.float64))
    colours = [k for name, k in place.items() if name.startswith(_AGAINST)]
    if colours:  # differences of neighbouring bands add up to first minus last
        found["arc_galaxy_colour_mag"] = table[:, colours].astype(np.float64).sum(axis=1)
    return found


def measures_of_members(
    members: Sequence[StoredMember], outputs: Mapping[str, MemberOutput]
) -> dict[str, Column]:
    """The same from what members gave; of the last classic one that knows segments."""
    found: dict[str, Column] = {}
    for stored in members:
        features = outputs[stored.id].features if stored.id in outputs else None
        if isinstance(stored.member, ClassicMember) and features is not None:
            found = measures_of_features(stored.member.features["names"], features) or found
    return found


def write_measures(
    session: Session, candidate_ids: Sequence[int], measures: Mapping[str, Column]
) -> None:
    """Put columns, NaN where unknown, into the rows of candidates."""
    if not measures or not candidate_ids:
        return
    columns = {
        name: [v if np.isfinite(v) else None for v in values.tolist()]
        for name, values in measures.items()
    }
    session.execute(
        update(Candidate),
        [
            {"id": key, **{name: values[k] for name, values in columns.items()}}
            for k, key in enumerate(candidate_ids)
        ],
    )


def measure_catalog(workspace: Workspace, name: str) -> dict[str, int]:
    """Fill the columns of a catalog that was imported or scored before they were kept.

    Arcs and colours come from the stored features of the newest model that has them; no pixel is
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
        catalog = session.scalar(select(Catalog).where(Catalog.name == name))
        if catalog is None:
            raise NotFoundError(f"There is no catalog {name}.")
        models = session.scalars(
            select(Model.id).where(Model.kind == "lightgbm").order_by(Model.created_at.desc())
        ).all()
    source = _features(workspace, models, name)
    counts: dict[str, int] = {}
    for start in range(0, catalog.n_candidates, _AT_ONCE):
        with open_database(workspace).session() as session:
            rows = session.execute(
                select(Candidate.id, Candidate.cutout_index)
                .where(
                    Candidate.catalog_id == catalog.id,
                    Candidate.cutout_index.between(start, start + _AT_ONCE - 1),
                )
                .order_by(Candidate.cutout_index)
            ).all()
            ids = [row.id for row in rows]
            measures = {"theta_e_proxy_arcsec": theta_e_proxies(_observed(session, ids))}
            if source is not None:
                names, table = source
                index = np.array([row.cutout_index for row in rows], dtype=np.int64)
                features = np.full((len(index), table.shape[1]), np.nan, dtype=np.float32)
                inside = index < len(table)
                features[inside] = table[index[inside]]
                measures |= measures_of_features(names, features)
            write_measures(session, ids, measures)
        for column, values in measures.items():
            counts[column] = counts.get(column, 0) + int(np.isfinite(values).sum())
    return counts


def _observed(session: Session, candidate_ids: Sequence[int]) -> list[dict[str, Any]]:
    columns = (Observation.richness, Observation.z_spec, Observation.z_phot, Observation.properties)
    found = {
        row.candidate_id: row._asdict()
        for row in session.execute(
            select(Observation.candidate_id, *columns).where(
                Observation.candidate_id.in_(candidate_ids)
            )
        )
    }
    return [found.get(key, {}) for key in candidate_ids]


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
