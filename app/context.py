"""Context of every page: the workspace that is served, and its database."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from lensing_core.store import Database, open_database
from lensing_core.workspace import Workspace


@dataclass(frozen=True)
class AppContext:
    """Shared by all sessions of a server, but for the cookie of who looks.

    Attributes
    ----------
    workspace : Workspace
    database : Database
        For reading: what writes is an action, and gets its session from
        :mod:`lens_triage.app.acting`.
    cookie : str
        That says who is signed in in the browser of this page or request; '' where none came.
    """

    workspace: Workspace
    database: Database
    cookie: str = field(default="", compare=False, repr=False)

    @classmethod
    def of(cls, workspace: Workspace) -> AppContext:
        """The context of a workspace."""
        return cls(workspace, open_database(workspace).reading())

    def seen_by(self, cookie: str | None) -> AppContext:
        """The same for the page or request of a browser that sent this cookie."""
        return replace(self, cookie=cookie or "")
