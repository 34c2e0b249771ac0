"""The audit log, written in the transaction in which a thing is done, and read for people."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from lensing_core.store.tables import AuditEntry
from lensing_core.store.tables.audit import AUDIT_KINDS

COMMAND_LINE = "the command line"
_MOST_DETAILS = 255


def record(session: Session, kind: str, who: str, details: str = "", address: str = "") -> None:
    """Add an entry.

    Parameters
    ----------
    kind : str
        Of :data:`~lensing_core.store.tables.audit.AUDIT_KINDS`.
    who : str
        Name of who did it; '' where nobody was signed in.
    details : str, optional
        Whom or what it was done to; cut off at 255 letters.
    address : str, optional
        IP address that asked.
    """
    if kind not in AUDIT_KINDS:
        raise ValueError(f"{kind!r} is no kind of entry")
    entry = AuditEntry(kind=kind, who=who, details=details[:_MOST_DETAILS], address=address)
    session.add(entry)


def latest_entries(session: Session, n: int, kind: str = "") -> list[AuditEntry]:
    """Return the latest entries, the newest first; of one kind, where it is given."""
    asked = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(n)
    return list(session.scalars(asked.where(AuditEntry.kind == kind) if kind else asked))
