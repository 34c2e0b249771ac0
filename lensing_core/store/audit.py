"""The audit log, written in the transaction in which a thing is done, and read for people."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
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


@dataclass(frozen=True)
class AuditFilter:
    """Filter of listed entries.

    Attributes
    ----------
    kind : str
        Of :data:`~lensing_core.store.tables.audit.AUDIT_KINDS`; '' for all.
    words : str
        A part of who, details or address, in capital or small letters; '' for all.
    """

    kind: str = ""
    words: str = ""

    def conditions(self) -> list[ColumnElement[bool]]:
        """Condition of a query of entries."""
        asked: list[ColumnElement[bool]] = []
        if self.kind:
            asked.append(AuditEntry.kind == self.kind)
        if self.words:
            fields = (AuditEntry.who, AuditEntry.details, AuditEntry.address)
            asked.append(or_(*(field.icontains(self.words, autoescape=True) for field in fields)))
        return asked


def latest_entries(session: Session, n: int, kind: str = "") -> list[AuditEntry]:
    """Return the latest entries, the newest first; of one kind, where it is given."""
    return fetch_page_of_entries(session, AuditFilter(kind), after=None, limit=n)[0]


def fetch_page_of_entries(
    session: Session, chosen: AuditFilter, *, after: int | None, limit: int
) -> tuple[list[AuditEntry], int]:
    """Return a page of entries, the newest first, and how many pass the filter in all.

    Parameters
    ----------
    after : int or None
        Id of the last entry of the page before; None for the first page.
    """
    conditions = chosen.conditions()
    total = session.scalar(select(func.count()).select_from(AuditEntry).where(*conditions)) or 0
    if after is not None:
        conditions.append(AuditEntry.id < after)
    asked = select(AuditEntry).where(*conditions).order_by(AuditEntry.id.desc()).limit(limit)
    return list(session.scalars(asked)), total
