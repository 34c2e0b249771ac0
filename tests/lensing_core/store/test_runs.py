"""What pages read of runs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lensing_core.errors import NotFoundError
from lensing_core.store import open_database, runs
from lensing_core.store.tables import Run, RunLog, RunMetric, utc_now

ON_BOTH_DATABASES = True
TRAIN = "20260101-121000-train-bbbbbb"


@pytest.fixture
def database(filled_workspace):
    return open_database(filled_workspace)


def add(database, run_id: str, status: str, seconds_ago: float = 0, **columns) -> None:
    with database.session() as session:
        session.add(
            Run(
                id=run_id,
                kind="score",
                title=run_id,
                settings={},
                status=status,
                created_at=utc_now() - timedelta(seconds=seconds_ago),
                **columns,
            )
        )


def test_active_runs_are_the_running_then_the_queue_in_order(database):
    add(database, "second", "queued", 10)
    add(database, "first", "queued", 20)
    add(database, "now", "running", 5)
    assert [run.id for run in database.ask(runs.list_active_runs)] == ["now", "first", "second"]


def test_latest_runs_by_kind(database):
    add(database, "waiting", "queued")
    assert [run.kind for run in database.ask(runs.list_runs)] == [
        *("score", "ingest", "score", "train", "simulate")
    ]
    assert [run.status for run in database.ask(runs.list_runs, ended=True, limit=2)] == [
        *("failed", "succeeded")
    ]
    assert [run.id for run in database.ask(runs.list_runs, kinds=["train"])] == [TRAIN]


def test_elapsed_time_stops_with_the_run(database):
    now = utc_now()
    add(database, "r", "running", started_at=now - timedelta(seconds=30))
    assert database.ask(runs.get_run, "r").elapsed_s(now) == pytest.approx(30)
    assert database.ask(runs.get_run, TRAIN).elapsed_s(now) == pytest.approx(82)
    add(database, "q", "queued")
    assert database.ask(runs.get_run, "q").elapsed_s(now) is None


def test_unknown_run(database):
    with pytest.raises(NotFoundError, match="no run nothing"):
        database.ask(runs.get_run, "nothing")


def test_log_is_the_last_lines_oldest_first(database):
    with database.session() as session:
        session.add_all(RunLog(run_id=TRAIN, level="info", message=str(k)) for k in range(300))
    lines = database.ask(runs.fetch_log, TRAIN, last=5)
    assert [line.message for line in lines] == ["295", "296", "297", "298", "299"]


def test_curves_are_sorted_and_a_repeated_step_counts_once(database):
    before = {(c.name, c.member): c for c in database.ask(runs.fetch_curves, TRAIN)}
    assert set(before) == {
        (name, member)
        for name in ("train_loss", "validation_loss")
        for member in ("trees", "network")
    }
    assert before["train_loss", "trees"].steps == tuple(range(1, 31))
    n_metrics = database.ask(runs.count_metrics, TRAIN)
    with database.session() as session:
        session.add_all(
            RunMetric(run_id=TRAIN, member="trees", name="train_loss", step=step, value=value)
            for step, value in ((30, 7.0), (0, 9.0))
        )
    assert database.ask(runs.count_metrics, TRAIN) == n_metrics + 2
    (curve,) = [
        c
        for c in database.ask(runs.fetch_curves, TRAIN)
        if (c.name, c.member) == ("train_loss", "trees")
    ]
    assert curve.steps == tuple(range(31))
    assert (curve.values[0], curve.values[30]) == (9.0, 7.0)
