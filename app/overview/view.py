"""The parts of the overview, and how they follow the workspace while the page is open."""

from __future__ import annotations

from html import escape

import panel as pn

from lens_triage.app import acts
from lens_triage.app.acting import why_not
from lens_triage.app.context import AppContext
from lens_triage.app.runs import rows as run_view
from lens_triage.app.widgets.catalog_view import (
    ENSEMBLE_COLUMNS,
    OVERVIEW_COLUMNS,
    by_test_set,
    ensemble_row,
    measured_on,
    overview_rows,
)
from lens_triage.app.widgets.live import (
    in_background,
    live,
)
from lens_triage.app.widgets.notice import Notice
from lens_triage.app.widgets.paths import told_run
from lens_triage.app.widgets.section import (
    columns,
    html,
    section,
    stack,
)
from lens_triage.app.widgets.skeleton import skeleton
from lens_triage.app.widgets.steps import (
    STEPS_CSS,
    address,
    next_steps,
    steps_html,
)
from lens_triage.app.widgets.table import (
    Table,
    action,
    column,
)
from lens_triage.app.widgets.thumbnails import THUMBNAILS_CSS, thumbnails_html
from lens_triage.training.demo import ENSEMBLE, SESSION, SURVEY_CATALOG, read_demo
from lensing_core.store import runs, summaries
from lensing_core.store.runs import RunSummary
from lensing_core.store.summaries import CatalogSummary, EnsembleSummary

_LATEST = 6
_PICTURES = 12
_COUNT_EVERY = 5

_DEMO_CSS = """
.demo { display: flex; flex-wrap: wrap; align-items: center; gap: 10px 14px; padding: 10px 16px;
  border-radius: 10px;
  border: 1px solid color-mix(in srgb, var(--lt-accent) 40%, transparent);
  background: color-mix(in srgb, var(--lt-accent) 8%, transparent); }
.demo p { margin: 0; flex: 1 1 240px; line-height: 1.5; }
.demo a { background: var(--lt-accent); color: var(--lt-surface); padding: 5px 16px;
  border-radius: 7px; font-weight: 500; flex: none; }
.demo a:hover { text-decoration: none; filter: brightness(1.08); }
"""


class OverviewBoard(pn.viewable.Viewer):
    """Everything on the overview; looks at the runs each second, at counts when they may change."""

    def __init__(self, context: AppContext) -> None:
        self._context = context
        self._demo = read_demo(context.workspace)
        self._no_cancel = why_not(context, "cancel_run")
        self._ticks = 0
        self._states: dict[str, str] | None = None
        self._banner = html("", css=_DEMO_CSS, visible=False)
        self._steps = html(skeleton(), css=STEPS_CSS)
        self._notice = Notice()
        self._active = Table(
            columns=[*run_view.RUN_COLUMNS, column("actions", "", align="right", width="76px")],
            label="Running and queued",
            empty="Nothing runs.",
        )
        self._active.on_action(self._act)
        self._ended = Table(
            columns=run_view.ENDED_COLUMNS,
            label="Latest runs",
            empty="No run has ended yet.",
        )
        self._catalogs = Table(
            columns=OVERVIEW_COLUMNS, label="Catalogs", empty="No catalog yet: import one."
        )
        self._ensembles = Table(
            columns=ENSEMBLE_COLUMNS, label="Ensembles", empty="No ensemble yet: train one."
        )
        self._top = html("", css=THUMBNAILS_CSS)
        self._best = section("Best ranked", self._top, visible=False)
        self._running = section("Running and queued", self._notice, self._active)
        self._view = stack(
            self._banner,
            section("Next", self._steps),
            self._running,
            self._best,
            section("Catalogs", self._catalogs, note="Candidates by the stage of the search."),
            columns(
                section(
                    "Ensembles",
                    self._ensembles,
                    note="Metrics on the test split; the tooltip has the interval.",
                ),
                section("Latest runs", self._ended),
                template="minmax(0, 1.25fr) minmax(0, 1fr)",
            ),
        )
        super().__init__()
        live(self.refresh)

    def __panel__(self) -> pn.viewable.Viewable:
        return self._view

    def refresh(self) -> None:
        """Look at the runs, and at counts where a run is writing or has changed its state."""
        database = self._context.database
        active = [told_run(self._context, r) for r in database.ask(runs.list_active_runs)]
        latest = database.ask(runs.list_runs, ended=True, limit=_LATEST)
        ended = [told_run(self._context, run) for run in latest]
        self._active.update([{**run_view.run_row(run), **self._cancel(run)} for run in active])
        self._running.visible = bool(active) or bool(self._notice.message)
        self._ended.update([run_view.run_row(run) for run in ended])
        self._ticks += 1
        states = {run.id: run.status for run in [*active, *ended]}
        writing = any(run.status == "running" for run in active)
        if states != self._states or (writing and self._ticks % _COUNT_EVERY == 0):
            self._states = states
            in_background(
                self._read_counts,
                lambda found: self._show_counts(active, *found),
            )
        self._show_demo()

    def _read_counts(self) -> tuple[list[CatalogSummary], list[EnsembleSummary], str]:
        """Catalogs, ensembles, and pictures of the best of the newest ranking."""
        database = self._context.database
        catalogs = database.ask(summaries.list_catalogs)
        ensembles = database.ask(summaries.list_ensembles)
        scored = next((catalog for catalog in catalogs if catalog.scored), None)
        if scored is None:
            return catalogs, ensembles, ""
        most = max(scored.scored, key=lambda name: scored.scored[name])
        by = next(ensemble for ensemble in ensembles if ensemble.name == most)
        top = database.ask(summaries.fetch_top, by.id, scored.id, limit=_PICTURES)
        pictures = thumbnails_html(top, catalog=scored.name, ensemble=most, per_row=_PICTURES)
        return catalogs, ensembles, pictures

    def _show_counts(
        self,
        active: list[RunSummary],
        catalogs: list[CatalogSummary],
        ensembles: list[EnsembleSummary],
        pictures: str,
    ) -> None:
        if pictures != self._top.object:
            self._top.object = pictures
        self._best.visible = bool(pictures)
        self._catalogs.update(overview_rows(catalogs))
        self._ensembles.update(by_test_set(ensembles[:_LATEST], ensemble_row, measured_on))
        text = steps_html(next_steps(catalogs, ensembles, active))
        if text != self._steps.object:
            self._steps.object = text

    def _cancel(self, run: RunSummary) -> dict[str, object]:
        title = "Stop at the next step; finished parts are kept"
        button = action("cancel", "Cancel", title, forbidden=self._no_cancel)
        button["disabled"] |= run.cancel_requested
        return {"actions": {"text": "", "actions": [button]}}

    def _act(self, _name: str, run_id: str) -> None:
        with self._notice.guard():
            acts.cancel_run(self._context, run_id)
        self.refresh()

    def _show_demo(self) -> None:
        """Return how far the demonstration is; the way to its ranking once that is ready."""
        if self._demo is None:
            return
        found = [self._context.database.ask(runs.get_run, run_id) for run_id in self._demo.run_ids]
        text = demo_html(found)
        if text != self._banner.object:
            self._banner.object = text
        self._banner.visible = True


def demo_html(found: list[RunSummary]) -> str:
    """One sentence on the demonstration's runs, and the link to the ranking when it is there."""
    done = sum(run.status == "succeeded" for run in found)
    link = ""
    if done == len(found):
        href = address("review", catalog=SURVEY_CATALOG, ensemble=ENSEMBLE)
        link = f'<a href="{escape(href)}">Review the ranking</a><a href="label">Label</a>'
        text = (
            "The demonstration is ready: a simulated survey, ranked by an ensemble trained here, "
            f"and a labeling session, {SESSION}, that nobody has graded yet."
        )
    else:
        now = next(run for run in found if run.status != "succeeded")
        text = (
            "The demonstration is being built: a simulated survey, and an ensemble that ranks it. "
            f"Run {done + 1} of {len(found)}: {now.title}"
        )
        if now.status in ("failed", "cancelled", "lost"):
            text += f", which {'was' if now.status != 'failed' else 'has'} {now.status}; see below."
        elif now.status == "running":
            text += f", {now.activity.lower() or 'starting'}."
        else:
            text += ", about to start."
    return f'<div class="demo" role="status"><p>{escape(text)}</p>{link}</div>'
