"""The list of all runs, page by page, and the monitor of the chosen one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import panel as pn
import panel_material_ui as pmui

from lens_triage.app.context import AppContext
from lens_triage.app.runs import rows as run_view
from lens_triage.app.runs.monitor import RunMonitor
from lens_triage.app.visits import remember
from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.live import in_background
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.pager import Pager
from lens_triage.app.widgets.paths import told_run
from lens_triage.app.widgets.section import columns, section, stack
from lens_triage.app.widgets.table import Row, Table, column
from lens_triage.training.settings import SETTINGS
from lensing_core.store.runs import RunFilter, RunSummary, fetch_page_of_runs
from lensing_core.store.usage import run_sizes

_PER_PAGE = 20
COLUMNS = [*run_view.ENDED_COLUMNS, column("disk", "Disk", align="right", width="84px")]
_ANY_KIND, _ANY_STATE = "All kinds", "All states"
_KINDS = {_ANY_KIND: "", **{fmt.words(kind): kind for kind in sorted(SETTINGS)}}
_STATES = {_ANY_STATE: "", **{state: state for state in run_view.TONES}}


def history_row(run: RunSummary, sizes: Mapping[str, int]) -> Row:
    """A row for :data:`COLUMNS`; ``sizes`` are bytes of the folders of runs, as far as known."""
    size = sizes.get(run.id)
    title = f"Files in runs/{run.id}"
    return {
        **run_view.run_row(run),
        "disk": {
            "text": "" if size is None else fmt.file_size(size) if size else "none",
            "title": title,
        },
    }


class RunHistory(pn.viewable.Viewer):
    """Runs of all kinds, the newest first.

    Parameters
    ----------
    context : AppContext
    run_id : str, optional
        The run to begin with, also where it is on another page of the list; '' for the newest.
    kind, status : str, optional
        Limit the list from the beginning; what is unknown limits nothing.
    """

    def __init__(
        self, context: AppContext, *, run_id: str = "", kind: str = "", status: str = ""
    ) -> None:
        self._context = context
        self._sizes: dict[str, int] = {}
        self._listed: list[RunSummary] = []
        style: dict[str, Any] = {"size": "small", "margin": 0, "width": 172}
        self.kind = pmui.Select(
            label="Kind", options=_KINDS, value=kind if kind in SETTINGS else "", **style
        )
        self.status = pmui.Select(
            label="State",
            options=_STATES,
            value=status if status in run_view.TONES else "",
            **style,
        )
        self.words = pmui.TextInput(label="Title or id", **style)
        self.table = Table(
            columns=COLUMNS, label="Runs", selectable=True, empty="No run yet, or none like this."
        )
        self.pager = Pager(_PER_PAGE, self.refresh)
        self.monitor = RunMonitor(context)
        self._notice = Notice()
        chosen = pn.Row(
            self.kind,
            self.status,
            self.words,
            margin=0,
            styles={"gap": "12px", "flex-wrap": "wrap", "row-gap": "12px"},
        )
        self._now = section("Run", self.monitor, visible=False)
        self._view = columns(
            section("All runs", chosen, self.table, self.pager),
            stack(self._notice, self._now),
            template="minmax(0, 1.1fr) minmax(0, 1fr)",
        )
        super().__init__()
        for choice in (self.kind, self.status, self.words):
            choice.param.watch(lambda _: self._choose(), "value")
        self.table.param.watch(lambda event: self._select(event.new), "selected")
        self.refresh()
        self._watch(run_id or (self._listed[0].id if self._listed else ""))

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def refresh(self) -> None:
        """Look at the list and at the chosen run again."""
        chosen = RunFilter(self.kind.value, self.status.value, self.words.value.strip())
        self._listed, total = self._context.database.ask(
            fetch_page_of_runs, chosen, after=self.pager.after, limit=_PER_PAGE
        )
        last = self._listed[-1] if self._listed else None
        self.pager.show_place(
            len(self._listed), total, None if last is None else (last.created_at, last.id)
        )
        self._show()
        self._measure([run.id for run in self._listed if run.active or run.id not in self._sizes])
        self.monitor.refresh()

    def _show(self) -> None:
        self.table.update(
            [history_row(told_run(self._context, run), self._sizes) for run in self._listed]
        )

    def _measure(self, run_ids: Sequence[str]) -> None:
        """Look in the background how much disk runs take; of one that has ended only once."""

        def show(sizes: Mapping[str, int]) -> None:
            self._sizes.update(sizes)
            self._show()

        if run_ids:
            in_background(lambda: run_sizes(self._context.workspace, run_ids), show)

    def _choose(self) -> None:
        self.pager.reset()
        self.refresh()

    def _select(self, run_id: str) -> None:
        """Follow the list; nothing where its mark was only taken away."""
        if run_id:
            self._watch(run_id)

    def _watch(self, run_id: str) -> None:
        """Show a run in the monitor, mark it in the list, and name it in the address."""
        with self._notice.guard():
            self.monitor.watch(run_id)
        if self.monitor.run is None:  # there is none of that name
            run_id = ""
            self.monitor.watch(run_id)
        self._now.visible = bool(run_id)
        if self.table.selected != run_id:
            self.table.selected = run_id
        if run_id:
            remember(run=run_id)
