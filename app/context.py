"""Context of every page: the workspace that is served, and its database."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from lens_triage.app.http.reach import LOCAL, Reach
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
        That says who is signed in in the browser of this page or request, or ``Bearer`` and the API
        token of a program; '' where none came.
    reach : Reach
        How far the server is reached.
    """

    workspace: Workspace
    database: Database
    cookie: str = field(default="", compare=False, repr=False)
    reach: Reach = LOCAL

    @classmethod
    def of(cls, workspace: Workspace, reach: Reach = LOCAL) -> AppContext:
        """The context of a workspace."""
        return cls(workspace, open_database(workspace).reading(), reach=reach)

    @property
    def title(self) -> str:
        """Title of the workspace on its pages: its path, or from other machines only its name."""
        return self.workspace.root.name if self.reach.asks else str(self.workspace.root)

    def seen_by(self, cookie: str | None) -> AppContext:
        """The same for the page or request of a browser that sent this cookie."""
        return replace(self, cookie=cookie or "")
