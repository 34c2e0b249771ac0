"""Graders and their consensus on injected lenses that sessions showed them as gold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lensing_core.arrays import IntArray
from lensing_core.labeling.skill import grades_on_gold
from lensing_core.proportions import Proportion
from lensing_core.selection.injections import MISSED, NOT_ASKED, PASSED
from lensing_core.store import Session
from lensing_core.store.consensus import aggregate_votes
from lensing_core.store.consensus_choice import ConsensusSettings, current_consensus_settings
from lensing_core.store.graders import list_graders

TEAM = "team"


@dataclass(frozen=True)
class GradedGold:
    """Grades of injected lenses, and of non-lenses beside them.

    Attributes
    ----------
    outcomes : mapping of str to ndarray of shape (n,)
        By name of the grader, and of the :data:`TEAM` by consensus, whether each injected lens was
        called a lens.
    team_false : Proportion
        Gold non-lenses that the consensus accepts.
    """

    outcomes: Mapping[str, IntArray]
    team_false: Proportion


def graded_gold(session: Session, candidate_ids: IntArray) -> GradedGold:
    """Grades of injected lenses; an undecided grade does not count as a detection.

    The consensus is that of the votes alone, as for any candidate; what a gold object is stays out
    of it.
    """
    place = {key: k for k, key in enumerate(candidate_ids.tolist())}
    names = {grader.id: grader.name for grader in list_graders(session)}
    outcomes: dict[str, IntArray] = {}
    for grade in grades_on_gold(session):
        if grade.candidate_id not in place:
            continue
        mine = outcomes.setdefault(
            f"grader {names.get(grade.grader_id, grade.grader_id)}", _nobody(len(place))
        )
        mine[place[grade.candidate_id]] = PASSED if grade.is_lens == 1 else MISSED
    rule = current_consensus_settings(session) or ConsensusSettings()
    aggregated = aggregate_votes(session, rule)
    accepted = aggregated.estimate.posterior[:, 0] >= rule.thresholds.accept
    team = _nobody(len(place))
    for k, key in enumerate(aggregated.table.items.tolist()):
        if key in place:
            team[place[key]] = PASSED if accepted[k] else MISSED
    if (team != NOT_ASKED).any():
        outcomes[TEAM] = team
    non_lenses = aggregated.gold == 0
    return GradedGold(
        outcomes, Proportion(int((non_lenses & accepted).sum()), int(non_lenses.sum()))
    )


def _nobody(n: int) -> IntArray:
    return np.full(n, NOT_ASKED, dtype=np.int64)
