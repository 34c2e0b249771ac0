"""``POST /lens-test``: a lens test of a candidate (:mod:`lens_triage.app.viewer.lens_tests`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import GraderHandler
from lens_triage.app.viewer.lens_tests import LensTests
from lensing_core.errors import BadInputError


class LensTestHandler(GraderHandler):
    """One test: of the pixels as they are now, by the settings that are asked for."""

    async def post(self) -> None:
        """``candidate``: its id; else see :meth:`LensTests.answer`."""
        try:
            asked = self.body()
            candidate = candidate_of(asked)
            found = await LensTests(self.context).answer(self.here, candidate, asked)
        except Exception as error:  # noqa: BLE001 - logged; the page gets one sentence
            self.refuse_for(error, "The server could not fit a lens; its log says why.")
        else:
            self.send({"candidate": candidate, **found})


def candidate_of(asked: Mapping[str, Any]) -> int:
    """The number of the candidate that a request is about; raises BadInputError."""
    key = asked.get("candidate")
    if type(key) is not int or not 0 < key < 2**63:
        raise BadInputError("candidate: give its number.")
    return key


def routes(context: AppContext) -> list[tuple[str, type[GraderHandler], dict[str, AppContext]]]:
    """Return URL pattern, handler and arguments, for the server's list of routes."""
    return [(r"/lens-test", LensTestHandler, {"context": context})]
