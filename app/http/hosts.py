"""Host names that the server answers to: by default those of this machine only.

A page of another site may make its name point here (DNS rebinding); its browser then takes the
answers for that site's own. Such a request still carries the foreign name, and is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tornado.web import Application, RequestHandler

from lens_triage.app.http.guard import guarded
from lens_triage.app.http.reach import LOCAL_NAMES


class ForeignHost(RequestHandler):
    """Refuses whatever is asked of it, in one sentence."""

    def initialize(self, sentence: str) -> None:
        self._sentence = sentence

    def prepare(self) -> None:
        """Answer before any method of the request is looked at."""
        self.set_status(403)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(self._sentence)


def refuse_foreign_hosts(application: Application, names: Sequence[str] = LOCAL_NAMES) -> None:
    """Put a rule before all routes, pictures and static files included."""
    served = "|".join(re.escape(name) for name in names)
    own = " and ".join(LOCAL_NAMES)
    sentence = f"This server answers to {own} only; open it by that name."
    if tuple(names) != LOCAL_NAMES:  # a stranger is told none of the others
        sentence = "This server answers to names that its settings allow (allow_host) only."
    rule = (r".*", guarded(ForeignHost), {"sentence": sentence})
    application.add_handlers(rf"(?!(?:{served})$).*", [rule])
