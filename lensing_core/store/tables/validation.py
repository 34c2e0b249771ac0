"""Validation: confirmations with evidence, checklists, observations, moves of many at once.

All of them only grow: what turned out wrong is answered by a later row.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from lensing_core.store.tables.base import Base, utc_now

OUTCOMES = ("lens", "not_lens", "withdrawn")
CHECK_STATES = ("done", "open", "not_applicable")


class Confirmation(Base):
    """A person's reading of a candidate's spectra; the latest of a candidate counts."""

    __tablename__ = "confirmation"
    __table_args__ = (
        CheckConstraint("outcome IN ('lens', 'not_lens', 'withdrawn')", name="outcome"),
        Index(None, "candidate_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    candidate_id: Mapped[int] = mapped_column(ForeignKey("candidate.id", ondelete="CASCADE"))
    grader_id: Mapped[int] = mapped_column(ForeignKey("grader.id"), doc="who entered it")
    at: Mapped[datetime] = mapped_column(default=utc_now)
    outcome: Mapped[str] = mapped_column(
        String(9), doc="lens, not_lens; withdrawn: the records before count no more"
    )
    spectrum: Mapped[str] = mapped_column(
        String(400), doc="instrument, date, program or identifier of the spectrum; '' if withdrawn"
    )
    z_lens: Mapped[float | None] = mapped_column(doc="redshift of the lens; NULL: not measured")
    z_source: Mapped[float | None] = mapped_column(doc="redshift of the source; NULL: not measured")
    reference: Mapped[str] = mapped_column(
        String(400), doc="bibcode, DOI or arXiv number; '' if withdrawn"
    )
    note: Mapped[str] = mapped_column(Text, default="", doc="remarks; why it was withdrawn")


class FollowUp(Base):
    """An observation of a candidate at a telescope, and the label that followed from it."""

    __tablename__ = "follow_up"
    __table_args__ = (
        CheckConstraint("outcome IN ('lens', 'not_lens', 'inconclusive')", name="outcome"),
        Index(None, "candidate_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    candidate_id: Mapped[int] = mapped_column(ForeignKey("candidate.id", ondelete="CASCADE"))
    grader_id: Mapped[int] = mapped_column(ForeignKey("grader.id"), doc="who entered it")
    at: Mapped[datetime] = mapped_column(default=utc_now)
    night: Mapped[date] = mapped_column(doc="civil date of the evening at the site")
    instrument: Mapped[str] = mapped_column(String(120))
    outcome: Mapped[str] = mapped_column(String(12), doc="lens, not_lens or inconclusive")
    note: Mapped[str] = mapped_column(Text, default="")
    confirmation_id: Mapped[int | None] = mapped_column(
        ForeignKey("confirmation.id", ondelete="CASCADE"), doc="the record that it became"
    )
    event_uuid: Mapped[str | None] = mapped_column(
        String(36), doc="the grade that it became, in the log of label events"
    )


class StageCheck(Base):
    """An answer to a point of the checklist of a candidate; the latest of a point counts."""

    __tablename__ = "stage_check"
    __table_args__ = (
        CheckConstraint("state IN ('done', 'open', 'not_applicable')", name="state"),
        Index(None, "candidate_id", "item", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    candidate_id: Mapped[int] = mapped_column(ForeignKey("candidate.id", ondelete="CASCADE"))
    item: Mapped[str] = mapped_column(String(24), doc="key of the point")
    state: Mapped[str] = mapped_column(String(14), doc="done, open or not_applicable")
    text: Mapped[str] = mapped_column(Text, default="", doc="what was found")
    grader_id: Mapped[int] = mapped_column(ForeignKey("grader.id"))
    at: Mapped[datetime] = mapped_column(default=utc_now)


class BulkMove(Base):
    """A move of many candidates to a stage by a rule that a person made, or the undo of one."""

    __tablename__ = "bulk_move"

    id: Mapped[int] = mapped_column(primary_key=True)
    grader_id: Mapped[int] = mapped_column(ForeignKey("grader.id"))
    at: Mapped[datetime] = mapped_column(default=utc_now)
    stage: Mapped[str] = mapped_column(String(12), doc="the stage moved to; of an undo, back from")
    rule: Mapped[dict[str, Any]] = mapped_column(doc="the rule as it was given; {} of an undo")
    undoes_id: Mapped[int | None] = mapped_column(
        ForeignKey("bulk_move.id"), unique=True, doc="the move that was taken back"
    )


class BulkMoveItem(Base):
    """A candidate that a bulk move moved."""

    __tablename__ = "bulk_move_item"
    __table_args__ = (Index(None, "candidate_id"), Index(None, "remark_id"))

    bulk_move_id: Mapped[int] = mapped_column(ForeignKey("bulk_move.id"), primary_key=True)
    candidate_id: Mapped[int] = mapped_column(
        ForeignKey("candidate.id", ondelete="CASCADE"), primary_key=True
    )
    remark_id: Mapped[int] = mapped_column(
        ForeignKey("remark.id", ondelete="CASCADE"), doc="the move in the candidate's history"
    )
