"""Output of a worker's process: ``runs/<run>/output.log``."""

from __future__ import annotations

import os
import re
from pathlib import Path

OUTPUT = "output.log"
MARK = "-----"
_TAIL_BYTES = 8192
_LOGGED = re.compile(r"\d{4}-\d\d-\d\d [\d:,]+ \| ")
_LENGTH = 300


def last_words(path: Path) -> str:
    """The last line that was printed in the latest attempt, if no logger wrote it; else ''.

    That is the error of a process that could not even begin, or was ended by a library.
    """
    try:
        with path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    for line in reversed(lines):
        text = line.strip()
        if text.startswith(MARK) or _LOGGED.match(text):
            return ""
        if text:
            return text[:_LENGTH].rstrip(".")
    return ""
