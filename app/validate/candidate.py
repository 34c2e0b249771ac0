"""One candidate: its checklist, and the confirmation records that people enter."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from typing import TYPE_CHECKING

import panel as pn
import panel_material_ui as pmui

from lens_triage.app import acts
from lens_triage.app.acting import why_not
from lens_triage.app.context import AppContext
from lens_triage.app.validate.fields import NUMBER, SMALL, optional_number, row
from lens_triage.app.validate.observing import ObservationForm
from lens_triage.app.validate.rows import (
    ARCHIVE_COLUMNS,
    CHECK_COLUMNS,
    CHECK_TEXTS,
    OUTCOME_TEXTS,
    RECORD_COLUMNS,
    archive_row,
    check_row,
    record_row,
)
from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.action_button import ActionButton
from lens_triage.app.widgets.live import in_background
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.section import columns, html, section, stack
from lens_triage.app.widgets.table import Table
from lensing_core.errors import LensTriageError
from lensing_core.store.candidates import get_candidate
from lensing_core.store.confirmations import Evidence, confirmations_of
from lensing_core.store.stages import checklist_of

if TYPE_CHECKING:
    from lensing_core.crossmatch.archives import ArchiveFinding

_MOST_FOUND = 1500
_STATES = {text: state for state, text in CHECK_TEXTS.items()}


class CandidateBoard(pn.viewable.Viewer):
    """Hidden until a candidate is shown; ``on_record`` is called after each new record."""

    def __init__(self, context: AppContext, on_record: Callable[[], None]) -> None:
        self._context = context
        self._on_record = on_record
        self._candidate = 0
        self.check_notice, self.notice = Notice(), Notice()
        self._name = html("", css="p { margin: 0; } b { font-weight: 500; }")
        self.finding = pmui.TextInput(
            label="Finding", placeholder="Stored with the next state that you choose", **NUMBER
        )
        self.checks = Table(columns=CHECK_COLUMNS, label="Checklist")
        self.checks.on_choice(lambda key, _, value: self.answer(key, value))
        self.records = Table(
            columns=RECORD_COLUMNS,
            label="Confirmation records",
            empty="No record: neither a score nor a consensus is a confirmation.",
        )
        self.outcome = pmui.Select(
            label="Outcome",
            options={text: key for key, text in OUTCOME_TEXTS.items()},
            value="lens",
            width=180,
            **SMALL,
        )
        self.z_lens = pmui.TextInput(label="z of the lens", width=110, **NUMBER)
        self.z_source = pmui.TextInput(label="z of the source", width=118, **NUMBER)
        self.spectrum = pmui.TextInput(
            label="Spectrum", placeholder="Instrument, date, program or identifier", **NUMBER
        )
        self.reference = pmui.TextInput(
            label="Reference", placeholder="Bibcode, DOI or arXiv number", **NUMBER
        )
        self.note = pmui.TextInput(label="Note", **NUMBER)
        for field in (self.finding, self.spectrum, self.reference, self.note):
            field.sizing_mode = "stretch_width"
        self.archives = Table(
            columns=ARCHIVE_COLUMNS,
            label="Archives",
            rows=[],
            empty="Not queried yet: press Look up. Stored answers are shown at once.",
        )
        self.archive_notice = Notice()
        self.look = ActionButton(
            self.look_up,
            label="Look up",
            size="small",
            variant="outlined",
            forbidden=why_not(context, "ask_archives"),
        )
        self.exists, self.new = (
            ActionButton(
                partial(self.say_prior_model, exists),
                label=label,
                size="small",
                variant="outlined",
                forbidden=why_not(context, "answer_check"),
            )
            for label, exists in (("Prior model exists", True), ("New", False))
        )
        self.colors = ActionButton(
            self.measure_colors,
            label="Measure colors",
            size="small",
            variant="outlined",
            forbidden=why_not(context, "answer_check"),
        )
        self.observations = ObservationForm(context, self._changed)
        self.enter = ActionButton(
            self.enter_record,
            label="Enter record",
            size="small",
            forbidden=why_not(context, "confirm"),
        )
        self._view = stack(
            columns(
                section(
                    "Checklist",
                    self._name,
                    self.check_notice,
                    self.finding,
                    self.checks,
                    aside=(self.colors,),
                ),
                section(
                    "Confirmation",
                    self.notice,
                    row(self.outcome, self.z_lens, self.z_source),
                    self.spectrum,
                    self.reference,
                    self.note,
                    row(self.enter),
                    self.records,
                    note="Entered by a person from spectra. A record is never deleted, but can be "
                    "withdrawn by a later one. It overrides grades and imported labels.",
                ),
                template="minmax(0, 1fr) minmax(0, 1fr)",
            ),
            self.observations,
            section(
                "Archives",
                self.archive_notice,
                self.archives,
                row(self.exists, self.new),
                aside=(self.look,),
                note="Clusters of CLASH, RELICS and the Frontier Fields have published models. "
                "Looking up sends the position to NED, MAST and ADS.",
            ),
            visible=False,
        )
        super().__init__()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def show_candidate(self, candidate_id: int) -> None:
        """Show a candidate; 0 for none."""
        if candidate_id != self._candidate:
            self.notice.clear()
            self.check_notice.clear()
            self.archive_notice.clear()
            self.archives.update([])
            for field in (self.z_lens, self.z_source, self.spectrum, self.reference, self.note):
                field.value = ""
        self._candidate = candidate_id
        self._view.visible = bool(candidate_id)
        self.observations.show_candidate(candidate_id)
        if candidate_id:
            self.reload()

    def answer(self, item: str, state: str) -> None:
        """Answer a point with the finding that was typed."""
        with self.check_notice.guard():
            acts.answer_check(
                self._context, self._candidate, item, _STATES[state], self.finding.value
            )
            self.finding.value = ""
        self.reload()

    def enter_record(self) -> None:
        """Enter a record from the form."""
        with self.notice.guard():
            evidence = Evidence(
                self.outcome.value,
                self.spectrum.value,
                optional_number(self.z_lens),
                optional_number(self.z_source),
                self.reference.value,
                self.note.value,
            )
            acts.confirm(self._context, self._candidate, evidence)
            self.notice.say("The record was entered.", "success")
        self._changed()

    def measure_colors(self) -> None:
        """Answer the point on colors with what is measured on the cutout."""
        with self.check_notice.guard():
            text = acts.measure_colors(self._context, self._candidate)
            self.check_notice.say(text, "info")
        self.reload()

    def say_prior_model(self, exists: bool) -> None:
        """Answer the point on archives, with what was found and what was typed."""
        with self.archive_notice.guard():
            # The cluster by its name, the rest by numbers: what they are is kept with the answers.
            found = [
                f"{row['source']}: {row['n'] if row['at'] else row['text']['text']}"
                for row in self.archives.rows
                if row["n"] not in ("0", fmt.MISSING)
            ]
            text = "; ".join([self.finding.value.strip(), *found] if self.finding.value else found)
            acts.say_prior_model(
                self._context, self._candidate, exists=exists, text=text[:_MOST_FOUND]
            )
            self.finding.value = ""
            self.archive_notice.say("The answer was entered in the checklist.", "success")
        self.reload()

    def look_up(self) -> None:
        """Ask archives about the candidate's position."""
        candidate_id = self._candidate

        def work() -> list[ArchiveFinding] | str:
            try:
                return acts.look_up(self._context, candidate_id)
            except LensTriageError as error:
                return str(error)

        def show(found: list[ArchiveFinding] | str) -> None:
            if candidate_id != self._candidate:
                return
            if isinstance(found, str):
                self.archive_notice.say(found)
            else:
                self.archives.update([archive_row(finding) for finding in found])

        self.archive_notice.clear()
        in_background(work, show, button=self.look)

    def _changed(self) -> None:
        self._on_record()
        self.reload()
        self.observations.reload()

    def reload(self) -> None:
        """Read the candidate again."""
        with self._context.database.session() as session:
            candidate = get_candidate(session, self._candidate)
            points = checklist_of(session, self._candidate)
            records = confirmations_of(session, self._candidate)
        self._name.object = f"<p><b>{escape(candidate.object_id)}</b></p>"
        self.checks.update([check_row(point) for point in points])
        self.records.update([record_row(record, k) for k, record in enumerate(records)])
