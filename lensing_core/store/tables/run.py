"""Runs: every long piece of work, its progress, figures and log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from lensing_core.store.tables.base import Base, utc_now

RUN_STATES = ("queued", "running", "succeeded", "failed", "cancelled", "lost")


class Run(Base):
    """One job: a process of its own, described by one settings object."""

    __tablename__ = "run"
    __table_args__ = (
        CheckConstraint(
            "status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'lost')",
            name="status",
        ),
        Index(None, "status", "created_at"),
        Index(None, "created_at"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(24), doc="'ingest', 'simulate', 'train', 'score', …")
    title: Mapped[str] = mapped_column(String(255), doc="for people")
    settings: Mapped[dict[str, Any]] = mapped_column(doc="the settings object as JSON")
    status: Mapped[str] = mapped_column(String(10), default="queued")
    after_run_id: Mapped[str | None] = mapped_column(
        ForeignKey("run.id", ondelete="SET NULL"), doc="starts when that run has succeeded"
    )
    attempt: Mapped[int] = mapped_column(default=0, doc="1 for the first start, more after resumes")
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None] = mapped_column(doc="NULL while unknown")
    activity: Mapped[str] = mapped_column(Text, default="", doc="what it does now")
    error: Mapped[str | None] = mapped_column(Text, doc="one sentence")
    failure: Mapped[str | None] = mapped_column(
        String(10), doc="why it failed: 'settings', 'input', 'machine' or 'bug'; NULL: unknown"
    )
    result: Mapped[dict[str, Any] | None] = mapped_column(doc="what came out, for people and pages")
    pid: Mapped[int | None] = mapped_column(doc="for people; the run's lock says if it lives")
    host: Mapped[str | None] = mapped_column(String(255))
    heartbeat_at: Mapped[datetime | None] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None] = mapped_column()
    finished_at: Mapped[datetime | None] = mapped_column()


class RunMetric(Base):
    """One point of a curve."""

    __tablename__ = "run_metric"
    __table_args__ = (Index(None, "run_id", "name", "member", "step"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"))
    member: Mapped[str] = mapped_column(String(63), default="", doc="'' for the run as a whole")
    name: Mapped[str] = mapped_column(String(63))
    step: Mapped[int] = mapped_column()
    value: Mapped[float] = mapped_column()


class RunLog(Base):
    """One line of a run's log."""

    __tablename__ = "run_log"
    __table_args__ = (Index(None, "run_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(default=utc_now)
    level: Mapped[str] = mapped_column(String(8), doc="'info', 'warning' or 'error'")
    message: Mapped[str] = mapped_column(Text)
