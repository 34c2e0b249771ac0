"""Catalogs of cutouts and the rows that could not be ingested."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lensing_core.store.tables.base import Base, utc_now
from lensing_core.store.tables.survey import SurveyRow


class Catalog(Base):
    """A set of cutouts with one geometry, from one survey, with one provenance."""

    __tablename__ = "catalog"
    __table_args__ = (
        CheckConstraint("scale IN ('galaxy', 'cluster')", name="scale"),
        CheckConstraint("pixel_kind IN ('flux', 'rendered')", name="pixel_kind"),
        CheckConstraint("origin IN ('observed', 'simulated')", name="origin"),
        CheckConstraint(
            "label_policy IN ('all', 'positives_only', 'pretraining_only')", name="label_policy"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(63), unique=True, doc="slug; names the cutout folder")
    title: Mapped[str] = mapped_column(
        String(80), default="", server_default="", doc="shown in place of its name; '': the name"
    )
    survey_id: Mapped[int] = mapped_column(ForeignKey("survey.id"))
    scale: Mapped[str] = mapped_column(String(8), doc="'galaxy' or 'cluster'")
    origin: Mapped[str] = mapped_column(String(10), doc="'observed' or 'simulated'")
    bands: Mapped[list[str]] = mapped_column(doc="band names in the order of the cutout axis")
    size_px: Mapped[int] = mapped_column(doc="cutout side, pixels")
    pixel_scale_arcsec: Mapped[float] = mapped_column(doc="arcsec per pixel of the stored grid")
    pixel_kind: Mapped[str] = mapped_column(
        String(8), doc="'flux' (linear) or 'rendered' (8-bit color picture)"
    )
    label_source: Mapped[str | None] = mapped_column(
        String(64), doc="where labels come from, e.g. 'sim:<run>', 'obs:<catalog>', 'weak:gzoo'"
    )
    label_confidence: Mapped[float] = mapped_column(default=1.0, doc="0 to 1")
    label_policy: Mapped[str] = mapped_column(
        String(16), default="all", doc="'all', 'positives_only' or 'pretraining_only'"
    )
    notes: Mapped[dict[str, Any]] = mapped_column(
        default=dict, doc="what ingest did: cropping, resampling, zero points, source files"
    )
    n_candidates: Mapped[int] = mapped_column(default=0)
    n_quarantined: Mapped[int] = mapped_column(default=0)
    rows_read: Mapped[int] = mapped_column(default=0, doc="source rows done; where a resume begins")
    complete: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    archived_at: Mapped[datetime | None] = mapped_column(
        doc="since when lists and choices leave it out; NULL: they have it"
    )

    survey: Mapped[SurveyRow] = relationship(lazy="joined")

    @property
    def shown_name(self) -> str:
        """Its title, else its name."""
        return self.title or self.name


class Quarantine(Base):
    """A source row that was not ingested, and why."""

    __tablename__ = "quarantine"
    __table_args__ = (
        UniqueConstraint("catalog_id", "row_number"),
        Index(None, "catalog_id", "reason"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    catalog_id: Mapped[int] = mapped_column(ForeignKey("catalog.id", ondelete="CASCADE"))
    row_number: Mapped[int] = mapped_column(doc="row of the source table, from 0")
    object_id: Mapped[str | None] = mapped_column(String(255))
    source: Mapped[str | None] = mapped_column(Text, doc="the file concerned")
    reason: Mapped[str] = mapped_column(String(32), doc="code, e.g. 'missing_file'")
    message: Mapped[str] = mapped_column(Text, doc="one sentence for the user")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
