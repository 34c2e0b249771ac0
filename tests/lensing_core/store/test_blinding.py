"""What an open blind session keeps back: nothing tells a grader what others said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from filling import fill_workspace

from lens_triage.training.labeling import SessionSettings, make_session
from lensing_core.acquisition import QueueEntry
from lensing_core.errors import NotFoundError
from lensing_core.labeling import NewSession, close_session, create_session
from lensing_core.labeling.reviewing import record_in_review
from lensing_core.store import open_database
from lensing_core.store.consensus import update_consensus
from lensing_core.store.consensus_choice import ConsensusSettings
from lensing_core.store.export_rows import export_candidates, export_rows
from lensing_core.store.follow_up import follow_up_rows
from lensing_core.store.graders import sign_in
from lensing_core.store.labels import NewEvent, append_events
from lensing_core.store.query_json import query_from_json, query_to_json
from lensing_core.store.ranking import count_rows, cursor_of, fetch_page
from lensing_core.store.ranking_query import RankingQuery
from lensing_core.store.remarks import add_note
from lensing_core.store.stages import stage_page
from lensing_core.store.tables import Candidate, SessionItem
from lensing_core.workspace import Workspace

BLIND, OPEN = 1, 2  # candidates: in the blind session, and in none


class Place:
    """Two graders who differ on a candidate of a blind session and on another one."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.database = open_database(workspace)
        with self.database.session() as session:
            self.ana, self.bo, self.cleo = (
                sign_in(session, name).id for name in ("Ana", "Bo", "Cleo")
            )
            for grader, grade in ((self.ana, "A"), (self.bo, "X")):
                record_in_review(session, grader, [self.grade(c, grade) for c in (BLIND, OPEN)])
            update_consensus(session, ConsensusSettings())
            now = datetime.now(UTC)
            for candidate_id in (BLIND, OPEN):
                session.get_one(Candidate, candidate_id).label = 1
                add_note(session, candidate_id, self.ana, "a faint arc")
                flag = NewEvent(str(uuid4()), "flag", self.bo, candidate_id, "abcx", now,
                                comment="a blue ring")  # fmt: skip
                append_events(session, [flag])
            new = NewSession("blind", [QueueEntry(BLIND, "")], {"blind": True})
            self.blind = create_session(session, new, self.ana).id

    @staticmethod
    def grade(candidate: int, grade: str) -> dict[str, Any]:
        now = datetime.now(UTC).isoformat()
        return {"uuid": str(uuid4()), "kind": "grade", "candidate": candidate, "grade": grade,
                "given_at": now}  # fmt: skip

    def found(self, query: RankingQuery) -> set[int]:
        with self.database.session() as session:
            rows = fetch_page(session, query, limit=1000).rows
            assert count_rows(session, query).n == len(rows)
        return {row.candidate.id for row in rows} & {BLIND, OPEN}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    workspace = Workspace.create(tmp_path_factory.mktemp("blinding") / "workspace")
    return Place(fill_workspace(workspace))


def asked(place: Place, reader: str, *, hides: bool, **filters: Any) -> set[int]:
    grader_id = getattr(place, reader)
    made = RankingQuery(1, grader_id=grader_id, hides_blind=hides, **filters)
    return place.found(made)


# What each filter tells of a candidate that others have graded A and X, labeled a lens.
TELLS = [
    {"votes": "anyone"},
    {"votes": "others"},
    {"votes": "others", "grades": ("A",)},
    {"grades": ("A",)},
    {"grades": ("X",)},
    {"sort": "graded"},
    {"sort": "graded", "descending": False},
    {"label": "lens"},
    {"label": "labeled"},
    {"note": "faint"},
    {"note": "RING"},
    {"flagged": "anyone"},
]


@pytest.mark.parametrize("filters", TELLS, ids=str)
def test_no_filter_and_no_order_tells_what_others_said(place, filters):
    assert asked(place, "cleo", hides=False, **filters) == {BLIND, OPEN}
    assert asked(place, "cleo", hides=True, **filters) == {OPEN}


@pytest.mark.parametrize(
    "filters", [{"votes": "nobody"}, {"label": "unlabeled"}, {"flagged": "nobody"}], ids=str
)
def test_what_is_kept_back_is_as_if_it_were_not(place, filters):
    assert asked(place, "cleo", hides=False, **filters) == set()
    assert asked(place, "cleo", hides=True, **filters) == {BLIND}


def test_states_of_the_consensus_are_kept_back(place):
    every = ("open", "accepted", "retired")
    assert asked(place, "cleo", hides=False, consensus=every) == {BLIND, OPEN}
    assert asked(place, "cleo", hides=True, consensus=every) == {OPEN}


def test_ones_own_grade_is_told(place):
    assert asked(place, "ana", hides=True, votes="mine") == {BLIND, OPEN}
    assert asked(place, "ana", hides=True, grades=("A",)) == {BLIND, OPEN}
    assert asked(place, "ana", hides=True, grades=("X",)) == {OPEN}
    assert asked(place, "ana", hides=True, sort="graded") == {BLIND, OPEN}
    assert asked(place, "ana", hides=True, note="faint") == {BLIND, OPEN}
    assert asked(place, "ana", hides=True, note="ring") == {OPEN}
    assert asked(place, "bo", hides=True, flagged="mine") == {BLIND, OPEN}
    query = RankingQuery(1, sort="graded", grader_id=place.cleo, hides_blind=True)
    with place.database.session() as session, pytest.raises(NotFoundError):
        cursor_of(session, query, BLIND)


def test_a_page_cannot_ask_to_be_told(place):
    fields = {**query_to_json(RankingQuery(1)), "hides_blind": False, "grader_id": place.ana}
    query = query_from_json(fields, place.cleo, hides_blind=True)
    assert (query.hides_blind, query.grader_id) == (True, place.cleo)
    assert "hides_blind" not in query_to_json(query)


def test_exports_tell_none_of_it(place):
    query = RankingQuery(1, grader_id=place.cleo)
    by_id = {
        hides: {
            int(row["candidate"] or 0): row
            for row in export_rows(place.database, replace(query, hides_blind=hides))
        }
        for hides in (False, True)
    }
    names = ("n_grades", "n_lens", "consensus_state", "label")
    told = [by_id[False][BLIND][name] for name in names]
    assert told[:2] == [2, 1]
    assert told[2] != ""
    kept = by_id[True][BLIND]
    assert [kept[name] for name in names] == [0, 0, "", ""]
    assert kept["consensus"] is None
    assert by_id[True][OPEN]["n_grades"] == 2
    with place.database.session() as session:
        (one,) = export_candidates(session, replace(query, hides_blind=True), [BLIND])
    assert one["n_grades"] == 0


def test_validate_shows_no_consensus_of_it(place):
    def listed(order: Any, *, hides: bool) -> dict[int, float | None]:
        with place.database.session() as session:
            rows, _ = stage_page(session, "detection", 1, order=order, limit=500, hides_blind=hides)
        return {row.ranked.candidate.id: row.consensus for row in rows}

    assert listed("score", hides=False)[BLIND] is not None
    assert listed("score", hides=True)[BLIND] is None
    assert BLIND in listed("consensus", hides=False)
    assert BLIND not in listed("consensus", hides=True)


def test_no_session_of_a_grader_is_made_of_what_others_said(place):
    def items(name: str, *, hides: bool) -> set[int]:
        settings = SessionSettings(session=name, strategy="graders", ensemble="")
        key = make_session(place.workspace, settings, place.cleo, hides_blind=hides)
        with place.database.session() as session:
            asked = sa.select(SessionItem.candidate_id).where(SessionItem.session_id == key)
            found = set(session.scalars(asked))
            close_session(session, key)
        return found

    assert items("all", hides=False) == {BLIND, OPEN}
    assert items("told", hides=True) == {OPEN}


def test_when_the_session_is_closed_all_is_told(place):
    with place.database.session() as session:
        close_session(session, place.blind)
    assert asked(place, "cleo", hides=True, grades=("A",)) == {BLIND, OPEN}
    with place.database.session() as session:
        close_session(session, place.blind, reopen=True)
    assert asked(place, "cleo", hides=True, grades=("A",)) == {OPEN}


def test_a_plan_follows_no_consensus_of_it(place):
    def planned(*, hides: bool) -> dict[Any, Any]:
        with place.database.session() as session:
            rows = follow_up_rows(session, ["detection"], 1, 500, hides_blind=hides)
        return {row["candidate"]: row["consensus"] for row in rows}

    assert planned(hides=False)[BLIND] is not None
    assert planned(hides=True)[BLIND] is None
    assert planned(hides=True)[OPEN] is not None
