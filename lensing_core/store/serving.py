"""Checks before a workspace is served: a local disk, one server, a complete log."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lensing_core.errors import WorkspaceError
from lensing_core.private_files import touch_private
from lensing_core.store import sealed_log
from lensing_core.store.database import open_database
from lensing_core.store.file_systems import refuse_network
from lensing_core.store.removals import finish_removals
from lensing_core.store.run_locks import lock_in_database
from lensing_core.workspace import Workspace

_LOCK = ".serving"
_ON_SERVER = "lens-triage serve"  # a run has no blank in its name


@contextmanager
def serving(workspace: Workspace) -> Iterator[None]:
    """Hold a workspace as its one server, after a look at its database.

    Files of what was deleted before are removed; the log tells of those that cannot be.

    Raises
    ------
    WorkspaceError
        If another server has it, its file lies on a network file system, pages of it are damaged,
        or the end of the log of grades is not the one that was sealed.
    """
    if not workspace.database_url_file.is_file():
        refuse_network(workspace.root)
    database = open_database(workspace)
    with _lock(workspace), lock_in_database(database, _ON_SERVER) as is_ours:
        if not is_ours:
            raise WorkspaceError(
                f"The database of {workspace.root} is served by a lens-triage on another machine "
                "already; stop that one first, or use its pages."
            )
        sealed_log.check_tail(workspace, database)
        finish_removals(workspace, database)
        yield


@contextmanager
def _lock(workspace: Workspace) -> Iterator[None]:
    path = workspace.root / _LOCK
    touch_private(path)
    with path.open("r+") as file:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WorkspaceError(
                f"{workspace.root} is served already, by {_who(path)}; stop that one first, or use "
                "its pages."
            ) from None
        file.truncate()
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        yield


def _who(path: Path) -> str:
    return path.read_text(errors="replace")[:200].strip() or "another process"
