"""API tokens: what programs show in place of a sign-in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from lensing_core.store.tables.base import Base, utc_now
from lensing_core.store.tables.label import ROLE_CHECK, GraderRole


class ApiToken(Base):
    """A token by which a program acts under a name, for a while."""

    __tablename__ = "api_token"
    __table_args__ = (CheckConstraint(ROLE_CHECK, name="role"), Index(None, "grader_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    token_sha256: Mapped[str] = mapped_column(
        String(64), unique=True, doc="of the token, which only its owner has"
    )
    grader_id: Mapped[int] = mapped_column(ForeignKey("grader.id", ondelete="CASCADE"))
    label: Mapped[str] = mapped_column(String(80), doc="what it is for, for people")
    role: Mapped[str] = mapped_column(
        GraderRole, doc="the most that it may; less where its owner has another role by now"
    )
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime] = mapped_column()
    last_used_at: Mapped[datetime | None] = mapped_column(doc="to the minute; NULL: never")
    revoked_at: Mapped[datetime | None] = mapped_column(doc="NULL: good until it expires")
