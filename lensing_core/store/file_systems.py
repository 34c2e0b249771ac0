"""File systems on which SQLite's write-ahead log cannot be relied on."""

from __future__ import annotations

import re
from pathlib import Path

from lensing_core.errors import WorkspaceError

_NETWORK = frozenset(
    ("nfs", "nfs3", "nfs4", "cifs", "smb3", "smbfs", "afs", "coda", "fuse.sshfs", "fuse.rclone")
)
_MOUNTS = Path("/proc/self/mountinfo")


def refuse_network(folder: Path) -> None:
    """Raise WorkspaceError where a folder lies on a network file system.

    The log needs memory that all processes share, and locks that hold, which such file systems do
    not give: a database on one can be damaged. Where the system does not tell (not on Linux),
    nothing is refused.
    """
    kind = file_system_of(folder)
    if kind in _NETWORK:
        raise WorkspaceError(
            f"{folder} lies on a network file system ({kind}), where SQLite's write-ahead log can "
            "be damaged: use a workspace on a local disk, or keep its database on PostgreSQL "
            "(lens-triage init --database-url, or lens-triage db copy)."
        )


def file_system_of(folder: Path) -> str:
    """Return the kind of file system that a folder lies on, as Linux names it; '' if unknown."""
    try:
        lines = _MOUNTS.read_text().splitlines()
    except OSError:
        return ""
    folder = folder.resolve()
    kind, depth = "", -1
    for line in lines:
        before, _, after = line.partition(" - ")
        place = Path(re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), before.split()[4]))
        if folder.is_relative_to(place) and len(place.parts) >= depth:  # the last one lies on top
            kind, depth = after.split()[0], len(place.parts)
    return kind
