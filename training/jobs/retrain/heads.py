"""The heads of a retraining: which there are, and how each is fitted and cross-fitted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lens_triage.training.jobs.retrain.sample_weights import repeated
from lensing_core.arrays import Float32Array, Float64Array, IntArray
from lensing_core.datasets.splits import group_folds
from lensing_core.datasets.table import (
    LENS,
    OTHER,
)
from lensing_core.errors import BadInputError
from lensing_core.models.head import HeadInput
from lensing_core.pu import (
    Learner,
    LogisticLearner,
    PUMethod,
    PUModel,
    TreesLearner,
    pu_method,
)
from lensing_core.pu.best_probe import BestProbe
from lensing_core.pu.probes import ProbeData

MIN_FOLDS = 2
_DRAWN = {"most_unlabeled": 10**9}  # the draw of the unlabeled has been made before
_STEPS = {"unlabeled_batch": 512, "min_steps": 300, "max_steps": 1000}
# One thread each: several fits run at a time.
_TREES = TreesLearner(column_share=0.2, threads=1)
_FEW_TREES = TreesLearner(rounds=50, column_share=0.2, threads=1)


@dataclass(frozen=True)
class HeadKind:
    """A PU method as a head offers it.

    Attributes
    ----------
    method : str
        Of :data:`lensing_core.pu.METHODS`.
    learner : Learner or None
        None where the method brings its own. Trees read features and embeddings, all else
        embeddings alone.
    options : dict
        Further settings of the method.
    """

    method: str
    learner: Learner | None = None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def of_trees(self) -> bool:
        """Return whether trees are its learner."""
        return isinstance(self.learner, TreesLearner)


HEADS: dict[str, HeadKind] = {
    "nnpu": HeadKind("nnpu", options=_STEPS),
    "upu": HeadKind("upu", options=_STEPS),
    "logistic": HeadKind("naive", LogisticLearner(), _DRAWN),
    "trees": HeadKind("naive", _TREES, _DRAWN),
    "bagging": HeadKind("bagging", _FEW_TREES),
    "spy": HeadKind("spy", _TREES, _DRAWN),
    "elkan_noto": HeadKind("elkan_noto", _FEW_TREES, _DRAWN),
    "elkan_noto_reweighted": HeadKind("elkan_noto_reweighted", _FEW_TREES, _DRAWN),
}


@dataclass(frozen=True)
class HeadPlan:
    """A head to be fitted.

    Attributes
    ----------
    name : of :data:`HEADS`
    inputs : tuple of HeadInput
    method : PUMethod
    naive : bool
        The method takes the unlabeled for negatives, so that its log-odds depend on how many of
        them were drawn.
    """

    name: str
    inputs: tuple[HeadInput, ...]
    method: PUMethod
    naive: bool

    def shift(self, share_unlabeled: float, lens_weight: float = 1.0) -> float:
        """Correction of the log-odds for unlabeled objects not drawn, and for weights of lenses.

        ln of the share drawn over the mean sample weight of lenses (King & Zeng 2001, Political
        Analysis 9, 137).
        """
        return float(np.log(share_unlabeled / lens_weight)) if self.naive else 0.0


def plan_heads(
    names: Sequence[str], inputs: Sequence[HeadInput], *, prior: float, seed: int
) -> list[HeadPlan]:
    """The heads by name, on the columns that suit each.

    Raises
    ------
    BadInputError
        If there are no such columns.
    """
    embeddings = tuple(i for i in inputs if i.what == "embedding")
    plans = []
    for name in names:
        kind = HEADS[name]
        taken = tuple(inputs) if kind.of_trees else embeddings
        if not taken:
            wanted = "features or embeddings" if kind.of_trees else "embeddings"
            raise BadInputError(
                f"Head {name} needs {wanted}, and the base ensemble has no such member; choose "
                "another ensemble or other heads."
            )
        method = pu_method(
            kind.method,
            prior=prior,
            learner=kind.learner or LogisticLearner(),
            seed=seed,
            **kind.options,
        )
        plans.append(HeadPlan(name, taken, method, kind.method == "naive"))
    return plans


def deal_folds(state: NDArray[np.int8], groups: IntArray, n_folds: int, *, seed: int) -> IntArray:
    """Fold of each training object; fewer folds where lenses stand in fewer groups.

    Raises
    ------
    BadInputError
        If they stand in one group only.
    """
    lenses = state == LENS
    n_groups = len(np.unique(groups[lenses]))
    if n_groups < MIN_FOLDS:
        raise BadInputError(
            f"{int(lenses.sum())} labeled lenses in {n_groups} groups (duplicates, sky blocks) are "
            f"left to train on; at least {MIN_FOLDS} are needed. Label more lenses, farther apart."
        )
    n_folds = min(n_folds, n_groups)
    fold = group_folds(groups, lenses, n_folds, seed=seed)
    # Vetted others are dealt evenly too: a model that learned from fewer of them would put all of
    # its fold higher.
    rest = ~np.isin(groups, groups[lenses])
    non_lenses = rest & (state == OTHER)
    if len(np.unique(groups[non_lenses])) >= n_folds:
        fold[rest] = group_folds(groups[rest], non_lenses[rest], n_folds, seed=seed)
    return fold


@dataclass(frozen=True)
class TrainingSet:
    """Training data of one head.

    Attributes
    ----------
    x : ndarray of shape (n, d), float32
    state : ndarray of shape (n,), int8
        Of lenses, vetted others and unlabeled objects.
    group, fold : ndarray of shape (n,), int64
    sample_weights : ndarray of shape (n,), int64
        See
        :func:`~lens_triage.training.jobs.retrain.sample_weights.sample_weights_of`.
    grade : ndarray of shape (n,), or None
        From 0 to 1, NaN where unknown.
    """

    x: Float32Array
    state: NDArray[np.int8]
    group: IntArray
    fold: IntArray
    sample_weights: IntArray
    grade: Float64Array | None = None


def cross_fit(
    method: PUMethod,
    training: TrainingSet,
    *,
    done: Callable[[int], object] = lambda count: None,
    workers: int = 1,
) -> tuple[Float64Array, PUModel]:
    """Out-of-fold log-odds (n,) of training objects, and the model fitted on all of them.

    Parameters
    ----------
    done : callable
        Called with the number of fits that are done, from 0 on; may raise to stop.
    workers : int
        Fits at a time, in threads.
    """
    folds = np.unique(training.fold)

    def part(k: int | None) -> tuple[Float64Array, PUModel]:
        in_fold = training.fold == k
        model = _fit(method, training, np.flatnonzero(~in_fold))
        return model.decision(training.x[in_fold]) if in_fold.any() else np.empty(0), model

    done(0)
    with ThreadPoolExecutor(workers) as pool:
        waiting = {pool.submit(part, k): k for k in [None, *folds.tolist()]}
        out = np.empty(len(training.x))
        try:
            for count, ready in enumerate(as_completed(waiting), start=1):
                k = waiting[ready]
                logits, model = ready.result()
                if k is None:
                    final = model
                else:
                    out[training.fold == k] = logits
                done(count)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return out, final


def _fit(method: PUMethod, training: TrainingSet, rows: IntArray) -> PUModel:
    if isinstance(method, BestProbe):
        weight = training.sample_weights.astype(np.float64)
        everything = ProbeData(training.x, training.state, weight, training.group, training.grade)
        return method.fit_data(everything.rows(rows))
    rows = repeated(rows, training.sample_weights)
    s = (training.state[rows] == LENS).astype(np.int64)
    return method.fit(training.x[rows], s, training.group[rows])
