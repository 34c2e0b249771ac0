"""Marks on the candidates of a list: own grades, the consensus, tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lensing_core.store.consensus_choice import current_consensus_method
from lensing_core.store.presence import blind_candidates
from lensing_core.store.remarks import tags_of
from lensing_core.store.tables import Consensus, LabelEvent, Vote


@dataclass(frozen=True)
class GroupOpinion:
    """Consensus on a candidate that others than the reader have graded."""

    posterior: float
    state: str
    n_votes: int


@dataclass(frozen=True)
class ListMarks:
    """Marks of one candidate in a list.

    Attributes
    ----------
    own : (uuid, grade) or None
        The reader's grade that stands, and its event.
    consensus : GroupOpinion or None
        None also where it is kept from the reader.
    tags : tuple of str
    blind : bool
        Whether the candidate is graded blind just now, so that what is known of its class is kept
        from the reader.
    """

    own: tuple[str, str] | None = None
    consensus: GroupOpinion | None = None
    tags: tuple[str, ...] = ()
    blind: bool = False


def list_marks(
    session: Session, candidate_ids: Sequence[int], grader_id: int | None, *, sees_all: bool
) -> dict[int, ListMarks]:
    """Marks of some candidates, each in a query for all of them.

    Parameters
    ----------
    candidate_ids : sequence of int
        Of a page of a list.
    grader_id : int or None
        The reader; None: nobody is signed in.
    sees_all : bool
        Whether the reader also sees what others said of candidates in open blind sessions.
    """
    blind = set() if sees_all else blind_candidates(session, candidate_ids)
    own = _own_grades(session, candidate_ids, grader_id)
    shown = [key for key in candidate_ids if key not in blind]
    opinions = _opinions(session, shown, grader_id)
    tags = tags_of(session, candidate_ids)
    return {
        key: ListMarks(own.get(key), opinions.get(key), tuple(tags[key]), key in blind)
        for key in candidate_ids
    }


def _own_grades(
    session: Session, candidate_ids: Sequence[int], grader_id: int | None
) -> dict[int, tuple[str, str]]:
    if grader_id is None:
        return {}
    rows = session.execute(
        select(Vote.candidate_id, LabelEvent.uuid, Vote.grade)
        .join(LabelEvent, LabelEvent.id == Vote.event_id)
        .where(Vote.grader_id == grader_id, Vote.candidate_id.in_(candidate_ids))
    )
    return {candidate_id: (uuid, grade) for candidate_id, uuid, grade in rows}


def _opinions(
    session: Session, candidate_ids: Sequence[int], grader_id: int | None
) -> dict[int, GroupOpinion]:
    """Consensus on those candidates that others have graded."""
    by_others = select(Vote.candidate_id).where(Vote.candidate_id.in_(candidate_ids))
    if grader_id is not None:
        by_others = by_others.where(Vote.grader_id != grader_id)
    n_votes = (
        select(func.count())
        .where(Vote.candidate_id == Consensus.candidate_id)
        .correlate(Consensus)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Consensus.candidate_id, Consensus.posterior, Consensus.state, n_votes).where(
            Consensus.method == current_consensus_method(), Consensus.candidate_id.in_(by_others)
        )
    )
    return {key: GroupOpinion(*opinion) for key, *opinion in rows}
