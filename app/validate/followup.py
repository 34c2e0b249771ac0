"""The Follow-up tab: a plan of observations, its nights and targets, and files for telescopes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import panel as pn

from lens_triage.app.acting import hides_blind
from lens_triage.app.context import AppContext
from lens_triage.app.validate.fields import row
from lens_triage.app.validate.plan_rows import (
    NIGHT_COLUMNS,
    TARGET_COLUMNS,
    given_by,
    night_row,
    plan_address,
    target_row,
)
from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.action_button import ActionButton
from lens_triage.app.widgets.live import in_background
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.section import html, section, stack
from lens_triage.app.widgets.settings_panel import SettingsPanel
from lens_triage.app.widgets.table import Table
from lens_triage.training.followup import (
    PLAN_FORMATS,
    FollowUpSettings,
    plan_follow_up,
    site_choices,
)
from lensing_core.errors import LensTriageError
from lensing_core.followup.instruments import read_instruments
from lensing_core.followup.planning import Plan
from lensing_core.store.ensembles import by_preference
from lensing_core.store.summaries import list_ensembles
from lensing_core.store.tables import STAGES

_MOST_NIGHTS_SHOWN = 31
_LINKS_CSS = """
p { margin: 0; font-size: 13px; } a { color: var(--lt-accent); margin-right: 14px; }
"""
_NOTE_CSS = "p { margin: 0 0 2px; color: var(--lt-muted); font-size: 12.5px; }"


class FollowUpBoard(pn.viewable.Viewer):
    """Settings of a plan, and the plan.

    Parameters
    ----------
    context : AppContext
    words : mapping, optional
        Settings as words of an address, to begin with.
    """

    def __init__(
        self, context: AppContext, words: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self._context = context
        self.notice = Notice()
        self.form = SettingsPanel(
            FollowUpSettings,
            choices={
                "site": site_choices(),
                "instrument": {
                    one.name: key for key, one in read_instruments(context.workspace).items()
                },
                "stages": {stage.capitalize(): stage for stage in STAGES},
                "ensemble": self._ensembles(),
            },
            folded=("Weights of the science value",),
            field_width_px=190,
        )
        with self.notice.guard():
            self.form.write(**given_by(words or {}))
        self.plan_button = ActionButton(self.plan_now, label="Plan", size="small")
        self.nights = Table(columns=NIGHT_COLUMNS, label="Nights", rows=[], empty="No plan yet.")
        self.targets = Table(
            columns=TARGET_COLUMNS,
            label="Targets",
            rows=[],
            empty="Choose a site, nights and an instrument, then press Plan.",
        )
        self.links = html("", css=_LINKS_CSS, visible=False)
        self.notes = html("", css=_NOTE_CSS, visible=False)
        self._view = stack(
            section(
                "Plan",
                self.notice,
                self.form,
                row(self.plan_button),
                note="Priority is the posterior times the science value, a weighted mean of "
                "criteria; unknown criteria count one half. For exposure times, use the "
                "instrument's own calculator.",
            ),
            section("Targets", self.notes, self.links, self.targets),
            section(
                "Nights",
                self.nights,
                note="Dark time in UTC, to the limit of the Sun; no refraction.",
            ),
        )
        super().__init__()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def refresh(self) -> None:
        """Do nothing: a plan is made on request."""

    def plan_now(self) -> None:
        """Make the plan that the form describes."""
        self.notice.clear()
        with self.notice.guard():
            settings = self.form.settings()
            in_background(
                lambda: self._make(settings),
                lambda found: self._show(settings, found),
                button=self.plan_button,
            )

    def _make(self, settings: FollowUpSettings) -> Plan | str:
        try:
            return plan_follow_up(
                self._context.workspace, settings, hides_blind=hides_blind(self._context)
            )
        except LensTriageError as error:
            return str(error)

    def _show(self, settings: FollowUpSettings, found: Plan | str) -> None:
        if isinstance(found, str):
            self.notice.say(found)
            return
        self.nights.update([night_row(night) for night in found.nights[:_MOST_NIGHTS_SHOWN]])
        self.targets.update(
            [target_row(found, target, k) for k, target in enumerate(found.targets, start=1)]
        )
        notes = list(found.notes)
        if len(found.nights) > _MOST_NIGHTS_SHOWN:
            notes.append(f"The first {_MOST_NIGHTS_SHOWN} nights are listed; all are counted.")
        if found.unplaced:
            n = fmt.plural(len(found.unplaced), "candidate")
            notes.append(f"{n} without a position cannot be planned: {', '.join(found.unplaced)}.")
        self.notes.object = "".join(f"<p>{escape(note)}</p>" for note in notes)
        self.links.object = f"<p>{self._links(settings)}</p>"
        self.notes.visible = bool(notes)
        self.links.visible = True

    @staticmethod
    def _links(settings: FollowUpSettings) -> str:
        return "".join(
            f'<a href="{escape(plan_address(name, settings))}" download>{escape(form.title)}</a>'
            for name, form in PLAN_FORMATS.items()
        )

    def _ensembles(self) -> dict[str, Any]:
        found = by_preference(self._context.database.ask(list_ensembles))
        return {"The promoted one": "", **{one.name: one.name for one in found}}
