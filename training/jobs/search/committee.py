"""The members of a search: one a training set and half of the sky, on embeddings of one encoder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from lens_triage.training.jobs.search.sets import HALVES, SearchData, member_rows
from lens_triage.training.settings import SearchSettings
from lensing_core.arrays import BoolArray, Float32Array, Float64Array, IntArray
from lensing_core.datasets.uses import LENS, OTHER
from lensing_core.models.ensemble import EnsembleRule
from lensing_core.pu import LogisticLearner
from lensing_core.pu.learners import DenseScorer

MINED_SHARE = 0.2
LEARNER = LogisticLearner(inverse_penalty=0.0003)


@dataclass(frozen=True)
class CommitteeMember:
    """A fitted member.

    Attributes
    ----------
    set_number, half : int
    scorer : DenseScorer
        Log-odds from embeddings.
    seen : ndarray of int64
        Places of the objects that it was fitted on, hosts of painted ones included.
    """

    set_number: int
    half: int
    scorer: DenseScorer
    seen: IntArray


@dataclass(frozen=True)
class Committee:
    """Members with the rule that joins them.

    Attributes
    ----------
    mined : int
        Objects that joined the non-lenses in the second round.
    """

    members: tuple[CommitteeMember, ...]
    rule: EnsembleRule
    mined: int = 0

    def raw(self, x: Float32Array) -> Float64Array:
        """Log-odds of every member, (n, members)."""
        return np.stack([member.scorer(x) for member in self.members], axis=1)

    def seen(self, n: int) -> BoolArray:
        """Mask of the ``n`` objects that each member was fitted on, (n, members)."""
        mask = np.zeros((n, len(self.members)), dtype=bool)
        for k, member in enumerate(self.members):
            mask[member.seen, k] = True
        return mask


def fit_committee(
    data: SearchData,
    x: Float32Array,
    settings: SearchSettings,
    *,
    learner: LogisticLearner = LEARNER,
    fusion: str = "mean",
) -> Committee:
    """Members in two rounds: the second with mined non-lenses and weights by the first.

    In the first round an unlabeled object is a non-lens of weight 1 − π. In the second its weight
    is 1 − p, with p the probability at the survey's prior that members give it which were not
    fitted on it: so weighted, unlabeled objects stand for the non-lenses among them. The
    highest-ranking unlabeled objects of the training groups that no member was fitted on join the
    non-lenses, up to the cap of the settings.

    Parameters
    ----------
    x : ndarray of shape (n, d)
        Embeddings of all objects of ``data``.
    learner : LogisticLearner
        Of every member.
    fusion : str
        How members are joined, on objects of the calibration split.
    """
    fit = partial(_fit, data, x, settings, learner, fusion)
    certain = np.full(len(data), 1 - settings.survey_prior)
    first = fit(certain, np.empty(0, dtype=np.int64))
    if not settings.most_mined:
        return first
    scores = first.rule(first.raw(x), without=first.seen(len(data)))
    mined = _mine(data, scores.logit, settings, first)
    second = fit(1 - scores.probability, mined)
    return Committee(second.members, second.rule, len(mined))


def _mine(
    data: SearchData, logit: Float64Array, settings: SearchSettings, first: Committee
) -> IntArray:
    """Unlabeled objects of training groups that rank highest and stood in no member's draw."""
    free = (data.split == "train") & data.unlabeled
    free[np.concatenate([member.seen for member in first.members])] = False
    rows = np.flatnonzero(free)
    used = sum(int((~data.painted[member.seen]).sum()) for member in first.members)
    most = min(settings.most_mined, int(MINED_SHARE * used / max(1, len(first.members)) * HALVES))
    return np.asarray(rows[np.argsort(-logit[rows], kind="stable")[:most]])


def _fit(
    data: SearchData,
    x: Float32Array,
    settings: SearchSettings,
    learner: LogisticLearner,
    fusion: str,
    certain: Float64Array,
    mined: IntArray,
) -> Committee:
    members = tuple(
        _fit_member(data, x, settings, learner, number, half, certain, mined)
        for number in range(1, settings.training_sets + 1)
        for half in range(HALVES)
    )
    rows, label = data.of_split("calibration")
    raw = np.stack([member.scorer(x[rows]) for member in members], axis=1)
    rule = EnsembleRule.fit(
        raw, label, fusion=fusion, survey_prior=settings.survey_prior, groups=data.group[rows]
    )
    return Committee(members, rule)


def _fit_member(
    data: SearchData,
    x: Float32Array,
    settings: SearchSettings,
    learner: LogisticLearner,
    number: int,
    half: int,
    certain: Float64Array,
    mined: IntArray,
) -> CommitteeMember:
    painted, others = member_rows(
        data, number, half, n_negatives=settings.n_negatives, seed=settings.seed
    )
    n_hosts = len(painted)  # each host stands first among the others, as often as with arcs
    others = np.concatenate([others, mined[data.half[mined] == half]])
    n_field = max(1, len(others) - n_hosts)
    field = np.full(len(others), max(1.0, settings.field_weight * n_hosts / n_field))
    field[:n_hosts] = 1.0
    inside = (data.split == "train") & (data.half == half) & ~data.painted
    rows, target = [painted, others], [np.ones(len(painted)), np.zeros(len(others))]
    weight = [np.ones(len(painted)), field * certain[others]]
    if settings.label_factor:
        for state in (LENS, OTHER):
            known = np.flatnonzero(inside & (data.labels.state == state))
            rows.append(known)
            target.append(np.full(len(known), float(state == LENS)))
            weight.append(settings.label_factor * data.labels.weight[known].astype(np.float64))
    chosen = np.concatenate(rows)
    scorer = learner.fit(
        x[chosen],
        np.concatenate(target).astype(np.int64),
        np.concatenate(weight),
        seed=settings.seed,
    )
    return CommitteeMember(
        number, half, scorer, np.unique(np.concatenate([chosen, data.parent[painted]]))
    )
