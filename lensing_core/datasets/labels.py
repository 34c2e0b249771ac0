"""Labels of the candidates of catalogs, for each use: the one place where labels are read.

A label comes with a catalog (rules in :mod:`~lensing_core.datasets.uses`) or from people here
(:mod:`~lensing_core.datasets.grades`). A decided grade stands above an imported label of the same
object; where graders have not decided, the imported one stands. A confirmation, with its spectrum
and redshifts, stands above both, in every use, with full weight.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lensing_core.arrays import IntArray
from lensing_core.datasets.grades import GradeRule, apply_grades
from lensing_core.datasets.groups import INJECTION_NOTE
from lensing_core.datasets.table import NO_REASON, REASONS, CandidateLabels
from lensing_core.datasets.uses import (
    LENS,
    OTHER,
    UNLABELED,
    USES,
    Use,
    imported_states,
    label_weight,
)
from lensing_core.errors import BadInputError, PolicyError
from lensing_core.store import Session
from lensing_core.store.catalogs import find_catalogs
from lensing_core.store.confirmations import outcomes_in_force
from lensing_core.store.consensus import gold_answers
from lensing_core.store.label_rows import label_rows, policies_of_labels, reasons_of_labels
from lensing_core.store.tables import Catalog


def read_labels(
    session: Session,
    catalogs: Sequence[Catalog],
    use: Use,
    *,
    min_confidence: float | None = None,
    grades: GradeRule | None = None,
) -> CandidateLabels:
    """Labels of candidates for a use, in order of catalog and cutout.

    Parameters
    ----------
    use : Use
        Of :data:`~lensing_core.datasets.uses.USES`. Where it takes no unlabeled objects, only
        candidates with a usable label are returned.
    min_confidence : float, optional
        In place of that of the use.
    grades : GradeRule, optional
        How grades become labels, if the use takes them; without it only imported labels count.
        The ``consensus`` table is read as it stands.
    """
    if min_confidence is None:
        min_confidence = use.min_confidence
    with_names = len(catalogs) > 1 or any(INJECTION_NOTE in c.notes for c in catalogs)
    parts = [_imported(session, c, use, min_confidence, with_names) for c in catalogs]
    labels = CandidateLabels.concatenate(parts, {catalog.id: catalog.name for catalog in catalogs})
    if not use.gold:
        _leave_out_gold(session, labels, catalogs)
    if use.grades and grades is not None:
        apply_grades(session, labels, grades)
    _apply_confirmations(session, labels)
    return labels if use.unlabeled else labels.part(np.flatnonzero(labels.state != UNLABELED))


def labels_to_train(session: Session, names: Sequence[str]) -> CandidateLabels:
    """Labels of catalogs from which a classifier learns lenses and non-lenses.

    Raises
    ------
    NotFoundError
        If there is no catalog of a name.
    PolicyError
        If a catalog has nothing but labels for pretraining, or known lenses come without
        non-lenses of their survey and kind of pixel.
    BadInputError
        If lenses or non-lenses are missing altogether.
    """
    catalogs = _catalogs_named(session, names)
    for catalog in catalogs:
        _check_not_for_pretraining(session, catalog)
    labels = read_labels(session, catalogs, USES["train"])
    _check_companions(labels, catalogs, OTHER)
    for state, what in ((LENS, "lenses"), (OTHER, "non-lenses")):
        if not labels.count(state):
            raise BadInputError(
                f"Catalogs {', '.join(c.name for c in catalogs)} have no labeled {what} that may "
                "be used; a classifier needs both lenses and non-lenses."
            )
    return labels


def labels_to_retrain(
    session: Session,
    names: Sequence[str],
    *,
    min_confidence: float | None = None,
    grades: GradeRule | None = None,
) -> CandidateLabels:
    """Labels and unlabeled objects of catalogs from which heads learn (see :func:`read_labels`).

    Raises
    ------
    NotFoundError
        If there is no catalog of a name.
    BadInputError
        If lenses are missing, or nothing is unlabeled.
    PolicyError
        If known lenses come without other objects of their survey and kind of pixel.
    """
    catalogs = _catalogs_named(session, names)
    labels = read_labels(
        session, catalogs, USES["retrain"], min_confidence=min_confidence, grades=grades
    )
    listed = ", ".join(catalog.name for catalog in catalogs)
    if not labels.count(LENS):
        raise BadInputError(
            f"Catalog {listed} has no labeled lenses that may be used; label some first."
        )
    if not labels.count(UNLABELED):
        raise BadInputError(
            f"All {len(labels):,} candidates of catalog {listed} are labeled; learning from "
            "positive and unlabeled objects needs unlabeled ones. Use train instead."
        )
    _check_companions(labels, catalogs, OTHER, UNLABELED)
    return labels


def _catalogs_named(session: Session, names: Sequence[str]) -> list[Catalog]:
    if not names:
        raise BadInputError("No catalog is named; name at least one.")
    return find_catalogs(session, names)


def _imported(
    session: Session, catalog: Catalog, use: Use, min_confidence: float, with_names: bool
) -> CandidateLabels:
    """Imported labels of one catalog; candidates that no use of its kind can label are left out."""
    rows = label_rows(
        session,
        catalog.id,
        unlabeled=use.unlabeled,
        graded=use.grades,
        with_names=with_names,
    )
    n = rows.n
    number, position = np.empty((n, 2), dtype=np.int64), np.empty((n, 2))
    label, confidence = np.full(n, UNLABELED, dtype=np.int8), np.empty(n)
    policy = np.full(n, catalog.label_policy, dtype="U16")
    object_id: list[str] = []
    for k, row in enumerate(rows.rows):
        number[k] = row[:2]
        position[k] = [np.nan if v is None else v for v in row[2:4]]
        label[k] = UNLABELED if row.label is None else row.label
        confidence[k] = catalog.label_confidence if row.confidence is None else row.confidence
        if row.policy is not None:
            policy[k] = row.policy
        if with_names:
            object_id.append(row.object_id)
    state, left_out = imported_states(label, policy, confidence, min_confidence)
    reason = _imported_reasons(session, catalog, number[:, 0], state)
    if not use.unlabeled and n < catalog.n_candidates:
        left_out["unlabeled"] = catalog.n_candidates - n
    return CandidateLabels(
        number[:, 0].copy(),
        np.full(n, catalog.id, dtype=np.int64),
        number[:, 1].copy(),
        position[:, 0].copy(),
        position[:, 1].copy(),
        state,
        label != UNLABELED,
        object_id,
        {catalog.id: catalog.name},
        np.where(state == UNLABELED, 1.0, label_weight(confidence)).astype(np.float32),
        reason,
        np.zeros(n, dtype=bool),
        left_out,
    )


def _imported_reasons(
    session: Session, catalog: Catalog, candidate_id: IntArray, state: NDArray[np.int8]
) -> NDArray[np.int8]:
    """Reject reasons of imported non-lenses (the property ``reject_reason``), shape (n,)."""
    reason = np.full(len(state), NO_REASON, dtype=np.int8)
    if not (state == OTHER).any():
        return reason
    place = {key: k for k, key in enumerate(candidate_id.tolist())}
    for key, word in reasons_of_labels(session, catalog.id):
        k = place.get(key)
        if k is not None and word in REASONS and state[k] == OTHER:
            reason[k] = REASONS.index(word)
    return reason


def _leave_out_gold(session: Session, labels: CandidateLabels, catalogs: Sequence[Catalog]) -> None:
    """Simulated gold standards of sessions do not train beside observed objects."""
    if all(catalog.origin == "simulated" for catalog in catalogs):
        return
    simulated = [c.id for c in catalogs if c.origin == "simulated"]
    gold = np.isin(labels.candidate_id, list(gold_answers(session)))
    gold &= np.isin(labels.catalog_id, simulated) & (labels.state != UNLABELED)
    if gold.any():
        labels.state[gold] = UNLABELED
        labels.leave_out("simulated gold standard", int(gold.sum()))


def _apply_confirmations(session: Session, labels: CandidateLabels) -> None:
    """Put the outcomes of confirmation records into the labels, in place."""
    known = outcomes_in_force(session)
    if not known:
        return
    for k, key in enumerate(labels.candidate_id.tolist()):
        if (outcome := known.get(key)) is None:
            continue
        state = LENS if outcome == "lens" else OTHER
        if labels.state[k] != state:
            labels.reason[k] = NO_REASON
        labels.state[k] = state
        labels.weight[k] = 1.0


def _check_not_for_pretraining(session: Session, catalog: Catalog) -> None:
    policies = policies_of_labels(session, catalog)
    if policies == {"pretraining_only"}:
        raise PolicyError(
            f"Catalog {catalog.name} is for pretraining only (label source "
            f"{catalog.label_source}): it cannot train or evaluate a lens classifier. Choose a "
            "catalog with lens labels."
        )


def _check_companions(labels: CandidateLabels, catalogs: Sequence[Catalog], *states: int) -> None:
    """Lenses need objects in ``states`` of their survey and kind of pixel beside them."""
    paired = {
        (catalog.survey_id, catalog.pixel_kind)
        for catalog in catalogs
        if np.isin(labels.state[labels.catalog_id == catalog.id], states).any()
    }
    what = "other objects" if UNLABELED in states else "non-lenses"
    for catalog in catalogs:
        lenses = (labels.state[labels.catalog_id == catalog.id] == LENS).any()
        if lenses and (catalog.survey_id, catalog.pixel_kind) not in paired:
            raise PolicyError(
                f"Catalog {catalog.name} holds known lenses only (label source "
                f"{catalog.label_source}): training on it needs {what} of {catalog.survey.name} "
                "beside it, or a classifier would learn to tell surveys apart. Add a catalog of "
                f"{catalog.survey.name} {what}."
            )
