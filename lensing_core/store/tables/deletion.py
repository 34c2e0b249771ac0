"""Work left to do after a deletion, and ids to remember."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from lensing_core.store.tables.base import Base, utc_now


class PendingRemoval(Base):
    """A file or folder of something that was deleted, still on the disk."""

    __tablename__ = "pending_removal"

    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(String(512), doc="in the workspace")
    is_aside: Mapped[bool] = mapped_column(
        default=False, doc="whether it has been renamed, so that its place is free"
    )
    at: Mapped[datetime] = mapped_column(default=utc_now)


class LastId(Base):
    """Largest id that a table has had when rows of it were deleted: none is given twice.

    Files, links and saved filters name candidates, catalogs and ensembles by their ids.
    """

    __tablename__ = "last_id"

    table_name: Mapped[str] = mapped_column(String(32), primary_key=True)
    last: Mapped[int] = mapped_column()
