"""Scores of candidates: written by scoring, read by id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit
from sqlalchemy import delete, exists, func, insert, select
from sqlalchemy.orm import Session

from lensing_core.arrays import Float64Array, IntArray
from lensing_core.store.batches import in_batches
from lensing_core.store.tables import Candidate, Catalog, Ensemble, MemberScore, Score

_AT_ONCE = 10_000

if TYPE_CHECKING:
    from lensing_core.models.ensemble import EnsembleScores


def write_scores(
    session: Session,
    ensemble: Ensemble,
    catalog_id: int,
    ids: Sequence[int],
    scores: EnsembleScores,
    distances: Float64Array | None,
) -> None:
    """Add the scores of candidates, and put what their members say in place of what they said.

    Parameters
    ----------
    scores : EnsembleScores
        Of ``ids``, in their order.
    distances : ndarray of shape (n,) or None
        OOD distances.
    """
    n = len(ids)
    columns: dict[str, list[Any]] = {
        "ensemble_id": [ensemble.id] * n,
        "candidate_id": list(ids),
        "catalog_id": [catalog_id] * n,
        **{
            name: getattr(scores, name).tolist()
            for name in ("logit", "probability", "epistemic", "aleatoric", "disagreement")
        },
        "ood_distance": [None] * n if distances is None else distances.tolist(),
    }
    connection = session.connection()  # past the unit of work, which plain rows do not need
    connection.execute(insert(Score), _rows(columns))
    # A member may serve several ensembles, with a calibration in each; the last one stands.
    models = [member.model_id for member in ensemble.members]
    for part in in_batches(ids):
        session.execute(
            delete(MemberScore).where(
                MemberScore.model_id.in_(models), MemberScore.candidate_id.in_(part)
            )
        )
    logits = scores.member_logits
    connection.execute(
        insert(MemberScore),
        _rows(
            {
                "model_id": models * n,
                "candidate_id": np.repeat(np.asarray(ids, dtype=np.int64), len(models)).tolist(),
                "logit": logits.ravel().tolist(),
                "probability": expit(logits).ravel().tolist(),
            }
        ),
    )


def _rows(columns: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    """Rows from columns."""
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def delete_scores(session: Session, ensemble_id: int, ids: Iterable[int]) -> None:
    """Remove what an ensemble says of candidates."""
    for part in in_batches(ids):
        session.execute(
            delete(Score).where(Score.ensemble_id == ensemble_id, Score.candidate_id.in_(part))
        )


def logits_of(session: Session, ensemble_id: int, candidate_ids: IntArray) -> Float64Array:
    """Logits of an ensemble, shape (n,), in the order of the ids; NaN where it has no score."""
    logits: dict[int, float] = {}
    for part in in_batches(candidate_ids):
        rows = session.execute(
            select(Score.candidate_id, Score.logit).where(
                Score.ensemble_id == ensemble_id, Score.candidate_id.in_(part)
            )
        )
        logits.update((row[0], row[1]) for row in rows)
    return np.array([logits.get(k, np.nan) for k in candidate_ids.tolist()], dtype=np.float64)


def read_scores(
    session: Session, catalog_id: int, ensemble_id: int
) -> tuple[IntArray, Float64Array]:
    """Ids of the candidates of a catalog that an ensemble has scored, ascending, and logits."""
    columns = Score.__table__.c
    rows = session.connection().execute(
        select(columns.candidate_id, columns.logit)
        .where(columns.ensemble_id == ensemble_id, columns.catalog_id == catalog_id)
        .order_by(columns.candidate_id)
        .execution_options(yield_per=_AT_ONCE)
    )
    found = np.array([tuple(row) for row in rows], dtype=[("id", "i8"), ("logit", "f8")])
    return found["id"], found["logit"]


def scored_ids(session: Session, ensemble_id: int, catalog_id: int) -> IntArray:
    """Ids of the candidates of a catalog that an ensemble has scored, in ascending order."""
    rows = session.scalars(
        select(Score.candidate_id)
        .where(Score.ensemble_id == ensemble_id, Score.catalog_id == catalog_id)
        .order_by(Score.candidate_id)
        .execution_options(yield_per=_AT_ONCE)
    )
    return np.fromiter(rows, dtype=np.int64)


def first_of_ranking(session: Session, catalog_id: int, ensemble_id: int, n: int) -> list[int]:
    """Ids of the ``n`` candidates with the highest scores."""
    return list(
        session.scalars(
            select(Score.candidate_id)
            .where(Score.ensemble_id == ensemble_id, Score.catalog_id == catalog_id)
            .order_by(Score.logit.desc(), Score.candidate_id.desc())
            .limit(n)
        )
    )


def read_logits(session: Session, catalog_id: int, ensemble_id: int) -> Float64Array:
    """All scores of a catalog, in no order."""
    columns = Score.__table__.c
    rows = session.connection().execute(
        select(columns.logit)
        .where(columns.ensemble_id == ensemble_id, columns.catalog_id == catalog_id)
        .execution_options(yield_per=_AT_ONCE)
    )
    return np.fromiter((logit for (logit,) in rows), dtype=np.float64)


def count_unscored(session: Session, ensemble: str, catalogs: Sequence[str]) -> int:
    """Number of candidates of catalogs, by name, that an ensemble has not scored."""
    statement = (
        select(func.count())
        .select_from(Candidate)
        .join(Catalog, Catalog.id == Candidate.catalog_id)
        .where(
            Catalog.name.in_(catalogs),
            ~exists().where(
                Score.candidate_id == Candidate.id,
                Score.ensemble_id == Ensemble.id,
                Ensemble.name == ensemble,
            ),
        )
    )
    return session.scalar(statement) or 0
