"""``POST /review/ask``: one message of Review (:class:`ReviewService`), answered.

It does not need Bokeh's connection, so that a page goes on after its server was started again.
What a message does beyond asking is looked up in the table of actions
(:mod:`lens_triage.app.permissions`) with who is signed in at that moment. Grades, notes, tags and
moves of stages have an address of their own (:mod:`lens_triage.app.review.events`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lens_triage.app.acting import acting, hides_blind, permit
from lens_triage.app.context import AppContext
from lens_triage.app.http.forms import BadMessageError
from lens_triage.app.http.identity import GraderHandler, SignedIn, read_grader
from lens_triage.app.permissions import MESSAGES
from lens_triage.app.review.charts import ReviewCharts
from lens_triage.app.review.inspection import Inspector
from lens_triage.app.review.messages import check_message
from lens_triage.app.review.samp import ReviewSamp
from lens_triage.app.review.service import ReviewService
from lens_triage.app.widgets.paths import sees_paths
from lensing_core.errors import BadInputError, DamagedError, NotFoundError, PolicyError
from lensing_core.store.ranking_facets import is_shared

_REACH = ("connect_programs", "send_to_programs")
"""Actions that reach beyond the page, and write nothing here."""
_ASKED_LATER = ("chart_select",)
"""Messages whose action is permitted where it is done."""


def review_service(context: AppContext, grader: SignedIn | None) -> ReviewService:
    """Return what answers the questions of a person's page."""
    grader_id = grader.id if grader else None
    hides = hides_blind(context)
    return ReviewService(
        grader_id,
        {
            **Inspector(context, grader).answers(),
            **ReviewCharts(context, grader_id, hides).answers(),
            **ReviewSamp(context, grader_id, hides).answers(),
        },
        organizes=grader is not None and grader.is_organizer,
        hides_paths=not sees_paths(context),
    )


class AskHandler(GraderHandler):
    """One question of the page."""

    async def post(self) -> None:
        """``type``, ``grader`` (id of who opened the page) and what the question needs."""

        def work() -> dict[str, Any]:
            message = self.body()
            asker = message.pop("grader", None)
            try:
                check_message(message)
                return self._ask(message, asker)
            except BadMessageError:
                raise
            except (BadInputError, NotFoundError, DamagedError) as error:
                # What a person typed or chose, and no fault of the request: said on the page.
                return {"type": "error", "message": str(error)}

        await self.answer(work)

    def _ask(self, message: Mapping[str, Any], asker: Any) -> dict[str, Any]:
        here, action = self.here, _action(self.here, message)
        if action in _REACH:
            person = permit(here, action)
            _is_asker(person, asker)
            return self._read(person, message)
        if not action or message.get("type") in _ASKED_LATER:
            return self._read(read_grader(self.context, self), message)
        with acting(here, action) as (session, person):
            _is_asker(person, asker)
            return review_service(here, person).answer(session, message)

    def _read(self, person: SignedIn | None, message: Mapping[str, Any]) -> dict[str, Any]:
        with self.context.database.session() as session:
            return review_service(self.here, person).answer(session, message)


def _action(context: AppContext, message: Mapping[str, Any]) -> str:
    """Return the action that a message takes, by the table; '' for one that only asks.

    A message that is not in the table is refused.
    """
    kind = str(message.get("type"))
    if kind not in MESSAGES:
        raise PolicyError(f"Nobody may ask {kind!r:.40}.")
    if kind == "save_filter":
        return "keep_shared_filter" if message["shared"] else "keep_own_filter"
    if kind == "delete_filter":
        with context.database.session() as session:
            shared = is_shared(session, int(message["id"]))
        return "delete_shared_filter" if shared else "delete_own_filter"
    return MESSAGES[kind]


def _is_asker(person: SignedIn | None, asker: Any) -> None:
    """Raise PolicyError unless who is signed in is who opened the page."""
    if asker != (person.id if person else None):
        raise PolicyError(
            "Somebody else has signed in in this browser, or you have signed out; reload the page."
        )


def routes(context: AppContext) -> list[tuple[str, type[GraderHandler], dict[str, AppContext]]]:
    """Return URL patterns, handlers and arguments, for the server's list of routes."""
    given = {"context": context}
    return [(r"/review/ask", AskHandler, given)]
