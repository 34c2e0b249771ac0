"""Runs as pages show them: state, progress, curves and log. Read-only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select, tuple_
from sqlalchemy.orm import Session

from lensing_core.store.run_queue import find_run
from lensing_core.store.tables import Run, RunLog, RunMetric, utc_now

ACTIVE = ("queued", "running")
SHIFT = "shift"
"""Entry of the result of a scoring: how each catalog differs from the training set, by name."""
_LATEST = 200


@dataclass(frozen=True)
class RunSummary:
    """A run as it stands."""

    id: str
    kind: str
    title: str
    status: str
    settings: Mapping[str, Any]
    after_run_id: str | None
    attempt: int
    cancel_requested: bool
    done: int
    total: int | None
    activity: str
    error: str | None
    result: Mapping[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    failure: str | None = None

    @property
    def resumable(self) -> bool:
        """Return whether resuming can help: not where the settings themselves do not fit."""
        return self.status in ("cancelled", "lost") or (
            self.status == "failed" and self.failure != "settings"
        )

    @property
    def active(self) -> bool:
        """Return whether it is queued or running."""
        return self.status in ACTIVE

    @property
    def share(self) -> float | None:
        """Progress from 0 to 1; None while the total is unknown."""
        if self.status == "succeeded":
            return 1.0
        return min(1.0, self.done / self.total) if self.total else None

    def elapsed_s(self, now: datetime | None = None) -> float | None:
        """Seconds since the latest start, or that the latest attempt took; None before it."""
        if self.started_at is None:
            return None
        end = self.finished_at or (now or utc_now())
        return max(0.0, (end - self.started_at).total_seconds())


def _summary(run: Run) -> RunSummary:
    return RunSummary(
        id=run.id,
        kind=run.kind,
        title=run.title,
        status=run.status,
        settings=run.settings,
        after_run_id=run.after_run_id,
        attempt=run.attempt,
        cancel_requested=run.cancel_requested,
        done=run.done,
        total=run.total,
        activity=run.activity,
        error=run.error,
        result=run.result,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        failure=run.failure,
    )


def get_run(session: Session, run_id: str) -> RunSummary:
    """One run; raises NotFoundError."""
    return _summary(find_run(session, run_id))


def list_active_runs(session: Session) -> list[RunSummary]:
    """Running runs, then queued ones in the order in which they start."""
    return [
        _summary(run)
        for run in session.scalars(
            select(Run)
            .where(Run.status.in_(ACTIVE))
            .order_by(case((Run.status == "running", 0), else_=1), Run.created_at, Run.id)
        )
    ]


def list_runs(
    session: Session, *, kinds: Sequence[str] = (), ended: bool = False, limit: int = 50
) -> list[RunSummary]:
    """The latest runs, newest first.

    Parameters
    ----------
    kinds : sequence of str, optional
        Empty: all kinds.
    ended : bool, optional
        Leave out what is queued or running.
    """
    statement = select(Run).order_by(Run.created_at.desc(), Run.id.desc()).limit(limit)
    if kinds:
        statement = statement.where(Run.kind.in_(kinds))
    if ended:
        statement = statement.where(Run.status.not_in(ACTIVE))
    return [_summary(run) for run in session.scalars(statement)]


def last_shift(session: Session, ensemble: str, catalog: str) -> Mapping[str, Any] | None:
    """Return how a catalog differs from the training set, as the last scoring found; None: unknown.

    Only the latest 200 scorings are looked at.
    """
    for result in _last_results(session, "score", ensemble):
        if catalog in result.get(SHIFT, {}):
            found: Mapping[str, Any] = result[SHIFT][catalog]
            return found
    return None


def last_probes(session: Session, ensemble: str, catalog: str) -> Mapping[str, Any] | None:
    """Return the result of the last probes of an ensemble on a catalog; None: there are none.

    Only the latest 200 runs of the kind are looked at.
    """
    results = _last_results(session, "probe", ensemble)
    return next((r for r in results if catalog in r.get("catalogs", ())), None)


def _last_results(session: Session, kind: str, ensemble: str) -> Iterator[Mapping[str, Any]]:
    """Results of the latest runs of a kind with an ensemble, newest first."""
    results = session.scalars(
        select(Run.result)
        .where(Run.kind == kind, Run.status == "succeeded")
        .order_by(Run.created_at.desc(), Run.id.desc())
        .limit(_LATEST)
    )
    return (result for result in results if result and result.get("ensemble") == ensemble)


@dataclass(frozen=True)
class RunEnd:
    """A run that has ended, and when; one that is resumed may end again."""

    id: str
    title: str
    status: str
    error: str | None
    finished_at: datetime | None


def read_ends(session: Session, run_ids: Collection[str] = (), *, limit: int = 20) -> list[RunEnd]:
    """Those of the runs queued last, and of some others, that have ended; in no order."""
    columns = (Run.id, Run.title, Run.status, Run.error, Run.finished_at)
    ended = select(*columns).where(Run.status.not_in(ACTIVE))
    latest = ended.order_by(Run.created_at.desc(), Run.id.desc()).limit(limit)
    found = {row.id: RunEnd(*row) for row in session.execute(latest)}
    if others := [key for key in run_ids if key not in found]:
        named = session.execute(ended.where(Run.id.in_(others)))
        found |= {row.id: RunEnd(*row) for row in named}
    return list(found.values())


@dataclass(frozen=True)
class RunFilter:
    """Filter of a list of runs; empty: all of them.

    Attributes
    ----------
    kind, status : str
    words : str
        That stand in the title or in the id, in any case.
    """

    kind: str = ""
    status: str = ""
    words: str = ""

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions on :class:`Run`."""
        conditions = []
        if self.kind:
            conditions.append(Run.kind == self.kind)
        if self.status:
            conditions.append(Run.status == self.status)
        if self.words:
            in_either = [
                column.icontains(self.words, autoescape=True) for column in (Run.title, Run.id)
            ]
            conditions.append(or_(*in_either))
        return conditions


def fetch_page_of_runs(
    session: Session, chosen: RunFilter, *, after: tuple[datetime, str] | None, limit: int
) -> tuple[list[RunSummary], int]:
    """Return a page of runs, newest first, and how many pass the filter in all.

    Parameters
    ----------
    after : tuple of datetime and str, or None
        When the last run of the page before was queued, and its id; None for the first page.
    """
    conditions = chosen.conditions()
    total = session.scalar(select(func.count()).select_from(Run).where(*conditions)) or 0
    if after is not None:
        conditions.append(tuple_(Run.created_at, Run.id) < tuple_(*after))
    rows = session.scalars(
        select(Run).where(*conditions).order_by(Run.created_at.desc(), Run.id.desc()).limit(limit)
    )
    return [_summary(run) for run in rows], total


@dataclass(frozen=True)
class LogLine:
    """One line of a run's log."""

    id: int
    at: datetime
    level: str
    message: str


def fetch_log(session: Session, run_id: str, *, last: int = 200) -> list[LogLine]:
    """The last lines of a run's log, oldest first."""
    statement = select(RunLog).where(RunLog.run_id == run_id).order_by(RunLog.id.desc()).limit(last)
    lines = session.scalars(statement).all()
    return [LogLine(line.id, line.at, line.level, line.message) for line in reversed(lines)]


@dataclass(frozen=True)
class Curve:
    """The points of one figure of one member; ``member`` is '' for the run as a whole."""

    name: str
    member: str
    steps: tuple[int, ...]
    values: tuple[float, ...]


def count_metrics(session: Session, run_id: str) -> int:
    """Return how many points a run's curves have; a cheap sign that there is something new."""
    return (
        session.scalar(
            select(func.count()).select_from(RunMetric).where(RunMetric.run_id == run_id)
        )
        or 0
    )


def fetch_curves(session: Session, run_id: str) -> list[Curve]:
    """A run's curves, by name and member; where a resume repeated a step, its latest value."""
    points: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    for name, member, step, value in session.execute(
        select(RunMetric.name, RunMetric.member, RunMetric.step, RunMetric.value)
        .where(RunMetric.run_id == run_id)
        .order_by(RunMetric.id)
    ):
        points[name, member][step] = value
    return [
        Curve(
            name, member, tuple(sorted(by_step)), tuple(by_step[step] for step in sorted(by_step))
        )
        for (name, member), by_step in sorted(points.items())
    ]
