"""What every page is given: the workspace that is served, and its database."""

from __future__ import annotations

from dataclasses import dataclass

from lensing_core.store import Database, open_database
from lensing_core.workspace import Workspace


@dataclass(frozen=True)
class AppContext:
    """Shared by all sessions of a server; holds no state of any of them.

    Attributes
    ----------
    workspace : Workspace
    database : Database
    """

    workspace: Workspace
    database: Database

    @classmethod
    def of(cls, workspace: Workspace) -> AppContext:
        """The context of a workspace."""
        return cls(workspace, open_database(workspace))
