"""The consensus list: pages of candidates by posterior, with who said what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.orm import Session

from lensing_core.consensus import STATES
from lensing_core.errors import BadInputError
from lensing_core.store.consensus_choice import Method
from lensing_core.store.tables import Candidate, Consensus, Grader, Vote


@dataclass(frozen=True)
class ConsensusEntry:
    """One line of the consensus list."""

    consensus: Consensus
    candidate: Candidate
    grades: tuple[tuple[str, str], ...]

    @property
    def key(self) -> tuple[float, int]:
        """Start of the next page."""
        return self.consensus.posterior, self.consensus.candidate_id


def consensus_page(
    session: Session,
    method: Method,
    *,
    state: str | None = None,
    after: tuple[float, int] | None = None,
    limit: int = 50,
) -> list[ConsensusEntry]:
    """A page of the list, highest posterior first, each with who said what.

    Parameters
    ----------
    state : of :data:`~lensing_core.consensus.STATES`, optional
    after : tuple of float and int, optional
        The :attr:`ConsensusEntry.key` of the last line of the page before.
    """
    if state is not None and state not in STATES:
        raise BadInputError(f"State {state!r}: choose one of {', '.join(STATES)}.")
    conditions: list[ColumnElement[bool]] = [Consensus.method == method]
    if state is not None:
        conditions.append(Consensus.state == state)
    if after is not None:
        ours, theirs = tuple_(Consensus.posterior, Consensus.candidate_id), tuple_(*after)
        conditions.append(ours < theirs)
    rows = session.execute(
        select(Consensus, Candidate)
        .join(Candidate, Candidate.id == Consensus.candidate_id)
        .where(*conditions)
        .order_by(Consensus.posterior.desc(), Consensus.candidate_id.desc())
        .limit(limit)
    ).all()
    grades: dict[int, list[tuple[str, str]]] = {}
    said = session.execute(
        select(Vote.candidate_id, Grader.name, Vote.grade)
        .join(Grader, Grader.id == Vote.grader_id)
        .where(Vote.candidate_id.in_([row[1].id for row in rows]))
        .order_by(Grader.name)
    )
    for candidate_id, name, grade in said:
        grades.setdefault(candidate_id, []).append((name, grade))
    return [ConsensusEntry(c, who, tuple(grades.get(who.id, ()))) for c, who in rows]


def count_states(session: Session, method: Method) -> dict[str, int]:
    """Return how many candidates are in each state."""
    rows = session.execute(
        select(Consensus.state, func.count())
        .where(Consensus.method == method)
        .group_by(Consensus.state)
    )
    counts = {row[0]: row[1] for row in rows}
    return {state: counts.get(state, 0) for state in STATES}


class StoredConsensus(NamedTuple):
    """The consensus on a candidate, as far as labels follow from it."""

    candidate_id: int
    posterior: float
    prior: float
    n_votes: int


def stored_consensus(session: Session, method: Method) -> Iterator[StoredConsensus]:
    """Yield the consensus of a method on each graded candidate, gold standards left out."""
    columns = (getattr(Consensus, name) for name in StoredConsensus._fields)
    rows = session.execute(select(*columns).where(Consensus.method == method))
    return map(StoredConsensus._make, rows)
