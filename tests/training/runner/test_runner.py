"""The runner with real processes: order, cancel, kill -9, resume."""

from __future__ import annotations

import os
import signal
import time

import pytest
from sqlalchemy import select
from waiting import until

from lens_triage.training import runner as jobs
from lens_triage.training.runner.lock import is_locked
from lensing_core.errors import JobError, NotFoundError
from lensing_core.store import open_database
from lensing_core.store.runs import get_run
from lensing_core.store.tables import Run, RunLog, RunMetric


def get(workspace, run_id) -> Run:
    with open_database(workspace).session() as session:
        return session.get_one(Run, run_id)


def test_a_run_reports_progress_curve_and_result(workspace, count_settings):
    run_id = jobs.submit(workspace, count_settings(n=5))
    run = jobs.wait(workspace, run_id, poll_s=0.05)
    assert (run.status, run.done, run.total, run.attempt) == ("succeeded", 5, 5, 1)
    assert run.result == {"began": 0, "n": 5}
    assert run.pid is None
    assert run.finished_at > run.started_at
    with open_database(workspace).session() as session:
        curve = session.scalars(
            select(RunMetric.value).where(RunMetric.run_id == run_id).order_by(RunMetric.step)
        ).all()
    assert curve == [1, 2, 3, 4, 5]


def test_runs_follow_one_another(workspace, count_settings):
    first = jobs.submit(workspace, count_settings(n=3))
    second = jobs.submit(workspace, count_settings(n=1), after=first)
    assert get(workspace, second).status == "queued"
    assert jobs.wait(workspace, second, poll_s=0.05).status == "succeeded"
    assert get(workspace, first).finished_at <= get(workspace, second).started_at


def test_a_failure_is_one_sentence_and_what_waits_for_it_is_cancelled(workspace, count_settings):
    first = jobs.submit(workspace, count_settings(fail_at=2))
    second = jobs.submit(workspace, count_settings(n=1), after=first)
    run = jobs.wait(workspace, second, poll_s=0.05)
    assert get(workspace, first).error == "Row 3 is bad; mend it."
    assert run.status == "cancelled"
    assert "failed" in run.error


def test_a_bug_is_recorded_with_its_traceback_in_the_log(workspace, count_settings):
    run_id = jobs.submit(workspace, count_settings(fail_at=1, fault="bug"))
    run = jobs.wait(workspace, run_id, poll_s=0.05)
    assert run.status == "failed"
    assert run.error.startswith("Unexpected ZeroDivisionError: a bug.")
    assert "\n" not in run.error
    with open_database(workspace).session() as session:
        lines = session.scalars(select(RunLog.message).where(RunLog.run_id == run_id)).all()
    assert any("Traceback" in line for line in lines)


def test_a_failed_run_resumes_where_it_stopped(workspace, count_settings):
    run_id = jobs.submit(workspace, count_settings(n=4, fail_at=2))
    assert jobs.wait(workspace, run_id, poll_s=0.05).status == "failed"
    jobs.resume(workspace, run_id)
    run = jobs.wait(workspace, run_id, poll_s=0.05)
    assert (run.status, run.attempt, run.error) == ("succeeded", 2, None)
    assert run.result == {"began": 2, "n": 4}


def test_cancel_stops_a_running_run(workspace, count_settings):
    run_id = jobs.submit(workspace, count_settings(n=10_000, pause_s=0.02))
    until(lambda: get(workspace, run_id).done > 0)
    jobs.cancel(workspace, run_id)
    run = jobs.wait(workspace, run_id, poll_s=0.05)
    assert run.status == "cancelled"
    assert 0 < run.done < 10_000
    with pytest.raises(JobError, match="nothing to cancel"):
        jobs.cancel(workspace, run_id)


def test_a_killed_process_is_seen_as_lost_and_resumes(workspace, count_settings):
    run_id = jobs.submit(workspace, count_settings(n=60, pause_s=0.05))
    until(lambda: get(workspace, run_id).done > 5 and get(workspace, run_id).pid is not None)
    os.kill(get(workspace, run_id).pid, signal.SIGKILL)

    def lost() -> bool:
        jobs.advance(workspace)
        return get(workspace, run_id).status == "lost"

    until(lost)
    assert "resume" in get(workspace, run_id).error
    jobs.resume(workspace, run_id)
    run = jobs.wait(workspace, run_id, poll_s=0.05)
    assert run.status == "succeeded"
    assert run.result["began"] > 5


def test_one_run_at_a_time(workspace, count_settings):
    ids = [jobs.submit(workspace, count_settings(n=4, pause_s=0.1)) for _ in range(3)]
    most = 0
    statuses = ["queued"]
    while {*statuses} & {"queued", "running"}:
        jobs.advance(workspace)
        statuses = [get(workspace, run_id).status for run_id in ids]
        most = max(most, statuses.count("running"))
        time.sleep(0.02)
    assert most == 1
    assert statuses == ["succeeded"] * 3


def test_a_queued_run_is_cancelled_at_once_and_unknown_runs_are_said(workspace, count_settings):
    first = jobs.submit(workspace, count_settings(n=50, pause_s=0.05))
    second = jobs.submit(workspace, count_settings(n=1))
    jobs.cancel(workspace, second)
    assert get(workspace, second).status == "cancelled"
    jobs.cancel(workspace, first)
    jobs.wait(workspace, first, poll_s=0.05)
    with pytest.raises(JobError, match="only a stopped run"):
        jobs.resume(workspace, jobs.submit(workspace, count_settings(n=1)))
    with pytest.raises(NotFoundError, match="no run nope"):
        jobs.cancel(workspace, "nope")
    with pytest.raises(NotFoundError, match="no run nope"):
        jobs.submit(workspace, count_settings(), after="nope")


@pytest.mark.parametrize(
    ("fault", "failure", "resumable", "words"),
    [
        ("input", "input", True, "Row 3 is bad"),
        ("contract", "settings", False, "Bands do not fit"),
        ("full", "machine", True, "no space is left on its disk; free some, then try again."),
        ("bug", "bug", True, "Unexpected ZeroDivisionError"),
    ],
)
def test_a_run_says_why_it_failed_and_whether_resuming_can_help(
    workspace, count_settings, fault, failure, resumable, words
):
    run_id = jobs.submit(workspace, count_settings(fail_at=1, fault=fault))
    jobs.wait(workspace, run_id, poll_s=0.05)
    run = open_database(workspace).ask(get_run, run_id)
    assert (run.status, run.failure, run.resumable) == ("failed", failure, resumable)
    assert words in run.error
    assert "\n" not in run.error


def test_a_process_that_cannot_begin_leaves_its_last_words(workspace, count_settings, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(workspace.cache))
    (workspace.cache / "sitecustomize.py").write_text(
        "import os; os.write(2, b'ImportError: libfoo is gone\\n'); os._exit(1)"
    )
    run_id = jobs.submit(workspace, count_settings(n=1))
    run = jobs.wait(workspace, run_id, poll_s=0.05)
    assert run.status == "lost"
    assert "libfoo is gone" in run.error
    assert "out of memory" not in run.error


def test_a_program_that_cannot_be_started_fails_the_run(workspace, count_settings, monkeypatch):
    monkeypatch.setattr("sys.executable", "/nonexistent/python")
    run_id = jobs.submit(workspace, count_settings(n=1))
    run = jobs.wait(workspace, run_id, poll_s=0.05)
    assert (run.status, run.failure) == ("failed", "machine")
    assert "/nonexistent/python: there is no such file" in run.error
    assert not is_locked(workspace, run_id)
