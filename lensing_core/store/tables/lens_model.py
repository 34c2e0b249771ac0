"""Lens models of candidates: what a run sampled, and where its files are."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from lensing_core.store.tables.base import Base, utc_now


class LensModel(Base):
    """The posterior of a candidate's lens, sampled by a run that keeps its files in its folder."""

    __tablename__ = "lens_model"
    __table_args__ = (
        CheckConstraint("status IN ('sampled', 'failed')", name="status"),
        Index(None, "candidate_id", "at"),
        Index(None, "run_id"),
    )

    candidate_id: Mapped[int] = mapped_column(
        ForeignKey("candidate.id", ondelete="CASCADE"), primary_key=True
    )
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(doc="of the method")
    cutout_sha256: Mapped[str] = mapped_column(String(64), doc="of the pixels that were modeled")
    at: Mapped[datetime] = mapped_column(default=utc_now)
    status: Mapped[str] = mapped_column(String(8), doc="sampled; failed: nothing could be modeled")
    sentence: Mapped[str] = mapped_column(Text, doc="why it failed; '' if sampled")
    summary: Mapped[dict[str, Any]] = mapped_column(
        doc="percentiles, images, diagnostics, settings; empty if it failed"
    )
