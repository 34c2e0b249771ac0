"""Every way in to every action: each does it as the page does, and returns what is said."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import numpy as np
import sqlalchemy as sa
from astropy.io import fits
from permission_scenes import INVITED, OTHERS, OWN, Scene

from lens_triage.app.catalogs.import_form import ImportForm
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
    board = ValidationBoard(scene.context, stage="detection", candidate="1")
    board.refresh()
    return board


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


@way("report_observation")
def by_an_observation(scene: Scene) -> str:
    form = _validation(scene).candidate.observations
    form.show_candidate(1)
    form.night.value, form.instrument.value = "2026-03-14", "MUSE"
    press(form.keep)
    return form.notice.message


@way("answer_check")
def by_measured_colors(scene: Scene) -> str:
    board = _validation(scene).candidate
    board.show_candidate(1)
    press(board.colors)
    return board.check_notice.message


@way("answer_check")
def by_a_prior_model(scene: Scene) -> str:
    board = _validation(scene).candidate
    board.show_candidate(1)
    press(board.exists)
    return board.archive_notice.message


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


@way("invite")
def by_an_invitation(scene: Scene) -> str:
    board = InvitationBoard(scene.context)
    board.name_of.value = "Eva"
    press(board.invite)
    return board.notice.message


@way("invite")
def by_a_withdrawal(scene: Scene) -> str:
    board = InvitationBoard(scene.context)
    board.table._handle_msg({"action": "withdraw", "key": INVITED})
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


def by_revoking(whose: str) -> Way:
    def do(scene: Scene) -> str:
        with scene.database.session() as session:
            asked = sa.select(ApiToken.id).where(ApiToken.label == whose)
            key = session.scalar(asked) or 1
        board = TokenBoard(scene.context)
        board.table._handle_msg({"action": "revoke", "key": str(key)})
        return board.notice.message

    do.__name__ = f"by_revoking_{whose.replace(' ', '_')}"
    return do


WAYS += [
    ("revoke_own_token", by_revoking(OWN)),
    ("revoke_token", by_revoking(OTHERS)),
    ("reset_passphrase", by_people("reset")),
    ("untie_account", by_people("untie")),
    ("set_role", by_people("organizer")),
    ("set_role", by_people("reader")),
    ("set_active", by_people("deactivate")),
]
