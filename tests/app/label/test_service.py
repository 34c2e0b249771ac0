"""What graders are told of the objects of a session, blind and not."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from people import signed_in_as
from rows import add_catalog, score_row

from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import SignedIn
from lens_triage.app.label.service import LabelService
from lensing_core.acquisition import QueueEntry
from lensing_core.errors import PolicyError
from lensing_core.labeling import NewSession, SessionOptions, create_session
from lensing_core.store import open_database
from lensing_core.store.labels import NewEvent, append_events, grader_named
from lensing_core.store.tables import Candidate, Ensemble

ADA, VERA = (SignedIn(k, name, "grader", False) for k, name in ((1, "Ada"), (2, "Vera")))


@pytest.fixture
def context(workspace) -> AppContext:
    """Two candidates; an ensemble has scored the first, and both graders have graded it."""
    context = AppContext.of(workspace)
    with open_database(context.workspace).session() as session:
        first, _ = add_catalog(session, "mine", 2)
        assert [grader_named(session, g.name).id for g in (ADA, VERA)] == [ADA.id, VERA.id]
        session.add(Ensemble(id=1, name="first", fusion="mean", manifest={}))
        session.flush()
        session.add(score_row(1, 1, first, probability=0.75))
        at = datetime.now(UTC)
        append_events(
            session,
            [
                NewEvent(str(uuid4()), "grade", grader.id, first, "abcx", at, grade=grade)
                for grader, grade in ((ADA, "X"), (VERA, "B"))
            ],
        )
    return context


def start(context: AppContext, *, blind: bool, lens_test: bool = False) -> dict:
    with open_database(context.workspace).session() as session:
        new = NewSession(
            f"blind {blind}, {lens_test}",
            [QueueEntry(1, "rank 1"), QueueEntry(2, "rank 2")],
            {},
            options=SessionOptions(blind=blind, shuffled=False, lens_test=lens_test),
            ensemble_id=1,
        )
        session_id = create_session(session, new, None).id
    return LabelService(context).start(session_id, ADA)


def test_a_session_that_is_not_blind_tells_scores_and_grades_of_others(context) -> None:
    told = start(context, blind=False)["items"]
    assert [(i["object_id"], i["why"], i["score"], i["votes"]) for i in told] == [
        ("o0", "rank 1", 0.75, [["Vera", "B"]]),
        ("o1", "rank 2", None, []),
    ]


def test_a_blind_session_tells_neither(context) -> None:
    told = start(context, blind=True)["items"]
    assert [set(item) for item in told] == [{"token", "number", "kind"}] * 2


def test_lens_tests_are_for_sessions_that_allow_them(context) -> None:
    for allowed in (True, False):
        told = start(context, blind=True, lens_test=allowed)
        assert told["session"]["lens_test"] == allowed
        found = [LabelService(context), told["session"]["id"], told["items"][1]["token"]]
        if allowed:
            assert LabelService.to_test(*found, ADA) == 2
        else:
            with pytest.raises(PolicyError, match="without lens tests"):
                LabelService.to_test(*found, ADA)


def test_preferences_are_kept_with_the_grader(context) -> None:
    service = LabelService(context)
    here, _ = signed_in_as(context, "Ada")
    LabelService.keep_preferences(here, {"size": 2})
    LabelService.keep_preferences(here, {"keys": {"A": "j"}})
    with open_database(context.workspace).session() as session:
        session_id = create_session(session, NewSession("again", [QueueEntry(1, "")], {}), None).id
    assert service.start(session_id, ADA)["preferences"] == {"size": 2, "keys": {"A": "j"}}


def test_references_of_a_session_tell_nothing_of_its_cutouts(context) -> None:
    with open_database(context.workspace).session() as session:
        session.get_one(Candidate, 1).label = 1
        (known,) = add_catalog(session, "known", 1)
        session.get_one(Candidate, known).label = 1
    told = start(context, blind=True)
    found = LabelService(context).references(told["session"]["id"], ADA)
    assert [(one["id"], one["is_lens"]) for one in found] == [(known, True)]
    assert found[0]["picture"].startswith("tiles/known/0?")
