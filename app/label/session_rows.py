"""Labeling sessions as rows of tables."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from lens_triage.app.http.identity import SignedIn
from lens_triage.app.widgets import format as fmt
from lens_triage.app.widgets.steps import address
from lens_triage.app.widgets.table import (
    Row,
    action,
    column,
)
from lensing_core.acquisition import STRATEGIES
from lensing_core.labeling import GraderMetrics, SessionSummary
from lensing_core.proportions import Proportion

_PACE = "Median seconds on screen; pauses over 2 min left out"
_INTERVAL = "95 % interval (Clopper-Pearson)"
SESSION_COLUMNS = [
    column("name", "Session"),
    column("queue", "Queue", width="24%"),
    column("objects", "Objects", align="right", width="66px"),
    column("mine", "You", width="112px"),
    column("graders", "Graders", align="right", width="66px"),
    column("begun", "Begun", align="right", width="88px"),
    column("do", "", width="86px"),
]
GRADER_COLUMNS = [
    column("name", "Grader", align="wrap", width="21%"),
    column("done", "Graded", align="right", width="62px"),
    column("grades", "Grades", align="wrap"),
    column("pace", "s/cutout", align="right", width="64px", help_text=_PACE),
    column(
        "repeats",
        "Repeats",
        align="wrap",
        width="66px",
        help_text=f"Given the same grade; {_INTERVAL}",
    ),
    column(
        "lenses", "Lenses", align="wrap", width="66px", help_text=f"Known lenses found; {_INTERVAL}"
    ),
    column(
        "others",
        "Non-lenses",
        align="wrap",
        width="66px",
        help_text=f"Known non-lenses rejected; {_INTERVAL}",
    ),
    column("flagged", "Flags", align="right", width="48px"),
]


def session_row(summary: SessionSummary, grader: SignedIn | None, *, forbidden: str = "") -> Row:
    """One session, as a grader sees it.

    Parameters
    ----------
    forbidden : str, optional
        Why the grader may not close or reopen it.
    """
    session = summary.session
    mine = summary.of(grader.id) if grader else None
    done = (mine.n_done + mine.n_skipped) if mine else 0
    is_open, listed = session.status == "open", session.archived_at is None
    allowed = grader is not None and (not summary.guests or grader.name in summary.guests)
    href = f"label?session={session.id}"
    name, text = ("close", "Close") if is_open else ("reopen", "Reopen")
    strategy = str(session.queue.get("strategy", ""))
    known = STRATEGIES.get(strategy)
    return {
        "key": session.id,
        "name": {"text": session.name, **({"href": href} if allowed else {})},
        "queue": known.title if known else fmt.words(strategy),
        "objects": fmt.count(summary.n_items),
        "mine": {
            "text": fmt.count(done) if is_open else "closed" if listed else "archived",
            **({"share": min(1.0, done / max(1, summary.n_items))} if is_open else {}),
        },
        "graders": fmt.count(len(summary.graders)),
        "begun": {"text": fmt.ago(session.created_at), "title": fmt.moment(session.created_at)},
        "do": {"text": "", "actions": [action(name, text, forbidden=forbidden)]},
    }


def closing(summary: SessionSummary, grader: SignedIn | None) -> str:
    """Return the action that closing or reopening a session is, for a grader."""
    is_own = grader is not None and summary.session.created_by == grader.id
    return "close_own_session" if is_own else "close_session"


def grader_rows(summary: SessionSummary, grader: SignedIn | None) -> list[Row]:
    """The graders of a session; who is no organizer sees own metrics alone."""
    return [
        _grader_row(metrics)
        for metrics in summary.graders
        if grader is not None and (grader.is_organizer or metrics.grader_id == grader.id)
    ]


def conditions_html(summary: SessionSummary, *, invites: bool = False) -> str:
    """Under which conditions a session is graded, in a line or two.

    Parameters
    ----------
    invites : bool, optional
        Whether who looks may invite somebody to it.
    """
    options = summary.session.options
    parts = [
        "blind" if options["blind"] else "scores and votes shown",
        "shuffled for each grader" if options["shuffled"] else "one order for all",
        f"{fmt.percent(options['gold_fraction'])} known objects",
        f"{fmt.percent(options['repeat_fraction'])} shown twice",
        "feedback" if options["feedback"] else "no feedback",
        "lens tests" if options.get("lens_test") else "no lens tests",
        f"{options['target_votes'] or 'any number of'} votes an object",
        f"grades {', '.join(grade['key'] for grade in summary.session.scheme['grades'])}",
    ]
    guests = ", ".join(summary.guests) or "everybody"
    invitation = ""
    if invites and summary.session.status == "open":
        href = escape(address("team", session=summary.session.id))
        invitation = f'<p><a href="{href}">Invite somebody</a></p>'
    return f"<p>{escape('; '.join(parts))}.</p><p>Graders: {escape(guests)}.</p>{invitation}"


def _grader_row(metrics: GraderMetrics) -> Row:
    grades: Sequence[tuple[str, int]] = sorted(metrics.grades.items())
    return {
        "key": str(metrics.grader_id),
        "name": metrics.name,
        "done": {
            "text": fmt.count(metrics.n_done),
            "note": f"{metrics.n_skipped:,} skipped" if metrics.n_skipped else "",
        },
        "grades": ", ".join(f"{grade} {n:,}" for grade, n in grades) or "–",
        "pace": "–" if metrics.seconds is None else f"{metrics.seconds:.1f}",
        "repeats": _proportion(metrics.repeats),
        "lenses": _proportion(metrics.gold_lenses),
        "others": _proportion(metrics.gold_non_lenses),
        "flagged": fmt.count(metrics.n_flagged),
    }


def _proportion(share: Proportion) -> dict[str, Any]:
    if not share.total:
        return {"text": "–"}
    told = share.to_json()
    low, high = (f"{100 * told[name]:.0f}" for name in ("low_95", "high_95"))
    return {
        "text": fmt.percent(share.value),
        "note": f"{low}–{high}",
        "title": f"{share.found} of {share.total}",
    }
