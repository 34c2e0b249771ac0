"""The probe of a retraining: the columns that it may take, grades, and what is kept of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lens_triage.training.jobs.retrain.heads import HeadPlan
from lensing_core.arrays import Float64Array, IntArray
from lensing_core.errors import BadInputError
from lensing_core.models.files import StoredMember
from lensing_core.models.head import HeadInput
from lensing_core.pu import PUModel
from lensing_core.pu.best_probe import BestProbe, columns_used, without_columns
from lensing_core.pu.probes import ColumnBlock, probe_inputs
from lensing_core.store import Session
from lensing_core.store.observations import table_column

PROBE = "probe"


def plan_probe(
    inputs: Sequence[HeadInput], encoders: Sequence[StoredMember], *, graded: bool, seed: int
) -> HeadPlan:
    """A probe that may take every column of the base members and encoders.

    Raises
    ------
    BadInputError
        If there are no columns.
    """
    if not inputs:
        raise BadInputError(
            "Head probe needs embeddings or features, and no member or encoder has stored any."
        )
    manifests = {stored.id: stored.manifest for stored in encoders}
    blocks: list[ColumnBlock] = []
    at = 0
    for given in inputs:
        parts = manifests.get(given.model, {}).get("blocks") if given.what == "embedding" else None
        for part in parts or [{"layer": given.what, "columns": given.columns}]:
            blocks.append(ColumnBlock(given.model, part["layer"], at, at + part["columns"]))
            at += part["columns"]
    method = BestProbe(tuple(probe_inputs(blocks, graded=graded)), seed=seed)
    return HeadPlan(PROBE, tuple(inputs), method, naive=False)


def trimmed(inputs: Sequence[HeadInput], model: PUModel) -> tuple[tuple[HeadInput, ...], PUModel]:
    """A probe with the outputs that it takes alone, so that nothing else need be computed."""
    used = columns_used(model)
    ends = np.cumsum([given.columns for given in inputs])
    spans = [np.arange(end - i.columns, end) for i, end in zip(inputs, ends, strict=True)]
    kept = [k for k, span in enumerate(spans) if used[span].any()] or [0]
    rows = np.concatenate([spans[k] for k in kept])
    return tuple(inputs[k] for k in kept), without_columns(model, rows)


def read_grades(session: Session, candidate_ids: IntArray, column: str) -> Float64Array:
    """Grades from a column of the imported table, from 0 (lowest) to 1; NaN where there is none.

    Raises
    ------
    BadInputError
        If no candidate has a number there.
    """
    column_values = table_column(session, candidate_ids, column)
    values = np.array([_number(value) for value in column_values])
    known = values[np.isfinite(values)]
    if not len(known) or known.min() == known.max():
        raise BadInputError(
            f"grade_column = {column}: {len(known):,} candidates have a number there, and they do "
            "not differ; name a column with grades, or none."
        )
    return (values - known.min()) / (known.max() - known.min())


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]  # what is no number is refused below
    except (TypeError, ValueError):
        return float("nan")
