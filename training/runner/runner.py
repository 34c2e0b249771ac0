"""Queueing, starting, cancelling and resuming runs, and noticing the dead."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, aliased

from lens_triage.training.checks import check_run
from lens_triage.training.runner.context import HEARTBEAT_S
from lens_triage.training.runner.lock import is_locked, lock_path, try_lock
from lens_triage.training.runner.output import MARK, OUTPUT, last_words
from lens_triage.training.settings import RunSettings
from lensing_core.errors import JobError, NotFoundError
from lensing_core.store import open_database
from lensing_core.store.failures import describe
from lensing_core.store.run_locks import is_locked_in_database, take_turn_to_claim
from lensing_core.store.tables import Run, RunLog, utc_now
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
        if after is not None and session.get(Run, after) is None:
            raise NotFoundError(f"There is no run {after}.")
        session.add(
            Run(
                id=run_id,
                kind=settings.kind,
                title=settings.title(),
                settings=settings.to_json(),
                after_run_id=after,
            )
        )
    advance(workspace)
    return run_id


def advance(workspace: Workspace) -> None:
    """Mark runs without a worker as lost, fail what waits for a failed run, start what may start.

    Cheap; the server calls it every few seconds, and every worker when it ends.
    """
    with open_database(workspace).session() as session:
        _find_lost(workspace, session)
        _fail_orphans(session)
    while (claimed := _claim(workspace)) is not None:
        _launch(workspace, *claimed)


def _alive(workspace: Workspace, session: Session, run: Run) -> bool:
    """Whether a worker holds the run's lock; of another machine's run, whether it was heard of."""
    if is_locked(workspace, run.id):
        return True
    if run.host == socket.gethostname():
        return _is_of_older_version(workspace, run)
    return is_locked_in_database(session, run.id) or _heard_lately(run)


def _is_of_older_version(workspace: Workspace, run: Run) -> bool:
    """Whether a process of a version that made no locks still does the run."""
    if run.pid is None or lock_path(workspace, run.id).exists():
        return False
    try:
        words = Path(f"/proc/{run.pid}/cmdline").read_bytes().split(b"\0")
    except OSError:  # it has ended, or this system does not say
        return False
    return run.id.encode() in words


_heard: dict[str, tuple[datetime | None, float]] = {}


def _heard_lately(run: Run) -> bool:
    """Whether the heartbeat of a run moved while this process looked; its value is not trusted.

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
    for run in session.scalars(select(Run).where(Run.status == "running")):
        if _alive(workspace, session, run):
            continue
        _heard.pop(run.id, None)
        lost = not run.cancel_requested
        # A worker writes its end before it lets go of the lock, and another attempt may have begun
        # since the row was read: what is no longer so is left alone.
        session.execute(
            update(Run)
            .where(Run.id == run.id, Run.status == "running", Run.attempt == run.attempt)
            .values(
                status="lost" if lost else "cancelled",
                error=_lost_message(workspace, run.id) if lost else None,
                finished_at=utc_now(),
                pid=None,
            )
            .execution_options(synchronize_session=False)
        )


def _lost_message(workspace: Workspace, run_id: str) -> str:
    words = last_words(workspace.runs / run_id / OUTPUT)
    if words:
        return f"The process ended early: {words} (runs/{run_id}/{OUTPUT}). Resume it to go on."
    return (
        "The process ended without a word (killed, out of memory, or the machine restarted); "
        "resume it to go on."
    )


def _fail_orphans(session: Session) -> None:
    before = aliased(Run)
    waiting = session.execute(
        select(Run, before)
        .join(before, Run.after_run_id == before.id)
        .where(Run.status == "queued", before.status.in_(("failed", "cancelled", "lost")))
    )
    for run, earlier in waiting:
        run.status = "cancelled"
        run.error = f"It waited for {earlier.title!r}, which {earlier.status}."
        run.finished_at = utc_now()


def _claim(workspace: Workspace) -> tuple[str, int, int] | None:
    """Take the oldest run that may start: its id, its attempt, and its lock.

    Two processes never take the same one, and none is taken while a worker still holds its lock.
    """
    before = aliased(Run)
    ready = (
        select(Run.id)
        .outerjoin(before, Run.after_run_id == before.id)
        .where(
            Run.status == "queued", (Run.after_run_id.is_(None)) | (before.status == "succeeded")
        )
        .order_by(Run.created_at, Run.id)
    )
    with open_database(workspace).session() as session:
        if _count_running(session) >= MAX_RUNNING:
            return None
        waiting = session.scalars(ready).all()
    for run_id in waiting:
        lock = try_lock(workspace, run_id)
        if lock is None:
            continue
        try:
            attempt = _claim_one(workspace, run_id)
        except BaseException:
            os.close(lock)
            raise
        if attempt is not None:
            return run_id, attempt, lock
        os.close(lock)
    return None


def _count_running(session: Session) -> int:
    running = select(func.count()).select_from(Run).where(Run.status == "running")
    return session.scalar(running) or 0


def _claim_one(workspace: Workspace, run_id: str) -> int | None:
    """Mark a queued run as running, unless enough run by now; return its attempt."""
    running = select(func.count()).where(Run.status == "running").scalar_subquery()
    with open_database(workspace).session() as session:
        take_turn_to_claim(session)
        attempt = session.scalar(
            update(Run)
            .where(Run.id == run_id, Run.status == "queued", running < MAX_RUNNING)
            .values(status="running", attempt=Run.attempt + 1)
            .returning(Run.attempt)
            .execution_options(synchronize_session=False)
        )
        if attempt is None:
            return None
        # The clock is read after the claim, which may have waited for another process's write:
        # a run never starts before the one that it follows has ended.
        now = utc_now()
        session.execute(
            update(Run)
            .where(Run.id == run_id)
            .values(
                started_at=now,
                heartbeat_at=now,
                host=socket.gethostname(),
                finished_at=None,
                error=None,
                failure=None,
                pid=None,
            )
        )
        return int(attempt)


def _launch(workspace: Workspace, run_id: str, attempt: int, lock: int) -> None:
    """Start the worker of a claimed run and hand its lock on."""
    try:
        with (workspace.runs / run_id / OUTPUT).open("ab") as output:
            output.write(f"{MARK} attempt {attempt} {MARK}\n".encode())
            output.flush()
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
        values: dict[str, Any] = {"pid": process.pid}
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
        session.execute(
            update(Run)
            .where(Run.id == run_id, Run.status == "running", Run.attempt == attempt)
            .values(**values)
        )


def cancel(workspace: Workspace, run_id: str) -> None:
    """Ask a run to stop; a queued run stops at once, a running one at its next step."""
    with open_database(workspace).session() as session:
        run = _get(session, run_id)
        if run.status == "queued":
            run.status, run.finished_at = "cancelled", utc_now()
        elif run.status == "running":
            run.cancel_requested = True
            session.add(RunLog(run_id=run_id, level="warning", message="Cancel requested."))
        else:
            raise JobError(f"Run {run_id} has {run.status} already; there is nothing to cancel.")
    advance(workspace)


def resume(workspace: Workspace, run_id: str) -> None:
    """Queue a cancelled, failed or lost run again; it goes on from what it had written."""
    with open_database(workspace).session() as session:
        run = _get(session, run_id)
        if run.status not in ("cancelled", "failed", "lost"):
            raise JobError(f"Run {run_id} is {run.status}; only a stopped run can be resumed.")
        run.status, run.cancel_requested = "queued", False
        run.error = run.failure = run.finished_at = None
    advance(workspace)


def _get(session: Session, run_id: str) -> Run:
    run = session.get(Run, run_id)
    if run is None:
        raise NotFoundError(f"There is no run {run_id}.")
    return run


def wait(workspace: Workspace, run_id: str, *, poll_s: float = 0.5, report: Any = None) -> Run:
    """Block until a run has ended; ``report(run)`` is called at each look."""
    while True:
        advance(workspace)
        with open_database(workspace).session() as session:
            run = _get(session, run_id)
        if report is not None:
            report(run)
        if run.status in FINAL:
            return run
        time.sleep(poll_s)
