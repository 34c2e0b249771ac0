"""Accounts at other services by which people sign in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from lensing_core.store.tables.base import Base, utc_now


class GraderIdentity(Base):
    """An account at another service that is tied to a name."""

    __tablename__ = "grader_identity"
    __table_args__ = (Index(None, "grader_id"),)

    issuer: Mapped[str] = mapped_column(
        String(255), primary_key=True, doc="address of the service, as it calls itself"
    )
    subject: Mapped[str] = mapped_column(
        String(255), primary_key=True, doc="of the account there: it never changes"
    )
    grader_id: Mapped[int] = mapped_column(ForeignKey("grader.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(
        String(320), default="", doc="verified, at the last sign-in; for people to read"
    )
    is_invited: Mapped[bool] = mapped_column(
        doc="whether an invitation tied it; else it must be among those whom the server allows"
    )
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_at: Mapped[datetime] = mapped_column(default=utc_now, doc="of the last sign-in")
