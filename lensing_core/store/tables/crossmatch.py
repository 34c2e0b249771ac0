"""Cross-matches: one row a catalog and reference, and one a pair that was found."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lensing_core.store.tables.base import Base, utc_now


class Crossmatch(Base):
    """A catalog matched against one reference, at one time."""

    __tablename__ = "crossmatch"
    __table_args__ = (
        UniqueConstraint("run_id", "reference"),
        CheckConstraint("state IN ('complete', 'partial', 'unreachable')", name="state"),
        Index(None, "catalog_id", "reference", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    catalog_id: Mapped[int] = mapped_column(ForeignKey("catalog.id", ondelete="CASCADE"))
    run_id: Mapped[str | None] = mapped_column(ForeignKey("run.id", ondelete="SET NULL"))
    reference: Mapped[str] = mapped_column(String(255), doc="key, e.g. 'lenscat' or 'simbad'")
    title: Mapped[str] = mapped_column(String(255), doc="of the reference, for people")
    kind: Mapped[str] = mapped_column(String(16), doc="'lens', 'probable', 'cluster', 'star', …")
    version: Mapped[str] = mapped_column(String(255), doc="edition of the reference")
    radius_arcsec: Mapped[float] = mapped_column()
    max_normalized: Mapped[float] = mapped_column(doc="limit of separation over joint error")
    candidate_error_arcsec: Mapped[float] = mapped_column(doc="along one axis")
    reference_error_arcsec: Mapped[float] = mapped_column(doc="where a row has none of its own")
    state: Mapped[str] = mapped_column(
        String(12), doc="'complete', 'partial' (a service failed midway) or 'unreachable'"
    )
    message: Mapped[str] = mapped_column(Text, default="", doc="why it is not complete")
    asked_all: Mapped[bool] = mapped_column(
        doc="False: only some candidates were asked for; those without a counterpart have rows"
    )
    n_candidates: Mapped[int] = mapped_column(doc="asked for, with a position")
    n_unplaced: Mapped[int] = mapped_column(doc="left out: without a position")
    n_matched: Mapped[int] = mapped_column()
    n_review: Mapped[int] = mapped_column()
    n_references: Mapped[int] = mapped_column(doc="objects of the reference with a position")
    footprint_nside: Mapped[int | None] = mapped_column(doc="NULL: the footprint was not needed")
    footprint_deg2: Mapped[float | None] = mapped_column()
    n_in_footprint: Mapped[int | None] = mapped_column(doc="objects of the reference inside it")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    entries: Mapped[list[CrossmatchEntry]] = relationship(
        back_populates="crossmatch", cascade="all, delete-orphan", passive_deletes=True
    )


class CrossmatchEntry(Base):
    """A candidate with a counterpart, or one of them alone where that says something."""

    __tablename__ = "crossmatch_entry"
    __table_args__ = (
        CheckConstraint("status IN ('matched', 'review', 'unmatched')", name="status"),
        Index(None, "crossmatch_id", "status"),
        Index(None, "candidate_id", "crossmatch_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    crossmatch_id: Mapped[int] = mapped_column(ForeignKey("crossmatch.id", ondelete="CASCADE"))
    candidate_id: Mapped[int | None] = mapped_column(
        ForeignKey("candidate.id", ondelete="CASCADE"),
        doc="NULL: a known lens in the footprint without a candidate",
    )
    status: Mapped[str] = mapped_column(String(10), doc="'matched', 'review' or 'unmatched'")
    reason: Mapped[str] = mapped_column(String(255), default="", doc="why it is for review")
    separation_arcsec: Mapped[float | None] = mapped_column()
    normalized: Mapped[float | None] = mapped_column(doc="separation over the joint error")
    n_counterparts: Mapped[int] = mapped_column(default=0, doc="within the radius")
    n_rivals: Mapped[int] = mapped_column(default=0, doc="candidates within its radius")
    counterpart_name: Mapped[str | None] = mapped_column(Text)
    counterpart_ra_deg: Mapped[float | None] = mapped_column(doc="ICRS")
    counterpart_dec_deg: Mapped[float | None] = mapped_column(doc="ICRS")
    counterpart: Mapped[dict[str, Any] | None] = mapped_column(doc="its row in the reference")

    crossmatch: Mapped[Crossmatch] = relationship(back_populates="entries")
