"""Estimates of the lenses not found yet in a catalog, and of the price of the next ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from lensing_core.arrays import BoolArray, IntArray
from lensing_core.datasets.grades import GradeRule, opinions
from lensing_core.datasets.uses import LENS, UNLABELED
from lensing_core.errors import BadInputError
from lensing_core.selection.hidden import (
    Hidden,
    Price,
    Tail,
    calibrated_tail,
    capture_recapture,
    price_of_next,
)
from lensing_core.store import Session
from lensing_core.store.catalogs import find_catalog
from lensing_core.store.ensembles import best_ensemble
from lensing_core.store.label_sessions import queues_of_strategy
from lensing_core.store.queues import expected_lenses
from lensing_core.store.scores import read_scores

RANDOM = "random"
"""Strategy of the sessions whose graders search without the machine."""
FEWEST_BY_CHANCE = 1
"""Lenses that graders must have found in random samples, for capture-recapture."""


@dataclass(frozen=True)
class Captures:
    """Lenses found by the machine and, without it, by graders in random samples.

    Attributes
    ----------
    machine, graders, both : int
    sample : int
        Objects of random samples that graders have decided.
    """

    machine: int
    graders: int
    both: int
    sample: int


@dataclass(frozen=True)
class StillHidden:
    """Lenses of a catalog that nobody has found yet.

    Attributes
    ----------
    catalog, ensemble : str
    lenses, decided, undecided : int
        Lenses among the objects that graders have decided, these, and all others.
    tail : Tail
        By calibrated probabilities.
    price : Price
        Of the next lenses by the ranking.
    captures : Captures
    by_captures : Hidden or None
        None where graders found no lens in a random sample.
    """

    catalog: str
    ensemble: str
    lenses: int
    decided: int
    undecided: int
    tail: Tail
    price: Price
    captures: Captures
    by_captures: Hidden | None


def still_hidden(
    session: Session, catalog: str, seconds_each: float, *, ensemble: str = ""
) -> StillHidden:
    """Estimate the lenses not found yet in a catalog from its scores and grades.

    Parameters
    ----------
    seconds_each : float
        That a grader takes for a cutout.
    ensemble : str, optional
        Empty: the promoted one, or the newest that has scored the catalog.

    Raises
    ------
    NotFoundError
        If there is no such catalog, or the ensemble has not scored it.
    BadInputError
        If no ensemble has.
    """
    found = find_catalog(session, catalog)
    chosen = best_ensemble(session, found.id, ensemble)
    if chosen is None:
        raise BadInputError(f"No ensemble has scored {catalog}; score it first.")
    ids, logits = read_scores(session, found.id, chosen.id)
    state = _states(session, ids)
    decided, lens = state != UNLABELED, state == LENS
    probability = expit(logits)
    tail = calibrated_tail(probability[~decided], probability[decided], int(lens.sum()))
    least, _ = expected_lenses(session, chosen.id, [found.id])
    captures = _captures(session, ids, lens, decided, logits >= least)
    return StillHidden(
        catalog,
        chosen.name,
        int(lens.sum()),
        int(decided.sum()),
        int((~decided).sum()),
        tail,
        price_of_next(probability[~decided], tail, seconds_each),
        captures,
        capture_recapture(captures.machine, captures.graders, captures.both)
        if captures.graders >= FEWEST_BY_CHANCE
        else None,
    )


def _states(session: Session, ids: IntArray) -> IntArray:
    """Lens, non-lens or undecided by the grades of each candidate, shape (n,)."""
    rule = GradeRule.current(session)
    place = {key: k for k, key in enumerate(ids.tolist())}
    state = np.full(len(ids), UNLABELED, dtype=np.int64)
    for opinion in opinions(session, rule.rule):
        if opinion.candidate_id in place:
            state[place[opinion.candidate_id]] = rule.state(opinion.posterior, opinion.prior)
    return state


def _captures(
    session: Session, ids: IntArray, lens: BoolArray, decided: BoolArray, in_list: BoolArray
) -> Captures:
    """Lenses in the list of expected lenses, in random samples, and in both."""
    sampled = np.isin(ids, queues_of_strategy(session, RANDOM))
    return Captures(
        int((lens & in_list).sum()),
        int((lens & sampled).sum()),
        int((lens & in_list & sampled).sum()),
        int((sampled & decided).sum()),
    )
