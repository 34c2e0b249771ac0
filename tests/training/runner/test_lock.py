"""One worker a run: whatever clocks say, whoever starts another, whichever machine looks."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
from datetime import timedelta

import psutil
import pytest
from sqlalchemy import select, update
from waiting import until

from lens_triage.training import runner as jobs
from lens_triage.training.runner import runner
from lens_triage.training.runner.lock import is_locked, lock_path, try_lock, worker_lock
from lensing_core.store import open_database, run_queue
from lensing_core.store.runs import get_run
from lensing_core.store.tables import Run, RunMetric, utc_now


def of(workspace, run_id):
    return open_database(workspace).ask(get_run, run_id)


@pytest.fixture
def counting(workspace, count_settings):
    """A run that counts slowly; ended after the test, if it lives."""
    run_id = jobs.submit(workspace, count_settings(n=60, pause_s=0.03))
    until(lambda: of(workspace, run_id).done > 2)
    yield run_id
    if of(workspace, run_id).status == "running":
        jobs.cancel(workspace, run_id)
        jobs.wait(workspace, run_id, poll_s=0.05)


def test_a_step_of_the_clock_leaves_a_live_run_alone(workspace, counting, monkeypatch):
    told = psutil.Process.create_time
    for step_s in (5, -5, 86_400, -86_400):
        with monkeypatch.context() as patch:
            stepped = timedelta(seconds=step_s)
            for module in (runner, run_queue):
                patch.setattr(module, "utc_now", lambda by=stepped: utc_now() + by)
            patch.setattr(psutil.Process, "create_time", lambda p, by=step_s: told(p) + by)
            jobs.advance(workspace)
        assert of(workspace, counting).status == "running"


def test_a_second_worker_ends_without_touching_the_run(workspace, counting):
    program = [
        sys.executable,
        "-m",
        "lens_triage.training.runner.worker",
        str(workspace.root),
        counting,
    ]
    hold = workspace.runs / counting / "hold"
    hold.touch()  # the first cannot end before the second has looked
    second = subprocess.run(program, capture_output=True, text=True, check=False)
    hold.unlink()
    assert second.returncode == 1
    assert "Another worker does run" in second.stderr
    assert of(workspace, counting).status in ("running", "succeeded")
    assert jobs.wait(workspace, counting, poll_s=0.05).status == "succeeded"
    assert steps(workspace, counting) == list(range(1, 61))


def test_a_run_that_was_called_lost_by_mistake_is_never_done_twice(workspace, counting):
    with open_database(workspace).session() as session:
        session.execute(update(Run).values(status="lost"))
    jobs.resume(workspace, counting)
    assert of(workspace, counting).status == "queued"  # its worker lives
    assert of(workspace, counting).attempt == 1
    until(lambda: not is_locked(workspace, counting))
    jobs.wait(workspace, counting, poll_s=0.05)
    assert steps(workspace, counting) == list(range(1, 61))


def steps(workspace, run_id) -> list[int]:
    with open_database(workspace).session() as session:
        found = select(RunMetric.step).where(RunMetric.run_id == run_id).order_by(RunMetric.id)
        return list(session.scalars(found))


def test_a_killed_worker_frees_the_lock_and_the_end_it_had_written_stays(workspace, counting):
    with open_database(workspace).session() as session:
        pid = session.get_one(Run, counting).pid
    os.kill(pid, signal.SIGKILL)
    until(lambda: not is_locked(workspace, counting))
    jobs.advance(workspace)
    assert of(workspace, counting).status == "lost"
    with open_database(workspace).session() as session:
        session.execute(update(Run).values(status="succeeded"))
    jobs.advance(workspace)
    assert of(workspace, counting).status == "succeeded"


def test_looks_at_a_lock_never_keep_a_worker_out(workspace):
    os.close(try_lock(workspace, "r1"))
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            is_locked(workspace, "r1")

    looking = [threading.Thread(target=look) for _ in range(4)]
    for thread in looking:
        thread.start()
    try:
        for _ in range(50):
            with worker_lock(workspace, "r1") as held:
                assert held
    finally:
        stop.set()
        for thread in looking:
            thread.join()


def test_the_lock_of_another_file_is_no_right_to_a_run(workspace):
    other = try_lock(workspace, "other")
    with worker_lock(workspace, "r1", other) as held:
        assert not held
    own = try_lock(workspace, "r1")
    assert try_lock(workspace, "r1") is None
    with worker_lock(workspace, "r1", own) as held:
        assert held
        assert not os.get_inheritable(own)
    assert not is_locked(workspace, "r1")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_run_that_an_older_version_began_lives_as_long_as_its_process(workspace):
    program = [sys.executable, "-c", "import time; time.sleep(60)", str(workspace.root), "old"]
    with subprocess.Popen(program) as process:
        row = {"kind": "count", "title": "", "settings": {}, "status": "running", "attempt": 1}
        with open_database(workspace).session() as session:
            session.add(Run(id="old", host=socket.gethostname(), pid=process.pid, **row))
            session.add(Run(id="other", host=socket.gethostname(), pid=process.pid, **row))
        jobs.advance(workspace)
        assert of(workspace, "old").status == "running"  # there was no lock to hold
        assert of(workspace, "other").status == "lost"  # another process has its number now
        process.kill()
    jobs.advance(workspace)
    assert of(workspace, "old").status == "lost"


def test_a_run_of_another_machine_is_lost_once_its_heartbeat_stands_still(workspace, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(runner.time, "monotonic", lambda: now[0])
    with open_database(workspace).session() as session:
        session.add(
            Run(id="far", kind="count", title="", settings={}, status="running", host="elsewhere",
                heartbeat_at=utc_now() - timedelta(days=1), attempt=1)
        )  # fmt: skip

    def status_after(seconds: float) -> str:
        now[0] += seconds
        jobs.advance(workspace)
        return of(workspace, "far").status

    assert status_after(0) == "running"  # its clock is a day behind ours
    assert status_after(29) == "running"
    with open_database(workspace).session() as session:
        session.execute(update(Run).values(heartbeat_at=utc_now() - timedelta(hours=23)))
    assert status_after(29) == "running"
    assert status_after(29) == "running"
    assert status_after(2) == "lost"


def test_a_run_of_another_machine_on_a_shared_folder_lives_while_its_lock_is_held(workspace):
    with open_database(workspace).session() as session:
        session.add(
            Run(id="far", kind="count", title="", settings={}, status="running", host="elsewhere",
                attempt=1)
        )  # fmt: skip
    lock_path(workspace, "far").parent.mkdir()
    with lock_path(workspace, "far").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        runner._heard["far"] = (None, -1e9)
        jobs.advance(workspace)
        assert of(workspace, "far").status == "running"
    jobs.advance(workspace)
    assert of(workspace, "far").status == "lost"


def test_an_attempt_that_was_begun_again_elsewhere_stops(workspace, make_context, count_settings):
    context = make_context(count_settings(n=3))
    context.progress(1, 3, "Counting")
    with open_database(workspace).session() as session:
        session.execute(update(Run).values(attempt=context.attempt + 1))
    with pytest.raises(jobs.Superseded):
        context.progress(2, 3, "Counting again")
    assert of(workspace, context.run_id).done == 1
