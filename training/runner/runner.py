"""Queueing, starting, cancelling and resuming runs, and noticing the dead."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psutil
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, aliased

from lensing_core.errors import JobError, NotFoundError
from lensing_core.store import open_database
from lensing_core.store.tables import Run, RunLog, utc_now
from lensing_core.workspace import Workspace
from training.runner.context import HEARTBEAT_S
from training.settings import RunSettings

MAX_RUNNING = 1
_SILENCE = timedelta(seconds=15 * HEARTBEAT_S)
FINAL = ("succeeded", "failed", "cancelled", "lost")


def submit(workspace: Workspace, settings: RunSettings, *, after: str | None = None) -> str:
    """Queue a run and start it if nothing else runs; return its id.

    Parameters
    ----------
    after : str, optional
        Id of a run that must succeed first.
    """
    settings.check()
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
    """Mark dead processes as lost, fail what waits for a failed run, start what may start.

    Cheap; the server calls it every few seconds, and every worker when it ends.
    """
    with open_database(workspace).session() as session:
        _find_lost(session)
        _fail_orphans(session)
    while (run_id := _claim(workspace)) is not None:
        _launch(workspace, run_id)


def _alive(run: Run) -> bool:
    """Whether the run's process lives (here), or was heard of lately (another machine)."""
    if run.host != socket.gethostname():
        return run.heartbeat_at is not None and utc_now() - run.heartbeat_at < _SILENCE
    if run.pid is None:  # claimed a moment ago, not yet launched
        return run.heartbeat_at is not None and utc_now() - run.heartbeat_at < _SILENCE
    try:
        process = psutil.Process(run.pid)
        return (
            process.status() != psutil.STATUS_ZOMBIE
            and abs(process.create_time() - (run.process_started or 0)) < 2
        )
    except psutil.NoSuchProcess:
        return False


def _find_lost(session: Session) -> None:
    for run in session.scalars(select(Run).where(Run.status == "running")):
        if not _alive(run):
            run.status = "cancelled" if run.cancel_requested else "lost"
            run.error = (
                None
                if run.cancel_requested
                else (
                    "The process ended without a word (killed, out of memory, or the machine "
                    "restarted); resume it to go on."
                )
            )
            run.finished_at = utc_now()
            run.pid = run.process_started = None


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


def _claim(workspace: Workspace) -> str | None:
    """Take the oldest run that may start; two processes never take the same one."""
    before = aliased(Run)
    with open_database(workspace).session() as session:
        running = select(func.count()).where(Run.status == "running").scalar_subquery()
        ready = (
            select(Run.id)
            .outerjoin(before, Run.after_run_id == before.id)
            .where(
                Run.status == "queued",
                (Run.after_run_id.is_(None)) | (before.status == "succeeded"),
            )
            .order_by(Run.created_at, Run.id)
            .limit(1)
            .scalar_subquery()
        )
        run_id = session.scalar(
            update(Run)
            .where(Run.id == ready, Run.status == "queued", running < MAX_RUNNING)
            .values(status="running", attempt=Run.attempt + 1)
            .returning(Run.id)
            .execution_options(synchronize_session=False)
        )
        if run_id is not None:
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
                    pid=None,
                )
            )
        return run_id


def _launch(workspace: Workspace, run_id: str) -> None:
    folder = workspace.runs / run_id
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "output.log").open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own module, arguments as a list, no shell
            [sys.executable, "-m", "training.runner.worker", str(workspace.root), run_id],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},  # idle threads leave the cores free
            start_new_session=True,  # lives on when the server stops
        )
    started = psutil.Process(process.pid).create_time()
    with open_database(workspace).session() as session:
        session.execute(
            update(Run)
            .where(Run.id == run_id, Run.status == "running")
            .values(pid=process.pid, process_started=started)
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
        run.status, run.cancel_requested, run.error = "queued", False, None
        run.finished_at = None
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
