"""The stages of the funnel: how many candidates are in each, which, and what is checked of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import and_, func, select, tuple_
from sqlalchemy.orm import Session

from lensing_core.errors import BadInputError
from lensing_core.store.batches import in_batches
from lensing_core.store.blinding import graded_blind
from lensing_core.store.bulk_moves import posteriors
from lensing_core.store.candidates import get_candidate
from lensing_core.store.confirmations import outcomes
from lensing_core.store.consensus_choice import current_consensus_settings
from lensing_core.store.label_events import canonical_text
from lensing_core.store.lens_tests import latest_lens_tests
from lensing_core.store.presence import blind_candidates
from lensing_core.store.ranking import RankedCandidate, count_rows, fetch_page, load_rows
from lensing_core.store.ranking_query import Cursor, RankingQuery
from lensing_core.store.tables import (
    CHECK_STATES,
    STAGES,
    Candidate,
    Catalog,
    Consensus,
    Grader,
    Remark,
    StageCheck,
)

StageOrder = Literal["score", "consensus"]
MAX_CHECK = 2000
PRIOR_MODEL, NEW = "Prior model exists", "New"
"""First words of an answer to the point on archives that says so."""

CHECKLIST: Mapping[str, tuple[str, str]] = {
    "archive": ("triage", "Archives searched; prior model or literature noted"),
    "other_images": ("triage", "Images of other surveys show the same arcs"),
    "colors": ("validation", "Colors of the images agree within their errors (achromatic)"),
    "model": ("validation", "A lens model fits image positions and fluxes"),
    "redshifts": ("validation", "Redshifts of lens and source, photometric or better"),
    "x_ray_sz_radio": ("validation", "X-ray, SZ or radio counterpart (clusters)"),
    "spectrum": ("confirmation", "Spectrum taken and reduced"),
    "publication": ("confirmation", "Reference for the redshifts"),
}
"""Points by key: the stage in which each is due, and what is asked."""


@dataclass(frozen=True)
class StagedCandidate:
    """A candidate of a stage.

    Attributes
    ----------
    ranked : RankedCandidate
    catalog : str
    consensus : float or None
        Posterior of the graders.
    lens_test : str
        Verdict of the newest test; '' for none.
    moved_by : str or None
        Who moved it last; '' the program; None: it was never moved.
    moved_at : datetime or None
    outcome : str
        Of its confirmation record in force: ``lens``, ``not_lens`` or ''.
    """

    ranked: RankedCandidate
    catalog: str
    consensus: float | None
    lens_test: str
    moved_by: str | None
    moved_at: datetime | None
    outcome: str

    @property
    def id(self) -> int:
        """Return the id of the candidate."""
        return self.ranked.candidate.id


@dataclass(frozen=True)
class CheckedPoint:
    """A point of a checklist with its latest answer; ``grader`` is '' where there is none."""

    item: str
    stage: str
    asks: str
    state: str = "open"
    text: str = ""
    grader: str = ""
    at: datetime | None = None


def count_stages(session: Session) -> dict[str, int]:
    """Return how many candidates are in each stage, in the order of the funnel."""
    rows = session.execute(select(Candidate.stage, func.count()).group_by(Candidate.stage))
    counts = {row[0]: row[1] for row in rows}
    return {stage: counts.get(stage, 0) for stage in STAGES}


def stage_page(
    session: Session,
    stage: str,
    ensemble_id: int | None,
    *,
    order: StageOrder = "score",
    after: Cursor | None = None,
    limit: int = 50,
    hides_blind: bool = False,
) -> tuple[list[StagedCandidate], int]:
    """A page of the candidates of a stage, and how many there are in that order.

    Parameters
    ----------
    ensemble_id : int or None
        Whose scores are shown; in the order by score only candidates that it has scored are listed.
        None: in order of object ids.
    order : str
        ``score``, or ``consensus``: candidates with a consensus alone, the highest posterior first.
    after : Cursor, optional
        Of the last candidate of the page before.
    hides_blind : bool, optional
        Whether the consensus on candidates in open blind sessions is kept back.
    """
    by_score = ensemble_id is not None
    query = RankingQuery(
        ensemble_id,
        sort="score" if by_score else "object_id",
        descending=by_score,
        stages=(stage,),
    )
    if order == "score":
        page = fetch_page(session, query, after=after, limit=limit)
        return _known(session, page.rows, hides_blind=hides_blind), count_rows(session, query).n
    settings = current_consensus_settings(session)
    if settings is None:
        return [], 0
    listed = and_(
        Candidate.id == Consensus.candidate_id,
        Candidate.stage == stage,
        Consensus.method == settings.method,
        *([Candidate.id.not_in(graded_blind())] if hides_blind else []),
    )
    total = session.scalar(select(func.count()).select_from(Candidate).join(Consensus, listed)) or 0
    statement = select(Consensus.posterior, Candidate.id).join(Candidate, listed)
    if after is not None:
        statement = statement.where(
            tuple_(Consensus.posterior, Candidate.id) < tuple_(after.value, after.candidate_id)
        )
    rows = session.execute(
        statement.order_by(Consensus.posterior.desc(), Candidate.id.desc()).limit(limit)
    )
    rows_of_page = load_rows(session, query, [Cursor(*row) for row in rows])
    return _known(session, rows_of_page, hides_blind=hides_blind), total


def _known(
    session: Session, rows: Sequence[RankedCandidate], *, hides_blind: bool
) -> list[StagedCandidate]:
    ids = [row.candidate.id for row in rows]
    blind = blind_candidates(session, ids) if hides_blind else set()
    wanted = {row.candidate.catalog_id for row in rows}
    names = session.execute(select(Catalog.id, Catalog.name).where(Catalog.id.in_(wanted)))
    catalogs = {row[0]: row[1] for row in names}
    agreed, tests, known = (
        posteriors(session, [key for key in ids if key not in blind]),
        latest_lens_tests(session, ids),
        outcomes(session, ids),
    )
    newest = (
        select(func.max(Remark.id))
        .where(Remark.candidate_id.in_(ids), Remark.kind == "stage")
        .group_by(Remark.candidate_id)
    )
    moved = {
        key: (name or "", at)
        for key, name, at in session.execute(
            select(Remark.candidate_id, Grader.name, Remark.at)
            .outerjoin(Grader, Grader.id == Remark.grader_id)
            .where(Remark.id.in_(newest))
        )
    }
    made = []
    for row in rows:
        key = row.candidate.id
        who, when = moved.get(key, (None, None))
        test = tests.get(key)
        made.append(
            StagedCandidate(
                row,
                catalogs[row.candidate.catalog_id],
                agreed.get(key),
                "" if test is None else test.verdict,
                who,
                when,
                known.get(key, ""),
            )
        )
    return made


def answer_check(
    session: Session, candidate_id: int, grader_id: int, item: str, state: str, text: str = ""
) -> StageCheck:
    """Answer a point of the checklist of a candidate; earlier answers stay.

    Raises
    ------
    NotFoundError
        If there is no such candidate.
    BadInputError
        If point or state are unknown, or the text is too long.
    """
    if item not in CHECKLIST:
        raise BadInputError(f"Point {item!r}: use one of {', '.join(CHECKLIST)}.")
    if state not in CHECK_STATES:
        raise BadInputError(f"State {state!r}: use one of {', '.join(CHECK_STATES)}.")
    text = canonical_text(text, "text").strip()
    if len(text) > MAX_CHECK:
        raise BadInputError(f"Text of {len(text):,} letters: give {MAX_CHECK:,} at most.")
    get_candidate(session, candidate_id)
    row = StageCheck(
        candidate_id=candidate_id, item=item, state=state, text=text, grader_id=grader_id
    )
    session.add(row)
    session.flush()
    return row


def say_prior_model(
    session: Session, candidate_id: int, grader_id: int, *, exists: bool, text: str = ""
) -> StageCheck:
    """Answer the point on archives: a model is known, or the candidate is new.

    Raises
    ------
    NotFoundError
        If there is no such candidate.
    BadInputError
        If the text is too long.
    """
    begin = PRIOR_MODEL if exists else NEW
    answer = f"{begin}: {text.strip()}" if text.strip() else f"{begin}."
    return answer_check(session, candidate_id, grader_id, "archive", "done", answer)


def prior_models(session: Session, candidate_ids: Sequence[int]) -> dict[int, bool]:
    """Return whether people recorded a known model of each of some candidates.

    The latest answer to the point on archives counts; candidates of which it says nothing are left
    out.
    """
    known: dict[int, bool] = {}
    for part in in_batches(candidate_ids):
        newest = (
            select(func.max(StageCheck.id))
            .where(StageCheck.candidate_id.in_(part), StageCheck.item == "archive")
            .group_by(StageCheck.candidate_id)
        )
        rows = session.execute(
            select(StageCheck.candidate_id, StageCheck.text).where(StageCheck.id.in_(newest))
        )
        for key, text in rows:
            for begin, exists in ((PRIOR_MODEL, True), (NEW, False)):
                if text.startswith((f"{begin}.", f"{begin}: ")):
                    known[key] = exists
    return known


def checklist_of(session: Session, candidate_id: int) -> list[CheckedPoint]:
    """The points of all stages, in order, each with the latest answer."""
    newest = (
        select(func.max(StageCheck.id))
        .where(StageCheck.candidate_id == candidate_id)
        .group_by(StageCheck.item)
    )
    answers = {
        row.item: (row, name)
        for row, name in session.execute(
            select(StageCheck, Grader.name)
            .join(Grader, Grader.id == StageCheck.grader_id)
            .where(StageCheck.id.in_(newest))
        )
    }
    points = []
    for item, (stage, asks) in CHECKLIST.items():
        row, name = answers.get(item, (None, ""))
        points.append(
            CheckedPoint(item, stage, asks)
            if row is None
            else CheckedPoint(item, stage, asks, row.state, row.text, name, row.at)
        )
    return points
