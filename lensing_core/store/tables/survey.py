"""Survey definitions, as they stood when a catalog first used them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from lensing_core.store.tables.base import Base


class SurveyRow(Base):
    """One survey."""

    __tablename__ = "survey"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True, doc="key, e.g. 'hsc'")
    definition: Mapped[dict[str, Any]] = mapped_column(doc="bands, scales and zero points as JSON")
