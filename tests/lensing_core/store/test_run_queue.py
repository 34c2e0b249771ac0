"""The queue of runs: what may start, who claims it, and what a superseded attempt may write."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lensing_core.errors import NotFoundError
from lensing_core.store import open_database, run_queue
from lensing_core.store.run_locks import is_locked_in_database, lock_in_database
from lensing_core.store.runs import fetch_curves, fetch_log
from lensing_core.store.tables import Run, utc_now

ON_BOTH_DATABASES = True


@pytest.fixture
def database(workspace):
    return open_database(workspace)


@pytest.fixture
def add(database):
    """A function that adds a run; each is a minute younger than the one before."""
    ages = iter(range(60, 0, -1))

    def new(run_id: str, status: str = "queued", **columns) -> None:
        row = {"kind": "score", "title": run_id.title(), "settings": {}, **columns}
        created_at = utc_now() - timedelta(minutes=next(ages))
        with database.session() as session:
            run_queue.add_run(session, Run(id=run_id, status=status, created_at=created_at, **row))

    return new


def of(database, run_id: str) -> Run:
    return database.ask(run_queue.find_run, run_id)


def startable(database) -> list[str]:
    return list(database.ask(run_queue.startable_runs))


def claim(database, run_id: str, most_running: int = 1) -> int | None:
    with database.session() as session:
        return run_queue.claim_run(session, run_id, most_running=most_running)


def test_queued_runs_start_in_order_and_after_what_they_wait_for(database, add):
    add("train")
    add("score", after_run_id="train")
    add("import")
    assert startable(database) == ["train", "import"]
    assert claim(database, "train") == 1
    assert startable(database) == ["import"]
    with database.session() as session:
        run_queue.record_end(session, "train", 1, status="succeeded")
    assert startable(database) == ["score", "import"]


def test_a_run_is_claimed_once_and_no_more_run_than_may(database, add):
    add("first", finished_at=utc_now(), error="It broke.", failure="bug", pid=7, attempt=2)
    add("second")
    assert claim(database, "first") == 3
    assert claim(database, "first", most_running=9) is None
    assert claim(database, "second") is None
    assert database.ask(run_queue.count_running) == 1
    assert claim(database, "second", most_running=2) == 1
    assert [run.id for run in database.ask(run_queue.running_runs)] == ["first", "second"]
    claimed = of(database, "first")
    assert claimed.started_at == claimed.heartbeat_at is not None
    assert claimed.host
    past = ("finished_at", "error", "failure", "pid")
    assert [getattr(claimed, name) for name in past] == [None] * 4


@pytest.mark.sqlite
def test_runs_are_found_by_kind_status_and_the_beginning_of_their_id(database, add):
    add("20260101-a_b", "succeeded")
    add("20260101-axb")
    add("20260102-c", kind="train")
    found = database.ask(run_queue.runs_of_kind, "score")
    assert [run.id for run in found] == ["20260101-axb", "20260101-a_b"]
    (only,) = database.ask(run_queue.runs_of_kind, "score", status="succeeded", limit=3)
    assert only.id == "20260101-a_b"
    begin = run_queue.runs_beginning_with
    assert database.ask(begin, "20260101-a_", limit=5) == ["20260101-a_b"]
    assert len(database.ask(begin, "2026", limit=2)) == 2
    with pytest.raises(NotFoundError, match="no run absent"):
        of(database, "absent")


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("cancel", "status", "error"), [(False, "lost", "It is gone."), (True, "cancelled", None)]
)
def test_a_run_without_a_worker_is_lost_or_cancelled(database, add, cancel, status, error):
    add("r", "running", attempt=1, cancel_requested=cancel, pid=5)
    with database.session() as session:
        run_queue.end_lost_run(session, run_queue.find_run(session, "r"), "It is gone.")
    ended = of(database, "r")
    assert (ended.status, ended.error, ended.pid) == (status, error, None)
    assert ended.finished_at is not None


@pytest.mark.sqlite
def test_a_run_that_was_begun_again_is_not_called_lost(database, add):
    add("r", "running", attempt=1)
    seen = of(database, "r")
    with database.session() as session:
        run_queue.find_run(session, "r").attempt = 2
    with database.session() as session:
        run_queue.end_lost_run(session, seen, "It is gone.")
    assert of(database, "r").status == "running"


@pytest.mark.sqlite
@pytest.mark.parametrize("ended", ["failed", "cancelled", "lost"])
def test_what_waits_for_a_run_without_success_is_cancelled(database, add, ended):
    add("train", ended)
    add("score", after_run_id="train")
    add("rank", after_run_id="score")
    add("import")
    with database.session() as session:
        run_queue.cancel_orphans(session)
    assert of(database, "score").error == f"It waited for 'Train', which {ended}."
    assert [of(database, name).status for name in ("score", "import")] == ["cancelled", "queued"]


def test_a_superseded_attempt_writes_nothing(database, add):
    add("r", "running", attempt=2)
    with database.session() as session:
        run_queue.record_start(session, "r", 1, pid=11)
        run_queue.record_end(session, "r", 1, status="failed", log=("error", "Too late."))
        assert run_queue.record_heartbeat(session, "r", 1, done=40) is None
    run = of(database, "r")
    assert (run.pid, run.status, run.done) == (None, "running", 0)
    assert database.ask(fetch_log, "r", last=5) == []


@pytest.mark.sqlite
def test_the_present_attempt_writes_progress_log_curve_and_end(database, add):
    add("r", "running", attempt=2)
    with database.session() as session:
        run_queue.record_start(session, "r", 2, pid=12)
        assert run_queue.record_heartbeat(session, "r", 2, done=4, total=9) is False
        run_queue.find_run(session, "r").cancel_requested = True
    with database.session() as session:
        assert run_queue.record_heartbeat(session, "r", 2, activity="Scoring") is True
        run_queue.add_metric(session, "r", "loss", 0.5, 3, "trees")
        run_queue.add_log(session, "r", "Half is done.")
    run = of(database, "r")
    assert (run.pid, run.done, run.total, run.activity) == (12, 4, 9, "Scoring")
    with database.session() as session:
        run_queue.record_end(session, "r", 2, status="succeeded", log=("warning", "Few lenses."))
    ended = of(database, "r")
    assert (ended.status, ended.pid) == ("succeeded", None)
    assert ended.finished_at >= run.heartbeat_at
    lines = database.ask(fetch_log, "r", last=5)
    told = [(line.level, line.message) for line in lines]
    assert told == [("info", "Half is done."), ("warning", "Few lenses.")]
    (curve,) = database.ask(fetch_curves, "r")
    assert (curve.member, curve.steps, curve.values) == ("trees", (3,), (0.5,))


def test_one_worker_holds_a_runs_lock_on_a_shared_server(database):
    shared = database.engine.dialect.name == "postgresql"
    with lock_in_database(database, "r") as is_first:
        assert is_first
        assert database.ask(is_locked_in_database, "r") is shared
        assert not database.ask(is_locked_in_database, "other")
        with lock_in_database(database, "r") as is_second:
            assert is_second is not shared  # SQLite: the lock of the file decides
        with lock_in_database(database, "other") as is_free:
            assert is_free
    with lock_in_database(database, "r") as is_free:
        assert is_free
