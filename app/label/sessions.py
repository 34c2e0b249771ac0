"""All labeling sessions, the chosen one in full, and the form that makes new ones."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import panel as pn

from lens_triage.app import acts
from lens_triage.app.acting import acting, why_not
from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import SignedIn
from lens_triage.app.label.session_rows import (
    GRADER_COLUMNS,
    SESSION_COLUMNS,
    closing,
    conditions_html,
    grader_rows,
    session_row,
)
from lens_triage.app.widgets.action_button import ActionButton
from lens_triage.app.widgets.choices import (
    catalog_choices,
    ensemble_choices,
    fresh_name,
)
from lens_triage.app.widgets.fields import Choices
from lens_triage.app.widgets.live import in_background
from lens_triage.app.widgets.managing import ManagePanel, archived_switch
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.section import (
    SURFACE,
    columns,
    heading,
    html,
    section,
    stack,
)
from lens_triage.app.widgets.settings_panel import SettingsPanel
from lens_triage.app.widgets.shown_once import ShownOnce
from lens_triage.app.widgets.table import Table
from lens_triage.training.labeling import SessionSettings
from lensing_core.labeling import SessionSummary, create_tutorial, list_sessions
from lensing_core.store.label_sessions import event_fingerprint, session_names
from lensing_core.store.ranking_facets import filter_names
from lensing_core.store.summaries import list_catalogs, list_ensembles

_ACTIONS = ("create_session", "start_tutorial", "close_own_session", "close_session")
_CSS = "p { margin: 0; color: var(--lt-muted); line-height: 1.5; }"
_SIGN_IN = (
    "Sign in (top right) to grade: every grade is stored with the name of its grader. The first "
    "to sign in is the organizer."
)


class SessionBoard(pn.viewable.Viewer):
    """Actions of a grader on a session, and their history."""

    def __init__(self, context: AppContext, grader: SignedIn | None) -> None:
        self._context = context
        self._grader = grader
        self._summaries: dict[str, SessionSummary] = {}
        self._forbidden = {name: why_not(context, name) for name in _ACTIONS}
        self._fingerprint: object = None
        self._reading = False
        self.notice = Notice()
        self.table = Table(
            columns=SESSION_COLUMNS,
            label="Labeling sessions",
            selectable=True,
            empty="No session yet: make one, or learn with the tutorial.",
        )
        self.table.on_action(self._act)
        self.table.param.watch(lambda _: self._show_details(), "selected")
        self._title = heading("")
        self._conditions = html("", css=_CSS)
        self._graders = Table(
            columns=GRADER_COLUMNS, label="Graders", empty="Nobody has graded here yet."
        )
        self.archived = archived_switch()
        self.archived.param.watch(lambda _: self._look_again(), "value")
        self.managing = ManagePanel(context, "session", "manage_sessions", self._look_again)
        self.link = ShownOnce(label="Link of this session", is_link=True, note="")
        self._details = stack(
            self._title,
            self._conditions,
            self.link,
            self._graders,
            self.managing,
            styles={**SURFACE, "gap": "10px"},
            visible=False,
        )
        self.tutorial_button = ActionButton(
            self._open_tutorial,
            label="Tutorial",
            variant="outlined",
            icon="school",
            forbidden=self._forbidden["start_tutorial"],
        )
        listing = section(
            "Sessions",
            self.table,
            note="Click the name of a session to open it where you left off.",
            aside=(self.archived, self.tutorial_button),
        )
        self._view = stack(
            self.notice,
            columns(
                stack(listing, self._details),
                self._form(),
                template="minmax(0, 1.6fr) minmax(0, 1fr)",
            ),
        )
        super().__init__()
        if grader is None:
            self.notice.say(_SIGN_IN, "info")
        self.refresh()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def refresh(self) -> None:
        """Look again where something was graded, made or closed since."""
        with self._context.database.session() as session:
            fingerprint = event_fingerprint(session)
        if self._reading or fingerprint == self._fingerprint:
            return
        self._fingerprint = fingerprint
        self._reading = True
        in_background(self._read, self._show)

    def _look_again(self) -> None:
        self._fingerprint = None
        self.refresh()

    def create(self) -> None:
        """Make the session that the form describes."""
        with self.notice.guard():
            settings = self.panel.settings()
            acts.make_session(self._context, settings)
            self.notice.say(f"Session {settings.session} is ready.", "success")
            self.panel.write(session=self._fresh())
            self.refresh()

    def _form(self) -> pn.Column:
        choices = self._choices()
        self.panel: SettingsPanel[SessionSettings] = SettingsPanel(
            SessionSettings,
            choices=choices,
            values={"session": self._fresh(), "ensemble": next(iter(choices["ensemble"].values()))},
            folded=("Special queues and grades", "Conditions"),
            field_width_px=190,
        )
        self.create_button = ActionButton(
            self.create,
            label="Make session",
            icon="add",
            forbidden=self._forbidden["create_session"],
        )
        return section(
            "New session",
            self.panel,
            pn.Row(self.create_button, margin=0),
            note="On the command line: lens-triage session create.",
        )

    def _choices(self) -> Mapping[str, Choices]:
        with self._context.database.session() as session:
            saved = filter_names(session)
        catalogs = self._context.database.ask(list_catalogs)
        ensembles = ensemble_choices(self._context.database.ask(list_ensembles), catalogs)
        return {
            "ensemble": {**ensembles, "no scores": ""},
            "catalogs": catalog_choices(catalogs),
            "saved_filter": {"none": "", **{name: name for name in saved}},
        }

    def _fresh(self) -> str:
        with self._context.database.session() as session:
            return fresh_name("session", session_names(session))

    def _read(self) -> list[SessionSummary]:
        try:
            with self._context.database.session() as session:
                return list_sessions(session, archived=True)
        finally:
            self._reading = False

    def _show(self, summaries: list[SessionSummary]) -> None:
        self.archived.visible = any(s.session.archived_at is not None for s in summaries)
        if not self.archived.value:
            summaries = [s for s in summaries if s.session.archived_at is None]
        self._summaries = {summary.session.id: summary for summary in summaries}
        self.table.update(
            [
                session_row(s, self._grader, forbidden=self._forbidden[closing(s, self._grader)])
                for s in summaries
            ]
        )
        if self.table.selected not in self._summaries:
            self.table.selected = next(iter(self._summaries), "")
        self._show_details()

    def _show_details(self) -> None:
        summary = self._summaries.get(self.table.selected)
        self._details.visible = summary is not None
        if summary is not None:
            self._title.object = f"<h2>{escape(summary.session.name)}</h2>"
            organizes = self._grader is not None and self._grader.is_organizer
            self._conditions.object = conditions_html(summary, invites=organizes)
            self.link.text = f"label?session={summary.session.id}"
            self._graders.update(grader_rows(summary, self._grader))
            found = summary.session
            self.managing.offer(found.id, found.name, archived=found.archived_at is not None)

    def _act(self, action: str, key: str) -> None:
        with self.notice.guard():
            acts.close_or_reopen(self._context, key, reopen=action == "reopen")
            self.refresh()

    def _open_tutorial(self) -> None:
        with self.notice.guard():
            with acting(self._context, "start_tutorial") as (session, _):
                made = create_tutorial(session).id
            location: Any = pn.state.location
            if location is not None:
                location.search = f"?session={made}"
                location.reload = True
