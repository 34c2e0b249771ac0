"""Files that only their owner reads: what a workspace holds is nobody else's.

POSIX modes; on other systems folders of a user are private by themselves, and nothing is done.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterable
from pathlib import Path

FILE_MODE, FOLDER_MODE = 0o600, 0o700
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_log = logging.getLogger(__name__)


def make_private_folder(path: Path) -> None:
    """Make a folder and its parents, the folder readable by its owner alone; one there stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir(mode=FOLDER_MODE)
    except FileExistsError:
        return
    if os.name == "posix":
        path.chmod(FOLDER_MODE)  # whatever the umask takes away


def touch_private(path: Path) -> None:
    """Make an empty file that its owner alone reads, unless there is one."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))
    except FileExistsError:
        return


def keep_private_from_now_on() -> None:
    """Let this process make files and folders for its owner alone."""
    if os.name == "posix":
        os.umask(_OTHERS)


def tighten(root: Path, paths: Iterable[Path]) -> int:
    """Take the rights of others away from files and folders of this user; tells it once.

    Returns
    -------
    int
        How many could be read or written by others.
    """
    if os.name != "posix":
        return 0
    n = 0
    for path in paths:
        try:
            status = path.lstat()
        except OSError:  # gone, or in a folder that is not ours to look into
            continue
        is_ours = status.st_uid == os.geteuid() and not stat.S_ISLNK(status.st_mode)
        if is_ours and status.st_mode & _OTHERS:
            path.chmod(stat.S_IMODE(status.st_mode) & ~_OTHERS)
            n += 1
    if n:
        _log.warning(
            "%s: %d files and folders could be read by other users of this machine; now only you "
            "can.",
            root,
            n,
        )
    return n
