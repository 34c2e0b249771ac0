"""Preferences of a person on all pages; the browser stores them for people without a name here."""

from __future__ import annotations

from typing import Any

from lens_triage.app.acting import why_not
from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import current_grader
from lensing_core.store.graders import get_grader

_KINDS = ("general", "label")


def stored_preferences(context: AppContext) -> dict[str, Any] | None:
    """Preferences of who is signed in: of all pages (``general``), and of Label.

    None where the database keeps none: nobody is signed in, or a reader, who changes nothing.
    """
    person = current_grader(context)
    if person is None or why_not(context, "keep_preferences"):
        return None
    kept = context.database.ask(get_grader, person.id).preferences
    return {kind: kept.get(kind, {}) for kind in _KINDS}
