"""Metrics of a retrained ensemble on the frozen evaluation set, beside those of its base."""

from __future__ import annotations

from typing import Any

import numpy as np

from lens_triage.training.jobs.retrain.selection import RetrainingSample
from lens_triage.training.jobs.retrain.stacking import (
    EvaluationSet,
    evaluation_set,
    metrics_of,
)
from lens_triage.training.jobs.train.held_out import HeldOut
from lensing_core.arrays import Float64Array, IntArray
from lensing_core.datasets.table import (
    LENS,
    NO_REASON,
    OTHER,
    REASONS,
)
from lensing_core.errors import NotFoundError
from lensing_core.metrics import compare_rankings
from lensing_core.proportions import Proportion
from lensing_core.store import open_database
from lensing_core.store.scores import logits_of
from lensing_core.store.tables import Ensemble
from lensing_core.workspace import Workspace

LENSES_KEPT = 0.8
"""Share of the held-out lenses at whose score contaminants are counted."""


def evaluate(
    workspace: Workspace,
    ensemble: str,
    base: Ensemble,
    selection: RetrainingSample,
    logits: dict[str, Float64Array],
) -> dict[str, Any]:
    """Metrics on held-out objects, of the new ensemble, its members and the base ensemble.

    Parameters
    ----------
    ensemble : str
        Name of the new one.
    selection : RetrainingSample
        The held-out objects that no base member has seen.
    logits : dict of str to ndarray of shape (n,)
        Of ``ensemble`` and of each member by id, at the survey's prior.
    """
    state = selection.state
    vetted, against = (evaluation_set(state, vetted=v) for v in (True, False))
    few = int((state == OTHER).sum()) < 2
    main = against if few or vetted is None else vetted
    ids = selection.candidate_id
    before = _scores_of(workspace, base, ids)
    whole = {"ensemble": logits["ensemble"]}
    if before is not None:
        whole[f"base {base.name}"] = before
    if main is not None:
        chosen = main.chosen
        HeldOut(ids[chosen], main.labels, logits["ensemble"][chosen]).write(workspace, ensemble)
        if before is not None:
            _add_held_out(workspace, base, HeldOut(ids[chosen], main.labels, before[chosen]))
    return {
        "figures": metrics_of(main, {**logits, **whole}),
        "figures_on": "no lenses in the frozen evaluation set to measure on"
        if main is None
        else main.sentence,
        "figures_against_unlabeled": metrics_of(against, whole),
        "figures_against_unlabeled_on": None if against is None else against.sentence,
        "differences": _differences(main, before, logits["ensemble"]),
        "by_reason": by_reason(selection, whole),
    }


def _differences(
    main: EvaluationSet | None, before: Float64Array | None, after: Float64Array
) -> dict[str, dict[str, Any]]:
    """New metrics less those of the base on the same objects, with paired intervals."""
    if main is None or before is None:
        return {}
    chosen = main.chosen
    differences = compare_rankings(before[chosen], after[chosen], main.labels)
    return {name: difference.to_json() for name, difference in differences.items()}


def by_reason(
    selection: RetrainingSample, logits: dict[str, Float64Array]
) -> dict[str, dict[str, Any]]:
    """Return how many held-out rejected objects of each kind score above most held-out lenses.

    By kind and name of the logits: ``passed`` of ``total`` with a 95 % interval, at the score that
    :data:`LENSES_KEPT` of the held-out lenses reach.
    """
    lens = selection.state == LENS
    counts: dict[str, dict[str, Any]] = {}
    if not lens.any():
        return counts
    for kind in np.unique(selection.reason[selection.reason != NO_REASON]):
        mine = (selection.reason == kind) & (selection.state == OTHER)
        for name, values in logits.items():
            least = np.quantile(values[lens], 1 - LENSES_KEPT, method="lower")
            passed, total = int((values[mine] >= least).sum()), int(mine.sum())
            low, high = Proportion(passed, total).interval
            counts.setdefault(REASONS[kind], {})[name] = {
                "passed": passed,
                "total": total,
                "low_95": low,
                "high_95": high,
            }
    return counts


def _scores_of(workspace: Workspace, ensemble: Ensemble, ids: IntArray) -> Float64Array | None:
    """The ensemble's logits of candidates as stored; None where one is missing."""
    with open_database(workspace).session() as session:
        logits = logits_of(session, ensemble.id, ids)
    return None if np.isnan(logits).any() else logits


def _add_held_out(workspace: Workspace, base: Ensemble, more: HeldOut) -> None:
    """Let the base ensemble be compared on these objects too, which it has not seen."""
    try:
        known = HeldOut.read(workspace, base.name)
    except NotFoundError:
        more.write(workspace, base.name)
        return
    new = ~np.isin(more.candidate_id, known.candidate_id)
    HeldOut(
        *(
            np.concatenate([getattr(known, k), getattr(more, k)[new]])
            for k in ("candidate_id", "label", "logit")
        )
    ).write(workspace, base.name)
