"""Selections: candidates marked on a chart or picked in another program, for a while."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from lensing_core.store.tables.base import Base, utc_now


class Selection(Base):
    """A set of candidates that a list can be limited to; removed some days after its last use."""

    __tablename__ = "selection"
    __table_args__ = (Index(None, "used_at"),)

    id: Mapped[str] = mapped_column(String(16), primary_key=True, doc="hash of its candidates")
    title: Mapped[str] = mapped_column(String(120), doc="where it was made, for people")
    n: Mapped[int] = mapped_column(doc="candidates in it")
    used_at: Mapped[datetime] = mapped_column(default=utc_now)


class SelectionItem(Base):
    """A candidate of a selection."""

    __tablename__ = "selection_item"
    __table_args__ = (Index(None, "candidate_id"),)

    selection_id: Mapped[str] = mapped_column(
        ForeignKey("selection.id", ondelete="CASCADE"), primary_key=True
    )
    candidate_id: Mapped[int] = mapped_column(
        ForeignKey("candidate.id", ondelete="CASCADE"), primary_key=True
    )
