"""What charts show of all candidates of a ranking, as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from lensing_core.store.ranking import RankingQuery
from lensing_core.store.ranking_filters import candidate_conditions, score_conditions
from lensing_core.store.tables import Candidate, Score

MOST_CHARTED = 3_000_000
_AT_ONCE = 50_000


@dataclass(frozen=True)
class ChartColumns:
    """Columns of n candidates, in no order; NaN where unknown."""

    candidate_id: NDArray[np.int64]
    catalog_id: NDArray[np.int64]
    cutout_index: NDArray[np.int64]
    healpix: NDArray[np.int64]
    ra_deg: NDArray[np.float64]
    dec_deg: NDArray[np.float64]
    logit: NDArray[np.float64]
    probability: NDArray[np.float64]
    epistemic: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.candidate_id)


def fetch_columns(session: Session, query: RankingQuery) -> ChartColumns:
    """Columns of the candidates that pass the filters, 3,000,000 at most; healpix −1: no place."""
    where = (Candidate.id, Candidate.catalog_id, Candidate.cutout_index, Candidate.healpix)
    statement = select(*where, Candidate.ra_deg, Candidate.dec_deg).where(
        *candidate_conditions(query)
    )
    if query.ensemble_id is not None:
        statement = statement.add_columns(Score.logit, Score.probability, Score.epistemic)
        statement = statement.join(Score, Score.candidate_id == Candidate.id).where(
            Score.ensemble_id == query.ensemble_id, *score_conditions(query)
        )
    if query.catalog_ids:
        statement = statement.where(Candidate.catalog_id.in_(query.catalog_ids))
    rows = session.execute(statement.limit(MOST_CHARTED).execution_options(yield_per=_AT_ONCE))
    parts = [np.array([tuple(row) for row in part], dtype=float) for part in rows.partitions()]
    scores = 3 * (query.ensemble_id is not None)
    table = np.concatenate(parts) if parts else np.empty((0, 6 + scores))
    if not scores:
        table = np.column_stack([table, np.full((len(table), 3), np.nan)])
    table[:, 3] = np.where(np.isnan(table[:, 3]), -1, table[:, 3])
    whole = table[:, :4].astype(np.int64)
    return ChartColumns(*whole.T.copy(), *table[:, 4:].T.copy())
