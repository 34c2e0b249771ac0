"""Metrics of a ranking on labeled objects of a survey, for ``lens-triage evaluate``.

Lenses and vetted non-lenses are labels and grades of the catalog; false-positive rates are measured
on its unlabeled objects, too. Objects that an ensemble may have learned from are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lens_triage.training.jobs.retrain.frozen_set import frozen_set_path
from lens_triage.training.jobs.train.held_out import HeldOut
from lensing_core.arrays import Float64Array, IntArray
from lensing_core.cutouts import CutoutStore
from lensing_core.datasets.grades import GradeRule
from lensing_core.datasets.labels import read_labels
from lensing_core.datasets.table import CandidateLabels
from lensing_core.datasets.uses import LENS, OTHER, UNLABELED, Use
from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.evaluation import (
    Appearance,
    appearance_of_rows,
    baseline_scores,
    compare_measured,
    measure_scores,
    recall_by_class,
)
from lensing_core.store import Session, open_database
from lensing_core.store.catalogs import find_catalogs
from lensing_core.store.ensembles import find_ensemble
from lensing_core.store.observations import table_column
from lensing_core.store.scores import count_unscored, logits_of
from lensing_core.store.tables import Ensemble
from lensing_core.store.visibility import visibility_of
from lensing_core.workspace import Workspace

FEWEST_LENSES, FEWEST_OTHERS = 5, 20
MOST_UNLABELED = 5000
GRADED = "grades"
_REAL = Use(unlabeled=True, gold=False)


@dataclass(frozen=True)
class Comparison:
    """Lenses against one kind of non-lenses.

    Attributes
    ----------
    name : {'vetted', 'unlabeled'}
    sentence : str
        What was measured on.
    measured : dict of str to dict
        By score: the ensemble's first, then the baselines'.
    differences : dict of str to dict
        The ensemble less each baseline, paired.
    """

    name: str
    sentence: str
    measured: dict[str, dict[str, Any]]
    differences: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class RealEvaluation:
    """Evaluation of one ensemble on one catalog and those beside it.

    Attributes
    ----------
    notes : tuple of str
        What a reader must know: what was left out, and why.
    visibility : list of dict
        Recall at FPR 1e-2 by class, see :func:`lensing_core.evaluation.recall_by_class`.
    """

    ensemble: str
    catalogs: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    visibility: list[dict[str, Any]]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)


def unscored(workspace: Workspace, ensemble: str, catalogs: Sequence[str]) -> list[str]:
    """Return those of some catalogs of which an ensemble has not scored all candidates."""
    with open_database(workspace).session() as session:
        found = find_catalogs(session, list(catalogs))
        return [c.name for c in found if count_unscored(session, ensemble, [c.name])]


def evaluate_real(
    workspace: Workspace,
    ensemble: str,
    catalogs: Sequence[str],
    *,
    visibility: str = "",
    block_nside: int = 64,
    seed: int = 0,
) -> RealEvaluation:
    """Measure an ensemble on labeled and unlabeled objects of catalogs that it has scored.

    Parameters
    ----------
    visibility : str
        Column of the imported table that says how visible the arcs of a lens are;
        :data:`GRADED`: what graders said in sessions of the scheme for that.
    block_nside : int
        Of the sky blocks that intervals draw as a whole; 0: only duplicates belong together.

    Raises
    ------
    NotFoundError
        If there is no such ensemble or catalog.
    BadInputError
        If the catalogs are not scored, or have too few lenses or others.
    """
    with open_database(workspace).session() as session:
        ensemble_row = find_ensemble(session, ensemble)
        labels, notes = labeled_objects(workspace, session, ensemble_row, catalogs)
        labels = _thinned(labels, seed, notes)
        logit = _scores(session, ensemble_row, labels)
        classes = _column(session, labels, visibility) if visibility else []
    kinds = kinds_of_others(labels, ensemble, catalogs)
    groups = labels.groups(block_nside or None)
    appearance = appearance_of(workspace, labels)
    comparisons = [
        _compare(name, kind, labels.state, logit, appearance, groups, seed) for name, kind in kinds
    ]
    rows = []
    if classes:
        state_of_others = UNLABELED if comparisons[-1].name == "unlabeled" else OTHER
        used = np.flatnonzero((labels.state == LENS) | (labels.state == state_of_others))
        truth = (labels.state[used] == LENS).astype(np.int64)
        rows = recall_by_class(logit[used], truth, [classes[k] for k in used.tolist()])
    return RealEvaluation(
        ensemble_row.name, tuple(catalogs), tuple(comparisons), rows, tuple(notes)
    )


def labeled_objects(
    workspace: Workspace, session: Session, ensemble: Ensemble, catalogs: Sequence[str]
) -> tuple[CandidateLabels, list[str]]:
    """Objects that an ensemble has not learned from, and what a reader must know of them.

    Raises
    ------
    NotFoundError
        If there is no such catalog.
    """
    named = find_catalogs(session, list(catalogs))
    notes = [
        f"Catalog {c.name} is simulated: its metrics say nothing about real objects."
        for c in named
        if c.origin == "simulated"
    ]
    labels = read_labels(session, named, _REAL, grades=GradeRule.current(session))
    return _honest(workspace, ensemble, labels, notes), notes


def kinds_of_others(
    labels: CandidateLabels, ensemble: str, catalogs: Sequence[str]
) -> list[tuple[str, int]]:
    """Kinds of non-lenses that there are enough of, vetted ones first, by name and state.

    Raises
    ------
    BadInputError
        If there are too few lenses, or too few of either kind.
    """
    kinds = [
        (name, kind)
        for name, kind in (("vetted", OTHER), ("unlabeled", UNLABELED))
        if labels.count(kind) >= FEWEST_OTHERS and labels.count(LENS) >= FEWEST_LENSES
    ]
    if not kinds:
        who = (
            f"Catalogs {', '.join(catalogs)} have" if catalogs[1:] else f"Catalog {catalogs[0]} has"
        )
        raise BadInputError(
            f"{who} {labels.count(LENS)} lenses, "
            f"{labels.count(OTHER)} vetted and {labels.count(UNLABELED)} unlabeled non-lenses that "
            f"{ensemble} has not learned from; {FEWEST_LENSES} lenses and {FEWEST_OTHERS} "
            "non-lenses of one kind are needed. Label more, or add a catalog of the survey with "
            "real non-lenses."
        )
    return kinds


def _honest(
    workspace: Workspace, ensemble: Ensemble, labels: CandidateLabels, notes: list[str]
) -> CandidateLabels:
    """Objects that the ensemble has not learned from: held out, or of other catalogs."""
    trained = set(ensemble.manifest.get("catalogs", [])) if ensemble.run_id else set()
    keep = np.ones(len(labels), dtype=bool)
    for catalog_id, name in labels.catalogs.items():
        mine = labels.catalog_id == catalog_id
        if name not in trained:
            continue
        test_ids: list[IntArray] = []
        if frozen_set_path(workspace, name).is_file():
            with np.load(frozen_set_path(workspace, name), allow_pickle=False) as stored:
                test_ids.append(stored["candidate_id"][stored["reserved"]])
        else:
            try:
                test_ids.append(HeldOut.read(workspace, ensemble.name).candidate_id)
            except NotFoundError:
                test_ids.append(np.empty(0, dtype=np.int64))
        inside = np.isin(labels.candidate_id, np.concatenate(test_ids))
        keep[mine & ~inside] = False
        notes.append(
            f"{ensemble.name} has learned from catalog {name}: {int((mine & inside).sum()):,} of "
            f"its {int(mine.sum()):,} objects belong to a test split and count."
        )
    return labels.part(np.flatnonzero(keep))


def _thinned(labels: CandidateLabels, seed: int, notes: list[str]) -> CandidateLabels:
    """All labeled objects, and at most :data:`MOST_UNLABELED` others, drawn at random."""
    unlabeled = np.flatnonzero(labels.state == UNLABELED)
    if len(unlabeled) <= MOST_UNLABELED:
        return labels
    drawn = np.random.default_rng(seed).choice(unlabeled, MOST_UNLABELED, replace=False)
    notes.append(f"{MOST_UNLABELED:,} of {len(unlabeled):,} unlabeled objects were drawn.")
    known = np.flatnonzero(labels.state != UNLABELED)
    return labels.part(np.sort(np.concatenate([known, drawn])))


def _scores(session: Session, ensemble: Ensemble, labels: CandidateLabels) -> Float64Array:
    """Logits of candidates, in their order; raises BadInputError where one is missing."""
    logits = logits_of(session, ensemble.id, labels.candidate_id)
    missing = int(np.isnan(logits).sum())
    if missing:
        raise BadInputError(
            f"{missing:,} of {len(labels):,} objects of {', '.join(labels.catalogs.values())} have "
            f"no score of {ensemble.name}; score the catalogs with it first."
        )
    return logits


def _column(session: Session, labels: CandidateLabels, column: str) -> list[str | None]:
    """Return what the imported table says of each candidate in one column, or what graders said."""
    if column == GRADED:
        given = visibility_of(session, labels.candidate_id.tolist())
        if not given:
            raise BadInputError(
                "Nobody has graded how visible the arcs of these objects are; make a labeling "
                "session of scheme visibility, or name a column of the table."
            )
        return [given.get(key) for key in labels.candidate_id.tolist()]
    values = table_column(session, labels.candidate_id, column)
    if all(value is None for value in values):
        raise BadInputError(f"No candidate has a value in column {column!r}; name another.")
    return [None if value in (None, "") else str(value) for value in values]


def appearance_of(workspace: Workspace, labels: CandidateLabels) -> Appearance:
    """Brightness, color, size and center of the objects, in their order."""
    stores = {
        key: CutoutStore(workspace.catalog_cutouts(name)) for key, name in labels.catalogs.items()
    }
    return appearance_of_rows(stores, labels.catalog_id, labels.row)


def _compare(
    name: str,
    kind: int,
    state: NDArray[np.int8],
    logit: Float64Array,
    appearance: Appearance,
    groups: IntArray,
    seed: int,
) -> Comparison:
    """Lenses against the others of one kind."""
    rows = np.flatnonzero((state == LENS) | (state == kind))
    truth, group = (state[rows] == LENS).astype(np.int64), groups[rows]
    mine = appearance.part(rows)
    scores = {"ensemble": logit[rows]}
    baselines = baseline_scores(mine, truth, group, seed=seed)
    scores |= {f"{key} alone": values for key, values in baselines.items()}
    measured = {
        key: measure_scores(values, truth, mine.matching, group, seed=seed).to_json()
        for key, values in scores.items()
    }
    differences = {
        key: {
            metric: difference.to_json()
            for metric, difference in compare_measured(
                scores[key], scores["ensemble"], truth, mine.matching, group, seed=seed
            ).items()
        }
        for key in scores
        if key != "ensemble"
    }
    what = "vetted non-lenses" if kind == OTHER else "unlabeled objects, counted as non-lenses"
    n = int(truth.sum()), int((truth == 0).sum())
    sentence = f"{n[0]:,} lenses and {n[1]:,} {what}, in {len(np.unique(group)):,} groups"
    return Comparison(name, sentence, measured, differences)
