"""Runs as the runner sees them: queued, claimed, heard of and ended; claims are safe."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, aliased

from lensing_core.errors import NotFoundError
from lensing_core.store.run_locks import take_turn_to_claim
from lensing_core.store.tables import Run, RunLog, RunMetric, utc_now


def add_run(session: Session, run: Run) -> None:
    """Add a run to the queue."""
    session.add(run)


def find_run(session: Session, run_id: str) -> Run:
    """Return the run of an id; raises NotFoundError."""
    run = session.get(Run, run_id)
    if run is None:
        raise NotFoundError(f"There is no run {run_id}.")
    return run


def runs_beginning_with(session: Session, beginning: str, *, limit: int) -> list[str]:
    """Return the ids of at most ``limit`` runs whose id begins so."""
    matches = Run.id.startswith(beginning, autoescape=True)
    return list(session.scalars(select(Run.id).where(matches).limit(limit)))


def runs_of_kind(
    session: Session, kind: str, *, status: str = "", limit: int | None = None
) -> list[Run]:
    """Return the runs of a kind, the newest first.

    Parameters
    ----------
    status : str, optional
        One of :data:`~lensing_core.store.tables.RUN_STATES`; '' for all.
    """
    statement = select(Run).where(Run.kind == kind).order_by(Run.created_at.desc()).limit(limit)
    if status:
        statement = statement.where(Run.status == status)
    return list(session.scalars(statement))


def running_runs(session: Session) -> list[Run]:
    """Return the runs that are marked as running, whether or not their worker lives."""
    return list(session.scalars(select(Run).where(Run.status == "running")))


def count_running(session: Session) -> int:
    """Number of runs that are marked as running."""
    running = select(func.count()).select_from(Run).where(Run.status == "running")
    return session.scalar(running) or 0


def startable_runs(session: Session) -> Sequence[str]:
    """Return the ids of queued runs that wait for no other, in the order in which they start."""
    before = aliased(Run)
    return session.scalars(
        select(Run.id)
        .outerjoin(before, Run.after_run_id == before.id)
        .where(
            Run.status == "queued", (Run.after_run_id.is_(None)) | (before.status == "succeeded")
        )
        .order_by(Run.created_at, Run.id)
    ).all()


def claim_run(session: Session, run_id: str, *, most_running: int) -> int | None:
    """Mark a queued run as running here; return its attempt, None where it may not start.

    Two processes never claim the same run, and never more than ``most_running`` run.
    """
    running = select(func.count()).where(Run.status == "running").scalar_subquery()
    take_turn_to_claim(session)
    attempt = session.scalar(
        update(Run)
        .where(Run.id == run_id, Run.status == "queued", running < most_running)
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


def end_lost_run(session: Session, run: Run, error: str) -> None:
    """Mark a run without a worker as lost, or as cancelled where that had been asked for.

    A worker writes its end before it lets go of the lock, and another attempt may have begun since
    the row was read: what is no longer as in ``run`` is left alone.
    """
    lost = not run.cancel_requested
    session.execute(
        update(Run)
        .where(Run.id == run.id, Run.status == "running", Run.attempt == run.attempt)
        .values(
            status="lost" if lost else "cancelled",
            error=error if lost else None,
            finished_at=utc_now(),
            pid=None,
        )
        .execution_options(synchronize_session=False)
    )


def cancel_orphans(session: Session) -> None:
    """Cancel the queued runs whose predecessor has ended without success."""
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


def record_start(session: Session, run_id: str, attempt: int, **columns: Any) -> None:
    """Set columns of a run that is still in this attempt: its pid, or why it failed."""
    session.execute(
        update(Run)
        .where(Run.id == run_id, Run.status == "running", Run.attempt == attempt)
        .values(**columns)
    )


def record_end(
    session: Session,
    run_id: str,
    attempt: int,
    *,
    log: tuple[str, str] | None = None,
    **columns: Any,
) -> None:
    """Set the last columns of an attempt, and add a last line to its log.

    Nothing is written where a later attempt has begun.

    Parameters
    ----------
    log : tuple of str, optional
        Level and message.
    """
    written = session.execute(
        update(Run)
        .where(Run.id == run_id, Run.attempt == attempt)
        .values(finished_at=utc_now(), pid=None, **columns)
        .returning(Run.id)
    ).scalar_one_or_none()
    if written is not None and log is not None:
        add_log(session, run_id, log[1], log[0])


def record_heartbeat(session: Session, run_id: str, attempt: int, **progress: Any) -> bool | None:
    """Write a heartbeat with progress; return whether the user asked the run to stop.

    None where a later attempt has begun: this one is superseded.
    """
    return session.execute(
        update(Run)
        .where(Run.id == run_id, Run.attempt <= attempt)
        .values(heartbeat_at=utc_now(), **progress)
        .returning(Run.cancel_requested)
    ).scalar_one_or_none()


def add_log(session: Session, run_id: str, message: str, level: str = "info") -> None:
    """Add a line to a run's log."""
    session.add(RunLog(run_id=run_id, level=level, message=message))


def add_metric(
    session: Session, run_id: str, name: str, value: float, step: int, member: str = ""
) -> None:
    """Add a point to a run's curve; ``member`` is '' for the run as a whole."""
    session.add(RunMetric(run_id=run_id, name=name, value=value, step=step, member=member))
