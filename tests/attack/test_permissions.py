"""Every action by every way in, for everybody: the table holds where the thing is done."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import uuid4

import numpy as np
import pytest
import sqlalchemy as sa
from astropy.io import fits
from endpoints import serve_routes
from filling import fill_workspace
from people import signed_in_as
from tornado.web import create_signed_value

from lens_triage.app.catalogs.import_form import ImportForm
from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import SignedIn, cookie_name, current_grader, forget_read
from lens_triage.app.label import handlers as label_handlers
from lens_triage.app.label.sessions import SessionBoard
from lens_triage.app.overview.view import OverviewBoard
from lens_triage.app.permissions import ACTIONS, ALONE, GRADER, NOBODY, ORGANIZER, WHO
from lens_triage.app.review import events as review_events
from lens_triage.app.review import exporting, lens_test, samp
from lens_triage.app.review import handlers as review_handlers
from lens_triage.app.runs.form import RunForm
from lens_triage.app.runs.monitor import RunMonitor
from lens_triage.app.settings.view import SettingsBoard
from lens_triage.app.team.consensus import ConsensusBoard
from lens_triage.app.team.label_files import LabelFiles
from lens_triage.app.team.loop import LoopBoard
from lens_triage.app.team.people import PeopleBoard
from lens_triage.app.train.ensembles import EnsembleBoard
from lens_triage.app.validate.view import ValidationBoard
from lens_triage.app.viewer.tiles import TileSource
from lens_triage.training.runner import runner
from lens_triage.training.settings import SimulateSettings
from lensing_core.acquisition import QueueEntry
from lensing_core.crossmatch import archives
from lensing_core.errors import PolicyError
from lensing_core.labeling import NewSession, create_session, open_grader_view
from lensing_core.lens_test import candidates
from lensing_core.store import open_database
from lensing_core.store.graders import get_grader, set_active, sign_in, workspace_secret
from lensing_core.store.query_json import query_to_json
from lensing_core.store.ranking_query import RankingQuery
from lensing_core.store.sealing import anchor_of
from lensing_core.store.sign_ins import revoke_all
from lensing_core.store.tables import (
    Base,
    CandidateTag,
    Ensemble,
    Grader,
    LabelSession,
    Run,
    SavedFilter,
)
from lensing_core.workspace import Workspace

REFUSED = re.compile(r"Nobody is signed in|Only an organizer may|Somebody else is signed in")
OTHERS, OWN = "of somebody else", "of their own"
REVOKED, DEACTIVATED = "revoked", "deactivated"
SCENES = [*WHO, REVOKED, DEACTIVATED]
QUERY = query_to_json(RankingQuery(1))


class FakeLink:
    """Programs that take everything."""

    connected = True

    def __init__(self) -> None:
        self.done: list[str] = []

    def others(self) -> list[str]:
        return []

    def __getattr__(self, name: str) -> Callable[..., int]:
        return lambda *given: self.done.append(name) or 1


@dataclass(frozen=True)
class Place:
    """What all tests share: a workspace, a server of its endpoints, and programs around it."""

    workspace: Workspace
    url: str
    link: FakeLink


@dataclass(frozen=True)
class Scene:
    """A workspace with things to change, and a browser in it.

    ``person`` is who opened the page; ``who`` is how they stand by now.
    """

    place: Place
    context: AppContext
    person: SignedIn | None
    who: str

    @property
    def database(self):
        return open_database(self.context.workspace)

    @property
    def person_id(self) -> int | None:
        return self.person.id if self.person else None

    def session_id(self, name: str) -> str:
        return self.id_of(LabelSession, name)

    def id_of(self, table: Any, name: str) -> Any:
        with self.database.session() as session:
            return session.scalar(sa.select(table.id).where(table.name == name))

    def everything(self) -> dict[str, list[str]]:
        """All rows of all tables, the backups, and what other programs were told."""
        with self.database.session() as session:
            found = {
                table.name: sorted(map(repr, session.execute(sa.select(table)).all()))
                for table in Base.metadata.sorted_tables
            }
        backups = sorted(map(str, self.context.workspace.backups.iterdir()))
        return {**found, "backups": backups, "told": list(self.place.link.done)}

    def request(self, path: str, sent: dict[str, Any] | None = None) -> str:
        """Ask as this browser does; returns the refusal, or ''."""
        cookie = f"{cookie_name(self.context)}={self.context.cookie}"
        headers = {"Content-Type": "application/json", "Cookie": cookie}
        body = None if sent is None else json.dumps(sent).encode()
        try:
            with urlopen(Request(self.place.url + path, body, headers)) as answer:  # noqa: S310 - ours
                status, said = answer.status, answer.read().decode()
                is_json = answer.headers["Content-Type"].startswith("application/json")
        except HTTPError as refusal:
            status, said = refusal.code, refusal.read().decode()
            is_json = said.startswith("{")
        assert (status == 401) == ("Nobody is signed in" in said), (status, said)
        told = json.loads(said) if is_json else {}
        if status != 200:
            return str(told.get("error", said))
        assert told.get("type") != "error", told
        return "; ".join(told.get("refused", {}).values())

    def review(self, _type: str, **message: Any) -> str:
        """Send a message of the page of Review."""
        sent = {"type": _type, "query": QUERY, "grader": self.person_id, **message}
        return self.request("/review/ask", sent)


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
    board = LoopBoard(scene.context)
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
    board = LoopBoard(scene.context)  # a disabled button, but a message
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
        (cutout, *_) = open_grader_view(session, secret, session_id, grader_id).cutouts
    event = {"uuid": str(uuid4()), "kind": "grade", "token": cutout.token, "grade": "A",
             "given_at": datetime.now(UTC).isoformat()}  # fmt: skip
    sent = {"grader": grader_id, "events": [event]}
    return scene.request(f"/labeling/{session_id}/events", sent)


def by_event(kind: str, candidate: int = 1, **fields: Any) -> Way:
    def do(scene: Scene) -> str:
        event = {"uuid": str(uuid4()), "kind": kind, "candidate": candidate,
                 "given_at": datetime.now(UTC).isoformat(), **fields}  # fmt: skip
        mark = review_events.workspace_mark(scene.context)
        sent = {"grader": scene.person_id, "workspace": mark, "events": [event]}
        return scene.request("/review/events", sent)

    do.__name__ = f"by_{kind}_in_review"
    return do


def by_message(_type: str, _name: str = "", **message: Any) -> Way:
    def do(scene: Scene) -> str:
        return scene.review(_type, **message)

    do.__name__ = f"by_{_name or _type}"
    return do


CORNERS = [[-1e9, -1e9], [1e9, -1e9], [1e9, 1e9], [-1e9, 1e9]]
WAYS += [
    ("grade", by_event("grade", grade="A")),
    ("note", by_event("note", text="an arc")),
    ("tag", by_event("tag", tag="quad")),
    ("tag", by_event("untag", 2, tag="kept")),
    ("move_stage", by_event("stage", stage="triage", expected="detection")),
    ("keep_own_filter", by_message("save_filter", "own_filter", name="new", shared=False)),
    ("keep_shared_filter", by_message("save_filter", "shared_filter", name="new", shared=True)),
    ("keep_selection", by_message("chart_select", kind="uncertainty", corners=CORNERS)),
    ("connect_programs", by_message("samp_connect")),
    ("connect_programs", by_message("samp_disconnect")),
    ("send_to_programs", by_message("samp_table")),
    ("send_to_programs", by_message("samp_image", id=1)),
    ("send_to_programs", by_message("samp_position", id=1)),
]


@way("delete_own_filter")
def by_delete_of_the_own_filter(scene: Scene) -> str:
    return scene.review("delete_filter", id=scene.id_of(SavedFilter, OWN) or 99)


@way("delete_shared_filter")
def by_delete_of_a_shared_filter(scene: Scene) -> str:
    return scene.review("delete_filter", id=scene.id_of(SavedFilter, OTHERS))


@way("export_candidates")
def by_export(scene: Scene) -> str:
    return scene.request("/export/csv?limit=3")


@way("keep_preferences")
def by_preferences(scene: Scene) -> str:
    return scene.request("/labeling/preferences", {"size": 3})


@way("run_lens_test")
def by_lens_test(scene: Scene) -> str:
    return scene.request("/lens-test", {"candidate": 1, "compute": True})


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


def _validation(scene: Scene) -> ValidationBoard:
    return ValidationBoard(scene.context, stage="detection", candidate="1")


@way("move_by_rule")
def by_a_rule(scene: Scene) -> str:
    moving = _validation(scene).moving
    press(moving.move)
    return moving.notice.message


@way("move_by_rule")
def by_an_undo(scene: Scene) -> str:
    moving = _validation(scene).moving
    press(moving.move)
    moving.moves._handle_msg({"action": "undo", "key": "1"})
    return moving.notice.message


@way("answer_check")
def by_a_checklist(scene: Scene) -> str:
    board = _validation(scene).candidate
    board.show_candidate(1)
    board.checks._handle_msg(
        {"action": "choose", "key": "model", "column": "state", "value": "done"}
    )
    return board.check_notice.message


@way("confirm")
def by_a_record(scene: Scene) -> str:
    board = _validation(scene).candidate
    board.show_candidate(1)
    board.spectrum.value, board.reference.value = "MUSE", "2026A&A...700A...1X"
    board.z_lens.value, board.z_source.value = "0.3", "1.2"
    press(board.enter)
    return board.notice.message


@way("ask_archives")
def by_a_look_up(scene: Scene) -> str:
    board = _validation(scene).candidate
    board.show_candidate(1)
    press(board.look)
    return board.archive_notice.message


def by_people(action: str) -> Way:
    def do(scene: Scene) -> str:
        key = scene.id_of(Grader, "Di") or 1
        board = PeopleBoard(scene.context, scene.person or SignedIn(0, "", ORGANIZER, False))
        board.table._handle_msg({"action": action, "key": str(key)})
        return board.notice.message

    do.__name__ = f"by_people_{action}"
    return do


WAYS += [
    ("reset_passphrase", by_people("reset")),
    ("set_role", by_people("organizer")),
    ("set_active", by_people("deactivate")),
]
READS_ONLY = {"export_grades", "export_candidates", "ask_archives"}
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
    context, person = AppContext.of(place.workspace), None
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
            sign_in(session, "Di")
            session.add(SavedFilter(name=OWN, grader_id=person.id, query=QUERY))
        if who == REVOKED:
            revoke_all(session, person.id)
        if who == DEACTIVATED:
            set_active(session, person.id, active=False)
    return Scene(place, context, person, who if who in WHO else NOBODY)


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
        assert said.startswith("Somebody else is signed in")
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
    assert "\n".join(rows) in (Path(__file__).parents[2] / "SECURITY.md").read_text("utf-8")


def test_all_of_the_table_is_walked():
    assert {action for action, _ in WAYS} == set(ACTIONS)
    for action in ACTIONS.values():
        assert action.may <= WHO.keys()
        assert ORGANIZER in action.may  # nobody may do more than an organizer
        assert GRADER in action.may or NOBODY not in action.may
