"""What is labeled among the candidates of catalogs, as far as it may train a classifier.

Labels come with a catalog, or from people here: grades joined by consensus. A decided grade stands
above an imported label of the same object.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lensing_core.consensus import REJECT_REASONS
from lensing_core.errors import BadInputError, NotFoundError, PolicyError
from lensing_core.store.consensus import ConsensusRule, gold_answers
from lensing_core.store.tables import Candidate, Catalog, Consensus, Vote
from training.settings import RetrainSettings

LENS, OTHER, UNLABELED = 1, 0, -1
Ints = NDArray[np.int64]
_AT_ONCE = 10_000
_LEAST_WEIGHT = 0.05
REASONS = tuple(REJECT_REASONS)
NO_REASON = -1


@dataclass(frozen=True)
class GradeRule:
    """How grades become labels.

    Attributes
    ----------
    rule : ConsensusRule
    lens_from, other_below : float
        Posteriors from which an object is a lens, and below which it is none.
    min_votes : int
        Objects with fewer votes stay unlabeled.
    imported : bool
        Whether imported labels count beside grades.
    """

    rule: ConsensusRule = field(default_factory=ConsensusRule)
    lens_from: float = 0.5
    other_below: float = 0.1
    min_votes: int = 1
    imported: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.other_below <= self.lens_from < 1:
            raise BadInputError(
                f"Grades: lenses from {self.lens_from}, others below {self.other_below}; give two "
                "numbers between 0 and 1, the second not the greater."
            )

    @classmethod
    def of(cls, settings: RetrainSettings) -> GradeRule | None:
        """As a run wants it; None where grades are not to count."""
        if settings.labels == "imported":
            return None
        return cls(
            ConsensusRule(settings.consensus),
            settings.lens_from,
            settings.other_below,
            settings.min_votes,
            imported=settings.labels == "both",
        )


@dataclass(frozen=True)
class CandidateLabels:
    """All candidates of some catalogs, in order of catalog and cutout, and what is known of them.

    Attributes
    ----------
    candidate_id, catalog_id, row : ndarray of shape (n,), int64
        ``row`` is the place in the catalog's cutouts and stored outputs.
    ra_deg, dec_deg : ndarray of shape (n,), float64
        NaN where unknown.
    state : ndarray of shape (n,), int8
        :data:`LENS`, :data:`OTHER` (vetted) or :data:`UNLABELED`.
    imported : ndarray of shape (n,), bool
        Whether the table that was imported gave a label, usable or not: what an ordinary training
        on the catalog would have seen.
    object_id : list of str
        Empty for one catalog, in which names are unique.
    catalogs : dict of int to str
    weight : ndarray of shape (n,), float32
        Of a label: |2p − 1| of its posterior, 1 where it was imported.
    reason : ndarray of shape (n,), int8
        Kind of a rejected object, an index into :data:`REASONS`; -1 where none was given.
    graded : ndarray of shape (n,), bool
        The state comes from grades.
    left_out : dict of str to int
        Labels that do not count, by reason; their objects are unlabeled.
    """

    candidate_id: Ints
    catalog_id: Ints
    row: Ints
    ra_deg: NDArray[np.float64]
    dec_deg: NDArray[np.float64]
    state: NDArray[np.int8]
    imported: NDArray[np.bool_]
    object_id: list[str]
    catalogs: dict[int, str]
    weight: NDArray[np.float32]
    reason: NDArray[np.int8]
    graded: NDArray[np.bool_]
    left_out: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.candidate_id)

    def count(self, state: int) -> int:
        """How many candidates are in a state."""
        return int((self.state == state).sum())


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
        _apply_grades(session, labels, grades)
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


def _apply_grades(session: Session, labels: CandidateLabels, grades: GradeRule) -> None:
    """Put what graders say into the labels, in place."""
    if not grades.imported:
        dropped = int((labels.state != UNLABELED).sum())
        labels.state[:] = UNLABELED
        if dropped:
            labels.left_out["imported, and only grades were asked for"] = dropped
    rows = session.execute(
        select(
            Consensus.candidate_id, Consensus.posterior, Consensus.prior, Consensus.n_votes
        ).where(Consensus.method == grades.rule.method)
    )
    place = {key: k for k, key in enumerate(labels.candidate_id.tolist())}
    for candidate_id, posterior, prior, n_votes in rows:
        k = place.get(candidate_id)
        if k is None:
            continue
        state = _state_by_grades(posterior, prior, grades)
        if n_votes < grades.min_votes:
            _count(labels, "too few votes")
        elif state == UNLABELED:
            _count(labels, "graders undecided")
        else:
            labels.state[k] = state
            labels.weight[k] = max(_LEAST_WEIGHT, abs(2 * posterior - 1))
            labels.graded[k] = True
    _apply_reasons(session, labels, place)


def _state_by_grades(posterior: float, prior: float, grades: GradeRule) -> int:
    if posterior >= grades.lens_from:
        return LENS
    # A prior that no vote has lowered says nothing.
    return OTHER if posterior < min(grades.other_below, prior) else UNLABELED


def _apply_reasons(session: Session, labels: CandidateLabels, place: dict[int, int]) -> None:
    """The reason that most graders gave for a rejected object; of equals the first by name."""
    said: dict[int, dict[str, int]] = {}
    rows = session.execute(
        select(Vote.candidate_id, Vote.reject_reason).where(Vote.reject_reason.is_not(None))
    )
    for candidate_id, reason in rows:
        k = place.get(candidate_id)
        if k is not None and reason is not None and labels.state[k] == OTHER:
            counts = said.setdefault(k, {})
            counts[reason] = counts.get(reason, 0) + 1
    for k, counts in said.items():
        labels.reason[k] = REASONS.index(max(sorted(counts), key=lambda name: counts[name]))


def _count(labels: CandidateLabels, reason: str) -> None:
    labels.left_out[reason] = labels.left_out.get(reason, 0) + 1


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
