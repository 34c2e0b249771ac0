"""``POST /lens-test/~<session>``: a lens test of a cutout under its opaque name.

Where the session's conditions allow it; it says nothing of the catalog, nor when it was computed.
Served by the process of the pages, which has the time for it.
"""

from __future__ import annotations

from typing import Any

from lens_triage.app.context import AppContext
from lens_triage.app.http.identity import GraderHandler
from lens_triage.app.http.pools import OTHER
from lens_triage.app.label.service import LabelService
from lens_triage.app.viewer.lens_tests import LensTests
from lensing_core.errors import BadInputError


class SessionLensTestHandler(GraderHandler):
    """One test for a grader."""

    def initialize(  # type: ignore[override]  # Tornado passes these by name
        self, context: AppContext, service: LabelService
    ) -> None:
        super().initialize(context)
        self.service = service

    async def post(self, session_id: str) -> None:
        """``token``: of the cutout; else see :meth:`LensTests.answer`."""
        try:
            asked = self.body()
            token = asked.get("token")
            if not isinstance(token, str):
                raise BadInputError("token: give the name of a cutout.")
            candidate = await OTHER.run(
                lambda: self.service.to_test(session_id, token, self.grader())
            )
            found = await LensTests(self.context).answer(self.here, candidate, asked)
        except Exception as error:  # noqa: BLE001 - logged; the page gets one sentence
            self.refuse_for(error, "The server could not fit a lens; its log says why.")
        else:
            self.send({"token": token, **{k: v for k, v in found.items() if k != "at"}})


def routes(context: AppContext) -> list[tuple[str, type[GraderHandler], dict[str, Any]]]:
    """Return URL pattern, handler and arguments, for the server's list of routes."""
    given = {"context": context, "service": LabelService(context)}
    return [(r"/lens-test/~([0-9a-f]+)", SessionLensTestHandler, given)]
