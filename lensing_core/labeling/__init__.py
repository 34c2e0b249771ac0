"""Labeling sessions: who sees which candidate in which order, the grades, and their summary.

:mod:`.order` is pure; :mod:`.gold` chooses objects whose answer is known; :mod:`.creation` makes a
session; :class:`~.grader_view.GraderView` is a grader's view of it; :mod:`.recording` takes events;
:mod:`.summary` counts.
"""

from lensing_core.labeling.creation import (
    NewSession,
    close_session,
    create_session,
    create_tutorial,
)
from lensing_core.labeling.grader_view import GraderView, open_grader_view
from lensing_core.labeling.options import SessionOptions
from lensing_core.labeling.order import Slot, grader_order
from lensing_core.labeling.recording import Outcome, record
from lensing_core.labeling.summary import GraderMetrics, SessionSummary, list_sessions, summarize
from lensing_core.store.label_sessions import get_session

__all__ = [
    "GraderMetrics",
    "GraderView",
    "NewSession",
    "Outcome",
    "SessionOptions",
    "SessionSummary",
    "Slot",
    "close_session",
    "create_session",
    "create_tutorial",
    "get_session",
    "grader_order",
    "list_sessions",
    "open_grader_view",
    "record",
    "summarize",
]
