"""The runs of some kinds: a list to choose from, and the monitor of the chosen one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lens_triage.app.context import AppContext
from lens_triage.app.runs import rows as run_view
from lens_triage.app.runs.monitor import RunMonitor
from lens_triage.app.widgets.paths import told_run
from lens_triage.app.widgets.section import section
from lens_triage.app.widgets.table import Table
from lensing_core.store import runs
from lensing_core.store.runs import RunSummary


class RunsPanel:
    """Two parts to be laid out: ``now``, the watched run, and ``list``, the latest ones.

    Begins with what runs, or else with the latest run; :meth:`refresh` once a second.

    Parameters
    ----------
    context : AppContext
    kinds : sequence of str
    title : str
        Of the list.
    on_end : callable, optional
        Called with the watched run when it ends.
    on_copy : callable, optional
        As in :class:`RunMonitor`.
    limit : int, optional
        Most runs listed.
    watch_ended : bool, optional
        Begin with the latest run even where none is active.
    """

    def __init__(
        self,
        context: AppContext,
        kinds: Sequence[str],
        *,
        title: str,
        on_end: Callable[[RunSummary], None] = lambda run: None,
        on_copy: Callable[[RunSummary], None] | None = None,
        limit: int = 12,
        watch_ended: bool = True,
    ) -> None:
        self._context = context
        self._kinds = tuple(kinds)
        self._limit = limit
        self.monitor = RunMonitor(context, on_end=on_end, on_copy=on_copy)
        self.now = section("Run", self.monitor, visible=False)
        self.table = Table(
            columns=run_view.ENDED_COLUMNS, label=title, selectable=True, empty="No run yet."
        )
        self.list = section(title, self.table)
        self.table.param.watch(lambda event: self.watch(event.new), "selected")
        listed = self._listed()
        begin_with = [run for run in listed if run.active] or (listed if watch_ended else [])
        if begin_with:
            self.watch(begin_with[0].id, shut=True)

    def _listed(self) -> list[RunSummary]:
        return self._context.database.ask(runs.list_runs, kinds=self._kinds, limit=self._limit)

    def watch(self, run_id: str, *, shut: bool = False) -> None:
        """Show one run in the monitor, its curves folded or not, and mark it in the list."""
        self.monitor.watch(run_id, shut=shut)
        self.now.visible = bool(run_id)
        self.table.selected = run_id

    def refresh(self) -> None:
        """Look at the list and at the watched run again."""
        self.table.update(
            [run_view.run_row(told_run(self._context, run)) for run in self._listed()]
        )
        self.monitor.refresh()
