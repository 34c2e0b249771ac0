"""Parts that follow the database: the monitor, the lists, the reports, the forms."""

from __future__ import annotations

import pytest

from lens_triage.app import acts
from lens_triage.app.catalogs.listing import CatalogList
from lens_triage.app.catalogs.quarantine import (
    PAGE_ROWS,
    QuarantineReport,
)
from lens_triage.app.context import AppContext
from lens_triage.app.overview.view import OverviewBoard
from lens_triage.app.runs.form import RunForm
from lens_triage.app.runs.monitor import RunMonitor
from lens_triage.app.runs.panel import RunsPanel
from lens_triage.app.score.results import ScoreResults
from lens_triage.training.runner import runner
from lens_triage.training.settings import SimulateSettings
from lensing_core.store import open_database
from lensing_core.store.catalogs import find_catalog
from lensing_core.store.tables import Run, RunMetric

TRAIN = "20260101-121000-train-bbbbbb"


@pytest.fixture
def context(filled_workspace, monkeypatch) -> AppContext:
    """A filled workspace in which runs are claimed but no process starts."""
    monkeypatch.setattr(runner, "_launch", lambda *claimed: None)
    return AppContext.of(filled_workspace)


def change(context: AppContext, run_id: str, **values) -> None:
    with open_database(context.workspace).session() as session:
        run = session.get_one(Run, run_id)
        for name, value in values.items():
            setattr(run, name, value)


def add(context: AppContext, run_id: str, **columns) -> None:
    fields = {"kind": "score", "title": run_id, "settings": {}, **columns}
    with open_database(context.workspace).session() as session:
        session.add(Run(id=run_id, **fields))


def test_monitor_follows_a_run_to_its_end(context):
    ended: list[str] = []
    add(context, "r", status="running", done=1, total=4, activity="Scoring")
    monitor = RunMonitor(context, "r", on_end=lambda run: ended.append(run.status))
    assert "1 of 4" in monitor._head.object
    assert monitor._cancel.visible
    change(context, "r", done=3)
    monitor.refresh()
    assert "3 of 4" in monitor._head.object
    assert ended == []
    change(context, "r", status="succeeded", done=4, result={"scored": 4})
    monitor.refresh()
    monitor.refresh()
    assert ended == ["succeeded"]
    assert not monitor._buttons.visible
    assert ">Scored<" in monitor._result.object


def test_monitor_shows_the_error_and_offers_to_resume(context):
    settings = {"catalog": "fresh"}
    add(context, "r", kind="simulate", status="running", done=1, settings=settings)
    monitor = RunMonitor(context, "r")
    change(context, "r", status="failed", error="Row 3 is bad; mend it.")
    monitor.refresh()
    assert monitor._error.message == "Row 3 is bad; mend it."
    assert monitor._resume.visible
    monitor._resume.press()
    assert monitor.run.status == "running"
    assert monitor.run.attempt == 1
    assert monitor._error.message == ""


def test_monitor_offers_resume_only_where_it_can_help(context):
    settings = {"catalog": "fresh"}
    add(
        context,
        "r",
        kind="simulate",
        status="failed",
        error="Bands do not fit.",
        failure="settings",
        settings=settings,
    )
    monitor = RunMonitor(context, "r")
    assert not monitor._resume.visible
    assert "Resuming cannot change that" in monitor._head.object
    change(context, "r", failure="machine")
    monitor.refresh()
    assert monitor._resume.visible


def test_monitor_does_not_offer_to_resume_what_would_be_refused(context):
    settings = {"ensemble": "first", "catalog": "gone"}
    add(context, "r", status="failed", error="Row 3 is bad; mend it.", settings=settings)
    monitor = RunMonitor(context, "r")
    assert not monitor._resume.visible
    assert monitor._no_use.message == ("Resuming cannot help at present: There is no catalog gone.")
    add(context, "s", kind="simulate", status="cancelled", settings={"catalog": "fresh"})
    monitor.watch("s")
    assert monitor._resume.visible
    assert monitor._no_use.message == ""


def test_monitor_cancels(context):
    add(context, "other", status="running", host="elsewhere")
    add(context, "r", status="queued", after_run_id=TRAIN)
    monitor = RunMonitor(context, "r")
    monitor._cancel.press()
    assert monitor.run.status == "cancelled"
    monitor._act(acts.cancel_run)
    assert "nothing to cancel" in monitor._notice.message


def test_curves_of_a_run_that_had_ended_begin_folded_and_open_where_it_is_chosen(context):
    panel = RunsPanel(context, ["train"], title="Runs")
    fold = panel.monitor._curves._view
    assert panel.monitor.run.id == TRAIN
    assert not panel.monitor.run.active
    assert fold.active == []
    add(context, "r", kind="train", status="running")
    panel.watch("r", shut=True)
    assert fold.active == [0]
    panel.watch(TRAIN)
    assert fold.active == [0]


def test_monitor_draws_curves_and_adds_points(context):
    monitor = RunMonitor(context, TRAIN)
    sources = monitor._curves._sources
    assert len(sources) == 4
    assert len(monitor._curves._grid) == 4
    before = len(sources["train_loss", "trees"].data["step"])
    change(context, TRAIN, status="running")
    with open_database(context.workspace).session() as session:
        session.add(RunMetric(run_id=TRAIN, name="train_loss", member="trees", step=99, value=0.1))
    monitor.refresh()
    assert len(sources["train_loss", "trees"].data["step"]) == before + 1
    assert len(monitor._curves._grid) == 4
    monitor.watch("20260101-122000-score-cccccc")
    assert not monitor._curves._view.visible


def test_form_submits_what_it_shows_or_says_why_not(context):
    form = RunForm(context, SimulateSettings, title="New", button="Simulate")
    form.panel.editors["n_objects"]._widget.value = "0"
    form.start()
    assert form.notice.message == "Number of objects: Give a whole number, 1 to 10,000,000."
    form.panel.write(n_objects=12, catalog="fresh")
    form.start()
    assert form.notice.message == ""
    with open_database(context.workspace).session() as session:
        run = session.get_one(Run, form.runs.monitor.run_id)
        assert (run.kind, run.settings["n_objects"]) == ("simulate", 12)
    assert form.runs.table.selected == form.runs.monitor.run_id


def test_quarantine_is_paged_and_filtered(context):
    report = QuarantineReport(context)
    with context.database.session() as session:
        cosmos = find_catalog(session, "cosmos").id
    report.open_catalog(cosmos)
    assert len(report._rows.rows) == PAGE_ROWS
    assert report._pager.place.object == "1 to 20 of 37"
    assert report._pager.previous.disabled
    report._pager.next.press()
    assert report._pager.place.object == "21 to 37 of 37"
    assert report._rows.rows[0]["key"] == "220"
    assert report._pager.next.disabled
    report._pager.previous.press()
    assert report._rows.rows[0]["key"] == "200"
    report._reasons.selected = "all_nan"
    assert report._pager.place.object == "1 to 1 of 1"
    assert len(report._rows.rows) == 1


def test_overview_counts_again_when_a_run_ends(context):
    board = OverviewBoard(context)
    assert board._active.rows == []
    total = board._catalogs.rows[-1]
    assert (total["candidates"], total["scored"], total["quarantined"]) == ("212", "140", "37")
    assert board._best.visible
    assert board._top.object.count("<img") == 12
    add(context, "r", status="running")
    board.refresh()
    assert [row["key"] for row in board._active.rows] == ["r"]
    change(context, "r", status="succeeded")
    board.refresh()
    assert board._active.rows == []
    assert board._ended.rows[0]["key"] == "r"


def test_overview_cancels_by_the_button_of_a_row(context):
    add(context, "r", status="queued", after_run_id=TRAIN)
    change(context, TRAIN, status="queued")
    board = OverviewBoard(context)
    board._active._handle_msg({"action": "cancel", "key": "r"})
    assert "r" not in [row["key"] for row in board._active.rows]
    board._act("cancel", "r")
    assert "nothing to cancel" in board._notice.message


def test_catalog_list_shows_the_chosen_one(context):
    chosen = CatalogList(context, "cosmos")
    assert chosen.table.selected == "cosmos"
    assert "140" in chosen._details._facts.object
    assert chosen._details._quarantined.visible
    chosen.table.selected = "simulated"
    assert not chosen._details._quarantined.visible
    assert "sim:test, for all uses" in chosen._details._facts.object
    assert CatalogList(context, "nowhere").table.selected == chosen.table.rows[0]["key"]


def test_score_results_show_what_is_scored(context):
    results = ScoreResults(context)
    assert (results.catalog.value, results.ensemble.value) == ("cosmos", "first")
    tops = [sum(source.data["top"]) for source in results._histogram.sources.values()]
    assert tops == [140, 0, 0]
    assert results._top.object.count("<li>") == 24
    assert 'href="review?catalog=cosmos&amp;ensemble=first"' in results._metrics.object


def test_score_results_of_an_empty_workspace(workspace):
    results = ScoreResults(AppContext.of(workspace))
    assert results._empty.visible
    assert not results._content.visible
