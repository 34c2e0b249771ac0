"""Observations of a candidate: what came of them, and the label that follows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import panel as pn
import panel_material_ui as pmui

from lens_triage.app import acts
from lens_triage.app.acting import why_not
from lens_triage.app.context import AppContext
from lens_triage.app.validate.fields import NUMBER, SMALL, optional_number, row
from lens_triage.app.validate.rows import FOLLOW_UP_COLUMNS, FOLLOW_UP_TEXTS, follow_up_row
from lens_triage.app.widgets.action_button import ActionButton
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.section import section
from lens_triage.app.widgets.table import Table
from lensing_core.consensus.schemes import REJECT_REASONS
from lensing_core.errors import BadInputError
from lensing_core.store.follow_up import ObservationReport, follow_ups_of

_GAVE = {
    "lens": "The observation was stored, with a confirmation record.",
    "not_lens": "The observation was stored, with a label that it is not a lens.",
    "inconclusive": "The observation was stored; it gives no label.",
}


class ObservationForm(pn.viewable.Viewer):
    """Reports of one candidate; ``on_report`` is called after each new one."""

    def __init__(self, context: AppContext, on_report: Callable[[], None]) -> None:
        self._context = context
        self._on_report = on_report
        self._candidate = 0
        self.notice = Notice()
        self.outcome = pmui.Select(
            label="Outcome",
            options={text: key for key, text in FOLLOW_UP_TEXTS.items()},
            value="inconclusive",
            width=150,
            **SMALL,
        )
        self.night = pmui.TextInput(label="Night", placeholder="2026-03-14", width=116, **NUMBER)
        self.instrument = pmui.TextInput(label="Instrument", width=150, **NUMBER)
        self.z_lens = pmui.TextInput(label="z of the lens", width=104, **NUMBER)
        self.z_source = pmui.TextInput(label="z of the source", width=110, **NUMBER)
        self.reason = pmui.Select(
            label="Why none",
            options={"No reason": "", **{text: key for key, text in REJECT_REASONS.items()}},
            value="",
            width=150,
            **SMALL,
        )
        self.reference = pmui.TextInput(
            label="Reference", placeholder="Bibcode, DOI or arXiv number", width=210, **NUMBER
        )
        self.note = pmui.TextInput(label="Note", width=210, **NUMBER)
        self.keep = ActionButton(
            self.report,
            label="Keep observation",
            size="small",
            forbidden=why_not(context, "report_observation"),
        )
        self.reports = Table(
            columns=FOLLOW_UP_COLUMNS, label="Observations", empty="Not observed yet."
        )
        self._evidence = row(self.z_lens, self.z_source, self.reference)
        self.outcome.param.watch(lambda _: self._show_fields(), "value")
        self._show_fields()
        self._view = section(
            "Observations",
            self.notice,
            row(self.outcome, self.night, self.instrument, self.reason, self.note),
            self._evidence,
            row(self.keep),
            self.reports,
            note="A confirmed lens becomes a confirmation record, and needs all of its evidence; "
            "“no lens” becomes one if it has a reference, otherwise a grade by you; an "
            "inconclusive observation gives no label.",
        )
        super().__init__()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def show_candidate(self, candidate_id: int) -> None:
        """Show a candidate, with an empty form where it is another one."""
        if candidate_id != self._candidate:
            self.notice.clear()
            for field in (self.z_lens, self.z_source, self.reference, self.note):
                field.value = ""
            self.outcome.value, self.reason.value = "inconclusive", ""
        self._candidate = candidate_id
        if candidate_id:
            self.reload()

    def report(self) -> None:
        """Keep what the form says."""
        with self.notice.guard():
            outcome = self.outcome.value
            acts.report_observation(
                self._context,
                self._candidate,
                ObservationReport(
                    self._evening(),
                    self.instrument.value,
                    outcome,
                    "",
                    optional_number(self.z_lens) if outcome != "inconclusive" else None,
                    optional_number(self.z_source) if outcome != "inconclusive" else None,
                    self.reference.value if outcome != "inconclusive" else "",
                    self.reason.value if outcome == "not_lens" else "",
                    self.note.value,
                ),
            )
            self.notice.say(_GAVE[outcome], "success")
        self._on_report()

    def reload(self) -> None:
        """Read the reports again."""
        with self._context.database.session() as session:
            found = follow_ups_of(session, self._candidate)
        self.reports.update([follow_up_row(record, k) for k, record in enumerate(found)])

    def _evening(self) -> date:
        try:
            return date.fromisoformat(self.night.value.strip())
        except ValueError:
            raise BadInputError(
                f"Night: {self.night.value!r} is no date; give one such as 2026-03-14."
            ) from None

    def _show_fields(self) -> None:
        outcome = self.outcome.value
        self._evidence.visible = outcome != "inconclusive"
        self.reason.visible = outcome == "not_lens"
