"""Probes for shortcuts on a labeled catalog: chooser, run, and what the last one found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import panel as pn
import panel_material_ui as pmui

from lens_triage.app.acting import why_not
from lens_triage.app.context import AppContext
from lens_triage.app.runs.monitor import RunMonitor
from lens_triage.app.runs.probes import probes_html
from lens_triage.app.runs.shift import SHIFT_CSS
from lens_triage.app.runs.starting import start_run
from lens_triage.app.widgets.action_button import ActionButton
from lens_triage.app.widgets.live import in_background
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.section import FITS, html, section
from lens_triage.training.settings import ProbeSettings
from lensing_core.store.runs import RunSummary, last_probes
from lensing_core.store.summaries import CatalogSummary

_NOTE = (
    "Labeled objects scored again with a part taken away: all but the center, the center, a band, "
    "colors, sharpness. A ranking that is nearly as good where no arc can be seen has not learned "
    "arcs."
)


class ShortcutProbes(pn.viewable.Viewer):
    """Shows probes of one ensemble; :meth:`offer` chooses it."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._ensemble = ""
        self.catalog = pmui.Select(label="Labeled catalog", width=250, size="small", margin=0)
        self.button = ActionButton(
            self._probe, label="Probe", forbidden=why_not(context, "start_run")
        )
        self._notice = Notice()
        self.monitor = RunMonitor(context, on_end=self._ended)
        self.results = html("", css=SHIFT_CSS, visible=False)
        self._view = section(
            "Shortcuts",
            pn.Row(
                self.catalog,
                self.button,
                margin=(6, 0, 0, 0),
                styles={"gap": "14px", "align-items": "center", "flex-wrap": "wrap"},
                stylesheets=[FITS],
            ),
            self._notice,
            self.monitor,
            self.results,
            note=_NOTE,
            visible=False,
        )
        super().__init__()
        self.catalog.param.watch(lambda _: self._look(), "value")

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def refresh(self) -> None:
        """Look at the run again."""
        self.monitor.refresh()

    def offer(self, ensemble: str, catalogs: Sequence[CatalogSummary]) -> None:
        """Let labeled catalogs be chosen, observed ones first."""
        labeled = [c for c in catalogs if c.complete and c.n_candidates and c.label_source]
        labeled.sort(key=lambda c: c.origin == "simulated")
        names = [c.name for c in labeled]
        changed = ensemble != self._ensemble
        self._ensemble = ensemble
        self._view.visible = bool(names and ensemble)
        if names != self.catalog.options:
            chosen = self.catalog.value
            self.catalog.options = names
            self.catalog.value = chosen if chosen in names else (names[0] if names else None)
        if changed:
            self._notice.clear()
            self._look()

    def _probe(self) -> None:
        self._notice.clear()
        if not self.catalog.value:
            return
        start_run(
            self._context,
            ProbeSettings(ensemble=self._ensemble, catalog=self.catalog.value),
            button=self.button,
            notice=self._notice,
            started=self.monitor.watch,
        )

    def _ended(self, run: RunSummary) -> None:
        if run.status == "succeeded":
            self._look()

    def _look(self) -> None:
        """Show what the last run found of this pair."""
        asked = (self._ensemble, self.catalog.value or "")
        if all(asked):
            in_background(
                lambda: self._context.database.ask(last_probes, *asked),
                lambda found: self._show(asked, found),
            )

    def _show(self, asked: tuple[str, str], found: Mapping[str, Any] | None) -> None:
        if asked == (self._ensemble, self.catalog.value):
            self.results.object = probes_html(found) if found else ""
            self.results.visible = found is not None
