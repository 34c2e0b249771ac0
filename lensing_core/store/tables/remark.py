"""Remarks: notes, tags and moves between stages, with who and when; and filters kept by name."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lensing_core.store.tables.base import Base, utc_now

REMARK_KINDS = ("note", "tag", "untag", "stage")


class Remark(Base):
    """One note, tag or move of a candidate; never changed, so that history is whole."""

    __tablename__ = "remark"
    __table_args__ = (
        CheckConstraint("kind IN ('note', 'tag', 'untag', 'stage')", name="kind"),
        Index(None, "candidate_id", "id"),
        Index(None, "kind", "value"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    candidate_id: Mapped[int] = mapped_column(ForeignKey("candidate.id", ondelete="CASCADE"))
    grader_id: Mapped[int | None] = mapped_column(
        ForeignKey("grader.id"), doc="NULL: done by the program"
    )
    kind: Mapped[str] = mapped_column(String(8))
    value: Mapped[str] = mapped_column(
        String(64), default="", doc="the tag, or the stage moved to; '' for a note"
    )
    before: Mapped[str] = mapped_column(String(64), default="", doc="the stage moved from")
    text: Mapped[str] = mapped_column(Text, default="", doc="the note, or why it was rejected")
    reply_to: Mapped[int | None] = mapped_column(
        ForeignKey("remark.id", ondelete="CASCADE"),
        doc="the note that began its thread; NULL: it answers none",
    )
    at: Mapped[datetime] = mapped_column(default=utc_now)


class Mention(Base):
    """A grader whom a note mentions."""

    __tablename__ = "mention"
    __table_args__ = (Index(None, "grader_id", "remark_id"),)

    remark_id: Mapped[int] = mapped_column(
        ForeignKey("remark.id", ondelete="CASCADE"), primary_key=True
    )
    grader_id: Mapped[int] = mapped_column(ForeignKey("grader.id"), primary_key=True)


class RemarkReceipt(Base):
    """A note, tag or move that a page sent and that is dealt with: sent again, it does nothing."""

    __tablename__ = "remark_receipt"

    uuid: Mapped[str] = mapped_column(String(36), primary_key=True, doc="made by the page")
    grader_id: Mapped[int] = mapped_column(ForeignKey("grader.id"))
    at: Mapped[datetime] = mapped_column(default=utc_now)


class CandidateTag(Base):
    """A tag that a candidate has now."""

    __tablename__ = "candidate_tag"
    __table_args__ = (Index(None, "tag", "candidate_id"),)

    candidate_id: Mapped[int] = mapped_column(
        ForeignKey("candidate.id", ondelete="CASCADE"), primary_key=True
    )
    tag: Mapped[str] = mapped_column(String(64), primary_key=True)


class SavedFilter(Base):
    """A ranking query under a name."""

    __tablename__ = "saved_filter"
    __table_args__ = (UniqueConstraint("name", "grader_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    grader_id: Mapped[int | None] = mapped_column(ForeignKey("grader.id"), doc="NULL: everybody's")
    query: Mapped[dict[str, Any]] = mapped_column(doc="the query as the page keeps it")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
