"""Queueing, starting, cancelling and resuming runs, and noticing the dead."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from lens_triage.training.checks import check_run
from lens_triage.training.runner.context import HEARTBEAT_S
from lens_triage.training.runner.lock import is_locked, lock_path, try_lock
from lens_triage.training.runner.output import MARK, OUTPUT, last_words
from lens_triage.training.settings import RunSettings
from lensing_core.errors import JobError
from lensing_core.store import Session, open_database
from lensing_core.store.failures import describe
from lensing_core.store.run_locks import is_locked_in_database
from lensing_core.store.run_queue import (
    add_log,
    add_run,
    cancel_orphans,
    claim_run,
    count_running,
    end_lost_run,
    find_run,
    record_start,
    running_runs,
    startable_runs,
)
from lensing_core.store.tables import Run, utc_now
from lensing_core.workspace import Workspace

MAX_RUNNING = 1
_SILENCE_S = 15 * HEARTBEAT_S
FINAL = ("succeeded", "failed", "cancelled", "lost")


def submit(workspace: Workspace, settings: RunSettings, *, after: str | None = None) -> str:
    """Queue a run and start it if nothing else runs; return its id.

    Parameters
    ----------
    after : str, optional
        Id of a run that must succeed first.

    Raises
    ------
    LensTriageError
        If the run cannot succeed, see :func:`lens_triage.training.checks.check_run`.
    """
    settings.check()
    if after is None:  # else what the run needs may not be there yet; its worker asks
        check_run(workspace, settings)
    run_id = f"{utc_now():%Y%m%d-%H%M%S}-{settings.kind}-{uuid4().hex[:6]}"
    with open_database(workspace).session() as session:
        if after is not None:
            find_run(session, after)
        add_run(
            session,
            Run(
                id=run_id,
                kind=settings.kind,
                title=settings.title(),
                settings=settings.to_json(),
                after_run_id=after,
            ),
        )
    advance(workspace)
    return run_id


def advance(workspace: Workspace) -> bool:
    """Mark runs without a worker as lost, fail what waits for a failed run, start what may start.

    Cheap; the server calls it every few seconds, and every worker when it ends.

    Returns
    -------
    bool
        Whether a run is under way or may soon start, so that there is something to look after.
    """
    with open_database(workspace).session() as session:
        _find_lost(workspace, session)
        cancel_orphans(session)
    while (claimed := _claim(workspace)) is not None:
        _launch(workspace, *claimed)
    with open_database(workspace).session() as session:
        return bool(count_running(session) or startable_runs(session))


def _alive(workspace: Workspace, session: Session, run: Run) -> bool:
    """Return whether a worker holds the run's lock; of another machine's run, whether it was heard
    of.
    """
    if is_locked(workspace, run.id):
        return True
    if run.host == socket.gethostname():
        return _is_of_older_version(workspace, run)
    return is_locked_in_database(session, run.id) or _heard_lately(run)


def _is_of_older_version(workspace: Workspace, run: Run) -> bool:
    """Return whether a process of a version that made no locks still does the run."""
    if run.pid is None or lock_path(workspace, run.id).exists():
        return False
    try:
        words = Path(f"/proc/{run.pid}/cmdline").read_bytes().split(b"\0")
    except OSError:  # it has ended, or this system does not say
        return False
    return run.id.encode() in words


_heard: dict[str, tuple[datetime | None, float]] = {}


def _heard_lately(run: Run) -> bool:
    """Return whether the heartbeat of a run moved while this process looked; its value is not
    trusted.

    Clocks of two machines differ, and are set: only a heartbeat that has stood still for
    :data:`_SILENCE_S` by this process's own stopwatch is silent.
    """
    now = time.monotonic()
    last, since = _heard.get(run.id, (None, now))
    if last != run.heartbeat_at or run.id not in _heard:
        since = now
    _heard[run.id] = (run.heartbeat_at, since)
    return now - since < _SILENCE_S


def _find_lost(workspace: Workspace, session: Session) -> None:
    for run in running_runs(session):
        if _alive(workspace, session, run):
            continue
        _heard.pop(run.id, None)
        end_lost_run(session, run, _lost_message(workspace, run.id))


def _lost_message(workspace: Workspace, run_id: str) -> str:
    words = last_words(workspace.runs / run_id / OUTPUT)
    if words:
        return f"The process ended early: {words} (runs/{run_id}/{OUTPUT}). Resume it to go on."
    return (
        "The process ended without an error message (killed, out of memory, or the machine "
        "restarted); "
        "resume it to go on."
    )


def _claim(workspace: Workspace) -> tuple[str, int, int] | None:
    """Take the oldest run that may start: its id, its attempt, and its lock.

    Two processes never take the same one, and none is taken while a worker still holds its lock.
    """
    with open_database(workspace).session() as session:
        if count_running(session) >= MAX_RUNNING:
            return None
        waiting = startable_runs(session)
    for run_id in waiting:
        lock = try_lock(workspace, run_id)
        if lock is None:
            continue
        try:
            with open_database(workspace).session() as session:
                attempt = claim_run(session, run_id, most_running=MAX_RUNNING)
        except BaseException:
            os.close(lock)
            raise
        if attempt is not None:
            return run_id, attempt, lock
        os.close(lock)
    return None


def _launch(workspace: Workspace, run_id: str, attempt: int, lock: int) -> None:
    """Start the worker of a claimed run and hand its lock on."""
    try:
        with (workspace.runs / run_id / OUTPUT).open("ab") as output:
            output.write(f"{MARK} attempt {attempt} {MARK}\n".encode())
            output.flush()
            pid = start_process(workspace, run_id, lock, output)
        values: dict[str, Any] = {"pid": pid}
    except OSError as error:
        values = {
            "status": "failed",
            "error": f"Its process could not be started: {describe(error)}",
            "failure": "machine",
            "finished_at": utc_now(),
        }
    finally:
        os.close(lock)
    with open_database(workspace).session() as session:
        record_start(session, run_id, attempt, **values)


def start_process(workspace: Workspace, run_id: str, lock: int, output: IO[bytes]) -> int:
    """Start the worker of a run, which holds the run's lock and prints to ``output``.

    Returns
    -------
    int
        Its process id.
    """
    process = subprocess.Popen(  # noqa: S603 - our own module, arguments as a list, no shell
        [
            sys.executable,
            "-m",
            "lens_triage.training.runner.worker",
            str(workspace.root),
            run_id,
            str(lock),
        ],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},  # idle threads free the cores
        start_new_session=True,  # lives on when the server stops
        pass_fds=(lock,),
    )
    return process.pid


def cancel(workspace: Workspace, run_id: str) -> None:
    """Ask a run to stop; a queued run stops at once, a running one at its next step."""
    with open_database(workspace).session() as session:
        run = find_run(session, run_id)
        if run.status == "queued":
            run.status, run.finished_at = "cancelled", utc_now()
        elif run.status == "running":
            run.cancel_requested = True
            add_log(session, run_id, "Cancel requested.", "warning")
        else:
            raise JobError(f"Run {run_id} has {run.status} already; there is nothing to cancel.")
    advance(workspace)


def resume(workspace: Workspace, run_id: str) -> None:
    """Queue a cancelled, failed or lost run again; it goes on from what it had written."""
    with open_database(workspace).session() as session:
        run = find_run(session, run_id)
        if run.status not in ("cancelled", "failed", "lost"):
            raise JobError(f"Run {run_id} is {run.status}; only a stopped run can be resumed.")
        run.status, run.cancel_requested = "queued", False
        run.error = run.failure = run.finished_at = None
    advance(workspace)


def wait(workspace: Workspace, run_id: str, *, poll_s: float = 0.5, report: Any = None) -> Run:
    """Block until a run has ended; ``report(run)`` is called at each look."""
    while True:
        advance(workspace)
        with open_database(workspace).session() as session:
            run = find_run(session, run_id)
        if report is not None:
            report(run)
        if run.status in FINAL:
            return run
        time.sleep(poll_s)
