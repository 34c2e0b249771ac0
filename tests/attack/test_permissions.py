"""Every action by every way in, for everybody: the table holds where the thing is done."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from endpoints import serve_routes
from filling import fill_workspace
from people import signed_in_as
from permission_scenes import INVITED, OTHERS, OWN, QUERY, FakeLink, Place, Scene
from tornado.web import create_signed_value
from ways_of_acting import WAYS

from lens_triage.app.api import describing as api
from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import cookie_name, current_grader, forget_read
from lens_triage.app.label import handlers as label_handlers
from lens_triage.app.permissions import ACTIONS, ALONE, GRADER, NOBODY, ORGANIZER, ROUTES, WHO
from lens_triage.app.review import events as review_events
from lens_triage.app.review import exporting, lens_test, samp
from lens_triage.app.review import handlers as review_handlers
from lens_triage.app.train.ensembles import EnsembleBoard
from lens_triage.app.viewer.tiles import TileSource
from lens_triage.training.runner import runner
from lens_triage.training.settings import SimulateSettings
from lensing_core.acquisition import QueueEntry
from lensing_core.crossmatch import archives
from lensing_core.labeling import NewSession, create_session
from lensing_core.lens_test import candidates
from lensing_core.store import open_database
from lensing_core.store.api_tokens import add_api_token
from lensing_core.store.graders import get_grader, set_active, sign_in, workspace_secret
from lensing_core.store.identities import tie
from lensing_core.store.invitations import invite
from lensing_core.store.sealing import anchor_of
from lensing_core.store.sign_ins import revoke_all
from lensing_core.store.tables import CandidateTag, Ensemble, Run, SavedFilter
from lensing_core.workspace import Workspace

REFUSED = re.compile(
    r"Nobody is signed in|Only an organizer may|A reader may not|Somebody else has signed in"
)
REVOKED, DEACTIVATED = "revoked", "deactivated"
SCENES = [*WHO, REVOKED, DEACTIVATED]
READS_ONLY = {
    "read_audit", "export_grades", "export_candidates", "ask_archives", "score_posted"
}  # fmt: skip
IDS = [pytest.param(*w, id=w[1].__name__) for w in WAYS]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Iterator[Place]:
    workspace = Workspace.create(tmp_path_factory.mktemp("permissions") / "workspace")
    fill_workspace(workspace)
    with open_database(workspace).session() as session:
        session.add_all(
            Run(id=f"{state}-run", kind="simulate", title=state, status=state,
                settings=SimulateSettings(catalog=f"of-{state}").to_json())
            for state in ("queued", "failed")
        )  # fmt: skip
        first = session.get_one(Ensemble, 1)
        first.promoted_at = first.promoted_at or datetime.now(UTC)
        manifest = {**first.manifest, "base": "first"}
        session.add(Ensemble(name="second", fusion="mean", manifest=manifest))
        session.add(SavedFilter(name=OTHERS, grader_id=None, query=QUERY))
        session.add(CandidateTag(candidate_id=2, tag="kept"))
    context, tiles = AppContext.of(workspace), TileSource(workspace)
    routes = [
        *label_handlers.routes(context, tiles),
        *review_handlers.routes(context),
        *review_events.routes(context),
        *exporting.routes(context),
        *lens_test.routes(context),
        *api.routes(context),
    ]
    with serve_routes(routes) as url:
        yield Place(workspace, url, FakeLink())


@pytest.fixture(scope="module")
def kept(place) -> Iterator[sqlite3.Connection]:
    """The database as it was before anybody signed in."""
    copy = sqlite3.connect(":memory:", check_same_thread=False)
    _copy(place.workspace.database, copy)
    yield copy
    copy.close()


@pytest.fixture
def begin(place, kept, monkeypatch) -> Iterator[Callable[[str], Scene]]:
    """Function that makes the scene of somebody."""
    monkeypatch.setattr(runner, "_launch", lambda workspace, run_id: None)
    # Who may start a run is asked here, not whether the run could succeed.
    monkeypatch.setattr(runner, "check_run", lambda *settings, **others: None)
    failed = {"verdict": "failed", "sentence": "No data.", "result": {}, "pictures": None}
    monkeypatch.setattr(candidates, "outcome", lambda *given: failed)  # who may, not what comes out
    monkeypatch.setattr(archives, "look_up", lambda *given: [])  # who may, not what is known
    monkeypatch.setattr(samp, "samp_link", lambda workspace: place.link)
    yield lambda who: _scene(place, who)
    _copy(kept, place.workspace.database)
    anchor_of(place.workspace).path.unlink(missing_ok=True)
    place.link.done.clear()
    forget_read()


def _copy(source: Any, target: Any) -> None:
    """Copy a database, over whatever connections are open."""
    with ExitStack() as stack:
        ends = [
            stack.enter_context(closing(sqlite3.connect(end))) if isinstance(end, Path) else end
            for end in (source, target)
        ]
        ends[0].backup(ends[1])


def _scene(place: Place, who: str) -> Scene:
    context, person, token = AppContext.of(place.workspace), None, ""
    if who == NOBODY:
        with open_database(place.workspace).session() as session:
            sign_in(session, "Ana")
    elif who != ALONE:
        context, person = signed_in_as(context, "Bo", who if who in WHO else ORGANIZER)
    with open_database(place.workspace).session() as session:
        queue = [QueueEntry(1, "rank 1"), QueueEntry(2, "rank 2")]
        create_session(session, NewSession(OTHERS, queue, {}), None)
        create_session(session, NewSession(OWN, queue, {}), person.id if person else None)
        if person is not None:
            di = sign_in(session, "Di")
            tie(session, di, "https://login.example.org", "1", is_invited=True)
            invite(session, INVITED)
            add_api_token(session, person.id, OWN, "reader", 1)
            token = add_api_token(session, person.id, "a program", person.role, 1)[1]
            add_api_token(session, di.id, OTHERS, "reader", 1)
            session.add(SavedFilter(name=OWN, grader_id=person.id, query=QUERY))
        if who == REVOKED:
            revoke_all(session, person.id)
        if who == DEACTIVATED:
            set_active(session, person.id, active=False)
    if who == REVOKED:  # of a sign-in; what its owner's token may is asked elsewhere
        token = ""
    return Scene(place, context, person, who if who in WHO else NOBODY, token)


@pytest.mark.parametrize("who", SCENES)
@pytest.mark.parametrize(("action", "do"), IDS)
def test_an_action_is_done_by_those_whom_the_table_names_alone(begin, who, action, do):
    """Who is signed out or deactivated has a cookie still, and a page that was opened before."""
    scene = begin(who)
    before = scene.everything()
    said = do(scene)
    if scene.who in ACTIONS[action].may:
        assert not REFUSED.search(said)
        assert scene.everything() != before or action in READS_ONLY, said
    else:
        assert REFUSED.search(said), said
        assert scene.everything() == before


def test_a_role_that_was_taken_away_is_gone_at_the_next_message(begin):
    scene = begin(ORGANIZER)
    board = EnsembleBoard(scene.context)
    with scene.database.session() as session:
        get_grader(session, scene.person.id).role = "grader"
    board.table._handle_msg({"action": "take_back", "key": "first"})
    assert board._notice.message.startswith("Only an organizer may")


def test_who_signed_in_after_the_page_was_opened_writes_nothing_by_it(begin):
    scene = begin(GRADER)
    for kind in ("save_filter", "samp_connect"):
        before = scene.everything()
        said = scene.review(kind, grader=99, name="new", shared=False)
        assert said.startswith("Somebody else has signed in")
        assert scene.everything() == before


def test_a_cookie_that_was_made_up_is_nobodys(workspace):
    context = AppContext.of(workspace)
    signed_in_as(context, "Bo")
    for token in ("1.abc", "x", ""):
        forged = create_signed_value(workspace_secret(workspace), cookie_name(context), token)
        assert current_grader(context.seen_by(forged.decode())) is None


def test_the_documentation_has_the_table():
    rows = [
        f"| {action.does} | {' | '.join('yes' if who in action.may else 'no' for who in WHO)} |"
        for action in ACTIONS.values()
    ]
    text = (Path(__file__).parents[2] / "SECURITY.md").read_text("utf-8")
    assert "\n".join(rows) in text
    assert "\n".join(_route_rows()) in text


def _route_rows() -> list[str]:
    rows = []
    for route in ROUTES:
        told = ["before a sign-in" if route.before_sign_in else ""]
        told += ["by API tokens, too" if route.by_token else ""]
        may = " | ".join("yes" if who in route.may else "no" for who in WHO)
        address = f"{' '.join(route.methods)} `{route.pattern.replace('|', chr(92) + '|')}`"
        rows.append(f"| {address} | {may} | {', '.join(filter(None, told))} |")
    return rows


def test_all_of_the_table_is_walked():
    assert {action for action, _ in WAYS} == set(ACTIONS)
    for action in ACTIONS.values():
        assert action.may <= WHO.keys()
        assert ORGANIZER in action.may  # nobody may do more than an organizer
        assert GRADER in action.may or NOBODY not in action.may
