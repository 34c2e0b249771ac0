"""Invitations: links by which somebody gets a name and chooses a passphrase."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from lensing_core.store.tables.base import Base, utc_now
from lensing_core.store.tables.label import ROLE_CHECK, GraderRole


class Invitation(Base):
    """An invitation under a name, which may be accepted once, for a while."""

    __tablename__ = "invitation"
    __table_args__ = (CheckConstraint(ROLE_CHECK, name="role"),)

    token_sha256: Mapped[str] = mapped_column(
        String(64), primary_key=True, doc="of the token that only the link has"
    )
    name: Mapped[str] = mapped_column(String(120), unique=True, doc="that will be made")
    role: Mapped[str] = mapped_column(GraderRole, default="grader", doc="of GRADER_ROLES")
    session_id: Mapped[str | None] = mapped_column(
        String(40), doc="of the labeling session that it leads to; NULL, or one that is gone: none"
    )
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime] = mapped_column()
