"""The audit log: who signed in, and what was done that others have to be able to look up."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from lensing_core.store.tables.base import Base, utc_now

AUDIT_KINDS = (
    *("sign-in", "wrong passphrase", "sign-out", "passphrase", "name", "role", "invitation"),
    *("account", "refused sign-in", "API token", "export", "grades exported", "promotion"),
    *("catalog", "ensemble", "session"),
)


class AuditEntry(Base):
    """One thing that was done; entries are only added."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index(None, "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=utc_now)
    kind: Mapped[str] = mapped_column(String(20), doc="of AUDIT_KINDS")
    who: Mapped[str] = mapped_column(
        String(120), default="", doc="name of then; '': nobody was signed in"
    )
    details: Mapped[str] = mapped_column(String(255), default="", doc="whom or what it was done to")
    address: Mapped[str] = mapped_column(
        String(45), default="", doc="IP address that asked; '': not known"
    )
