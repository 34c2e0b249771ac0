"""The secret of a workspace, in a file that its user alone can read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from lensing_core.errors import WorkspaceError
from lensing_core.workspace import Workspace

_SECRET_BYTES = 32


def workspace_secret(workspace: Workspace) -> str:
    """The workspace's own random secret, made at the first call, readable by its user alone.

    Signs who is signed in, makes the names of cutouts in a session, and seals the log of labels.

    Raises
    ------
    WorkspaceError
        If it can be neither read nor written.
    """
    path = workspace.confine("secret")
    try:
        if not path.exists():
            _write_once(path, secrets.token_urlsafe(_SECRET_BYTES))
        return path.read_text(encoding="ascii")
    except OSError as error:
        raise WorkspaceError(f"{path} cannot be read or written: {error.strerror}.") from error


def _write_once(path: Path, content: str) -> None:
    """Write a whole file that others see at once or not at all; the first writer's stays."""
    beside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(beside, path)
    except FileExistsError:
        pass  # another process was first
    finally:
        beside.unlink(missing_ok=True)
