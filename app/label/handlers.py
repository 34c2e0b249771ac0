"""Addresses of the labeling view: its queue, its events, and its pictures under opaque names.

=======================================  =========================================================
``GET /labeling/<session>/queue``        cutouts to grade that come ``after`` a number
``GET /labeling/<session>/skipped``      cutouts that were skipped and still need a grade
``POST /labeling/<session>/events``      events to write; answered when they are committed
``GET /labeling/<session>/metrics``      own pace, agreement and skill
``GET /labeling/<session>/references``   known lenses and others to compare with
``POST /labeling/preferences``           keys and the like
``GET /tiles/~<session>/<cutout>``        as of a catalog (:mod:`lens_triage.app.viewer.tiles`)
``GET /pixels/~<session>/<cutout>``       likewise
=======================================  =========================================================
"""

from __future__ import annotations

import re
from typing import Any

from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import (
    GraderHandler,
    read_grader_of_picture,
)
from lens_triage.app.http.pools import GRADING
from lens_triage.app.label.service import LabelService
from lens_triage.app.viewer.tiles import (
    IMMUTABLE,
    CutoutHandler,
    PixelHandler,
    TileHandler,
    TileSource,
)
from lensing_core.errors import BadInputError, NotFoundError, PolicyError

# Told of a cutout of a blind session: what follows from its pixels, and not from its catalog.
_BLIND_INFO = ("known_fraction", "rgb_bands", "auto")


class _LabelHandler(GraderHandler):
    pool = GRADING

    def initialize(  # type: ignore[override]  # Tornado passes these by name
        self, context: AppContext, service: LabelService
    ) -> None:
        super().initialize(context)
        self.service = service


class QueueHandler(_LabelHandler):
    """Cutouts to grade."""

    async def get(self, session_id: str) -> None:
        """``after``: the number of the last cutout that the page has; -1 for the first."""

        def work() -> dict[str, Any]:
            sent = self.get_query_argument("after", "-1")
            if not re.fullmatch(r"-?[0-9]{1,9}", sent):
                raise BadInputError("after: give a whole number of up to nine digits.")
            after = int(sent)
            return self.service.queue(session_id, self.grader(), after)

        await self.answer(work)


class SkippedHandler(_LabelHandler):
    """Cutouts to look at again."""

    async def get(self, session_id: str) -> None:
        """Return what the grader skipped."""
        await self.answer(lambda: {"items": self.service.skipped(session_id, self.grader())})


class LabelEventsHandler(_LabelHandler):
    """Events of a grader."""

    async def post(self, session_id: str) -> None:
        """``events``: see :func:`lensing_core.labeling.record`; ``grader``: whose they are."""

        def work() -> dict[str, Any]:
            sent, grader = self.body(lenient=True), self.grader()
            if sent.get("grader") != grader.id:
                raise PolicyError(
                    "These grades are of another grader than the one who is signed in."
                )
            events = sent.get("events")
            if not isinstance(events, list):
                raise BadInputError("events: give a list of objects.")
            return self.service.record(self.here, session_id, grader, events)

        await self.answer(work)


class MetricsHandler(_LabelHandler):
    """A grader's own metrics."""

    async def get(self, session_id: str) -> None:
        """Pace, agreement on repeats, skill on gold."""
        await self.answer(lambda: self.service.metrics(session_id, self.grader()))


class ReferencesHandler(_LabelHandler):
    """Objects whose class is known, to compare with."""

    async def get(self, session_id: str) -> None:
        """Return references of the surveys of a session, without its cutouts."""
        await self.answer(
            lambda: {"references": self.service.references(session_id, self.grader())}
        )


class PreferencesHandler(_LabelHandler):
    """A grader's keys and the like."""

    async def post(self) -> None:
        """Keep what is sent; what is not named stays."""

        def work() -> dict[str, Any]:
            self.service.keep_preferences(self.here, self.body())
            return {}

        await self.answer(work)


class _SessionCutoutHandler(CutoutHandler):
    """Finds the cutout behind a cutout, and keeps to itself which one it is."""

    is_blind = True

    def initialize(  # type: ignore[override]  # Tornado passes these by name
        self, source: TileSource, context: AppContext, service: LabelService
    ) -> None:
        super().initialize(source)
        self.context = context
        self.service = service

    def find(self, session_id: str, token: str) -> tuple[str, int]:
        """Catalog and index; raises NotFoundError for who may not see it."""
        grader = read_grader_of_picture(self.context, self)
        if grader is None:
            raise NotFoundError("Sign in to see the cutouts of a session.")
        catalog, index, self.is_blind = self.service.picture(session_id, token, grader)
        return catalog, index

    def _is_known(self, *_: object) -> bool:
        """A name stands for the same pixels always, and for no other sign of them."""
        self.set_header("Cache-Control", IMMUTABLE)
        return False


class SessionTileHandler(_SessionCutoutHandler, TileHandler):
    """A cutout as a picture."""

    def describe(self, info: dict[str, Any]) -> dict[str, Any]:
        """Leaves out what would tell the catalog."""
        return {k: info[k] for k in _BLIND_INFO if k in info} if self.is_blind else info


class SessionPixelHandler(_SessionCutoutHandler, PixelHandler):
    """A cutout as numbers."""


def routes(context: AppContext, source: TileSource) -> list[tuple[str, type, dict[str, Any]]]:
    """URL patterns, handlers and arguments; before those of :mod:`lens_triage.app.viewer.tiles`."""
    given = {"context": context, "service": LabelService(context)}
    pictures = {"source": source, **given}
    return [
        (r"/labeling/preferences", PreferencesHandler, given),
        (r"/labeling/([0-9a-f]+)/queue", QueueHandler, given),
        (r"/labeling/([0-9a-f]+)/skipped", SkippedHandler, given),
        (r"/labeling/([0-9a-f]+)/events", LabelEventsHandler, given),
        (r"/labeling/([0-9a-f]+)/metrics", MetricsHandler, given),
        (r"/labeling/([0-9a-f]+)/references", ReferencesHandler, given),
        (r"/tiles/~([0-9a-f]+)/([0-9a-f]+)(/info)?", SessionTileHandler, pictures),
        (r"/pixels/~([0-9a-f]+)/([0-9a-f]+)", SessionPixelHandler, pictures),
    ]
