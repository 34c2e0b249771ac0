"""What is labeled among the candidates of catalogs, as far as it may train a classifier.

Labels come with a catalog, or from people here: grades joined by consensus. A decided grade stands
above an imported label of the same object.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lensing_core.errors import BadInputError, NotFoundError, PolicyError
from lensing_core.store.consensus import gold_answers
from lensing_core.store.tables import Candidate, Catalog
from training.jobs.retrain.grades import (
    GradeRule,
    apply_grades,
)
from training.jobs.retrain.label_table import (
    LENS,
    NO_REASON,
    OTHER,
    UNLABELED,
    CandidateLabels,
)

_AT_ONCE = 10_000


def training_labels(
    session: Session,
    names: Sequence[str],
    *,
    min_confidence: float = 0.5,
    grades: GradeRule | None = None,
) -> CandidateLabels:
    """The labels of the candidates of catalogs, by the policies of their provenance.

    Imported labels for pretraining only, non-lenses of a positives-only set, and labels of less
    confidence than ``min_confidence`` do not count. Grades of gold standards never do, and where
    one of the catalogs is observed, simulated gold standards are not labeled at all.

    Parameters
    ----------
    grades : GradeRule, optional
        Without it only imported labels count. The ``consensus`` table is read as it stands.

    Raises
    ------
    NotFoundError
        If there is no catalog of a name.
    BadInputError
        If lenses are missing, or nothing is unlabeled.
    PolicyError
        If known lenses come without other objects of their survey and kind of pixel.
    """
    found = {c.name: c for c in session.scalars(select(Catalog).where(Catalog.name.in_(names)))}
    missing = [name for name in names if name not in found]
    if missing or not names:
        raise NotFoundError(f"There is no catalog {', '.join(missing) or '(none was named)'}.")
    catalogs = [found[name] for name in dict.fromkeys(names)]
    labels = _read(session, catalogs, min_confidence)
    _leave_out_gold(session, labels, catalogs)
    if grades is not None:
        apply_grades(session, labels, grades)
    _check(labels, catalogs)
    return labels


def _read(session: Session, catalogs: Sequence[Catalog], min_confidence: float) -> CandidateLabels:
    ids = [catalog.id for catalog in catalogs]
    n = session.scalars(
        select(func.count()).select_from(Candidate).where(Candidate.catalog_id.in_(ids))
    ).one()
    numbers = np.empty((n, 3), dtype=np.int64)
    position = np.empty((n, 2))
    state, imported = np.full(n, UNLABELED, dtype=np.int8), np.zeros(n, dtype=bool)
    object_id: list[str] = []
    left_out: dict[str, int] = {}
    k = -1
    for catalog in catalogs:
        columns: list[Any] = [
            Candidate.id,
            Candidate.cutout_index,
            Candidate.ra_deg,
            Candidate.dec_deg,
            Candidate.label,
            Candidate.label_confidence,
            Candidate.label_policy,
        ]
        if len(catalogs) > 1:
            columns.append(Candidate.object_id)
        query = select(*columns).where(Candidate.catalog_id == catalog.id)
        rows = session.execute(
            query.order_by(Candidate.cutout_index).execution_options(yield_per=_AT_ONCE)
        )
        for row in rows:
            k += 1
            numbers[k] = row[0], catalog.id, row[1]
            position[k] = [np.nan if v is None else v for v in row[2:4]]
            if len(catalogs) > 1:
                object_id.append(row[7])
            if row[4] is None:
                continue
            imported[k] = True
            confidence = catalog.label_confidence if row[5] is None else row[5]
            reason = _unusable(row[4], row[6] or catalog.label_policy, confidence, min_confidence)
            if reason:
                left_out[reason] = left_out.get(reason, 0) + 1
            else:
                state[k] = row[4]
    return CandidateLabels(
        numbers[:, 0].copy(),
        numbers[:, 1].copy(),
        numbers[:, 2].copy(),
        position[:, 0].copy(),
        position[:, 1].copy(),
        state,
        imported,
        object_id,
        {catalog.id: catalog.name for catalog in catalogs},
        np.ones(n, dtype=np.float32),
        np.full(n, NO_REASON, dtype=np.int8),
        np.zeros(n, dtype=bool),
        left_out,
    )


def _leave_out_gold(session: Session, labels: CandidateLabels, catalogs: Sequence[Catalog]) -> None:
    """Simulated gold standards of sessions do not train beside observed objects."""
    if all(catalog.origin == "simulated" for catalog in catalogs):
        return
    simulated = [c.id for c in catalogs if c.origin == "simulated"]
    gold = np.isin(labels.candidate_id, list(gold_answers(session)))
    gold &= np.isin(labels.catalog_id, simulated) & (labels.state != UNLABELED)
    if gold.any():
        labels.state[gold] = UNLABELED
        labels.left_out["simulated gold standard"] = int(gold.sum())


def _unusable(label: int, policy: str, confidence: float, min_confidence: float) -> str:
    """Why a label does not count; '' if it does."""
    if policy == "pretraining_only":
        return "for pretraining only"
    if policy == "positives_only" and label == OTHER:
        return "non-lens of a positives-only set"
    if confidence < min_confidence:
        return "confidence too low"
    return ""


def _check(labels: CandidateLabels, catalogs: Sequence[Catalog]) -> None:
    names = ", ".join(catalog.name for catalog in catalogs)
    if not labels.count(LENS):
        raise BadInputError(
            f"Catalog {names} has no labeled lenses that may be used; label some first."
        )
    if not labels.count(UNLABELED):
        raise BadInputError(
            f"All {len(labels):,} candidates of catalog {names} are labeled; learning from "
            "positive and unlabeled objects needs unlabeled ones. Use train instead."
        )
    paired = {
        (catalog.survey_id, catalog.pixel_kind)
        for catalog in catalogs
        if (labels.state[labels.catalog_id == catalog.id] != LENS).any()
    }
    for catalog in catalogs:
        lenses = (labels.state[labels.catalog_id == catalog.id] == LENS).any()
        if lenses and (catalog.survey_id, catalog.pixel_kind) not in paired:
            raise PolicyError(
                f"Catalog {catalog.name} holds known lenses only: training on it needs other "
                f"objects of {catalog.survey.name} beside it, or heads would learn to tell surveys "
                "apart. Name a catalog of them too."
            )
