"""``POST /review/events``: what people do in Review, answered when it is committed.

Grades and undos, notes, tags and moves of stages. Apart from the page's questions, since the
process that serves grading knows nothing of charts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lens_triage.app.acting import acting
from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import GraderHandler, cookie_name
from lens_triage.app.http.pools import GRADING
from lensing_core.errors import BadInputError, PolicyError
from lensing_core.labeling.reviewing import record_in_review

MOST_AT_ONCE = 500
_ACTIONS = {"note": "note", "tag": "tag", "untag": "tag", "stage": "move_stage"}


def workspace_mark(context: AppContext) -> str:
    """Return what tells this workspace from others that were served at the same address."""
    return cookie_name(context).rpartition("-")[2]


class ReviewEventsHandler(GraderHandler):
    """Grades, undos and remarks."""

    pool = GRADING

    async def post(self) -> None:
        """``events``: see :func:`record_in_review`; ``grader``, ``workspace``: whose they are."""

        def work() -> dict[str, Any]:
            sent, whose = self.body(lenient=True), workspace_mark(self.context)
            events = sent.get("events")
            if not isinstance(events, list):
                raise BadInputError("events: give a list of objects.")
            if len(events) > MOST_AT_ONCE:
                raise BadInputError(f"{len(events)} events: give up to {MOST_AT_ONCE} at once.")
            with acting(self.here, *_actions(events)) as (session, person):
                if person is None or (sent.get("grader"), sent.get("workspace")) != (
                    person.id,
                    whose,
                ):
                    raise PolicyError(
                        "These events belong to another grader than the one signed in, or to "
                        "another workspace."
                    )
                outcomes = record_in_review(session, person.id, events)
            return {
                "written": [outcome.uuid for outcome in outcomes if not outcome.refused],
                "refused": {o.uuid: o.refused for o in outcomes if o.refused},
            }

        await self.answer(work)


def _actions(events: list[Any]) -> list[str]:
    """Return what is done by events, as the table of actions names it; what is no remark is a
    grade.
    """
    kinds = {str(event.get("kind")) for event in events if isinstance(event, Mapping)}
    return sorted({_ACTIONS.get(kind, "grade") for kind in kinds}) or ["grade"]


def routes(context: AppContext) -> list[tuple[str, type[GraderHandler], dict[str, AppContext]]]:
    """Return URL pattern, handler and arguments, for the server's list of routes."""
    return [(r"/review/events", ReviewEventsHandler, {"context": context})]
