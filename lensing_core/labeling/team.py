"""All graders together: agreement, skill, repeatability, pace and coverage."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from lensing_core.arrays import IntArray
from lensing_core.consensus import Agreement, cohen_kappa, fleiss_kappa
from lensing_core.labeling.summary import GraderMetrics, list_sessions
from lensing_core.proportions import Proportion
from lensing_core.store import Session
from lensing_core.store.consensus import AggregatedVotes, aggregate_votes
from lensing_core.store.consensus_choice import ConsensusSettings
from lensing_core.store.graders import list_graders
from lensing_core.store.tables import Grader
from lensing_core.store.votes import Coverage, coverage_of_catalogs

MIN_SHARED = 5
MOST_PAIRS = 15
_LENS, _OPEN, _NOT = 0, 1, 2


@dataclass(frozen=True)
class TeamGrader:
    """One grader over all sessions and imports.

    Attributes
    ----------
    n_votes : int
        Candidates with an active grade.
    seconds : float or None
        Mean of the sessions' median seconds a cutout, weighed by cutouts.
    repeats : Proportion
        Blind repeats that got the same grade.
    gold_lenses, gold_non_lenses : Proportion
        Of decided gold standards, those that were called right.
    lens_seen, other_seen : float
        By consensus: probability of a grade that says lens for a lens, and of one that says no
        lens for another object; NaN without votes.
    """

    id: int
    name: str
    role: str
    n_votes: int
    seconds: float | None
    repeats: Proportion
    gold_lenses: Proportion
    gold_non_lenses: Proportion
    lens_seen: float
    other_seen: float

    @property
    def per_hour(self) -> float | None:
        """Cutouts an hour at that pace."""
        return 3600 / self.seconds if self.seconds else None


@dataclass(frozen=True)
class GraderPair:
    """Cohen's κ of two graders on lens, open, no lens."""

    first: str
    second: str
    kappa: Agreement


@dataclass(frozen=True)
class Team:
    """Data of the Team page."""

    graders: tuple[TeamGrader, ...]
    fleiss: Agreement
    pairs: tuple[GraderPair, ...]
    coverage: tuple[Coverage, ...]
    aggregated: AggregatedVotes


def team_metrics(session: Session, rule: ConsensusSettings) -> Team:
    """Metrics of all graders; nothing is written."""
    aggregated = aggregate_votes(session, rule)
    table = aggregated.table
    votes = table.votes
    says = votes.says[votes.scheme_of[votes.rater], votes.grade] if len(votes) else votes.grade
    said = np.where(says == 1, _LENS, np.where(says == 0, _NOT, _OPEN))
    who = np.array([grader for grader, _ in table.raters], dtype=np.int64)
    grader_of = who[votes.rater] if len(votes) else votes.rater
    counts = np.zeros((votes.n_items, 3), dtype=np.int64)
    np.add.at(counts, (votes.item, said), 1)
    known = {g.id: g for g in list_graders(session)}
    return Team(
        tuple(_graders(session, aggregated, known, grader_of)),
        fleiss_kappa(counts),
        tuple(_pairs(known, votes.item, grader_of, said)),
        tuple(coverage_of_catalogs(session)),
        aggregated,
    )


def _graders(
    session: Session, aggregated: AggregatedVotes, known: dict[int, Grader], grader_of: IntArray
) -> list[TeamGrader]:
    in_sessions: dict[int, list[GraderMetrics]] = {}
    for summary in list_sessions(session):
        for metrics in summary.graders:
            in_sessions.setdefault(metrics.grader_id, []).append(metrics)
    n_votes = Counter(grader_of.tolist())
    seen = _estimated_skill(aggregated)
    result = []
    for key, grader in known.items():
        mine = in_sessions.get(key, [])
        if not mine and not n_votes[key]:
            continue
        paced = [(f.seconds, f.n_done) for f in mine if f.seconds is not None]
        cutouts = sum(n for _, n in paced)
        lens_seen, other_seen = seen.get(key, (float("nan"), float("nan")))
        result.append(
            TeamGrader(
                key,
                grader.name,
                grader.role,
                n_votes[key],
                sum(s * n for s, n in paced) / cutouts if cutouts else None,
                Proportion(sum(f.repeats.found for f in mine), sum(f.repeats.total for f in mine)),
                Proportion(
                    sum(f.gold_lenses.found for f in mine), sum(f.gold_lenses.total for f in mine)
                ),
                Proportion(
                    sum(f.gold_non_lenses.found for f in mine),
                    sum(f.gold_non_lenses.total for f in mine),
                ),
                lens_seen,
                other_seen,
            )
        )
    return result


def _estimated_skill(aggregated: AggregatedVotes) -> dict[int, tuple[float, float]]:
    """Skill by grader, from the scheme with most votes."""
    votes, confusion = aggregated.table.votes, aggregated.estimate.confusion
    n = np.bincount(votes.rater, minlength=votes.n_raters)
    best: dict[int, int] = {}
    for rater, (grader, _) in enumerate(aggregated.table.raters):
        if n[rater] and (grader not in best or n[rater] > n[best[grader]]):
            best[grader] = rater
    skill = {}
    for grader, rater in best.items():
        says = np.array([1, 0]) if aggregated.binary else votes.says[votes.scheme_of[rater]]
        skill[grader] = (
            float(confusion[rater, 0][says == 1].sum()),
            float(confusion[rater, 1][says == 0].sum()),
        )
    return skill


def _pairs(
    known: dict[int, Grader],
    item: IntArray,
    grader_of: IntArray,
    said: IntArray,
) -> list[GraderPair]:
    """The pairs with most objects in common."""
    by_grader = {
        int(key): dict(zip(item[grader_of == key].tolist(), said[grader_of == key].tolist(),
                           strict=True))
        for key in np.unique(grader_of)
    }  # fmt: skip
    shared = {
        (a, b): sorted(by_grader[a].keys() & by_grader[b].keys())
        for a, b in combinations(sorted(by_grader), 2)
    }
    ranked = sorted(shared, key=lambda pair: -len(shared[pair]))[:MOST_PAIRS]
    return [
        GraderPair(
            known[a].name,
            known[b].name,
            cohen_kappa(
                [by_grader[a][k] for k in shared[a, b]], [by_grader[b][k] for k in shared[a, b]], 3
            ),
        )
        for a, b in ranked
        if len(shared[a, b]) >= MIN_SHARED
    ]
