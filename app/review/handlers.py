"""Addresses of Review: its questions and the grades that are given there.

=========================  =======================================================================
``POST /review/ask``       one question of the page (:class:`ReviewService`), answered
``POST /review/events``    grades and undos to write; answered when they are committed
=========================  =======================================================================

Neither needs Bokeh's connection, so that a page goes on after its server was started again.
"""

from __future__ import annotations

from typing import Any

from app.context import AppContext
from app.http.identity import GraderHandler, SignedIn, cookie_name, read_grader
from app.http.pools import GRADING
from app.review.charts import ReviewCharts
from app.review.inspection import Inspector
from app.review.samp import ReviewSamp
from app.review.service import ReviewService
from lensing_core.errors import BadInputError, DamagedError, NotFoundError, PolicyError
from lensing_core.labeling.reviewing import record_in_review

MOST_AT_ONCE = 500
# Questions that write under the name of who is signed in: the page must have been opened by them.
_SIGNED = ("note", "tag", "untag", "stage", "save_filter", "delete_filter")


def review_service(context: AppContext, grader: SignedIn | None) -> ReviewService:
    """Return what answers the questions of a person's page."""
    grader_id = grader.id if grader else None
    return ReviewService(
        context.database,
        grader_id,
        {
            **Inspector(context, grader).answers(),
            **ReviewCharts(context, grader_id).answers(),
            **ReviewSamp(context, grader_id).answers(),
        },
    )


def workspace_mark(context: AppContext) -> str:
    """Return what tells this workspace from others that were served at the same address."""
    return cookie_name(context).rpartition("-")[2]


class AskHandler(GraderHandler):
    """One question of the page."""

    async def post(self) -> None:
        """``type``, ``grader`` (id of who opened the page) and what the question needs."""

        def work() -> dict[str, Any]:
            message, grader = self.body(), read_grader(self.context, self)
            asker = message.pop("grader", None)
            if message.get("type") in _SIGNED and asker != (grader.id if grader else None):
                raise PolicyError(
                    "Somebody else is signed in in this browser by now, or nobody; reload the page."
                )
            try:
                return review_service(self.context, grader).answer(message)
            except (BadInputError, NotFoundError, DamagedError) as error:
                # What a person typed or chose, and no fault of the request: said on the page.
                return {"type": "error", "message": str(error)}

        await self.answer(work)


class EventsHandler(GraderHandler):
    """Grades and undos."""

    pool = GRADING

    async def post(self) -> None:
        """``events``: see :func:`record_in_review`; ``grader``, ``workspace``: whose they are."""

        def work() -> dict[str, Any]:
            sent, grader = self.body(lenient=True), self.grader()
            if (sent.get("grader"), sent.get("workspace")) != (
                grader.id,
                workspace_mark(self.context),
            ):
                raise PolicyError(
                    "These grades are of another grader than the one who is signed in, or of "
                    "another workspace."
                )
            events = sent.get("events")
            if not isinstance(events, list):
                raise BadInputError("events: give a list of objects.")
            if len(events) > MOST_AT_ONCE:
                raise BadInputError(f"{len(events)} events: give up to {MOST_AT_ONCE} at once.")
            with self.context.database.session() as session:
                outcomes = record_in_review(session, grader.id, events)
            return {
                "written": [outcome.uuid for outcome in outcomes if not outcome.refused],
                "refused": {o.uuid: o.refused for o in outcomes if o.refused},
            }

        await self.answer(work)


def routes(context: AppContext) -> list[tuple[str, type[GraderHandler], dict[str, AppContext]]]:
    """Return URL patterns, handlers and arguments, for the server's list of routes."""
    given = {"context": context}
    return [(r"/review/ask", AskHandler, given), (r"/review/events", EventsHandler, given)]
