"""Which names the server answers to: those of this machine, so that only its own pages reach it.

A page of another site may make its name point here (DNS rebinding); its browser then takes the
answers for that site's own. Such a request still carries the foreign name, and is refused.
"""

from __future__ import annotations

import re

from tornado.web import Application, RequestHandler

from lens_triage.app.http.guard import guarded

ADDRESS = "127.0.0.1"
HOSTS = (ADDRESS, "localhost")


class ForeignHost(RequestHandler):
    """Refuses whatever is asked of it, in one sentence."""

    def prepare(self) -> None:
        """Answer before any method of the request is looked at."""
        self.set_status(403)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"This server answers to {' and '.join(HOSTS)} only; open it by that name.")


def refuse_foreign_hosts(application: Application) -> None:
    """Put a rule before all routes, pictures and static files included."""
    served = "|".join(re.escape(host) for host in HOSTS)
    application.add_handlers(rf"(?!(?:{served})$).*", [(r".*", guarded(ForeignHost))])
