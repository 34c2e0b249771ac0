"""Consensus settings: method, prior and thresholds, and those chosen last."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import Session

from lensing_core.consensus import Thresholds
from lensing_core.errors import BadInputError
from lensing_core.store.ensembles import find_ensemble
from lensing_core.store.tables import ConsensusChoice, LabelEvent, Vote, utc_now

Method = Literal["dawid_skene", "swap"]
METHODS: tuple[Method, ...] = get_args(Method)


@dataclass(frozen=True)
class ConsensusSettings:
    """Settings by which votes are aggregated.

    Attributes
    ----------
    method : 'dawid_skene' (all grades) or 'swap' (lens or not)
    prior : float or None
        Probability of a lens before any vote. None: for Dawid-Skene the share of lenses is
        estimated from the votes, for SWAP it is 2e-4.
    ensemble_id : int or None
        Take the calibrated probability of this ensemble instead, where it has scored the
        candidate. Meant for blind grades: a grader who saw the score has used it already.
    thresholds : Thresholds
    """

    method: Method = "dawid_skene"
    prior: float | None = None
    ensemble_id: int | None = None
    thresholds: Thresholds = field(default_factory=Thresholds)

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise BadInputError(f"Method {self.method!r}: choose one of {', '.join(METHODS)}.")
        if self.prior is not None and not 0 < self.prior < 1:
            raise BadInputError(f"Prior {self.prior}: give a number between 0 and 1.")


def check_method(name: str) -> Method:
    """The method of a name; raises BadInputError."""
    if name not in METHODS:
        raise BadInputError(f"Method {name!r}: choose one of {', '.join(METHODS)}.")
    return name


def current_consensus_settings(
    session: Session, method: Method | None = None
) -> ConsensusSettings | None:
    """Settings that votes were aggregated by last, of all methods or of one; None: never."""
    chosen = select(ConsensusChoice).order_by(ConsensusChoice.joined_at.desc()).limit(1)
    if method is not None:
        chosen = chosen.where(ConsensusChoice.method == method)
    choice = session.scalar(chosen)
    if choice is None:
        return None
    return ConsensusSettings(
        check_method(choice.method),
        choice.prior,
        choice.ensemble_id,
        Thresholds(choice.accept, choice.retire),
    )


def current_consensus_method() -> ScalarSelect[str]:
    """Method of :func:`current_consensus_settings`, for queries of lists; NULL without one."""
    latest = select(ConsensusChoice.method).order_by(ConsensusChoice.joined_at.desc()).limit(1)
    return latest.scalar_subquery()


def keep_choice(session: Session, rule: ConsensusSettings, last_event_id: int) -> None:
    """Store the settings that votes were aggregated by, from the log up to an event."""
    session.merge(
        ConsensusChoice(
            method=rule.method,
            prior=rule.prior,
            ensemble_id=rule.ensemble_id,
            accept=rule.thresholds.accept,
            retire=rule.thresholds.retire,
            last_event_id=last_event_id,
            joined_at=utc_now(),
        )
    )


def aggregated_up_to(session: Session, method: Method) -> int:
    """Id of the last event of the log that the consensus of a method has seen; 0: of none."""
    choice = session.get(ConsensusChoice, method)
    return choice.last_event_id if choice else 0


def is_stale(session: Session, method: Method) -> bool:
    """Return whether the log has events that the consensus of a method has not seen."""
    last = session.scalar(select(func.max(LabelEvent.id))) or 0
    return last > aggregated_up_to(session, method)


def ensemble_as_prior(session: Session, name: str) -> int:
    """The id of an ensemble whose scores are to be the prior; raises NotFoundError."""
    return find_ensemble(session, name).id


def count_votes_in_sight(session: Session) -> int:
    """Votes that were given with a score in sight: an ensemble's prior would count it twice."""
    seen = LabelEvent.visible["ensemble_id"].as_integer().is_not(None)
    votes = select(func.count()).select_from(Vote).join(LabelEvent, LabelEvent.id == Vote.event_id)
    return session.scalar(votes.where(seen)) or 0
