"""Grades in the list: the reader's own, and those of others where they may be seen."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from review_questions import Asked
from sqlalchemy import select

from lens_triage.app.context import AppContext
from lens_triage.app.review.query import read_address
from lens_triage.app.review.service import ReviewService
from lensing_core.acquisition import QueueEntry
from lensing_core.errors import BadInputError
from lensing_core.labeling import NewSession, close_session, create_session
from lensing_core.store import open_database
from lensing_core.store.consensus import update_consensus
from lensing_core.store.consensus_choice import ConsensusSettings
from lensing_core.store.graders import sign_in
from lensing_core.store.labels import NewEvent, append_events, grader_named
from lensing_core.store.query_json import query_to_json
from lensing_core.store.remarks import add_tag
from lensing_core.store.tables import Candidate


@pytest.fixture
def context(filled_workspace) -> AppContext:
    """Ada and Vera have graded the first candidate, which was imported as a lens."""
    context = AppContext.of(filled_workspace)
    with open_database(context.workspace).session() as session:
        sign_in(session, "The organizer")  # from now on nobody works alone
        session.get_one(Candidate, 1).label = 1
        for name, grade in (("Ada", "A"), ("Vera", "B")):
            person = grader_named(session, name)
            event = (str(uuid4()), "grade", person.id, 1, "abcx", datetime.now(UTC))
            append_events(session, [NewEvent(*event, grade=grade)])
        add_tag(session, 1, person.id, "quad")
        update_consensus(session, ConsensusSettings())
    return context


def asked(context: AppContext, name: str | None, *, organizes: bool = False) -> Asked:
    key = None
    if name is not None:
        with open_database(context.workspace).session() as session:
            key = grader_named(session, name).id
    return Asked(context, ReviewService(key, organizes=organizes))


def row_of(context: AppContext, name: str | None, *, organizes: bool = False) -> dict:
    query = query_to_json(read_address({"sort": ["object_id"]}, [], []).query)
    page = asked(context, name, organizes=organizes).answer({"type": "page", "query": query})
    return next(row for row in page["rows"] if row["id"] == 1)


def begin_blind_session(context: AppContext) -> str:
    with open_database(context.workspace).session() as session:
        return create_session(session, NewSession("r1", [QueueEntry(1, "")], {}), None).id


def test_a_row_has_the_readers_own_grade_and_the_consensus_of_others(context) -> None:
    row = row_of(context, "Ada")
    assert row["own"]["grade"] == "A"
    assert row["consensus"]["n_votes"] == 2
    assert row["consensus"]["posterior"] > 0.5
    assert (row["tags"], row["label"]) == (["quad"], 1)
    assert row_of(context, "Vera")["own"]["grade"] == "B"
    assert row_of(context, "Zoe")["own"] is None


def test_a_consensus_of_ones_own_vote_alone_is_no_opinion_of_others(context) -> None:
    with open_database(context.workspace).session() as session:
        ada = grader_named(session, "Ada")
        event = (str(uuid4()), "grade", ada.id, 2, "abcx", datetime.now(UTC))
        append_events(session, [NewEvent(*event, grade="A")])
        update_consensus(session, ConsensusSettings())
    query = query_to_json(read_address({"sort": ["object_id"]}, [], []).query)
    rows = asked(context, "Ada").answer({"type": "page", "query": query})["rows"]
    row = next(row for row in rows if row["id"] == 2)
    assert (row["own"]["grade"], row["consensus"]) == ("A", None)


def test_while_a_candidate_is_graded_blind_nothing_tells_its_class(context) -> None:
    session_id = begin_blind_session(context)
    for name in ("Ada", None):
        row = row_of(context, name)
        assert (row["label"], row["consensus"], row["blind"]) == (None, None, True)
    assert row_of(context, "Ada")["own"]["grade"] == "A"  # one's own is no news
    assert row_of(context, "Vera", organizes=True)["label"] == 1
    with open_database(context.workspace).session() as session:
        close_session(session, session_id)
    assert row_of(context, "Ada")["label"] == 1


def test_the_panels_of_a_blind_candidate_do_not_tell_its_label(context) -> None:
    ask = {"type": "details", "ids": [1]}

    def told(**person) -> str:
        return str(asked(context, "Ada", **person).answer(ask))

    assert "Imported label" in told()
    begin_blind_session(context)
    assert "Imported label" not in told()
    assert "Imported label" in told(organizes=True)


def test_the_truth_of_a_blind_candidate_stays_on_the_server(context) -> None:
    with open_database(context.workspace).session() as session:
        candidate = session.scalar(select(Candidate).where(Candidate.id == 1))
        candidate.observation.truth = {"class": "lens"}
    begin_blind_session(context)
    reader = asked(context, "Ada")
    (told,) = reader.answer({"type": "details", "ids": [1]})["details"]
    assert not told["has_truth"]
    with pytest.raises(BadInputError, match="graded blind"):
        reader.answer({"type": "truth", "id": 1})
