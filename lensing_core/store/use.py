"""Use of a workspace's database: every process shares a lock that a restore takes alone."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from lensing_core.errors import WorkspaceError
from lensing_core.private_files import touch_private
from lensing_core.workspace import Workspace

_NAME, _OPENING = ".in-use", ".opening"


def share(workspace: Workspace) -> IO[bytes] | None:
    """Hold the workspace as one of its users, as long as the file is open.

    None in a folder that cannot be written: nothing can be restored there either.

    Raises
    ------
    WorkspaceError
        While a backup is being restored.
    """
    path = workspace.root / _NAME
    try:
        touch_private(path)
        file = path.open("ab")
    except OSError:
        return None
    if not _lock(file, fcntl.LOCK_SH):
        file.close()
        raise WorkspaceError(
            f"A backup of {workspace.root} is being restored; try again when it is done."
        )
    return file


@contextmanager
def opening(workspace: Workspace) -> Iterator[None]:
    """Let one process at a time look at, make or migrate the database; others wait here.

    In a folder that cannot be written nothing is made, and nobody waits.
    """
    try:
        touch_private(workspace.root / _OPENING)
        file = (workspace.root / _OPENING).open("ab")
    except OSError:
        yield
        return
    with file:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)
        yield


@contextmanager
def alone(workspace: Workspace) -> Iterator[None]:
    """Hold the workspace for this process alone.

    Raises
    ------
    WorkspaceError
        If a server, a run, a command or a notebook uses it.
    """
    touch_private(workspace.root / _NAME)
    with (workspace.root / _NAME).open("ab") as file:
        if not _lock(file, fcntl.LOCK_EX):
            raise WorkspaceError(
                f"{workspace.root} is in use: stop its server, cancel its runs and close its "
                "notebooks first."
            )
        yield


def _lock(file: IO[bytes], how: int) -> bool:
    try:
        fcntl.flock(file.fileno(), how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
