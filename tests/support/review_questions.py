"""Questions to the service of Review, each in a transaction of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lens_triage.app.context import AppContext
from lens_triage.app.review.service import ReviewService
from lensing_core.store import open_database


@dataclass(frozen=True)
class Asked:
    """A service of a workspace, without handlers before it."""

    context: AppContext
    service: ReviewService

    def answer(self, message: Mapping[str, Any]) -> dict[str, Any]:
        with open_database(self.context.workspace).session() as session:
            return self.service.answer(session, message)
