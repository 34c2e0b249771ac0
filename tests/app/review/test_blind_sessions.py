"""Nothing that a grader can ask follows others' grades in an open blind session.

All is asked twice, and between the two the others say the opposite of a candidate of the session:
every answer has to be the same. To an organizer something has to differ, or the test asks nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest
from endpoints import serve_routes
from filling import fill_workspace
from people import signed_in_as

from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import SignedIn, cookie_name
from lens_triage.app.label.sessions import SessionBoard
from lens_triage.app.overview.view import OverviewBoard
from lens_triage.app.review import exporting
from lens_triage.app.review import handlers as review_handlers
from lens_triage.app.team.view import TeamBoard
from lens_triage.app.validate.view import ValidationBoard
from lensing_core.acquisition import QueueEntry
from lensing_core.labeling import NewSession, create_session
from lensing_core.labeling.reviewing import record_in_review
from lensing_core.store import open_database
from lensing_core.store.consensus import update_consensus
from lensing_core.store.consensus_choice import ConsensusSettings
from lensing_core.store.graders import sign_in
from lensing_core.store.query_json import query_to_json
from lensing_core.store.ranking_query import RankingQuery
from lensing_core.workspace import Workspace

BLIND = 1
FILTERS: list[dict[str, Any]] = [
    {},
    *({"votes": [votes]} for votes in ("mine", "others", "anyone", "not_mine", "nobody")),
    *({"grade": [grade]} for grade in "ABCX"),
    *({"votes": ["others"], "grade": [grade]} for grade in "AX"),
    *({"consensus": [state]} for state in ("open", "accepted", "retired")),
    *({"label": [label]} for label in ("lens", "not_lens", "labeled", "unlabeled")),
    {"sort": ["graded"]},
    {"sort": ["graded"], "order": ["asc"]},
    {"sort": ["graded"], "votes": ["others"]},
]


def query_of(filters: dict[str, Any], grader_id: int) -> RankingQuery:
    """The query of the words of an address."""
    first = {name: values[0] for name, values in filters.items()}
    return RankingQuery(
        1,
        sort=first.get("sort", "score"),
        descending="order" not in filters,
        votes=first.get("votes"),
        grader_id=grader_id,
        label=first.get("label"),
        grades=tuple(filters.get("grade", ())),
        consensus=tuple(filters.get("consensus", ())),
    )


ABOUT_ONE = ("details", "history", "context", "score_context", "references", "truth")


@dataclass
class Asker:
    """A browser of somebody."""

    url: str
    context: AppContext
    person: SignedIn

    def _get(self, path: str, sent: Any = None) -> bytes:
        cookie = f"{cookie_name(self.context)}={self.context.cookie}"
        headers = {"Cookie": cookie, "Content-Type": "application/json"}
        body = None if sent is None else json.dumps(sent).encode()
        try:
            with urlopen(Request(self.url + path, body, headers)) as reply:  # noqa: S310 - ours
                return reply.read()
        except HTTPError as refusal:
            return refusal.read()

    def everything(self) -> dict[str, Any]:
        """All answers, by what was asked."""
        found: dict[str, Any] = {}
        for filters in FILTERS:
            words = "&".join(f"{k}={v}" for k, values in filters.items() for v in values)
            as_json = query_to_json(query_of(filters, self.person.id))
            for kind in ("page", "count", "histogram"):
                message = {"type": kind, "query": as_json, "grader": self.person.id}
                found[f"{kind} {words}"] = self._get("/review/ask", message)
            found[f"export {words}"] = self._get(f"/export/csv?{words}") if words else b""
        found["export"] = self._get("/export/csv")
        for kind in ABOUT_ONE:
            for candidate in (BLIND, 2):
                message = {"type": kind, "id": candidate, "ids": [candidate], "ensemble_id": 1}
                found[f"{kind} {candidate}"] = self._get("/review/ask", message)
        return {**found, **self._boards()}

    def _boards(self) -> dict[str, Any]:
        team = TeamBoard(self.context, self.person)
        validate = ValidationBoard(self.context, stage="detection", candidate=str(BLIND))
        by_consensus = ValidationBoard(self.context, stage="detection", candidate=str(BLIND))
        by_consensus.order.value = "consensus"
        overview = OverviewBoard(self.context)
        return {
            "team": [team.graders.rows, team.coverage.rows, team.mentions.rows],
            "loop": team.loop.table.rows,
            "skill": repr(team.skill.__panel__()),
            "pairs": team.pairs.rows,
            "contested": team.contested.rows,
            "validate": validate.candidates.rows,
            "validate by consensus": by_consensus.candidates.rows,
            "overview": [overview._active.rows, overview._ended.rows],
            "sessions": SessionBoard(self.context, self.person).table.rows,
        }


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = fill_workspace(Workspace.create(tmp_path_factory.mktemp("blind") / "workspace"))
    with open_database(made).session() as session:
        for name in ("Ana", "Bo"):
            sign_in(session, name)
        create_session(session, NewSession("blind", [QueueEntry(BLIND, "")], {"blind": True}), None)
    return made


@pytest.fixture(scope="module")
def url(workspace: Workspace) -> Iterator[str]:
    context = AppContext.of(workspace)
    routes = [
        *review_handlers.routes(context),
        *exporting.routes(context),
    ]
    with serve_routes(routes) as served:
        yield served


def say(workspace: Workspace, grade: str) -> None:
    """Let both others give the candidate of the session, and one beside it, a grade."""
    with open_database(workspace).session() as session:
        for name in ("Ana", "Bo"):
            event = {"uuid": str(uuid4()), "kind": "grade", "candidate": BLIND, "grade": grade,
                     "given_at": datetime.now(UTC).isoformat()}  # fmt: skip
            record_in_review(session, sign_in(session, name).id, [event])
        update_consensus(session, ConsensusSettings())


@pytest.mark.parametrize("role", ["reader", "grader", "organizer"])
def test_nothing_follows_what_others_said(workspace, url, role):
    context, person = signed_in_as(AppContext.of(workspace), f"A {role}", role)
    asker = Asker(url, context, person)
    say(workspace, "A")
    before = asker.everything()
    say(workspace, "X")
    after = asker.everything()
    differing = {name for name in before if before[name] != after[name]}
    if role == "organizer":
        assert {"page grade=A", "export grade=A", "export", f"history {BLIND}"} <= differing
    else:
        assert differing == set()
