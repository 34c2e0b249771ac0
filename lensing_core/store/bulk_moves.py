"""Moves of many candidates from one stage to another by a rule, and taking such a move back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from lensing_core.errors import BadInputError, NotFoundError
from lensing_core.store.consensus_choice import current_consensus_settings
from lensing_core.store.lens_tests import latest_lens_tests
from lensing_core.store.ranking import fetch_page
from lensing_core.store.ranking_query import Range, RankingQuery
from lensing_core.store.remarks import move_stage
from lensing_core.store.tables import (
    STAGES,
    BulkMove,
    BulkMoveItem,
    Consensus,
    Grader,
    Remark,
)

MOST = 5000
VERDICTS = ("supports", "no_lens", "unclear", "failed")
_PAGE = 500


@dataclass(frozen=True)
class MoveRule:
    """Rule for moving candidates of a stage to another.

    Attributes
    ----------
    source, target : str
        Stages. Rejecting by a rule is not possible: a rejection has a reason of its own.
    ensemble_id : int or None
        Whose ranking is followed; None: in order of object ids, without scores.
    most : int
        At most so many, the first of the ranking.
    probability_min : float
        Of the ensemble.
    consensus_min : float or None
        Least posterior of the graders; candidates without a consensus fail it.
    lens_test : str
        Verdict of the newest lens test; '' for any or none.
    ranges : tuple of Range
        Of color and arc features, magnitude and the like; candidates without the value fail.
    """

    source: str
    target: str
    ensemble_id: int | None = None
    most: int = 50
    probability_min: float = 0.0
    consensus_min: float | None = None
    lens_test: str = ""
    ranges: tuple[Range, ...] = ()

    def __post_init__(self) -> None:
        for stage in (self.source, self.target):
            if stage not in STAGES:
                raise BadInputError(f"Stage {stage!r}: use one of {', '.join(STAGES)}.")
        if self.source == self.target:
            raise BadInputError("Choose another stage than that from which candidates are moved.")
        if self.target == "rejected":
            raise BadInputError(
                "A candidate is rejected with a reason of its own; reject it on the Review page."
            )
        if not 1 <= self.most <= MOST:
            raise BadInputError(f"At most {self.most}: give 1 to {MOST:,}.")
        if self.consensus_min is not None and not 0 <= self.consensus_min <= 1:
            raise BadInputError(f"Consensus from {self.consensus_min:g}: give 0 to 1.")
        if self.lens_test and self.lens_test not in VERDICTS:
            raise BadInputError(f"Lens test {self.lens_test!r}: use one of {', '.join(VERDICTS)}.")

    def query(self) -> RankingQuery:
        """The part of the rule that a ranking knows."""
        return RankingQuery(
            self.ensemble_id,
            sort="object_id" if self.ensemble_id is None else "score",
            descending=self.ensemble_id is not None,
            probability_min=self.probability_min,
            stages=(self.source,),
            ranges=self.ranges,
        )


@dataclass(frozen=True)
class BulkMoveSummary:
    """A bulk move; ``n_back`` of its candidates were moved back by an undo, None: no undo."""

    id: int
    grader: str
    at: datetime
    source: str
    target: str
    rule: dict[str, object]
    n: int
    n_back: int | None


def chosen_by(session: Session, rule: MoveRule) -> list[int]:
    """Ids of the candidates that a rule moves, in order of the ranking."""
    chosen: list[int] = []
    for ids in _pages(session, rule.query()):
        passed = set(ids)
        if rule.consensus_min is not None:
            posterior = posteriors(session, ids)
            passed &= {k for k, value in posterior.items() if value >= rule.consensus_min}
        if rule.lens_test:
            tests = latest_lens_tests(session, ids)
            passed &= {k for k, test in tests.items() if test.verdict == rule.lens_test}
        chosen += [key for key in ids if key in passed]
        if len(chosen) >= rule.most:
            break
    return chosen[: rule.most]


def posteriors(session: Session, candidate_ids: Sequence[int]) -> dict[int, float]:
    """Posterior of the current consensus of those of up to 1000 candidates that have one."""
    settings = current_consensus_settings(session)
    if settings is None:
        return {}
    rows = session.execute(
        select(Consensus.candidate_id, Consensus.posterior).where(
            Consensus.candidate_id.in_(candidate_ids), Consensus.method == settings.method
        )
    )
    return {row[0]: row[1] for row in rows}


def move_by_rule(session: Session, rule: MoveRule, grader_id: int) -> int:
    """Move the candidates of a rule, each with its line in the history; returns how many."""
    ids = chosen_by(session, rule)
    if ids:
        _move(session, dict.fromkeys(ids, rule.target), grader_id, rule.target, asdict(rule))
    return len(ids)


def undo_bulk_move(session: Session, move_id: int, grader_id: int) -> tuple[int, int]:
    """Move candidates of a bulk move back; return how many went back, and how many did not.

    One that has been moved since stays where it is.

    Raises
    ------
    NotFoundError
        If there is no such move.
    BadInputError
        If it was taken back before, or is an undo itself.
    """
    move = session.get(BulkMove, move_id)
    if move is None:
        raise NotFoundError(f"There is no bulk move {move_id}.")
    if move.undoes_id is not None:
        raise BadInputError("This is an undo; move the candidates by a rule again instead.")
    if session.scalar(select(BulkMove.id).where(BulkMove.undoes_id == move_id)) is not None:
        raise BadInputError("This move was taken back before.")
    last = aliased(Remark)
    newest = (
        select(func.max(last.id))
        .where(last.candidate_id == BulkMoveItem.candidate_id, last.kind == "stage")
        .scalar_subquery()
    )
    rows = session.execute(
        select(BulkMoveItem.candidate_id, Remark.before, BulkMoveItem.remark_id == newest)
        .join(Remark, Remark.id == BulkMoveItem.remark_id)
        .where(BulkMoveItem.bulk_move_id == move_id)
    ).all()
    back = {key: before for key, before, untouched in rows if untouched}
    _move(session, back, grader_id, move.stage, {}, undoes_id=move_id)
    return len(back), len(rows) - len(back)


def list_bulk_moves(session: Session, limit: int = 20) -> list[BulkMoveSummary]:
    """Bulk moves, the newest first, without undos."""
    undo = aliased(BulkMove)
    rows = session.execute(
        select(BulkMove, Grader.name, undo.id)
        .join(Grader, Grader.id == BulkMove.grader_id)
        .outerjoin(undo, undo.undoes_id == BulkMove.id)
        .where(BulkMove.undoes_id.is_(None))
        .order_by(BulkMove.id.desc())
        .limit(limit)
    ).all()
    wanted = [move.id for move, _, _ in rows] + [undone for _, _, undone in rows if undone]
    counted = session.execute(
        select(BulkMoveItem.bulk_move_id, func.count())
        .where(BulkMoveItem.bulk_move_id.in_(wanted))
        .group_by(BulkMoveItem.bulk_move_id)
    )
    counts = {row[0]: row[1] for row in counted}
    return [
        BulkMoveSummary(
            move.id,
            name,
            move.at,
            str(move.rule["source"]),
            move.stage,
            move.rule,
            counts.get(move.id, 0),
            None if undone is None else counts.get(undone, 0),
        )
        for move, name, undone in rows
    ]


def _pages(session: Session, query: RankingQuery) -> Iterator[list[int]]:
    cursor = None
    while True:
        page = fetch_page(session, query, after=cursor, limit=_PAGE)
        if page.rows:
            yield [row.candidate.id for row in page.rows]
        if not page.has_after:
            return
        cursor = page.rows[-1].cursor


def _move(
    session: Session,
    targets: dict[int, str],
    grader_id: int,
    stage: str,
    rule: dict[str, object],
    *,
    undoes_id: int | None = None,
) -> None:
    move = BulkMove(grader_id=grader_id, stage=stage, rule=rule, undoes_id=undoes_id)
    session.add(move)
    session.flush()
    for candidate_id, target in targets.items():
        move_stage(session, candidate_id, grader_id, target)
        remark_id = session.scalar(
            select(func.max(Remark.id)).where(
                Remark.candidate_id == candidate_id, Remark.kind == "stage"
            )
        )
        session.add(
            BulkMoveItem(bulk_move_id=move.id, candidate_id=candidate_id, remark_id=remark_id)
        )
    session.flush()
