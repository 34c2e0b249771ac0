"""Checksums of a folder that travels: SHA-256 of every file, in the form of ``sha256sum``."""

from __future__ import annotations

import re
from pathlib import Path

from lensing_core.errors import BadInputError
from lensing_core.models.manifest import file_sha256

CHECKSUMS = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")
_MOST_BYTES = 1 << 20
_MOST_FILES = 2000
_AGAIN = "Take the folder from its source again."


def write_checksums(folder: Path) -> Path:
    """Write the list of all files below a folder; ``sha256sum -c SHA256SUMS`` checks it, too."""
    lines = [f"{file_sha256(folder / name)}  {name}\n" for name in _files(folder)]
    path = folder / CHECKSUMS
    path.write_text("".join(lines), encoding="utf-8")
    return path


def check_checksums(folder: Path) -> None:
    """Compare every file below a folder with its list.

    Folders whose names begin with a dot, as of version control, are left aside.

    Raises
    ------
    BadInputError
        Naming a file that has changed, is missing, is not listed or is no plain file, or saying
        that there is no list that can be read.
    """
    path = folder / CHECKSUMS
    try:
        if path.is_symlink() or path.stat().st_size > _MOST_BYTES:
            raise BadInputError(f"{path} is no list of checksums. {_AGAIN}")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"{path} cannot be read ({error}). {_AGAIN}") from None
    listed: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise BadInputError(f"{path}, line {number}: this is no checksum. {_AGAIN}")
        listed[match[2]] = match[1]
    there = _files(folder)
    if unlisted := sorted(set(there) - set(listed)):
        raise BadInputError(f"{folder / unlisted[0]} is not listed in {CHECKSUMS}; remove it.")
    if missing := sorted(set(listed) - set(there)):
        raise BadInputError(f"{folder / missing[0]} is missing. {_AGAIN}")
    for name in there:
        if file_sha256(folder / name) != listed[name]:
            raise BadInputError(
                f"{folder / name} has changed since its folder was written. {_AGAIN}"
            )


def _files(folder: Path) -> list[str]:
    """Names of all files below a folder but the list itself, sorted, with ``/`` between parts."""
    found, waiting = [], [folder]
    while waiting:
        for path in waiting.pop().iterdir():
            if path.name.startswith(".") or path == folder / CHECKSUMS:
                continue
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise BadInputError(f"{path} is no plain file (a link or a device); remove it.")
            if path.is_dir():
                waiting.append(path)
            else:
                found.append(path.relative_to(folder).as_posix())
            if len(found) + len(waiting) > _MOST_FILES:
                raise BadInputError(
                    f"{folder} holds over {_MOST_FILES} files; an ensemble has few."
                )
    return sorted(found)
