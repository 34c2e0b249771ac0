"""Every action by every way in, for everybody: the table holds where the thing is done."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import uuid4

import numpy as np
import pytest
import sqlalchemy as sa
from astropy.io import fits
from endpoints import serve_routes
from people import signed_in_as
from tornado.web import create_signed_value

from app.catalogs.import_form import ImportForm
from app.context import AppContext
from app.http.identity import SignedIn, cookie_name, current_grader
from app.label import handlers as label_handlers
from app.label.sessions import SessionBoard
from app.overview.view import OverviewBoard
from app.permissions import ACTIONS, ALONE, GRADER, NOBODY, ORGANISER, WHO
from app.runs.form import RunForm
from app.runs.monitor import RunMonitor
from app.settings.view import SettingsBoard
from app.team.consensus import ConsensusBoard
from app.team.label_files import LabelFiles
from app.team.loop import LoopBoard
from app.team.people import PeopleBoard
from app.train.ensembles import EnsembleBoard
from app.viewer.tiles import TileSource
from lensing_core.acquisition import QueueEntry
from lensing_core.errors import PolicyError
from lensing_core.labeling import NewSession, create_session, open_desk
from lensing_core.store import open_database
from lensing_core.store.graders import get_grader, sign_in, workspace_secret
from lensing_core.store.sign_ins import revoke_all
from lensing_core.store.tables import Base, Ensemble, LabelSession, Run
from training.runner import runner
from training.settings import SimulateSettings

REFUSED = re.compile(r"Nobody is signed in|Only an organiser may|Somebody else is signed in")
OTHERS, OWN = "of somebody else", "of their own"


@dataclass(frozen=True)
class Scene:
    """A workspace with things to change, and a browser in it."""

    context: AppContext
    person: SignedIn | None

    @property
    def database(self):
        return open_database(self.context.workspace)

    def session_id(self, name: str) -> str:
        with self.database.session() as session:
            return session.scalar(sa.select(LabelSession.id).where(LabelSession.name == name))

    def everything(self) -> dict[str, list[str]]:
        """All rows of all tables, and the backups."""
        with self.database.session() as session:
            found = {
                table.name: sorted(map(repr, session.execute(sa.select(table)).all()))
                for table in Base.metadata.sorted_tables
            }
        return {**found, "backups": sorted(map(str, self.context.workspace.backups.iterdir()))}

    def post(self, routes: list[Any], path: str, sent: dict[str, Any]) -> str:
        """Post JSON as this browser does; returns the refusal, or ''."""
        cookie = f"{cookie_name(self.context)}={self.context.cookie}"
        headers = {"Content-Type": "application/json", "Cookie": cookie}
        with serve_routes(routes) as url:
            try:
                with urlopen(Request(url + path, json.dumps(sent).encode(), headers)) as answer:  # noqa: S310 - ours
                    return "; ".join(json.load(answer).get("refused", {}).values())
            except HTTPError as error:
                return str(json.load(error)["error"])


def press(button: Any) -> None:
    """Press a button of either kind."""
    if hasattr(button, "press"):
        button.press()
    else:
        button.clicks += 1


Way = Callable[[Scene], str]
WAYS: list[tuple[str, Way]] = []


def way(action: str) -> Callable[[Way], Way]:
    """Register a way to do an action: it does it as the page does and returns what is said."""

    def keep(function: Way) -> Way:
        WAYS.append((action, function))
        return function

    return keep


@way("start_run")
def by_a_form(scene: Scene) -> str:
    form = RunForm(scene.context, SimulateSettings, title="", button="Simulate")
    form.panel.write(catalog="new-one")
    press(form.start_button)
    return form.notice.message


@way("start_run")
def by_the_import_form(scene: Scene) -> str:
    table = scene.context.workspace.root / "table.csv"
    table.write_text("object_id,ra,dec\na,1,2\n")
    fits.writeto(table.with_name("a.fits"), np.ones((3, 32, 32), np.float32), overwrite=True)
    form = ImportForm(scene.context)
    form.panel.write(table=str(table), images=str(table.parent), catalog="fresh")
    form.start()
    return form.notice.message


@way("start_run")
def by_retrain(scene: Scene) -> str:
    board = LoopBoard(scene.context, organiser=True)  # as a forged message sees it
    press(board.retrain)
    return board.notice.message


@way("cancel_run")
def by_the_monitor(scene: Scene) -> str:
    monitor = RunMonitor(scene.context, "queued-run")
    press(monitor._cancel)
    return monitor._notice.message


@way("cancel_run")
def by_the_overview(scene: Scene) -> str:
    board = OverviewBoard(scene.context)
    board._active._handle_msg({"action": "cancel", "key": "queued-run"})
    return board._notice.message


@way("resume_run")
def by_resume(scene: Scene) -> str:
    monitor = RunMonitor(scene.context, "failed-run")
    press(monitor._resume)
    return monitor._notice.message


@way("promote")
def by_train(scene: Scene) -> str:
    board = EnsembleBoard(scene.context)
    board.table._handle_msg({"action": "promote", "key": "second"})
    return board._notice.message


@way("promote")
def by_the_loop(scene: Scene) -> str:
    board = LoopBoard(scene.context, organiser=False)  # no button, but a message
    board.table._handle_msg({"action": "promote", "key": "second"})
    return board.notice.message


@way("take_back")
def by_take_back(scene: Scene) -> str:
    board = EnsembleBoard(scene.context)
    board.table._handle_msg({"action": "take_back", "key": "first"})
    return board._notice.message


@way("create_session")
def by_make_session(scene: Scene) -> str:
    board = SessionBoard(scene.context, scene.person)
    press(board.create_button)
    return board.notice.message


@way("start_tutorial")
def by_tutorial(scene: Scene) -> str:
    board = SessionBoard(scene.context, scene.person)
    board.notice.clear()
    board._open_tutorial()
    return board.notice.message


@way("close_session")
def by_close(scene: Scene) -> str:
    board = SessionBoard(scene.context, scene.person)
    board.notice.clear()
    board.table._handle_msg({"action": "close", "key": scene.session_id(OTHERS)})
    return board.notice.message


@way("close_own_session")
def by_close_of_the_own(scene: Scene) -> str:
    board = SessionBoard(scene.context, scene.person)
    board.notice.clear()
    board.table._handle_msg({"action": "close", "key": scene.session_id(OWN)})
    return board.notice.message


@way("grade")
def by_the_label_page(scene: Scene) -> str:
    session_id, grader_id = scene.session_id(OTHERS), scene.person.id if scene.person else 1
    with scene.database.session() as session:
        secret = workspace_secret(scene.context.workspace)
        (stamp, *_) = open_desk(session, secret, session_id, grader_id).stamps
    event = {"uuid": str(uuid4()), "kind": "grade", "token": stamp.token, "grade": "A",
             "given_at": datetime.now(UTC).isoformat()}  # fmt: skip
    routes = label_handlers.routes(scene.context.seen_by(""), TileSource(scene.context.workspace))
    sent = {"grader": grader_id, "events": [event]}
    return scene.post(routes, f"/labeling/{session_id}/events", sent)


@way("keep_preferences")
def by_preferences(scene: Scene) -> str:
    routes = label_handlers.routes(scene.context.seen_by(""), TileSource(scene.context.workspace))
    return scene.post(routes, "/labeling/preferences", {"size": 3})


@way("join_votes")
def by_run_consensus(scene: Scene) -> str:
    board = ConsensusBoard(scene.context, lambda: None)
    press(board.run)
    return board.notice.message


@way("import_grades")
def by_a_file(scene: Scene) -> str:
    files = LabelFiles(scene.context, lambda: None)
    files.file.param.update(value=b"object_id,grade,grader\ncosmos-00001,A,Di\n", filename="t.csv")
    press(files.button)
    return files.notice.message


@way("export_grades")
def by_a_download(scene: Scene) -> str:
    try:
        LabelFiles(scene.context, lambda: None)._log("jsonl")
    except PolicyError as error:
        return str(error)
    return ""


@way("back_up")
def by_settings(scene: Scene) -> str:
    board = SettingsBoard(scene.context)
    press(board._backup)
    return board._notice.message


def by_people(action: str) -> Way:
    def do(scene: Scene) -> str:
        with scene.database.session() as session:
            key = sign_in(session, "Di").id if scene.person else 1
        board = PeopleBoard(scene.context, scene.person or SignedIn(0, "", ORGANISER, False))
        board.table._handle_msg({"action": action, "key": str(key)})
        return board.notice.message

    do.__name__ = f"by_people_{action}"
    return do


WAYS += [
    ("reset_passphrase", by_people("reset")),
    ("set_role", by_people("organiser")),
    ("set_active", by_people("deactivate")),
]
OF_PEOPLE = {"reset_passphrase", "set_role", "set_active"}
READS_ONLY = {"export_grades"}


@pytest.fixture
def scene(filled_workspace, monkeypatch, request) -> Scene:
    """Of the person that the test names."""
    monkeypatch.setattr(runner, "_launch", lambda workspace, run_id: None)
    # Who may start a run is asked here, not whether the run could succeed.
    monkeypatch.setattr(runner, "check_run", lambda *settings, **others: None)
    context, person = AppContext.of(filled_workspace), None
    if request.param == NOBODY:
        with open_database(filled_workspace).session() as session:
            sign_in(session, "Ana")
    elif request.param != ALONE:
        context, person = signed_in_as(context, "Bo", request.param)
    with open_database(filled_workspace).session() as session:
        queue = [QueueEntry(1, "rank 1"), QueueEntry(2, "rank 2")]
        create_session(session, NewSession(OTHERS, queue, {}), None)
        create_session(session, NewSession(OWN, queue, {}), person.id if person else None)
        session.add_all(
            Run(id=f"{state}-run", kind="simulate", title=state, status=state,
                settings=SimulateSettings(catalog=f"of-{state}").to_json())
            for state in ("queued", "failed")
        )  # fmt: skip
        manifest = {**session.get_one(Ensemble, 1).manifest, "base": "first"}
        session.add(Ensemble(name="second", fusion="mean", manifest=manifest))
        if session.get_one(Ensemble, 1).promoted_at is None:
            session.get_one(Ensemble, 1).promoted_at = datetime.now(UTC)
    return Scene(context, person)


@pytest.mark.parametrize("scene", list(WHO), indirect=True)
@pytest.mark.parametrize(("action", "do"), [pytest.param(*w, id=w[1].__name__) for w in WAYS])
def test_an_action_is_done_by_those_whom_the_table_names_alone(scene, action, do, request):
    who = request.node.callspec.params["scene"]
    if action in OF_PEOPLE and scene.person:
        with scene.database.session() as session:
            sign_in(session, "Di")
    before = scene.everything()
    said = do(scene)
    if who in ACTIONS[action].may:
        assert not REFUSED.search(said)
        assert scene.everything() != before or action in READS_ONLY, said
    else:
        assert REFUSED.search(said), said
        assert scene.everything() == before


@pytest.mark.parametrize("scene", [ORGANISER], indirect=True)
@pytest.mark.parametrize(("action", "do"), [pytest.param(*w, id=w[1].__name__) for w in WAYS])
def test_a_page_that_was_opened_before_a_sign_out_changes_nothing(scene, action, do):
    """The cookie is there, as a copy may be, and the page thinks that it is an organiser's."""
    with scene.database.session() as session:
        sign_in(session, "Di")
        revoke_all(session, scene.person.id)
    before = scene.everything()
    assert REFUSED.search(do(scene))
    assert scene.everything() == before


@pytest.mark.parametrize("scene", [ORGANISER], indirect=True)
def test_a_role_that_was_taken_away_is_gone_at_the_next_message(scene):
    board = EnsembleBoard(scene.context)
    with scene.database.session() as session:
        get_grader(session, scene.person.id).role = "grader"
    board.table._handle_msg({"action": "take_back", "key": "first"})
    assert board._notice.message.startswith("Only an organiser may")


def test_a_cookie_that_was_made_up_is_nobodys(workspace):
    context = AppContext.of(workspace)
    signed_in_as(context, "Bo")
    for token in ("1.abc", "x", ""):
        forged = create_signed_value(workspace_secret(workspace), cookie_name(context), token)
        assert current_grader(context.seen_by(forged.decode())) is None


def test_all_of_the_table_is_walked():
    assert {action for action, _ in WAYS} == set(ACTIONS)
    for action in ACTIONS.values():
        assert action.may <= WHO.keys()
        assert ORGANISER in action.may  # nobody may do more than an organiser
        assert GRADER in action.may or NOBODY not in action.may
