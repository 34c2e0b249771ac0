"""Buttons that who is signed in may not press are disabled, and their tooltip says why."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
import pytest
from page_parts import shown
from people import signed_in_as

from lens_triage.app.acting import why_not
from lens_triage.app.context import AppContext
from lens_triage.app.label.session_rows import closing, session_row
from lens_triage.app.main import PAGES
from lens_triage.app.permissions import ACTIONS, GRADER, NOBODY, ORGANIZER
from lens_triage.app.runs.monitor import RunMonitor
from lens_triage.app.team.rows import round_row
from lens_triage.app.widgets.action_button import ActionButton
from lens_triage.app.widgets.table import Table
from lensing_core.acquisition import QueueEntry
from lensing_core.labeling import NewSession, create_session, list_sessions
from lensing_core.labeling.loop_history import Round
from lensing_core.proportions import Proportion
from lensing_core.store import open_database
from lensing_core.store.graders import sign_in

BUTTONS = {
    "catalogs": {"Start import": "start_run"},
    "train": {"Train": "start_run", "Retrain": "start_run", "Fine-tune": "start_run"},
    "score": {"Score": "start_run"},
    "crossmatch": {"Cross-match": "start_run"},
    "label": {"Make session": "create_session", "Tutorial": "start_tutorial"},
    "settings": {"Back up now": "back_up"},
    "team": {"Retrain": "start_run"},
}
WAYS = [(slug, label, action) for slug, known in BUTTONS.items() for label, action in known.items()]


@pytest.fixture
def seen_by(filled_workspace):
    """The context of a browser by who is signed in there."""

    def look(who: str) -> AppContext:
        context = AppContext.of(filled_workspace)
        if who == NOBODY:
            with open_database(filled_workspace).session() as session:
                sign_in(session, "Ana")
            return context
        return signed_in_as(context, "Bo", who)[0]

    return look


def _open_tabs(page: Any) -> None:
    """Show every tab once: a form is made when its tab is opened."""
    for tabs in [p for p in shown(page) if isinstance(p, pmui.Tabs)]:
        for k in range(len(tabs)):
            tabs.active = k


@pytest.mark.parametrize("who", [NOBODY, GRADER, ORGANIZER])
@pytest.mark.parametrize("slug", BUTTONS)
def test_buttons_of_pages(seen_by, who: str, slug: str) -> None:
    context = seen_by(who)
    page = PAGES[slug][1](context)
    _open_tabs(page)
    buttons = [p for p in shown(page) if isinstance(p, ActionButton)]
    for label, action in BUTTONS[slug].items():
        mine = [b for b in buttons if b.label.startswith(label)]
        if slug == "team" and who == NOBODY:
            assert not buttons  # figures need somebody who is signed in
            continue
        assert mine, [b.label for b in buttons]
        for button in mine:
            assert button.forbidden == why_not(context, action)
            assert bool(button.forbidden) == (who not in ACTIONS[action].may)


@pytest.mark.parametrize("who", [NOBODY, GRADER, ORGANIZER])
def test_buttons_of_rows_and_of_runs(seen_by, who: str) -> None:
    context = seen_by(who)
    tables = [p for p in shown(PAGES["train"][1](context)) if isinstance(p, Table)]
    rows = [row for table in tables if table.label == "Ensembles" for row in table.rows]
    buttons = [button for row in rows for button in row["act"]["actions"]]
    assert buttons
    for button in buttons:
        reason = why_not(context, button["name"])
        assert button["disabled"] == (who not in ACTIONS[button["name"]].may)
        assert not button["disabled"] or button["title"] == reason
    monitor = RunMonitor(context)
    assert monitor._cancel.forbidden == why_not(context, "cancel_run")
    assert monitor._resume.forbidden == why_not(context, "resume_run")


def test_who_may_close_which_session(seen_by, filled_workspace) -> None:
    context = seen_by(GRADER)
    with open_database(filled_workspace).session() as session:
        mine = signed_in_as(context, "Bo")[1]
        queue = [QueueEntry(1, "rank 1")]
        create_session(session, NewSession("own", queue, {}), mine.id)
        create_session(session, NewSession("other", queue, {}), None)
        found = {s.session.name: closing(s, mine) for s in list_sessions(session)}
        assert found == {"own": "close_own_session", "other": "close_session"}
        other = next(s for s in list_sessions(session) if s.session.name == "other")
        reason = why_not(context, "close_session")
        (button,) = session_row(other, mine, forbidden=reason)["do"]["actions"]
    assert button == {"name": "close", "text": "Close", "title": reason, "disabled": True}


def test_a_round_that_may_not_be_promoted_says_why(seen_by) -> None:
    reason = why_not(seen_by(GRADER), "promote")
    assert reason == "Only an organizer may promote an ensemble."
    fields = dict.fromkeys(Round.__dataclass_fields__, 0)
    found = Round(**{**fields, "metrics": {}, "differences": {}, "top": Proportion(0, 0),
                     "ensemble": "round-2", "promoted": False})  # fmt: skip
    (button,) = round_row(found, forbidden=reason)["act"]["actions"]
    assert (button["disabled"], button["title"]) == (True, reason)
