"""Tables that guard the log of labels: its seal, the identities it names, notes on repairs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from lensing_core.store.tables.base import Base, utc_now


class LogSeal(Base):
    """The state of the log under the workspace's key; one row, written with every event.

    ``mac`` cannot be made without the workspace's secret
    (:mod:`lensing_core.store.sealing`).
    """

    __tablename__ = "log_seal"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    serial: Mapped[int] = mapped_column(doc="grows by one with every seal")
    n_events: Mapped[int] = mapped_column()
    head: Mapped[str] = mapped_column(String(64), doc="hash of the last event")
    identities: Mapped[str] = mapped_column(
        String(64), doc="keyed digest of all rows of sealed_identity"
    )
    notes: Mapped[str] = mapped_column(String(64), doc="hash of the last row of log_note")
    mac: Mapped[str] = mapped_column(String(64), doc="HMAC-SHA256 of the columns above")


class SealedIdentity(Base):
    """Graders, graded objects and sessions at the last seal of the log."""

    __tablename__ = "sealed_identity"
    __table_args__ = (CheckConstraint("kind IN ('grader', 'candidate', 'sessions')", name="kind"),)

    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    key: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, doc="id of its row; 0 for all sessions together"
    )
    identity: Mapped[str] = mapped_column(
        Text,
        doc="JSON: a grader's name and role; a candidate's catalog, name, index and pixels; the "
        "sessions by id, each with name, status and a digest of its row",
    )


class LogNote(Base):
    """Manual action on the log: repaired, accepted after a restore, sealed anew."""

    __tablename__ = "log_note"
    __table_args__ = (CheckConstraint("kind IN ('repair', 'restore', 'seal')", name="kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    event_id: Mapped[int | None] = mapped_column(
        ForeignKey("label_event.id"), doc="of a repair: the event"
    )
    details: Mapped[dict[str, Any]] = mapped_column(
        doc="of a repair: the hash, and the values as they were when it was taken"
    )
    made_by: Mapped[str] = mapped_column(String(120), doc="account of the computer")
    made_at: Mapped[datetime] = mapped_column(default=utc_now)
