"""Lens tests of candidates, kept so that none is computed twice."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from lensing_core.store.tables.base import Base, utc_now


class LensTest(Base):
    """Result of a lens test of one candidate, with some settings and by one version."""

    __tablename__ = "lens_test"
    __table_args__ = (
        CheckConstraint("verdict IN ('supports', 'no_lens', 'unclear', 'failed')", name="verdict"),
        Index(None, "candidate_id", "at"),
    )

    candidate_id: Mapped[int] = mapped_column(
        ForeignKey("candidate.id", ondelete="CASCADE"), primary_key=True
    )
    settings_key: Mapped[str] = mapped_column(
        String(16), primary_key=True, doc="digest of the settings, hexadecimal"
    )
    version: Mapped[int] = mapped_column(primary_key=True, doc="of the method")
    cutout_sha256: Mapped[str] = mapped_column(String(64), doc="of the pixels that were tested")
    at: Mapped[datetime] = mapped_column(default=utc_now)
    verdict: Mapped[str] = mapped_column(
        String(8), doc="supports, no_lens, unclear; failed: nothing could be fitted"
    )
    sentence: Mapped[str] = mapped_column(Text, doc="the verdict with its reason, or why it failed")
    theta_e_arcsec: Mapped[float | None] = mapped_column(doc="NULL where the test failed")
    theta_e_error_arcsec: Mapped[float | None] = mapped_column()
    reduced_chi2: Mapped[float | None] = mapped_column()
    reduced_chi2_no_lens: Mapped[float | None] = mapped_column(
        doc="of the same galaxy without arcs"
    )
    result: Mapped[dict[str, Any]] = mapped_column(doc="all numbers, curves and settings")
    pictures: Mapped[bytes | None] = mapped_column(
        LargeBinary, doc="compressed arrays: galaxy, arcs, noise, source; NULL where it failed"
    )
