"""Every way in to every action: each does it as the page does, and returns what is said."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import numpy as np
import sqlalchemy as sa
from astropy.io import fits
from permission_scenes import INVITED, OTHERS, OWN, Scene

from lens_triage.app.acting import permit
from lens_triage.app.catalogs.import_form import ImportForm
from lens_triage.app.catalogs.listing import CatalogList
from lens_triage.app.http.identity import SignedIn
from lens_triage.app.label.sessions import SessionBoard
from lens_triage.app.overview.view import OverviewBoard
from lens_triage.app.permissions import ORGANIZER
from lens_triage.app.review import events as review_events
from lens_triage.app.runs.form import RunForm
from lens_triage.app.runs.monitor import RunMonitor
from lens_triage.app.settings.tokens import TokenBoard
from lens_triage.app.settings.view import SettingsBoard
from lens_triage.app.team.audit import AuditBoard
from lens_triage.app.team.consensus import ConsensusBoard
from lens_triage.app.team.inviting import InvitationBoard
from lens_triage.app.team.label_files import LabelFiles
from lens_triage.app.team.loop import LoopBoard
from lens_triage.app.team.people import PeopleBoard
from lens_triage.app.train.ensembles import EnsembleBoard
from lens_triage.app.validate.candidate import CandidateBoard
from lens_triage.app.validate.view import ValidationBoard
from lens_triage.training.settings import SimulateSettings
from lensing_core.errors import PolicyError
from lensing_core.labeling import open_grader_view
from lensing_core.store.graders import workspace_secret
from lensing_core.store.tables import ApiToken, Grader, SavedFilter


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


def _named(name: str, do: Way) -> Way:
    do.__name__ = f"by_{name}"
    return do


def pressing(name: str, part: Callable[[Scene], Any], button: str, notice: str = "notice") -> Way:
    """Press a button of a part of a page, and return what its notice says then."""

    def do(scene: Scene) -> str:
        made = part(scene)
        press(getattr(made, button))
        return str(getattr(made, notice).message)

    return _named(name, do)


def choosing(
    name: str,
    part: Callable[[Scene], Any],
    action: str,
    key: Callable[[Scene], str],
    *,
    table: str = "table",
    notice: str = "notice",
) -> Way:
    """Choose an action in a row of a table, and return what the notice says then."""

    def do(scene: Scene) -> str:
        made = part(scene)
        getattr(made, table)._handle_msg({"action": action, "key": key(scene)})
        return str(getattr(made, notice).message)

    return _named(name, do)


def _ensembles(scene: Scene) -> EnsembleBoard:
    return EnsembleBoard(scene.context)


def _loop(scene: Scene) -> LoopBoard:
    return LoopBoard(scene.context)


def _sessions(scene: Scene) -> SessionBoard:
    board = SessionBoard(scene.context, scene.person)
    board.notice.clear()
    return board


def _validation(scene: Scene) -> ValidationBoard:
    board = ValidationBoard(scene.context, stage="detection", candidate="1")
    board.refresh()
    return board


def _candidate(scene: Scene) -> CandidateBoard:
    board = _validation(scene).candidate
    board.show_candidate(1)
    return board


def _people(scene: Scene) -> PeopleBoard:
    return PeopleBoard(scene.context, scene.person or SignedIn(0, "", ORGANIZER, False))


def _di(scene: Scene) -> str:
    return str(scene.id_of(Grader, "Di") or 1)


def _token(whose: str) -> Callable[[Scene], str]:
    def key(scene: Scene) -> str:
        with scene.database.session() as session:
            asked = sa.select(ApiToken.id).where(ApiToken.label == whose)
            return str(session.scalar(asked) or 1)

    return key


WAYS += [
    ("start_run", pressing("retrain", _loop, "retrain")),
    (
        "cancel_run",
        pressing(
            "the_monitor",
            lambda scene: RunMonitor(scene.context, "queued-run"),
            "_cancel",
            "_notice",
        ),
    ),
    (
        "cancel_run",
        choosing(
            "the_overview",
            lambda scene: OverviewBoard(scene.context),
            "cancel",
            lambda _: "queued-run",
            table="_active",
            notice="_notice",
        ),
    ),
    (
        "resume_run",
        pressing(
            "resume", lambda scene: RunMonitor(scene.context, "failed-run"), "_resume", "_notice"
        ),
    ),
    ("promote", choosing("train", _ensembles, "promote", lambda _: "second", notice="_notice")),
    # its button is disabled for some, but the browser may send the message
    ("promote", choosing("the_loop", _loop, "promote", lambda _: "second")),
    (
        "take_back",
        choosing("take_back", _ensembles, "take_back", lambda _: "first", notice="_notice"),
    ),
    ("create_session", pressing("make_session", _sessions, "create_button")),
    ("close_session", choosing("close", _sessions, "close", lambda s: s.session_id(OTHERS))),
    (
        "close_own_session",
        choosing("close_of_the_own", _sessions, "close", lambda s: s.session_id(OWN)),
    ),
    (
        "run_consensus",
        pressing("run_consensus", lambda scene: ConsensusBoard(scene.context, lambda: None), "run"),
    ),
    (
        "back_up",
        pressing("settings", lambda scene: SettingsBoard(scene.context), "_backup", "_notice"),
    ),
    ("move_by_rule", pressing("a_rule", lambda scene: _validation(scene).moving, "move")),
    ("answer_check", pressing("measured_colors", _candidate, "colors", "check_notice")),
    ("answer_check", pressing("a_prior_model", _candidate, "exists", "archive_notice")),
    ("ask_archives", pressing("a_look_up", _candidate, "look", "archive_notice")),
    (
        "invite",
        choosing(
            "a_withdrawal",
            lambda scene: InvitationBoard(scene.context),
            "withdraw",
            lambda _: INVITED,
        ),
    ),
    *(
        (action, choosing(f"people_{verb}", _people, verb, _di))
        for action, verb in (
            ("reset_passphrase", "reset"),
            ("untie_account", "untie"),
            ("set_role", "organizer"),
            ("set_role", "reader"),
            ("set_active", "deactivate"),
        )
    ),
    *(
        (
            action,
            choosing(
                f"revoking_{whose.replace(' ', '_')}",
                lambda scene: TokenBoard(scene.context),
                "revoke",
                _token(whose),
            ),
        )
        for action, whose in (("revoke_own_token", OWN), ("revoke_token", OTHERS))
    ),
]


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


@way("manage_catalogs")
def by_renaming_a_catalog(scene: Scene) -> str:
    panel = CatalogList(scene.context, "cosmos").managing
    panel.new_name.value = "COSMOS, deep"
    press(panel.rename)
    return panel.notice.message


@way("manage_ensembles")
def by_archiving_an_ensemble(scene: Scene) -> str:
    board = _ensembles(scene)
    board.table.selected = "second"
    press(board.managing.archive)
    return board.managing.notice.message


@way("manage_sessions")
def by_deleting_a_session(scene: Scene) -> str:
    board = _sessions(scene)
    board.table.selected = scene.session_id(OTHERS)
    press(board.managing.confirm)
    return board.managing.notice.message


@way("start_tutorial")
def by_tutorial(scene: Scene) -> str:
    board = _sessions(scene)
    board._open_tutorial()
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


@way("grade")
def by_a_program(scene: Scene) -> str:
    event = {"kind": "grade", "candidate": 1, "grade": "A"}
    return scene.as_program("/labels", json.dumps(event).encode())


@way("export_grades")
def by_a_program_that_reads(scene: Scene) -> str:
    """Who may not export everybody's is told their own: no refusal, so the table is asked here."""
    try:
        permit(scene.context, "export_grades")
    except PolicyError as error:
        said = scene.as_program("/labels")
        assert not said or "signed in" in said, said
        return str(error)
    return scene.as_program("/labels")


@way("score_posted")
def by_posted_cutouts(scene: Scene) -> str:
    stream = io.BytesIO()
    np.save(stream, np.zeros((1, 3, 48, 48), np.float32))
    return scene.as_program("/score?survey=hsc&bands=g,r,i&ensemble=none", stream.getvalue())


def by_event(kind: str, candidate: int = 1, **fields: Any) -> Way:
    def do(scene: Scene) -> str:
        event = {"uuid": str(uuid4()), "kind": kind, "candidate": candidate,
                 "given_at": datetime.now(UTC).isoformat(), **fields}  # fmt: skip
        mark = review_events.workspace_mark(scene.context)
        sent = {"grader": scene.person_id, "workspace": mark, "events": [event]}
        return scene.request("/review/events", sent)

    return _named(f"{kind}_in_review", do)


def by_message(_type: str, _name: str = "", **message: Any) -> Way:
    def do(scene: Scene) -> str:
        return scene.review(_type, **message)

    return _named(_name or _type, do)


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


@way("move_by_rule")
def by_an_undo(scene: Scene) -> str:
    moving = _validation(scene).moving
    press(moving.move)
    moving.moves._handle_msg({"action": "undo", "key": "1"})
    return moving.notice.message


@way("answer_check")
def by_a_checklist(scene: Scene) -> str:
    board = _candidate(scene)
    board.checks._handle_msg(
        {"action": "choose", "key": "model", "column": "state", "value": "done"}
    )
    return board.check_notice.message


@way("confirm")
def by_a_record(scene: Scene) -> str:
    board = _candidate(scene)
    board.spectrum.value, board.reference.value = "MUSE", "2026A&A...700A...1X"
    board.z_lens.value, board.z_source.value = "0.3", "1.2"
    press(board.enter)
    return board.notice.message


@way("report_observation")
def by_an_observation(scene: Scene) -> str:
    form = _validation(scene).candidate.observations
    form.show_candidate(1)
    form.night.value, form.instrument.value = "2026-03-14", "MUSE"
    press(form.keep)
    return form.notice.message


@way("invite")
def by_an_invitation(scene: Scene) -> str:
    board = InvitationBoard(scene.context)
    board.name_of.value = "Eva"
    press(board.invite)
    return board.notice.message


@way("read_audit")
def by_the_audit_log(scene: Scene) -> str:
    return AuditBoard(scene.context).notice.message


@way("make_own_token")
def by_a_new_token(scene: Scene) -> str:
    board = TokenBoard(scene.context)
    board.label.value = "a script"
    press(board.make)
    return board.notice.message
